"""``python -m benchmarks.faults.driver FOLDER TRIALS EVERY``: a run of toys, to be interrupted."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from ray import tune
from ray.tune import CheckpointConfig

from benchmarks.faults.toy import start_ray, steps, tuner

NAME = "run"


def main() -> None:
    """Train TRIALS toys, saved every EVERY iterations (0: at their end), until interrupted."""
    folder, trials, every = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    start_ray(folder, cpus=trials)
    space = {"rate": tune.grid_search([0.1 * (trial + 1) for trial in range(trials)])}
    checkpoint = CheckpointConfig(checkpoint_frequency=every, checkpoint_at_end=True)
    tuner(folder, NAME, {**space, "seconds": 0.3}, 10_000, checkpoint=checkpoint).fit()


def start(folder: Path, trials: int, every: int, iterations: int) -> subprocess.Popen[bytes]:
    """Start it, and wait until a trial of it has taken so many iterations."""
    command = [sys.executable, "-m", "benchmarks.faults.driver"]
    process = subprocess.Popen([*command, str(folder), str(trials), str(every)])
    while process.poll() is None and latest(folder) < iterations:
        time.sleep(0.1)
    if process.returncode is not None:
        raise RuntimeError(f"the run must go on, but it exited with {process.returncode}")
    return process


def latest(folder: Path) -> int:
    """The highest iteration that a trial of it has come to."""
    return max((step["iteration"] for step in steps(folder, NAME)), default=0)


if __name__ == "__main__":
    main()
