"""Words that neighbouring tools have for the keys and names of sections with a `kind`: data alone.

The same word stands for different things in different methods, so that these go by kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.word_groups import Word, no, to

Path = tuple[str | int, ...]

#: dcd (PLR, ACCEL), jaxued, minimax and Syllabus.
_LEVEL_BUFFER: Mapping[str, Word] = {
    "rho": to("staleness", "staleness: VALUE"),
    "staleness_coef": to("staleness", "staleness: VALUE"),
    "staleness_coeff": to("staleness", "staleness: VALUE"),
    "beta": to("temperature", "temperature: VALUE"),
    "score_temperature": to("temperature", "temperature: VALUE"),
    "p": to("replay", "replay: VALUE"),
    "replay_prob": to("replay", "replay: VALUE"),
    "replay_rate": to("replay", "replay: VALUE"),
    "buffer_size": to("capacity", "capacity: VALUE"),
    "max_levels": to("capacity", "capacity: VALUE"),
    "minimum_fill_ratio": to("fill", "fill: VALUE"),
    "min_fill": to("fill", "fill: VALUE"),
    "strategy": to("score", "score: maxmc, or pvl, or l1, or learnability"),
    "score_function": to("score", "score: maxmc, or pvl, or l1, or learnability"),
    "exploratory_grad_updates": to("train_on_new", "train_on_new: VALUE"),
    "prioritization": no("Levels are replayed by the rank of their score; see temperature"),
    "num_edits": to("edit_steps", "edit_steps: VALUE, and edits: 4 copies of each parent"),
    "num_mutations": to("edit_steps", "edit_steps: VALUE, and edits: 4 copies of each parent"),
    "num_parents": to("parents", "parents: VALUE"),
}
_NOT_PLAYERS = no(
    "The players follow from the kind: scenario and minimax have one team of agents, paired and "
    "flexible_paired have two"
)
#: The scheme of RLlib's forum, and dcd's PAIRED.
_SCENARIO: Mapping[str, Word] = {
    "generator_reward": to("reward", "reward: VALUE"),
    "adversary_reward": to("reward", "reward: VALUE"),
    "reward_fn": to("reward", "reward: VALUE"),
    "entropy_coeff": to("entropy", "entropy: VALUE"),
    "generator_entropy_coeff": to("entropy", "entropy: VALUE"),
    "noise_dim": to("noise", "noise: VALUE"),
    "random_z_dim": to("noise", "noise: VALUE"),
    "window": to("recent", "recent: VALUE"),
    "teams": _NOT_PLAYERS,
    "agents": _NOT_PLAYERS,
    "policies": _NOT_PLAYERS,
}
_OWN_END = no("Each stage says when it ends: {name: easy, until: {measure: return, above: 400}}")

#: Inside a stage, and where it says when it ends.
STAGE_WORDS: Mapping[str, Word] = {
    "id": to("name", "name: VALUE"),
    "config": to("knobs", "knobs: VALUE"),
    "env_config": to("knobs", "knobs: VALUE"),
    "ranges": to("knobs", "knobs: VALUE"),
    "threshold": to("until", "until: {measure: return, above: VALUE}"),
    "steps": to("until", "until: {measure: env_steps, above: VALUE}"),
    "timesteps": to("until", "until: {measure: env_steps, above: VALUE}"),
    "env_steps": to("until", "until: {measure: env_steps, above: VALUE}"),
    "iterations": to("until", "until: {measure: iterations, above: VALUE}"),
}
UNTIL_WORDS: Mapping[str, Word] = {
    "metric": to("measure", "measure: return"),
    "threshold": to("above", "above: VALUE"),
    "value": to("above", "above: VALUE"),
    "episodes": to("min_episodes", "min_episodes: VALUE"),
    "steps": to("measure", "measure: env_steps, above: VALUE"),
    "env_steps": to("measure", "measure: env_steps, above: VALUE"),
    "iterations": to("measure", "measure: iterations, above: VALUE"),
    "return": to("measure", "measure: return, above: VALUE"),
    "success": to("measure", "measure: success, above: VALUE"),
    "score": to("measure", "measure: score, above: VALUE"),
}

#: By section and kind.
KIND_TABLES: Mapping[Path, Mapping[str, Mapping[str, Word]]] = {
    ("curriculum",): {
        "population": {
            "threshold": to("curriculum.widen.above", "widen: {above: VALUE}"),
            "above": to("curriculum.widen.above", "widen: {above: VALUE}"),
            "by": to("curriculum.widen.by"),
            "mutations": to("operators", "operators: VALUE"),
            "step": to("amount", "amount: VALUE"),
        },
        "stages": {
            "tasks": to("stages", "stages: [{name: ..., knobs: {...}, until: {...}}, ...]"),
            "levels": to("stages", "stages: [{name: ..., knobs: {...}, until: {...}}, ...]"),
            "phases": to("stages", "stages: [{name: ..., knobs: {...}, until: {...}}, ...]"),
            "lessons": to("stages", "stages: [{name: ..., knobs: {...}, until: {...}}, ...]"),
            "threshold": _OWN_END,
            "steps": _OWN_END,
            "until": _OWN_END,
        },
        "adr": {
            "threshold_high": to("above", "above: VALUE"),
            "t_high": to("above", "above: VALUE"),
            "threshold_low": to("below", "below: VALUE"),
            "t_low": to("below", "below: VALUE"),
            "delta": to("step", "step: VALUE, a share of the legal width"),
            "step_size": to("step", "step: VALUE, a share of the legal width"),
            "queue_size": to("queue", "queue: VALUE"),
            "buffer_size": to("queue", "queue: VALUE"),
            "boundary_probability": to("boundary", "boundary: VALUE"),
            "metric": to("measure", "measure: return, or success"),
        },
        "alp_gmm": {
            "fit_rate": to("fit_every", "fit_every: VALUE"),
            "random_task_ratio": to("random_share", "random_share: VALUE"),
            "max_components": to("most_gaussians", "most_gaussians: VALUE"),
            "max_size": to("history", "history: VALUE"),
            "alp_max_size": to("history", "history: VALUE"),
        },
        "plr": _LEVEL_BUFFER,
        "plr_robust": _LEVEL_BUFFER,
        "accel": _LEVEL_BUFFER,
        "sfl": {
            "batch_size": to("candidates", "candidates: VALUE"),
            "num_candidates": to("candidates", "candidates: VALUE"),
            "num_rollouts": to("rollouts", "rollouts: VALUE"),
            "num_to_save": to("keep", "keep: VALUE"),
            "buffer_size": to("keep", "keep: VALUE"),
            "top_k": to("keep", "keep: VALUE"),
            "interval": to("every", "every: VALUE"),
            "ratio": to("share", "share: VALUE"),
        },
        "population_regret": {
            "random_share": to("uniform", "uniform: VALUE"),
            "radius": to("reach", "reach: VALUE"),
            "num_levels": to("parts", "parts: VALUE"),
            "top_k": to("parts", "parts: VALUE"),
        },
        "replay": {
            "steps": to("schedule", "schedule: [{iteration: 0, distribution: {...}}, ...]"),
            "changes": to("schedule", "schedule: [{iteration: 0, distribution: {...}}, ...]"),
            "stages": to("schedule", "schedule: [{iteration: 0, distribution: {...}}, ...]"),
            "policy_path": no("`envolve replay RUN` writes the schedule of a run's best member"),
        },
        "scenario": _SCENARIO,
        "minimax": _SCENARIO,
        "paired": _SCENARIO,
        "flexible_paired": _SCENARIO,
    },
    ("population", "explore"): {
        "optuna": {
            "algorithm": to("sampler", "sampler: tpe, or gp, or cmaes"),
            "search_alg": to("sampler", "sampler: tpe, or gp, or cmaes"),
            "history": to("window", "window: VALUE"),
            "n_startup_trials": no("The first ten intervals are drawn at random"),
        },
    },
}

#: What neighbours call a kind.
OTHER_KINDS: Mapping[Path, Mapping[str, str]] = {
    ("curriculum",): {
        "none": "fixed",
        "dr": "domain_randomization",
        "udr": "domain_randomization",
        "uniform": "domain_randomization",
        "automatic_domain_randomization": "adr",
        "prioritized_level_replay": "plr",
        "robust_plr": "plr_robust",
        "learnability": "sfl",
        "manual": "stages",
        "evolving": "population",
        "adversary": "minimax",
        "generator": "scenario",
        "pbt_replay": "replay",
        "schedule": "replay",
    },
    ("population", "exploit"): {
        "pbt": "truncation",
        "quantile": "truncation",
        "binary_tournament": "tournament",
    },
    ("population", "explore"): {"tpe": "optuna", "gp": "optuna", "cmaes": "optuna"},
    ("loggers",): {
        "wb": "wandb",
        "w&b": "wandb",
        "weights_and_biases": "wandb",
        "weightsandbiases": "wandb",
    },
}

_TENSORBOARD = "TensorBoard reads every run as it is: tensorboard --logdir RUN"
_TABLES = "`envolve show RUN --table results --to FILE` writes a run's tables"
#: Kinds that nobody has to choose, and why.
NEEDLESS: Mapping[Path, Mapping[str, str]] = {
    ("loggers",): {
        "tensorboard": _TENSORBOARD,
        "tensorboardx": _TENSORBOARD,
        "tbx": _TENSORBOARD,
        "csv": _TABLES,
        "json": _TABLES,
    },
}

#: Kinds that are published elsewhere, or planned, and cannot be chosen yet.
UNAVAILABLE: Mapping[Path, frozenset[str]] = {
    ("curriculum",): frozenset({"learning_progress", "self_paced", "repaired", "poet"}),
    ("population", "exploit"): frozenset({"ttest"}),
    ("population", "explore"): frozenset({"pb2", "bayesian"}),
    ("population", "initial"): frozenset({"grid", "sobol", "lhs", "hyperopt"}),
}
