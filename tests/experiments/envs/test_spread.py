from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from distribution_catalogue import seeds
from hypothesis import given
from hypothesis import strategies as st
from mpe2.simple_spread.simple_spread import parallel_env

from experiments.envs.spread import Spread
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Continuous, Simplex
from orchestrator.level_env import EnvSetup, MultiAgentLevelEnv, make_level_env

LEVEL: dict[str, Any] = {
    "mix": {"coverage": 0.25, "collisions": 0.75},
    "spread_agents": 0.3,
    "spread_landmarks": 0.6,
    "offset": 0.5,
}
unit = st.floats(0, 1)


def placed(env: Spread, agents: list[Any], landmarks: list[Any]) -> None:
    """Put everything in its place; what is at rest is still there after one step of nothing."""
    env.reset(seed=0)
    for agent, place in zip(env._world.agents, agents, strict=True):
        agent.state.p_pos = np.array(place, float)
    for mark, place in zip(env._world.landmarks, landmarks, strict=True):
        mark.state.p_pos = np.array(place, float)


def idle(env: Spread) -> tuple[Any, Any, Any, Any, Any]:
    return env.step(dict.fromkeys(env.possible_agents, 0))


def play(env: Spread, seed: int, steps: int = 25) -> list[Any]:
    rng = np.random.default_rng(seed)
    observations, _ = env.reset(seed=seed)
    found: list[Any] = [{agent: each.tobytes() for agent, each in observations.items()}]
    for _ in range(steps):
        actions = {agent: int(rng.integers(5)) for agent in env.possible_agents}
        observations, rewards, _, _, infos = env.step(actions)
        found.append({agent: each.tobytes() for agent, each in observations.items()})
        found += [rewards, infos]
    return found


@pytest.mark.parametrize("agents", [1, 3, 5])
@pytest.mark.parametrize("local_ratio", [0.0, 0.5, 0.8])
def test_physics_and_rewards_are_mpe2s(agents: int, local_ratio: float) -> None:
    ours = Spread({"agents": agents, "local_ratio": local_ratio})
    theirs = parallel_env(N=agents, local_ratio=local_ratio, max_cycles=25)
    messages = 2 * (agents - 1)
    rng = np.random.default_rng(0)
    for seed in range(4):
        observations, _ = ours.reset(seed=seed)
        expected, _ = theirs.reset(seed=seed)
        for step in range(25):
            for agent in ours.possible_agents:
                without = expected[agent][: len(expected[agent]) - messages]
                assert observations[agent].tobytes() == without.tobytes()
            actions = {agent: int(rng.integers(5)) for agent in ours.possible_agents}
            observations, rewards, _, truncateds, _ = ours.step(actions)
            expected, paid, _, cut, _ = theirs.step(actions)
            assert rewards == pytest.approx(paid)
            assert truncateds == {**cut, "__all__": step == 24}


def test_spaces_are_one_for_all_agents_and_hold_what_is_observed() -> None:
    for agents in (1, 2, 3, 6):
        env = Spread({"agents": agents})
        assert env.possible_agents == env.agents == [f"agent_{n}" for n in range(agents)]
        assert set(env.observation_spaces) == set(env.action_spaces) == set(env.possible_agents)
        observations, infos = env.reset(seed=0)
        assert infos == {agent: {} for agent in env.possible_agents}
        for agent in env.possible_agents:
            assert env.get_action_space(agent) == gymnasium.spaces.Discrete(5)
            assert env.get_observation_space(agent) == env.observation_spaces["agent_0"]
        for _ in range(5):
            assert list(observations) == env.possible_agents
            for agent, each in observations.items():
                assert env.observation_spaces[agent].contains(each)
            observations, *_ = env.step(dict.fromkeys(env.possible_agents, 1))


@pytest.mark.parametrize(
    ("level", "rewards"),
    [
        ({}, [-3.15, -3.15, -2.65]),
        ({"local_ratio": 0.0}, [-5.3, -5.3, -5.3]),
        ({"local_ratio": 1.0}, [-1.0, -1.0, 0.0]),
        ({"local_ratio": 0.75}, [-2.075, -2.075, -1.325]),
        ({"mix": {"coverage": 0.25, "collisions": 0.75}}, [-2.075, -2.075, -1.325]),
        ({"mix": {"coverage": 1.0}}, [-5.3, -5.3, -5.3]),
        ({"mix": {"coverage": 0.0, "collisions": 1.0}}, [-1.0, -1.0, 0.0]),
    ],
    ids=str,
)
def test_the_reward_by_hand(level: dict[str, Any], rewards: list[float]) -> None:
    env = Spread()
    env.set_level(level)
    # The second agent is 0.3 from the first landmark, the first 5 from the second landmark, and
    # the third stands on its own. The first two overlap: agents have a radius of 0.15.
    placed(env, [(0, 0), (0.2, 0), (9, 9)], [(0.2, 0.3), (-3, 4), (9, 9)])
    _, paid, terminateds, _, infos = idle(env)
    assert list(paid.values()) == pytest.approx(rewards)
    terms = [{"coverage": -5.3, "collisions": each} for each in (-1.0, -1.0, 0.0)]
    assert [info["reward_terms"] for info in infos.values()] == [
        pytest.approx(each) for each in terms
    ]
    assert not any(terminateds.values())


