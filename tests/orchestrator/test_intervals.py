"""What hyperparameters came to: a fold that neither kills nor the order of turns can change."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from orchestrator import intervals
from orchestrator.explore import Interval
from orchestrator.intervals import Intervals

A, B = {"lr": 0.1}, {"lr": 0.2}


def test_an_interval_goes_from_one_score_to_the_next() -> None:
    found = Intervals()
    found.begin(0, 4, A, 10.0)
    assert found.history() == (Interval(0, 4, A, 10.0, None),)
    found.end(0, 8, 14.0)
    assert found.history() == (Interval(0, 4, A, 10.0, 14.0),)


def test_before_the_first_score_there_is_nothing_to_compare_with() -> None:
    found = Intervals()
    found.begin(0, 0, A, None)
    found.begin(1, 0, A, -math.inf)
    found.end(0, 4, 14.0)
    assert found.history() == ()


def test_what_began_with_an_exploit_is_not_begun_again_by_its_boundary() -> None:
    found = Intervals()
    found.begin(0, 4, B, 30.0)
    found.begin(0, 4, A, 10.0)
    found.end(0, 8, 31.0)
    assert found.history() == (Interval(0, 4, B, 30.0, 31.0),)


def test_a_member_that_is_scored_again_changes_nothing() -> None:
    found = Intervals()
    found.begin(0, 4, A, 10.0)
    found.end(0, 8, 14.0)
    before = found.history()
    found.end(0, 8, 15.0)
    assert found.history() == before


def test_a_member_that_was_put_back_has_no_interval() -> None:
    found = Intervals()
    found.begin(0, 4, A, 10.0)
    found.forget(0)
    found.end(0, 8, 14.0)
    assert found.history() == ()


def test_a_score_that_is_not_known_ends_an_interval_without_a_trace() -> None:
    found = Intervals()
    found.begin(0, 4, A, 10.0)
    found.end(0, 8, None)
    assert found.history() == ()


@given(st.permutations(range(6)))
def test_the_order_in_which_members_come_in_is_of_no_account(order: list[int]) -> None:
    found = Intervals()
    for iteration in (4, 8):
        for member in order:
            found.end(member, iteration, float(member))
            found.begin(member, iteration, A, float(member))
    ended = [(each.iteration, each.member) for each in found.history() if each.after is not None]
    assert ended == [(4, member) for member in range(6)]
    assert [each.member for each in found.history()[6:]] == list(range(6))


def test_only_the_newest_are_kept() -> None:
    found = Intervals()
    last = 2 * intervals._KEPT + 10
    for iteration in range(last + 1):
        found.end(0, iteration, 1.0)
        found.begin(0, iteration, A, 1.0)
    ended = found.history()[:-1]
    assert [each.iteration for each in ended] == list(range(last - intervals._KEPT, last))
