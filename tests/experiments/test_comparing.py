"""``envolve compare``: the verdict and its tables, JSON and CSV, and answers to mistakes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from compared_runs import compared_run
from rich.console import Console

import analysis
from experiments import cli
from experiments.comparing import Asked, compare
from experiments.comparison_tables import print_comparison
from experiments.problems import BadInput
from experiments.run_dir import NotARun, NotWritable, RunDir, note_latest

LOW = {seed: (1.0 + seed, 2.0, 3.0, 4.0) for seed in range(4)}
HIGH = {seed: (11.0 + seed, 12.0, 13.0, 14.0) for seed in range(4)}
ASKED = Asked(
    suite="test",
    arms=None,
    baseline=None,
    seeds=None,
    threshold=None,
    alpha=0.25,
    bootstrap_seed=0,
    csv=None,
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of two arms under runs/ of the current directory, the latest one."""
    monkeypatch.chdir(tmp_path)
    made = compared_run(tmp_path / "runs" / "two", {"low": LOW, "high": HIGH})
    note_latest(RunDir(made))
    return made


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command."""
    monkeypatch.setattr("sys.argv", ["envolve", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int | None)
    return int(ended.value.code or 0)


def test_the_verdict_comes_first_then_arms_and_pairs(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "compare", "latest", "--threshold", "12.6") == 0
    out = capsys.readouterr().out
    assert out.startswith("high is better than low, on the test suite")
    arms, pairs = out.index("Arms on the test suite"), out.index("The pair")
    assert 0 < arms < pairs
    assert "CVaR 25%" in out
    assert "env steps to 12.6" in out
    assert "(3 of 4)" in out
    assert "Traceback" not in out


def test_no_winner_is_no_failure(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "compare", "two", "--seeds", "0,1") == 0
    assert capsys.readouterr().out.startswith("No winner is called on the test suite")


def test_json_is_the_comparison(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare([str(run)], ASKED, as_json=True)
    assert json.loads(capsys.readouterr().out) == analysis.compare(analysis.load(run)).to_json()


def test_csv_is_written_beside_the_tables(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "new" / "out.csv"
    compare([str(run)], Asked(**{**vars(ASKED), "csv": place}), as_json=False)
    assert capsys.readouterr().out.startswith("high is better")
    rows = list(csv.DictReader(place.read_text().splitlines()))
    assert [path.name for path in place.parent.iterdir()] == ["out.csv"]
    found = {(row["arm"], row["baseline"], row["measure"]): row for row in rows}
    assert float(found["high", "", "mean"]["value"]) == pytest.approx(12.875)
    assert float(found["high", "low", "difference"]["value"]) == pytest.approx(10.0)
    assert found["high", "", "mean"]["p"] == ""


def test_csv_can_be_printed_alone(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare([str(run)], Asked(**{**vars(ASKED), "csv": Path("-")}), as_json=False)
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "suite,arm,baseline,seeds,measure,value,low,high,p,p_holm"
    assert len(list(csv.reader(io.StringIO(out)))) == 1 + 2 * 4 + 4


def test_the_options_are_used(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(**asked: object) -> dict[str, object]:
        compare([str(run)], Asked(**{**vars(ASKED), **asked}), as_json=True)  # type: ignore[arg-type]
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    plain = answer()
    assert answer(suite="select")["suite"] == "select"
    assert answer(alpha=0.5)["alpha"] == 0.5
    assert answer(baseline="high")["baseline"] == "high"
    assert answer(threshold=3.0)["threshold"] == 3.0
    assert [each["name"] for each in answer(arms="low")["arms"]] == ["low"]  # type: ignore[attr-defined]
    assert [each["seeds"] for each in answer(seeds="0, 3")["arms"]] == [[0, 3], [0, 3]]  # type: ignore[attr-defined]
    assert answer(bootstrap_seed=0) == plain
    assert answer(bootstrap_seed=1) != plain


def test_several_runs_are_compared(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {seed: (21.0 + seed, 22.0, 23.0, 24.0) for seed in range(4)}
    compared_run(tmp_path / "runs" / "third", {"main": other}, "curriculum.kind=fixed")
    compare(["two", "third"], ASKED, as_json=False)
    out = capsys.readouterr().out
    assert out.startswith("third is better than every other arm, two/high the closest")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_figure_is_cut_however_narrow_the_screen(run: Path, width: int) -> None:
    found = analysis.compare(analysis.load(run), threshold=12.6)
    iqm = found.arms[0].iqm
    console = Console(width=width, file=io.StringIO(), color_system=None)
    print_comparison(found, console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    for figure in (
        f"12.9 [{iqm.low:.1f}, {iqm.high:.1f}]",
        "11.8 [",
        "400 [400, ∞] (3 of 4)",
        "1 [1, 1]",
    ):
        assert figure in text


def test_names_are_no_markup(tmp_path: Path) -> None:
    made = compared_run(tmp_path / "run", {"[red]a": LOW, "b\x1b[31m": HIGH})
    console = Console(width=200, file=io.StringIO(), force_terminal=False)
    print_comparison(analysis.compare(analysis.load(made)), console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "[red]a" in text
    assert "\x1b" not in text


# Mistakes


def test_mistakes_are_answered_without_a_traceback(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared_run(Path("runs") / "other", {"main": LOW}, "evaluation.seed=3")
    assert called(monkeypatch, "compare", "two", "other") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "evaluation.seed: test suites must be the same, but it is 0 in two and 3 in other\n"
    )


def test_runs_that_are_not_there(run: Path) -> None:
    with pytest.raises(NotARun, match="did you mean runs/two"):
        compare(["latest", "towo"], ASKED, as_json=False)


def test_an_unfinished_run_says_how_to_go_on(run: Path) -> None:
    made = compared_run(Path("runs") / "cut", {"main": {0: None}}, status="stopped")
    with pytest.raises(BadInput, match=f"`envolve resume {made.resolve()}` goes on with it"):
        compare(["cut"], ASKED, as_json=False)


def test_all_options_that_cannot_be_used_are_said_at_once(run: Path) -> None:
    asked = Asked("tset", None, None, "0,x", None, 1.5, -1, run / "out.txt")
    with pytest.raises(BadInput) as error:
        compare([str(run)], asked, as_json=False)
    said = str(error.value)
    assert '--suite: must be test or select, but got tset. Did you mean "test"?' in said
    assert "--seeds: must be whole numbers of at least 0, but got 0,x" in said
    assert "--alpha: must be a share above 0, and at most 1, but got 1.5" in said
    assert "--bootstrap-seed: must be at least 0, but got -1" in said
    assert "must end in .csv, but got .txt" in said
    assert "must lie outside of every run" in said


def test_one_thing_alone_is_printed(run: Path) -> None:
    with pytest.raises(BadInput, match="--csv: must be a file with --json"):
        compare([str(run)], Asked(**{**vars(ASKED), "csv": Path("-")}), as_json=True)


def test_a_csv_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritable):
        compare(
            [str(run)],
            Asked(**{**vars(ASKED), "csv": tmp_path / "file" / "out.csv"}),
            as_json=False,
        )
