"""The keys of RLlib's config sections: which there are, what they take, and which are not free."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.annotations import Misfit, describe, fitted
from experiments.findings import Finding
from experiments.hints import nearest, show, value_hint

#: Sections of a file's `algorithm` that are methods of RLlib's AlgorithmConfig.
SECTIONS = (
    "training",
    "env_runners",
    "learners",
    "rl_module",
    "multi_agent",
    "framework",
    "reporting",
    "debugging",
    "fault_tolerance",
    "experimental",
)

_Schedule = float | list[list[int | float]] | None

# Where RLlib takes more, or other, than its annotation says.
_ANNOTATIONS: Mapping[str, Any] = {
    "entropy_coeff": _Schedule,
    "grad_clip": float | None,
    "hiddens": list[int],
    "num_gpus_per_env_runner": float,
    "gym_env_vectorize_mode": str,
    "policies": dict[str, Any] | list[str],
    "policies_to_train": list[str] | None,
}

_CPUS = "CPUs of each process of a member are set by resources.cpus_per_member"
_OLD = "It belongs to RLlib's old API stack and would have no effect"
_LOST = (
    "envolve decides this: a restarted env runner would have lost its env distribution, so a lost "
    "one sends its member back to the last boundary"
)
_LOCAL = "envolve decides this: it reaches the envs through RLlib's own env runners"
_MODEL = "Networks are set by algorithm.rl_module.model_config"

#: Keys that cannot be given, by section, each with the reason and where to go instead.
OWNED: Mapping[str, Mapping[str, str]] = {
    "training": {
        "model": _MODEL,
        "q_model_config": _MODEL,
        "policy_model_config": _MODEL,
        "lr_schedule": "A schedule goes to lr itself: lr: [[0, 0.001], [1000000, 0.0001]]",
        "entropy_coeff_schedule": "A schedule goes to entropy_coeff itself",
        "train_batch_size": "It is called train_batch_size_per_learner",
        "before_learn_on_batch": _OLD,
    },
    "env_runners": {
        "env_runner_cls": _LOCAL,
        "create_local_env_runner": _LOCAL,
        "create_env_on_local_worker": _LOCAL,
        "num_cpus_per_env_runner": _CPUS,
    }
    | dict.fromkeys(
        (
            "use_worker_filter_stats", "update_worker_filter_stats", "exploration_config",
            "sample_collector", "remote_worker_envs", "remote_env_batch_wait_ms",
            "preprocessor_pref", "observation_filter", "enable_tf1_exec_eagerly",
            "sampler_perf_stats_ema_coef", "compress_observations",
        ),
        _OLD,
    ),
    "learners": {"num_cpus_per_learner": _CPUS},
    "multi_agent": {"observation_fn": _OLD},
    "framework": dict.fromkeys(
        ("eager_tracing", "eager_max_retraces", "tf_session_args", "local_tf_session_args"),
        "envolve trains with torch",
    ),
    "debugging": {
        "seed": "The seeds of a run go under seeds, at the top of the file: seeds: [0]",
        "fake_sampler": "It would train on no env at all",
    },
    "fault_tolerance": dict.fromkeys(
        (
            "restart_failed_env_runners", "ignore_env_runner_failures",
            "restart_failed_sub_environments", "max_num_env_runner_restarts",
            "delay_between_env_runner_restarts_s",
            "num_consecutive_env_runner_failures_tolerance", "env_runner_restore_timeout_s",
        ),
        _LOST,
    ),
    "experimental": {
        "_validate_config": "Without RLlib's own checks a mistake would surface in mid-run",
        "_use_msgpack_checkpoints": "Checkpoints have one format, which envolve verifies",
    },
}  # fmt: skip

# Legal range of keys whose mistakes RLlib finds late or never: low, high; None: no limit.
_BOUNDS: Mapping[str, tuple[float, float | None]] = {
    "lr": (0, None),
    "gamma": (0, 1),
    "lambda_": (0, 1),
    "num_epochs": (1, None),
    "minibatch_size": (1, None),
    "train_batch_size_per_learner": (1, None),
    "num_env_runners": (0, None),
    "num_envs_per_env_runner": (1, None),
    "num_learners": (0, None),
}


@dataclass(frozen=True)
class Keys:
    """The keys of one section of one algorithm: their annotations, and those RLlib gave up."""

    section: str
    annotations: Mapping[str, Any]
    deprecated: frozenset[str]

    def check(self, at: Sequence[str], name: str, value: Any) -> tuple[Any, Finding | None]:
        """The value as RLlib takes it, or what is wrong with the key or its value."""
        key = (*at, name)
        where = f"algorithm.{self.section}"
        if name in OWNED.get(self.section, {}):
            reason = OWNED[self.section][name]
            return None, Finding(key, f"must not be given in {where}", show(value), reason)
        if name in self.deprecated:
            must = f"must be a key of {where} that RLlib still has"
            return None, Finding(key, must, show(name), nearest(name, self.usable))
        if name not in self.annotations:
            must = f"must be a key of {where}"
            return None, Finding(key, must, show(name), nearest(name, self.usable))
        annotation = self.annotations[name]
        try:
            return _within(name, fitted(annotation, value)), None
        except _OutOfBoundsError as error:
            return None, Finding(key, str(error), show(value))
        except Misfit as error:
            must = f"must be {describe(annotation)}"
            return None, Finding(key, must, show(value), error.hint or value_hint(value, must))

    @property
    def usable(self) -> list[str]:
        """Keys that a file may have, private ones left out."""
        owned = OWNED.get(self.section, {})
        return sorted(n for n in self.annotations if n not in owned and not n.startswith("_"))


def keys_of(config_class: type, section: str) -> Keys:
    """The keys of a section, from the signatures of the class and, through ``**kwargs``, above."""
    from ray._common.deprecation import DEPRECATED_VALUE

    annotations: dict[str, Any] = {}
    deprecated: set[str] = set()
    for each in config_class.__mro__:
        if section not in vars(each):
            continue
        passes_on = False
        for parameter in inspect.signature(vars(each)[section]).parameters.values():
            name = parameter.name
            passes_on |= parameter.kind is parameter.VAR_KEYWORD
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if name == "self" or name in annotations or name in deprecated:
                continue
            annotated = parameter.annotation is not parameter.empty
            if not annotated and parameter.default == DEPRECATED_VALUE:
                deprecated.add(name)
            else:
                annotations[name] = _ANNOTATIONS.get(name, parameter.annotation)
        if not passes_on:
            break
    return Keys(section, annotations, frozenset(deprecated))


class _OutOfBoundsError(ValueError):
    """A number of the right type that cannot be meant."""


def _within(name: str, value: Any) -> Any:
    if name in _BOUNDS and isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _BOUNDS[name]
        if value < low or (high is not None and value > high):
            limits = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise _OutOfBoundsError(f"must be a number {limits}")
    return value
