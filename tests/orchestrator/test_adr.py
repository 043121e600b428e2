"""Automatic domain randomization: which queue an episode is put in, and what a full one moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, FIXED, MAZE, numeric_knobs
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.curricula.adr import ADR
from orchestrator.curricula.base import Outcome, Outlook, Seen, Stand
from orchestrator.distributions import EnvSpace, Level, Mixture, Product
from orchestrator.knobs import Choice, Continuous, Integer, Marginal, Numeric, Range
from orchestrator.seeding import generator

SPACE = EnvSpace({"x": Continuous(0, 8), "y": Continuous(0, 100)}, {"x": Range(4, 6)})
RULE = ADR(above=80.0, below=20.0, queue=4, step=0.125)


def ranges(stand: Stand) -> dict[str, Marginal]:
    """What the levels without a pinned knob are drawn from."""
    assert isinstance(stand.distribution, Mixture)
    part = stand.distribution.parts[-1][1]
    assert isinstance(part, Product)
    return dict(part.marginals)


def at(**level: Any) -> Level:
    """A level of `SPACE`; a knob that is not named lies on no bound."""
    return {"x": 4.5, "y": 12.5, **level}


def shown(rule: ADR, stand: Stand, level: Level, *totals: float) -> Stand:
    """After one iteration of episodes on a level."""
    outcomes = tuple(Outcome(level, total, 10) for total in totals)
    return rule.observe(stand, Seen(outcomes=outcomes))


def moved(rule: ADR, stand: Stand) -> Stand:
    move = rule.move(stand, generator(0))
    assert move is not None
    return move.stand


def test_knobs_begin_where_they_start_or_in_the_middle() -> None:
    space = EnvSpace(
        {
            "length": Continuous(1, 100, "log"),
            "seats": Integer(0, 9),
            "masses": Continuous(0, 1),
            "map": Choice(("a", "b")),
        },
        {"masses": Range(0.1, 0.2)},
    )
    found = ranges(RULE.begin(space))
    length = found.pop("length")
    assert isinstance(length, Range)
    assert (length.low, length.high) == pytest.approx((10.0, 10.0))
    assert found == {
        "seats": Range(5, 5),
        "masses": Range(0.1, 0.2),
        "map": space.knobs["map"].full(),
    }


def test_every_bound_is_pinned_equally_often() -> None:
    stand = RULE.begin(SPACE)
    assert isinstance(stand.distribution, Mixture)
    weights = [weight for weight, _ in stand.distribution.parts]
    assert weights == pytest.approx([0.125, 0.125, 0.125, 0.125, 0.5])
    rng = generator(0)
    drawn = Counter(stand.distribution.sample(rng)["x"] for _ in range(4000))
    assert drawn[4.0] / 4000 == pytest.approx(0.125, abs=0.02)
    assert drawn[6.0] / 4000 == pytest.approx(0.125, abs=0.02)


def test_with_a_pinned_knob_the_others_are_drawn_from_their_ranges() -> None:
    space = EnvSpace(
        {"x": Continuous(0, 10), "y": Continuous(0, 1)}, {"x": Range(4, 6), "y": Range(0, 0.5)}
    )
    stand = ADR(above=1, below=0, boundary=1.0).begin(space)
    assert isinstance(stand.distribution, Mixture)
    assert [part for weight, part in stand.distribution.parts if weight] == [
        Product(space, {"x": Range(4, 4), "y": Range(0, 0.5)}),
        Product(space, {"x": Range(6, 6), "y": Range(0, 0.5)}),
        Product(space, {"x": Range(4, 6), "y": Range(0, 0)}),
        Product(space, {"x": Range(4, 6), "y": Range(0.5, 0.5)}),
    ]


def test_knobs_that_cannot_vary_are_not_pinned() -> None:
    space = EnvSpace({"x": Continuous(0, 10), "fixed": Integer(4, 4)})
    stand = RULE.begin(space)
    assert isinstance(stand.distribution, Mixture)
    assert len(stand.distribution.parts) == 3


@pytest.mark.parametrize(
    ("level", "queues"),
    [
        (at(), {}),
        (at(x=4.0), {"x low": [7.0]}),
        (at(x=6.0), {"x high": [7.0]}),
        (at(x=4.0000001), {}),
        # y is a point still: both its ends are asked the same.
        (at(y=50.0), {"y low": [7.0], "y high": [7.0]}),
        (at(x=6.0, y=50.0), {"x high": [7.0], "y low": [7.0], "y high": [7.0]}),
    ],
)
def test_an_episode_counts_for_every_bound_that_its_level_lies_on(
    level: Level, queues: dict[str, list[float]]
) -> None:
    stand = shown(RULE, RULE.begin(SPACE), level, 7.0)
    assert stand.state == {"queues": queues}


def test_a_rollout_without_gradient_counts_for_no_bound() -> None:
    outcome = Outcome(at(x=4.0), 100.0, 10, trained=False)
    stand = RULE.observe(RULE.begin(SPACE), Seen(outcomes=(outcome,) * 9))
    assert stand.state == {"queues": {}}


@pytest.mark.parametrize(
    ("level", "totals", "expected"),
    [
        (at(x=4.0), (80, 80, 80, 80), Range(3, 6)),
        (at(x=6.0), (100, 100, 100, 20), Range(4, 7)),
        (at(x=4.0), (20, 20, 20, 20), Range(5, 6)),
        (at(x=6.0), (0, 0, 0, 80), Range(4, 5)),
    ],
)
def test_a_full_queue_moves_its_bound_by_its_mean(
    level: Level, totals: tuple[float, ...], expected: Range
) -> None:
    stand = RULE.begin(SPACE)
    for total in totals:
        assert RULE.move(stand, generator(0)) is None
        stand = shown(RULE, stand, level, total)
    after = moved(RULE, stand)
    assert ranges(after) == {**ranges(stand), "x": expected}
    assert after.state == {"queues": {}}


@pytest.mark.parametrize("totals", [(79, 80, 80, 80), (20, 20, 20, 21)])
def test_a_queue_in_between_moves_nothing_and_begins_anew(totals: tuple[float, ...]) -> None:
    stand = shown(RULE, RULE.begin(SPACE), at(x=4.0), *totals)
    assert RULE.move(stand, generator(0)) is None
    assert shown(RULE, stand, at(x=4.0), 1.0).state == {"queues": {"x low": [1.0]}}


def test_a_move_leaves_the_other_queues() -> None:
    stand = shown(RULE, RULE.begin(SPACE), at(x=6.0), 50.0, 60.0)
    stand = shown(RULE, stand, at(x=4.0), 99, 99, 99, 99)
    assert moved(RULE, stand).state == {"queues": {"x high": [50.0, 60.0]}}


def test_a_full_queue_takes_no_more_until_its_bound_has_moved() -> None:
    """Later episodes of the iteration were played at a bound that is passed."""
    stand = shown(RULE, RULE.begin(SPACE), at(x=4.0), 99, 99, 99, 99, 0, 0)
    assert stand.state == {"queues": {"x low": [99, 99, 99, 99]}}
    assert ranges(moved(RULE, stand))["x"] == Range(3, 6)


def test_a_point_opens_at_both_ends() -> None:
    after = moved(RULE, shown(RULE, RULE.begin(SPACE), at(y=50.0), 99, 99, 99, 99))
    assert ranges(after)["y"] == Range(37.5, 62.5)


def test_a_bound_is_never_narrowed_past_the_other() -> None:
    space = EnvSpace({"x": Continuous(0, 10)}, {"x": Range(4, 4.5)})
    rule = replace(RULE, step=1.0)
    low = shown(rule, rule.begin(space), {"x": 4.0}, 0, 0, 0, 0)
    assert ranges(moved(rule, low))["x"] == Range(4.5, 4.5)
    both = shown(rule, low, {"x": 4.5}, 0, 0, 0, 0)
    move = rule.move(both, generator(0))
    assert move is not None
    assert ranges(move.stand)["x"] == Range(4.5, 4.5)
    assert move.why == "x low 4 to 4.5 (return 0)"
    assert move.stand.state == {"queues": {}}


@pytest.mark.parametrize(("value", "total"), [(10.0, 99.0), (4.0, 0.0)])
def test_a_bound_that_cannot_move_begins_anew(value: float, total: float) -> None:
    space = EnvSpace({"x": Continuous(0, 10)}, {"x": Range(value, value)})
    stand = shown(RULE, RULE.begin(space), {"x": value}, *(total,) * 3)
    assert "x high" in stand.state["queues"]
    stand = shown(RULE, stand, {"x": value}, total)
    assert "x high" not in {name for name, queue in stand.state["queues"].items() if queue}


@given(numeric_knobs, st.sampled_from([0.05, 0.1, 0.3, 1.0]))
def test_a_member_that_masters_all_ends_exactly_with_all(knob: Numeric, step: float) -> None:
    rule = ADR(above=1.0, below=0.0, queue=1, step=step)
    assume(knob.low < knob.high)
    stand = rule.begin(EnvSpace({"x": knob}))
    for _ in range(25):
        before = ranges(stand)["x"]
        assert isinstance(before, Range)
        for end in (before.low, before.high):
            stand = shown(rule, stand, {"x": end}, 2.0)
        move = rule.move(stand, generator(0))
        stand = stand if move is None else move.stand
    assert ranges(stand)["x"] == knob.full()
    assert rule.outlook(stand) == Outlook("as wide as is legal")


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.9), (0.4, 0.6), (0.5, 0.5)])
def test_a_bound_reaches_the_legal_end_without_a_sliver_of_rounding(
    low: float, high: float
) -> None:
    space = EnvSpace({"x": Continuous(0, 1)}, {"x": Range(low, high)})
    rule = ADR(above=1.0, below=0.0, queue=1)
    stand = rule.begin(space)
    # 0.5 less five times 0.1 is above zero.
    for _ in range(round(10 * low)):
        here = ranges(stand)["x"]
        assert isinstance(here, Range)
        for end in (here.low, here.high):
            stand = shown(rule, stand, {"x": end}, 2.0)
        stand = moved(rule, stand)
    assert ranges(stand)["x"] == Range(0.0, 1.0)


def test_an_integer_moves_by_one_at_least() -> None:
    space = EnvSpace({"n": Integer(0, 100)}, {"n": Range(50, 50)})
    rule = replace(RULE, step=0.001)
    stand = shown(rule, rule.begin(space), {"n": 50}, 99, 99, 99, 99)
    after = ranges(moved(rule, stand))["n"]
    assert after == Range(49, 51)
    assert isinstance(after, Range)
    assert isinstance(after.low, int)


def test_successes_are_counted_where_they_are_the_measure() -> None:
    rule = ADR(above=0.75, below=0.25, measure="success", queue=4, step=0.25)
    solved = [Outcome(at(x=4.0), 0.0, 10, success) for success in (True, None, True, False, True)]
    stand = rule.observe(rule.begin(SPACE), Seen(outcomes=tuple(solved)))
    assert stand.state == {"queues": {"x low": [1.0, 1.0, 0.0, 1.0]}}
    move = rule.move(stand, generator(0))
    assert move is not None
    assert move.why == "x low 4 to 2 (success 0.75)"
    assert rule.needs == {"episodes", "success"}
    assert RULE.needs == {"episodes"}


def test_a_move_names_every_bound_that_moves() -> None:
    stand = shown(RULE, RULE.begin(SPACE), at(x=4.0), 99, 99, 99, 99)
    stand = shown(RULE, stand, at(x=6.0), 0, 0, 0, 0)
    move = RULE.move(stand, generator(0))
    assert move is not None
    assert move.why == "x low 4 to 3 (return 99), x high 6 to 5 (return 0)"


def test_the_outlook_is_of_the_queue_that_is_nearest_to_full() -> None:
    stand = RULE.begin(SPACE)
    assert RULE.outlook(stand) == Outlook("x low: return – of 80 over 0 of 4 episodes", waits=True)
    stand = shown(RULE, stand, at(x=4.0), 60.0)
    stand = shown(RULE, stand, at(x=6.0), 30.0, 40.0)
    assert RULE.outlook(stand).text == "x high: return 35 of 80 over 2 of 4 episodes"
    stand = shown(RULE, stand, at(x=4.0), 80.0)
    assert RULE.outlook(stand).text == "x low: return 70 of 80 over 2 of 4 episodes"


def test_the_outlook_leaves_out_what_is_as_wide_as_is_legal() -> None:
    space = EnvSpace({"x": Continuous(0, 10)}, {"x": Range(0, 6)})
    stand = shown(RULE, RULE.begin(space), {"x": 0.0}, 50.0, 50.0)
    assert RULE.outlook(stand).text == "x high: return – of 80 over 0 of 4 episodes"


@pytest.mark.parametrize("space", [FIXED, EnvSpace({}), EnvSpace({"map": Choice((1, 2))})])
def test_a_space_without_a_numeric_knob_that_varies_is_refused(space: EnvSpace) -> None:
    with pytest.raises(ValueError, match="must have one that can vary, but got the knobs") as found:
        RULE.begin(space)
    assert str(list(space.names)) in str(found.value)


def test_what_other_knobs_draw_stays() -> None:
    stand = RULE.begin(MAZE)
    assert ranges(stand)["layout"] == MAZE.initial().marginals["layout"]
    assert ranges(stand)["reward"] == MAZE.start["reward"]
    assert ranges(RULE.begin(CARTPOLE))["masspole"] == Range(0.1, 0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"above": 1.0, "below": 1.0}, "`below < above` must hold, but got below=1.0, above=1.0"),
        ({"above": float("inf")}, "`above` must be a finite number, but got inf"),
        ({"measure": "score"}, r"`measure` is not known: 'score' \(known: return, success\)"),
        ({"boundary": 0.0}, "`0 < boundary <= 1` must hold, but got 0.0"),
        ({"queue": 0}, "`queue >= 1` must hold, but got 0"),
        ({"step": 1.5}, "`0 < step <= 1` must hold, but got 1.5"),
    ],
)
def test_parameters_that_could_not_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ADR(**{"above": 80.0, "below": 20.0, **values})
