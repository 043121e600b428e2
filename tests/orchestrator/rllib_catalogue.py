"""Small envs and RLlib configs that the suites share; importable in Ray's workers too."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.tune import Trainable

from experiments.envs.cartpole import CartPole
from experiments.envs.pendulum import Pendulum
from orchestrator import rllib
from orchestrator.apply import ApplyKind
from orchestrator.curricula import Curriculum, Move, Outlook, Seen, Stand
from orchestrator.distributions import Distribution, EnvSpace, Level, Product
from orchestrator.knobs import Continuous, Integer, Range
from orchestrator.level_env import EnvSetup
from orchestrator.member import Blueprint
from orchestrator.scenario import GENERATOR, policy_of
from orchestrator.stop import Stop
from orchestrator.suites import SELECT, draw_suite

# A step on a level of `METER` pays its gain, and an episode has its horizon's length: what an
# episode returned tells on which level it really was played.
METER = EnvSpace({"gain": Continuous(1.0, 10.0), "horizon": Integer(3, 9)})
NARROW = Product(METER, {"gain": Range(8.0, 9.0), "horizon": Range(4, 5)})
POLE = EnvSpace({"gravity": Continuous(5.0, 20.0), "length": Continuous(0.25, 2.0, "log")})
NARROW_POLE = Product(POLE, {"gravity": Range(9.0, 10.0), "length": Range(0.5, 0.6)})
SWING = EnvSpace({"g": Continuous(5.0, 15.0)})
_SEEN = Box(-1.0, 1.0, (2,), np.float32)


class Bare(gymnasium.Env[Any, Any]):
    """Pays its gain at each of its steps; takes no level in any way."""

    observation_space = _SEEN
    action_space = Discrete(2)
    _gain = 1.0
    _horizon = 3

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._see(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        done = self._steps >= self._horizon
        return self._see(), self._gain, done, False, {"is_success": done} if done else {}

    def _see(self) -> Any:
        return self.np_random.uniform(-1.0, 1.0, 2).astype(np.float32)


class ByMethod(Bare):
    """Takes levels by its method."""

    def set_level(self, level: dict[str, Any]) -> None:
        self._gain, self._horizon = level["gain"], level["horizon"]


class ByAttributes(Bare):
    """Takes levels by its attributes."""

    def __init__(self) -> None:
        self.gain, self.horizon = 1.0, 3

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._gain, self._horizon = self.gain, self.horizon
        return super().step(action)


class ByOptions(Bare):
    """Takes levels by the options of its reset."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        if options is not None:
            self._gain, self._horizon = options["gain"], options["horizon"]
        return super().reset(seed=seed)


class ByConstructor(Bare):
    """Takes levels by its constructor."""

    def __init__(self, gain: float = 1.0, horizon: int = 3) -> None:
        self._gain, self._horizon = gain, horizon


