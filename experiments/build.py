"""Wires an experiment: RLlib configs, blueprints, Tune's Tuner with our scheduler and callbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.tune.execution.placement_groups import PlacementGroupFactory

from experiments.env_source import EnvSource
from experiments.resources import Machine, Residency
from experiments.rules import rules_of, select_suite
from experiments.spec import Experiment
from orchestrator import rllib
from orchestrator.ledger import Ledger
from orchestrator.level_env import EnvSetup
from orchestrator.member import Blueprint
from orchestrator.scheduler import PopulationScheduler
from orchestrator.trial import STATE, MemberTrial

# More slots than levels would only play fillers; more than this make no step cheaper.
_EVALUATION_ENVS = 16


@dataclass(frozen=True)
class Config:
    """What an arm's file sections came to: RLlib's config and the env's source, both checked."""

    algorithm: AlgorithmConfig
    env: EnvSource


@dataclass(frozen=True)
class Arm:
    """An arm, ready to be run: what members share, and what a seat takes.

    Attributes:
        cpus: CPUs of each of a member's processes.
    """

    blueprint: Blueprint
    seat: PlacementGroupFactory
    cpus: float
    residency: Residency


def processes_of(config: AlgorithmConfig) -> int:
    """Processes of a member: itself, its remote env runners and its remote learners."""
    return 1 + int(config.num_env_runners or 0) + int(config.num_learners or 0)


def machine() -> Machine:
    """What the Ray cluster has that we are connected to."""
    found = ray.cluster_resources()
    return Machine(
        cpus=found.get("CPU", 1.0),
        gpus=found.get("GPU", 0.0),
        memory=found.get("memory", 0.0) / 2**30,
    )


def exactness_notes(arms: Mapping[str, Experiment], configs: Mapping[str, Config]) -> list[str]:
    """Why a resume of synchronous arms is not promised to be exact, one line for each reason."""
    found: dict[str, list[str]] = {}
    for name, experiment in arms.items():
        if experiment.population.mode == "sync":
            gaps = rllib.exactness_gaps(configs[name].algorithm)
            if experiment.stop.minutes is not None:
                gaps.append("stop.minutes: the clock decides when it ends")
            for gap in gaps:
                found.setdefault(gap, []).append(name)
    return [
        f"arm {', '.join(names)}: a resumed run is not promised to be bit-identical. {gap}"
        for gap, names in found.items()
    ]


def arm_of(name: str, experiment: Experiment, given: Config, residency: Residency) -> Arm:
    """Wire one arm."""
    cpus = residency.cpus[name]
    rules = rules_of(experiment)
    evaluation = experiment.evaluation
    select = select_suite(experiment)
    setup = EnvSetup(
        make=given.env,
        apply=experiment.env.apply,
        distribution=rules.curriculum.start(rules.space),
        max_steps=evaluation.max_steps,
        timeout=experiment.env.timeout,
    )
    config = rllib.configure(
        given.algorithm,
        setup,
        multi_agent=given.env.multi_agent,
        evaluation_envs=min(_EVALUATION_ENVS, len(select)),
    )
    gpus = experiment.resources.gpus_per_member / max(1, int(config.num_learners or 0))
    config.resources(num_cpus_for_main_process=cpus)
    config.env_runners(num_cpus_per_env_runner=cpus)
    config.learners(num_cpus_per_learner=cpus, num_gpus_per_learner=gpus)
    blueprint = Blueprint(
        algorithm=config,
        space=rules.space,
        select=select,
        aggregate=evaluation.aggregate,
        alpha=evaluation.alpha,
        agents=evaluation.agents,
        interval=rules.interval,
        exact=rules.mode == "sync",
        stop=rules.stop,
    )
    return Arm(blueprint, _seat(config, cpus, gpus), cpus, residency)


def seated_states(ledger: Ledger, residency: Residency) -> list[dict[str, Any]]:
    """Where the members that get a seat first stand; those furthest behind come first."""
    states = []
    for population in ledger.populations.values():
        unfinished = sorted(population.live(), key=lambda m: (population.members[m].iteration, m))
        seats = residency.seats_of(len(unfinished))
        states += [population.members[member].plain() for member in sorted(unfinished[:seats])]
    return states


def tuner(
    states: Sequence[Mapping[str, Any]],
    arms: Mapping[str, Arm],
    residency: Residency,
    scheduler: PopulationScheduler,
    callbacks: Sequence[tune.Callback],
    run_dir: Path,
    leg: int,
) -> tune.Tuner:
    """All seats of all populations in one Tuner.

    Tune is told to keep no checkpoints, to stop nothing and to retry for ever: checkpoints,
    stopping and giving up are decided by the scheduler.
    """
    blueprints = {name: arm.blueprint for name, arm in arms.items()}
    trainable = tune.with_resources(
        tune.with_parameters(MemberTrial, blueprints=blueprints, run_dir=str(run_dir)),
        lambda config: arms[config[STATE]["arm"]].seat,
    )
    return tune.Tuner(
        trainable,
        param_space={STATE: tune.grid_search([dict(state) for state in states])},
        tune_config=tune.TuneConfig(
            scheduler=scheduler,
            max_concurrent_trials=residency.seats,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name=f"leg-{leg}",
            storage_path=str(run_dir / "tune"),
            callbacks=list(callbacks),
            failure_config=tune.FailureConfig(max_failures=-1),
            checkpoint_config=tune.CheckpointConfig(
                checkpoint_frequency=0, checkpoint_at_end=False
            ),
            verbose=0,
        ),
    )


def _seat(config: AlgorithmConfig, cpus: float, gpus: float) -> PlacementGroupFactory:
    """Bundles of a member: its own process, its env runners, its remote learners.

    Not RLlib's own request, which counts a learner and an evaluation runner as processes of
    their own even where they are local.
    """
    learners = int(config.num_learners or 0)
    learner = {"CPU": cpus, "GPU": gpus} if gpus else {"CPU": cpus}
    own = learner if learners == 0 else {"CPU": cpus}
    runners = [{"CPU": cpus}] * int(config.num_env_runners or 0)
    return PlacementGroupFactory([own, *runners, *[learner] * learners])


def _trial_name(trial: Any) -> str:
    state = trial.config[STATE]
    return f"{state['arm']}-seed{state['seed']}-m{state['member']}"
