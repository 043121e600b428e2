"""The callback that keeps the best checkpoints and removes those that nobody needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.tune import Callback

from orchestrator import checkpoints
from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.records import CheckpointSaved, Pruned
from orchestrator.retention import BEST, Shelf


class Retention(Callback):  # type: ignore[misc]
    """After each save: link the best into ``best/``, then prune what is superfluous."""

    def __init__(self, ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
        self.ledger = ledger
        self._shelf = shelf
        self._run_dir = run_dir

    @never_raises(None)
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if result.get("checkpoint") is not None:
            self.sweep()

    def sweep(self) -> None:
        """Bring the disk to what the shelf says. The best first: nothing is removed before."""
        best = {best_name(record): record for record in self._shelf.best()}
        for name, record in best.items():
            source, place = self._run_dir / record.path, self._run_dir / BEST / name
            # Pruned already where more are to be kept now than before.
            if source.exists() and not place.exists():
                checkpoints.link(source, place)
        superfluous = self._shelf.superfluous(self.ledger.populations.values())
        for record in superfluous:
            checkpoints.remove(self._run_dir / record.path)
        self.ledger.record(*[_pruned(record) for record in superfluous])
        if (self._run_dir / BEST).is_dir():
            for place in (self._run_dir / BEST).iterdir():
                if place.name not in best:
                    checkpoints.remove(place)


def best_name(record: CheckpointSaved) -> str:
    """A checkpoint's name under ``best/``; an iteration that is saved again gets another."""
    who = f"{record.arm}-seed{record.seed}-m{record.member}"
    return f"{who}-{record.iteration:06d}-{record.digest[:8]}"


def _pruned(record: CheckpointSaved) -> Pruned:
    return Pruned(
        arm=record.arm,
        seed=record.seed,
        member=record.member,
        iteration=record.iteration,
        path=record.path,
        digest=record.digest,
        score=record.score,
    )
