"""A stock Algorithm in the words of an experiment file: its env, and what differs from defaults."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.registry import ALGORITHMS
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.tune.registry import ENV_CREATOR, _global_registry

from orchestrator.rllib.building import as_member

# Sections of a file that are methods of AlgorithmConfig. Not among them: what a run of ours
# decides itself (seeds, fault tolerance, callbacks, RLlib's own evaluation).
_SECTIONS = ("training", "env_runners", "learners", "rl_module", "multi_agent", "reporting")

# Keys that a file must not give: resources, which a file gives elsewhere, and RLlib's old API.
_NOT_IN_A_FILE = frozenset(
    {
        "model", "q_model_config", "policy_model_config", "lr_schedule", "entropy_coeff_schedule",
        "train_batch_size", "before_learn_on_batch", "create_local_env_runner",
        "create_env_on_local_worker", "num_cpus_per_env_runner", "num_cpus_per_learner",
        "use_worker_filter_stats", "update_worker_filter_stats", "exploration_config",
        "sample_collector", "remote_worker_envs", "remote_env_batch_wait_ms",
        "preprocessor_pref", "observation_filter", "enable_tf1_exec_eagerly",
        "sampler_perf_stats_ema_coef", "compress_observations", "observation_fn",
    }
)  # fmt: skip

# Where a section's argument is kept under another name than its own, with or without "_".
_KEPT_AS = {"optimization_config": "optimization"}


class Untellable(ValueError):
    """A value that no file can hold; the message says why."""


@dataclass(frozen=True)
class Description:
    """What a file says of an Algorithm.

    Attributes:
        env: the section ``env``: ``id`` and ``config``.
        algorithm: the section ``algorithm``: its name, and RLlib's sections.
        untold: ``key: why`` for all that no file can say. A run from the sections alone would
            be another one.
    """

    env: Mapping[str, Any]
    algorithm: Mapping[str, Any]
    untold: tuple[str, ...]


def describe(config: AlgorithmConfig, kind: type[Algorithm]) -> Description:
    """An Algorithm of this kind and config, as plain JSON values; calls nothing of the user's."""
    untold: list[str] = []

    def told(key: str, tell: Callable[[Any], Any], value: Any) -> Any:
        try:
            return tell(value)
        except Untellable as error:
            untold.append(f"{key}: {error}")
            return _shown(value)

    env = {
        "id": told("env.id", _env_id, config.env),
        "config": {
            name: told(f"env.config.{name}", _plain, value)
            for name, value in dict(config.env_config).items()
        },
    }
    sections: dict[str, Any] = {"name": told("algorithm.name", _name(config), kind)}
    for section, name, value in _differences(config):
        key = f"algorithm.{section}.{name}"
        sections.setdefault(section, {})[name] = told(key, _plain, value)
    if _has_callbacks(config):
        untold.append("callbacks: a file has none")
    if config.is_multi_agent:
        sections["multi_agent"] = told("algorithm.multi_agent", _agents, config)
    return Description(env, sections, tuple(untold))


def _differences(config: AlgorithmConfig) -> Iterator[tuple[str, str, Any]]:
    """(section, key, value) of what differs from the class's defaults."""
    default = as_member(type(config)())
    seen = set(_NOT_IN_A_FILE)
    for section in _SECTIONS:
        for name in _arguments(type(config), section):
            if name in seen or section == "multi_agent":
                continue
            seen.add(name)
            value, usual = _kept(config, name), _kept(default, name)
            if not _same(value, usual):
                yield section, name, value


def _arguments(config_class: type[Any], section: str) -> Iterator[str]:
    """A section's arguments, those that it passes on to the class above among them."""
    for each in config_class.__mro__:
        if section not in vars(each):
            continue
        parameters = inspect.signature(vars(each)[section]).parameters.values()
        variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        yield from (p.name for p in parameters if p.name != "self" and p.kind not in variable)
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            return


def _kept(config: AlgorithmConfig, name: str) -> Any:
    """The value of a section's argument; None where the config keeps none."""
    if name == "train_batch_size_per_learner":
        # It stands in for the old name as well.
        return config.train_batch_size_per_learner
    values = vars(config)
    return values.get(f"_{name}", values.get(_KEPT_AS.get(name, name)))


