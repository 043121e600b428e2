"""Before a run goes on: the disk and the journal are brought to agree.

Every member must stand on a checkpoint whose bytes are what was saved; a checkpoint that was
saved but not journalled any more is taken up or removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator import checkpoints, records
from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberState, Saved
from orchestrator.retention import BEST, Shelf


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


def adopt(ledger: Ledger, shelf: Shelf, run_dir: Path) -> None:
    """Have asynchronous members go on from a checkpoint that the journal had no time to name.

    A synchronous member does not: it makes that checkpoint anew, bit for bit, and the score
    with it. What is adopted must be whole, and come from where the member stands.
    """
    for state in ledger.states():
        population = ledger.population(state.key)
        if population.rules.mode == "sync" or population.done(state.member):
            continue
        digest = None if state.restore_point is None else state.restore_point.digest
        found = [
            (place, manifest)
            for place in unnamed(shelf, run_dir)
            for manifest in [_manifest(place)]
            if manifest is not None
            and (manifest["arm"], manifest["seed"], manifest["member"]) == state.key
            and manifest["iteration"] > state.iteration
            and manifest["parent"]["digest"] == digest
        ]
        if found:
            ledger.record(*_adopted(*max(found, key=lambda one: one[1]["iteration"]), run_dir))


def unnamed(shelf: Shelf, run_dir: Path) -> Iterator[Path]:
    """Checkpoints on disk that the journal does not name."""
    for home in _homes(run_dir):
        for place in sorted(home.iterdir()):
            named = shelf.holds(place.relative_to(run_dir).as_posix())
            if not named and not place.name.startswith("."):
                yield place


def tidy(shelf: Shelf, run_dir: Path) -> None:
    """Remove what processes that died left behind: nothing that the journal names."""
    strays = [*unnamed(shelf, run_dir)]
    for home in [*_homes(run_dir), run_dir / BEST]:
        strays += checkpoints.leftovers(home)
    for stray in strays:
        shutil.rmtree(stray, ignore_errors=True)


def _homes(run_dir: Path) -> list[Path]:
    return sorted((run_dir / "members").glob("*/seed*/m*/checkpoints"))


def _manifest(place: Path) -> dict[str, Any] | None:
    try:
        return checkpoints.verify(place)
    except checkpoints.Damaged:
        return None


def _adopted(
    place: Path, manifest: dict[str, Any], run_dir: Path
) -> tuple[records.Record, records.Record]:
    who = {name: manifest[name] for name in ("arm", "seed", "member", "iteration")}
    what = {
        "path": place.relative_to(run_dir).as_posix(),
        "digest": checkpoints.digest_of(place),
        "score": manifest["score"],
    }
    return records.CheckpointSaved(**who, **what), _placed(
        who, what, manifest, manifest["revision"]
    )


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
        what = {"path": saved.path, "digest": saved.digest, "score": saved.score}
        put = {**who, "iteration": saved.iteration}
        return fault, _placed(put, what, manifest, state.revision + 1)
    raise NothingToRestore(
        f"m{state.member} of {who['arm']}, seed {who['seed']}: one of its checkpoints must be "
        f"whole, but {damage}, and no older one verifies"
    )


def _placed(
    who: dict[str, Any], what: dict[str, Any], manifest: dict[str, Any], revision: int
) -> records.Restored:
    """The member stands where the manifest of a checkpoint says."""
    facts = ("env_steps", "minutes", "hyperparameters", "distribution")
    return records.Restored(
        **who, **what, **{name: manifest[name] for name in facts}, revision=revision
    )