@given(unit, seeds)
def test_a_mix_says_what_a_local_ratio_says(share: float, seed: int) -> None:
    by_ratio = Spread({"local_ratio": share})
    by_name = Spread({"mix": {"coverage": 1 - share, "collisions": share}})
    assert play(by_ratio, seed, 5) == play(by_name, seed, 5)


@given(unit, seeds)
def test_the_terms_are_told_whatever_they_weigh(share: float, seed: int) -> None:
    def terms(env: Spread) -> list[Any]:
        return [
            {agent: info["reward_terms"] for agent, info in infos.items()}
            for infos in play(env, seed, 5)[3::3]
        ]

    assert terms(Spread({"local_ratio": share})) == terms(Spread())


@pytest.mark.parametrize(("away", "covered"), [(0.0, True), (0.09, True), (0.11, False)])
def test_success_is_an_agent_at_every_landmark(away: float, covered: bool) -> None:
    env = Spread()
    placed(env, [(0, 0), (1, 0), (2, 0)], [(2, away), (0, 0), (1, 0)])
    *_, infos = idle(env)
    assert [info["is_success"] for info in infos.values()] == [covered] * 3
    # One agent on each of two landmarks leaves the third.
    placed(env, [(0, 0), (1, 0), (2, 0)], [(0, 0), (1, 0), (1, 5)])
    *_, infos = idle(env)
    assert not any(info["is_success"] for info in infos.values())


@given(unit, unit, st.floats(0, 1), seeds)
def test_the_level_places_agents_and_landmarks(
    agents: float, landmarks: float, offset: float, seed: int
) -> None:
    env, usual = Spread(), Spread()
    env.set_level({"spread_agents": agents, "spread_landmarks": landmarks, "offset": offset})
    env.reset(seed=seed)
    usual.reset(seed=seed)
    for each, full in zip(env._world.agents, usual._world.agents, strict=True):
        assert each.state.p_pos == pytest.approx(max(agents, 1e-3) * full.state.p_pos)
        assert np.abs(full.state.p_pos).max() <= 1
    centres = [
        each.state.p_pos - landmarks * full.state.p_pos
        for each, full in zip(env._world.landmarks, usual._world.landmarks, strict=True)
    ]
    for centre in centres:
        assert centre == pytest.approx(centres[0])
        assert math.hypot(*centre) == pytest.approx(offset)


def test_the_offset_goes_in_every_direction() -> None:
    env = Spread({"spread_landmarks": 0.0, "offset": 1.0})
    env.reset(seed=0)
    angles = []
    for _ in range(200):
        env.reset()
        angles.append(math.atan2(*env._world.landmarks[0].state.p_pos))
    counts, _ = np.histogram(angles, 4, (-math.pi, math.pi))
    assert counts.min() > 30


def test_agents_that_start_at_one_point_push_each_other_apart() -> None:
    env = Spread({"spread_agents": 0.0})
    env.reset(seed=0)
    for _ in range(10):
        observations, *_ = env.step(dict.fromkeys(env.possible_agents, 0))
    places = np.array([each[2:4] for each in observations.values()])
    assert np.isfinite(places).all()
    assert min(np.linalg.norm(places[a] - places[b]) for a, b in ((0, 1), (0, 2), (1, 2))) > 0.2


def test_an_episode_depends_on_level_and_seed_alone() -> None:
    used = Spread()
    for seed in range(4):
        used.set_level({"local_ratio": 0.1, "spread_agents": 0.1, "offset": 0.9})
        play(used, seed + 100, 7)
        used.set_level(LEVEL)
        fresh = Spread()
        fresh.set_level(LEVEL)
        assert play(used, seed) == play(fresh, seed) == play(Spread(LEVEL), seed)
    assert play(used, 1) != play(used, 2)


