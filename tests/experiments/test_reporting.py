"""``envolve report``: where it is written, and answers to mistakes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_runs import TEXT, made_run

from experiments import cli
from experiments.problems import BadInput
from experiments.reporting import report, write_report
from experiments.run_dir import NotARun, NotWritable, RunDir, note_latest


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """A finished run under runs/ of the current directory, the latest one."""
    monkeypatch.chdir(tmp_path)
    made = made_run(tmp_path / "runs" / "one", "finished", trained=8)
    note_latest(made)
    return made


def test_a_run_has_its_report_beside_its_journal(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    report(["latest"], None)
    path = run.path / "report.html"
    assert capsys.readouterr().out == f"report: {path}\n"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "<h1>made</h1>" in path.read_text(encoding="utf-8")


def test_the_end_of_a_run_writes_the_same_report(run: RunDir) -> None:
    path = write_report(run)
    assert path == run.path / "report.html"
    written = path.read_bytes()
    report(["one"], None)
    assert path.read_bytes() == written


def test_several_runs_are_compared_in_the_current_directory(run: RunDir, tmp_path: Path) -> None:
    made_run(tmp_path / "runs" / "other", trained=2, text=TEXT.replace("CartPole", "Pendulum"))
    report(["one", "other"], None)
    text = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "2 runs compared" in text
    assert "No verdict: these runs cannot be compared." in text
    assert not (run.path / "report.html").exists()


def test_a_run_that_is_named_twice_counts_once(run: RunDir, tmp_path: Path) -> None:
    report(["one", "latest", str(run.path)], None)
    assert (run.path / "report.html").exists()
    assert not (tmp_path / "comparison.html").exists()


def test_the_place_can_be_chosen(run: RunDir, tmp_path: Path) -> None:
    report(["one"], Path("new/folder/page.html"))
    assert (tmp_path / "new" / "folder" / "page.html").is_file()
    report(["one"], Path("runs/one/report.html"))
    assert (run.path / "report.html").is_file()


@pytest.mark.parametrize(
    ("place", "must"),
    [("page.pdf", "must end in .html or .htm"), ("runs/one/page.html", "must lie outside")],
)
def test_a_place_that_is_none_is_refused(run: RunDir, place: str, must: str) -> None:
    with pytest.raises(BadInput, match=must):
        report(["one"], Path(place))


def test_what_is_no_run_is_refused(run: RunDir) -> None:
    with pytest.raises(NotARun, match="did you mean runs/one"):
        report(["one", "ones"], None)


def test_a_place_that_cannot_be_written_is_refused(run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(NotWritable, match="must be a file that can be written, but is a directory"):
        report(["one"], Path("page.html"))
    (run.path / "report.html").mkdir()
    with pytest.raises(NotWritable, match="is a directory"):
        write_report(run)


def test_mistakes_are_answered_without_a_traceback(
    run: RunDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["envolve", "report", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.Exit.BAD_INPUT
    said = capsys.readouterr()
    assert said.err.startswith("nowhere: must be a run's directory")
    assert said.out == ""


def test_a_report_needs_neither_ray_nor_torch(run: RunDir) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from experiments.reporting import write_report\n"
        "from experiments.run_dir import RunDir\n"
        "assert 'pandas' not in sys.modules\n"
        "write_report(RunDir(Path(sys.argv[1])))\n"
        "print(sorted({'ray', 'torch', 'gymnasium', 'matplotlib'} & set(sys.modules)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(run.path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.stdout == "[]\n"
