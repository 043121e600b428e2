"""One curriculum of every kind, the spaces it takes, and lives that a member may have in it.

A new kind belongs in `CURRICULA`: the conformance suite then runs it through every life, in every
space that it does not refuse. Its numbers should be so small that it moves within a few episodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from distribution_catalogue import CARTPOLE, SPACES, seeds
from hypothesis import strategies as st

from orchestrator.curricula.adr import ADR
from orchestrator.curricula.alp_gmm import ALPGMM
from orchestrator.curricula.base import Curriculum, Move, Outcome, Seen, Stand
from orchestrator.curricula.evolving import Evolving, Widen
from orchestrator.curricula.fixed import DomainRandomization, Fixed
from orchestrator.curricula.generated import Generated
from orchestrator.curricula.learnability import Learnability
from orchestrator.curricula.level_buffer import LevelBuffer
from orchestrator.curricula.population_regret import PopulationRegret
from orchestrator.curricula.scheduled import Scheduled
from orchestrator.curricula.stages import Measure, Stage, Stages, Until
from orchestrator.distributions import EnvSpace, Level, Mixture
from orchestrator.knobs import Range
from orchestrator.seeding import generator


def _two_stages(measure: Measure, above: float) -> Stages:
    return Stages((Stage("first", {}, Until(measure, above, min_episodes=5)), Stage("last", {})))


CURRICULA: dict[str, Curriculum] = {
    "fixed": Fixed(),
    "domain_randomization": DomainRandomization(),
    "population": Evolving(),
    "population-widen": Evolving(widen=Widen(above=50.0, by=0.3, min_episodes=5)),
    "stages": Stages(
        (
            Stage("calm", {"gravity": Range(9.0, 10.0)}, Until("return", 50.0, 5)),
            Stage("heavy", {"gravity": Range(10.0, 20.0)}, Until("return", 50.0, 5)),
            Stage("all", {}),
        )
    ),
    "stages-of-one": Stages((Stage("only", {}),)),
    "stages-by-score": _two_stages("score", 50.0),
    "stages-by-success": _two_stages("success", 0.5),
    "stages-by-env-steps": _two_stages("env_steps", 100),
    "stages-by-iterations": _two_stages("iterations", 2),
    "adr": ADR(above=60.0, below=30.0, queue=3, step=0.25),
    "adr-success": ADR(above=0.8, below=0.2, measure="success", boundary=1.0, queue=2, step=0.5),
    "alp_gmm": ALPGMM(fit_every=20, most_gaussians=3, history=30),
    "plr": LevelBuffer("learnability", capacity=6, train_on_new=True),
    "plr_robust": LevelBuffer("maxmc", capacity=6),
    "accel": LevelBuffer("pvl", capacity=6, replay=0.8, fresh="start", edits=2, parents=2),
    "sfl": Learnability(candidates=6, rollouts=3, keep=3, every=2),
    "population_regret": PopulationRegret(parts=2),
    "generated": Generated(),
    "replay": Scheduled(
        (
            (0, CARTPOLE.initial()),
            (1, CARTPOLE.full()),
            (3, Mixture(((1.0, CARTPOLE.initial()), (2.0, CARTPOLE.full())))),
        )
    ),
}


def accepted(curriculum: Curriculum) -> dict[str, EnvSpace]:
    """The spaces of the catalogue that a curriculum can do something with, by name."""
    return {name: space for name, space in SPACES.items() if not refusal(curriculum, space)}


def refusal(curriculum: Curriculum, space: EnvSpace) -> str:
    """What a curriculum says to a space that it can do nothing with; empty if it can."""
    try:
        curriculum.begin(space)
    except ValueError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Iteration:
    """What one iteration shows, on whatever levels the member then stands.

    Attributes:
        seed: of its levels, its returns and the curriculum's own draws.
        episodes: that end and were trained on.
        low, high: between which their returns lie.
        solved: share of the successes; None where the env does not say.
        score: on the select suite, if that was played.
    """

    seed: int
    episodes: int
    low: float = 0.0
    high: float = 100.0
    solved: float | None = None
    score: float | None = None


Life = Sequence[Iteration]

LIVES: dict[str, Life] = {
    "nothing ends": [Iteration(n, 0) for n in range(3)],
    "mastered": [Iteration(n, 8, 100.0, 100.0, 1.0, 100.0) for n in range(10)],
    "hopeless": [Iteration(n, 8, -5.0, -5.0, 0.0, -5.0) for n in range(6)],
    "without success": [Iteration(n, 8, -100.0, 200.0, None, None) for n in range(6)],
    "in between": [Iteration(n, 8, -100.0, 200.0, 0.5, 50.0 if n % 2 else None) for n in range(8)],
    "up and down": [
        Iteration(n, 1 + 9 * (n % 3), *((100.0, 100.0, 1.0) if n % 8 < 4 else (0.0, 0.0, 0.0)))
        for n in range(16)
    ],
}

iterations: st.SearchStrategy[Iteration] = st.builds(
    Iteration,
    seed=seeds,
    episodes=st.integers(0, 20),
    low=st.sampled_from([-1e6, 0.0, 30.0, 60.0]),
    high=st.sampled_from([60.0, 100.0, 1e6]),
    solved=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    score=st.none() | st.floats(-100, 100),
)
lives: st.SearchStrategy[Life] = st.lists(iterations, max_size=10)


@dataclass(frozen=True)
class Step:
    """One iteration of a life: what was known before it, and what came of it."""

    before: Stand
    probes: Sequence[Level]
    seen: Seen
    observed: Stand
    move: Move | None

    @property
    def after(self) -> Stand:
        """Where the member stands next."""
        return self.observed if self.move is None else self.move.stand


def live(curriculum: Curriculum, stand: Stand, life: Life, passed: int = 0) -> Iterator[Step]:
    """The steps of a life that begins at a stand, after so many iterations."""
    for number, iteration in enumerate(life, start=passed + 1):
        probes = curriculum.probes(stand, generator("probes", iteration.seed))
        seen = shown(stand, iteration, probes, number)
        observed = curriculum.observe(stand, seen)
        move = curriculum.move(observed, generator("move", iteration.seed))
        step = Step(stand, probes, seen, observed, move)
        yield step
        stand = step.after


def shown(stand: Stand, iteration: Iteration, probes: Sequence[Level], number: int) -> Seen:
    """What an iteration shows to a member that stands there."""
    rng = generator("life", iteration.seed)
    trained = [stand.distribution.sample(rng) for _ in range(iteration.episodes)]
    outcomes = [_outcome(level, iteration, rng, trained=True) for level in trained]
    outcomes += [_outcome(level, iteration, rng, trained=False) for level in probes]
    seen = Seen.of(
        outcomes,
        revision=1,
        iteration=number,
        env_steps=number * 40,
        score=iteration.score,
    )
    return replace(seen, regrets=tuple((level, float(rng.normal())) for level in trained[:3]))


def _outcome(
    level: Level, iteration: Iteration, rng: np.random.Generator, *, trained: bool
) -> Outcome:
    total = float(rng.uniform(iteration.low, iteration.high))
    success = None if iteration.solved is None else bool(rng.random() < iteration.solved)
    scores = {name: float(rng.random()) for name in ("l1", "pvl", "value")}
    return Outcome(level, total, 10, success, scores, trained, revision=1)