def test_two_envs_in_one_process_share_nothing() -> None:
    one, other = Spread(), Spread()
    one.set_level(LEVEL)
    expected = play(one, 3), play(other, 3)
    assert expected[0] != expected[1]
    both = one, other
    rngs = [np.random.default_rng(3) for _ in both]
    found: list[list[Any]] = [[], []]
    for env in both:
        env.reset(seed=3)
    for _ in range(25):
        for place, env in enumerate(both):
            actions = {agent: int(rngs[place].integers(5)) for agent in env.possible_agents}
            found[place].append(env.step(actions)[1])
    assert tuple(found) == (expected[0][2::3], expected[1][2::3])


def test_knobs_that_a_level_leaves_out_are_the_configs() -> None:
    env = Spread({"mix": {"coverage": 1.0}, "offset": 0.4})
    fixed = env.level
    assert fixed == {
        "mix": {"coverage": 1.0, "collisions": 0.0},
        "spread_agents": 1.0,
        "spread_landmarks": 1.0,
        "offset": 0.4,
    }
    env.set_level({"local_ratio": 0.3, "spread_agents": 0.5})
    assert env.level == {
        "local_ratio": 0.3,
        "spread_agents": 0.5,
        "spread_landmarks": 1.0,
        "offset": 0.4,
    }
    env.set_level({})
    assert env.level == fixed
    env.level.clear()
    assert env.level == fixed
    other = Spread()
    other.set_level(fixed)
    assert other.level == fixed


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ({"mixx": 1.0}, "no knob 'mixx': the nearest is `mix`"),
        ({"agents": 4}, "no knob 'agents'"),
        ({"offset": -0.1}, "`offset` must be a number from 0 to 2"),
        ({"mix": 0.5}, "`mix` must give `coverage` and `collisions` weights"),
        ({"mix": {}}, "that sum to 1, but got {}"),
        ({"mix": {"coverage": 1.5, "collisions": -0.5}}, "at least 0 that sum to 1"),
        ({"mix": {"coverage": 0.5, "collisions": 0.6}}, "at least 0 that sum to 1"),
        ({"mix": {"coverage": float("nan"), "collisions": 0.6}}, "at least 0 that sum to 1"),
        ({"mix": {"coverage": "1"}}, "at least 0 that sum to 1"),
        ({"mix": {"coverage": 1.0, "speed": 0.0}}, "at least 0 that sum to 1"),
        ({"mix": {"coverage": 1.0}, "local_ratio": 0.5}, "one of `mix` and `local_ratio`"),
        ([("offset", 1.0)], "must be a mapping"),
    ],
    ids=str,
)
def test_a_refused_level_changes_nothing(level: Any, said: str) -> None:
    env = Spread(LEVEL)
    with pytest.raises(ValueError) as raised:
        env.set_level(level)
    assert said in str(raised.value)
    assert env.level == LEVEL
    assert play(env, 0) == play(Spread(LEVEL), 0)


@pytest.mark.parametrize("key", ["agents", "max_cycles"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_the_constructors_counts_are_whole(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`{key}` of Spread must be a whole number"):
        Spread({key: value})


def test_episodes_last_for_max_cycles() -> None:
    env = Spread({"max_cycles": 3})
    for seed in (0, 1):
        env.reset(seed=seed)
        for step in (1, 2, 3):
            _, _, terminateds, truncateds, _ = idle(env)
            assert terminateds == dict.fromkeys([*env.possible_agents, "__all__"], False)
            assert truncateds == dict.fromkeys([*env.possible_agents, "__all__"], step == 3)


def test_levels_reach_it_through_the_wrapper() -> None:
    space = EnvSpace({"mix": Simplex(("coverage", "collisions")), "offset": Continuous(0.5, 1.0)})
    setup = EnvSetup(
        make=lambda level: Spread({"agents": 2} | dict(level)),
        apply="auto",
        distribution=space.full(),
        revision=4,
    )
    env = make_level_env({"setup": setup, "multi_agent": True})
    assert isinstance(env, MultiAgentLevelEnv)
    levels = []
    for seed in range(3):
        _, infos = env.reset(seed=seed)
        level = dict(infos["agent_1"]["level"])
        assert infos["agent_1"]["level"].revision == 4
        assert env.env.level == level | {"spread_agents": 1.0, "spread_landmarks": 1.0}
        levels.append(level)
        _, rewards, _, _, infos = env.step({"agent_0": 1, "agent_1": 2})
        for agent, reward in rewards.items():
            terms = infos[agent]["reward_terms"]
            assert reward == pytest.approx(sum(level["mix"][name] * terms[name] for name in terms))
        assert env.successes == {"agent_0": False, "agent_1": False}
    assert levels[0] != levels[1] != levels[2]
    env.close()
