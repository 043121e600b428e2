from __future__ import annotations

import copy
import json
import pickle
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import seeds
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

from experiments.envs.maze import LONGEST, Maze
from experiments.envs.maze_grid import (
    Layout,
    distance,
    layout,
    legal,
    neighbours,
    picture,
    solvable,
)
from orchestrator.distributions import Distribution, EnvSpace, Product
from orchestrator.env_setup import EnvSetup
from orchestrator.knobs import Cells, Integer, Range
from orchestrator.level_env import LevelEnv
from orchestrator.seeding import generator

NORTH, EAST, SOUTH, WEST = range(4)

#: S . . #
#: # # . .
#: . . . #
#: . # . G
BENT = {"walls": [3, 4, 5, 11, 13], "start": 0, "goal": 15}
BENDS = [EAST, EAST, SOUTH, SOUTH, SOUTH, EAST]


@st.composite
def mazes(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """A size, and a level drawn over all that is legal there."""
    size = draw(st.integers(2, 7))
    return size, legal(size).full().sample(generator("maze", draw(seeds)))


def four(**config: Any) -> Maze:
    """The small maze that is drawn above, after its reset."""
    env = Maze({"size": 4, **BENT, **config})
    env.reset(seed=0)
    return env


def walk(env: Maze, actions: Iterable[int]) -> list[tuple[float, bool, bool, dict[str, Any]]]:
    """What each action brings, without the observations."""
    return [env.step(action)[1:] for action in actions]


def planes(observation: np.ndarray) -> tuple[list[str], list[str]]:
    """The two planes of an observation as text: walls, and the goal."""
    shown = [["".join(".#"[int(cell)] for cell in row) for row in plane]
             for plane in observation[:50].reshape(2, 5, 5)]  # fmt: skip
    return shown[0], shown[1]


# Geometry


def test_moves_lead_to_the_four_neighbours_and_nowhere_from_the_border() -> None:
    ways = neighbours(3)
    assert ways[4] == (1, 5, 7, 3)
    assert ways[0] == (0, 1, 3, 0)
    assert ways[8] == (5, 8, 8, 7)


def test_the_shortest_way_goes_around_walls() -> None:
    assert distance(BENT, 4) == len(BENDS)
    assert distance({**BENT, "walls": []}, 4) == 6
    assert distance({**BENT, "walls": [3, 4, 5, 10, 11, 13]}, 4) is None
    #: S # G
    #: . # .
    #: . . .
    assert distance({"walls": [1, 4], "start": 0, "goal": 2}, 3) == 6


def test_what_has_a_way_is_solvable() -> None:
    assert solvable(BENT, 4)
    assert not solvable({"walls": [1, 2], "start": 0, "goal": 3}, 2)
    assert solvable({})


@given(mazes())
def test_a_way_is_as_long_as_an_agent_that_floods_the_maze_needs(
    drawn: tuple[int, dict[str, Any]],
) -> None:
    size, level = drawn
    env = Maze({"size": size, **level})
    reached, frontier, moves = {env.layout.start}, {env.layout.start}, 0
    while frontier and env.layout.goal not in reached:
        moves += 1
        found = set()
        for cell in frontier:
            for action in range(4):
                env.reset()
                env._cell = cell
                env.step(action)
                found.add(env._cell)
        frontier = found - reached
        reached |= frontier
    assert distance(level, size) == (moves if env.layout.goal in reached else None)


@given(mazes())
def test_start_and_goal_are_two_free_cells_as_near_as_can_be(
    drawn: tuple[int, dict[str, Any]],
) -> None:
    size, level = drawn
    maze = layout(level, size)
    assert maze.walls == set(level["walls"])
    assert maze.start != maze.goal
    assert not {maze.start, maze.goal} & maze.walls
    free = [cell for cell in range(size * size) if cell not in maze.walls]

    def moves(one: int, other: int) -> int:
        return abs(one // size - other // size) + abs(one % size - other % size)

    assert maze.start == min(free, key=lambda cell: (moves(cell, level["start"]), cell))
    free.remove(maze.start)
    assert maze.goal == min(free, key=lambda cell: (moves(cell, level["goal"]), cell))


def test_a_goal_on_the_start_moves_to_the_lowest_free_neighbour() -> None:
    assert layout({"walls": [], "start": 4, "goal": 4}, 3) == Layout(3, frozenset(), 4, 1)
    assert layout({"walls": [1], "start": 4, "goal": 4}, 3).goal == 3
    assert layout({"walls": [4], "start": 4, "goal": 4}, 3)[2:] == (1, 3)


def test_a_level_that_is_moved_stays_as_it_was_given() -> None:
    level = {"walls": [0, 8], "start": 0, "goal": 8}
    env = Maze({"size": 3})
    env.set_level(level)
    assert env.layout == Layout(3, frozenset({0, 8}), 1, 5)
    assert env.level == level == {"walls": [0, 8], "start": 0, "goal": 8}


def test_a_picture_shows_the_maze_within_its_outer_walls() -> None:
    rows = ["######", "#S.@##", "###..#", "#...##", "#.#.G#", "######"]
    assert picture(layout(BENT, 4), agent=2) == "\n".join(rows)


# Episodes


def test_the_reward_is_minigrids() -> None:
    steps = walk(four(max_steps=10), BENDS)
    assert [reward for reward, *_ in steps] == [0, 0, 0, 0, 0, pytest.approx(1 - 0.9 * 6 / 10)]
    assert [terminated for _, terminated, *_ in steps] == [False] * 5 + [True]
    assert not any(truncated for *_, truncated, _ in steps)
    assert [info for *_, info in steps] == [{}] * 5 + [{"is_success": True}]


def test_the_goal_with_the_last_action_is_reached_and_not_cut() -> None:
    assert walk(four(max_steps=6), BENDS)[-1] == (
        pytest.approx(0.1), True, False, {"is_success": True},
    )  # fmt: skip


def test_an_episode_is_truncated_after_its_most_steps() -> None:
    steps = walk(four(max_steps=3), [WEST, WEST, WEST])
    assert steps[:2] == [(0, False, False, {})] * 2
    assert steps[2] == (0, False, True, {"is_success": False})
    env = four(max_steps=2)
    walk(env, [EAST, EAST])
    env.reset()
    assert not walk(env, [WEST])[0][2]


def test_a_wall_and_the_border_stop_a_move() -> None:
    env = four()
    walk(env, [NORTH, WEST, SOUTH])
    assert env._cell == 0
    walk(env, [EAST, EAST, EAST])
    assert env._cell == 2


def test_every_reset_puts_the_agent_on_the_start() -> None:
    env = four()
    first, _ = env.reset(seed=1)
    walk(env, [EAST])
    again, info = env.reset(seed=2)
    assert (first == again).all()
    assert info == {}


def test_actions_may_be_numpys() -> None:
    plain, numpys = four(), four()
    for action in BENDS:
        mine, theirs = plain.step(action), numpys.step(np.int64(action))  # type: ignore[arg-type]
        assert (mine[0] == theirs[0]).all()
        assert mine[1:] == theirs[1:]


# Observations


def test_the_agent_sees_the_walls_and_the_goal_around_it() -> None:
    env = four()
    observation, _ = env.reset()
    assert planes(observation) == (["#####", "#####", "##...", "####.", "##..."], ["....."] * 5)
    walk(env, BENDS[:4])
    observation = env.step(SOUTH)[0]
    assert planes(observation) == (
        ["##..#", "...##", ".#..#", "#####", "#####"],
        [".....", ".....", "...#.", ".....", "....."],
    )


def test_the_agent_remembers_its_last_action_alone() -> None:
    env = four()
    assert env.reset()[0][50:].tolist() == [0, 0, 0, 0]
    assert env.step(WEST)[0][50:].tolist() == [0, 0, 0, 1]
    assert env.step(EAST)[0][50:].tolist() == [0, 1, 0, 0]
    assert env.reset()[0][50:].tolist() == [0, 0, 0, 0]


def test_an_observation_is_the_callers_own() -> None:
    env = four()
    env.reset()[0].fill(7)
    env.step(WEST)[0].fill(7)
    assert env.observation_space.contains(env.reset()[0])


def test_a_compass_points_to_the_goal() -> None:
    env = four(compass=True)
    assert env.reset()[0][54:].tolist() == [0.75, 0.75]
    assert env.step(EAST)[0][54:].tolist() == [0.75, 0.5]
    plain = four()
    assert (env.reset()[0][:54] == plain.reset()[0]).all()


@pytest.mark.parametrize("compass", [False, True])
def test_spaces_are_the_same_on_every_level_and_at_every_size(*, compass: bool) -> None:
    rng = generator("spaces")
    space = Maze({"compass": compass}).observation_space
    for size in (2, 5, 13):
        env = Maze({"size": size, "compass": compass})
        assert env.observation_space == space
        for _ in range(5):
            env.set_level(legal(size).full().sample(rng))
            observation, _ = env.reset()
            for _ in range(20):
                assert space.contains(observation)
                observation = env.step(int(rng.integers(4)))[0]


def test_gymnasiums_checker_is_content() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # It asks for a registration, which no built-in has.
        warnings.filterwarnings("ignore", ".*spec.*")
        check_env(Maze(BENT | {"size": 4}), skip_render_check=True)


# Levels


def test_default_has_no_walls() -> None:
    assert Maze().level == {"walls": [], "start": 0, "goal": 168}
    assert Maze({"size": 3}).level == {"walls": [], "start": 0, "goal": 8}


def test_knobs_that_a_level_leaves_out_are_the_configs() -> None:
    env = Maze({"size": 3, "walls": [4], "goal": 2})
    env.set_level({"walls": [], "start": 1})
    assert env.level == {"walls": [], "start": 1, "goal": 2}
    env.set_level({})
    assert env.level == {"walls": [4], "start": 0, "goal": 2}


def test_nothing_of_an_earlier_level_stays() -> None:
    rng = generator("used")
    used = Maze({"size": 5})
    for _ in range(10):
        level = legal(5).full().sample(rng)
        used.set_level(level)
        fresh = Maze({"size": 5, **level})
        assert used.level == fresh.level
        assert used.layout == fresh.layout
        actions = rng.integers(4, size=20)
        assert (used.reset()[0] == fresh.reset()[0]).all()
        for action in actions:
            assert (used.step(action)[0] == fresh.step(action)[0]).all()


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ({"walls": [16]}, r"'walls' must be cells from 0 to 15, but one is 16"),
        ({"walls": [1, 1]}, r"'walls' must be different cells, but 1 is there more than once"),
        ({"walls": list(range(15))}, r"'walls' must be from 0 to 14 cells, but got 15"),
        ({"walls": 3}, r"'walls' must be a list of cells, but got 3"),
        ({"start": -1}, r"'start' must be from 0 to 15, but got -1"),
        ({"goal": 2.0}, r"'goal' `value` must be a whole number, but got 2.0"),
        ({"goals": 2}, r"'goals' is not a knob \(did you mean 'goal'\?\)"),
        ({"size": 5}, r"'size' is not a knob"),
        ([1], r"it must be a mapping of knob to value, but got \[1\]"),
    ],
)
def test_a_refused_level_changes_nothing(level: Any, message: str) -> None:
    env = four()
    before, seen = env.level, env.reset()[0]
    with pytest.raises(ValueError, match=rf"illegal level for Maze: .*{message}"):
        env.set_level(level)
    assert env.level == before
    assert (env.reset()[0] == seen).all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sise": 4}, r"Maze takes no 'sise' \(did you mean 'size'\?\)"),
        ({"size": 1}, r"`size` must be a whole number from 2 to 50, but got 1"),
        ({"size": 4.0}, r"`size` must be a whole number from 2 to 50, but got 4.0"),
        ({"size": True}, r"`size` must be a whole number"),
        ({"max_steps": 0}, rf"`max_steps` must be a whole number from 1 to {LONGEST}, but got 0"),
        ({"compass": 1}, r"`compass` must be true or false, but got 1"),
        ({"size": 3, "walls": [9]}, r"illegal level for Maze: .*'walls' must be cells from 0 to 8"),
    ],
)
def test_the_constructors_config_is_checked(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Maze(config)


def test_the_level_handed_out_is_a_copy() -> None:
    env = four()
    env.level["walls"].clear()
    env.level.clear()
    assert env.level == BENT


def test_copies_and_pickles_keep_the_level() -> None:
    env = four()
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.level == env.level
        twin.reset()
        assert walk(twin, BENDS)[-1][1]


def test_a_maze_can_be_rendered() -> None:
    text = Maze({"size": 4, **BENT}, render_mode="ansi")
    text.reset()
    text.step(EAST)
    assert text.render() == picture(text.layout, 1)
    pixels = Maze({"size": 4, **BENT}, render_mode="rgb_array").render()
    assert pixels.shape == (48, 48, 3)
    assert pixels.dtype == np.uint8
    assert len({tuple(colour) for row in pixels for colour in row}) == 4
    assert Maze().render() is None
    with pytest.raises(ValueError, match=r"`render_mode` must be one of .*, but got 'human'"):
        Maze(render_mode="human")


# As an env of an experiment


def test_a_level_env_draws_and_applies_mazes() -> None:
    space = EnvSpace(
        {"walls": Cells(25, 0, 12), "start": Integer(0, 24), "goal": Integer(0, 24)},
        {"walls": Range(3, 3)},
    )
    start: Distribution = space.initial()
    env = LevelEnv(EnvSetup(lambda level: Maze({"size": 5, **level}), "auto", start))
    seen = []
    for seed in range(5):
        _, info = env.reset(seed=seed)
        assert start.contains(info["level"])
        assert env.unwrapped.level == dict(info["level"])
        seen.append(json.dumps(dict(info["level"])))
    assert len(set(seen)) == 5
    assert isinstance(start, Product)
    env.set_distribution(Product(space, {**start.marginals, "walls": Range(9, 9)}), 1)
    assert len(env.reset()[1]["level"]["walls"]) == 9
    env.close()
