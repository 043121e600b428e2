"""A generator that acts in the first step, students from the second on: the env by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import EMPTY, seeds
from gymnasium.spaces import Box, Discrete
from hypothesis import given
from hypothesis import strategies as st
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from rllib_catalogue import NARROW, ByConstructor, ByOptions, Make, Turns
from scenario_catalogue import (
    ALL_KINDS,
    EARN,
    ONE,
    REST,
    SEEN,
    STOP,
    TWO,
    Walk,
    chosen,
    make_duo,
    make_impostors,
    make_walk,
    scenario,
)

from orchestrator.env_faults import spoken
from orchestrator.level_env import make_level_env
from orchestrator.levels import Play
from orchestrator.scenario import Scenario
from orchestrator.scenario_env import ScenarioEnv, squashed

SUITE = (Play(0, {"gain": 2.0, "horizon": 9}, 5), Play(1, {"gain": 3.0, "horizon": 4}, 6))


def env_of(make: Any, players: Scenario, **more: Any) -> ScenarioEnv:
    env = make_level_env({"setup": scenario(make, players, **more), "multi_agent": True})
    assert isinstance(env, ScenarioEnv)
    return env


def begun(env: ScenarioEnv, gain: float = 2.0, horizon: int = 4, seed: int | None = None) -> Any:
    """What the generator's step brought."""
    seen, _ = env.reset(seed=seed)
    assert seen.keys() == {"generator"}
    return env.step({"generator": chosen(gain, horizon)})


# One team


def test_the_generator_sets_the_level_and_the_student_plays_it() -> None:
    env = env_of(make_walk, ONE, revision=3)
    seen, rewards, terminateds, truncateds, infos = begun(env, gain=2.5, horizon=3, seed=0)
    assert seen.keys() == {"student"}
    assert rewards == {}
    assert (terminateds, truncateds) == ({"__all__": False}, {"__all__": False})
    assert dict(infos["student"]["level"]) == pytest.approx({"gain": 2.5, "horizon": 3})
    assert infos["student"]["level"].revision == 3
    for _ in range(2):
        _, rewards, terminateds, truncateds, _ = env.step({"student": EARN})
        assert rewards == {"student": pytest.approx(2.5)}
        assert terminateds == {"student": False, "__all__": False}
    _, rewards, terminateds, truncateds, _ = env.step({"student": EARN})
    assert terminateds == {"student": False, "__all__": False}
    assert truncateds == {"student": True, "__all__": False}
    seen, rewards, terminateds, truncateds, _ = env.step({})
    assert seen.keys() == {"generator"}
    assert rewards == {"generator": pytest.approx(-7.5)}
    assert terminateds == {"generator": True, "__all__": True}
    assert truncateds == {"__all__": False}
    assert env.returns == pytest.approx({"student": 7.5, "generator": -7.5})
    assert env.successes == {"student": True}
    assert env.length == 3


def test_agents_are_those_that_are_active() -> None:
    env = env_of(make_duo, ONE)
    assert env.possible_agents == ["generator", "a", "b"]
    env.reset(seed=0)
    assert env.agents == ["generator"]
    env.step({"generator": chosen(2.0, 9)})
    assert env.agents == ["a", "b"]
    env.step({"a": STOP, "b": EARN})
    assert env.agents == ["b"]
    env.step({"b": STOP})
    assert env.agents == []


def test_where_an_env_of_several_agents_is_cut_every_living_one_is_truncated() -> None:
    env = env_of(make_duo, ONE)
    begun(env, gain=2.0, horizon=3)
    _, _, terminateds, truncateds, _ = env.step({"a": EARN, "b": STOP})
    assert terminateds == {"a": False, "b": True, "__all__": False}
    env.step({"a": EARN})
    _, _, terminateds, truncateds, _ = env.step({"a": EARN})
    assert terminateds == {"a": False, "__all__": False}
    assert truncateds == {"a": True, "__all__": False}
    _, rewards, terminateds, _, _ = env.step({})
    assert rewards == {"generator": pytest.approx(-6.0)}
    assert env.returns == pytest.approx({"a": 6.0, "b": 0.0, "generator": -6.0})


def test_an_agent_that_waits_for_its_turn_is_terminated_with_the_others() -> None:
    env = env_of(Make(Turns), ONE)
    seen, *_ = begun(env, horizon=3)
    assert seen.keys() == {"a"}
    env.step({"a": 0})
    env.step({"b": 0})
    seen, rewards, terminateds, _, _ = env.step({"a": 0})
    assert seen.keys() == {"b"}
    assert terminateds == {"a": True, "b": True, "__all__": False}
    _, rewards, _, _, _ = env.step({})
    assert rewards == {"generator": pytest.approx(-3 * 2.0 + 3 * 1.0)}


