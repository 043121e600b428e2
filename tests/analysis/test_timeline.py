"""The rule for what stands, as numpy has it, is that of a loop over the journal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.timeline import Timeline, stands

TRAINED, PLAYED = "trained", "played"

# (what, member, iteration), in the order of the journal.
events = st.lists(
    st.tuples(st.sampled_from([TRAINED, PLAYED]), st.integers(0, 2), st.integers(0, 5)),
    max_size=30,
)


def by_a_loop(history: list[tuple[str, int, int]]) -> list[int]:
    """The places of what stands, each event looked at in turn."""
    standing: list[int] = []
    for place, (what, member, iteration) in enumerate(history):
        if what == TRAINED:
            standing = [
                earlier
                for earlier in standing
                if history[earlier][1] != member or history[earlier][2] < iteration
            ]
        standing.append(place)
    return standing


@given(events)
def test_what_stands_is_what_a_loop_leaves(history: list[tuple[str, int, int]]) -> None:
    members = np.array([member for _, member, _ in history], np.int64)
    iterations = np.array([iteration for *_, iteration in history], np.int64)
    places = np.arange(len(history))
    trained = np.array([what == TRAINED for what, *_ in history], bool)
    timeline = Timeline(members[trained], places[trained], len(history))
    found = stands(members, places, iterations, timeline, iterations[trained])
    assert np.flatnonzero(found).tolist() == by_a_loop(history)


@given(events)
def test_the_last_event_before_a_place_is_what_a_loop_finds(
    history: list[tuple[str, int, int]],
) -> None:
    places = [place for place, (what, *_) in enumerate(history) if what == TRAINED]
    groups = [history[place][1] for place in places]
    timeline = Timeline(np.array(groups, np.int64), np.array(places, np.int64), len(history))
    asked = [(group, place) for group in range(4) for place in range(len(history))]
    found = timeline.last_before(*np.array(asked, np.int64).reshape(-1, 2).T)
    for (group, place), event in zip(asked, found, strict=True):
        before = [n for n, at in enumerate(places) if groups[n] == group and at < place]
        assert event == (before[-1] if before else -1)


def test_a_member_that_went_back_loses_what_lies_behind_that() -> None:
    # Member 0 trained 1, 2, 3, then 2 again; member 1 trained 1, 2.
    members, places = np.array([0, 0, 0, 1, 1, 0]), np.array([0, 1, 2, 3, 4, 5])
    iterations = np.array([1, 2, 3, 1, 2, 2])
    timeline = Timeline(members, places, 6)
    found = stands(members, places, iterations, timeline, iterations)
    assert found.tolist() == [True, False, False, True, True, True]


def test_without_events_everything_stands() -> None:
    nothing = np.array([], np.int64)
    timeline = Timeline(nothing, nothing, 3)
    found = stands(np.array([0, 1]), np.array([0, 2]), np.array([7, 8]), timeline, nothing)
    assert found.tolist() == [True, True]
