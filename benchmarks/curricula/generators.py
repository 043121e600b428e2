"""What a generator of mazes learns to make, by what it is paid for.

The generator is a small policy: it puts up walls one after the other, each on a cell drawn from
one softmax over all cells (on a wall that is there already nothing happens, as in PAIRED, Dennis
et al. 2020), then start and goal from a softmax each. It learns by policy gradient (REINFORCE)
from its reward less the batch's mean, and a bonus on entropy. The students are synthetic, see
`maze_students`; the rewards and the mazes are the product's own.

The antagonist may make twice as many moves as the protagonist, so that some mazes can be solved
and are not solved yet: a stand-in for a student that is ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.curricula.maze_students import LEARNING, MazeStudent, Ways
from benchmarks.curricula.tables import Line, number
from experiments.envs.maze_grid import distance
from orchestrator import seeding
from orchestrator.env_space import Level
from orchestrator.scenario_rewards import NAMED, TEAMS

__all__ = ["Generator", "Made", "grow", "measure"]

Floats = npt.NDArray[np.float64]

SIZE = 9
_LONGEST = SIZE * SIZE
"""No way is longer."""
_WALLS = 25
_UPDATES = 600
_BATCH = 32
_SEEDS = 10
_RATE = 0.15
_ENTROPY = 0.01
_BUDGETS = (20, 30, 40)
_HELD_OUT = 200


@dataclass(frozen=True)
class Made:
    """Mazes, and what the generator drew for them.

    Attributes:
        counts: how often each cell was drawn, shape ``(mazes, 3, cells)``: walls, start, goal.
    """

    counts: npt.NDArray[np.int64]

    def levels(self) -> list[Level]:
        """As `Maze` takes them."""
        walls, starts, goals = np.moveaxis(self.counts, 1, 0)
        return [
            {
                "walls": np.flatnonzero(walls[each]).tolist(),
                "start": int(starts[each].argmax()),
                "goal": int(goals[each].argmax()),
            }
            for each in range(len(self.counts))
        ]

    def ways(self) -> Ways:
        """How many moves away each goal is."""
        return [distance(level, SIZE) for level in self.levels()]


@dataclass(frozen=True)
class Generator:
    """A policy over mazes; a value, changed by making another.

    Attributes:
        logits: of the cells, for walls, start and goal: shape ``(3, cells)``.
    """

    logits: Floats

    @classmethod
    def beginner(cls) -> Generator:
        """Draws all cells alike."""
        return cls(np.zeros((3, SIZE * SIZE)))

    @property
    def shares(self) -> Floats:
        """How likely each cell is to be drawn."""
        powers = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def made(self, mazes: int, rng: np.random.Generator) -> Made:
        """So many mazes."""
        draws = zip((_WALLS, 1, 1), self.shares, strict=True)
        counts = [rng.multinomial(many, shares, size=mazes) for many, shares in draws]
        return Made(np.stack(counts, axis=1))

    def trained(self, made: Made, rewards: Floats) -> Generator:
        """One step up the gradient of the expected reward, and of the entropy."""
        shares = self.shares
        draws = made.counts.sum(axis=2, keepdims=True)
        ahead = (rewards - rewards.mean())[:, None, None]
        policy = (ahead * (made.counts - draws * shares)).mean(axis=0)
        surprise = -np.log(shares)
        mean = (shares * surprise).sum(axis=1, keepdims=True)
        entropy = shares * (surprise - mean) * draws[0]
        return Generator(self.logits + _RATE * SIZE * SIZE * (policy + _ENTROPY * entropy))


def grow(reward: str, budget: int, seed: int) -> tuple[list[Ways], MazeStudent]:
    """How far the goals were in each batch of mazes, and the protagonist in the end.

    Args:
        reward: one of `NAMED`, or ``random`` for a generator that does not learn.
        budget: moves that the protagonist may make.
    """
    rng = seeding.generator("generator", reward, budget, seed)
    generator, students = Generator.beginner(), [MazeStudent(budget), MazeStudent(2 * budget)]
    history = []
    for _ in range(_UPDATES):
        made = generator.made(_BATCH, rng)
        ways = made.ways()
        history.append(ways)
        returns = [student.played(ways, rng) for student in students]
        students = [student.trained(own) for student, own in zip(students, returns, strict=True)]
        if reward in NAMED:
            teams = zip(*returns[: TEAMS[reward]], strict=True)
            generator = generator.trained(made, np.array([NAMED[reward](*own) for own in teams]))
    return history, students[0]


def measure() -> Iterator[Line]:
    """Every reward of the product, beside a generator that does not learn."""
    for budget in _BUDGETS:
        for reward in ("random", *NAMED):
            grown = [grow(reward, budget, seed) for seed in range(_SEEDS)]
            yield _line(reward, budget, grown)


def _line(reward: str, budget: int, grown: Sequence[tuple[list[Ways], MazeStudent]]) -> Line:
    tenth = _UPDATES // 10
    middle = slice((_UPDATES - tenth) // 2, (_UPDATES + tenth) // 2)
    first, mid, last = (
        [_flat(ways[span]) for ways, _ in grown]
        for span in (slice(tenth), middle, slice(-tenth, None))
    )
    unsolvable = [_share(ways, _LONGEST) for ways in last]
    return {
        "moves": str(budget),
        "reward": reward,
        "unsolvable at first": number(_mean([_share(ways, _LONGEST) for ways in first])),
        "midway": number(_mean([_share(ways, _LONGEST) for ways in mid])),
        "at last": number(_mean(unsolvable)),
        "lowest": number(min(unsolvable)),
        "highest": number(max(unsolvable)),
        "too far": number(_mean([_share(ways, budget) for ways in last])),
        "way": number(_mean([way for ways in last for way in ways if way is not None])),
        "skill": number(_mean([student.skill for _, student in grown])),
        "solves": number(
            _mean([_solved(student, seed) for seed, (_, student) in enumerate(grown)])
        ),
        "seeds": str(len(grown)),
        "parameters": f"{SIZE} x {SIZE} cells, {_WALLS} walls, {_UPDATES} updates of {_BATCH} "
        f"mazes, rate {_RATE}, entropy {_ENTROPY}, students' learning {LEARNING}",
    }


def _flat(batches: Sequence[Ways]) -> Ways:
    return [way for ways in batches for way in ways]


def _share(ways: Ways, budget: int) -> float:
    """Of mazes without a way of at most so many moves."""
    return _mean([way is None or way > budget for way in ways])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _solved(student: MazeStudent, seed: int) -> float:
    """The share of random mazes with a way that the student solves."""
    rng = seeding.generator("held out", seed)
    ways = [way for way in Generator.beginner().made(_HELD_OUT, rng).ways() if way is not None]
    return _mean((student.played(ways, rng) > 0).tolist())
