"""Where the best env moves with the agent's skill: a twin of the toy that Ray shows its PBT on.

In Ray's ``pbt_function`` the best learning rate rises with the accuracy from 0.001 to 0.01, and
falls again; the farther from it, the less is learnt, and more than three times too much of it
unlearns. Here it is the difficulty of the env's levels: an episode on a level of difficulty
``d`` changes the skill ``s``, which begins at 0 and ends at `DONE`, by, with ``b`` the best
difficulty for ``s`` and ``q = max(d, b) / min(d, b)``:

- ``u / q`` if ``q < tolerance``, ``u`` drawn from [0, 1);
- else ``-setback · u (q - tolerance)`` if ``d > b``, and nothing if ``d < b``.

Unlike Ray's, skill does not move by chance besides: picking the luckiest members would pass for
learning. Scores are noisy instead, as they are on a suite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from benchmarks.curricula.simulated import lived
from benchmarks.curricula.tables import Line, number
from orchestrator import seeding
from orchestrator.curricula import Curriculum, DomainRandomization, Evolving
from orchestrator.distributions import Distribution, EnvSpace
from orchestrator.exploit import Exploiter, NoExploit, Truncation
from orchestrator.explore import Perturb
from orchestrator.knobs import Continuous
from orchestrator.member_state import Rules
from orchestrator.stop import Stop

__all__ = ["DONE", "SPACE", "TOYS", "Toy", "best_difficulty", "measure"]

Floats = npt.NDArray[np.float64]

DONE = 200.0
_DIFFICULTY = Continuous(0.1, 1.0, "log")
SPACE = EnvSpace({"difficulty": _DIFFICULTY})
_SCORE_NOISE = 2.0

_MEMBERS = 8
_ITERATIONS = 160
_EPISODES = 8
_INTERVAL = 4
_SEEDS = 20
_GRID = np.linspace(0.0, 1.0, 11)
"""Ends of the fixed ranges that are tried, as positions in the legal range."""


def best_difficulty(skill: npt.ArrayLike) -> Floats:
    """What teaches most: it rises up to the middle of the way to `DONE`, then falls."""
    share = np.asarray(skill, np.float64) / (DONE / 2)
    best: Floats = np.clip(np.where(share < 1, share, 2 - share), 0.1, 1.0)
    return best


@dataclass(frozen=True)
class Toy:
    """The task of a member, whose skill is all that it has learnt.

    Attributes:
        tolerance: how many times off the best difficulty still teaches something.
        setback: what a level unlearns for each time that it is too hard beyond that.
    """

    name: str
    tolerance: float = 3.0
    setback: float = 1.0

    def after(self, skill: npt.ArrayLike, level: npt.ArrayLike, luck: npt.ArrayLike) -> Floats:
        """The skill after an episode, for arrays of one shape; at `DONE` it stays there."""
        before, difficulty = np.asarray(skill, np.float64), np.asarray(level, np.float64)
        best = best_difficulty(before)
        off = np.maximum(difficulty, best) / np.minimum(difficulty, best)
        too_hard = np.where(difficulty > best, self.setback * (self.tolerance - off), 0.0)
        change = np.where(off < self.tolerance, 1 / off, too_hard)
        changed = np.clip(before + np.asarray(luck, np.float64) * change, 0.0, DONE)
        reached: Floats = np.where(before >= DONE, DONE, changed)
        return reached

    def beginner(self) -> float:
        """Without any skill."""
        return 0.0

    def trained(self, learnt: float, levels: Distribution, rng: np.random.Generator) -> float:
        """After an iteration's episodes."""
        for _ in range(_EPISODES):
            learnt = float(self.after(learnt, levels.sample(rng)["difficulty"], rng.random()))
        return learnt

    def returns(self, learnt: float, rng: np.random.Generator) -> Sequence[float]:
        """A single one, which is the skill and some noise."""
        return (learnt + _SCORE_NOISE * float(rng.standard_normal()),)


