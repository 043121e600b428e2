"""Bare loops: one plain process per core, each with its share of the members, one by one."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import ray
import torch

from benchmarks.sweep.done import Done
from benchmarks.sweep.work import Work, ppo, start_ray

LOOPS = "seconds of loops"


def train(work: Work, folder: Path) -> Done:
    """Train all members; the loops of all processes count until the last one ends."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(work.cores, mp_context=context) as pool:
        shares = [range(first, work.members, work.cores) for first in range(work.cores)]
        loops = [pool.submit(_loop, work, share, folder) for share in shares]
        took = max(loop.result() for loop in loops)
    return Done(work.whole, facts={LOOPS: took})


def _loop(work: Work, members: range, folder: Path) -> float:
    """Seconds of training, evaluation and checkpoints of these members."""
    torch.set_num_threads(1)
    # An Algorithm starts Ray, with whatever it has, where none runs.
    start_ray(cpus=1)
    seconds = 0.0
    for member in members:
        algorithm = ppo(work).build_algo()
        begin = time.perf_counter()
        for iteration in range(1, work.iterations + 1):
            algorithm.train()
            if iteration % work.interval == 0:
                algorithm.save_to_path(str(folder / f"m{member}" / f"{iteration:06d}"))
        seconds += time.perf_counter() - begin
        algorithm.stop()
    ray.shutdown()
    return seconds
