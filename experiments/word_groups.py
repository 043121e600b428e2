"""Words of neighbouring tools that several sections of the file answer alike: data, no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """Our key for a word, and an example in which VALUE stands for the value found.

    Without a key, `note` is the whole answer. A key with dots is a path from the file's top.
    """

    key: str | None
    note: str = ""


def to(key: str, note: str = "") -> Word:
    """A word that is called `key` here."""
    return Word(key, note)


def no(note: str) -> Word:
    """A word that has no counterpart here, and why."""
    return Word(None, note)


SCORE = no(
    "Members are ranked by the score of the select suite; evaluation.aggregate says how returns "
    "become a score"
)
POPULATION_ONLY = no("The scheduler is envolve's own; the section population sets it")
EXPLORE = no("How hyperparameters are mutated goes under population.explore")
RUN_DIR = no("Where a run is written is said on the command line: --run-dir DIR")
NEW_STACK = no("envolve uses RLlib's new API stack throughout")
TRIAL_ENV = to("env.id", "env: {id: VALUE}")
ENV_STEPS = to("stop.env_steps", "stop: {env_steps: VALUE}")
ITERATIONS = to("stop.iterations", "stop: {iterations: VALUE}")
MINUTES = to("stop.minutes", "in minutes")
RUNNERS = to("algorithm.env_runners.num_env_runners")
PER_RUNNER = to("algorithm.env_runners.num_envs_per_env_runner")
MODEL = to("algorithm.rl_module.model_config")
SIZE = to("population.size")
INTERVAL = to("population.interval")
SEARCH = to("algorithm.search", "algorithm: {search: {lr: {low: 0.0001, high: 0.01}}}")
CPUS = to("resources.cpus_per_member")
GPUS = to("resources.gpus_per_member")
RESUME = no("Whether a run is resumed is said on the command line: --resume never|auto|must")

TRAINING_KEYS: Mapping[str, Word] = {
    key: to(f"algorithm.training.{key}")
    for key in (
        "lr", "gamma", "grad_clip", "grad_clip_by", "train_batch_size_per_learner", "num_epochs",
        "minibatch_size", "shuffle_batch_per_epoch", "clip_param", "vf_clip_param", "use_critic",
        "vf_loss_coeff", "entropy_coeff", "kl_coeff", "kl_target", "use_kl_loss", "use_gae",
        "lambda_", "tau", "n_step", "target_entropy", "initial_alpha", "replay_buffer_config",
        "actor_lr", "critic_lr", "alpha_lr", "target_network_update_freq", "double_q", "dueling",
    )
}  # fmt: skip
TRAINING_OTHERS: Mapping[str, Word] = {
    "learning_rate": to("algorithm.training.lr"),
    "discount": to("algorithm.training.gamma"),
    "batch_size": to("algorithm.training.train_batch_size_per_learner"),
    "train_batch_size": to("algorithm.training.train_batch_size_per_learner"),
    "sgd_minibatch_size": to("algorithm.training.minibatch_size"),
    "mini_batch_size": to("algorithm.training.minibatch_size"),
    "num_sgd_iter": to("algorithm.training.num_epochs"),
    "n_epochs": to("algorithm.training.num_epochs"),
    "lambda": to("algorithm.training.lambda_"),
    "gae_lambda": to("algorithm.training.lambda_"),
    "clip_range": to("algorithm.training.clip_param"),
    "ent_coef": to("algorithm.training.entropy_coeff"),
    "vf_coef": to("algorithm.training.vf_loss_coeff"),
    "max_grad_norm": to("algorithm.training.grad_clip"),
}
RUNNER_KEYS: Mapping[str, Word] = {
    "num_workers": RUNNERS,
    "num_rollout_workers": RUNNERS,
    "num_env_runners": RUNNERS,
    "n_envs": PER_RUNNER,
    "num_envs": PER_RUNNER,
    "num_envs_per_worker": PER_RUNNER,
    "num_envs_per_env_runner": PER_RUNNER,
    "rollout_fragment_length": to("algorithm.env_runners.rollout_fragment_length"),
    "num_cpus_per_worker": to("algorithm.env_runners.num_cpus_per_env_runner"),
    "observation_filter": no(
        "Observations are filtered by a connector: algorithm.env_runners.env_to_module_connector"
    ),
}
STOP_WORDS: Mapping[str, Word] = {
    "max_steps": ENV_STEPS,
    "total_timesteps": ENV_STEPS,
    "timesteps_total": ENV_STEPS,
    "timesteps": ENV_STEPS,
    "num_env_steps": ENV_STEPS,
    "num_env_steps_sampled_lifetime": ENV_STEPS,
    "max_timesteps": ENV_STEPS,
    "total_steps": ENV_STEPS,
    "training_iteration": ITERATIONS,
    "training_iterations": ITERATIONS,
    "max_iterations": ITERATIONS,
    "num_iterations": ITERATIONS,
    "iters": ITERATIONS,
    "time_total_s": MINUTES,
    "time_budget_s": MINUTES,
    "seconds": MINUTES,
    "hours": MINUTES,
    "episode_return_mean": to("stop.score", "stop: {score: VALUE}"),
    "episode_reward_mean": to("stop.score", "stop: {score: VALUE}"),
    "reward": to("stop.score", "stop: {score: VALUE}"),
}
CHECKPOINT_WORDS: Mapping[str, Word] = {
    "num_to_keep": to("checkpoint.keep_best"),
    "keep_checkpoints_num": to("checkpoint.keep_best"),
    "keep": to("checkpoint.keep_best"),
    "checkpoint_freq": no("Every member is saved at every boundary; population.interval sets it"),
    "checkpoint_frequency": no(
        "Every member is saved at every boundary; population.interval sets it"
    ),
    "checkpoint_at_end": no("Every member is saved at its end, always"),
    "checkpoint_score_attribute": SCORE,
    "checkpoint_score_attr": SCORE,
    "checkpoint_score_order": SCORE,
}
SCHEDULER_WORDS: Mapping[str, Word] = {
    "num_samples": SIZE,
    "population_size": SIZE,
    "pop_size": SIZE,
    "n_members": SIZE,
    "members": SIZE,
    "num_trials": SIZE,
    "perturbation_interval": INTERVAL,
    "perturb_interval": INTERVAL,
    "ready_interval": INTERVAL,
    "metric": SCORE,
    "mode": no("A higher score is better, always; return the negative of a cost from the env"),
    "scheduler": POPULATION_ONLY,
    "search_alg": to("population.initial", "population: {initial: {kind: optuna}}"),
    "time_attr": no("Boundaries are counted in training iterations: population.interval"),
    "burn_in_period": no("The first boundary comes after population.interval iterations"),
    "quantile_fraction": to("population.exploit.fraction"),
    "truncation": to("population.exploit", "exploit: {kind: truncation}"),
    "resample_probability": to("population.explore.resample"),
    "perturbation_factors": to("population.explore.factor", "explore: {factor: 1.2}"),
    "hyperparam_mutations": SEARCH,
    "hyperparam_bounds": SEARCH,
    "synch": to("population.mode", "mode: sync, or mode: async"),
    "custom_explore_fn": EXPLORE,
    "require_attrs": POPULATION_ONLY,
}
SEED = to("seeds", "seeds: [VALUE]")