# Two teams


def test_two_teams_play_the_same_level_from_the_same_seed_in_envs_of_their_own() -> None:
    env = env_of(make_walk, TWO)
    first, other = (team.inner.env for team in env._teams)
    assert first is not other
    starts = []
    for _ in range(3):
        seen, _, _, _, infos = begun(env)
        assert seen["protagonist"].tolist() == seen["antagonist"].tolist()
        assert infos["protagonist"]["level"] is infos["antagonist"]["level"]
        starts.append(seen["protagonist"].tolist())
        seen, *_ = env.step({"protagonist": EARN, "antagonist": REST})
        assert seen["protagonist"].tolist() == seen["antagonist"].tolist()
    assert len({tuple(start) for start in starts}) == 3
    assert first.level == other.level
    assert first.level is not other.level


def test_a_team_that_has_ended_waits_for_the_other() -> None:
    env = env_of(make_walk, TWO)
    begun(env, gain=2.0, horizon=4)
    found = [
        env.step({"protagonist": EARN, "antagonist": EARN}),
        env.step({"protagonist": STOP, "antagonist": EARN}),
        env.step({"antagonist": EARN}),
        env.step({"antagonist": REST}),
    ]
    assert [sorted(step[0]) for step in found] == [
        ["antagonist", "protagonist"],
        ["antagonist", "protagonist"],
        ["antagonist"],
        ["antagonist"],
    ]
    assert found[1][2] == {"protagonist": True, "antagonist": False, "__all__": False}
    assert found[3][3] == {"antagonist": True, "__all__": False}
    _, rewards, _, _, _ = env.step({})
    assert rewards == {"generator": pytest.approx(6.0 - 2.0)}
    assert env.returns == pytest.approx({"protagonist": 2.0, "antagonist": 6.0, "generator": 4.0})
    assert env.length == 4


def test_success_is_that_of_the_protagonist() -> None:
    env = env_of(make_walk, TWO)
    begun(env, horizon=3)
    env.step({"protagonist": STOP, "antagonist": EARN})
    env.step({"antagonist": EARN})
    env.step({"antagonist": EARN})
    assert env.successes == {"protagonist": False}


def test_teams_of_several_agents_have_their_names_in_front() -> None:
    env = env_of(make_duo, TWO)
    assert env.possible_agents == [
        "generator",
        "protagonist/a",
        "protagonist/b",
        "antagonist/a",
        "antagonist/b",
    ]
    seen, *_ = begun(env, gain=2.0, horizon=9)
    assert list(seen) == env.possible_agents[1:]
    env.step(dict.fromkeys(seen, EARN))
    env.step(dict.fromkeys(seen, STOP) | {"antagonist/b": EARN})
    env.step({"antagonist/b": STOP})
    _, rewards, _, _, _ = env.step({})
    assert rewards == {"generator": pytest.approx(6.0 - 4.0)}


# What the generator sees


def test_the_generator_sees_noise_and_how_the_teams_did_lately() -> None:
    env = env_of(make_walk, TWO)
    seen, _ = env.reset(seed=0)
    assert env.observation_spaces["generator"] == Box(-1.0, 1.0, (4,), np.float32)
    noise = [seen["generator"][:2].tolist()]
    assert seen["generator"][2:].tolist() == [0.0, 0.0]
    for earned in (1, 2, 3, 4):
        env.step({"generator": chosen(2.0, 9)})
        for _ in range(earned):
            env.step({"protagonist": EARN, "antagonist": REST})
        env.step({"protagonist": STOP, "antagonist": STOP})
        env.step({})
        seen, _ = env.reset()
        noise.append(seen["generator"][:2].tolist())
        assert env.observation_spaces["generator"].contains(seen["generator"])
    # Of the returns 2, 4, 6 and 8 the last three count.
    assert seen["generator"][2:].tolist() == pytest.approx([squashed(6.0), 0.0])
    assert len({tuple(each) for each in noise}) == 5


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_squashed_returns_keep_their_order_and_sign(values: list[float]) -> None:
    one, other = values
    assert -1 < squashed(one) < 1
    assert squashed(-one) == -squashed(one)
    if one < other:
        assert squashed(one) <= squashed(other)


def test_squashed_returns_by_hand() -> None:
    assert squashed(0.0) == 0.0
    assert squashed(np.e - 1) == pytest.approx(0.5)
    assert squashed(-(np.e**3 - 1)) == pytest.approx(-0.75)


