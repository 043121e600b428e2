"""Runs the driver in a session of its own, behind a parent that forwards one signal at a time.

A SIGTERM to a whole process group (what batch systems send) would take Ray's own processes
down before any member is saved; in another session only the driver hears of it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

_IS_DRIVER = "ENVOLVE_DRIVER"
_PR_SET_PDEATHSIG = 1


def is_driver() -> bool:
    """Whether this process is the driver (and not the parent in front of it)."""
    return os.environ.get(_IS_DRIVER) == "1"


def leave_in_order() -> None:
    """Have a SIGTERM end this process by way of its clean-up, until a run takes it over."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def run_driver(arguments: Sequence[str]) -> int:
    """Run ``envolve ARGUMENTS`` as driver; returns its exit code (128 + n after signal n).

    Should this process die, the driver saves its members and ends, as after a SIGTERM.
    """
    return supervise([sys.executable, "-P", "-m", "experiments.cli", *arguments])


def supervise(command: Sequence[str]) -> int:
    """Run ``command`` in a session of its own, SIGINT and SIGTERM passed on to it alone."""
    driver: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if driver is not None and driver.poll() is None:
            driver.send_signal(number)

    # Before there is a driver, so that no signal can fall in between.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    driver = subprocess.Popen(
        command,
        env={**os.environ, _IS_DRIVER: "1"},
        start_new_session=True,
        preexec_fn=(
            functools.partial(_end_with, os.getpid()) if sys.platform == "linux" else None
        ),
    )
    for number in received:
        driver.send_signal(number)
    return _exit_code(driver.wait(), received)


def _exit_code(code: int, received: Sequence[int]) -> int:
    if code < 0:
        return 128 - code
    # While it starts and stops, Ray answers a signal itself: exit code 1, or the bare number.
    if received and code in (1, received[-1]):
        return 128 + received[-1]
    return code


def _end_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