def _same(value: Any, usual: Any) -> bool:
    try:
        return bool(_plain(value) == _plain(usual))
    except Untellable:
        return value is usual


def _name(config: AlgorithmConfig) -> Callable[[type[Algorithm]], str]:
    def name_of(kind: type[Algorithm]) -> str:
        name = kind.__name__
        if name in ALGORITHMS:
            stock, default = ALGORITHMS[name]()
            if kind is stock and type(config) is type(default):
                return name
        raise Untellable(f"{name} with a {type(config).__name__} must be one of RLlib's own")

    return name_of


def _shown(value: Any) -> str:
    """What stands in the place of a value that cannot be told."""
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}:{name}" if name else repr(value)[:80]


def _has_callbacks(config: AlgorithmConfig) -> bool:
    hooks = [value for name, value in vars(config).items() if name.startswith("callbacks_on_")]
    return config.callbacks_class not in (RLlibCallback, []) or any(hooks)


def _agents(config: AlgorithmConfig) -> dict[str, Any]:
    policies = config.policies
    if isinstance(policies, Mapping):
        for name, spec in policies.items():
            if getattr(spec, "config", None) or getattr(spec, "policy_class", None):
                raise Untellable(f"policy {name} must have no settings of its own")
    section: dict[str, Any] = {"policies": sorted(str(name) for name in policies)}
    if len(policies) > 1:
        section["policy_mapping_fn"] = _plain(config.policy_mapping_fn)
    if config.policies_to_train is not None:
        section["policies_to_train"] = _plain(config.policies_to_train)
    return section


def _env_id(env: Any) -> str:
    if env is None:
        raise Untellable("there must be an env")
    if not isinstance(env, str):
        return reference(env)
    # RLlib's own registry of envs, which lives in Tune.
    if _global_registry.contains(ENV_CREATOR, env):
        return reference(_global_registry.get(ENV_CREATOR, env))
    if env in gymnasium.registry:
        return _with_module(env)
    module, dot, name = env.rpartition(".")
    return f"{module}:{name}" if dot else env


def _with_module(env: str) -> str:
    """A gymnasium id, and the module whose import registers it if that is not gymnasium."""
    entry = gymnasium.registry[env].entry_point
    module = entry.partition(":")[0] if isinstance(entry, str) else getattr(entry, "__module__", "")
    if module.partition(".")[0] == "gymnasium":
        return env
    if module in ("", "__main__"):
        raise Untellable(f"{env} is registered by the script itself")
    return f"{module}:{env}"


def _plain(value: Any) -> Any:
    """A value as JSON has it; classes and functions as ``package.module:attribute``.

    Raises:
        Untellable: if there is no way.
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Untellable(f"{value} is no number that a file can hold")
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(each) for each in value), key=str)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise Untellable("a mapping's keys must be texts")
        return {key: _plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _set_fields(value)
    return reference(value)


def _set_fields(value: Any) -> dict[str, Any]:
    """The fields of RLlib's model config that are not as they are by default."""
    if not type(value).__module__.startswith("ray.rllib.core.rl_module.default_model_config"):
        raise Untellable(f"a value of type {type(value).__name__} cannot be written down")
    usual = type(value)()
    fields = [field.name for field in dataclasses.fields(value)]
    found = {name: getattr(value, name) for name in fields}
    return {k: _plain(v) for k, v in found.items() if v != getattr(usual, k)}


def reference(value: Any) -> str:
    """``package.module:attribute`` of a class or function.

    Raises:
        Untellable: if that would not import the same one in another process.
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module is None or name is None:
        raise Untellable(f"a value of type {type(value).__name__} cannot be written down")
    if module == "__main__":
        raise Untellable(f"{name} is defined in the script itself")
    if "<" in name:
        raise Untellable(f"{name} of {module} is made in a function, or a lambda")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        found = None
    if found is not value:
        raise Untellable(f"{name} must be what {module} has by that name")
    return f"{module}:{name}"


__all__ = ["Description", "Untellable", "describe", "reference"]
