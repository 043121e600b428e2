"""Fixed lists of levels with fixed seeds, on which members are compared."""

from __future__ import annotations

from orchestrator import seeding
from orchestrator.distributions import EnvSpace
from orchestrator.levels import Play

SELECT = "select"
TEST = "test"


def draw_suite(space: EnvSpace, name: str, levels: int, seed: int) -> tuple[Play, ...]:
    """A suite of ``levels`` levels over the whole legal space, each with a seed of its own.

    The same (space, name, seed) gives the same suite; suites of different names share
    neither levels nor seeds. A longer suite begins with the shorter one.
    """
    rng = seeding.generator("suite", name, seed)
    everything = space.full()
    return tuple(
        Play(
            index=index,
            level=everything.sample(rng),
            seed=seeding.seed("suite", name, seed, "episode", index),
        )
        for index in range(levels)
    )
