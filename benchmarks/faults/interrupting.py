"""What a signal to the driver costs with stock Tune."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

from benchmarks.faults import driver
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import restored, saved, start_ray, steps

# More than half of the 10 s that lie between two snapshots of Tune's state.
_AFTER_SNAPSHOT = 6.0
_GRACE = 60.0


def killed(folder: Path) -> Outcome:
    """SIGKILL to the driver of a run that saves after every iteration; then a resume."""
    process = driver.start(folder, trials=1, every=1, iterations=5)
    since = _snapshot(folder)
    while _snapshot(folder) == since:
        time.sleep(0.1)
    time.sleep(_AFTER_SNAPSHOT)
    process.kill()
    process.wait()
    newest = max(iterations for iterations, _ in saved(folder, driver.NAME))
    resumed = _resumed_at(folder)
    text = f"SIGKILL {_AFTER_SNAPSHOT:.0f} s after Tune's last snapshot of its state: on disk was"
    return Outcome(
        f"{text} iteration {newest}, the resumed run went on from {resumed}", resumed < newest
    )


def signalled(folder: Path) -> Outcome:
    """SIGINT and SIGTERM to the driver of a run that saves its trials at their end."""
    texts, lost = [], False
    for number in (signal.SIGINT, signal.SIGTERM):
        place = folder / number.name
        place.mkdir()
        process = driver.start(place, trials=3, every=0, iterations=8)
        process.send_signal(number)
        code = process.wait(_GRACE)
        count = len(saved(place, driver.NAME))
        texts.append(f"{number.name}: exit code {code}, {count} of 3 models saved")
        lost |= count < 3
    return Outcome("; ".join(texts), lost)


def _snapshot(folder: Path) -> float:
    """When Tune wrote its state last."""
    states = (folder / driver.NAME).glob("experiment_state-*.json")
    return max((state.stat().st_mtime for state in states), default=0.0)


def _resumed_at(folder: Path) -> int:
    """After how many iterations the resumed run takes its first step."""
    # A worker may take a step more before it notices that its driver is dead.
    dead = {step["pid"] for step in steps(folder, driver.NAME)}
    start_ray(folder, cpus=1)
    tuned = restored(folder, driver.NAME, resume_unfinished=True)
    # It would go on for long, and is left behind when this process ends.
    threading.Thread(target=tuned.fit, daemon=True).start()
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        for step in steps(folder, driver.NAME):
            if step["pid"] not in dead:
                return int(step["iteration"]) - 1
        time.sleep(0.1)
    raise RuntimeError(f"the resumed run must take a step, but took none in {_GRACE:.0f} s")
