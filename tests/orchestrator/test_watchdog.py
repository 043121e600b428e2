"""Hangs end the process, with last words; what is only slow does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from orchestrator import env_faults, watchdog
from orchestrator.env_faults import Guard, guard_of
from orchestrator.levels import LevelInfo

LEVEL = LevelInfo({"gravity": 9.8}, 4)

HANGS = """
import sys, time
from pathlib import Path
from orchestrator import watchdog
from orchestrator.env_faults import Guard
from orchestrator.levels import LevelInfo

def sound(*arguments): pass

def sleeps(*arguments): time.sleep(60)

def spins(*arguments):
    while True: pass

folder, how, where = Path(sys.argv[1]), {"sleeps": sleeps, "spins": spins}[sys.argv[2]], sys.argv[3]
watchdog.watch(0.5)
watchdog.watch(1000.0)
guard = Guard(0.5)
guard.keep_words(folder)
if where == "reset":
    guard.reset(LevelInfo({"gravity": 9.8}, 4), how)
guard.reset(LevelInfo({"gravity": 9.8}, 4), sound)
guard.step(how)(0)
"""


@pytest.mark.parametrize(
    ("how", "where"), [("sleeps", "step"), ("spins", "step"), ("sleeps", "reset")]
)
def test_a_hang_ends_the_process_and_leaves_its_level(tmp_path: Path, how: str, where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS, str(tmp_path), how, where],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1
    words = env_faults.spoken(tmp_path)
    assert words is not None
    assert words.error.startswith("hangs for more than 0.5 s, at <string>:")
    assert (words.where, words.level, words.revision) == (where, {"gravity": 9.8}, 4)
    assert f"an env {words.error} (in {where}())\n" in done.stderr


def frame_of_guard() -> FrameType:
    """The guarded call that we are inside of."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and guard_of(frame) is None:
        frame = frame.f_back
    assert frame is not None
    return frame


def test_a_call_is_known_again_and_the_next_one_is_another() -> None:
    guard = Guard(5.0)
    seen: list[bool] = []

    def look(*arguments: Any) -> None:
        assert guard_of(frame_of_guard()) is guard
        seen.extend(watchdog._marked(frame_of_guard()) for _ in range(3))

    guard.reset(LEVEL, look)
    step = guard.step(look)
    for _ in range(2):
        step(0)
    assert seen == [False, True, True] * 3


def test_calls_with_another_time_out_are_not_this_threads_business() -> None:
    guard, found = Guard(5.0), {}

    def look(*arguments: Any) -> None:
        for timeout in (4.0, 5.0):
            found[timeout] = list(watchdog._calls(timeout))

    guard.reset(LEVEL, look)
    assert found[4.0] == []
    ((_, frame),) = found[5.0]
    assert guard_of(frame) is guard
    assert list(watchdog._calls(5.0)) == []


def test_what_is_not_a_guards_is_passed_over() -> None:
    assert guard_of(sys._getframe()) is None
