"""`envolve evaluate`: checkpoints and exported policies on any suite."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from made_runs import TEXT, loaded
from real_runs import Ended, Envolve, RunOnDisk

from experiments.evaluating import Subject, suite_of
from experiments.played import Played, to_json
from experiments.problems import BadInput
from experiments.rules import select_suite
from experiments.rules import test_suite as the_test_suite
from orchestrator.records import Fault

LEVEL = {"gravity": 10.0, "length": 0.5}


def subject(*overrides: str, faults: tuple[Fault, ...] = ()) -> Subject:
    """Something to evaluate that was never trained."""
    return Subject("", {}, loaded(TEXT, *overrides), faults, lambda **_: (), {})


def fault(level: dict[str, float] | None) -> Fault:
    return Fault("main", 0, 0, 1, where="env", error="!", action="retried", level=level)


def flat(text: str) -> str:
    return " ".join(text.split())


# Suites


def test_select_and_test_are_the_experiments_own() -> None:
    one = subject()
    assert suite_of(one, "select") == select_suite(one.experiment)
    assert suite_of(one, "test") == the_test_suite(one.experiment)
    with pytest.raises(BadInput, match=r"test, where evaluation.test_levels is 0. Draw some by"):
        suite_of(subject("evaluation.test_levels=0"), "test")


def test_faults_are_the_levels_that_caused_one_each_once() -> None:
    other = {"gravity": 12.0, "length": 1.0}
    elsewhere = {"mass": 1.0}
    levels = (None, LEVEL, other, LEVEL, elsewhere)
    plays = suite_of(subject(faults=tuple(map(fault, levels))), "faults")
    assert [play.level for play in plays] == [LEVEL, other]
    assert [play.index for play in plays] == [0, 1]
    with pytest.raises(BadInput, match="faults, where the journal names no level that caused one"):
        suite_of(subject(faults=(fault(None),)), "faults")


def test_a_word_that_is_no_suite_and_a_file_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="--suite: must be select, test, faults or a file"):
        suite_of(subject(), "train")
    with pytest.raises(BadInput, match=r"levels\.yaml: must be an existing file"):
        suite_of(subject(), "levels.yaml")


# What came of it


def played(*outcomes: float | str) -> Played:
    plays = select_suite(subject().experiment)[: len(outcomes)]
    return Played("", {"run": "run"}, "select", "min", 0.25, plays, outcomes)


def test_returns_and_what_they_come_to() -> None:
    said = to_json(played(3.0, 1.0, 2.0))
    assert (said["run"], said["suite"]) == ("run", "select")
    assert [said[name] for name in ("score", "mean", "min", "max")] == [1.0, 2.0, 1.0, 3.0]
    assert [level["return"] for level in said["levels"]] == [3.0, 1.0, 2.0]
    assert all(level["error"] is None for level in said["levels"])


def test_a_level_that_failed_leaves_no_score_but_the_others_returns() -> None:
    one = played(3.0, "ValueError: the pole broke")
    assert not one.whole
    said = to_json(one)
    assert (said["score"], said["mean"]) == (None, 3.0)
    assert [level["return"] for level in said["levels"]] == [3.0, None]
    assert said["levels"][1]["error"] == "ValueError: the pole broke"


def test_what_is_not_finite_is_null_in_json() -> None:
    said = to_json(played(float("nan"), 1.0))
    assert (said["score"], said["levels"][0]["return"]) == (None, None)
    json.dumps(said, allow_nan=False)


# The command


@pytest.mark.ray
def test_a_moved_run_is_played_as_it_was_scored_and_left_alone(
    reference: tuple[RunOnDisk, Ended], envolve: Envolve
) -> None:
    run = RunOnDisk(Path(shutil.copytree(reference[0].path, envolve.cwd / "moved")))
    before = sorted((str(file), file.stat().st_mtime_ns) for file in run.path.rglob("*"))
    ended = envolve("evaluate", "moved", "--checkpoint", "m0", "--json")
    assert (ended.code, ended.err) == (0, "")
    said = json.loads(ended.out)
    (score,) = run.of("score", suite="select", member=0, iteration=8)
    assert said["score"] == score["score"]
    assert [level["return"] for level in said["levels"]] == score["returns"]
    assert sorted((str(file), file.stat().st_mtime_ns) for file in run.path.rglob("*")) == before


@pytest.mark.ray
def test_an_env_that_raises_or_dies_is_told_with_its_level(
    reference: tuple[RunOnDisk, Ended], envolve: Envolve
) -> None:
    run = RunOnDisk(Path(shutil.copytree(reference[0].path, envolve.cwd / "run")))
    (envolve.cwd / "fragile.py").write_text(FRAGILE)
    text = (run.path / "journal.jsonl").read_text()
    first, rest = text.split("\n", 1)
    # As if it had been trained on that env; a line written by hand has no checksum.
    first = re.sub(r',"crc":"[0-9a-f]{8}"}$', "}", first.replace('"CartPole"', '"fragile:make"'))
    (run.path / "journal.jsonl").write_text(f"{first}\n{rest}")
    (envolve.cwd / "levels.yaml").write_text(
        "- {gravity: 6.0, length: 0.5}\n- {gravity: 18.0, length: 0.5}\n"
        "- {gravity: 6.0, length: 1.9}\n"
    )
    ended = envolve("evaluate", "run", "--suite", "levels.yaml")
    assert (ended.code, ended.err) == (1, "")
    assert "2 of 3 levels could not be played" in ended.out
    rows = [flat(line) for line in ended.out.splitlines() if " – " in line]
    assert rows == [
        "1 18 0.5 – ValueError: the pole broke",
        "2 6 1.9 – the process died while it was played",
    ]
    assert "Traceback" not in ended.out


@pytest.mark.ray
def test_mistakes_are_answered_before_anything_is_played(
    reference: tuple[RunOnDisk, Ended], envolve: Envolve
) -> None:
    (envolve.cwd / "levels.yaml").write_text("- {gravity: 6.0}\n")
    ended = envolve("evaluate", reference[0].path, "--suite", "levels.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("levels.yaml:1:3: [0]: must be a level")
    assert "'length' is missing" in ended.err


FRAGILE = """\
import os

import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class Fragile(CartPoleEnv):
    def set_level(self, level):
        self.gravity = level["gravity"]
        self.length = level["length"]

    def step(self, action):
        if self.gravity > 12:
            raise ValueError("the pole broke")
        if self.length > 1.5:
            os._exit(1)
        return super().step(action)

def make():
    return gymnasium.wrappers.TimeLimit(Fragile(), 100)
"""
