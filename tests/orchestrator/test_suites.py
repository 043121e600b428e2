"""A suite is the same for everyone who asks, and another for another name."""

from __future__ import annotations

import pytest
from distribution_catalogue import CARTPOLE, MAZE, SPACES, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.env_space import EnvSpace
from orchestrator.suites import SELECT, TEST, draw_suite

everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


@everywhere
@settings(max_examples=20)
@given(seed=seeds, levels=st.integers(0, 12))
def test_every_level_is_legal_and_in_its_place(space: EnvSpace, seed: int, levels: int) -> None:
    suite = draw_suite(space, SELECT, levels, seed)
    assert [play.index for play in suite] == list(range(levels))
    for play in suite:
        space.check(play.level)
        assert 0 <= play.seed < 2**31


@everywhere
def test_the_same_key_gives_the_same_suite(space: EnvSpace) -> None:
    assert draw_suite(space, SELECT, 8, 3) == draw_suite(space, SELECT, 8, 3)


def test_a_longer_suite_begins_with_the_shorter() -> None:
    assert draw_suite(MAZE, TEST, 64, 0)[:16] == draw_suite(MAZE, TEST, 16, 0)


@pytest.mark.parametrize(("name", "seed"), [(TEST, 0), (SELECT, 1)])
def test_suites_share_neither_levels_nor_seeds(name: str, seed: int) -> None:
    one, other = draw_suite(CARTPOLE, SELECT, 64, 0), draw_suite(CARTPOLE, name, 64, seed)
    assert not {play.seed for play in one} & {play.seed for play in other}
    assert not any(play.level in [each.level for each in other] for play in one)


def test_episodes_of_a_suite_have_seeds_of_their_own() -> None:
    assert len({play.seed for play in draw_suite(CARTPOLE, TEST, 200, 0)}) == 200


def test_levels_reach_over_the_whole_legal_space_whatever_the_start() -> None:
    suite = draw_suite(MAZE, TEST, 300, 0)
    sizes = {play.level["size"] for play in suite}
    assert MAZE.start["size"].high == 3  # type: ignore[union-attr]
    assert min(sizes) == 3
    assert max(sizes) == 31


def test_a_suite_never_changes() -> None:
    """Its levels are in old runs' scores."""
    suite = draw_suite(EnvSpace({"x": CARTPOLE.knobs["gravity"]}), SELECT, 2, 0)
    assert [(play.level, play.seed) for play in suite] == [
        ({"x": 5.009708251955055}, 1041830107),
        ({"x": 17.05623846909515}, 56341045),
    ]
