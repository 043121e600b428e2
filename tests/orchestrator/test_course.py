"""A course through a curriculum: revisions count its moves, and JSON holds all of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.course import Course
from orchestrator.curricula import (
    Curriculum,
    DomainRandomization,
    Evolving,
    Move,
    Outcome,
    Outlook,
    Seen,
    Stand,
    Widen,
)
from orchestrator.distributions import EnvSpace, Product
from orchestrator.knobs import Continuous, Range

SPACE = EnvSpace({"gravity": Continuous(0.0, 10.0)}, {"gravity": Range(4.0, 6.0)})
WIDENING = Evolving(widen=Widen(above=100.0, by=0.1, min_episodes=2))


def seen(course: Course, iteration: int, *returns: float) -> Seen:
    """Episodes of these returns, played on the course's present revision."""
    outcomes = [
        Outcome({"gravity": 5.0}, total, length=10, revision=course.revision) for total in returns
    ]
    return Seen.of(outcomes, course.revision, iteration=iteration, env_steps=10 * iteration)


def gravity(course: Course) -> Range:
    assert isinstance(course.distribution, Product)
    marginal = course.distribution.marginals["gravity"]
    assert isinstance(marginal, Range)
    return marginal


def test_a_move_is_a_new_revision() -> None:
    course = Course.begun(WIDENING, SPACE, (0, 0))
    assert (course.revision, gravity(course)) == (0, Range(4.0, 6.0))
    course, move = course.after(seen(course, 1, 150.0))
    assert (course.revision, move) == (0, None)
    course, move = course.after(seen(course, 2, 150.0))
    assert move is not None
    assert "widen" in move.why
    assert course.revision == 1
    assert (gravity(course).low, gravity(course).high) == pytest.approx((3.0, 7.0))
    # Returns on the distribution before say nothing about this one.
    course, move = course.after(seen(course, 3, 150.0))
    assert (course.revision, move) == (1, None)


def test_a_move_to_where_it_stands_is_none() -> None:
    course = Course.begun(Restless(), SPACE, (0, 0))
    course, move = course.after(seen(course, 1))
    assert (course.revision, move, course.stand.state) == (0, None, {"moves": 1})


def test_a_trial_begins_where_the_curriculum_says() -> None:
    assert gravity(Course.begun(DomainRandomization(), SPACE, (0, 0))) == Range(0.0, 10.0)


@given(st.lists(st.lists(st.floats(50.0, 200.0), max_size=3), max_size=6))
def test_it_goes_on_from_its_json(iterations: list[list[float]]) -> None:
    course = again = Course.begun(WIDENING, SPACE, (0, 0))
    for number, returns in enumerate(iterations):
        course, _ = course.after(seen(course, number, *returns))
        again, _ = again.after(seen(again, number, *returns))
        begun = Course.begun(WIDENING, SPACE, (0, 0))
        again = begun.loaded(json.loads(json.dumps(again.to_json())))
    assert again == course


def test_each_trial_draws_from_a_stream_of_its_own() -> None:
    drawn = []
    for key in ((0, 0), (0, 1), (1, 0), (0, 0)):
        course = Course.begun(Wandering(), SPACE, key)
        drawn.append(gravity(course.after(seen(course, 1))[0]))
    assert drawn[3] == drawn[0]
    assert len(set(drawn)) == 3


class Restless(Curriculum):
    """Moves to where it stands, with another state."""

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.initial(), {"moves": 0})

    def move(self, stand: Stand, rng: np.random.Generator) -> Move:
        return Move(Stand(stand.distribution, {"moves": stand.state["moves"] + 1}), "restless")

    def outlook(self, stand: Stand) -> Outlook:
        return Outlook("moves")


class Wandering(Restless):
    """Moves to a point drawn at random, at each iteration."""

    def move(self, stand: Stand, rng: np.random.Generator) -> Move:
        at = float(rng.uniform(0.0, 10.0))
        space = stand.distribution.space
        return Move(Stand(Product(space, {"gravity": Range(at, at)}), stand.state), "wander")
