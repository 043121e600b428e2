"""What makes levels hard to teach with: one challenge for each difficulty of TeachMyAgent's kind.

Romac et al., "TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL" (2021),
test teachers on task spaces that are mostly infeasible, on students that forget, and on rugged
landscapes of difficulty. Here a level is a point in the unit square of two knobs. A challenge
says which skill each level asks for, which skills can be had at all, and what the student
can do at first. Members start where the student can do something, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.curricula.skills import CELLS, Bools, Cells, Floats, centers, numbers
from orchestrator.distributions import EnvSpace, Level
from orchestrator.gaussian import position
from orchestrator.knobs import Continuous, Range

__all__ = ["CHALLENGES", "SPACE", "Challenge"]

_START = 0.1
SPACE = EnvSpace(
    {"x": Continuous(0.0, 1.0), "y": Continuous(0.0, 1.0)},
    {"x": Range(0.0, _START), "y": Range(0.0, _START)},
)


def _as_it_is(places: Floats) -> Floats:
    return places


def _everywhere() -> Bools:
    return np.ones((CELLS, CELLS), np.bool_)


def _at_the_start() -> Floats:
    """Well enough to succeed each time where members start, and not at all elsewhere."""
    first, second = centers()
    able: Floats = np.where((first < _START) & (second < _START), 0.75, 0.0)
    return able


@dataclass(frozen=True)
class Challenge:
    """A task space, and what is to be known of the student for it.

    Attributes:
        asks: the skills that levels ask for, from their knobs; both of shape ``(levels, 2)``.
        feasible: which skills can be had at all, a field.
        at_first: the student's competence before any training, a field.
        forgetting: the rate, per episode, at which competence that is not practised wears off.
        least_noise: how far returns are off at least, in either direction.
    """

    asks: Callable[[Floats], Floats] = _as_it_is
    feasible: Bools = field(default_factory=_everywhere)
    at_first: Floats = field(default_factory=_at_the_start)
    forgetting: float = 0.0
    least_noise: float = 0.0

    def cells(self, levels: Sequence[Level]) -> Cells:
        """The number of the cell of skills that each level asks for."""
        places = np.array([position(SPACE, level) for level in levels]).reshape(-1, 2)
        return numbers(self.asks(places))

    def test(self, rng: np.random.Generator, levels: int = 400) -> Cells:
        """The cells of so many feasible levels, drawn alike from all of them."""
        drawn: Cells = np.array([], np.intp)
        while len(drawn) < levels:
            found = numbers(self.asks(rng.random((levels, 2))))
            drawn = np.concatenate([drawn, found[self.feasible.ravel()[found]]])
        return drawn[:levels]


def _open(rng: np.random.Generator) -> Challenge:
    """A control: the student does everything by halves already, so that all can be practised."""
    del rng
    return Challenge(at_first=np.full((CELLS, CELLS), 0.5))


def _plain(rng: np.random.Generator) -> Challenge:
    """Skills build on each other, from the start to the far corner."""
    del rng
    return Challenge()


def _noisy(rng: np.random.Generator) -> Challenge:
    """As plain, but what cannot be done yet, and what is mastered, returns by chance too."""
    del rng
    return Challenge(least_noise=0.25)


def _infeasible(rng: np.random.Generator) -> Challenge:
    """As plain, but four fifths of all levels can never be done: those far from the start."""
    del rng
    first, second = centers()
    return Challenge(feasible=np.hypot(first, second) <= np.sqrt(0.8 / np.pi))


def _forgetful(rng: np.random.Generator) -> Challenge:
    """As plain, but half of what is not practised is lost within 1000 episodes."""
    del rng
    return Challenge(forgetting=float(np.log(2) / 1000))


def _folded(rng: np.random.Generator) -> Challenge:
    """As plain, but along one knob levels become harder, then easier again, then harder."""
    del rng

    def fold(places: Floats) -> Floats:
        wave = np.abs((3 * places[:, 0] + 1) % 2 - 1)
        return np.column_stack([wave, places[:, 1]])

    return Challenge(asks=fold)


def _rugged(rng: np.random.Generator) -> Challenge:
    """As plain, but all other blocks of the 5 x 5 that levels fall into have changed places."""
    blocks = 5
    others = 1 + rng.permutation(blocks * blocks - 1)
    shuffled = np.concatenate([[0], others])

    def shuffle(places: Floats) -> Floats:
        whole = np.minimum((places * blocks).astype(np.intp), blocks - 1)
        inside = places - whole / blocks
        there = shuffled[whole[:, 0] * blocks + whole[:, 1]]
        moved: Floats = np.column_stack(np.divmod(there, blocks)) / blocks + inside
        return np.clip(moved, 0.0, 1.0)

    return Challenge(asks=shuffle)


CHALLENGES: Mapping[str, Callable[[np.random.Generator], Challenge]] = {
    "open": _open,
    "plain": _plain,
    "noisy": _noisy,
    "infeasible": _infeasible,
    "forgetful": _forgetful,
    "folded": _folded,
    "rugged": _rugged,
}
"""By name; the generator decides what is random about a challenge."""
