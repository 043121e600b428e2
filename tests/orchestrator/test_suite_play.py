"""Suites without RLlib's sampling: the same episodes, wherever its pipelines do nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.connectors.env_to_module import FlattenObservations
from rllib_catalogue import (
    METER,
    Bare,
    ByMethod,
    Pair,
    configured,
    filtered,
    meter,
    pole,
    swing,
    tiny_dqn,
    tiny_ppo,
    tiny_sac,
)

from orchestrator import rllib
from orchestrator.episodes import Episode
from orchestrator.flaws import NotFinite
from orchestrator.levels import Play
from orchestrator.rllib import running
from orchestrator.rllib.acting import acting
from orchestrator.suites import draw_suite

pytestmark = [
    pytest.mark.ray,
    # gymnasium's own checker warns about envs that show other types than they promise.
    pytest.mark.filterwarnings("ignore:.*WARN:UserWarning"),
]


class Precise(ByMethod):
    """Shows more digits than its space has, and pays by what was done with them."""

    observation_space = Box(-1.0, 1.0, (2,), np.float32)
    action_space = Box(np.float32([-3.0, 0.0]), np.float32([5.0, 0.5]))

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        shown, _, done, cut, info = super().step(action)
        return shown, float(np.sum(action)), done, cut, info

    def _see(self) -> Any:
        return self.np_random.uniform(-1.0, 1.0, 2)


class Counting(ByMethod):
    """Shows a number."""

    observation_space = Discrete(5)

    def _see(self) -> Any:
        return int(self.np_random.integers(5))


class Blind(ByMethod):
    """Shows nothing from its second step on."""

    def _see(self) -> Any:
        return np.full(2, np.nan if self._steps > 1 else 0.0, np.float32)


class Nested(Bare):
    """Shows two things by name."""

    observation_space = Dict({"one": Discrete(2), "two": Discrete(3)})

    def set_level(self, level: dict[str, Any]) -> None:
        self._gain, self._horizon = level["gain"], level["horizon"]

    def _see(self) -> Any:
        return {"one": 1, "two": 2}


class Watching(RLlibCallback):  # type: ignore[misc]
    """Somebody else's callback."""


def clipping_ppo() -> AlgorithmConfig:
    return tiny_ppo().environment(normalize_actions=False, clip_actions=True)


def flattening(config: AlgorithmConfig) -> AlgorithmConfig:
    return config.env_runners(env_to_module_connector=lambda *_, **__: FlattenObservations())


PLAIN: dict[str, Callable[[], AlgorithmConfig]] = {
    "ppo": lambda: configured(tiny_ppo(), pole()),
    "ppo, continuous": lambda: configured(tiny_ppo(), swing()),
    "ppo, bounds of its own": lambda: configured(tiny_ppo(), meter(Precise)),
    "ppo, clipped": lambda: configured(clipping_ppo(), meter(Precise)),
    "dqn": lambda: configured(tiny_dqn(), pole()),
    "sac": lambda: configured(tiny_sac(), swing()),
}


def built(config: AlgorithmConfig) -> Algorithm:
    return rllib.build(config, {}, "test")


def suite_of(algorithm: Algorithm, levels: int) -> tuple[Play, ...]:
    space = algorithm.config.env_config["setup"].distribution.space
    return draw_suite(space, "select", levels, 0)


def lengths(episodes: list[Episode]) -> list[tuple[int | None, int, bool | None]]:
    return [(episode.play, episode.length, episode.success) for episode in episodes]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("levels", [3, 11])
def test_episodes_are_those_of_rllibs_own_sampling(
    ray_runtime: None, monkeypatch: pytest.MonkeyPatch, name: str, levels: int
) -> None:
    algorithm = built(PLAIN[name]())
    try:
        for _ in range(2):
            algorithm.train()
        suite = suite_of(algorithm, levels)
        stepped, steps = rllib.play(algorithm, suite)
        # There is nobody to be repeated until the others are done.
        assert steps == sum(episode.length for episode in stepped)
        monkeypatch.setattr(running, "acting", lambda runner: None)
        sampled, more_steps = rllib.play(algorithm, suite)
    finally:
        algorithm.stop()
    assert more_steps > steps
    assert lengths(stepped) == lengths(sampled)
    assert [dict(episode.level) for episode in stepped] == [dict(e.level) for e in sampled]
    # The number of envs at play changes the order of the sums in the net, by rounding alone.
    assert [e.total() for e in stepped] == pytest.approx([e.total() for e in sampled], rel=1e-3)


@pytest.mark.parametrize(
    "config",
    [
        lambda: configured(filtered(tiny_ppo()), pole()),
        lambda: configured(tiny_ppo().rl_module(model_config={"use_lstm": True}), pole()),
        lambda: configured(tiny_ppo(), meter(Pair)),
        lambda: configured(flattening(tiny_ppo()), meter(Counting)),
        lambda: configured(flattening(tiny_ppo()), meter(Nested)),
        lambda: configured(tiny_ppo().callbacks(on_episode_end=print), pole()),
    ],
    ids=["filter", "lstm", "agents", "connector", "nested", "callback"],
)
def test_whatever_is_not_plain_goes_through_rllibs_own_sampling(
    ray_runtime: None, config: Callable[[], AlgorithmConfig]
) -> None:
    algorithm = built(config())
    try:
        assert acting(algorithm.eval_env_runner) is None
    finally:
        algorithm.stop()


def test_somebody_elses_callback_is_called(ray_runtime: None) -> None:
    algorithm = built(configured(tiny_ppo(), pole()))
    try:
        assert acting(algorithm.eval_env_runner) is not None
        algorithm.eval_env_runner._callbacks.append(Watching())
        assert acting(algorithm.eval_env_runner) is None
    finally:
        algorithm.stop()


def test_an_observation_that_is_no_number_is_named_with_its_step(ray_runtime: None) -> None:
    algorithm = built(configured(tiny_ppo(), meter(Blind)))
    try:
        with pytest.raises(NotFinite, match="the observation at step 2 is nan"):
            rllib.play(algorithm, draw_suite(METER, "select", 2, 0))
    finally:
        algorithm.stop()
