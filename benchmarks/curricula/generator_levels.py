"""``python -m benchmarks.curricula.generator_levels RUN``: what a run's generator makes of mazes.

The journal does not tell which levels a generator made in training. So each checkpoint that the
run still has is loaded, and its generator asked for some, exploring as it did in training.
`checkpoint.keep_best` decides how many checkpoints of the past there are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.curricula.tables import Line, number, show
from benchmarks.setting import ROOT
from experiments import build
from experiments.algorithm import check_algorithms
from experiments.chosen import COPY, Chosen, borrowed
from experiments.env_source import EnvSource
from experiments.envs.maze_grid import SIZE, distance
from experiments.loading import dump, parse_experiment
from experiments.ray_session import ray_session
from experiments.resolving import resolve
from experiments.resources import Residency
from experiments.run_dir import find_run
from experiments.scenarios import scenario_of
from experiments.showing import facts_of
from orchestrator import rllib
from orchestrator.env_space import Level
from orchestrator.member import Blueprint
from orchestrator.records import CheckpointSaved
from orchestrator.recovery import NothingToRestore

__all__ = ["generated", "measure"]


def main() -> None:
    """Print how solvable the mazes are at each checkpoint."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curricula.generator_levels")
    parser.add_argument("run", metavar="RUN", help="a run with a generator, on the env Maze")
    parser.add_argument("--levels", type=int, default=256, help="levels at each checkpoint")
    given = parser.parse_args()
    show(Console(), given.run, tuple(measure(given.run, given.levels)))


def measure(name: str, levels: int) -> Iterator[Line]:
    """One line for each checkpoint of a run that is still there, in the order they were saved."""
    import ray

    run = find_run(name)
    saved = [each for each in facts_of(run).records if isinstance(each, CheckpointSaved)]
    ask = ray.remote(generated)
    with ray_session(ROOT):
        for record in saved:
            try:
                with borrowed(str(run.path), str(run.path / record.path)) as chosen:
                    config = chosen.experiment.env.config
                    asked = ask.options(num_cpus=0).remote(
                        _blueprint(chosen),
                        chosen.folder / COPY,
                        chosen.manifest["hyperparameters"],
                        levels,
                    )
                    made = ray.get(asked)
            except NothingToRestore:
                # Pruned meanwhile.
                continue
            yield _line(record, made, config)


def generated(
    blueprint: Blueprint, checkpoint: Path, hyperparameters: Mapping[str, Any], levels: int
) -> list[Level]:
    """Levels that the generator of a verified checkpoint makes, in a process of Ray's."""
    config = blueprint.algorithm.copy(copy_frozen=False)
    config.env_runners(num_env_runners=0)
    algorithm = rllib.build(config, hyperparameters, "generator levels")
    try:
        rllib.restore(algorithm, checkpoint)
        rllib.reseed(algorithm, "generator levels")
        made: list[Level] = []
        while len(made) < levels:
            rllib.each_runner(algorithm, lambda runner: len(runner.sample(num_episodes=levels)))
            made += [dict(episode.level) for episode in rllib.drain_episodes(algorithm)]
        return made[:levels]
    finally:
        algorithm.stop()


def _blueprint(chosen: Chosen) -> Blueprint:
    """Of the arm that a checkpoint was trained in.

    Raises:
        ValueError: if that has no generator.
    """
    arm = chosen.record.arm
    loaded = parse_experiment(dump(resolve({arm: chosen.experiment})), str(chosen.run.experiment))
    (name, experiment) = next(iter(loaded.arms.items()))
    if scenario_of(experiment) is None:
        raise ValueError(
            f"a curriculum with a generator must have been trained, such as paired, "
            f"but got {experiment.curriculum.kind}"
        )
    given = build.Config(check_algorithms(loaded)[name], EnvSource.of(experiment.env))
    one = Residency(seats=1, cpus={name: 1.0}, processes={name: 1})
    return build.arm_of(name, experiment, given, one).blueprint


def _line(record: CheckpointSaved, made: Sequence[Level], config: Mapping[str, Any]) -> Line:
    """Mazes by how many moves away their goals are."""
    size = config.get("size", SIZE)
    fixed = {name: config[name] for name in ("walls", "start", "goal") if name in config}
    ways = [distance({**fixed, **level}, size) for level in made]
    found = [way for way in ways if way is not None]
    walls = [len({**fixed, **level}.get("walls", ())) for level in made]
    return {
        "arm": record.arm,
        "seed": str(record.seed),
        "member": str(record.member),
        "iteration": str(record.iteration),
        "mazes": str(len(made)),
        "unsolvable": number(1 - len(found) / len(made)),
        "way": number(float(np.mean(found))) if found else "",
        "walls": number(float(np.mean(walls))),
    }


if __name__ == "__main__":
    main()
