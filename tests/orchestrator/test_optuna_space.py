"""Hyperparameters go to Optuna and come back as they were."""

from __future__ import annotations

import warnings

import optuna
import pytest
from distribution_catalogue import choice_knobs, continuous_knobs, integer_knobs, seeds
from hypothesis import given

from orchestrator.frozen import text
from orchestrator.knobs import Choice, Continuous, Integer, Knob, Simplex
from orchestrator.optuna_space import distribution, legal, param, quiet
from orchestrator.seeding import generator


@given(continuous_knobs | integer_knobs | choice_knobs, seeds)
def test_a_value_comes_back_as_it_was(knob: Knob, seed: int) -> None:
    value = knob.sample(knob.full(), generator(seed))
    asked = distribution(knob)
    assert asked.low <= param(knob, value) <= asked.high
    back = legal(knob, param(knob, value))
    assert type(back) is type(value)
    if isinstance(knob, Continuous):
        assert knob.to_unit(back) == pytest.approx(knob.to_unit(value), abs=1e-9)
    elif isinstance(knob, Choice):
        assert text(back) == text(value)
    else:
        assert back == value


@given(continuous_knobs | integer_knobs | choice_knobs)
def test_both_ends_are_legal(knob: Knob) -> None:
    asked = distribution(knob)
    for end in (asked.low, asked.high):
        assert knob.legal(legal(knob, end))


def test_every_kind_worked_by_hand() -> None:
    lr = Continuous(1e-5, 1e-1, "log")
    assert distribution(lr) == optuna.distributions.FloatDistribution(0.0, 1.0)
    assert param(lr, 1e-3) == pytest.approx(0.5)
    assert legal(lr, 0.25) == pytest.approx(1e-4)
    epochs = Integer(1, 20, "log")
    assert distribution(epochs) == optuna.distributions.IntDistribution(1, 20, log=True)
    assert (param(epochs, 7), legal(epochs, 7)) == (7, 7)
    batch = Integer(0, 100_000)
    assert distribution(batch) == optuna.distributions.FloatDistribution(0.0, 1.0)
    assert (param(batch, 25_000), legal(batch, 0.25)) == (0.25, 25_000)
    kinds = Choice((True, 1, 1.0, [64, 64]))
    assert distribution(kinds) == optuna.distributions.IntDistribution(0, 3)
    assert [param(kinds, each) for each in (True, 1, 1.0, [64, 64])] == [0, 1, 2, 3]


def test_what_is_not_legal_has_no_parameter() -> None:
    for knob, value in ((Continuous(0.0, 1.0), 2.0), (Integer(1, 5), 9), (Choice(("a",)), "b")):
        with pytest.raises(ValueError, match="must be"):
            param(knob, value)


def test_weights_of_terms_are_no_hyperparameter() -> None:
    knob = Simplex(("a", "b"))
    for ask in (lambda: distribution(knob), lambda: param(knob, {}), lambda: legal(knob, 0.5)):
        with pytest.raises(TypeError, match="a hyperparameter cannot be a Simplex"):
            ask()


def test_quiet_is_over_afterwards() -> None:
    before = optuna.logging.get_verbosity()
    with quiet():
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
        warnings.warn("an experimental feature", stacklevel=1)
    assert optuna.logging.get_verbosity() == before
