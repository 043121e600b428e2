from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from experiments.envs import bipedal_terrain
from experiments.envs.bipedal_walker import GOAL, BipedalWalker, gymnasiums

#: Every obstacle, and some of every knob.
HARD = {
    "ground_roughness": 2.0,
    "pit_gap_low": 1.0,
    "pit_gap_high": 3.0,
    "stump_height_low": 0.5,
    "stump_height_high": 2.0,
    "stair_height_low": 0.2,
    "stair_height_high": 1.0,
    "stair_steps": 3.0,
}
FLAT = dict.fromkeys(HARD, 0.0)


class Walking(gymnasiums.BipedalWalkerHeuristics):
    """gymnasium's walker by rules, which gets to the end now and then."""

    def __init__(self) -> None:
        self.a = np.zeros(4)

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        return self.step_heuristic(observation)  # type: ignore[no-any-return]


def flailing(seed: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    return lambda _: rng.uniform(-1, 1, 4).astype(np.float32)


def play(
    env: gymnasium.Env[Any, Any],
    act: Callable[[np.ndarray], np.ndarray] | None = None,
    seed: int = 3,
    steps: int = 250,
) -> list[Any]:
    """Bytes of observations, so that comparison is to the last bit, and rewards."""
    act = act or Walking()
    observation, _ = env.reset(seed=seed)
    found: list[Any] = [observation.tobytes()]
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(act(observation))
        assert not truncated
        found += [observation.tobytes(), float(reward)]
        if terminated:
            break
    return found


def outcomes(env: BipedalWalker, seed: int) -> list[bool]:
    """`is_success` of each step of an episode by rules."""
    act, found, terminated = Walking(), [], False
    observation, _ = env.reset(seed=seed)
    while not terminated:
        observation, _, terminated, _, info = env.step(act(observation))
        found.append(info["is_success"])
    return found


def set_to(level: dict[str, float], **changes: float) -> BipedalWalker:
    env = BipedalWalker()
    env.set_level(level | changes)
    return env


def test_the_numbers_are_gymnasiums() -> None:
    assert bipedal_terrain.STEP == gymnasiums.TERRAIN_STEP
    assert bipedal_terrain.LENGTH == gymnasiums.TERRAIN_LENGTH
    assert bipedal_terrain.START == gymnasiums.TERRAIN_STARTPAD
    assert bipedal_terrain.LEVEL == gymnasiums.TERRAIN_HEIGHT
    hardcore = gymnasium.spec("BipedalWalkerHardcore-v3")
    assert BipedalWalker.max_episode_steps == hardcore.max_episode_steps == 2000


def test_the_knobs_are_dcds() -> None:
    assert BipedalWalker.KNOBS == {
        "ground_roughness": (0, 10),
        "pit_gap_low": (0, 10),
        "pit_gap_high": (0, 10),
        "stump_height_low": (0, 5),
        "stump_height_high": (0, 5),
        "stair_height_low": (0, 5),
        "stair_height_high": (0, 5),
        "stair_steps": (1, 9),
    }
    assert set(HARD) == set(BipedalWalker.SETTABLE)


def test_default_is_gymnasiums_own_to_the_last_bit() -> None:
    ours = BipedalWalker()
    for seed in range(12):
        expected = play(gymnasiums.BipedalWalker(), seed=seed)
        assert play(ours, seed=seed) == expected
    assert ours.observation_space == gymnasiums.BipedalWalker().observation_space
    assert ours.action_space == gymnasiums.BipedalWalker().action_space


def test_a_level_of_noughts_is_flat() -> None:
    env = set_to(FLAT)
    env.reset(seed=0)
    assert {y for _, y in env.ground.line} == {gymnasiums.TERRAIN_HEIGHT}
    assert env.ground.blocks == []
    assert len(env.terrain) == gymnasiums.TERRAIN_LENGTH - 1


def test_an_episode_depends_on_level_and_seed_alone() -> None:
    used = BipedalWalker()
    for seed in range(8):
        used.set_level({name: high for name, (_, high) in BipedalWalker.KNOBS.items()})
        play(used, flailing(seed), seed=seed)
        used.set_level(HARD)
        assert play(used, flailing(seed), seed=seed) == play(
            set_to(HARD), flailing(seed), seed=seed
        )
    assert play(used, seed=1) != play(used, seed=2)


def test_two_envs_in_one_process_share_nothing() -> None:
    one, other = set_to(HARD), set_to(FLAT)
    expected = [play(set_to(level), seed=5) for level in (HARD, FLAT)]
    acts = (Walking(), Walking())
    observations = [env.reset(seed=5)[0] for env in (one, other)]
    found: list[list[Any]] = [[each.tobytes()] for each in observations]
    ended = [False, False]
    for _ in range(250):
        for place, env in enumerate((one, other)):
            if ended[place]:
                continue
            action = acts[place](observations[place])
            observations[place], reward, ended[place], _, _ = env.step(action)
            found[place] += [observations[place].tobytes(), reward]
    assert found == expected
    assert expected[0] != expected[1]


def test_levels_leave_gymnasiums_module_as_it_is() -> None:
    def numbers() -> dict[str, Any]:
        return {
            name: copy.copy(value)
            for name, value in vars(gymnasiums).items()
            if isinstance(value, int | float | list)
        }

    before = numbers()
    play(set_to(HARD))
    assert numbers() == before
    assert play(gymnasiums.BipedalWalker()) == play(BipedalWalker())


@pytest.mark.parametrize("kind", ["pit_gap", "stump_height", "stair_height"])
def test_low_and_high_are_taken_in_order(kind: str) -> None:
    def ground(low: float, high: float) -> bipedal_terrain.Ground:
        env = set_to(HARD, **{f"{kind}_low": low, f"{kind}_high": high})
        env.reset(seed=0)
        return env.ground

    assert ground(1.0, 3.0) == ground(3.0, 1.0)
    assert ground(1.0, 3.0) != ground(1.0, 4.0)
    assert ground(1.0, 3.0) != ground(2.0, 3.0)


@pytest.mark.parametrize(("given", "steps"), [(1.0, 1), (2.4, 2), (2.6, 3), (9.0, 9), (0.4, 0)])
def test_steps_of_stairs_are_rounded(given: float, steps: int) -> None:
    env = set_to(FLAT, stair_height_low=1.0, stair_height_high=1.0, stair_steps=given)
    env.reset(seed=0)
    top = [corners[0][1] for corners in env.ground.blocks]
    first = [y / bipedal_terrain.STEP - top[0] / bipedal_terrain.STEP for y in top[: max(steps, 1)]]
    assert np.abs(first) == pytest.approx(list(range(steps)))


@pytest.mark.parametrize("name", ["pit_gap_high", "stump_height_high", "stair_height_high"])
def test_obstacles_are_bodies_in_the_world(name: str) -> None:
    env = set_to(FLAT, stair_steps=3.0, **{name: 3.0})
    env.reset(seed=0)
    static = {tuple(body.fixtures[0].shape.vertices) for body in env.world.bodies if body.mass == 0}
    assert len(env.ground.blocks) > 3
    for corners in env.ground.blocks:
        as_box2d = np.array(corners, np.float32)
        assert any(
            len(vertices) == 4 and np.allclose(sorted(vertices), sorted(map(tuple, as_box2d)))
            for vertices in static
        )


def test_a_wide_pit_swallows_the_walker() -> None:
    # On the flat these rules never fall within 400 steps.
    act, env = Walking(), set_to(FLAT)
    assert len(play(env, act, seed=0, steps=400)) == 1 + 2 * 400
    start = env.hull.position.x
    env.set_level(FLAT | {"pit_gap_low": 10.0, "pit_gap_high": 10.0})
    assert outcomes(env, seed=0)[-1] is False
    pit = env.ground.blocks[0]
    assert pit[1][0] < env.hull.position.x < env.ground.blocks[1][0][0] < start
    assert env.hull.position.y < gymnasiums.TERRAIN_HEIGHT + gymnasiums.LEG_H


def test_the_lidar_sees_a_stump() -> None:
    flat, stump = set_to(FLAT), set_to(FLAT, stump_height_low=3.0, stump_height_high=3.0)
    walks = [play(env, seed=0, steps=120) for env in (flat, stump)]
    lidar = [np.frombuffer(each[-2], np.float32)[14:] for each in walks]
    assert (lidar[1] <= lidar[0] + 1e-6).all()
    assert lidar[1][-1] < lidar[0][-1] - 0.1


def test_success_is_the_end_of_the_course_on_foot() -> None:
    env = BipedalWalker()
    reached = outcomes(env, seed=0)
    assert reached == [False] * (len(reached) - 1) + [True]
    assert env.hull.position.x > GOAL
    fallen = outcomes(env, seed=1)
    assert not any(fallen)
    assert env.hull.position.x < GOAL


@pytest.mark.parametrize(
    ("place", "fell", "success"),
    [(GOAL + 1, False, True), (GOAL + 1, True, False), (-1.0, False, False)],
)
def test_only_the_far_end_counts_and_no_fall(place: float, fell: bool, success: bool) -> None:
    env = BipedalWalker()
    env.reset(seed=0)
    shift = (place - env.hull.position.x, 0.0)
    for body in (env.hull, *env.legs):
        body.position += shift
    env.game_over = fell
    _, _, terminated, _, info = env.step(np.zeros(4, np.float32))
    assert terminated
    assert info == {"is_success": success}


def test_observations_stay_in_their_space_at_the_ends_of_the_knobs() -> None:
    rng = np.random.default_rng(0)
    env = BipedalWalker()
    for seed in range(24):
        env.set_level({name: float(rng.choice(ends)) for name, ends in env.KNOBS.items()})
        act = Walking() if seed % 2 else flailing(seed)
        observation, _ = env.reset(seed=seed)
        for _ in range(150):
            assert env.observation_space.contains(observation), env.level
            observation, _, terminated, _, _ = env.step(act(observation))
            if terminated:
                break
        assert env.observation_space.contains(observation), env.level


def test_knobs_that_a_level_leaves_out_are_the_configs() -> None:
    env = BipedalWalker({"pit_gap_high": 3.0})
    env.set_level(HARD)
    env.set_level({"ground_roughness": 2.0})
    assert env.level == BipedalWalker({"pit_gap_high": 3.0, "ground_roughness": 2.0}).level
    assert play(env) == play(BipedalWalker({"pit_gap_high": 3.0, "ground_roughness": 2.0}))


def test_a_refused_level_changes_nothing() -> None:
    env = set_to(HARD)
    before = play(env)
    for bad in ({"pit_gap_low": -1.0}, {"pit_gap": 1.0}, {"stair_steps": float("nan")}):
        with pytest.raises(ValueError, match="illegal level for BipedalWalker"):
            env.set_level(FLAT | bad)
    assert env.level == HARD
    assert play(env) == before


def test_copies_and_pickles_keep_config_and_level() -> None:
    env = BipedalWalker({"stump_height_high": 1.0})
    env.reset(seed=0)
    env.set_level(HARD)
    expected = play(env)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.level == env.level
        assert play(twin) == expected
        twin.set_level({})
        assert twin.level == BipedalWalker({"stump_height_high": 1.0}).level


def test_gymnasiums_checker_says_no_more_than_of_its_own() -> None:
    def complaints(env: gymnasium.Env[Any, Any]) -> set[str]:
        env.spec = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(env)
        return {str(warning.message) for warning in caught}

    assert complaints(set_to(HARD)) <= complaints(gymnasiums.BipedalWalker())


def test_it_can_be_drawn() -> None:
    env = BipedalWalker(HARD, render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    assert frame.shape == (400, 600, 3)
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 4
    env.close()


def test_importing_it_warns_of_nothing() -> None:
    # As errors, SWIG's warnings would crash the interpreter.
    root = Path(bipedal_terrain.__file__).parents[2]
    code = [sys.executable, "-W", "error", "-c", "import experiments.envs.bipedal_walker"]
    ran = subprocess.run(code, cwd=root, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