def test_an_episode_that_was_cut_off_is_not_remembered() -> None:
    env = env_of(make_walk, ONE)
    begun(env, seed=0)
    env.step({"student": EARN})
    seen, _ = env.reset()
    assert seen["generator"][2:].tolist() == [0.0]


@given(seed=seeds)
def test_the_seed_of_a_reset_decides_all_that_follows(seed: int) -> None:
    lives = []
    used = env_of(make_walk, TWO)
    begun(used, seed=1)
    used.step({"protagonist": EARN, "antagonist": STOP})
    used.step({"protagonist": STOP})
    used.step({})
    for env in (env_of(make_walk, TWO), used):
        life = [env.reset(seed=seed)[0]["generator"].tolist()]
        for _ in range(2):
            seen, *_ = env.step({"generator": chosen(3.0, 5)})
            life.append(seen["antagonist"].tolist())
            env.step({"protagonist": STOP, "antagonist": STOP})
            env.step({})
            life.append(env.reset()[0]["generator"].tolist())
        lives.append(life)
    assert lives[0] == lives[1]


# Suites


def test_a_suite_is_played_without_generator_and_antagonist() -> None:
    env = env_of(make_walk, TWO, max_steps=5, revision=2)
    begun(env, seed=0)
    env.schedule(SUITE)
    for play, length in zip(SUITE, (5, 4), strict=True):
        seen, infos = env.reset()
        assert seen.keys() == infos.keys() == {"protagonist"}
        assert dict(infos["protagonist"]["level"]) == play.level
        assert infos["protagonist"]["level"].play == play.index
        assert infos["protagonist"]["level"].revision == 2
        ends = []
        for _ in range(length):
            seen, rewards, terminateds, _, _ = env.step({"protagonist": EARN})
            assert seen.keys() == rewards.keys() == {"protagonist"}
            ends.append(terminateds["__all__"])
        assert ends == [False] * (length - 1) + [True]
        assert env.returns == {"protagonist": play.level["gain"] * length}
        assert env.length == length
    # A filler.
    _, infos = env.reset()
    assert infos["protagonist"]["level"].play is None


def test_a_suite_leaves_no_trace_in_training() -> None:
    env = env_of(make_walk, ONE)
    env.reset(seed=0)
    env.schedule(SUITE)
    env.reset()
    while not env.step({"student": EARN})[2]["__all__"]:
        pass
    env.schedule(())
    assert env.reset()[0]["generator"][2:].tolist() == [0.0]


def test_the_same_play_starts_the_same_whatever_was_before() -> None:
    one, two = env_of(make_walk, ONE), env_of(make_walk, TWO)
    begun(two, seed=3)
    starts = []
    for env in (one, two):
        env.schedule(SUITE)
        starts.append(next(iter(env.reset()[0].values())).tolist())
    assert starts[0] == starts[1]


# As a level env


def test_levels_are_counted_under_the_revision_that_was_pushed() -> None:
    env = env_of(make_walk, ONE)
    assert env.held_revision() == 0
    assert env.set_distribution(NARROW, 4) == 4
    assert env.held_revision() == 4
    *_, infos = begun(env, gain=2.0, seed=0)
    assert infos["student"]["level"].revision == 4
    assert infos["student"]["level"]["gain"] == pytest.approx(2.0)


@pytest.mark.parametrize("env", [ByOptions, ByConstructor])
def test_levels_reach_the_teams_in_every_way(env: type[Any]) -> None:
    way = "options" if env is ByOptions else "rebuild"
    wrapped = ScenarioEnv(replace(scenario(Make(env), TWO), apply=way), TWO)
    for gain in (2.0, 5.0):
        seen, *_ = begun(wrapped, gain=gain, horizon=3)
        assert seen["protagonist"].tolist() == seen["antagonist"].tolist()
        _, rewards, *_ = wrapped.step({"protagonist": 0, "antagonist": 0})
        assert rewards == pytest.approx({"protagonist": gain, "antagonist": gain})


def test_every_knob_of_a_level_is_set() -> None:
    env = env_of(make_walk, ONE, space=ALL_KINDS)
    env.action_spaces["generator"].seed(0)
    for _ in range(5):
        env.reset()
        *_, infos = env.step({"generator": env.action_spaces["generator"].sample()})
        ALL_KINDS.check(infos["student"]["level"])
        assert infos["student"]["level"].plain() == env.env.level


def test_students_are_shown_the_level_and_the_generator_is_not() -> None:
    for make, agents in ((make_walk, ["protagonist"]), (make_duo, ["protagonist/a"])):
        env = env_of(make, TWO, condition=("horizon",))
        seen, *_ = begun(env, horizon=9)
        for agent in (*agents, agents[0].replace("prot", "ant")):
            assert env.observation_spaces[agent] == Box(-1.0, 1.0, (3,), np.float32)
            assert seen[agent][2] == 1.0
        seen, *_ = env.step(dict.fromkeys(seen, EARN))
        assert [each[2] for each in seen.values()] == [1.0] * len(seen)
        assert env.observation_spaces["generator"].shape == (4,)


