"""The callback that keeps the best checkpoints and removes those that nobody needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.tune import Callback

from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.retention import Shelf
from orchestrator.sweeping import mend, sweep


class Retention(Callback):  # type: ignore[misc]
    """After each save: link the best into ``best/``, then prune what is superfluous."""

    def __init__(self, ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
        self.ledger = ledger
        self._shelf = shelf
        self._run_dir = run_dir

    @never_raises(None)
    def setup(self, *args: Any, **info: Any) -> None:
        """Before the first trial: what was damaged or deleted in the meantime is put right."""
        mend(self.ledger, self._shelf, self._run_dir)
        self.sweep()

    @never_raises(None)
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if result.get("checkpoint") is not None:
            self.sweep()

    def sweep(self) -> None:
        """Bring the disk to what the shelf says."""
        sweep(self.ledger, self._shelf, self._run_dir)
