"""A stock config's env, built as RLlib builds it, with levels on top of its config."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from ray.rllib.env.env_context import EnvContext
from rllib_catalogue import METER, ByMethod, Pair

from orchestrator.apply import ApplyKind, CannotApply
from orchestrator.distributions import EnvSpace
from orchestrator.knobs import Continuous, Range
from orchestrator.level_env import LevelEnv, MultiAgentLevelEnv
from orchestrator.stock_env import LEVELED, Creator, Leveling, StockEnv, make_stock_level_env

SWING = EnvSpace({"g": Continuous(5.0, 15.0)}, {"g": Range(9.0, 10.0)})


class TakesConfig(ByMethod):
    """As RLlib's users write it, without a method for levels: all comes by the config dict."""

    set_level = None  # type: ignore[assignment]

    def __init__(self, config: Any) -> None:
        self.config = config
        self._gain, self._horizon = config["gain"], config["horizon"]
        self.pace = config.get("pace", 1)
        self.worker = config.worker_index


class ByMethodToo(ByMethod):
    """Takes levels by its method."""

    def __init__(self, config: Any) -> None:
        self.pace = config["pace"]


class Pairs(Pair):
    """Two agents."""

    def __init__(self, config: Any) -> None:
        super().__init__()


def context(
    env: str | Creator,
    space: EnvSpace = METER,
    apply: ApplyKind = "auto",
    multi_agent: bool = False,
    **config: Any,
) -> EnvContext:
    values = {**config, LEVELED: Leveling(env, space, apply, multi_agent)}
    return EnvContext(values, worker_index=3, num_workers=4)


def played(env: Any) -> tuple[dict[str, Any], float]:
    """The level of a reset, and the reward of one step on it."""
    _, info = env.reset()
    return dict(info["level"]), env.step(0)[1]


def test_a_class_gets_levels_through_its_config() -> None:
    with_levels = make_stock_level_env(context(TakesConfig, pace=7))
    levels = []
    for _ in range(3):
        level, reward = played(with_levels)
        assert reward == level["gain"]
        inner = with_levels.unwrapped
        assert isinstance(inner, TakesConfig)
        assert (inner.pace, inner.worker, inner.config.num_workers) == (7, 3, 4)
        assert LEVELED not in inner.config
        levels.append(level)
    assert len({level["gain"] for level in levels}) == 3


def test_a_class_gets_levels_through_its_method() -> None:
    with_levels = make_stock_level_env(context(ByMethodToo, pace=7))
    before = with_levels.unwrapped
    level, reward = played(with_levels)
    assert reward == level["gain"]
    assert with_levels.unwrapped is before


def test_a_gymnasium_id_gets_its_config_as_arguments() -> None:
    with_levels = make_stock_level_env(context("Pendulum-v1", SWING, render_mode="rgb_array"))
    _, info = with_levels.reset(seed=0)
    assert with_levels.render_mode == "rgb_array"
    assert with_levels.unwrapped.g == info["level"]["g"]  # type: ignore[attr-defined]
    # They start where the space says.
    assert 9.0 <= info["level"]["g"] <= 10.0


def test_knobs_of_a_gymnasium_id_may_be_arguments() -> None:
    env = StockEnv(Leveling("Pendulum-v1", SWING, "auto", False), context("Pendulum-v1"), {})
    assert env({"g": 7.5}).unwrapped.g == 7.5
    constructor = env.entry_point()
    assert constructor is type(gymnasium.make("Pendulum-v1").unwrapped)
    assert env.keys_read({"g": 7.5}) is None


def test_several_agents() -> None:
    with_levels = make_stock_level_env(context(Pairs, multi_agent=True))
    assert isinstance(with_levels, MultiAgentLevelEnv)
    _, infos = with_levels.reset()
    _, rewards, *_ = with_levels.step({"a": 0, "b": 0})
    assert rewards["a"] == infos["a"]["level"]["gain"]


def test_a_knob_that_nothing_takes_is_an_error() -> None:
    space = EnvSpace({"wind": Continuous(0.0, 1.0)})
    with pytest.raises(CannotApply, match="`wind`"):
        make_stock_level_env(context("Pendulum-v1", space))


def test_its_config_is_plain_enough_for_rllib_and_tune() -> None:
    given = context(ByMethodToo, pace=7)
    for again in (copy.deepcopy(given), pickle.loads(pickle.dumps(given))):
        with_levels = make_stock_level_env(again)
        assert isinstance(with_levels, LevelEnv)
        level, reward = played(with_levels)
        assert reward == level["gain"]


def test_sub_envs_draw_levels_of_their_own() -> None:
    envs = [make_stock_level_env(context(ByMethodToo, pace=1)) for _ in range(4)]
    gains = [played(env)[0]["gain"] for env in envs]
    assert len(np.unique(gains)) == 4
