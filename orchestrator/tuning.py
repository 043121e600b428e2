"""Populations in a Tuner of Ray Tune, from Python alone: `blueprint` and `population_tuner`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.env.env_context import EnvContext
from ray.tune.execution.placement_groups import PlacementGroupFactory

from orchestrator import rllib, scoring
from orchestrator.apply import ApplyKind
from orchestrator.ledger import Ledger
from orchestrator.level_env import EnvSetup
from orchestrator.leveling import leveling_of
from orchestrator.member import Blueprint
from orchestrator.member_state import Rules
from orchestrator.scheduler import PopulationScheduler
from orchestrator.stock_env import StockEnv
from orchestrator.suites import SELECT, draw_suite
from orchestrator.trial import STATE, MemberTrial

EVALUATION_ENVS = 16
"""Sub-envs that a suite is played in at most: more make no step cheaper."""


def blueprint(
    config: AlgorithmConfig,
    rules: Rules,
    *,
    apply: ApplyKind = "auto",
    levels: int = 16,
    aggregate: scoring.Aggregate = "mean",
    alpha: float = 0.25,
    agents: tuple[str, ...] | None = None,
    seed: int = 0,
) -> Blueprint:
    """Members that learn what a stock config says, on levels of the rules' env space.

    Args:
        config: of RLlib's new API stack, with an env as `orchestrator.leveled` takes it. Each
            env runner is a process of each member: ``num_env_runners=0`` suits populations.
        apply: how a level reaches a live env, as for `orchestrator.leveled`.
        levels: length of the select suite, on which members are ranked.
        aggregate, alpha: how the returns on it become a score.
        agents: whose returns count; None: all agents'.
        seed: of the suite.

    Raises:
        ValueError: if the config has no env, or is of RLlib's old API stack.
    """
    leveling = leveling_of(config, rules.space, apply)
    env_config = dict(config.env_config)
    setup = EnvSetup(
        make=StockEnv(leveling, EnvContext(env_config, worker_index=0), env_config),
        apply=apply,
        distribution=rules.curriculum.begin(rules.space).distribution,
    )
    return Blueprint(
        algorithm=rllib.configure(
            config,
            setup,
            multi_agent=leveling.multi_agent,
            evaluation_envs=min(EVALUATION_ENVS, levels),
        ),
        space=rules.space,
        select=draw_suite(rules.space, SELECT, levels, seed),
        aggregate=aggregate,
        alpha=alpha,
        agents=agents,
        interval=rules.interval,
        exact=rules.mode == "sync",
        stop=rules.stop,
        curriculum=rules.curriculum if rules.curriculum.owner == "member" else None,
    )


def population_tuner(
    scheduler: PopulationScheduler,
    blueprints: Mapping[str, Blueprint],
    run_dir: Path,
    *,
    callbacks: Sequence[tune.Callback] = (),
    seats: int | None = None,
    name: str = "leg-1",
) -> tune.Tuner:
    """All unfinished members of the scheduler's populations in one Tuner.

    Tune is told to keep no checkpoints, to stop nothing and to retry for ever: checkpoints,
    stopping and giving up are decided by the scheduler.

    Args:
        blueprints: what the members of each arm have in common.
        run_dir: where checkpoints lie; what Tune writes goes to ``tune/<name>/`` in it.
        callbacks: `PopulationMutation` among them, for curricula of the driver.
        seats: members that are resident at once, over all populations; more of them take turns.
            None: as many as the cluster's CPUs and GPUs take.

    Raises:
        ValueError: if nobody has anything left to do, or not even one member fits.
    """
    ledger = scheduler.ledger
    bundles = {arm: seat_of(each.algorithm) for arm, each in blueprints.items()}
    seats = _fitting(bundles) if seats is None else seats
    states = seated_states(ledger, seats)
    if not states:
        raise ValueError(
            "members must have something left to do, but all are finished or there are none; "
            "`Population.first` brings them into being"
        )
    trainable = tune.with_resources(
        tune.with_parameters(MemberTrial, blueprints=dict(blueprints), run_dir=str(run_dir)),
        lambda config: bundles[config[STATE]["arm"]],
    )
    return tune.Tuner(
        trainable,
        param_space={STATE: tune.grid_search(states)},
        tune_config=tune.TuneConfig(
            scheduler=scheduler,
            max_concurrent_trials=seats,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(run_dir / "tune"),
            callbacks=list(callbacks),
            failure_config=tune.FailureConfig(max_failures=-1),
            checkpoint_config=tune.CheckpointConfig(
                checkpoint_frequency=0, checkpoint_at_end=False
            ),
            verbose=0,
        ),
    )


def seated_states(ledger: Ledger, seats: int) -> list[dict[str, Any]]:
    """Where the members that get a seat first stand; those furthest behind come first.

    Args:
        seats: of each population at most.
    """
    states = []
    for population in ledger.populations.values():
        unfinished = sorted(population.live(), key=lambda m: (population.members[m].iteration, m))
        states += [population.members[member].plain() for member in sorted(unfinished[:seats])]
    return states


def seat_of(config: AlgorithmConfig) -> PlacementGroupFactory:
    """Bundles of a member: its own process, its env runners, its remote learners.

    Not RLlib's own request, which counts a learner and an evaluation runner as processes of
    their own even where they are local.
    """
    learners, runners = int(config.num_learners or 0), int(config.num_env_runners or 0)
    own = {"CPU": config.num_cpus_for_main_process}
    runner = {"CPU": config.num_cpus_per_env_runner}
    # RLlib's "auto" is one CPU.
    cpus = config.num_cpus_per_learner
    learner = {"CPU": 1 if cpus == "auto" else cpus}
    if config.num_gpus_per_learner:
        (learner if learners else own)["GPU"] = config.num_gpus_per_learner
    return PlacementGroupFactory([own, *[runner] * runners, *[learner] * learners])


def _fitting(bundles: Mapping[str, PlacementGroupFactory]) -> int:
    """Members that the cluster has CPUs and GPUs for, whichever arm they are of."""
    if not ray.is_initialized():
        ray.init()
    cluster = ray.cluster_resources()
    fitting = {
        f"{needed:g} {what}s, of {cluster.get(what, 0):g}": int(cluster.get(what, 0) / needed)
        for seat in bundles.values()
        for what, needed in seat.required_resources.items()
        if needed > 0
    }
    for needed, members in fitting.items():
        if members < 1:
            raise ValueError(f"a member must fit the cluster, but it takes {needed}")
    return min(fitting.values())


def _trial_name(trial: Any) -> str:
    state = trial.config[STATE]
    return f"{state['arm']}-seed{state['seed']}-m{state['member']}"
