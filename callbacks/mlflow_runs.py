"""Members as runs of MLflow, by Tune's own logger; needs the package mlflow or mlflow-skinny."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlflow
from mlflow.entities import Metric
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
        client = self.mlflow_util._get_client()
        wanted = f"tags.`{MEMBER}` = '{trial.trial_id}'"
        found = client.search_runs([self.mlflow_util.experiment_id], wanted, max_results=1)
        if found:
            # Its parameters are there, and may not change.
            self._trial_runs[trial] = found[0].info.run_id
            client.update_run(found[0].info.run_id, status="RUNNING")
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
