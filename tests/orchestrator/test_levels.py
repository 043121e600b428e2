"""What an env plays next: the source's own draws, or a suite in order."""

from __future__ import annotations

import copy
import pickle

import pytest
from distribution_catalogue import CARTPOLE, MAZE

from orchestrator.levels import LevelInfo, LevelSource, Play
from orchestrator.suites import SELECT, draw_suite

SUITE = draw_suite(CARTPOLE, SELECT, 3, 0)


def seeded(seed: int = 1) -> LevelSource:
    source = LevelSource(CARTPOLE.full(), 4)
    source.seed(seed)
    return source


def drawn(source: LevelSource, count: int) -> list[dict[str, object]]:
    return [dict(source.draw()[0]) for _ in range(count)]


def test_levels_for_training_come_from_the_distribution() -> None:
    source = seeded()
    for _ in range(20):
        level, seed = source.draw()
        assert CARTPOLE.full().contains(dict(level))
        assert (level.revision, level.play, seed) == (4, None, None)


def test_the_seed_alone_decides() -> None:
    assert drawn(seeded(1), 5) == drawn(seeded(1), 5)
    assert drawn(seeded(1), 5) != drawn(seeded(2), 5)
    source = seeded(1)
    first = drawn(source, 5)
    source.seed(1)
    assert drawn(source, 5) == first


def test_a_new_distribution_holds_from_the_next_level_on() -> None:
    source = seeded()
    drawn(source, 3)
    assert source.set_distribution(CARTPOLE.initial(), 5) == 5
    level, _ = source.draw()
    assert level.revision == 5
    assert level["masspole"] == 0.1


def test_a_new_distribution_does_not_repeat_levels() -> None:
    source, kept = seeded(), seeded()
    first = drawn(source, 3)
    source.set_distribution(CARTPOLE.full(), 5)
    assert first + drawn(source, 3) == drawn(kept, 6)


def test_a_suite_is_played_in_order_then_filled_up() -> None:
    source = seeded()
    source.schedule(SUITE)
    for play in SUITE:
        level, seed = source.draw()
        assert (dict(level), level.play, seed) == (play.level, play.index, play.seed)
        assert level.revision == 4
    for _ in range(2):
        filler, seed = source.draw()
        assert (dict(filler), filler.play, seed) == (SUITE[-1].level, None, SUITE[-1].seed)


def test_a_suite_takes_nothing_from_training() -> None:
    source = seeded()
    first = drawn(source, 2)
    source.schedule(SUITE)
    drawn(source, 5)
    source.schedule(())
    assert first + drawn(source, 2) == drawn(seeded(), 4)


def test_a_suite_scheduled_again_begins_anew() -> None:
    source = seeded()
    source.schedule(SUITE)
    source.draw()
    source.schedule(SUITE)
    assert source.draw()[0].play == 0


def test_env_seeds_are_the_sources_own() -> None:
    one, other = seeded(), seeded()
    seeds = [one.env_seed() for _ in range(50)]
    assert seeds == [other.env_seed() for _ in range(50)]
    assert len(set(seeds)) == 50
    assert all(0 <= seed < 2**31 for seed in seeds)


# What travels in `info`


def test_a_levels_info_is_a_read_only_mapping_and_no_dict() -> None:
    level = LevelInfo({"x": 1, "y": [2]}, revision=3, play=7)
    assert not isinstance(level, dict)
    assert (level["x"], len(level), [*level]) == (1, 2, ["x", "y"])
    assert level == {"x": 1, "y": [2]}
    with pytest.raises(TypeError):
        level["x"] = 2  # type: ignore[index]
    with pytest.raises(KeyError):
        level["z"]
    assert repr(level) == "LevelInfo({'x': 1, 'y': [2]}, revision=3, play=7)"


def test_a_levels_info_reaches_other_processes() -> None:
    source = LevelSource(MAZE.full(), 2)
    source.seed(0)
    level, _ = source.draw()
    for other in (pickle.loads(pickle.dumps(level)), copy.deepcopy(level)):
        assert other == level
        assert (other.revision, other.play) == (2, None)


def test_a_play_is_a_value() -> None:
    assert Play(0, {"x": 1}, 5) == pickle.loads(pickle.dumps(Play(0, {"x": 1}, 5)))
