"""`best/` holds the best that are whole, whatever is pruned, killed, deleted or damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_population import ARM, SEED, resumed, rules, started, trained, who

from orchestrator import checkpoints
from orchestrator.journal import Journal, read
from orchestrator.ledger import Ledger
from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Fault
from orchestrator.retention import BEST, Shelf
from orchestrator.stop import Stop
from orchestrator.sweeping import best_name, mend, sweep

MEMBERS = 2
KEEP = 2


_OPEN: list[Journal] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


class Killed(BaseException):
    """The process is gone."""


class Leg:
    """A process that works on a run directory, from a start or a resume on."""

    def __init__(self, run_dir: Path, keep_best: int = KEEP) -> None:
        self.run_dir = run_dir
        self.shelf = Shelf(keep_best=keep_best)
        population = Population(
            ARM, SEED, rules(size=MEMBERS, interval=1, stop=Stop(iterations=99))
        )
        self.journal = Journal(run_dir / "journal.jsonl")
        _OPEN.append(self.journal)
        self.ledger = Ledger(self.journal, [population], [self.shelf.apply])
        if population.members:
            self.ledger.record(resumed())
            mend(self.ledger, self.shelf, run_dir)
            self.sweep()
        else:
            beginnings = started(population.rules).members
            first = [(m.hyperparameters, m.distribution) for m in beginnings.values()]
            self.ledger.record(*population.first(first, "random"))

    def resume(self, keep_best: int = KEEP) -> Leg:
        """The next process."""
        self.journal.close()
        return Leg(self.run_dir, keep_best)

    def save(self, member: int, score: float | None) -> CheckpointSaved:
        """What a member does at a boundary."""
        state = self.ledger.state((ARM, SEED, member))
        iteration = state.iteration + 1
        place = self.run_dir / checkpoints.directory(ARM, SEED, member, iteration)
        taken, digest = checkpoints.write(
            place, lambda into: _fill(into, f"{member}/{iteration}/{score}"), {"score": score}
        )
        path = taken.relative_to(self.run_dir).as_posix()
        record = CheckpointSaved(**who(member, iteration), path=path, digest=digest, score=score)
        self.ledger.record(trained(member, iteration), record)
        return record

    def sweep(self) -> None:
        sweep(self.ledger, self.shelf, self.run_dir)

    def best(self) -> list[Path]:
        """What lies under best/."""
        folder = self.run_dir / BEST
        return sorted(folder.iterdir()) if folder.exists() else []

    def whole(self) -> list[CheckpointSaved]:
        """Scored checkpoints of which a whole copy is left, best first."""
        saved = [r for r in self.journal_records() if r.score is not None]
        found = [r for r in saved if any(_whole(p, r.digest) for p in self._copies(r))]
        return sorted(found, key=lambda r: (-(r.score or 0.0), r.path))

    def journal_records(self) -> list[CheckpointSaved]:
        return [r for r in read(self.run_dir / "journal.jsonl") if isinstance(r, CheckpointSaved)]

    def _copies(self, record: CheckpointSaved) -> tuple[Path, Path]:
        return self.run_dir / record.path, self.run_dir / BEST / best_name(record)


def _fill(into: Path, text: str) -> None:
    (into / "weights").write_text(text)
    (into / "part").mkdir()
    (into / "part" / "state").write_text(f"state of {text}")


def _whole(place: Path, digest: str) -> bool:
    try:
        checkpoints.verify(place, digest)
    except checkpoints.Damaged:
        return False
    return True


def damage(place: Path) -> None:
    """Other bytes in a file of its own: a hard link's others keep theirs."""
    file = place / "weights"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(b"?" + content[1:])


@pytest.fixture
def leg(tmp_path: Path) -> Leg:
    one = Leg(tmp_path)
    for score in (5.0, 9.0, 1.0, 2.0, 3.0):
        one.save(0, score)
        one.sweep()
    return one


def scores(leg: Leg) -> list[float | None]:
    """Scores of what lies whole under best/, best first."""
    records = {best_name(record): record for record in leg.journal_records()}
    found = [records[place.name] for place in leg.best()]
    assert all(_whole(leg.run_dir / BEST / best_name(r), r.digest) for r in found)
    return sorted((record.score for record in found), key=lambda score: -(score or 0.0))


def test_the_best_outlive_their_pruning(leg: Leg) -> None:
    assert scores(leg) == [9.0, 5.0]
    kept = [path.name for path in (leg.run_dir / "members").glob("*/*/m0/checkpoints/*")]
    assert sorted(kept) == ["000002", "000004", "000005"]


def test_what_was_deleted_is_linked_again_while_its_original_is_there(leg: Leg) -> None:
    shutil.rmtree(leg.run_dir / BEST)
    leg.sweep()
    # 5.0 lay under best/ alone; of what is left 3.0 is next.
    assert scores(leg) == [9.0, 3.0]


def test_what_was_damaged_is_linked_again_by_a_resume(leg: Leg) -> None:
    best = next(place for place in leg.best() if "-000002-" in place.name)
    damage(best)
    again = leg.resume()
    assert scores(again) == [9.0, 5.0]
    (fault,) = again.ledger.faults
    assert (fault.where, str(best / "weights") in fault.error) == ("best", True)


