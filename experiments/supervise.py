"""Runs the driver in a session of its own, behind a parent that forwards one signal at a time.

A SIGTERM to a whole process group (what batch systems send) would take Ray's own processes
down before any member is saved; in another session only the driver hears of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

_IS_DRIVER = "ENVOLVE_DRIVER"
_PR_SET_PDEATHSIG = 1


def is_driver() -> bool:
    """Whether this process is the driver (and not the parent in front of it)."""
    return os.environ.get(_IS_DRIVER) == "1"


def run_driver(arguments: Sequence[str]) -> int:
    """Run ``envolve ARGUMENTS`` as driver; returns its exit code (128 + n after signal n).

    Should this process die, the driver saves its members and ends, as after a SIGTERM.
    """
    command = [sys.executable, "-P", "-m", "experiments.cli", *arguments]
    driver = subprocess.Popen(
        command,
        env={**os.environ, _IS_DRIVER: "1"},
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )

    def forward(number: int, frame: FrameType | None) -> None:
        if driver.poll() is None:
            driver.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    code = driver.wait()
    return 128 - code if code < 0 else code


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
