"""Crash points: off they do nothing; on, exactly one process dies, by a real SIGKILL."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import crash_points

ROOT = Path(__file__).resolve().parents[2]
PASSES = "from orchestrator import crash_points as c\n[c.reached('score.done') for _ in range(3)]\n"


def passing(file: Path) -> int:
    """The exit code of a process that passes a point three times."""
    env = {**os.environ, crash_points.VARIABLE: str(file)}
    command = [sys.executable, "-c", PASSES]
    return subprocess.run(command, check=False, env=env, cwd=ROOT, timeout=60).returncode


def test_without_the_variable_nothing_happens() -> None:
    crash_points.reached("score.done")
    assert not crash_points.due("score.done")


@pytest.mark.parametrize(
    ("point", "count", "code"),
    [("score.done", 1, -signal.SIGKILL), ("score.done", 3, -signal.SIGKILL),
     ("score.done", 4, 0), ("train.done", 1, 0)],
)  # fmt: skip
def test_the_process_dies_at_the_named_pass(
    tmp_path: Path, point: str, count: int, code: int
) -> None:
    crash_points.arm(tmp_path / "crash", point, count)
    assert passing(tmp_path / "crash") == code
    assert (tmp_path / "crash").exists() == (code == 0)


def test_only_one_process_dies(tmp_path: Path) -> None:
    crash_points.arm(tmp_path / "crash", "score.done")
    assert [passing(tmp_path / "crash") for _ in range(2)] == [-signal.SIGKILL, 0]


def test_a_point_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"must be one of train\.done"):
        crash_points.arm(Path("never"), "nowhere")


def test_every_point_is_in_the_code_and_every_one_in_the_code_is_listed() -> None:
    used = re.compile(r"crash_points\.(?:reached|due)\(\"([a-z.]+)\"\)")
    found = [
        point
        for folder in ("orchestrator", "callbacks", "experiments")
        for file in (ROOT / folder).rglob("*.py")
        for point in used.findall(file.read_text())
    ]
    assert sorted(found) == sorted(crash_points.POINTS)
