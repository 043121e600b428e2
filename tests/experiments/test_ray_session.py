"""What every worker of a Ray session has in common."""

from __future__ import annotations

import gc
import os

import pytest
import ray

from experiments.ray_session import collect_seldom

pytestmark = pytest.mark.ray


class Hashing:
    """An actor: in a process of its own."""

    def hashed(self) -> tuple[int, int]:
        """Its process, and what a name is hashed to there."""
        return os.getpid(), hash("protagonist")


def test_workers_hash_alike(ray_runtime: None) -> None:
    """RLlib goes through sets of names: else no two processes would train to the same bit."""
    kind = ray.remote(num_cpus=0)(Hashing)
    actors = [kind.remote() for _ in range(3)]
    try:
        processes, hashes = zip(*ray.get([actor.hashed.remote() for actor in actors]), strict=True)
    finally:
        for actor in actors:
            ray.kill(actor)
    assert len(set(processes)) == 3
    assert len(set(hashes)) == 1


def test_workers_and_driver_collect_garbage_seldom(ray_runtime: None) -> None:
    """Else the imports of every member take a third longer."""
    threshold = ray.remote(num_cpus=0)(lambda: gc.get_threshold()[0])
    assert ray.get(threshold.remote()) == 10_000
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.get_threshold()[0] == 10_000
    finally:
        gc.set_threshold(*before)
