"""Each curriculum against domain randomization, with as many episodes of the same student.

Every episode counts, those that are rolled out without gradient too. Curricula that have such
are compared once more with those for free, as papers do that count gradient updates. The
parameters are the presets', with buffers and rollouts cut down to a budget of thousands of
episodes instead of millions; the same for all challenges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from benchmarks.curricula.challenges import CHALLENGES, SPACE
from benchmarks.curricula.held_out import SEEDS, compared, results
from benchmarks.curricula.students import Student
from benchmarks.curricula.tables import Line
from orchestrator import seeding
from orchestrator.curricula import (
    ADR,
    ALPGMM,
    PRESETS,
    Curriculum,
    DomainRandomization,
    Learnability,
    LevelBuffer,
    Seen,
    Stage,
    Stages,
    Until,
)
from orchestrator.knobs import Range

__all__ = ["BATCH", "CURRICULA", "EPISODES", "measure", "student"]

EPISODES = 4000
BATCH = 50


def _stage(name: str, high: float, until: Until | None) -> Stage:
    return Stage(name, {"x": Range(0.0, high), "y": Range(0.0, high)}, until)


def _buffer(name: str) -> LevelBuffer:
    preset = PRESETS[name]
    assert isinstance(preset, LevelBuffer)
    return replace(preset, capacity=300)


_MASTERED = Until("success", above=0.7, min_episodes=100)
CURRICULA: Mapping[str, Curriculum] = {
    # As an engineer would write them who believes that larger is harder.
    "stages": Stages(
        (_stage("a", 1 / 3, _MASTERED), _stage("b", 2 / 3, _MASTERED), _stage("c", 1.0, None))
    ),
    "adr": ADR(above=0.8, below=0.4, measure="success"),
    "alp_gmm": ALPGMM(most_gaussians=6),
    "plr": _buffer("plr"),
    "plr_robust": _buffer("plr_robust"),
    "accel": _buffer("accel"),
    "sfl": Learnability(candidates=50, rollouts=4, keep=16, every=8),
}

_PROBING = ("plr_robust", "accel", "sfl")
"""Those that roll levels out without gradient."""
_PRICES = {"all episodes": 1.0, "trained on": 0.0}


def student(name: str, curriculum: Curriculum, seed: int, price: float = 1.0) -> Student:
    """A student of this challenge, trained by the curriculum until `EPISODES` are spent.

    Args:
        price: what an episode without gradient counts for.
    """
    challenge = CHALLENGES[name](seeding.generator("challenge", name, seed))
    rng = seeding.generator("student", name, seed)
    learner, stand = Student.beginner(challenge), curriculum.begin(SPACE)
    spent, iteration, revision = 0.0, 0, 0
    while spent < EPISODES:
        iteration += 1
        probed = learner.played(
            curriculum.probes(stand, rng), rng, trained=False, revision=revision
        )
        spent += price * len(probed)
        left = max(0, EPISODES - int(spent))
        levels = [stand.distribution.sample(rng) for _ in range(min(BATCH, left))]
        batch = learner.played(levels, rng, trained=True, revision=revision)
        learner = learner.trained(batch)
        spent += len(batch)
        outcomes = [*probed, *batch]
        seen = Seen.of(outcomes, revision, iteration=iteration, env_steps=int(spent))
        stand = curriculum.observe(stand, seen)
        move = curriculum.move(stand, rng)
        if move is not None:
            stand, revision = move.stand, revision + 1
    return learner


def measure() -> Iterator[Line]:
    """All curricula on all challenges."""
    for challenge in CHALLENGES:
        baseline = _seeds(challenge, DomainRandomization(), 1.0)
        for counted, price in _PRICES.items():
            for name, curriculum in CURRICULA.items():
                if price == 1.0 or name in _PROBING:
                    what = {"challenge": challenge, "curriculum": name, "counted": counted}
                    found = _seeds(challenge, curriculum, price)
                    parameters = f"{curriculum}; {EPISODES} episodes in batches of {BATCH}"
                    yield from compared(what, found, baseline, parameters)


def _seeds(challenge: str, curriculum: Curriculum, price: float) -> list[dict[str, float]]:
    return [
        results(challenge, student(challenge, curriculum, seed, price), seed)
        for seed in range(SEEDS)
    ]
