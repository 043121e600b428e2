"""Which run `envolve run` and `envolve resume` mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import TEXT, made_run

from experiments.problems import BadInput
from experiments.run_dir import NotARun, RunDir
from experiments.targets import existing, load_file, named
from orchestrator.journal import DamagedJournal

FILE = Path("made.yaml")
RUN = Path("run")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.write_text(TEXT)


def refused(run_dir: Path | None, resume: str = "auto", *overrides: str) -> list[str]:
    """The problems with which `envolve run` refuses."""
    with pytest.raises(BadInput) as bad:
        named(FILE, run_dir, overrides, resume)
    return str(bad.value).splitlines()


# A new run


def test_a_new_runs_directory_is_made_once_and_only_when_asked_for() -> None:
    target = named(FILE, None, [], "never")
    assert not Path("runs").exists()
    assert target.place == target.place
    assert len(list(Path("runs").iterdir())) == 1
    assert not target.begun


@pytest.mark.parametrize("resume", ["never", "auto"])
def test_a_named_directory_without_a_run_starts_one(resume: str) -> None:
    target = named(FILE, RUN, [], resume)
    assert target.place.path == RUN.resolve()
    assert (target.begun, target.finished) == (False, False)
    assert not RUN.exists()


def test_must_goes_on_or_says_that_there_is_nothing() -> None:
    with pytest.raises(NotARun, match="--resume must: run must hold a run"):
        named(FILE, RUN, [], "must")


def test_a_start_killed_before_its_first_record_begins_anew() -> None:
    RUN.mkdir()
    for name in (".lock", "experiment.yaml", "journal.jsonl"):
        (RUN / name).write_text("")
    target = named(FILE, RUN, [], "auto")
    assert (target.begun, target.finished) == (False, False)


def test_nothing_of_a_users_is_overwritten() -> None:
    RUN.mkdir()
    (RUN / "experiment.yaml").write_text("mine: true\n")
    (problem,) = refused(RUN)
    assert "--run-dir: must be a new or an empty directory, or a run's, but got run" in problem
    assert "experiment.yaml would be overwritten" in problem
    (problem,) = refused(FILE)
    assert "--run-dir: must be a new or an empty directory" in problem
    (problem,) = refused(Path("runs/latest"))
    assert "must not be called latest" in problem
    assert "`envolve resume latest`" in problem


# A run that is there


def test_never_does_not_touch_a_run() -> None:
    made_run(RUN)
    (problem,) = refused(RUN, "never")
    assert problem.startswith("--run-dir: must not hold a run yet, but got run. Go on with it by")


@pytest.mark.parametrize("resume", ["auto", "must"])
def test_an_unfinished_run_goes_on(resume: str) -> None:
    for status in (None, "stopped", "failed"):
        made_run(RUN / str(status), status)
        target = named(FILE, RUN / str(status), [], resume)
        assert (target.begun, target.finished, target.differences) == (True, False, ())


def test_a_finished_run_is_finished_until_its_end_moves() -> None:
    made_run(RUN, "finished", trained=8)
    assert named(FILE, RUN, [], "auto").finished
    assert existing("run", []).finished
    longer = existing("run", ["stop.iterations=16"])
    assert not longer.finished
    assert longer.differences == ("stop.iterations: 8 → 16",)


def test_an_edited_file_is_taken_up_where_it_may_differ() -> None:
    place = made_run(RUN)
    text = place.experiment.read_text()
    place.experiment.write_text(
        text.replace("iterations: 8", "iterations: 12").replace("keep_best: 3", "keep_best: 5")
    )
    target = existing("run", [])
    assert set(target.differences) == {"stop.iterations: 8 → 12", "checkpoint.keep_best: 3 → 5"}
    assert target.loaded.arms["main"].stop.iterations == 12


@pytest.mark.parametrize(
    ("old", "new", "key", "stays", "got"),
    [
        ("high: 20.0", "high: 25.0", "env.knobs.gravity.high", "20.0", "25.0"),
        ("lr: 0.001", "lr: 0.002", "algorithm.training.lr", "0.001", "0.002"),
        ("seeds: [0]", "seeds: [1]", "seeds", "[0]", "[1]"),
        ("levels: 4, test", "levels: 5, test", "evaluation.levels", "4", "5"),
        ("name: made", "name: other", "name", '"made"', '"other"'),
    ],
)
def test_another_experiment_is_refused_where_it_says_so(
    old: str, new: str, key: str, stays: str, got: str
) -> None:
    made_run(RUN)
    FILE.write_text(TEXT.replace(old, new))
    lines = FILE.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if new in text)
    (problem,) = refused(RUN)
    assert problem.startswith(f"made.yaml:{line}:")
    assert f"{key}: must stay {stays} as the run began" in problem
    changeable = "stop, resources, checkpoint, env.timeout, population.max_faults, loggers"
    assert f"but got {got}. Only {changeable} may change" in problem


def test_overrides_are_refused_at_the_option() -> None:
    made_run(RUN)
    (problem,) = refused(RUN, "auto", "population.size=5")
    assert problem.startswith("--set population.size=5")
    assert "must stay 2" in problem


def test_all_changes_are_named_at_once() -> None:
    made_run(RUN)
    FILE.write_text(TEXT.replace("size: 2", "size: 4").replace("low: 5.0", "low: 6.0"))
    assert len(refused(RUN)) == 2


def test_arms_must_be_those_that_the_run_began_with() -> None:
    made_run(RUN)
    FILE.write_text(TEXT + "arms: {a: {}}\n")
    removed, added = sorted(refused(RUN), reverse=True)
    assert "none called main" in removed
    assert "a, which is new" in added
    assert max(map(len, (removed, added))) < 250


def test_damage_is_said_with_file_and_line() -> None:
    place = made_run(RUN, "stopped")
    lines = place.journal.read_text().splitlines()
    lines[1] = lines[1].replace("main", "niam")
    place.journal.write_text("\n".join(lines) + "\n")
    said = r"journal\.jsonl:2: every line must be a record"
    with pytest.raises(DamagedJournal, match=said):
        existing("run", [])
    with pytest.raises(DamagedJournal, match=said):
        named(FILE, RUN, [], "auto")


# Mistaken for each other


def test_a_runs_directory_is_no_experiment_file() -> None:
    made_run(RUN)
    with pytest.raises(BadInput) as bad:
        load_file(RUN, [])
    assert str(bad.value) == (
        "run: must be an experiment file, but got a run's directory. "
        "`envolve resume run` goes on with it; run/experiment.yaml is its file"
    )


def test_an_experiment_file_is_no_run() -> None:
    with pytest.raises(NotARun, match=r"`envolve run made\.yaml` starts a run with it"):
        existing("made.yaml", [])


def test_a_runs_own_file_starts_another() -> None:
    place = made_run(RUN)
    target = named(place.experiment, None, [], "never")
    assert target.where is None
    assert target.loaded.arms == named(FILE, None, [], "never").loaded.arms
    assert RunDir(RUN).exists
