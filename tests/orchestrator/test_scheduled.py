"""Distributions by a schedule, at their iterations and whatever is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from curriculum_catalogue import LIVES, live
from distribution_catalogue import CARTPOLE, MAZE

from orchestrator.course import Course
from orchestrator.curricula import Scheduled, Seen
from orchestrator.distributions import Distribution, EnvSpace
from orchestrator.knobs import Continuous, Range

FIRST = CARTPOLE.initial()
THEN = replace(FIRST, marginals={**FIRST.marginals, "gravity": Range(9.0, 10.0)})
LAST = CARTPOLE.full()
RULE = Scheduled(((0, FIRST), (3, THEN), (4, LAST)))


def drawn_from(rule: Scheduled, iterations: int) -> list[tuple[Distribution, int]]:
    """What each iteration was trained on, with its revision."""
    course = Course.begun(rule, CARTPOLE, ("m0",))
    found = []
    for iteration in range(1, iterations + 1):
        found.append((course.distribution, course.revision))
        course, _ = course.after(Seen(iteration=iteration))
    return found


def test_each_distribution_is_in_force_from_the_iteration_after_on() -> None:
    assert drawn_from(RULE, 7) == [
        (FIRST, 0), (FIRST, 0), (FIRST, 0), (THEN, 1), (LAST, 2), (LAST, 2), (LAST, 2)
    ]  # fmt: skip


def test_one_alone_stays() -> None:
    assert drawn_from(Scheduled(((0, LAST),)), 3) == [(LAST, 0)] * 3


def test_one_that_is_no_other_is_no_move() -> None:
    assert drawn_from(Scheduled(((0, LAST), (1, LAST), (2, FIRST))), 4) == [
        (LAST, 0), (LAST, 0), (FIRST, 1), (FIRST, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_nothing_that_is_seen_matters(life: str) -> None:
    steps = live(RULE, RULE.begin(CARTPOLE), LIVES[life])
    assert [step.after.distribution for step in steps] == [
        FIRST if number < 3 else THEN if number == 3 else LAST
        for number in range(1, len(LIVES[life]) + 1)
    ]


def test_moves_and_outlooks_say_where_in_the_schedule_it_is() -> None:
    course = Course.begun(RULE, CARTPOLE, ("m0",))
    assert course.outlook.text == "moves after iteration 3, as scheduled"
    assert not course.outlook.waits
    course, move = course.after(Seen(iteration=3))
    assert move is not None
    assert move.why == "as scheduled (1 of 2)"
    assert course.outlook.text == "moves after iteration 4, as scheduled"
    course, _ = course.after(Seen(iteration=4))
    assert course.outlook.text == "stays to the end, as scheduled"


def test_one_that_was_put_back_takes_it_up_where_it_stood() -> None:
    course = Course.begun(RULE, CARTPOLE, ("m0",))
    for iteration in (1, 2, 3):
        course, _ = course.after(Seen(iteration=iteration))
    again = Course.begun(RULE, CARTPOLE, ("m0",)).loaded(course.to_json())
    assert again == course
    assert again.after(Seen(iteration=4)) == course.after(Seen(iteration=4))


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ((), r"must begin at iteration 0, but got \[\]"),
        (((1, FIRST),), r"must begin at iteration 0, but got \[1\]"),
        (((0, FIRST), (2, THEN), (2, LAST)), "must ascend, but 2 follows 2"),
        (((0, FIRST), (3, THEN), (2, LAST)), "must ascend, but 2 follows 3"),
    ],
)
def test_schedules_that_are_none(schedule: tuple[tuple[int, Distribution], ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Scheduled(schedule)


@pytest.mark.parametrize(
    "space", [MAZE, EnvSpace({**CARTPOLE.knobs, "gravity": Continuous(5.0, 21.0)}, CARTPOLE.start)]
)
def test_another_space_is_refused(space: EnvSpace) -> None:
    with pytest.raises(ValueError, match="of iteration 0 is of another env space"):
        RULE.begin(space)
