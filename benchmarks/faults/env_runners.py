"""Env runners of stock RLlib that die, or that a call does not reach."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from benchmarks.faults.learners import FIRST_TASK, ppo, runners, set_tasks, tasks
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import start_ray

_TASK = 5
_PATIENCE = 100.0
"""Seconds for a new env runner's process to start, on a busy machine."""


def reverted(folder: Path) -> Outcome:
    """One of two env runners is killed after its env was given a task."""
    start_ray(folder, cpus=4)
    algorithm = ppo(2).build_algo()
    set_tasks(algorithm, _TASK)
    algorithm.train()
    before = tasks(algorithm)
    os.kill(runners(algorithm, lambda runner: os.getpid())[0], signal.SIGKILL)
    quiet, after = 0, before[1:]
    # It is started anew in the course of later iterations.
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        algorithm.train()
        after = tasks(algorithm)
        if len(after) == len(before):
            break
        quiet += 1
        time.sleep(0.5)
    text = f"tasks of the envs: {before} before one runner was killed, then for {quiet} iterations"
    text = f"{text} one runner alone, then {after}; train() raised nothing"
    return Outcome(text, FIRST_TASK in after)


def missed(folder: Path) -> Outcome:
    """A call to both env runners, with a time limit, while one is busy."""
    start_ray(folder, cpus=4)
    algorithm = ppo(2).build_algo()

    def take(runner: Any) -> int:
        time.sleep(4.0 if runner.worker_index == 2 else 0.0)
        return int(runner.worker_index)

    group = algorithm.env_runner_group
    answers = group.foreach_env_runner(take, local_env_runner=False, timeout_seconds=2.0)
    text = f"foreach_env_runner with a time limit returned {len(answers)} of 2 answers"
    return Outcome(f"{text} and raised nothing", len(answers) < 2)