def test_each_agent_has_its_spaces() -> None:
    env = env_of(make_duo, ONE)
    assert env.observation_spaces.keys() == env.action_spaces.keys() == {"generator", "a", "b"}
    assert env.get_observation_space("a") == SEEN
    assert env.get_action_space("b") == Discrete(3)
    assert set(env.get_action_space("generator").spaces) == {"gain", "horizon"}


def test_what_an_env_cannot_do_is_said_when_it_is_built() -> None:
    with pytest.raises(ValueError, match="at least one knob to set"):
        env_of(make_walk, ONE, space=EMPTY)
    with pytest.raises(ValueError, match="but the env has generator, antagonist/b, student"):
        env_of(make_impostors, ONE)


class Fragile(Walk):
    """Fails at its second step."""

    def step(self, action: Any) -> Any:
        if self._steps == 1:
            raise ValueError("too much")
        return super().step(action)


def test_last_words_tell_the_level_that_the_generator_set(tmp_path: Path) -> None:
    env = env_of(Make(Fragile), TWO, revision=7)
    env.keep_words(tmp_path)
    begun(env, gain=2.0, horizon=5)
    env.step({"protagonist": EARN, "antagonist": EARN})
    with pytest.raises(ValueError, match="too much"):
        env.step({"protagonist": EARN, "antagonist": EARN})
    words = spoken(tmp_path)
    assert words is not None
    assert (words.where, words.revision) == ("step", 7)
    assert json.dumps(words.level) == json.dumps(dict(env._teams[0].inner._guard.level or {}))
    assert words.level == pytest.approx({"gain": 2.0, "horizon": 5})
    env.close()


# As RLlib keeps it


@pytest.mark.parametrize("cuts", [(), (0,), (1,), (2,), (4,), (5,), (6,), range(7), (1, 3, 5)])
@pytest.mark.parametrize("players", [ONE, TWO], ids=["one-team", "two-teams"])
def test_the_generators_one_step_is_whole_wherever_an_episode_is_cut(
    players: Scenario, cuts: tuple[int, ...]
) -> None:
    """RLlib loses what an agent is paid while it waits; here it must not lose anything."""
    env = env_of(make_walk, players)
    seen, infos = env.reset(seed=0)
    context = seen["generator"].tolist()
    episode = MultiAgentEpisode()
    episode.add_env_reset(observations=seen, infos=infos)
    chunks = []
    while not episode.is_done:
        if episode.env_t in cuts:
            chunks.append(episode)
            episode = episode.cut(len_lookback_buffer=1)
        acting = episode.get_agents_to_act()
        assert acting == set(env.agents)
        # The protagonist stops early, and is terminated; the antagonist is cut off at the end.
        actions = dict.fromkeys(acting, STOP if episode.env_t == 3 else EARN)
        if "antagonist" in acting:
            actions["antagonist"] = EARN
        if "generator" in acting:
            actions = {"generator": chosen(2.0, 5)}
        outputs = {agent: {"action_logp": -1.0 - episode.env_t} for agent in acting}
        seen, rewards, terminateds, truncateds, infos = env.step(actions)
        episode.add_env_step(
            seen,
            actions,
            rewards,
            infos,
            terminateds=terminateds,
            truncateds=truncateds,
            extra_model_outputs=outputs,
        )
    chunks.append(episode)
    steps = [
        (agent, part)
        for chunk in chunks
        for agent, part in chunk.agent_episodes.items()
        if len(part) > 0
    ]
    ((_, own),) = [(agent, part) for agent, part in steps if agent == "generator"]
    assert len(own) == 1
    assert own.get_observations(0).tolist() == context
    assert own.get_actions(0)["horizon"] == 2
    assert (
        own.get_rewards(0)
        == env.returns["generator"]
        == pytest.approx(-4.0 if players is ONE else 6.0)
    )
    assert own.get_extra_model_outputs("action_logp", 0) == -1.0
    assert own.is_terminated
    for agent in env.possible_agents[1:]:
        parts = [part for name, part in steps if name == agent]
        paid = sum(part.get_return() for part in parts)
        assert paid == pytest.approx(env.returns[agent])
        # What was cut off by its horizon is not called terminated, which would end its value.
        assert parts[-1].is_truncated == (agent == "antagonist")
        assert parts[-1].is_terminated == (agent != "antagonist")
