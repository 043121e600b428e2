"""The checks of an experiment file that need RLlib and the env: all problems at once."""

from __future__ import annotations

from experiments.algorithm import check_algorithms
from experiments.build import Config
from experiments.curriculum_check import curriculum_findings
from experiments.env_source import EnvSource, check_env
from experiments.loading import Loaded
from experiments.loggers import logger_findings
from experiments.problems import BadInput
from experiments.rules import explorer_findings


def check(loaded: Loaded) -> dict[str, Config]:
    """RLlib's config and the env of every arm.

    Raises:
        BadInput: with every problem of every arm.
    """
    problems = [
        loaded.problem(name, found.key, found.must, found.found, found.hint)
        for name, experiment in loaded.arms.items()
        for findings in (curriculum_findings, explorer_findings, logger_findings)
        for found in findings(experiment)
    ]
    configs = {}
    try:
        configs = check_algorithms(loaded)
    except BadInput as bad:
        problems += bad.problems
    for arm in loaded.arms:
        problems += check_env(loaded, arm)
    if problems:
        # What all arms share is wrong in each of them.
        raise BadInput(list(dict.fromkeys(problems)))
    return {
        name: Config(configs[name], EnvSource.of(experiment.env))
        for name, experiment in loaded.arms.items()
    }
