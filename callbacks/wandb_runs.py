"""Members as runs of Weights & Biases, by Tune's own logger; needs the package wandb."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import wandb
from ray.air.integrations.wandb import WandbLoggerCallback
from ray.tune.result import TRAINING_ITERATION

from callbacks.logged_member import LoggedMember

_SECONDS_TO_BEGIN = 30


class WandbRuns(WandbLoggerCallback):  # type: ignore[misc]
    """Tune's logger for Weights & Biases, but with all runs in this process.

    Tune starts two processes for each trial, which take a quarter of a GiB together, and never
    sees an error in them. W&B has one process of its own do the work for any number of runs.

    Args:
        run_dir: W&B's files go to ``wandb/`` in it.
        mode: online or offline; None: what ``WANDB_MODE`` says, else online.
        group: None: each population is a group.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        project: str,
        entity: str | None = None,
        group: str | None = None,
        mode: str | None = None,
    ) -> None:
        mode = effective_mode(mode)
        super().__init__(
            project=project,
            group=group,
            entity=entity,
            mode=mode,
            dir=str(run_dir),
            # A resumed member goes on in its run; where there is no server, in a folder more.
            resume="allow" if mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(
                silent=True,
                console="off",
                disable_git=True,
                x_disable_stats=True,
                init_timeout=_SECONDS_TO_BEGIN,
            ),
        )
        self._runs: dict[LoggedMember, Any] = {}

    def setup(self, *arguments: Any, **info: Any) -> None:
        """Nothing: W&B finds its key by itself; `may_log_in` says whether it will."""

    def _start_logging_actor(
        self, trial: LoggedMember, exclude_results: list[str], **settings: Any
    ) -> None:
        self._runs[trial] = wandb.init(**settings)

    def log_trial_result(self, iteration: int, trial: LoggedMember, result: dict[str, Any]) -> None:
        run, step = self._runs[trial], result[TRAINING_ITERATION]
        # W&B takes no step twice: of an iteration that is done again it has the first.
        if step >= run.step:
            run.log(result, step=step)

    def log_trial_end(self, trial: LoggedMember, failed: bool = False) -> None:
        self._runs.pop(trial).finish(exit_code=int(failed))

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        """Nothing: each run was waited for at its end."""


def effective_mode(mode: str | None) -> str:
    """The mode that W&B will be in."""
    return mode or os.environ.get("WANDB_MODE") or "online"


def may_log_in() -> bool:
    """Whether W&B finds a key; asks neither the user nor the server."""
    wandb.setup(settings=wandb.Settings(silent=True))
    return bool(wandb.login(prompt=False, verify=False))
