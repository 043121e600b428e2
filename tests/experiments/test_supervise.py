"""The parent in front of the driver: signals go through it, exit codes come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from experiments.supervise import _exit_code

# The driver, which says who it is and then what it hears.
LISTENS = """\
import os, signal, sys, time
def hear(number, frame):
    print("heard", number, flush=True)
    raise SystemExit({code})
signal.signal(signal.SIGTERM, hear)
signal.signal(signal.SIGINT, hear)
print(os.getpid(), os.getsid(0), flush=True)
time.sleep(600)
"""
FOLLOWS = """\
import time
from experiments.supervise import follow_parent, is_driver
assert is_driver()
follow_parent()
try:
    print("following", flush=True)
    time.sleep(600)
finally:
    print("cleaned up", flush=True)
"""
PARENT = """\
import sys
from experiments.supervise import supervise
raise SystemExit(supervise([sys.executable, "-c", sys.argv[1]]))
"""


@contextmanager
def supervised(driver: str) -> Iterator[subprocess.Popen[str]]:
    """A parent in front of this driver."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, driver],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with parent:
        try:
            yield parent
        finally:
            parent.kill()


def line(parent: subprocess.Popen[str]) -> str:
    assert parent.stdout is not None
    return parent.stdout.readline().strip()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_drivers_exit_code_is_the_commands(code: int) -> None:
    with supervised(f"raise SystemExit({code})") as parent:
        assert parent.wait() == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_reaches_the_driver_once(number: signal.Signals) -> None:
    with supervised(LISTENS.format(code=128 + number)) as parent:
        driver, session = map(int, line(parent).split())
        assert session == driver
        assert session != os.getsid(parent.pid)
        os.killpg(parent.pid, number)
        assert line(parent) == f"heard {number.value}"
        assert parent.wait() == 128 + number
        assert line(parent) == ""


def test_a_driver_that_dies_of_a_signal() -> None:
    with supervised(LISTENS.format(code=0)) as parent:
        driver = int(line(parent).split()[0])
        os.kill(driver, signal.SIGKILL)
        assert parent.wait() == 128 + signal.SIGKILL
        assert parent.stderr is not None
        assert "was killed (SIGKILL)" in parent.stderr.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of the other's end")
def test_the_driver_ends_in_order_when_its_parent_is_killed() -> None:
    with supervised(FOLLOWS) as parent:
        assert line(parent) == "following"
        parent.kill()
        assert line(parent) == "cleaned up"


def test_a_driver_without_its_parent_does_not_begin() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FOLLOWS],
        env={**os.environ, "ENVOLVE_DRIVER_OF": str(os.getpid() + 1_000_000)},
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGTERM, b"")


@pytest.mark.parametrize(
    ("code", "received", "means"),
    [
        (0, [], 0),
        (1, [], 1),
        (-9, [], 137),
        (-2, [2], 130),
        # It came too late to stop anything.
        (0, [15], 0),
        (143, [15], 143),
        # As Ray ends a process that it has taken SIGTERM over from.
        (1, [15], 143),
        (15, [15], 143),
        (2, [15], 2),
    ],
)
def test_exit_codes(code: int, received: Sequence[int], means: int) -> None:
    assert _exit_code(code, received) == means
