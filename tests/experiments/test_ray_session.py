"""What every worker of a Ray session has in common."""

from __future__ import annotations

import os

import pytest
import ray

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
