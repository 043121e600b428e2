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
from typing import NoReturn

from experiments.ray_session import loopback

_DRIVER_OF = "ENVOLVE_DRIVER_OF"
_PR_SET_PDEATHSIG = 1


def is_driver() -> bool:
    """Whether this process is the driver (and not the parent in front of it)."""
    return _DRIVER_OF in os.environ


def follow_parent() -> None:
    """In the driver: end with the parent, and by way of all clean-up when told to.

    Until a run takes SIGTERM over, to save its members first.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(os.environ[_DRIVER_OF]):
        # It died before it could be followed.
        raise SystemExit(128 + signal.SIGTERM)


def run_driver(arguments: Sequence[str]) -> int:
    """Run ``envolve ARGUMENTS`` as driver; returns its exit code (128 + n after signal n).

    Should this process die, the driver saves its members and ends, as after a SIGTERM.
    """
    return supervise([sys.executable, "-P", "-m", "experiments.cli", *arguments])


def supervise(command: Sequence[str]) -> int:
    """Run ``command`` as driver; SIGINT and SIGTERM are passed on to it alone."""
    driver: subprocess.Popen[bytes] | None = None
    received: list[int] = []
    waiting: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if driver is None:
            waiting.append(number)
        elif driver.poll() is None:
            driver.send_signal(number)

    # Before there is a driver, so that no signal is lost in between.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    driver = subprocess.Popen(
        command,
        env={**os.environ, **loopback(), _DRIVER_OF: str(os.getpid())},
        start_new_session=True,
    )
    for early in waiting:
        driver.send_signal(early)
    code = driver.wait()
    if code < 0 and not received:
        sys.stderr.write(
            f"the run's process was killed ({signal.Signals(-code).name}); what its journal holds "
            "is safe, and `envolve resume` goes on from there\n"
        )
    return _exit_code(code, received)


def _exit_code(code: int, received: Sequence[int]) -> int:
    if code < 0:
        return 128 - code
    # While it starts and stops, Ray answers a signal itself: exit code 1, or the bare number.
    if received and code in (1, received[-1]):
        return 128 + received[-1]
    return code
