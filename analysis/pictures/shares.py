"""Which share of the legal ranges a population covers over time, knob by knob."""

from __future__ import annotations

import numpy as np

from analysis.coverage import Array, covered, known_mean, together
from analysis.pictures.population import Population


def over_time(population: Population, knob: str) -> tuple[Array, Array, Array]:
    """The share that each member, and that all of them together, cover of a knob.

    Returns:
        Edges in training iterations, shape (times + 1,); shares of members, shape
        (members, times), NaN outside a member's life; shares of all, shape (times,).
    """
    frame = population.run.distributions
    changes = frame[frame["knob"] == knob]
    held = population.held(changes)
    legal = population.knob(knob)
    return held.edges, held.values(covered(legal, changes)), together(legal, changes, held.values)


def of_space(population: Population, knob: str | None = None) -> tuple[Array, Array, Array]:
    """As `over_time`, of one knob, or of the mean over all knobs whose share can be told."""
    names = population.space.names if knob is None else (knob,)
    edges, own, together = zip(*(over_time(population, name) for name in names), strict=True)
    return edges[0], known_mean(np.array(own)), known_mean(np.array(together))
