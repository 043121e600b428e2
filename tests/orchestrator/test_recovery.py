"""Disk and journal brought to agree before a run goes on, without Ray."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from synthetic_run import INTERVAL, SyntheticRun

from orchestrator import checkpoints
from orchestrator.records import CheckpointSaved, Exploit, Fault, Restored, RunResumed
from orchestrator.recovery import NothingToRestore, adopt, put_back, tidy

SCORES = {0: 10.0, 1: 20.0, 2: 30.0, 3: 40.0}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SyntheticRun]:
    """Two boundaries, every member saved at both."""
    run = trained(SyntheticRun(tmp_path))
    yield run
    run.journal.close()


def trained(run: SyntheticRun) -> SyntheticRun:
    run.begin()
    for boundary in (INTERVAL, 2 * INTERVAL):
        for iteration in range(boundary - INTERVAL + 1, boundary + 1):
            run.train(iteration)
        for member, score in SCORES.items():
            save(run, member, boundary, score)
    return run


def save(run: SyntheticRun, member: int, iteration: int, score: float | None) -> Path:
    """A checkpoint of a member, on disk and in the journal."""
    place, digest = write(run, member, iteration, score)
    run.ledger.record(
        CheckpointSaved(
            **run.who(run.population.members[member].key, iteration),
            path=place.relative_to(run.folder).as_posix(),
            digest=digest,
            score=score,
        )
    )
    return place


def write(run: SyntheticRun, member: int, iteration: int, score: float | None) -> tuple[Path, str]:
    """A checkpoint of a member that only the disk knows."""
    state = run.population.members[member]
    point = state.restore_point
    facts: dict[str, Any] = {
        **run.who(state.key, iteration),
        "env_steps": 1000 * iteration,
        "minutes": 1.0,
        "hyperparameters": dict(state.hyperparameters),
        "distribution": state.distribution.to_json(),
        "revision": state.revision,
        "parent": {"checkpoint": None, "digest": None if point is None else point.digest},
        "score": score,
    }
    place = run.folder / checkpoints.directory("main", 0, member, iteration)
    return checkpoints.write(place, lambda into: (into / "weights").write_text("w"), facts)


def resume(run: SyntheticRun) -> None:
    run.ledger.record(RunResumed(experiment="0", arms={}, versions={}, command=()))
    put_back(run.ledger, run.shelf, run.folder)
    adopt(run.ledger, run.shelf, run.folder)
    tidy(run.shelf, run.folder)


def flip(place: Path) -> None:
    content = bytearray((place / "weights").read_bytes())
    content[0] ^= 1
    (place / "weights").write_bytes(content)


def cut(place: Path) -> None:
    (place / "weights").write_bytes(b"")


def lose_a_file(place: Path) -> None:
    (place / "weights").unlink()


def lose_the_manifest(place: Path) -> None:
    (place / checkpoints.MANIFEST).unlink()


@pytest.mark.parametrize("damage", [flip, cut, lose_a_file, lose_the_manifest, shutil.rmtree])
def test_the_newest_that_verifies_is_taken_and_it_is_said(
    run: SyntheticRun, damage: Callable[[Path], None]
) -> None:
    newest = run.folder / checkpoints.directory("main", 0, 2, 2 * INTERVAL)
    damage(newest)
    resume(run)
    (fault,) = [r for r in run.taken if isinstance(r, Fault)]
    (restored,) = [r for r in run.taken if isinstance(r, Restored)]
    assert (fault.where, fault.member) == ("checkpoint", 2)
    assert newest.name in fault.error
    assert fault.action == f"put back to iteration {INTERVAL}"
    assert (restored.member, restored.iteration) == (2, INTERVAL)
    for member, state in run.population.members.items():
        assert state.iteration == (INTERVAL if member == 2 else 2 * INTERVAL)
        assert state.restore_point is not None
        checkpoints.verify(run.folder / state.restore_point.path, state.restore_point.digest)


def test_none_whole_is_an_error_that_names_the_member(run: SyntheticRun) -> None:
    for iteration in (INTERVAL, 2 * INTERVAL):
        flip(run.folder / checkpoints.directory("main", 0, 1, iteration))
    with pytest.raises(NothingToRestore, match="m1 of main, seed 0"):
        resume(run)


def test_nothing_damaged_nothing_said(run: SyntheticRun) -> None:
    before = len(run.taken)
    resume(run)
    assert [type(record) for record in run.taken[before:]] == [RunResumed]


def test_what_processes_that_died_left_behind_is_removed(run: SyntheticRun) -> None:
    named = set(run.folder.rglob("manifest.json"))
    unnamed, _ = write(run, 0, 11, 5.0)
    half = unnamed.with_name(".000012.77.tmp")
    gone = run.folder / "best" / ".main-seed0-m0-000004-abc.gone"
    for one in (half, gone):
        one.mkdir(parents=True)
    resume(run)
    assert not [one for one in (unnamed, half, gone) if one.exists()]
    assert set(run.folder.rglob("manifest.json")) == named


def test_a_synchronous_member_makes_an_unjournalled_checkpoint_anew(run: SyntheticRun) -> None:
    write(run, 0, 3 * INTERVAL, 99.0)
    resume(run)
    assert run.population.members[0].iteration == 2 * INTERVAL


class TestAdoption:
    """Asynchronous members lose no checkpoint that is whole on disk."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Iterator[SyntheticRun]:
        run = trained(SyntheticRun(tmp_path, mode="async"))
        yield run
        run.journal.close()

    def test_it_goes_on_from_the_newest(self, run: SyntheticRun) -> None:
        write(run, 0, 2 * INTERVAL + 1, None)
        place, digest = write(run, 0, 3 * INTERVAL, 99.0)
        resume(run)
        state = run.population.members[0]
        assert (state.iteration, state.score) == (3 * INTERVAL, 99.0)
        assert state.restore_point is not None
        assert state.restore_point.digest == digest
        assert place.exists()
        assert not place.with_name(f"{2 * INTERVAL + 1:06d}").exists()

    def test_it_stands_there_after_another_resume(self, run: SyntheticRun) -> None:
        write(run, 0, 3 * INTERVAL, 99.0)
        resume(run)
        resume(run)
        assert run.population.members[0].iteration == 3 * INTERVAL

    def test_a_damaged_one_is_not_taken(self, run: SyntheticRun) -> None:
        place, _ = write(run, 0, 3 * INTERVAL, 99.0)
        flip(place)
        resume(run)
        assert run.population.members[0].iteration == 2 * INTERVAL

    def test_one_from_before_an_exploit_is_not_taken(self, run: SyntheticRun) -> None:
        place, _ = write(run, 0, 3 * INTERVAL, 99.0)
        loser, donor = (run.population.members[member] for member in (0, 3))
        assert donor.own is not None
        run.ledger.record(
            Exploit(
                **loser.who(),
                donor=3,
                checkpoint=donor.own.path,
                digest=donor.own.digest,
                saved=place.as_posix(),
                before=loser.hyperparameters,
                after=donor.hyperparameters,
            )
        )
        resume(run)
        resumed = run.population.members[0]
        assert resumed.restore_point is not None
        assert (resumed.iteration, resumed.restore_point.path) == (2 * INTERVAL, donor.own.path)
