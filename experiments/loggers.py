"""From the key ``loggers`` of a file to what a run is logged to, TensorBoard included."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ray.tune.logger import LoggerCallback

from callbacks.logged_values import part
from callbacks.member_loggers import MemberLoggers
from callbacks.tensorboard import TensorBoard
from experiments import spec
from experiments.findings import Finding
from experiments.run_dir import RunDir
from experiments.spec import Experiment
from orchestrator.ledger import Ledger

_SIMPLE = (str, int, float, bool)


def logger_findings(experiment: Experiment) -> Iterator[Finding]:
    """Why loggers could not do their work: a package that is missing, or nobody is logged in."""
    for index, given in enumerate(experiment.loggers):
        key = ("loggers", index)
        if find_spec(given.kind) is None:
            must = f"must be a logger whose package is installed, for kind: {given.kind}"
            hint = f"`pip install 'envolve[{given.kind}]'`"
            yield Finding(key, must, f"no package {given.kind}", hint)
        elif isinstance(given, spec.WandbLogger):
            yield from _not_logged_in(key, given)


def _not_logged_in(key: tuple[str | int, ...], given: spec.WandbLogger) -> Iterator[Finding]:
    from callbacks import wandb_runs

    if wandb_runs.effective_mode(given.mode) == "online" and not wandb_runs.may_log_in():
        must = "must be able to log in to Weights & Biases with mode: online"
        hint = "Run `wandb login`, set WANDB_API_KEY, or write mode: offline"
        yield Finding(key, must, "no API key", hint)


def member_loggers(arms: Mapping[str, Experiment], place: RunDir, ledger: Ledger) -> MemberLoggers:
    """What a run that was begun is logged to: TensorBoard, and what its file names."""
    first = next(iter(arms.values()))
    loggers: dict[str, LoggerCallback] = {"tensorboard": TensorBoard()}
    for given in first.loggers:
        loggers[given.kind] = _MADE[type(given)](given, first.name, place.path)
    about = {name: _about(experiment) for name, experiment in arms.items()}
    return MemberLoggers(ledger, loggers, place.path, _identity(place), about)


def _wandb(given: spec.WandbLogger, name: str, run_dir: Path) -> LoggerCallback:
    from callbacks.wandb_runs import WandbRuns

    return WandbRuns(
        run_dir,
        project=given.project or name,
        entity=given.entity,
        group=given.group,
        mode=given.mode,
    )


def _mlflow(given: spec.MlflowLogger, name: str, run_dir: Path) -> LoggerCallback:
    from callbacks.mlflow_runs import MlflowRuns

    return MlflowRuns(given.tracking_uri, given.experiment or name)


_MADE: Mapping[type[Any], Callable[[Any, str, Path], LoggerCallback]] = {
    spec.WandbLogger: _wandb,
    spec.MlflowLogger: _mlflow,
}


def _identity(place: RunDir) -> str:
    """Of the journal's first record, which says when the run began and with what."""
    with open(place.journal, "rb") as journal:
        return hashlib.sha256(journal.readline()).hexdigest()


def _about(experiment: Experiment) -> dict[str, Any]:
    """What its members have in common, and other arms' may not."""
    algorithm = experiment.algorithm
    fixed = {
        key: value
        for key, value in algorithm.training.items()
        if type(value) in _SIMPLE and key not in algorithm.search
    }
    return {
        "env": experiment.env.id,
        "algorithm": algorithm.name,
        "curriculum": experiment.curriculum.kind,
        **{f"training/{part(key)}": value for key, value in fixed.items()},
    }
