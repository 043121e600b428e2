"""A member's own course: it moves from its seed alone, and stands in a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from distribution_catalogue import CARTPOLE

from orchestrator.course import Course
from orchestrator.curricula import Curriculum, Move, Outlook, Seen, Stand
from orchestrator.distributions import EnvSpace, Level
from orchestrator.episodes import Episode
from orchestrator.operators import shift
from orchestrator.own_course import load_course, outcome_of, own_course, save_course

KEY = (7, "main", "member", 2, "curriculum")


@dataclass(frozen=True)
class Wandering(Curriculum):
    """Shifts once it has seen enough episodes, and probes as many levels as it is told."""

    after: int = 3
    amount: float = 0.2

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.initial(), {"episodes": 0})

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        episodes = stand.state["episodes"] + seen.episodes
        return Stand(stand.distribution, {"episodes": episodes})

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        if stand.state["episodes"] < self.after:
            return None
        return Move(Stand(shift(stand.distribution, rng, self.amount), {"episodes": 0}), "shift")

    def probes(self, stand: Stand, rng: np.random.Generator) -> Sequence[Level]:
        return [stand.distribution.space.full().sample(rng)]

    def outlook(self, stand: Stand) -> Outlook:
        return Outlook(f"{stand.state['episodes']} of {self.after}", waits=True)


def begun(**hyperparameters: float) -> Course:
    searched = {"lr": 0.1, **hyperparameters}
    return own_course(Wandering(), CARTPOLE, searched, KEY)


def test_searched_parameters_of_the_curriculum_are_the_members_own() -> None:
    assert begun().curriculum == Wandering()
    changed = begun(**{"curriculum.amount": 0.5, "curriculum.after": 2})
    assert changed.curriculum == Wandering(after=2, amount=0.5)


def test_it_moves_once_it_has_seen_enough() -> None:
    own, move = begun().after(Seen(episodes=2, iteration=1))
    assert move is None
    assert own.outlook == Outlook("2 of 3", waits=True)
    own, move = own.after(Seen(episodes=1, iteration=2))
    assert move is not None
    assert own.stand == move.stand
    assert own.stand.distribution != CARTPOLE.initial()


def test_what_it_draws_follows_from_the_key_and_the_iteration() -> None:
    seen = Seen(episodes=3, iteration=1)
    assert begun().after(seen)[0] == begun().after(seen)[0]
    later = Seen(episodes=3, iteration=2)
    assert begun().after(seen)[0] != begun().after(later)[0]
    assert begun().probes(4) == begun().probes(4)
    assert begun().probes(4) != begun().probes(5)


def test_a_stand_that_was_saved_is_gone_on_from(tmp_path: Path) -> None:
    own, _ = begun().after(Seen(episodes=3, iteration=1))
    own, _ = own.after(Seen(episodes=2, iteration=2))
    save_course(own, tmp_path)
    again = load_course(begun(), tmp_path)
    assert again == own
    last = Seen(episodes=1, iteration=3)
    assert again.after(last) == own.after(last)


@pytest.mark.parametrize("trained", [True, False])
def test_an_outcome_counts_the_agents_that_count(trained: bool) -> None:
    level = {"gravity": 9.8, "length": 0.5, "masspole": 0.1}
    episode = Episode(level, 3, None, {"a": 1.0, "b": 10.0}, 25, True, scores={"l1": 0.5})
    outcome = outcome_of(episode, ("b",), None, trained=trained)
    assert (outcome.level, outcome.total, outcome.length) == (level, 10.0, 25)
    assert (outcome.success, outcome.scores, outcome.revision) == (True, {"l1": 0.5}, 3)
    assert outcome.trained is trained


def test_a_return_that_is_high_enough_is_a_success_where_the_env_does_not_say() -> None:
    episode = Episode({}, 0, None, {"": 7.0}, 25, None)
    assert outcome_of(episode, None, None, trained=True).success is None
    assert outcome_of(episode, None, 7.0, trained=True).success is True
    assert outcome_of(episode, None, 7.5, trained=True).success is False
    failed = Episode({}, 0, None, {"": 7.0}, 25, False)
    assert outcome_of(failed, None, 1.0, trained=True).success is False
