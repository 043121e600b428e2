"""Level buffers: who enters, who leaves, what is trained on and what is only rolled out."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, SPACES, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula import Outcome, Outlook, Seen, Stand
from orchestrator.curricula.level_buffer import LevelBuffer
from orchestrator.curricula.presets import PRESETS
from orchestrator.curricula.replay import replay_weights
from orchestrator.distributions import (
    EnvSpace,
    Levels,
    Mixture,
    Product,
    distribution_from_json,
)
from orchestrator.frozen import text
from orchestrator.knobs import Choice, Integer, Range
from orchestrator.seeding import generator

SPACE = EnvSpace({"x": Integer(0, 99)}, {"x": Range(0, 9)})
SMALL = LevelBuffer("l1", capacity=3, temperature=0.5, staleness=0.25, fill=1.0)
"""Three levels; replayed once all three are there."""

everyone = pytest.mark.parametrize(
    "rule",
    [
        LevelBuffer(
            score,
            capacity=5,
            train_on_new=gradient,
            edits=edits,
            fresh="start" if edits else "full",
        )
        for score in ("l1", "pvl", "maxmc", "learnability")
        for gradient in (True, False)
        for edits in (0, 2)
    ],
    ids=str,
)


def episode(
    x: int, score: float | None = None, total: float = 0.0, *, trained: bool = True
) -> Outcome:
    """One on the level `x` with this mean absolute GAE."""
    scores = {} if score is None else {"l1": score}
    return Outcome({"x": x}, total, 1, None, scores, trained)


def seen(*outcomes: Outcome) -> Seen:
    return Seen.of(outcomes, 0, iteration=0, env_steps=0)


def after(rule: LevelBuffer, stand: Stand, *outcomes: Outcome) -> Stand:
    """The stand after one iteration, its move made."""
    observed = rule.observe(stand, seen(*outcomes))
    move = rule.move(observed, generator(0))
    return observed if move is None else move.stand


def filled(rule: LevelBuffer = SMALL) -> Stand:
    """Levels 1, 2, 3 with the scores 1, 3, 2, each played once, in this order."""
    return after(rule, rule.begin(SPACE), episode(1, 1.0), episode(2, 3.0), episode(3, 2.0))


def contents(stand: Stand) -> dict[int, float]:
    """The score of each level in the buffer."""
    buffer = stand.state["buffer"]
    levels = [json.loads(level)["x"] for level in buffer["levels"]]
    return dict(zip(levels, buffer["scores"], strict=True))


def weights(stand: Stand) -> dict[int, float]:
    """The probability of each level where the distribution is a buffer."""
    assert isinstance(stand.distribution, Levels)
    levels = [level["x"] for level in stand.distribution.levels]
    return dict(zip(levels, stand.distribution.weights, strict=True))


# Filling


@pytest.mark.parametrize(("fresh", "start"), [("full", SPACE.full()), ("start", SPACE.initial())])
def test_new_levels_are_trained_on_until_the_buffer_is_filled(fresh: Any, start: Product) -> None:
    rule = replace(SMALL, fresh=fresh)
    stand = rule.begin(SPACE)
    assert stand.distribution == start
    assert rule.probes(stand, generator(0)) == []
    stand = rule.observe(stand, seen(episode(1, 1.0), episode(2, 3.0)))
    assert contents(stand) == {1: 1.0, 2: 3.0}
    assert rule.move(stand, generator(0)) is None
    assert rule.probes(stand, generator(0)) == []


def test_levels_are_replayed_once_the_buffer_is_filled() -> None:
    stand = SMALL.observe(
        SMALL.begin(SPACE), seen(episode(1, 1.0), episode(2, 3.0), episode(3, 2.0))
    )
    move = SMALL.move(stand, generator(0))
    assert move is not None
    assert move.why == "buffer 3 of 3, 3 new, best score 3"
    assert move.stand.state == stand.state
    assert weights(move.stand).keys() == {1, 2, 3}


@pytest.mark.parametrize(
    ("capacity", "fill", "needed"), [(4, 0.5, 2), (5, 0.5, 3), (30, 0.1, 3), (4, 0.01, 1)]
)
def test_the_fill_is_a_share_of_the_capacity(capacity: int, fill: float, needed: int) -> None:
    rule = replace(SMALL, capacity=capacity, fill=fill)
    stand = rule.begin(SPACE)
    for x in range(needed):
        assert isinstance(stand.distribution, Product)
        stand = after(rule, stand, episode(x, 1.0))
    assert isinstance(stand.distribution, Levels)


# Replaying


def test_replay_weights_by_hand() -> None:
    """Ranks 3, 1, 2 to the power of -2 are 4/49, 36/49, 9/49; the ages are 2, 1, 0."""
    assert weights(filled()) == pytest.approx(
        {
            1: 0.75 * 4 / 49 + 0.25 * 2 / 3,
            2: 0.75 * 36 / 49 + 0.25 * 1 / 3,
            3: 0.75 * 9 / 49,
        }
    )


def test_the_highest_score_is_replayed_most() -> None:
    stand = filled(replace(SMALL, temperature=0.1, staleness=0.0))
    rng = generator("replay")
    drawn = Counter(stand.distribution.sample(rng)["x"] for _ in range(100))
    assert drawn.most_common(1)[0][0] == 2
    assert drawn[2] > 90


def test_a_replayed_level_is_scored_anew_and_counts_as_played() -> None:
    stand = after(SMALL, filled(), episode(2, 0.5), episode(2, 1.5), episode(1, 4.0))
    assert contents(stand) == {1: 4.0, 2: 1.0, 3: 2.0}
    assert stand.state["buffer"]["clock"] == 6
    assert stand.state["buffer"]["played"] == [6, 5, 3]
    assert weights(stand) == pytest.approx(
        {
            1: 0.75 * 36 / 49,
            2: 0.75 * 4 / 49 + 0.25 * 1 / 4,
            3: 0.75 * 9 / 49 + 0.25 * 3 / 4,
        }
    )


def test_the_highest_return_ever_on_a_level_is_kept() -> None:
    rule = replace(SMALL, score="maxmc")
    stand = rule.begin(SPACE)
    for total, value in ((9.0, 1.0), (5.0, 2.0), (10.0, 2.0)):
        stand = after(rule, stand, Outcome({"x": 1}, total, 1, None, {"value": value}))
    assert contents(stand) == {1: 10.0 - 2.0}
    stand = after(rule, stand, Outcome({"x": 1}, 0.0, 1, None, {"value": 3.0}))
    assert contents(stand) == {1: 10.0 - 3.0}


def test_a_replay_without_scores_keeps_the_last_score() -> None:
    stand = after(SMALL, filled(), episode(1), episode(1))
    assert contents(stand) == contents(filled())
    assert stand.state["buffer"]["played"] == [5, 2, 3]


def test_with_gradient_new_levels_are_trained_on_in_their_share() -> None:
    rule = replace(SMALL, train_on_new=True, replay=0.8)
    stand = filled(rule)
    assert isinstance(stand.distribution, Mixture)
    (new, fresh), (again, replayed) = stand.distribution.parts
    assert (new, again) == pytest.approx((0.2, 0.8))
    assert fresh == SPACE.full()
    assert replayed == filled().distribution
    assert rule.probes(stand, generator(0)) == []


@pytest.mark.parametrize("gradient", [True, False])
def test_with_replays_alone_nothing_new_comes_up(gradient: bool) -> None:
    rule = replace(SMALL, train_on_new=gradient, replay=1.0)
    stand = filled(rule)
    assert isinstance(stand.distribution, Levels)
    assert rule.probes(stand, generator(0)) == []


# Entering and leaving


def test_a_full_buffer_evicts_the_lowest_replay_weight() -> None:
    """Not the lowest score: level 1, which was not played for longer, stays."""
    rule = replace(SMALL, staleness=0.5)
    stand = filled(rule)
    assert min(weights(stand), key=weights(stand).__getitem__) == 3
    stand = after(rule, stand, episode(7, 2.5, trained=False))
    assert contents(stand) == {1: 1.0, 2: 3.0, 7: 2.5}
    assert stand.state["entered"] == 1


@pytest.mark.parametrize(("score", "enters"), [(0.9, False), (1.0, True), (1.1, True)])
def test_a_newcomer_must_score_as_high_as_the_level_it_evicts(score: float, enters: bool) -> None:
    rule = replace(SMALL, staleness=0.0)
    stand = after(rule, filled(rule), episode(7, score, trained=False))
    assert contents(stand) == ({7: score, 2: 3.0, 3: 2.0} if enters else contents(filled()))
    assert stand.state["entered"] == int(enters)


def test_newcomers_of_one_iteration_do_not_evict_each_other() -> None:
    rule = replace(SMALL, staleness=0.0)
    stand = after(rule, filled(rule), *(episode(x, 2.0, trained=False) for x in (7, 8, 9)))
    assert contents(stand) == {7: 2.0, 2: 3.0, 8: 2.0}
    assert stand.state["entered"] == 2


def test_a_newcomer_that_is_too_low_leaves_the_place_to_the_next() -> None:
    rule = replace(SMALL, staleness=0.0)
    newcomers = [episode(x, score, trained=False) for x, score in ((7, 0.0), (8, 1.5))]
    stand = after(rule, filled(rule), *newcomers)
    assert contents(stand) == {8: 1.5, 2: 3.0, 3: 2.0}


def test_newcomers_first_take_the_room_that_is_left() -> None:
    rule = replace(SMALL, capacity=4, staleness=0.0)
    stand = after(rule, filled(rule), episode(7, 0.0), episode(8, 0.5), episode(9, 5.0))
    # Level 7 takes the room, and has the lowest score of the four: level 8 evicts it. Then comes
    # level 1.
    assert contents(stand) == {9: 5.0, 2: 3.0, 3: 2.0, 8: 0.5}


def test_who_left_may_come_back_as_somebody_new() -> None:
    rule = replace(SMALL, score="maxmc", staleness=0.0)
    best = [Outcome({"x": x}, 10.0 + x, 1, None, {"value": 10.0}) for x in (1, 2, 3)]
    stand = after(rule, rule.begin(SPACE), *best)
    stand = after(rule, stand, Outcome({"x": 7}, 15.0, 1, None, {"value": 10.0}))
    assert contents(stand) == {7: 5.0, 2: 2.0, 3: 3.0}
    # Its return of 11 is forgotten: 5 - 1 is what it scores now.
    stand = after(rule, stand, Outcome({"x": 1}, 5.0, 1, None, {"value": 1.0}))
    assert contents(stand) == {7: 5.0, 1: 4.0, 3: 3.0}


def test_levels_are_told_apart_by_their_json() -> None:
    space = EnvSpace({"kind": Choice((True, 1, 1.0))})
    rule = replace(SMALL, capacity=4)
    outcomes = [Outcome({"kind": kind}, 0.0, 1, None, {"l1": 1.0}) for kind in (True, 1, 1.0, 1)]
    stand = rule.observe(rule.begin(space), seen(*outcomes))
    assert stand.state["buffer"]["levels"] == ['{"kind":true}', '{"kind":1}', '{"kind":1.0}']


def test_what_cannot_be_scored_never_enters() -> None:
    stand = SMALL.observe(SMALL.begin(SPACE), seen(episode(1), episode(2, math.nan)))
    assert contents(stand) == {}
    assert stand.state["unscored"] == 2
    stand = SMALL.observe(stand, seen(episode(1, 1.0), episode(2)))
    assert stand.state["unscored"] == 1


# Without gradient


@pytest.mark.parametrize(
    ("replay", "trained", "probes"),
    [(0.5, 20, 20), (0.8, 20, 5), (0.25, 20, 60), (0.9, 3, 1), (0.5, 0, 1), (0.5, 5000, 256)],
)
def test_new_levels_are_probed_in_their_share_of_all_episodes(
    replay: float, trained: int, probes: int
) -> None:
    rule = replace(SMALL, replay=replay)
    outcomes = [episode(1, 1.0)] * trained + [episode(2, 1.0, trained=False)] * 7
    stand = after(rule, filled(rule), *outcomes)
    levels = rule.probes(stand, generator(0))
    assert len(levels) == probes
    assert all(SPACE.full().contains(level) for level in levels)


def test_robust_replay_trains_on_no_level_before_it_was_probed() -> None:
    rule = LevelBuffer("l1", capacity=20, fill=0.5)
    stand = rule.begin(SPACE)
    stand = after(rule, stand, *(episode(x, float(x)) for x in range(10)))
    scored = {text({"x": x}) for x in range(10)}
    for iteration in range(30):
        rng = generator("iteration", iteration)
        assert isinstance(stand.distribution, Levels)
        assert stand.distribution.by_text().keys() <= scored
        probes = rule.probes(stand, rng)
        replays = [stand.distribution.sample(rng)["x"] for _ in range(6)]
        outcomes = [episode(x, rng.random()) for x in replays]
        outcomes += [episode(each["x"], rng.random(), trained=False) for each in probes]
        scored |= {text(each) for each in probes}
        stand = after(rule, stand, *outcomes)
    assert len(scored) > 50
    assert len(contents(stand)) == 20


# Edits


EDITING = LevelBuffer("l1", capacity=50, fill=0.06, replay=1.0, edits=3, parents=2, edit_steps=1)


def test_probes_are_edits_of_the_easiest_levels_that_were_just_replayed() -> None:
    stand = filled(EDITING)
    # Return less score: 9, 6, 7; level 50 was not trained on.
    outcomes = (
        episode(1, 1.0, 10.0),
        episode(2, 3.0, 9.0),
        episode(3, 2.0, 9.0),
        episode(50, 1.0, 99.0, trained=False),
    )
    stand = after(EDITING, stand, *outcomes)
    assert stand.state["parents"] == ['{"x":1}', '{"x":3}']
    children = [level["x"] for level in EDITING.probes(stand, generator(0))]
    assert len(children) == 6
    assert all(0 < abs(child - 1) <= 10 for child in children[:3])
    assert all(0 < abs(child - 3) <= 10 for child in children[3:])


def test_returns_of_a_parent_are_averaged() -> None:
    outcomes = (episode(1, 1.0, 0.0), episode(1, 1.0, 10.0), episode(2, 1.0, 6.0))
    stand = after(replace(EDITING, parents=1), filled(EDITING), *outcomes)
    assert stand.state["parents"] == ['{"x":2}']


def test_a_level_that_left_the_buffer_is_no_parent() -> None:
    rule = replace(EDITING, capacity=3, fill=1.0, staleness=0.0)
    stand = after(rule, filled(rule), episode(1, 1.0, 99.0), episode(7, 1.5, trained=False))
    assert contents(stand) == {7: 1.5, 2: 3.0, 3: 2.0}
    assert stand.state["parents"] == []


def test_who_was_not_played_in_the_last_iteration_is_no_parent() -> None:
    stand = after(EDITING, filled(EDITING), episode(1, 1.0))
    stand = after(EDITING, stand)
    assert EDITING.probes(stand, generator(0)) == []


def test_edits_and_new_levels_are_probed_together() -> None:
    rule = replace(EDITING, replay=0.5, fresh="start")
    stand = after(rule, filled(rule), episode(90, 1.0), episode(80, 1.0), episode(70, 1.0))
    levels = [level["x"] for level in rule.probes(stand, generator(0))]
    assert len(levels) == 3 + 2 * 3
    assert all(level <= 9 for level in levels[:3])
    assert all(level >= 60 for level in levels[3:])


def test_edits_fill_a_buffer_that_starts_from_one_level() -> None:
    space = replace(SPACE, start={"x": Range(0, 0)})
    rule = replace(EDITING, capacity=8, fill=0.5, fresh="start")
    stand = rule.begin(space)
    for iteration in range(10):
        rng = generator("iteration", iteration)
        probes = rule.probes(stand, rng)
        outcomes = [episode(stand.distribution.sample(rng)["x"], 1.0)]
        outcomes += [episode(each["x"], 1.0, trained=False) for each in probes]
        stand = after(rule, stand, *outcomes)
    assert isinstance(stand.distribution, Levels)
    assert len(contents(stand)) == 8


# What it says


def test_it_says_how_far_the_buffer_is_filled() -> None:
    stand = SMALL.begin(SPACE)
    assert SMALL.outlook(stand) == Outlook("buffer 0 of 3 until levels are replayed")
    stand = SMALL.observe(stand, seen(episode(1, 1.0), episode(2, 3.0)))
    assert SMALL.outlook(stand) == Outlook("buffer 2 of 3 until levels are replayed")
    assert SMALL.outlook(filled()) == Outlook("replays 3 levels, best score 3")


@pytest.mark.parametrize(
    ("score", "lacking"),
    [
        ("l1", "none of the last 2 episodes had a value function's scores"),
        ("learnability", "none of the last 2 episodes said whether it succeeded"),
    ],
)
def test_it_says_what_keeps_the_buffer_empty(score: str, lacking: str) -> None:
    rule = replace(SMALL, score=score)
    stand = rule.observe(rule.begin(SPACE), seen(episode(1), episode(2)))
    text = f"buffer 0 of 3 until levels are replayed: {lacking}"
    assert rule.outlook(stand) == Outlook(text, waits=True)


def test_it_says_when_no_new_levels_come_up() -> None:
    stand = SMALL.observe(SMALL.begin(SPACE), seen(episode(1, 1.0)))
    stand = SMALL.observe(stand, seen(episode(1, 1.0)))
    text = "buffer 1 of 3 until levels are replayed: no new level came up in the last iteration"
    assert SMALL.outlook(stand) == Outlook(text, waits=True)


def test_it_needs_episodes_and_what_its_score_takes() -> None:
    assert LevelBuffer("maxmc", train_on_new=True).needs == {"episodes", "values"}
    assert LevelBuffer("learnability", train_on_new=True).needs == {"episodes", "success"}


def test_it_needs_rollouts_unless_new_levels_are_trained_on_and_none_is_edited() -> None:
    assert "rollouts" in LevelBuffer().needs
    assert "rollouts" in LevelBuffer(train_on_new=True, edits=1).needs


# What holds for all


def play(rule: LevelBuffer, space: EnvSpace, seed: int, iterations: int) -> Iterable[Stand]:
    """Where random episodes lead; some lack what a score takes."""
    rng = generator("play", seed)
    stand = rule.begin(space)
    for _ in range(iterations):
        levels = [(stand.distribution.sample(rng), True) for _ in range(int(rng.integers(5)))]
        levels += [(level, False) for level in rule.probes(stand, rng)]
        outcomes = []
        for level, trained in levels:
            names = ("l1", "pvl", "value") if rng.random() < 0.8 else ()
            scores = {name: float(rng.integers(4)) for name in names}
            success = bool(rng.random() < 0.5) if names else None
            total = float(rng.integers(9))
            outcomes.append(Outcome(level, total, 1, success, scores, trained))
        stand = after(rule, stand, *outcomes)
        yield stand


@everyone
@settings(max_examples=8)
@given(st.sampled_from(list(SPACES)), seeds)
def test_a_buffer_stays_sound(rule: LevelBuffer, space: str, seed: int) -> None:
    for stand in play(rule, SPACES[space], seed, 8):
        buffer = stand.state["buffer"]
        sizes = {len(column) for name, column in buffer.items() if name != "clock"}
        assert len(sizes) == 1
        assert sizes.pop() <= rule.capacity
        assert len(set(buffer["levels"])) == len(buffer["levels"])
        assert all(0 < played <= buffer["clock"] for played in buffer["played"])
        assert all(SPACES[space].full().contains(json.loads(level)) for level in buffer["levels"])
        if isinstance(stand.distribution, Levels):
            assert math.fsum(stand.distribution.weights) == pytest.approx(1)
            assert list(stand.distribution.by_text()) == buffer["levels"]
        assert rule.outlook(stand).text.isprintable()


@everyone
def test_it_goes_on_from_json_as_if_nothing_had_happened(rule: LevelBuffer) -> None:
    for stand in play(rule, CARTPOLE, 1, 8):
        before = json.dumps(stand.state, allow_nan=False)
        data = json.loads(json.dumps(stand.distribution.to_json()))
        again = Stand(distribution_from_json(CARTPOLE, data), json.loads(before))
        rng, other = generator("level"), generator("level")
        assert rule.probes(stand, rng) == rule.probes(again, other)
        outcomes = seen(*(Outcome(stand.distribution.sample(rng), 1.0, 1, True, {"l1": 1.0}),))
        assert rule.observe(stand, outcomes) == rule.observe(again, outcomes)
        assert rule.move(stand, rng) == rule.move(again, other)
        assert json.dumps(stand.state, allow_nan=False) == before


def test_it_stays_where_nothing_has_changed() -> None:
    assert SMALL.move(filled(), generator(0)) is None
    stand = SMALL.observe(filled(), seen())
    assert SMALL.move(stand, generator(0)) is None


def test_the_distribution_has_the_buffers_weights() -> None:
    (*_, stand) = play(LevelBuffer("l1", capacity=5), CARTPOLE, 3, 20)
    buffer = stand.state["buffer"]
    assert isinstance(stand.distribution, Levels)
    assert stand.distribution.weights == pytest.approx(
        replay_weights(
            buffer["scores"], buffer["played"], buffer["clock"], temperature=0.3, staleness=0.3
        )
    )


# Parameters


def test_presets_have_the_parameters_of_their_reference_implementations() -> None:
    plr, robust, accel = (PRESETS[name] for name in ("plr", "plr_robust", "accel"))
    assert isinstance(plr, LevelBuffer)
    assert isinstance(accel, LevelBuffer)
    assert (plr.score, plr.capacity, plr.temperature, plr.staleness, plr.replay, plr.fill) == (
        "maxmc", 4000, 0.3, 0.3, 0.5, 0.5
    )  # fmt: skip
    assert plr.train_on_new
    assert robust == replace(plr, train_on_new=False)
    assert (accel.replay, accel.parents, accel.edit_steps, accel.fresh) == (0.8, 4, 5, "start")
    assert not accel.train_on_new


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"score": "maxcm"}, r"`score` must be one of \[.*\], but got 'maxcm' .*'maxmc'"),
        ({"capacity": 0}, "`capacity >= 1` must hold, but got 0"),
        ({"temperature": 0.0}, "`temperature > 0` must hold, but got 0"),
        ({"temperature": math.nan}, "`temperature > 0` must hold, but got nan"),
        ({"staleness": 1.1}, "`0 <= staleness <= 1` must hold, but got 1.1"),
        ({"replay": 0.0}, "`0 < replay <= 1` must hold, but got 0.0"),
        ({"fill": 1.5}, "`0 < fill <= 1` must hold, but got 1.5"),
        ({"fresh": "easy"}, "`fresh` must be 'full' or 'start', but got 'easy'"),
        ({"edits": -1}, "`edits >= 0` must hold, but got -1"),
        ({"parents": 0}, "`parents >= 1` must hold, but got 0"),
        ({"edit_steps": 0}, "`edit_steps >= 1` must hold, but got 0"),
    ],
)
def test_parameters_that_could_not_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LevelBuffer(**values)
