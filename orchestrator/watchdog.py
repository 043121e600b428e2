"""Ends a process one of whose envs hangs, so that its member can fail and the others go on.

Python cannot interrupt a call from outside, so the process goes down; the env's last words are
written before. A thread looks at the interpreter's frames four times in the time-out: steps and
resets pay nothing. A call that hangs in native code without letting go of the interpreter's lock
stops this thread too and is not seen.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from orchestrator.env_faults import guard_of

_SHORTEST = 0.1
_watching: set[float] = set()
# Threads do not survive a fork.
os.register_at_fork(after_in_child=_watching.clear)


def watch(timeout: float) -> None:
    """Look after all envs of this process whose guards have this time-out, from now on.

    Args:
        timeout: seconds. A hang is seen when it has lasted that long, and at most a quarter
            longer (or 0.1 seconds).
    """
    if timeout not in _watching:
        _watching.add(timeout)
        name = f"envolve-watchdog-{timeout:g}"
        threading.Thread(target=_patrol, args=(timeout,), name=name, daemon=True).start()


def _patrol(timeout: float) -> None:
    interval = max(_SHORTEST, timeout / 4)
    # Rounds, not a clock: a process that was stopped and goes on has not hung meanwhile.
    rounds = math.ceil(timeout / interval)
    seen: dict[int, int] = {}
    while True:
        time.sleep(interval)
        found = dict(_calls(timeout))
        seen = {
            thread: seen.get(thread, 0) + 1 if _marked(frame) else 0
            for thread, frame in found.items()
        }
        for thread, times in seen.items():
            if times >= rounds:
                _end(found[thread], timeout)
        # Frames keep alive what their calls hold: a whole batch for as long as we sleep.
        found.clear()


def _calls(timeout: float) -> Iterator[tuple[int, FrameType]]:
    """Of each thread that is inside a guarded call, the call's frame."""
    for thread, top in sys._current_frames().items():
        frame: FrameType | None = top
        while frame is not None:
            guard = guard_of(frame)
            if guard is not None:
                if guard.timeout == timeout:
                    yield thread, frame
                break
            frame = frame.f_back


def _marked(frame: FrameType) -> bool:
    """Whether the frame was seen before; marks it.

    The mark is a setting for debuggers, which a new frame has at its default. To keep the frame
    itself and compare would keep alive what it refers to, and its address is used again.
    """
    before = frame.f_trace_lines
    frame.f_trace_lines = False
    return not before


def _end(frame: FrameType, timeout: float) -> None:
    guard = guard_of(frame)
    assert guard is not None
    where, error = guard.doing, f"hangs for more than {timeout:g} s{_place(frame)}"
    guard.failed(where, error)
    try:
        sys.stderr.write(f"an env {error} (in {where}())\n")
        sys.stderr.flush()
    finally:
        os._exit(1)


def _place(call: FrameType) -> str:
    """Where the thread is that is inside ``call``: ``, at maze.py:42``."""
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None and frame is not call:
            frame = frame.f_back
        if frame is call:
            return f", at {Path(top.f_code.co_filename).name}:{top.f_lineno}"
    return ""
