"""What the callback for stock trials decides and sends, and that it never takes a run down."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from callbacks import EnvMutation
from callbacks.env_mutation import NotForTrials
from orchestrator.curricula import DomainRandomization, Evolving, Fixed, Need, Outcome, Widen
from orchestrator.distributions import EnvSpace, Product
from orchestrator.knobs import Continuous, Range
from orchestrator.rllib import stock
from orchestrator.rllib.stock import Played

SPACE = EnvSpace({"gravity": Continuous(0.0, 10.0)}, {"gravity": Range(4.0, 6.0)})
WIDENING = Evolving(widen=Widen(above=100.0, by=0.1, min_episodes=2))


class FakeTrial:
    """A trial whose actor only notes what it is told."""

    def __init__(self, trial_id: str = "ab_00000") -> None:
        self.trial_id = trial_id
        self.told: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        call = SimpleNamespace(remote=lambda function, *given: self.told.append((function, given)))
        actor = SimpleNamespace(__ray_call__=call)
        self.temporary_state = SimpleNamespace(ray_actor=actor)

    def revisions(self) -> list[int]:
        """The revisions that it was told of, in order."""
        assert {function for function, _ in self.told} <= {stock.tell}
        return [given[1] for _, given in self.told]


def start(callback: EnvMutation, trial: FakeTrial) -> None:
    callback.on_trial_start(iteration=0, trials=[trial], trial=trial)


def report(
    callback: EnvMutation, trial: FakeTrial, iteration: int, revision: int, *returns: float
) -> dict[str, Any]:
    """Hand the callback a result with episodes of these returns; returns what loggers get."""
    outcomes = [Outcome({"gravity": 5.0}, total, 10, revision=revision) for total in returns]
    result = {
        "training_iteration": iteration,
        stock.PLAYED: Played(revision, 100 * iteration, tuple(outcomes)),
    }
    callback.on_trial_result(iteration=iteration, trials=[trial], trial=trial, result=result)
    return result


def test_a_trial_is_told_where_it_begins_before_it_trains() -> None:
    callback, trial = EnvMutation(SPACE, DomainRandomization()), FakeTrial()
    start(callback, trial)
    assert trial.told == [(stock.tell, (SPACE.full(), 0))]


def test_what_was_earned_is_told_before_the_next_iteration() -> None:
    callback, trial = EnvMutation(SPACE, WIDENING), FakeTrial()
    start(callback, trial)
    first = report(callback, trial, 1, 0, 150.0)
    second = report(callback, trial, 2, 0, 150.0)
    assert trial.revisions() == [0, 1]
    wider = trial.told[-1][1][0]
    assert isinstance(wider, Product)
    assert wider != SPACE.initial()
    # A result names what its iteration was trained on, and nothing that a logger cannot take.
    for result in (first, second):
        assert result.pop("training_iteration") in (1, 2)
        assert result == {"env_revision": 0, "env_distribution": "gravity 4…6"}
    third = report(callback, trial, 3, 1, 150.0)
    assert (third["env_revision"], third["env_distribution"]) == (1, "gravity 3…7")
    (mutation,) = callback.mutations
    assert (mutation.trial_id, mutation.iteration, mutation.revision) == ("ab_00000", 2, 1)
    assert mutation.distribution == wider
    assert "widen" in mutation.why


def test_episodes_of_an_older_revision_earn_nothing() -> None:
    callback, trial = EnvMutation(SPACE, WIDENING), FakeTrial()
    start(callback, trial)
    report(callback, trial, 1, 0, 150.0, 150.0)
    late = tuple(Outcome({"gravity": 5.0}, 150.0, 10, revision=0) for _ in range(5))
    result = {"training_iteration": 2, stock.PLAYED: Played(1, 200, late)}
    callback.on_trial_result(iteration=2, trials=[trial], trial=trial, result=result)
    assert trial.revisions() == [0, 1]


def test_trials_stand_by_themselves() -> None:
    callback, one, other = EnvMutation(SPACE, WIDENING), FakeTrial("a"), FakeTrial("b")
    for trial in (one, other):
        start(callback, trial)
    report(callback, one, 1, 0, 150.0, 150.0)
    report(callback, other, 1, 0, 50.0, 50.0)
    assert (one.revisions(), other.revisions()) == ([0, 1], [0])


def test_a_trial_that_starts_again_is_told_what_it_had() -> None:
    callback, trial = EnvMutation(SPACE, WIDENING), FakeTrial()
    start(callback, trial)
    report(callback, trial, 1, 0, 150.0, 150.0)
    start(callback, trial)
    assert trial.revisions() == [0, 1, 1]
    assert trial.told[-1] == trial.told[-2]


def test_it_goes_on_where_tune_saved_it() -> None:
    callback, trial = EnvMutation(SPACE, WIDENING), FakeTrial()
    start(callback, FakeTrial("another"))
    start(callback, trial)
    report(callback, trial, 1, 0, 150.0, 150.0)
    report(callback, trial, 2, 1, 150.0)
    # As `Tuner.restore` makes it: from what was pickled at the start, and the saved state.
    restored = pickle.loads(pickle.dumps(EnvMutation(SPACE, WIDENING)))
    restored.set_state(json.loads(json.dumps(callback.get_state())))
    assert restored.mutations == callback.mutations
    again = FakeTrial()
    for each, taken in ((callback, trial), (restored, again)):
        start(each, taken)
        report(each, taken, 3, 1, 150.0)
    assert trial.told[-2:] == again.told
    assert again.revisions() == [1, 2]
    assert restored.get_state() == callback.get_state()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"training_iteration": 1}, "must be of revision 0, but says nothing of one"),
        (
            {"training_iteration": 1, stock.PLAYED: Played(7, 100, ())},
            "must be of revision 0, but was of 7",
        ),
    ],
)
def test_a_trial_that_trained_on_something_else_is_failed(
    result: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    callback, trial = EnvMutation(SPACE, Fixed()), FakeTrial()
    start(callback, trial)
    callback.on_trial_result(iteration=1, trials=[trial], trial=trial, result=result)
    function, (why,) = trial.told[-1]
    assert function is stock.refuse
    assert said in why
    assert said in caplog.text


class Broken(Fixed):
    """Fails at each iteration."""

    def observe(self, *given: Any) -> Any:
        raise ZeroDivisionError("the rule")


def test_a_rule_that_fails_is_heard_of_and_takes_nothing_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    callback, trial = EnvMutation(SPACE, Broken()), FakeTrial()
    start(callback, trial)
    report(callback, trial, 1, 0, 150.0)
    assert trial.revisions() == [0]
    said = "EnvMutation.on_trial_result: ZeroDivisionError: the rule"
    assert callback.faults == [said]
    assert "ZeroDivisionError: the rule" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_trial_without_an_actor_is_told_when_it_has_one() -> None:
    callback, trial = EnvMutation(SPACE, WIDENING), FakeTrial()
    start(callback, trial)
    actor, trial.temporary_state.ray_actor = trial.temporary_state.ray_actor, None
    report(callback, trial, 1, 0, 150.0, 150.0)
    assert callback.faults == []
    trial.temporary_state.ray_actor = actor
    start(callback, trial)
    assert trial.revisions() == [0, 1]


@dataclass(frozen=True)
class Needy(Fixed):
    """Needs one thing."""

    need: Need

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({self.need})


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ("values", "Needy needs scores that take a value function"),
        ("score", "Needy needs the score on a select suite"),
        ("regret", "Needy needs the returns of other members"),
        ("rollouts", "Needy needs rollouts without gradient"),
        ("generator", "Needy needs a policy that decides the levels"),
    ],
)
def test_a_curriculum_that_needs_more_than_episodes_is_refused(need: Need, said: str) -> None:
    with pytest.raises(NotForTrials, match=said):
        EnvMutation(SPACE, Needy(need))


@pytest.mark.parametrize("need", ["episodes", "success"])
def test_one_that_needs_episodes_is_not(need: Need) -> None:
    assert EnvMutation(SPACE, Needy(need)).mutations == []
