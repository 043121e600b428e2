"""Members as runs of MLflow, by Tune's own logger; needs the package mlflow or mlflow-skinny."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlflow
from mlflow.entities import Metric, Run
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.result import TRAINING_ITERATION

from callbacks.logged_member import LoggedMember

MEMBER = "envolve.member"
GROUP = "envolve.population"

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


class MlflowRuns(MLflowLoggerCallback):  # type: ignore[misc]
    """Tune's logger for MLflow, which finds the run of a resumed member again, by a tag.

    Metrics are logged in one request for each result, not in one for each metric.

    Args:
        tracking_uri: None: MLflow's own, from ``MLFLOW_TRACKING_URI`` or its default. A
            relative one is relative to the working directory, as everywhere in MLflow.
    """

    def __init__(self, tracking_uri: str | None, experiment: str) -> None:
        # Tune hands None on, by which MLflow forgets the variable.
        super().__init__(tracking_uri or mlflow.get_tracking_uri(), experiment_name=experiment)

    def setup(self, *arguments: Any, **info: Any) -> None:
        for talkative in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(talkative).setLevel(logging.ERROR)
        with _few_retries():
            super().setup()

    def log_trial_start(self, trial: LoggedMember) -> None:
        found = self._found(trial)
        if found is not None:
            # Its parameters are there, and may not change.
            self._trial_runs[trial] = found.info.run_id
            self.mlflow_util._get_client().update_run(found.info.run_id, status="RUNNING")
            return
        self.tags = {MEMBER: trial.trial_id, GROUP: trial.experiment_dir_name}
        super().log_trial_start(trial)

    def log_trial_result(self, iteration: int, trial: LoggedMember, result: dict[str, Any]) -> None:
        now, step = int(1000 * time.time()), result[TRAINING_ITERATION]
        metrics = [
            Metric(name, float(value), now, step)
            for name, value in result.items()
            if not isinstance(value, str)
        ]
        self.mlflow_util._get_client().log_batch(self._trial_runs[trial], metrics)

    def log_trial_end(self, trial: LoggedMember, failed: bool = False) -> None:
        super().log_trial_end(trial, failed)
        if trial.unfinished and not failed:
            self.mlflow_util.end_run("KILLED", self._trial_runs[trial])

    def on_experiment_end(self, trials: list[LoggedMember], **info: Any) -> None:
        """Runs of members that ended in a process which was killed before it could say so."""
        for trial in trials:
            found = None if trial in self._trial_runs else self._found(trial)
            if found is not None and found.info.status == "RUNNING":
                status = "FAILED" if trial.failed else "FINISHED"
                self.mlflow_util.end_run(status, found.info.run_id)

    def _found(self, trial: LoggedMember) -> Run | None:
        """The run that another process began."""
        wanted = f"tags.`{MEMBER}` = '{trial.trial_id}'"
        experiments = [self.mlflow_util.experiment_id]
        runs = self.mlflow_util._get_client().search_runs(experiments, wanted, max_results=1)
        return runs[0] if runs else None


@contextmanager
def _few_retries() -> Iterator[None]:
    """A server that is not there is found out in seconds; MLflow tries for four minutes.

    One that goes away later is waited for as long as MLflow waits.
    """
    before = os.environ.get(_RETRIES)
    os.environ.setdefault(_RETRIES, "2")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_RETRIES]
