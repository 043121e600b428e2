"""Before a run goes on: every member must stand on a checkpoint whose bytes are what was saved."""

from __future__ import annotations

from pathlib import Path

from orchestrator import checkpoints, records
from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberState, Saved
from orchestrator.retention import Shelf


class NothingToRestore(RuntimeError):
    """A member's checkpoints are all damaged or gone."""


def put_back(ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
    """Put members whose checkpoint is damaged back on their newest one that verifies.

    Each such step is journalled, as a fault and a restore.

    Raises:
        NothingToRestore: if a member has none.
    """
    for state in ledger.states():
        point = state.restore_point
        if point is None or ledger.population(state.key).done(state.member):
            continue
        damage = _damage(run_dir, point)
        if damage is not None:
            ledger.record(*_restored(state, damage, shelf, run_dir))


def _damage(run_dir: Path, saved: Saved) -> str | None:
    try:
        checkpoints.verify(run_dir / saved.path, saved.digest)
    except checkpoints.Damaged as damaged:
        return str(damaged)
    return None


def _restored(
    state: MemberState, damage: str, shelf: Shelf, run_dir: Path
) -> tuple[records.Record, records.Record]:
    who = state.who()
    for saved in shelf.of_member(state.key):
        try:
            manifest = checkpoints.verify(run_dir / saved.path, saved.digest)
        except checkpoints.Damaged:
            continue
        fault = records.Fault(
            **who,
            where="checkpoint",
            error=damage,
            action=f"put back to iteration {saved.iteration}",
        )
        restored = records.Restored(
            **{**who, "iteration": saved.iteration},
            path=saved.path,
            digest=saved.digest,
            score=saved.score,
            env_steps=manifest["env_steps"],
            minutes=manifest["minutes"],
            hyperparameters=manifest["hyperparameters"],
            distribution=manifest["distribution"],
            revision=state.revision + 1,
        )
        return fault, restored
    raise NothingToRestore(
        f"m{state.member} of {who['arm']}, seed {who['seed']}: one of its checkpoints must be "
        f"whole, but {damage}, and no older one verifies"
    )
