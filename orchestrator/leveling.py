"""Stock RLlib whose envs draw levels: ``orchestrator.leveled(config, space)``."""

from __future__ import annotations

from typing import TypeVar, get_args

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.utils import force_list
from ray.tune.registry import ENV_CREATOR, _global_registry, register_env

from orchestrator.apply import ApplyKind
from orchestrator.checks import nearest
from orchestrator.distributions import EnvSpace
from orchestrator.rllib.processes import SeedOnce
from orchestrator.rllib.stock import StockLevels
from orchestrator.stock_env import LEVELED, Leveling, make_stock_level_env

ENV_NAME = "envolve-leveled"
C = TypeVar("C", bound=AlgorithmConfig)


def leveled(config: C, space: EnvSpace, *, apply: ApplyKind = "auto") -> C:
    """A copy of ``config`` whose envs draw a level of their own at each reset.

    They draw from ``space``'s start; `callbacks.EnvMutation` changes that between iterations.
    RLlib's own evaluation goes on drawing from the start, so that its numbers stay comparable.
    The env is the config's own, with the config's ``env_config``: a gymnasium id, a class, a
    name registered with Tune, or any of these for RLlib's ``MultiAgentEnv``. Call it last: a later
    ``environment(env=...)`` or ``callbacks(...)`` would undo it.

    Rewards and observations that are not finite fail the env runner, as in all of envolve.

    Args:
        config: of RLlib's new API stack, with an env.
        space: the knobs that vary.
        apply: how a level reaches a live env: ``method`` (``set_level(level)``), ``attributes``,
            ``options`` (of ``reset``), ``rebuild``; ``auto`` chooses.

    Raises:
        ValueError: if an argument is not as said here.
    """
    if LEVELED in config.env_config:
        raise ValueError("`config` must be stock, but its envs draw levels already")
    leveling = leveling_of(config, space, apply)
    register_env(ENV_NAME, make_stock_level_env)
    changed: C = config.copy(copy_frozen=False)
    changed.environment(env=ENV_NAME, env_config={LEVELED: leveling})
    changed.callbacks([*force_list(config.callbacks_class), StockLevels, SeedOnce])
    return changed


def leveling_of(config: AlgorithmConfig, space: EnvSpace, apply: ApplyKind) -> Leveling:
    """What turns the env of a stock config into one that draws levels.

    Raises:
        ValueError: as `leveled`.
    """
    if not (config.enable_rl_module_and_learner and config.enable_env_runner_and_connector_v2):
        raise ValueError(
            "`config` must be of RLlib's new API stack, but it turns that off; leave "
            "api_stack(...) out of it"
        )
    if config.env is None:
        raise ValueError("`config` must have an env, but has none: config.environment(...)")
    if apply not in get_args(ApplyKind):
        kinds = get_args(ApplyKind)
        raise ValueError(
            f"`apply` must be one of {list(kinds)}, not {apply!r}{nearest(apply, kinds)}"
        )
    env = config.env
    if isinstance(env, str) and _global_registry.contains(ENV_CREATOR, env):
        env = _global_registry.get(ENV_CREATOR, env)
    return Leveling(env, space, apply, config.is_multi_agent)
