"""The command itself, as far as it trains nothing: exit codes, answers, what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from made_runs import TEXT, made_run
from real_runs import TINY, Ended, Envolve
from test_run_dir import held_elsewhere

from experiments.run_dir import note_latest


def answered(ended: Ended, code: int, *said: str) -> None:
    """The command ended with this code, and said all this on stderr and no more than words."""
    assert ended.code == code, ended
    assert "Traceback" not in ended.err
    for words in said:
        assert words in ended.err
    assert ended.out == ""


# Help

COMMANDS = (
    "run", "resume", "validate", "show", "export", "evaluate", "compare", "report", "replay",
)  # fmt: skip


def test_help_comes_without_anything_heavy() -> None:
    code = (
        "import sys\n"
        "from experiments.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'ray', 'torch', 'gymnasium', 'pandas', 'matplotlib', 'optuna'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    *help_, heavy = ended.stdout.splitlines()
    for command in COMMANDS:
        assert any(line.strip().startswith(command) for line in help_)
    assert heavy == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(envolve: Envolve, command: str) -> None:
    ended = envolve(command, "--help")
    assert ended.code == 0
    assert f"envolve {command}" in ended.out or f"cli {command}" in ended.out


def test_version(envolve: Envolve) -> None:
    ended = envolve("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"envolve {version('envolve')}\n", "")


def test_the_installed_command_is_the_same() -> None:
    script = Path(sys.executable).with_name("envolve")
    ended = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout == f"envolve {version('envolve')}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["rum", "tiny.yaml"],
        ["run", "tiny.yaml", "--sett", "a=1"],
        ["run", "tiny.yaml", "--resume", "perhaps", "--run-dir", "x"],
        ["run", "tiny.yaml", "--resume", "auto"],
        ["run"],
        ["resume"],
        ["export", "run"],
        ["evaluate"],
    ],
)
def test_typing_errors_are_usage_errors(envolve: Envolve, arguments: list[str]) -> None:
    answered(envolve(*arguments), 2, "Usage:")
    assert [entry.name for entry in envolve.cwd.iterdir()] == ["tiny.yaml"]


# validate


def test_validate_says_what_holds(envolve: Envolve) -> None:
    ended = envolve("validate", "tiny.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "tiny.yaml holds: tiny, main (3 members)\n"
    ended = envolve("validate", "tiny.yaml", "--json", "-S", "seeds=[0, 1]")
    said = {"valid": True, "name": "tiny", "members": {"main": 6}, "notes": []}
    assert json.loads(ended.out) == said


def test_validate_says_where_an_exact_resume_is_not_promised(envolve: Envolve) -> None:
    batch = "algorithm.training.minibatch_size"
    ended = envolve("validate", "tiny.yaml", "-S", "algorithm.name=APPO", "-S", f"{batch}=50")
    assert ended.code == 0, ended.err
    assert "note: arm main: a resumed run is not promised to be bit-identical. APPO: " in ended.out


BROKEN = TINY.replace("size: 3", "sise: 3").replace("low: 5.0", "low: 50.0")


@pytest.mark.parametrize("command", ["validate", "run"])
def test_all_mistakes_of_a_file_are_said_at_once(envolve: Envolve, command: str) -> None:
    (envolve.cwd / "tiny.yaml").write_text(BROKEN)
    ended = envolve(command, "tiny.yaml")
    answered(ended, 2, "env.knobs.gravity", "population.sise", 'Did you mean "size"?')
    assert [line[:10] for line in ended.err.splitlines()] == ["tiny.yaml:"] * 2
    assert not (envolve.cwd / "runs").exists()


@pytest.mark.parametrize(
    ("command", "override", "said"),
    [
        (["run"], "algorithm.training.learning_rate=1", "algorithm.training.learning_rate"),
        (["run", "--run-dir", "new"], "env.knobs.gravitty={low: 1, high: 2}", "gravitty"),
        (["run", "--dry-run"], "env.id=CartPoll", 'Did you mean "CartPole"?'),
        (["validate"], "env.id=CartPoll", 'Did you mean "CartPole"?'),
    ],
)
def test_what_only_rllib_and_the_env_know_is_checked_before_anything_is_written(
    envolve: Envolve, command: list[str], override: str, said: str
) -> None:
    answered(envolve(*command, "tiny.yaml", "--set", override), 2, said)
    assert [entry.name for entry in envolve.cwd.iterdir()] == ["tiny.yaml"]


def test_a_file_that_is_not_there(envolve: Envolve) -> None:
    for command in ("run", "validate"):
        answered(envolve(command, "tyni.yaml"), 2, "tyni.yaml: must be", "Did you mean tiny.yaml?")
        answered(envolve(command, "."), 2, "must be a file, but got a directory", "tiny.yaml")
    assert not (envolve.cwd / "runs").exists()


# Which run


def test_unknown_runs(envolve: Envolve) -> None:
    made_run(envolve.cwd / "runs" / "tiny-20300101-120000")
    for command in ("show", "resume"):
        near = "did you mean runs/tiny-20300101-120000?"
        answered(envolve(command, "tiny-2030010l"), 2, "must be a run's directory", near)
        answered(envolve(command, "latest"), 2, "runs/latest must name a run")
        answered(envolve(command, "tiny.yaml"), 2, "`envolve run tiny.yaml` starts a run with it")
        answered(envolve(command, "."), 2, "must have a journal.jsonl")


def test_a_run_without_its_experiment_file_gets_it_from_the_journal(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run")
    place.experiment.unlink()
    assert envolve("show", "run").code == 0
    assert "Written from the journal" in place.experiment.read_text()


def test_a_run_where_a_file_is_meant(envolve: Envolve) -> None:
    made_run(envolve.cwd / "run")
    for command in ("run", "validate"):
        answered(envolve(command, "run"), 2, "must be an experiment file", "`envolve resume run`")


def test_resume_never_and_must(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY)
    before = place.journal.read_bytes()
    answered(envolve("run", "tiny.yaml", "--run-dir", "run"), 2, "must not hold a run yet")
    assert place.journal.read_bytes() == before
    must = envolve("run", "tiny.yaml", "--run-dir", "absent", "--resume", "must")
    answered(must, 2, "--resume must: absent must hold a run")
    assert not (envolve.cwd / "absent").exists()


def test_auto_says_that_a_finished_run_is_finished(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", "finished", text=TINY, trained=8)
    before = place.journal.read_bytes()
    for arguments in (
        ["run", "tiny.yaml", "--run-dir", "run", "--resume", "auto"],
        ["resume", "run"],
    ):
        ended = envolve(*arguments)
        assert ended.code == 0
        assert "is finished; `envolve resume" in ended.err
        assert "tiny: finished" in ended.out
        assert json.loads(envolve(*arguments, "--json").out)["status"] == "finished"
    assert place.journal.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("high: 20.0", "high: 30.0", "env.knobs.gravity.high"),
        ("lr: 0.001", "lr: 0.1", "algorithm.training.lr"),
        ("seeds: [0]", "seeds: [0, 1]", "seeds"),
        ("levels: 4,", "levels: 5,", "evaluation.levels"),
    ],
)
def test_an_edit_that_makes_it_another_experiment(
    envolve: Envolve, old: str, new: str, key: str
) -> None:
    place = made_run(envolve.cwd / "run", text=TEXT)
    text = place.experiment.read_text()
    assert old in text
    place.experiment.write_text(text.replace(old, new))
    before = place.journal.read_bytes()
    ended = envolve("resume", "run")
    answered(
        ended,
        2,
        f": {key}: must stay",
        "Only stop, resources, checkpoint, env.timeout, population.max_faults, loggers may change",
    )
    line = next(n for n, found in enumerate(text.splitlines(), start=1) if old in found)
    assert f"experiment.yaml:{line}:" in ended.err
    assert place.journal.read_bytes() == before


# The journal


def test_a_damaged_journal_is_named_by_line(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY, trained=2)
    lines = place.journal.read_text().splitlines(keepends=True)
    place.journal.write_text("".join([*lines[:2], lines[2][:40] + "\n", *lines[3:]]))
    for arguments in (
        ["show", "run"],
        ["resume", "run"],
        ["run", "tiny.yaml", "--run-dir", "run", "--resume", "auto"],
    ):
        answered(envolve(*arguments), 2, f"{place.journal}:3: every line must be a record")


def test_a_half_written_last_line_is_no_damage(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY, trained=2)
    with place.journal.open("a") as journal:
        journal.write('{"v":1,"kind":"res')
    ended = envolve("show", "run", "--json")
    assert ended.code == 0
    assert {member["iteration"] for member in json.loads(ended.out)["members"]} == {2}


# show


def test_show_reads_a_killed_run(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "runs" / "one", text=TINY, trained=3)
    (envolve.cwd / "runs" / "latest").write_text("one\n")
    ended = envolve("show")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("tiny: killed\n")
    assert "main/seed0/m2" in ended.out
    found = json.loads(envolve("show", place.path, "--json").out)
    assert set(found) == {"name", "status", "members", "best", "faults"}
    assert (found["name"], found["status"], len(found["members"])) == ("tiny", "killed", 3)
    assert {member["iteration"] for member in found["members"]} == {3}


def test_show_tells_of_the_run_and_not_of_a_file_edited_since(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY, trained=3)
    whole = envolve("show", "run", "--json")
    place.experiment.write_text(place.experiment.read_text().replace("gravity", "gravitas"))
    assert envolve("show", "run", "--json") == whole
    place.experiment.write_text("not even yaml: [")
    assert envolve("show", "run", "--json") == whole


def test_show_of_a_run_that_did_not_come_to_begin(envolve: Envolve) -> None:
    made_run(envolve.cwd / "run", text=TINY).journal.write_text("")
    ended = envolve("show", "run")
    assert (ended.code, ended.err) == (0, "")
    assert "no members yet" in ended.out


# The lock


def test_a_run_has_one_driver(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY)
    before = place.journal.read_bytes()
    with held_elsewhere(place):
        busy = "another process is running this run"
        answered(envolve("resume", "run"), 3, busy)
        again = envolve("run", "tiny.yaml", "--run-dir", "run", "--resume", "auto")
        answered(again, 3, busy)
        assert json.loads(envolve("show", "run", "--json").out)["status"] == "running"
    assert place.journal.read_bytes() == before


@pytest.mark.ray
def test_a_lock_left_by_a_dead_process_and_a_diff(envolve: Envolve) -> None:
    place = made_run(envolve.cwd / "run", text=TINY)
    with held_elsewhere(place) as holder:
        holder.kill()
        holder.wait()
    assert place.lock.exists()
    ended = envolve("resume", "run", "-S", "stop.iterations=2", "-S", "checkpoint.keep_best=1")
    assert ended.code == 0, ended.err
    assert "changed: stop.iterations: 8 → 2\n" in ended.err
    assert "changed: checkpoint.keep_best: 2 → 1\n" in ended.err
    resumed = next(
        record
        for record in map(json.loads, place.journal.read_text().splitlines())
        if record["kind"] == "resume"
    )
    assert set(resumed["changes"]) == {"stop.iterations: 8 → 2", "checkpoint.keep_best: 2 → 1"}
    assert "iterations: 2" in place.experiment.read_text()
    assert envolve("show").out == envolve("show", "run").out


def test_latest_may_be_elsewhere(envolve: Envolve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(envolve.cwd)
    note_latest(made_run(envolve.cwd / "kept" / "here", "finished", text=TINY, trained=8))
    assert json.loads(envolve("show", "--json").out)["status"] == "finished"
