"""What is asked of Optuna follows from what each interval has brought."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import optuna
import pytest
from distribution_catalogue import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import optuna_explorer
from orchestrator.explore import Interval, Now
from orchestrator.knobs import Choice, Continuous, Integer, Knob
from orchestrator.optuna_explorer import OptunaExplorer
from orchestrator.seeding import generator

SEARCH: dict[str, Knob] = {"x": Continuous(0.0, 1.0)}
MEMBERS = 5

TPE, GP, CMAES = OptunaExplorer("tpe"), OptunaExplorer("gp"), OptunaExplorer("cmaes")
everyone = pytest.mark.parametrize("rule", [TPE, GP, CMAES], ids=["tpe", "gp", "cmaes"])
cheap = pytest.mark.parametrize("rule", [TPE, CMAES], ids=["tpe", "cmaes"])


def lived(gain: Callable[[float, int, float], float], boundaries: int = 8) -> list[Interval]:
    """Intervals of members with drawn x; ``gain`` is of x, the iteration and the score before."""
    rng = generator("lived")
    found = []
    for iteration in range(boundaries):
        for member in range(MEMBERS):
            x, before = float(rng.random()), float(rng.random())
            after = before + gain(x, iteration, before)
            found.append(Interval(member, iteration, {"x": x}, before, after))
    return found


def peak(at: float) -> Callable[[float, int, float], float]:
    return lambda x, iteration, before: -((x - at) ** 2)


def asked(
    rule: OptunaExplorer,
    history: Sequence[Interval],
    count: int = 1,
    now: Now | None = None,
    search: dict[str, Knob] = SEARCH,
) -> list[Any]:
    """What comes for ``x``, from several generators."""
    key = next(iter(search))
    return [
        rule.explore({}, search, generator("asked", seed), history, now)[key]
        for seed in range(count)
    ]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@everyone
@pytest.mark.parametrize("best", [0.2, 0.8])
def test_it_asks_near_what_was_good(rule: OptunaExplorer, best: float) -> None:
    found = asked(rule, lived(peak(best)), 2 if rule == GP else 20, Now(8, 0.5))
    # Drawn at random it would be 0.34.
    assert mean([abs(x - best) for x in found]) < 0.21


@everyone
def test_at_first_it_draws_at_random(rule: OptunaExplorer) -> None:
    few = lived(peak(0.2))[:9]
    other = [replace(each, after=each.before - (each.after or 0.0)) for each in few]
    assert asked(rule, few, 3) == asked(rule, other, 3)
    assert len({*asked(rule, few, 3)}) == 3


def test_only_what_ended_counts_for_the_start() -> None:
    ended = lived(peak(0.2))[:9]
    running = [replace(each, after=None) for each in lived(peak(0.2))[9:30]]
    assert asked(TPE, [*ended, *running], 3) == asked(TPE, ended, 3)


@cheap
@settings(max_examples=10)
@given(seed=seeds, factor=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_the_unit_of_the_score_is_of_no_account(
    rule: OptunaExplorer, seed: int, factor: float, shift: float
) -> None:
    plain = lived(peak(0.3))
    other = lived(lambda x, iteration, before: -((x - 0.3) ** 2) * factor + shift)
    one, same = (
        rule.explore({}, SEARCH, generator(seed), history)["x"] for history in (plain, other)
    )
    assert one == pytest.approx(same, abs=1e-6)


@cheap
def test_an_early_boom_does_not_hide_what_is_good_later(rule: OptunaExplorer) -> None:
    """At first all improve a lot, those with a high x the most; then a low x is best."""

    def gain(x: float, iteration: int, before: float) -> float:
        return 100.0 + x if iteration < 4 else -((x - 0.1) ** 2)

    assert mean(asked(rule, lived(gain, boundaries=20), 20)) < 0.35


@pytest.mark.parametrize(
    ("best", "early", "late"),
    [
        (lambda x, iteration, before: 0.2 if iteration < 6 else 0.8, Now(1, 0.5), Now(12, 0.5)),
        (lambda x, iteration, before: 0.2 if before < 0.5 else 0.8, Now(12, 0.1), Now(12, 0.9)),
    ],
    ids=["iteration", "score before"],
)
def test_gp_asks_for_what_is_good_in_the_present(
    best: Callable[[float, int, float], float], early: Now, late: Now
) -> None:
    history = lived(
        lambda x, iteration, before: -((x - best(x, iteration, before)) ** 2), boundaries=12
    )
    assert asked(GP, history, now=early)[0] < 0.45
    assert asked(GP, history, now=late)[0] > 0.55


@pytest.mark.parametrize("running", [0, 4])
def test_gp_does_not_ask_for_what_was_best_elsewhere(running: int) -> None:
    """What is best at a low score brings more than anything can at a high one."""

    def gain(x: float, iteration: int, before: float) -> float:
        return 3.0 - 5.0 * (x - 0.2) ** 2 if before < 0.5 else -3.0 - 5.0 * (x - 0.8) ** 2

    history = lived(gain, boundaries=12)
    history += [Interval(member, 12, {"x": 0.1 * member}, 0.5) for member in range(running)]
    assert asked(GP, history, now=Now(12, 0.95))[0] > 0.6


def test_optuna_still_lets_its_search_be_told_where_to_begin() -> None:
    assert callable(optuna.samplers.GPSampler._optimize_acqf)


@cheap
def test_the_others_cannot_heed_the_present(rule: OptunaExplorer) -> None:
    history = lived(peak(0.3))
    assert asked(rule, history, 3, Now(1, 0.1)) == asked(rule, history, 3, Now(99, 0.9))


@pytest.mark.parametrize(("rule", "count"), [(TPE, 40), (GP, 2)], ids=["tpe", "gp"])
def test_it_looks_elsewhere_than_where_an_interval_runs(rule: OptunaExplorer, count: int) -> None:
    history = lived(peak(0.5), boundaries=4)
    best = asked(rule, history, count, Now(4, 0.5))
    running = [Interval(member, 4, {"x": mean(best)}, 0.5) for member in range(MEMBERS)]
    then = asked(rule, [*history, *running], count, Now(4, 0.5))
    assert mean([abs(x - mean(best)) for x in then]) > mean([abs(x - mean(best)) for x in best])


@cheap
def test_to_diverge_is_worst(rule: OptunaExplorer) -> None:
    history = [
        replace(each, after=-math.inf if each.values["x"] > 0.6 else each.after)
        for each in lived(lambda x, iteration, before: -1.0)
    ]
    assert mean(asked(rule, history, 20)) < 0.45


def interval(before: float, after: float | None) -> Interval:
    return Interval(0, 0, {"x": 0.5}, before, after)


def test_standings_worked_by_hand() -> None:
    # Gains of 1, 5, 5 and 1: their mean is 3, their deviation 2.
    history = [
        interval(10.0, 11.0),
        interval(-4.0, 1.0),
        interval(0.0, None),
        interval(0.0, -math.inf),
        interval(0.0, 5.0),
        interval(1.0, 2.0),
    ]
    one = math.tanh(1.0)
    assert optuna_explorer._standings(history) == [-one, one, None, -1.0, one, -one]


def test_alone_or_all_alike_nobody_stands_out() -> None:
    assert optuna_explorer._standings([interval(1.0, 8.0)]) == [0.0]
    assert optuna_explorer._standings([interval(1.0, 8.0)] * 3) == [0.0] * 3
    assert optuna_explorer._standings([interval(1.0, -math.inf)]) == [-1.0]
    assert optuna_explorer._standings([]) == []


def test_an_interval_stands_among_the_thirty_about_it() -> None:
    """First all gain 0 or 2, then 100 or 104: within each time there are two standings."""
    early = [interval(0.0, gain) for gain in (0.0, 2.0) * 30]
    late = [interval(0.0, gain) for gain in (100.0, 104.0) * 30]
    found = optuna_explorer._standings([*early, *late])
    one = math.tanh(1.0)
    assert found[:44] == pytest.approx([-one, one] * 22)
    assert found[-44:] == pytest.approx([-one, one] * 22)


@cheap
def test_older_intervals_than_the_window_are_forgotten(rule: OptunaExplorer) -> None:
    history = lived(peak(0.3), boundaries=12)
    small = replace(rule, window=20)
    assert asked(small, history, 3) == asked(rule, history[-20:], 3)
    assert asked(small, history, 3) != asked(rule, history, 3)


def test_gp_has_a_smaller_window() -> None:
    assert OptunaExplorer("gp")._window() == 300
    assert OptunaExplorer("gp", 50)._window() == 50
    assert OptunaExplorer("tpe")._window() == 1000


@cheap
def test_intervals_that_say_nothing_are_left_out(rule: OptunaExplorer) -> None:
    history = lived(peak(0.3))
    useless = [
        Interval(0, 1, {"x": 7.0}, 0.0, 99.0),
        Interval(0, 1, {"y": 0.5}, 0.0, 99.0),
        Interval(0, 1, {"x": 0.9}, -math.inf, 99.0),
        Interval(0, 1, {"x": 0.9}, -math.inf, -math.inf),
    ]
    assert asked(rule, [*useless, *history, *useless], 3) == asked(rule, history, 3)


@cheap
def test_a_choice_and_an_integer_are_learnt(rule: OptunaExplorer) -> None:
    search: dict[str, Knob] = {"kind": Choice((True, 1, 1.0, [64, 64])), "n": Integer(1, 9)}
    rng = generator("kinds")
    history = []
    for iteration in range(12):
        for member in range(MEMBERS):
            n = int(rng.integers(1, 10))
            kind = search["kind"].sample(search["kind"].full(), rng)
            gain = n + (20.0 if kind == [64, 64] else 0.0)
            history.append(Interval(member, iteration, {"kind": kind, "n": n}, 0.0, gain))
    found = [rule.explore({}, search, generator(n), history) for n in range(30)]
    assert sum(each["kind"] == [64, 64] for each in found) >= 20
    assert mean([each["n"] for each in found]) > 6.0


@everyone
def test_what_cannot_vary_stays(rule: OptunaExplorer) -> None:
    search: dict[str, Knob] = {
        "one": Continuous(0.3, 0.3),
        "only": Integer(4, 4),
        "alone": Choice((["x"],)),
    }
    assert rule.explore({}, search, generator(0)) == {"one": 0.3, "only": 4, "alone": ["x"]}
    varied = lived(peak(0.3))
    with_fixed = [
        replace(each, values={**each.values, "one": 0.3, "only": 4, "alone": ["x"]})
        for each in varied
    ]
    found = rule.explore({}, {**SEARCH, **search}, generator(0), with_fixed, Now(8, 0.5))
    assert found.items() >= {"one": 0.3, "only": 4}.items()
    assert found["x"] != varied[0].values["x"]


def test_an_integer_of_very_many_values_is_no_burden_to_gp() -> None:
    search: dict[str, Knob] = {"n": Integer(1, 2**40, "log")}
    history = [
        replace(each, values={"n": search["n"].from_unit(each.values["x"])})  # type: ignore[attr-defined]
        for each in lived(peak(0.5))
    ]
    [found] = asked(GP, history, now=Now(8, 0.5), search=search)
    assert 2**8 < found < 2**32


@everyone
def test_nothing_is_said(rule: OptunaExplorer, capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    asked(rule, lived(peak(0.3)), now=Now(8, 0.5))
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna_explorer, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="'cmaes' needs the package cmaes: `pip install cmaes`"):
        OptunaExplorer("cmaes")
    OptunaExplorer("tpe")


def test_a_rule_that_could_not_work_is_refused() -> None:
    unknown: Any = "random"
    with pytest.raises(ValueError, match=r"`sampler` must be one of \['tpe', 'gp', 'cmaes'\]"):
        OptunaExplorer(unknown)
    with pytest.raises(ValueError, match="`window >= 1` must hold, but got 0"):
        OptunaExplorer(window=0)