class Pair(MultiAgentEnv):
    """Two agents that act together: ``a`` gets the gain and ``b`` gets minus half of it."""

    def __init__(self) -> None:
        super().__init__()
        self.agents = self.possible_agents = ["a", "b"]
        self.observation_spaces = dict.fromkeys(self.agents, _SEEN)
        self.action_spaces = dict.fromkeys(self.agents, Discrete(2))
        self._gain, self._horizon, self._rng = 1.0, 3, np.random.default_rng()

    def set_level(self, level: dict[str, Any]) -> None:
        self._gain, self._horizon = level["gain"], level["horizon"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._steps = 0
        return self._see(), {}

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        self._steps += 1
        rewards = {"a": self._gain, "b": -self._gain / 2}
        done = {"__all__": self._steps >= self._horizon}
        seen = self._see()
        return seen, rewards, done, {"__all__": False}, {a: {"is_success": True} for a in seen}

    def _see(self) -> dict[str, Any]:
        return {agent: self._rng.uniform(-1, 1, 2).astype(np.float32) for agent in self.agents}


class Turns(Pair):
    """``a`` and ``b`` act in turn; each is paid at every step, whoever acts."""

    def _see(self) -> dict[str, Any]:
        # Who sees nothing does not act.
        return {"ab"[self._steps % 2]: self._rng.uniform(-1, 1, 2).astype(np.float32)}


class Told(Trainable):  # type: ignore[misc]
    """Says what it was told, and in which process."""

    def setup(self, config: dict[str, Any]) -> None:
        self.told: list[Any] = []

    def step(self) -> dict[str, Any]:
        return {"told": list(self.told), "process": os.getpid()}

    def direct(self, directive: Any) -> None:
        self.told.append(directive)


@dataclass(frozen=True)
class Make:
    """Makes one of the envs above; `ByConstructor` with the level, the others without."""

    env: type[Any]

    def __call__(self, level: Mapping[str, Any]) -> Any:
        return self.env(**level) if self.env is ByConstructor else self.env()


def make_pole(level: Mapping[str, Any]) -> Any:
    """CartPole with levels, cut after 60 steps."""
    return gymnasium.wrappers.TimeLimit(CartPole(dict(level)), 60)


def meter(env: type[Any], apply: ApplyKind = "method", **more: Any) -> EnvSetup:
    """A set-up whose levels are those of `METER`."""
    return replace(EnvSetup(Make(env), apply, METER.full()), **more)


def pole(distribution: Distribution | None = None) -> EnvSetup:
    """A set-up of CartPole on `POLE`."""
    return EnvSetup(make_pole, "method", distribution or POLE.full(), 0, 40)


def swing() -> EnvSetup:
    """A set-up of Pendulum, which has continuous actions, cut after 30 steps."""
    return EnvSetup(_make_swing, "method", SWING.full())


def _make_swing(level: Mapping[str, Any]) -> Any:
    return gymnasium.wrappers.TimeLimit(Pendulum(dict(level)), 30)


def one_policy(agent_id: Any, *args: Any, **kwargs: Any) -> str:
    """Every agent's policy."""
    return "shared"


def tiny_ppo(remote: int = 0, envs: int = 4, steps: int = 96) -> PPOConfig:
    """PPO with a net so small that an iteration takes milliseconds."""
    config = PPOConfig()
    config.env_runners(
        num_env_runners=remote, num_envs_per_env_runner=envs, num_cpus_per_env_runner=0
    )
    config.training(train_batch_size_per_learner=steps, minibatch_size=steps // 2, num_epochs=2)
    config.rl_module(model_config={"fcnet_hiddens": [8]})
    return config


def with_kl(config: PPOConfig) -> PPOConfig:
    """With a KL target that is missed at every iteration, so that the coefficient moves."""
    return config.training(use_kl_loss=True, kl_coeff=0.3, kl_target=1e-6, lr=1e-3)


def filtered(config: AlgorithmConfig) -> AlgorithmConfig:
    """With observations normalised by what was seen so far."""
    return config.env_runners(env_to_module_connector=_mean_std)


def _mean_std(env: Any, spaces: Any, device: Any) -> Any:
    return MeanStdFilter()


def tiny_dqn(remote: int = 0) -> DQNConfig:
    """DQN that learns from its 48th step on, with a net and a buffer that are small."""
    config = DQNConfig()
    config.training(
        target_network_update_freq=40,
        lr=1e-3,
        replay_buffer_config={"type": "PrioritizedEpisodeReplayBuffer", "capacity": 400},
    )
    return _off_policy(config, remote)


def tiny_sac(remote: int = 0) -> SACConfig:
    """SAC that learns from its 48th step on, with nets and a buffer that are small."""
    config = SACConfig()
    config.training(
        actor_lr=1e-3,
        critic_lr=2e-3,
        alpha_lr=3e-3,
        replay_buffer_config={"type": "EpisodeReplayBuffer", "capacity": 400},
    )
    return _off_policy(config, remote)


def _off_policy(config: Any, remote: int) -> Any:
    config.env_runners(
        num_env_runners=remote,
        num_envs_per_env_runner=2,
        num_cpus_per_env_runner=0,
        rollout_fragment_length=4,
    )
    config.training(train_batch_size_per_learner=16, num_steps_sampled_before_learning_starts=48)
    config.rl_module(model_config={"fcnet_hiddens": [8]})
    return config.reporting(min_time_s_per_iteration=0, min_sample_timesteps_per_iteration=40)


def configured(
    config: AlgorithmConfig,
    setup: EnvSetup,
    evaluation_envs: int = 4,
    *,
    level_scores: bool = False,
) -> AlgorithmConfig:
    """``config`` on the set-up's envs; with several agents they share a policy.

    In a scenario each of its names has a policy.
    """
    several = isinstance(setup.make, Make) and issubclass(setup.make.env, MultiAgentEnv)
    if setup.scenario is not None:
        policies = {GENERATOR, *setup.scenario.names}
        config.multi_agent(policies=policies, policy_mapping_fn=policy_of)
    elif several:
        config.multi_agent(policies={"shared"}, policy_mapping_fn=one_policy)
    return rllib.configure(
        config,
        setup,
        multi_agent=several or setup.scenario is not None,
        evaluation_envs=evaluation_envs,
        level_scores=level_scores,
    )


@dataclass(frozen=True)
class Roaming(Curriculum):
    """Moves to another range of gravity now and then; its state says all that it was told.

    Attributes:
        every: iterations from one move to the next.
        probing: levels that are rolled out without gradient before each iteration.
    """

    every: int = 1
    probing: int = 0

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.full(), {"iterations": 0, "copies": 0, "last": None})

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        last = {
            "trained": sum(each.trained for each in seen.outcomes),
            "probed": [each.level for each in seen.outcomes if not each.trained],
            "solved": [each.success for each in seen.outcomes],
            "present": seen.episodes,
            "env_steps": seen.env_steps,
            "score": seen.score,
        }
        iterations = stand.state["iterations"] + 1
        return Stand(stand.distribution, {**stand.state, "iterations": iterations, "last": last})

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        if stand.state["iterations"] % self.every:
            return None
        low = float(rng.uniform(5.0, 19.0))
        space = stand.distribution.space
        marginals = {**space.full().marginals, "gravity": Range(low, low + 1.0)}
        return Move(Stand(Product(space, marginals), stand.state), f"gravity from {low:.1f}")

    def copied(self, donor: Stand, rng: np.random.Generator) -> Move:
        copies = donor.state["copies"] + 1
        return Move(Stand(donor.distribution, {**donor.state, "copies": copies}), "copied")

    def probes(self, stand: Stand, rng: np.random.Generator) -> Sequence[Level]:
        return [stand.distribution.space.full().sample(rng) for _ in range(self.probing)]

    def outlook(self, stand: Stand) -> Outlook:
        return Outlook(f"{stand.state['iterations'] % self.every} of {self.every}", waits=True)


def blueprint(interval: int = 4, algorithm: AlgorithmConfig | None = None) -> Blueprint:
    """What members that learn CartPole on `POLE` have in common."""
    return Blueprint(
        algorithm=configured(algorithm or tiny_ppo(), pole()),
        space=POLE,
        select=draw_suite(POLE, SELECT, 3, 0),
        aggregate="cvar",
        alpha=0.5,
        agents=None,
        interval=interval,
        exact=True,
        stop=Stop(),
    )


def member_state(**changes: Any) -> dict[str, Any]:
    """Where a member of that blueprint stands: at its beginning, but for the changes."""
    return {
        "arm": "main",
        "seed": 0,
        "member": 1,
        "iteration": 0,
        "env_steps": 0,
        "minutes": 0.0,
        "hyperparameters": {"lr": 1e-3},
        "distribution": POLE.full().to_json(),
        "revision": 0,
        "checkpoint": None,
        "digest": None,
        **changes,
    }


def levels_of(runner: Any) -> list[list[tuple[dict[str, Any], int]]]:
    """Reset a runner's envs four times; per sub-env the (level, revision) of each reset."""
    resets = []
    for seed in (runner._seed, None, None, None):
        _, infos = runner.env.reset(seed=seed)
        resets.append([_drawn(info) for info in infos])
    return [list(slot) for slot in zip(*resets, strict=True)]


def _drawn(info: Any) -> tuple[dict[str, Any], int]:
    info = info if "level" in info else next(iter(info.values()))
    return dict(info["level"]), info["level"].revision
