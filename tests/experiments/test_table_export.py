"""A run's frames, on the screen and in files that other tools read back with the same types."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from lived_runs import lived_run
from made_runs import TEXT, made_run
from real_runs import Envolve
from rich.console import Console

import analysis
from analysis.frames import COLUMNS
from experiments.problems import BadInput
from experiments.run_dir import NotARun, NotWritable
from experiments.table_export import TABLES, columns_of_text, print_table, show_table, write_table
from orchestrator.journal import Journal
from orchestrator.records import Fault

CHOICES = TEXT.replace(
    "  knobs:\n", "  knobs:\n    wind: {choices: [calm, 1, null, [1, 2]]}\n"
).replace(
    "  search: {",
    "  search: {use_critic: {choices: [true, false, null]}, lambda_: {choices: [1, 0.9]}, ",
)

every_table = pytest.mark.parametrize("table", TABLES)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """One of two populations that knows exploits, and a fault with and without a level."""
    text = CHOICES.replace("size: 2", "size: 4").replace("seeds: [0]", "seeds: [0, 1]")
    place = lived_run(tmp_path / "run", text, 4, lambda state: 10.0 * state.key[2])
    with closing(Journal(place.journal)) as journal:
        level = {"gravity": 9.8, "wind": [1, 2], "length": 0.5}
        member = Fault("main", 0, 1, 4, where="env", error="é\n“no”, = 1", action="retried")
        journal.append(
            Fault(**{**vars(member), "level": level, "time": ""}),
            Fault.of_run("hook", "bad", "went on"),
        )
    return place.path


def lines(frame: pd.DataFrame, width: int = 200) -> list[str]:
    console = Console(record=True, width=width, color_system=None, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        print_table("results", frame, console)
    return [line.rstrip() for line in console.export_text().splitlines()]


# Which tables there are


def test_every_frame_of_a_run_is_a_table() -> None:
    assert set(COLUMNS) == set(TABLES)


@every_table
def test_the_run_of_these_tests_has_rows_in_every_frame(run: Path, table: str) -> None:
    assert len(getattr(analysis.load(run), table)) > 0


# Files


@pytest.mark.parametrize("ending", ["parquet", "feather"])
@every_table
def test_columns_come_back_with_the_same_types_and_values(
    run: Path, table: str, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.parent / f"{table}.{ending}"
    show_table(str(run), table, path, as_json=False)
    read = pd.read_parquet if ending == "parquet" else pd.read_feather
    back, frame = read(path), getattr(analysis.load(run), table)
    pd.testing.assert_frame_equal(back, columns_of_text(frame), check_exact=True)
    for name, kind in COLUMNS[table].items():
        if kind != "object":
            assert back[name].dtype == frame[name].dtype
            continue
        values = [None if pd.isna(each) else json.loads(each) for each in back[name]]
        assert list(map(repr, values)) == list(map(repr, frame[name]))
    assert capsys.readouterr().out == f"{table}: {len(frame)} rows written to {path}\n"


@every_table
def test_csv_has_every_number_exactly(run: Path, table: str) -> None:
    frame = columns_of_text(getattr(analysis.load(run), table))
    write_table(frame, run.parent / "table.csv")
    back = pd.read_csv(
        run.parent / "table.csv",
        dtype={name: "str" if kind == "object" else kind for name, kind in COLUMNS[table].items()},
        keep_default_na=False,
        na_values={name: [""] for name, kind in COLUMNS[table].items() if kind != "str"},
    )
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


@pytest.mark.parametrize("ending", ["json", "jsonl"])
@every_table
def test_rows_of_json_have_the_values_themselves(run: Path, table: str, ending: str) -> None:
    frame = getattr(analysis.load(run), table)
    path = run.parent / f"table.{ending}"
    write_table(frame, path)
    text = path.read_text(encoding="utf-8")
    rows = (
        json.loads(text) if ending == "json" else [json.loads(each) for each in text.splitlines()]
    )
    assert len(rows) == len(frame)
    for name, kind in COLUMNS[table].items():
        for row, value in zip(rows, frame[name], strict=True):
            if kind == "float64" and pd.isna(value):
                value = None  # noqa: PLW2901
            assert repr(row[name]) == repr(value)


@pytest.mark.parametrize("ending", ["csv", "parquet", "feather", "json", "jsonl"])
def test_a_table_without_rows_keeps_its_columns(tmp_path: Path, run: Path, ending: str) -> None:
    frame = analysis.load(run).faults.head(0)
    path = tmp_path / f"none.{ending}"
    write_table(frame, path)
    if ending == "csv":
        assert path.read_text() == ",".join(COLUMNS["faults"]) + "\n"
    elif ending == "json":
        assert json.loads(path.read_text()) == []
    elif ending == "jsonl":
        assert path.read_text() == ""
    else:
        back = pd.read_parquet(path) if ending == "parquet" else pd.read_feather(path)
        pd.testing.assert_frame_equal(back, columns_of_text(frame), check_exact=True)


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "table.csv"
    write_table(analysis.load(run).results, path)
    before = path.read_text()

    def half(frame: pd.DataFrame, place: Path, **options: object) -> None:
        place.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    with pytest.raises(NotWritable, match=r"table\.csv: must be .* but no space left on device"):
        write_table(analysis.load(run).results, path)
    assert [each.name for each in path.parent.iterdir()] == ["table.csv"]
    assert path.read_text() == before


# The screen


def test_a_short_table_is_shown_whole() -> None:
    frame = pd.DataFrame({"arm": ["a"], "x": [0.12345], "y": [float("nan")], "z": [True]})
    shown = [line.split() for line in lines(frame)]
    assert shown == [["results:", "1", "row"], ["arm", "x", "y", "z"], ["a", "0.123", "–", "true"]]


def test_of_a_long_table_both_ends_are_shown_and_how_long_it_is() -> None:
    first, _, *shown = lines(pd.DataFrame({"x": range(1000)}))
    assert first == "results: 1000 rows; the first and last 10 (`--to results.csv` writes all)"
    assert [line.strip() for line in shown] == [
        *map(str, range(10)), "…", *map(str, range(990, 1000))
    ]  # fmt: skip


def test_cells_cannot_move_the_cursor_or_break_the_lines() -> None:
    frame = pd.DataFrame({"error": ["a\x1b[31m\nb", "[bold]c[/bold]"], "level": [{"k": [1]}, None]})
    assert lines(frame)[2:] == ['a [31m b        {"k": [1]}', "[bold]c[/bold]  –"]


def test_json_is_printed_a_row_a_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_table(str(run), "faults", None, as_json=True)
    out = capsys.readouterr().out
    assert [row["error"] for row in json.loads(out)] == ["é\n“no”, = 1", "bad"]
    assert len(out.splitlines()) == 2 + 2
    path = run.parent / "faults.csv"
    show_table(str(run), "faults", path, as_json=True)
    said = {"table": "faults", "rows": 2, "path": str(path)}
    assert json.loads(capsys.readouterr().out) == said


# Mistakes


def test_a_wrong_table_and_a_wrong_ending_are_said_at_once(run: Path) -> None:
    with pytest.raises(BadInput) as caught:
        show_table("nowhere", "score", Path("scores.parqet"), as_json=False)
    assert str(caught.value) == (
        "--table score: must be results, scores, mutations, lineage, checkpoints, faults, "
        'distributions, hyperparameters, seconds or levels. Did you mean "scores"?\n'
        "--to scores.parqet: must end in .csv, .parquet, .feather, .json or .jsonl, "
        'but got .parqet. Did you mean ".parquet"?'
    )
    with pytest.raises(BadInput, match="but got no ending"):
        show_table(str(run), "scores", Path("scores"), as_json=False)


@pytest.mark.parametrize("inside", ["journal.jsonl", "members/new.csv", "link.jsonl"])
def test_nothing_is_written_into_a_run(run: Path, inside: str) -> None:
    before = (run / "journal.jsonl").read_bytes()
    to = run / inside
    if inside == "link.jsonl":
        to = run.parent / inside
        to.symlink_to(run / "journal.jsonl")
    with pytest.raises(BadInput, match="must lie outside of every run"):
        show_table(str(run), "scores", to, as_json=False)
    assert (run / "journal.jsonl").read_bytes() == before
    assert not (run / "members").exists()


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(NotARun):
        show_table(str(tmp_path / "none"), "scores", tmp_path / "x.csv", as_json=False)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(run: Path) -> None:
    (run.parent / "file").touch()
    with pytest.raises(NotWritable, match="must be a file that can be written"):
        show_table(str(run), "scores", run.parent / "file" / "x.csv", as_json=False)


# The command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "x.csv"], "--to needs --table"),
        (["--table", "scores", "--study", "x.db"], "--study and --table are asked for one at a"),
        (["--table", "scroes"], 'Did you mean "scores"?'),
        (["--table", "scores", "--to", "x.xls"], "must end in .csv"),
        (["--study", "x.csv"], "must end in .db"),
    ],
)
def test_the_command_answers_mistakes_with_code_2(
    envolve: Envolve, arguments: list[str], said: str
) -> None:
    made_run(envolve.cwd / "runs" / "made")
    ended = envolve("show", "made", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert {each.name for each in envolve.cwd.iterdir()} == {"runs", "tiny.yaml"}


def test_the_command_writes_a_table_and_a_study(envolve: Envolve) -> None:
    made_run(envolve.cwd / "runs" / "made", trained=3)
    ended = envolve("show", "made", "--table", "results", "--to", "results.parquet")
    said = "results: 6 rows written to results.parquet\n"
    assert (ended.code, ended.out, ended.err) == (0, said, "")
    assert len(pd.read_parquet(envolve.cwd / "results.parquet")) == 6
    ended = envolve("show", "made", "--study", "study.db")
    assert (ended.code, ended.err) == (0, "")
    assert (envolve.cwd / "study.db").exists()