TOYS = (Toy("as Ray's"), Toy("narrow", tolerance=2.0), Toy("gentle", setback=0.0))

_POPULATIONS: Mapping[str, tuple[Curriculum, Exploiter]] = {
    "population: the env evolves": (Evolving(), Truncation()),
    "population on the full range": (DomainRandomization(), Truncation()),
    "full range, no copying": (DomainRandomization(), NoExploit()),
}


def measure() -> Iterator[Line]:
    """The population, domain randomization, and the fixed ranges that are best in hindsight."""
    for toy in TOYS:
        for arm, (curriculum, exploit) in _POPULATIONS.items():
            skills = [_best_member(toy, curriculum, exploit, seed) for seed in range(_SEEDS)]
            yield _line(toy, arm, np.array(skills), _MEMBERS, f"{curriculum}, {exploit}")
        yield from _fixed_lines(toy)


def _best_member(toy: Toy, curriculum: Curriculum, exploit: Exploiter, seed: int) -> list[float]:
    """The highest skill in the population, after each iteration."""
    rules = Rules(
        size=_MEMBERS,
        interval=_INTERVAL,
        mode="sync",
        space=SPACE,
        search={},
        curriculum=curriculum,
        exploit=exploit,
        explore=Perturb(),
        stop=Stop(iterations=_ITERATIONS),
    )
    return [max(skills) for skills in lived(rules, toy, seed)]


def _fixed_lines(toy: Toy) -> Iterator[Line]:
    """One member on a range that never changes: the best one, chosen by how it ended."""
    ranges = list(combinations_with_replacement([_DIFFICULTY.from_unit(u) for u in _GRID], 2))
    skills = _fixed(toy, ranges, _MEMBERS * _ITERATIONS)
    points = [low == high for low, high in ranges]
    everything = [True for _ in ranges]
    for arm, iterations, allowed in (
        ("best fixed range, as long as a member", _ITERATIONS, everything),
        ("best fixed range, as long as all members", _MEMBERS * _ITERATIONS, everything),
        ("best fixed level, as long as all members", _MEMBERS * _ITERATIONS, points),
    ):
        ended = np.where(allowed, skills[:, :, iterations].mean(axis=1), -np.inf)
        best = int(ended.argmax())
        low, high = ranges[best]
        which = f"from {low:.3g} to {high:.3g}, best of {sum(allowed)}"
        yield _line(toy, arm, skills[best, :, : iterations + 1], 1, which)


def _fixed(toy: Toy, ranges: Sequence[tuple[float, float]], iterations: int) -> Floats:
    """Skills of shape ``(ranges, seeds, iterations + 1)``, all members trained at once.

    Levels are log-uniform in their range, as a `Product` draws them.
    """
    low, high = (np.log([each[end] for each in ranges])[:, None] for end in (0, 1))
    rng = seeding.generator("fixed", toy.name)
    skill = np.zeros((len(ranges), _SEEDS))
    history = [skill]
    for _ in range(iterations):
        for _ in range(_EPISODES):
            level = np.exp(low + (high - low) * rng.random(skill.shape))
            skill = toy.after(skill, level, rng.random(skill.shape))
        history.append(skill)
    return np.stack(history, axis=-1)


def _line(toy: Toy, arm: str, skills: Floats, members: int, parameters: str) -> Line:
    """From skills of shape ``(seeds, iterations + 1)``."""
    final, iterations = skills[:, -1], skills.shape[1] - 1
    arrived = [int(np.argmax(each >= DONE)) for each in skills if each[-1] >= DONE]
    return {
        "toy": toy.name,
        "arm": arm,
        "members": str(members),
        "iterations": str(iterations),
        "in total": str(members * iterations),
        "skill": number(float(final.mean())),
        "lowest": number(float(final.min())),
        "highest": number(float(final.max())),
        "reached": f"{len(arrived)} of {len(skills)}",
        "after": f"{np.median(arrived):g}" if arrived else "",
        "parameters": f"{toy}; {parameters}; {_EPISODES} episodes an iteration",
    }
