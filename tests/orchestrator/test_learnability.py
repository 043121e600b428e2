"""Sampling for Learnability: which levels are kept, when, and what is trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, SPACES, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula import Outcome, Outlook, Seen, Stand
from orchestrator.curricula.learnability import Learnability
from orchestrator.curricula.presets import PRESETS
from orchestrator.distributions import EnvSpace, Levels, Mixture, distribution_from_json
from orchestrator.frozen import text
from orchestrator.knobs import Integer
from orchestrator.seeding import generator

SPACE = EnvSpace({"x": Integer(0, 999)})
RULE = Learnability(candidates=6, rollouts=4, keep=2, every=3, share=0.5)


def seen(*outcomes: Outcome) -> Seen:
    return Seen.of(outcomes, 0, iteration=0, env_steps=0)


def rollouts(x: int, successes: int, tries: int = 4, *, trained: bool = False) -> list[Outcome]:
    return [Outcome({"x": x}, 0.0, 1, number < successes, {}, trained) for number in range(tries)]


def after(stand: Stand, outcomes: Sequence[Outcome], rule: Learnability = RULE) -> Stand:
    """The stand after one iteration, its move made."""
    observed = rule.observe(stand, seen(*outcomes))
    move = rule.move(observed, generator(0))
    return observed if move is None else move.stand


def kept(stand: Stand) -> list[int]:
    return [json.loads(level)["x"] for level in stand.state["levels"]]


SOME = [*rollouts(1, 0), *rollouts(2, 1), *rollouts(3, 4), *rollouts(4, 2), *rollouts(5, 3)]
"""Learnability of the levels 1 to 5: 0, 3/16, 0, 4/16, 3/16."""


def test_at_first_everything_is_random() -> None:
    assert RULE.begin(SPACE).distribution == SPACE.full()
    assert RULE.move(RULE.begin(SPACE), generator(0)) is None


def test_each_candidate_is_rolled_out_several_times() -> None:
    probes = RULE.probes(RULE.begin(SPACE), generator(0))
    assert len(probes) == 6 * 4
    for number in range(0, 24, 4):
        assert probes[number : number + 4] == [probes[number]] * 4
    assert len({text(level) for level in probes}) == 6
    assert all(SPACE.full().contains(level) for level in probes)


def test_the_levels_that_are_solved_half_of_the_time_are_kept() -> None:
    stand = after(RULE.begin(SPACE), SOME)
    assert kept(stand) == [4, 2]
    assert stand.state["scores"] == [1 / 4, 3 / 16]


def test_half_of_the_training_is_on_kept_levels_and_half_is_random() -> None:
    stand = RULE.observe(RULE.begin(SPACE), seen(*SOME))
    move = RULE.move(stand, generator(0))
    assert move is not None
    assert move.why == "2 levels kept, best learnability 0.25"
    alike = Levels(SPACE, ({"x": 4}, {"x": 2}), (0.5, 0.5))
    assert move.stand.distribution == Mixture(((0.5, alike), (0.5, SPACE.full())))


def test_the_share_of_kept_levels_may_be_all() -> None:
    rule = Learnability(candidates=6, keep=1, share=1.0)
    stand = after(rule.begin(SPACE), SOME, rule)
    assert stand.distribution == Levels(SPACE, ({"x": 4},), (1.0,))


def test_levels_that_are_never_or_always_solved_are_not_kept() -> None:
    rule = Learnability(candidates=6, keep=6)
    assert sorted(kept(after(rule.begin(SPACE), SOME, rule))) == [2, 4, 5]
    stand = after(rule.begin(SPACE), [*rollouts(1, 0), *rollouts(3, 4)], rule)
    assert kept(stand) == []
    assert stand.distribution == SPACE.full()


def test_levels_are_kept_until_the_next_rollouts() -> None:
    stand = after(RULE.begin(SPACE), SOME)
    for _ in range(2):
        assert RULE.probes(stand, generator(0)) == ()
        stand = after(stand, rollouts(9, 2, trained=True))
        assert kept(stand) == [4, 2]
    assert len(RULE.probes(stand, generator(0))) == 24
    stand = after(stand, [*rollouts(7, 2), *rollouts(4, 2, trained=True)])
    assert kept(stand) == [7]


def test_it_returns_to_random_levels_where_nothing_is_learnable_any_more() -> None:
    stand = after(RULE.begin(SPACE), SOME)
    for _ in range(2):
        stand = after(stand, [])
    stand = RULE.observe(stand, seen(*rollouts(7, 4)))
    move = RULE.move(stand, generator(0))
    assert move is not None
    assert move.stand.distribution == SPACE.full()
    assert move.why == "no level was solved now and then"


def test_rollouts_that_did_not_come_are_asked_for_again() -> None:
    stand = after(RULE.begin(SPACE), rollouts(1, 1, trained=True))
    assert len(RULE.probes(stand, generator(0))) == 24


def test_it_says_when_levels_are_rolled_out_next() -> None:
    stand = RULE.begin(SPACE)
    assert RULE.outlook(stand) == Outlook("rolls out 6 new levels before the next iteration")
    stand, lines = after(stand, SOME), []
    for _ in range(3):
        lines.append(RULE.outlook(stand))
        stand = after(stand, [])
    found = "2 levels kept, best learnability 0.25"
    assert lines == [
        Outlook(f"rolls out 6 new levels after 2 iterations; {found}"),
        Outlook(f"rolls out 6 new levels after 1 iteration; {found}"),
        Outlook(f"rolls out 6 new levels before the next iteration; {found}"),
    ]


def test_it_says_what_it_waits_for() -> None:
    stand = after(RULE.begin(SPACE), [Outcome({"x": 1}, 0.0, 1, trained=False)])
    text = "rolls out 6 new levels after 2 iterations: no episode said whether it succeeded"
    assert RULE.outlook(stand) == Outlook(text, waits=True)
    stand = after(RULE.begin(SPACE), rollouts(1, 0))
    text = "rolls out 6 new levels after 2 iterations; no level was solved now and then"
    assert RULE.outlook(stand) == Outlook(text, waits=True)


def test_it_needs_a_success_signal() -> None:
    assert RULE.needs == {"episodes", "success", "rollouts"}
    assert isinstance(PRESETS["sfl"], Learnability)


@settings(max_examples=20)
@given(st.sampled_from(list(SPACES)), seeds)
def test_what_is_kept_stays_sound(name: str, seed: int) -> None:
    space, rng = SPACES[name], generator("play", seed)
    stand = RULE.begin(space)
    for _ in range(8):
        levels = [(stand.distribution.sample(rng), True) for _ in range(3)]
        levels += [(level, False) for level in RULE.probes(stand, rng)]
        outcomes = [
            Outcome(level, 0.0, 1, rng.random() < 0.5 if rng.random() < 0.9 else None, {}, trained)
            for level, trained in levels
        ]
        stand = after(stand, outcomes)
        assert len(stand.state["levels"]) <= RULE.keep
        assert len(set(stand.state["levels"])) == len(stand.state["levels"])
        assert stand.state["scores"] == sorted(stand.state["scores"], reverse=True)
        assert all(0 < score <= 1 / 4 for score in stand.state["scores"])


def test_it_goes_on_from_json_as_if_nothing_had_happened() -> None:
    stand = RULE.begin(CARTPOLE)
    for _ in range(5):
        before = json.dumps(stand.state, allow_nan=False)
        data = json.loads(json.dumps(stand.distribution.to_json()))
        again = Stand(distribution_from_json(CARTPOLE, data), json.loads(before))
        probes = RULE.probes(stand, generator("level"))
        assert RULE.probes(again, generator("level")) == probes
        rng = generator("success")
        outcomes = [
            Outcome(each, 0.0, 1, bool(rng.random() < 0.5), {}, trained=False) for each in probes
        ]
        following = after(stand, outcomes)
        assert following == after(again, outcomes)
        assert json.dumps(stand.state, allow_nan=False) == before
        stand = following


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rollouts": 1}, "`rollouts >= 2` must hold, but got 1: after one episode"),
        ({"every": 0}, "`every >= 1` must hold, but got 0"),
        ({"keep": 0}, "`1 <= keep <= candidates` must hold, but got keep=0, candidates=128"),
        ({"keep": 9, "candidates": 8}, "but got keep=9, candidates=8"),
        ({"share": 0.0}, "`0 < share <= 1` must hold, but got 0.0"),
    ],
)
def test_parameters_that_could_not_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Learnability(**values)
