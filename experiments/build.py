"""Wires an experiment: RLlib's configs, and what the members of each arm share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ray
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

from experiments.curricula import needs_of
from experiments.env_source import EnvSource
from experiments.resources import Machine, Residency
from experiments.rules import rules_of, select_suite
from experiments.scenarios import counted, scenario_of
from experiments.spec import Experiment
from orchestrator import rllib
from orchestrator.level_env import EnvSetup
from orchestrator.member import Blueprint
from orchestrator.tuning import EVALUATION_ENVS


@dataclass(frozen=True)
class Config:
    """What an arm's file sections came to: RLlib's config and the env's source, both checked."""

    algorithm: AlgorithmConfig
    env: EnvSource


@dataclass(frozen=True)
class Arm:
    """An arm, ready to be run: what members share, and what they take.

    Attributes:
        cpus: CPUs of each of a member's processes.
    """

    blueprint: Blueprint
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
    scenario = scenario_of(experiment)
    setup = EnvSetup(
        make=given.env,
        apply=experiment.env.apply,
        distribution=rules.curriculum.begin(rules.space).distribution,
        max_steps=evaluation.max_steps,
        timeout=experiment.env.timeout,
        condition=experiment.env.condition,
        scenario=scenario,
    )
    config = rllib.configure(
        given.algorithm,
        setup,
        multi_agent=given.env.multi_agent or scenario is not None,
        evaluation_envs=min(EVALUATION_ENVS, len(select)),
        level_scores="values" in needs_of(experiment),
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
        agents=_counted(experiment, given.env),
        interval=rules.interval,
        exact=rules.mode == "sync",
        stop=rules.stop,
        curriculum=rules.curriculum if rules.curriculum.owner == "member" else None,
        success_above=experiment.env.success_above,
    )
    return Arm(blueprint, cpus, residency)


def _counted(experiment: Experiment, env: EnvSource) -> tuple[str, ...] | None:
    """Whose returns count, by the names that agents have in the levelled env; None: all agents'."""
    named = experiment.evaluation.agents
    scenario = scenario_of(experiment)
    return named if scenario is None else counted(scenario, env.agents, named)
