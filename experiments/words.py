"""The words of neighbouring tools, and what each is called here: data, no rules.

A user who knows Ray Tune, RLlib's old API stack, Weights & Biases sweeps, Optuna, Hydra or Stable
Baselines writes their words first. Each is answered with ours, and where it goes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from experiments.kind_words import KIND_TABLES, STAGE_WORDS, UNTIL_WORDS
from experiments.word_groups import (
    CHECKPOINT_WORDS,
    CPUS,
    ENV_STEPS,
    GPUS,
    MODEL,
    NEW_STACK,
    PER_RUNNER,
    RESUME,
    RUN_DIR,
    RUNNER_KEYS,
    RUNNERS,
    SCHEDULER_WORDS,
    SEARCH,
    SEED,
    SIZE,
    STOP_WORDS,
    TRAINING_KEYS,
    TRAINING_OTHERS,
    TRIAL_ENV,
    Word,
    no,
    to,
)

Path = tuple[str | int, ...]

_TOP: Mapping[str, Word] = {
    **TRAINING_KEYS, **TRAINING_OTHERS, **RUNNER_KEYS, **STOP_WORDS, **CHECKPOINT_WORDS,
    **SCHEDULER_WORDS,
    "version": to("envolve", "envolve: 1"),
    "environment": to("env"),
    "env_id": TRIAL_ENV,
    "env_config": to("env.config"),
    "env_name": TRIAL_ENV,
    "knobs": to("env.knobs"),
    "algo": to("algorithm", "algorithm: {name: VALUE}"),
    "run": to("algorithm.name", "algorithm: {name: VALUE}"),
    "training": to("algorithm.training"),
    "env_runners": to("algorithm.env_runners"),
    "rl_module": to("algorithm.rl_module"),
    "model": MODEL,
    "model_config": MODEL,
    "search": to("algorithm.search"),
    "param_space": SEARCH,
    "search_space": SEARCH,
    "parameters": SEARCH,
    "seed": SEED,
    "random_seed": SEED,
    "num_seeds": to("seeds", "seeds: [0, 1, 2]"),
    "stopping": to("stop"),
    "stop_criteria": to("stop"),
    "checkpoints": to("checkpoint"),
    "checkpointing": to("checkpoint"),
    "checkpoint_config": to("checkpoint"),
    "eval": to("evaluation"),
    "variants": to("arms"),
    "experiments": to("arms"),
    "grid": no("A grid stands in the place of a value: algorithm.training.lr: {grid: [...]}"),
    "grid_search": no("A grid stands in the place of a value: training: {lr: {grid: [...]}}"),
    "defaults": no("One file holds one experiment; its variants go under arms"),
    "num_cpus": CPUS,
    "num_gpus": GPUS,
    "resources_per_trial": to("resources"),
    "max_concurrent_trials": to("resources.max_resident"),
    "max_concurrent": to("resources.max_resident"),
    "framework": to("algorithm.framework"),
    "callbacks": no("Callbacks cannot be given in this version"),
    "storage_path": RUN_DIR,
    "local_dir": RUN_DIR,
    "output_dir": RUN_DIR,
    "run_dir": RUN_DIR,
    "resume": RESUME,
    "max_failures": no("A member that fails goes back to its last boundary by itself"),
    "logging": to("loggers", "loggers: [wandb], or [mlflow]"),
    "logger": to("loggers", "loggers: [wandb], or [mlflow]"),
    "wandb": to("loggers", "loggers: [wandb]"),
    "mlflow": to("loggers", "loggers: [mlflow]"),
    "tensorboard": no("TensorBoard reads every run as it is: tensorboard --logdir RUN"),
}  # fmt: skip

_RANGE: Mapping[str, Word] = {
    "min": to("low", "low: VALUE"),
    "max": to("high", "high: VALUE"),
    "minimum": to("low", "low: VALUE"),
    "maximum": to("high", "high: VALUE"),
    "lower": to("low", "low: VALUE"),
    "upper": to("high", "high: VALUE"),
    "lo": to("low", "low: VALUE"),
    "hi": to("high", "high: VALUE"),
    "range": no("A range is written {low: ..., high: ...}"),
    "bounds": no("A range is written {low: ..., high: ...}"),
    "uniform": no("A range is written {low: ..., high: ...}"),
    "loguniform": no("A range is written {low: ..., high: ..., scale: log}"),
    "log": to("scale", "scale: log, or scale: linear"),
    "log_scale": to("scale", "scale: log"),
    "distribution": to("scale", "scale: linear (uniform) or scale: log (loguniform)"),
    "type": no("The type follows from the keys; whole numbers take integer: true"),
    "dtype": no("The type follows from the keys; whole numbers take integer: true"),
    "int": to("integer", "integer: true"),
    "is_int": to("integer", "integer: true"),
    "step": no("A knob has no step; whole numbers take integer: true, lists take choices"),
    "q": no("A knob has no step; whole numbers take integer: true, lists take choices"),
    "values": to("choices", "choices: VALUE"),
    "options": to("choices", "choices: VALUE"),
    "categorical": to("choices", "choices: VALUE"),
    "choice": to("choices", "choices: VALUE"),
    "value": no("What never changes goes under env.config or algorithm.training"),
}
_KNOB: Mapping[str, Word] = {
    **_RANGE,
    "default": to("start", "start: {low: VALUE, high: VALUE}"),
    "initial": to("start", "start: {low: VALUE, high: VALUE}"),
    "init": to("start", "start: {low: VALUE, high: VALUE}"),
    "weights": to("start", "start: {weights: VALUE}"),
    "probabilities": to("start", "start: {weights: VALUE}"),
    "dirichlet": to("simplex", "simplex: [term, other_term]"),
    "terms": to("simplex", "simplex: VALUE"),
    "multi_binary": to("cells", "cells: VALUE"),
    "subset": to("cells", "cells: 121, which is the whole grid"),
    "mask": to("cells", "cells: 121, which is the whole grid"),
}
_SEARCH_KNOB: Mapping[str, Word] = {
    **_RANGE,
    "simplex": no("Only a knob of the env can be a simplex"),
    "cells": no("Only a knob of the env can be a set of cells"),
    "start": no("What a searched key starts from is drawn; population.initial says how"),
    "default": no("What a searched key starts from is drawn; population.initial says how"),
}

_SEARCHED: Mapping[str, Word] = {
    word: ours for word, ours in TRAINING_OTHERS.items() if ours.key is not None
} | {"training": no("Keys of search are keys of training themselves: search: {lr: ...}")}

_OLD_MODEL = to("algorithm.rl_module.model_config", "rl_module: {model_config: VALUE}")
_TRAINING: Mapping[str, Word] = {
    **TRAINING_OTHERS,
    **RUNNER_KEYS,
    "model": _OLD_MODEL,
    "fcnet_hiddens": to("algorithm.rl_module.model_config.fcnet_hiddens"),
    "lr_schedule": to("algorithm.training.lr", "lr: [[0, 0.001], [1000000, 0.0001]]"),
    "entropy_coeff_schedule": to("algorithm.training.entropy_coeff"),
    "num_gpus": GPUS,
    "seed": SEED,
}
# A key under env_runners of its right name is no stranger there.
_ENV_RUNNERS: Mapping[str, Word] = {
    word: ours
    for word, ours in RUNNER_KEYS.items()
    if ours.key is None or ours.key.split(".")[-1] != word
} | {"num_gpus": GPUS, "env": to("env.id"), "env_config": to("env.config")}
_RL_MODULE: Mapping[str, Word] = {
    "model": _OLD_MODEL,
    "fcnet_hiddens": to("algorithm.rl_module.model_config.fcnet_hiddens"),
    "fcnet_activation": to("algorithm.rl_module.model_config.fcnet_activation"),
    "use_lstm": to("algorithm.rl_module.model_config.use_lstm"),
}

_ALGORITHM: Mapping[str, Word] = {
    **TRAINING_KEYS, **TRAINING_OTHERS, **RUNNER_KEYS,
    "id": to("algorithm.name", "name: VALUE"),
    "kind": to("algorithm.name", "name: VALUE"),
    "algo": to("algorithm.name", "name: VALUE"),
    "type": to("algorithm.name", "name: VALUE"),
    "class": to("algorithm.name", "name: VALUE"),
    "model": MODEL,
    "model_config": MODEL,
    "fcnet_hiddens": to("algorithm.rl_module.model_config.fcnet_hiddens"),
    "config": no("RLlib's keys go under its own sections: training, env_runners, rl_module, ..."),
    "rollouts": to("algorithm.env_runners"),
    "seed": SEED,
    "num_learners": to("algorithm.learners.num_learners"),
    "num_gpus_per_learner": to("algorithm.learners.num_gpus_per_learner"),
    "policies": to("algorithm.multi_agent.policies"),
    "policy_mapping_fn": to("algorithm.multi_agent.policy_mapping_fn"),
    "explore": to("algorithm.env_runners.explore"),
    "num_gpus": GPUS,
    "env": to("env.id"),
    "env_config": to("env.config"),
    "hyperparameters": to("algorithm.training"),
    "params": to("algorithm.training"),
    # RLlib's sections that envolve has to own.
    "resources": to("resources", "resources: {cpus_per_member: 1}, at the top of the file"),
    "evaluation": to("evaluation", "evaluation: {levels: 16}, at the top of the file"),
    "environment": to("env", "env: {id: CartPole}, at the top of the file"),
    "checkpointing": to("checkpoint", "checkpoint: {keep_best: 3}, at the top of the file"),
    "callbacks": no("envolve needs RLlib's callbacks itself; they cannot be set in this version"),
    "api_stack": NEW_STACK,
    "python_environment": no("Workers run in the environment that the command runs in"),
}  # fmt: skip

#: Words by the section they stand in; "*" stands for any name.
TABLES: Mapping[Path, Mapping[str, Word]] = {
    (): _TOP,
    ("env",): {
        "name": to("env.id", "id: VALUE"),
        "env": to("env.id", "id: VALUE"),
        "kind": to("env.id", "id: VALUE"),
        "class": to("env.id", "id: VALUE"),
        "entry_point": to("env.id", "id: package.module:attribute"),
        "env_config": to("env.config"),
        "kwargs": to("env.config"),
        "params": to("env.knobs"),
        "parameters": to("env.knobs"),
        "space": to("env.knobs"),
        "context": to("env.knobs"),
        "observe": to("condition", "condition: [length], the names of knobs"),
        "conditioning": to("condition", "condition: [length], the names of knobs"),
        "context_features": to("condition", "condition: [length], the names of knobs"),
        "success_threshold": to("success_above", "success_above: VALUE"),
        "reward_threshold": to("success_above", "success_above: VALUE"),
        "ranges": to("env.knobs"),
        "num_envs": PER_RUNNER,
        "max_steps": ENV_STEPS,
        "max_episode_steps": no(
            "An env's time limit is its own: gymnasium's registration or env.config sets it"
        ),
        "seed": SEED,
        "start": no("Where a knob starts is said in the knob: {low, high, start: {low, high}}"),
    },
    ("env", "knobs", "*"): _KNOB,
    ("env", "knobs", "*", "start"): {
        **_RANGE, "mean": to("center", "center: {term: weight}"),
        "probabilities": to("weights", "weights: VALUE"),
    },
    ("algorithm",): _ALGORITHM,
    ("algorithm", "training"): _TRAINING,
    ("algorithm", "env_runners"): _ENV_RUNNERS,
    ("algorithm", "rl_module"): _RL_MODULE,
    ("algorithm", "search"): _SEARCHED,
    ("algorithm", "search", "*"): _SEARCH_KNOB,
    ("algorithm", "policy_search", "*"): _SEARCHED,
    ("algorithm", "policy_search", "*", "*"): _SEARCH_KNOB,
    ("algorithm", "learners"): {"num_gpus": GPUS},
    ("algorithm", "framework"): {"framework_str": to("framework")},
    ("algorithm", "debugging"): {"seed": SEED},
    ("algorithm", "fault_tolerance"): {
        "restart_failed_env_runners": no(
            "A lost env runner sends its member back to the last boundary; restarts stay off, "
            "or the env would silently go back to its first config"
        ),
        "recreate_failed_env_runners": no(
            "A lost env runner sends its member back to the last boundary; restarts stay off, "
            "or the env would silently go back to its first config"
        ),
    },
    ("curriculum",): {
        "type": to("kind", "kind: VALUE"),
        "name": to("kind", "kind: VALUE"),
        "algorithm": to("kind", "kind: VALUE"),
        "hyperparameters": to("search", "search: {...}"),
    },
    ("curriculum", "search", "*"): _SEARCH_KNOB,
    ("curriculum", "stages", "*"): STAGE_WORDS,
    ("curriculum", "stages", "*", "knobs", "*"): {
        **_RANGE, "mean": to("center", "center: {term: weight}"),
        "start": no("A stage's range stands there itself: length: {low: ..., high: ...}"),
    },
    ("curriculum", "stages", "*", "until"): UNTIL_WORDS,
    ("curriculum", "widen"): {
        "threshold": to("above", "above: VALUE"),
        "amount": to("by", "by: VALUE"),
        "step": to("by", "by: VALUE"),
        "episodes": to("min_episodes", "min_episodes: VALUE"),
    },
    ("population",): {
        word: ours for word, ours in SCHEDULER_WORDS.items() if word != "mode"
    } | {"seed": SEED, "n": SIZE, "count": SIZE, "fraction": to("population.exploit.fraction"),
         "baseline": to("reference", "reference: true"),
         "control": to("reference", "reference: true"),
         "sampler": to("population.explore", "explore: {kind: optuna, sampler: VALUE}")},
    ("population", "exploit"): {
        "quantile_fraction": to("fraction", "fraction: VALUE"),
        "quantile": to("fraction", "fraction: VALUE"),
        "gap": to("min_gap", "min_gap: VALUE"),
        "threshold": to("min_gap", "min_gap: VALUE"),
        "type": to("kind", "kind: VALUE"),
    },
    ("population", "explore"): {
        "resample_probability": to("resample", "resample: VALUE"),
        "perturbation_factors": to("factor", "factor: 1.2, which multiplies and divides"),
        "factors": to("factor", "factor: 1.2, which multiplies and divides"),
        "type": to("kind", "kind: VALUE"),
    },
    ("population", "initial"): {"type": to("kind", "kind: VALUE")},
    ("evaluation",): {
        "evaluation_interval": to("population.interval", "members are scored at boundaries"),
        "interval": to("population.interval", "members are scored at boundaries"),
        "evaluation_duration": to("levels", "levels: VALUE"),
        "num_episodes": to("levels", "levels: VALUE"),
        "episodes": to("levels", "levels: VALUE"),
        "n_eval_episodes": to("levels", "levels: VALUE"),
        "num_levels": to("levels", "levels: VALUE"),
        "metric": to("aggregate", "aggregate: mean"),
        "aggregation": to("aggregate", "aggregate: VALUE"),
        "policies": to("agents", "agents: VALUE"),
        "evaluation_num_env_runners": no("The suites are played inside each member's process"),
        "seeds": to("seed", "seed: 0"),
    },
    ("loggers", "*"): {
        "type": to("kind", "kind: VALUE"),
        "name": to("kind", "kind: VALUE"),
        "project_name": to("project", "project: VALUE"),
        "team": to("entity", "entity: VALUE"),
        "uri": to("tracking_uri", "tracking_uri: VALUE"),
        "experiment_name": to("experiment", "experiment: VALUE"),
        "api_key": no("Run `wandb login`, or set WANDB_API_KEY"),
        "dir": no("W&B's own files go to wandb/ in the run's directory"),
    },
    ("checkpoint",): CHECKPOINT_WORDS,
    ("stop",): STOP_WORDS,
    ("resources",): {
        "num_cpus": CPUS,
        "cpus": CPUS,
        "cpu": CPUS,
        "CPU": CPUS,
        "num_gpus": GPUS,
        "gpus": GPUS,
        "gpu": GPUS,
        "GPU": GPUS,
        "memory": to("resources.memory_per_member"),
        "max_concurrent": to("resources.max_resident"),
        "max_concurrent_trials": to("resources.max_resident"),
        "num_workers": RUNNERS,
    },
}  # fmt: skip


def neighbour(key: Path, kinds: Collection[str] = ()) -> Word | None:
    """Our word for a key that is a neighbouring tool's, by the section that the key stands in.

    Args:
        kinds: of the sections on the way that have one.
    """
    parent, word = key[:-1], str(key[-1])
    for kind, table in KIND_TABLES.get(parent, {}).items():
        if kind in kinds and word in table:
            return table[word]
    for pattern, table in TABLES.items():
        if matches(pattern, parent):
            return table.get(word)
    return None


def matches(pattern: Path, path: Path) -> bool:
    """Whether a key path is one of those that a pattern stands for, in which "*" is any part."""
    return len(pattern) == len(path) and all(
        mine in ("*", theirs) for mine, theirs in zip(pattern, path, strict=True)
    )
