"""What a generator makes of mazes while it learns: how many of them have no way to the goal."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ray

from benchmarks.curricula.tables import Line, number
from benchmarks.real.summary import over_seeds
from benchmarks.setting import session
from experiments.build import Arm
from experiments.checking import check
from experiments.driver import wire
from experiments.envs.maze import distance
from experiments.loading import load
from orchestrator.curricula import Outcome
from orchestrator.episodes import Episode
from orchestrator.member import Member
from orchestrator.member_state import MemberState
from orchestrator.stop import Stop

__all__ = ["FILE", "Made", "Training", "at_the_ends", "by_iteration", "looked_at", "measure"]

FILE = Path(__file__).parent / "generators.yaml"


@dataclass(frozen=True)
class Made:
    """The mazes of the episodes that ended in one iteration.

    Attributes:
        levels: how many.
        unsolvable: share of them without a way to the goal.
        walls: cells that are walls, on average.
        moves: on the shortest way, on average over those that have one; None if none has.
        student: mean return of the team that is trained for its own sake; None without episodes.
    """

    iteration: int
    levels: int
    unsolvable: float
    walls: float
    moves: float | None
    student: float | None


@dataclass(frozen=True)
class Training:
    """One generator from its first iteration to its last, or the error that it ended with."""

    arm: str
    seed: int
    made: tuple[Made, ...] = ()
    error: str | None = None


class WatchedMember(Member):
    """A member that tells the levels of the episodes that ended in its last iteration."""

    levels: Sequence[Mapping[str, Any]] = ()

    def _outcomes(self, episodes: Sequence[Episode], *, trained: bool) -> list[Outcome]:
        self.levels = [episode.level for episode in episodes]
        return super()._outcomes(episodes, trained=trained)


def measure() -> Iterator[Training]:
    """Every arm and seed of FILE, as soon as it has ended; two at a time on two cores."""
    loaded = load(FILE)
    with session(), TemporaryDirectory() as folder:
        arms = wire(loaded, check(loaded))
        # One CPU each, though none holds a seat: they are no run's.
        task = ray.remote(num_cpus=1)(_trained)
        pending = {
            task.remote(arm, name, seed, loaded.arms[name].env.config["size"], Path(folder)): (
                name,
                seed,
            )
            for name, arm in arms.items()
            for seed in loaded.seeds
        }
        while pending:
            [ended], _ = ray.wait(list(pending))
            arm, seed = pending.pop(ended)
            try:
                yield Training(arm, seed, tuple(ray.get(ended)))
            except Exception as error:
                yield Training(arm, seed, error=f"{type(error).__name__}: {error}")


def _trained(arm: Arm, name: str, seed: int, size: int, folder: Path) -> list[Made]:
    """Train a member as it would be in a run, but for boundaries: nothing is scored or saved."""
    iterations = arm.blueprint.stop.iterations
    assert iterations is not None
    never = Stop(iterations=10**9)
    blueprint = replace(arm.blueprint, interval=10**9, stop=never)
    start = MemberState(
        key=(name, seed, 0), hyperparameters={}, distribution=blueprint.space.initial()
    )
    member = WatchedMember(blueprint, folder, start.plain())
    made = []
    for _ in range(iterations):
        report = member.iterate()
        made.append(looked_at(member.levels, size, report.iteration, report.training_return))
    member.close()
    return made


def looked_at(
    levels: Sequence[Mapping[str, Any]], size: int, iteration: int, student: float | None
) -> Made:
    """What there is to say about these mazes, of which there must be at least one."""
    distances = [distance(level, size) for level in levels]
    ways = [moves for moves in distances if moves is not None]
    return Made(
        iteration=iteration,
        levels=len(levels),
        unsolvable=1 - len(ways) / len(levels),
        walls=statistics.mean(len(level["walls"]) for level in levels),
        moves=statistics.mean(ways) if ways else None,
        student=student,
    )


def by_iteration(found: Sequence[Training]) -> Iterator[Line]:
    """A line for each iteration of each generator."""
    for each in found:
        for made in each.made:
            yield {
                "arm": each.arm,
                "seed": str(each.seed),
                "iteration": str(made.iteration),
                "mazes": str(made.levels),
                "unsolvable": number(made.unsolvable),
                "walls": number(made.walls),
                "moves": "" if made.moves is None else number(made.moves),
                "student's return": "" if made.student is None else number(made.student),
            }


def at_the_ends(found: Sequence[Training], share: float = 0.2) -> Iterator[Line]:
    """A line for each arm: its mazes without a way in the first and the last iterations.

    Args:
        share: of the iterations that are the first, and the last.
    """
    for arm in dict.fromkeys(each.arm for each in found):
        group = [each for each in found if each.arm == arm]
        whole = [each.made for each in group if each.made]
        parts = [max(1, round(share * len(made))) for made in whole]
        first = [_unsolvable(made[:part]) for made, part in zip(whole, parts, strict=True)]
        last = [_unsolvable(made[-part:]) for made, part in zip(whole, parts, strict=True)]
        yield {
            "arm": arm,
            "seeds": f"{len(whole)} of {len(group)}",
            "unsolvable at first": over_seeds(first),
            "at last": over_seeds(last),
            "change": over_seeds([b - a for a, b in zip(first, last, strict=True)]),
        }


def _unsolvable(made: Sequence[Made]) -> float:
    """Share of all the mazes of some iterations."""
    return sum(each.unsolvable * each.levels for each in made) / sum(each.levels for each in made)
