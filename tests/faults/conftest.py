"""Runs to which something happened, each made once and looked at by several rows of the table."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hurt_runs import LAST, TakenUp
from real_runs import TINY, Ended, Envolve, RunOnDisk, results_of, wait_until

Place = Callable[[str], Envolve]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The command, in a directory of its own that has `tiny.yaml`."""
    commands = []

    def made(name: str) -> Envolve:
        directory = tmp_path_factory.mktemp(name)
        (directory / "tiny.yaml").write_text(TINY)
        commands.append(Envolve(directory))
        return commands[-1]

    yield made
    for command in commands:
        command.close()


@pytest.fixture(scope="session")
def taken_up(place: Place) -> TakenUp:
    """Killed after an exploit; what Tune wrote is cut or gone; moved; taken up and extended."""
    envolve = place("taken-up")
    first = RunOnDisk(envolve.cwd / "first")
    process = envolve.start("run", "tiny.yaml", "--run-dir", "first", "-S", "stop.iterations=6")
    wait_until(lambda: results_of(first.path) >= 10 and bool(first.of("exploit")), process)
    second = envolve("resume", "first")
    listening = _listening(process.pid)
    envolve.kill_tree(process)
    killed_at = len(first.journal)
    _spoil(first.path / "tune")
    moved = envolve.cwd / "elsewhere" / "renamed"
    moved.parent.mkdir()
    first.path.rename(moved)
    ended = envolve("resume", moved, "--set", f"stop.iterations={LAST}")
    return TakenUp(RunOnDisk(moved), ended, killed_at, second, listening)


@pytest.fixture(scope="session")
def wounded(place: Place) -> tuple[RunOnDisk, Ended]:
    """One member's process was killed."""
    envolve = place("wounded")
    run = RunOnDisk(envolve.cwd / "run")
    process = envolve.start("run", "tiny.yaml", "--run-dir", "run")
    wait_until(lambda: results_of(run.path) >= 4, process)
    _named(process.pid, "MemberTrial")[0].kill()
    out, err = process.communicate(timeout=240)
    return run, Ended(process.returncode, out, err)


@pytest.fixture(scope="session")
def two_seats(place: Place) -> tuple[RunOnDisk, Ended]:
    """Three members in two seats."""
    envolve = place("two-seats")
    ended = envolve("run", "tiny.yaml", "--run-dir", "run", "-S", "resources.max_resident=2")
    return RunOnDisk(envolve.cwd / "run"), ended


@pytest.fixture(scope="session")
def lost_runner(place: Place) -> tuple[RunOnDisk, Ended]:
    """Two members with an env runner each in a process of its own, one of which was killed."""
    envolve = place("lost-runner")
    run = RunOnDisk(envolve.cwd / "run")
    process = envolve.start(
        "run", "tiny.yaml", "--run-dir", "run", "-S", "population.size=2",
        "-S", "algorithm.env_runners.num_env_runners=1", "-S", "stop.iterations=6",
    )  # fmt: skip
    wait_until(lambda: results_of(run.path) >= 3, process)
    _named(process.pid, "EnvRunner")[0].kill()
    out, err = process.communicate(timeout=240)
    return run, Ended(process.returncode, out, err)


@pytest.fixture(scope="session")
def interrupted(place: Place) -> tuple[RunOnDisk, list[Ended]]:
    """Stopped by SIGTERM, then by SIGINT, then by both at once; taken up each time."""
    envolve = place("interrupted")
    run = RunOnDisk(envolve.cwd / "run")
    ends = []
    both = [signal.SIGTERM, signal.SIGINT]
    for signals in ([signal.SIGTERM], [signal.SIGINT], both, []):
        process = envolve.start("run", "tiny.yaml", "--run-dir", "run", "--resume", "auto")
        if signals:
            begun = results_of(run.path)
            wait_until(lambda begun=begun: results_of(run.path) >= begun + 4, process)  # type: ignore[misc]
        for number in signals:
            process.send_signal(number)
        out, err = process.communicate(timeout=120)
        ends.append(Ended(process.returncode, out, err))
    return run, ends


# What a bug of ours in a hook, or a user's own callback, would be: raises at every result.
_RAISES = """\
import sys
from callbacks import retention
from orchestrator.population import Population
def boom(*arguments):
    raise ValueError("a bug in a hook")
Population.moves = boom
retention.sweep = boom
sys.argv = ["envolve", "run", "tiny.yaml", "--run-dir", "run"]
from experiments.cli import main
main()
"""


@pytest.fixture(scope="session")
def raising_hooks(place: Place) -> tuple[RunOnDisk, Ended]:
    """Hooks of both callbacks raise at every result."""
    envolve = place("raising-hooks")
    script = envolve.cwd / "raising.py"
    script.write_text(_RAISES)
    # As driver of this process: the command would start one that knows nothing of the script.
    env = {**os.environ, "ENVOLVE_DRIVER_OF": str(os.getpid())}
    done = subprocess.run(
        [sys.executable, str(script)], check=False, cwd=envolve.cwd, env=env,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    return RunOnDisk(envolve.cwd / "run"), Ended(done.returncode, done.stdout, done.stderr)


def _spoil(tune: Path) -> None:
    """Delete some of what Tune wrote, cut the rest in the middle."""
    files = sorted(file for file in tune.rglob("*") if file.is_file())
    assert files
    for number, file in enumerate(files):
        if number % 3 == 0:
            file.unlink()
        else:
            os.truncate(file, file.stat().st_size // 2)
    for folder in sorted(tune.glob("leg-1/main-*"))[:1]:
        shutil.rmtree(folder)


def _listening(pid: int) -> set[str]:
    """Addresses on which a process and those below it listen for connections."""
    root = psutil.Process(pid)
    found = set()
    for process in [root, *root.children(recursive=True)]:
        try:
            connections = process.net_connections("inet")
        except psutil.Error:
            continue
        found |= {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    return found


def _named(pid: int, part: str) -> list[psutil.Process]:
    """Ray's workers below a process, by what they run now."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        tree = psutil.Process(pid).children(recursive=True)
        found = [p for p in tree if part in " ".join(p.cmdline())]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no process of Ray's runs a {part}")
