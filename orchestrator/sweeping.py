"""Bringing the disk to what the shelf says: the best linked, the superfluous removed."""

from __future__ import annotations

from pathlib import Path

from orchestrator import checkpoints, crash_points
from orchestrator.ledger import Ledger
from orchestrator.records import CheckpointSaved, Fault, Pruned
from orchestrator.retention import BEST, Shelf


def sweep(ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
    """Fill ``best/`` with the best that are whole, then prune what is superfluous.

    Nothing is removed before. What is left on disk is bounded: four checkpoints for each
    member (what it stands on, what it would be put back on, its two newest), the best one of
    each population, and ``keep_best`` under ``best/``; hard links where the disk has them.
    """
    best = _filled(shelf, run_dir)
    superfluous = shelf.superfluous(ledger.populations.values())
    # Journalled first: what the journal names and did not prune is there, should the process die.
    ledger.record(*[Pruned.of(record) for record in superfluous])
    if superfluous:
        crash_points.reached("prune.recorded")
    for record in superfluous:
        checkpoints.remove(run_dir / record.path)
    if (run_dir / BEST).is_dir():
        for place in (run_dir / BEST).iterdir():
            if place.name not in best:
                checkpoints.remove(place)


def mend(ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
    """Remove what is damaged under ``best/``, byte by byte, for a `sweep` to link it anew.

    Each is recorded as a fault. Takes as long as reading ``keep_best`` checkpoints does.
    """
    for record in shelf.best():
        place = run_dir / BEST / best_name(record)
        if not place.exists():
            continue
        try:
            checkpoints.verify(place, record.digest)
        except checkpoints.Damaged as damaged:
            checkpoints.remove(place)
            action = "taken from members/ again, or else the next best"
            ledger.record(Fault.of_run("best", str(damaged), action))


def _filled(shelf: Shelf, run_dir: Path) -> dict[str, CheckpointSaved]:
    """The best that lie under ``best/`` now, by name; whatever is lost gives way to the next."""
    while True:
        best = {best_name(record): record for record in shelf.best()}
        lost = [r for name, r in best.items() if not _placed(run_dir, r, run_dir / BEST / name)]
        if not lost:
            return best
        for record in lost:
            shelf.lose(record)


def _placed(run_dir: Path, record: CheckpointSaved, place: Path) -> bool:
    """Whether the checkpoint lies at ``place``, linked there now if it has to be and can be."""
    if (place / checkpoints.MANIFEST).exists():
        return True
    source = run_dir / record.path
    try:
        checkpoints.verify(source, record.digest)
    except checkpoints.Damaged:
        # Damaged, or pruned already where more are to be kept now than before.
        return False
    checkpoints.link(source, place)
    crash_points.reached("best.linked")
    return True


def best_name(record: CheckpointSaved) -> str:
    """A checkpoint's name under ``best/``; an iteration that is saved again gets another."""
    who = f"{record.arm}-seed{record.seed}-m{record.member}"
    return f"{who}-{record.iteration:06d}-{record.digest[:8]}"
