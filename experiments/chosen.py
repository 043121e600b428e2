"""Which checkpoint of a run a command means: the best, a member's newest, or one by its place.

A checkpoint is borrowed: linked or copied to a place of its own and verified there against the
journal's digest, so that a run that goes on cannot prune it meanwhile, and nothing is unpickled
that the run did not write.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callbacks.run_view import score_text, who
from experiments import journalled
from experiments.problems import BadInput, Problem
from experiments.run_dir import LATEST, RunDir, find_run
from experiments.run_facts import RunFacts
from experiments.showing import facts_of
from experiments.spec import Experiment
from orchestrator import checkpoints
from orchestrator.member_state import MemberKey
from orchestrator.records import CheckpointSaved, Pruned
from orchestrator.recovery import NothingToRestore
from orchestrator.retention import BEST
from orchestrator.sweeping import best_name

__all__ = ["Chosen", "borrowed"]


@dataclass(frozen=True)
class Chosen:
    """A checkpoint of a run, verified.

    Attributes:
        record: what the journal says of it.
        found_at: where it lies, relative to the run.
        manifest: what it says of itself.
        folder: where it was put for the time being, as `COPY`.
        passed_over: what would have been taken first, and why it was not, in words.
    """

    run: RunDir
    facts: RunFacts
    record: CheckpointSaved
    found_at: str
    manifest: dict[str, Any]
    folder: Path
    passed_over: tuple[str, ...]

    @property
    def experiment(self) -> Experiment:
        """The arm that it was trained in, as journalled."""
        history = self.facts.records
        start = journalled.last_start(history)
        assert start is not None, "a checkpoint is journalled after a start"
        arms = journalled.as_a_file(journalled.arms_of(start), history)
        return arms[self.record.arm]

    @property
    def name(self) -> str:
        """Whose it is, of when, and how good, in words."""
        record = self.record
        score = "not scored" if record.score is None else f"score {score_text(record.score)}"
        return f"{who(record.key)} at iteration {record.iteration}, {score}"


COPY = "checkpoint"


@contextmanager
def borrowed(name: str, checkpoint: str | None) -> Iterator[Chosen]:
    """The checkpoint that ``name`` and ``checkpoint`` mean, for the time of the block.

    Args:
        name: a run's directory, its name under ``runs/``, ``latest``, ``best`` (of the latest
            run), or the directory of a checkpoint or a member in a run.
        checkpoint: ``best`` (the default), a member (``m2``, ``arm/seed0/m2``), or the directory
            of a checkpoint.

    Raises:
        NotARun: if there is no run.
        BadInput: if the run has no such member or checkpoint.
        NothingToRestore: if none of those that are meant is whole.
    """
    run, inside = _run_and_rest(name)
    facts = facts_of(run)
    wanted = checkpoint if checkpoint is not None else inside
    candidates = _candidates(facts, run, wanted)
    with tempfile.TemporaryDirectory(prefix="envolve-") as folder:
        yield _first_whole(candidates, facts, run, Path(folder))


def _run_and_rest(name: str) -> tuple[RunDir, str]:
    """The run, and what in it is meant: ``best`` unless the name leads further into it."""
    if name == BEST:
        return find_run(LATEST), BEST
    path = Path(name)
    if path.is_dir() and not RunDir(path).exists:
        for parent in path.resolve().parents:
            if RunDir(parent).exists:
                return find_run(str(parent)), str(path.resolve())
    return find_run(name), BEST


def _candidates(facts: RunFacts, run: RunDir, wanted: str) -> list[CheckpointSaved]:
    """What is meant, what is to be taken first at first.

    Raises:
        BadInput: if nothing can be meant.
    """
    saved = [record for record in facts.records if isinstance(record, CheckpointSaved)]
    if wanted in (BEST, str(run.path / BEST)):
        newest = sorted(saved, key=lambda r: -r.iteration)
        scored = [record for record in newest if record.score is not None]
        # Sorting is stable: of equals the newest.
        ranked = sorted(scored, key=lambda r: -(r.score or 0.0))
        return [*ranked, *(record for record in newest if record.score is None)]
    member = _member(facts, run, wanted)
    if member is not None:
        return [record for record in reversed(saved) if record.key == member]
    found = _by_place(saved, run, wanted)
    if not found:
        raise BadInput([_no_such(facts, wanted)])
    return found


def _member(facts: RunFacts, run: RunDir, wanted: str) -> MemberKey | None:
    """The member that is meant, by its number where there is one population alone."""
    keys = [state.key for state in facts.states]
    names = {f"{arm}/seed{seed}/m{member}": (arm, seed, member) for arm, seed, member in keys}
    if len(facts.populations) == 1:
        names |= {f"m{key[2]}": key for key in keys}
    places = {str(run.path / "members" / name): key for name, key in names.items()}
    plain = wanted.rstrip("/").removeprefix("members/")
    return names.get(plain, places.get(str(Path(wanted).resolve())))


def _by_place(saved: Sequence[CheckpointSaved], run: RunDir, wanted: str) -> list[CheckpointSaved]:
    """The journal's records of the checkpoint in a directory: by its digest, else by its name."""
    for place in (Path(wanted).resolve(), run.path / wanted):
        try:
            digest = checkpoints.digest_of(place)
        except OSError:
            digest = ""
        found = [record for record in saved if record.digest == digest]
        found = found or [
            record
            for record in saved
            if place in (run.path / record.path, run.path / BEST / best_name(record))
        ]
        if found:
            return found[-1:]
    return []


def _no_such(facts: RunFacts, wanted: str) -> Problem:
    several = len(facts.populations) > 1
    known = [who(state.key) if several else f"m{state.member}" for state in facts.states]
    listed = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    must = f"must be {BEST}, a member ({listed}) or a checkpoint that the journal names"
    close = difflib.get_close_matches(wanted, [BEST, *known], 1, 0.4)
    hint = f"Did you mean {close[0]}?" if close else f"The run is {facts.run_dir}"
    return Problem.at("--checkpoint", must, wanted, hint)


def _first_whole(
    candidates: Sequence[CheckpointSaved], facts: RunFacts, run: RunDir, folder: Path
) -> Chosen:
    pruned = {record.digest for record in facts.records if isinstance(record, Pruned)}
    passed_over: list[str] = []
    for record in candidates:
        damage = ""
        for place in (BEST + "/" + best_name(record), record.path):
            try:
                manifest = _borrow(run.path / place, record.digest, folder / COPY)
            except (checkpoints.Damaged, OSError) as error:
                if (run.path / place).exists():
                    damage = str(error)
                continue
            return Chosen(run, facts, record, place, manifest, folder, tuple(passed_over))
        if damage or record.digest not in pruned:
            place = record.path
            passed_over.append(
                damage or f"{run.path / place}: the journal names it, but it is gone"
            )
    found = "none is" if candidates else "none was saved yet"
    reasons = "".join(f"\n  {reason}" for reason in passed_over[:5])
    raise NothingToRestore(f"{run.path}: a checkpoint must be whole, but {found}{reasons}")


def _borrow(place: Path, digest: str, copy: Path) -> dict[str, Any]:
    shutil.rmtree(copy, ignore_errors=True)
    checkpoints.link(place, copy)
    return checkpoints.verify(copy, digest)