def test_what_is_lost_gives_way_to_the_next_best_for_good(leg: Leg) -> None:
    best, original = (
        next(place for place in leg.best() if "-000002-" in place.name),
        leg.run_dir / checkpoints.directory(ARM, SEED, 0, 2),
    )
    damage(best)
    damage(original)
    again = leg.resume()
    assert scores(again) == [5.0, 3.0]
    for score in (0.0, 0.5, 0.6):
        again.save(0, score)
        again.sweep()
    # 3.0 is under best/ alone by now, and a process that reads the journal anew keeps it there.
    assert scores(again.resume()) == [5.0, 3.0]


def test_a_damaged_original_is_not_linked(tmp_path: Path) -> None:
    leg = Leg(tmp_path)
    good, bad = leg.save(0, 1.0), leg.save(1, 2.0)
    damage(tmp_path / bad.path)
    leg.sweep()
    assert [place.name for place in leg.best()] == [best_name(good)]


def test_more_can_be_kept_than_before(leg: Leg) -> None:
    more = leg.resume(keep_best=4)
    # 1.0 was pruned; 2.0 and 3.0 are the newest two.
    assert scores(more) == [9.0, 5.0, 3.0, 2.0]
    assert scores(more.resume(keep_best=1)) == [9.0]


def test_what_a_killed_sweep_left_is_cleared(leg: Leg) -> None:
    for name in (".x.123.tmp", ".x.gone", "main-seed0-m9-000001-00000000"):
        (leg.run_dir / BEST / name).mkdir()
    leg.sweep()
    assert scores(leg) == [9.0, 5.0]


def test_faults_of_mending_are_recorded_once(leg: Leg) -> None:
    damage(leg.best()[0])
    again = leg.resume().resume()
    assert len([fault for fault in again.ledger.faults if isinstance(fault, Fault)]) == 1


# Whatever happens

_saves = st.tuples(
    st.just("save"), st.integers(0, MEMBERS - 1), st.none() | st.integers(-5, 5).map(float)
)
_kills = st.tuples(st.just("kill"), st.integers(0, MEMBERS - 1), st.integers(1, 14))
_harms = st.tuples(
    st.sampled_from(["damage best", "damage original", "delete best"]),
    st.integers(0, KEEP - 1),
    st.just(0),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_saves | _saves | _kills | _harms, max_size=25))
def test_the_best_that_are_whole_are_there_after_every_sweep(steps: list[Any]) -> None:
    """Processes that die anywhere within a sweep, and disks that lose things between two."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # What is on a disk after a power cut is no matter here.
        patch.setattr(os, "fsync", lambda handle: None)
        leg = Leg(Path(folder))
        for what, which, number in steps:
            if what == "save":
                leg.save(which, number)
            elif what == "kill":
                leg.save(which, float(number))
                with _killed_at(number, patch):
                    leg.sweep()
                leg = leg.resume()
            elif not _harm(leg, what, which):
                continue
            else:
                expected = leg.whole()[:KEEP]
                leg = leg.resume()
                _check(leg, expected)
            expected = leg.whole()[:KEEP]
            leg.sweep()
            _check(leg, expected)
        leg.journal.close()


def _check(leg: Leg, expected: list[CheckpointSaved]) -> None:
    assert {place.name for place in leg.best()} == {best_name(record) for record in expected}
    assert scores(leg) == [record.score for record in expected]
    points = [point for p in leg.ledger.populations.values() for point in p.restore_points()]
    assert {point.path for point in points} <= {r.path for r in leg.journal_records()}
    homes = [(leg.run_dir / "members" / ARM / f"seed{SEED}" / f"m{m}") for m in range(MEMBERS)]
    under_members = [
        place
        for home in homes
        if home.exists()
        for place in (home / "checkpoints").iterdir()
        if not place.name.startswith(".")
    ]
    # The bound that `sweep` states; the best one of the population is among them.
    assert len(under_members) <= 4 * MEMBERS + 1
    assert len(leg.best()) <= KEEP


def _harm(leg: Leg, what: str, which: int) -> bool:
    best = leg.best()
    if which >= len(best):
        return False
    place = best[which]
    if what == "delete best":
        shutil.rmtree(place)
    elif what == "damage best":
        damage(place)
    else:
        record = next(r for r in leg.journal_records() if best_name(r) == place.name)
        stood_on = [s.path for p in leg.ledger.populations.values() for s in p.restore_points()]
        if record.path in stood_on or not (leg.run_dir / record.path).exists():
            return False
        damage(leg.run_dir / record.path)
    return True


@contextmanager
def _killed_at(number: int, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process dies before the n-th step of the block that changes the disk."""
    left = number
    real = {(Path, "rename"): Path.rename, (os, "link"): os.link, (shutil, "rmtree"): shutil.rmtree}

    def counted(step: Any) -> Any:
        def dying(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return step(*arguments, **named)

        return dying

    for (where, name), step in real.items():
        patch.setattr(where, name, counted(step))
    try:
        yield
    except Killed:
        pass
    finally:
        for (where, name), step in real.items():
            patch.setattr(where, name, step)
