"""A run's directory: its lock, how runs are named and found."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from made_runs import made_run

from experiments.run_dir import (
    RUNS,
    Busy,
    NotARun,
    NotWritable,
    RunDir,
    find_run,
    new_run_dir,
    note_latest,
    write_atomically,
)

NOON = datetime(2030, 1, 2, 12, 0, 0)  # noqa: DTZ001 - a user's clock
HOLDER = """\
import sys
from pathlib import Path
from experiments.run_dir import RunDir
with RunDir(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextmanager
def held_elsewhere(place: RunDir) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the run."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


# Names


def test_a_new_run_is_named_after_experiment_and_time() -> None:
    place = new_run_dir("tiny", NOON)
    assert place.path == Path("runs/tiny-20300102-120000").resolve()
    assert place.path.is_dir()
    assert not place.exists


def test_names_that_are_taken_get_a_number() -> None:
    places = [new_run_dir("tiny", NOON).path.name for _ in range(3)]
    stem = "tiny-20300102-120000"
    assert places == [stem, f"{stem}-2", f"{stem}-3"]


def test_where_no_directory_can_be_made_that_is_said() -> None:
    RUNS.write_text("")
    with pytest.raises(NotWritable, match="must be a directory that can be written"):
        new_run_dir("tiny", NOON)


def test_legs_are_counted() -> None:
    place = new_run_dir("tiny", NOON)
    assert place.next_leg() == 1
    (place.tune / "leg-1").mkdir(parents=True)
    assert place.next_leg() == 2


# The lock


def test_one_writer_at_a_time() -> None:
    place = RunDir(Path("run").resolve())
    with held_elsewhere(place):
        assert place.is_held()
        with pytest.raises(Busy, match="another process is running"), place.held():
            pass


def test_the_lock_of_a_dead_process_is_free() -> None:
    place = RunDir(Path("run").resolve())
    with held_elsewhere(place) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert place.lock.exists()
        assert not place.is_held()
        with place.held():
            assert place.is_held()


def test_looking_leaves_no_trace() -> None:
    place = RunDir(Path("run").resolve())
    assert not place.is_held()
    assert not place.path.exists()


def test_a_directory_in_which_nothing_was_begun_vanishes() -> None:
    with new_run_dir("tiny", NOON).held():
        pass
    assert not RUNS.exists()
    with RunDir(Path("a/run").resolve()).held():
        pass
    assert not Path("a/run").exists()


def test_a_users_own_directory_stays_as_it_was() -> None:
    Path("empty").mkdir()
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    for name in ("empty", "full"):
        with RunDir(Path(name).resolve()).held():
            pass
    assert list(Path("empty").iterdir()) == []
    assert [entry.name for entry in Path("full").iterdir()] == ["notes.txt"]


def test_what_was_begun_stays_even_if_it_fails() -> None:
    place = RunDir(Path("run").resolve())

    def begin() -> None:
        with place.held():
            place.experiment.write_text("envolve: 1\n")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        begin()
    assert place.experiment.exists()
    assert not place.is_held()


def test_a_place_that_cannot_be_a_directory() -> None:
    Path("file").write_text("")
    for name in ("file", "file/run"):
        place = RunDir(Path(name).resolve())
        with pytest.raises(NotWritable, match="must be a directory"), place.held():
            pass


def test_what_a_run_would_overwrite_is_in_the_way() -> None:
    place = RunDir(Path("mine").resolve())
    assert place.in_the_way() is None
    place.path.mkdir()
    (place.path / "slurm.out").write_text("")
    assert place.in_the_way() is None
    place.experiment.write_text("name: my own\n")
    assert place.in_the_way() == place.experiment
    place.lock.touch()
    assert place.in_the_way() is None


# Finding runs


def test_runs_are_found_by_path_and_by_name() -> None:
    place = made_run(RUNS / "tiny-1")
    for name in ("runs/tiny-1", "tiny-1", str(place.path), "./runs/tiny-1/"):
        assert find_run(name) == place


def test_latest_is_the_run_noted_last() -> None:
    for name in ("tiny-2", "tiny-1"):
        note_latest(made_run(RUNS / name))
    assert (RUNS / "latest").read_text() == "tiny-1\n"
    assert find_run("latest").path.name == "tiny-1"
    elsewhere = made_run(Path("elsewhere"))
    note_latest(elsewhere)
    assert find_run("latest") == elsewhere
    assert not Path("latest").exists()


def test_noting_a_run_kept_elsewhere_never_fails_it() -> None:
    RUNS.write_text("")
    note_latest(made_run(Path("elsewhere")))
    assert RUNS.read_text() == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("latest", "latest: runs/latest must name a run, but there is no such file"),
        (
            "tiny-l",
            "tiny-l: must be a run's directory, but there is none; did you mean runs/tiny-1",
        ),
        ("zebra", "zebra: must be a run's directory, but there is none"),
        ("empty", "empty: a run must have a journal.jsonl, but this directory has none"),
        ("tiny.yaml", "tiny.yaml: must be a run's directory, but it is a file; `envolve run tiny"),
        ("runs/tiny-1/journal.jsonl", "but it is a file; the run is runs/tiny-1"),
        ("runs/half", "a run must have an experiment.yaml, but this one has none"),
    ],
)
def test_what_is_no_run_is_said(name: str, said: str) -> None:
    made_run(RUNS / "tiny-1")
    half = made_run(RUNS / "half")
    half.experiment.unlink()
    # Killed before its first record was whole: there is nothing to write the file from.
    half.journal.write_text("")
    Path("empty").mkdir()
    Path("tiny.yaml").write_text("")
    with pytest.raises(NotARun) as refused:
        find_run(name)
    assert said in str(refused.value)
    assert ("did you mean" in str(refused.value)) == ("did you mean" in said)


def test_latest_may_point_nowhere() -> None:
    RUNS.mkdir()
    (RUNS / "latest").write_text("gone\n")
    with pytest.raises(NotARun, match="names gone, which is not a run"):
        find_run("latest")


def test_files_are_replaced_whole() -> None:
    path = Path("file")
    write_atomically(path, "one")
    write_atomically(path, "two…")
    assert path.read_text(encoding="utf-8") == "two…"
    assert [entry.name for entry in Path().iterdir()] == ["file"]
