"""Which arms of which runs are compared: what each is called, and what its seeds scored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.comparison.curves import Curve, learning_curve, teams
from analysis.comparison.statistics import Floats
from analysis.frames import Run
from analysis.members import last_played
from orchestrator.suites import SELECT

__all__ = ["Contender", "Seed", "contenders"]

_NOT_THE_EXPERIMENT = ("seeds", "resources", "loggers")
"""Sections in which two runs of one experiment may differ."""


@dataclass(frozen=True, eq=False)
class Seed:
    """What one population of an arm came to.

    Attributes:
        run: where it was trained.
        returns: one for each level of the suite, in order; None where it was not played, or not
            every return was finite.
        env_steps: of the whole population.
        curve: None if no member was ever scored.
    """

    run: Run = field(repr=False)
    seed: int
    returns: Floats | None = field(repr=False)
    env_steps: float
    curve: Curve | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class Contender:
    """An arm, with its seeds from one or several runs of the same experiment.

    Attributes:
        name: what it is called in the comparison.
        arm: its name in its runs.
        runs: where its seeds come from.
        seeds: all that it has, or should have, by number.
    """

    name: str
    arm: str
    runs: tuple[Run, ...] = field(repr=False)
    seeds: tuple[Seed, ...] = field(repr=False)

    @property
    def counted(self) -> tuple[Seed, ...]:
        """Seeds that have a return on every level."""
        return tuple(seed for seed in self.seeds if seed.returns is not None)

    @property
    def missing(self) -> tuple[int, ...]:
        """Seeds that do not."""
        return tuple(seed.seed for seed in self.seeds if seed.returns is None)

    @property
    def scores(self) -> Floats:
        """Of the seeds that count, shape (seeds, levels)."""
        return np.array([seed.returns for seed in self.counted])

    @property
    def curves(self) -> tuple[Curve, ...] | None:
        """Of the seeds that count; None if one of them has none."""
        found = [seed.curve for seed in self.counted if seed.curve is not None]
        return tuple(found) if len(found) == len(self.counted) else None


def contenders(
    runs: Sequence[Run], suite: str, seeds: Iterable[int] | None = None
) -> list[Contender]:
    """The arms of the runs, in the order given.

    Runs of the same experiment, seeds, resources and loggers aside, pool the seeds of an arm. Of
    one run the arms keep their names; of several, those that are pooled do, and the others are
    called by their run's folder, with ``/arm`` where it has several.

    Args:
        suite: ``test``: returns are those of the best checkpoint of each population; ``select``:
            those of its best member as it stands.
        seeds: the ones that count; all if None.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        for arm in run.arms:
            groups.setdefault((arm, _experiment(run, arm)), []).append(run)
    arms = [(arm, tuple(found)) for (arm, _), found in groups.items()]
    names = _names(arms) if len(runs) > 1 else [arm for arm, _ in arms]
    wanted = None if seeds is None else set(seeds)
    return [
        Contender(name, arm, pooled, tuple(_seeds(pooled, arm, suite, wanted)))
        for name, (arm, pooled) in zip(names, arms, strict=True)
    ]


def _experiment(run: Run, arm: str) -> str:
    plain = {key: value for key, value in run.arms[arm].items() if key not in _NOT_THE_EXPERIMENT}
    return json.dumps(plain, sort_keys=True, default=str)


def _names(arms: Sequence[tuple[str, tuple[Run, ...]]]) -> list[str]:
    """By the arm where it is pooled, and no other pool has that name; else by folders."""
    pools = Counter(arm for arm, runs in arms if len(runs) > 1)
    names = [
        arm
        if len(runs) > 1 and pools[arm] == 1
        else _by_folder(arm, runs, [run.path.name for run in runs])
        for arm, runs in arms
    ]
    taken = Counter(names)
    return [
        name if taken[name] == 1 else _by_folder(arm, runs, [str(run.path) for run in runs])
        for name, (arm, runs) in zip(names, arms, strict=True)
    ]


def _by_folder(arm: str, runs: Sequence[Run], folders: Sequence[str]) -> str:
    joined = "+".join(folders)
    return joined if len(runs[0].arms) == 1 else f"{joined}/{arm}"


def _seeds(runs: Sequence[Run], arm: str, suite: str, wanted: set[int] | None) -> list[Seed]:
    found: list[Seed] = []
    for run in runs:
        began = [seed for name, seed in run.populations if name == arm]
        numbers = dict.fromkeys([*run.arms[arm].get("seeds", ()), *began])
        chosen = [seed for seed in numbers if wanted is None or seed in wanted]
        results, scores = (_by_seed(frame, arm) for frame in (run.results, run.scores))
        found += [_seed(run, arm, seed, suite, results(seed), scores(seed)) for seed in chosen]
    return sorted(found, key=lambda each: each.seed)


def _by_seed(frame: pd.DataFrame, arm: str) -> Callable[[int], pd.DataFrame]:
    """The rows of each seed of an arm; found once, since a run may have millions."""
    own = frame[frame["arm"] == arm]
    seeds = dict(iter(own.groupby("seed")))
    return lambda seed: seeds.get(seed, own.head(0))


def _seed(
    run: Run, arm: str, seed: int, suite: str, results: pd.DataFrame, scores: pd.DataFrame
) -> Seed:
    played = scores[scores["suite"] == suite]
    last = _best_now(played)
    returns = last.sort_values("level")["return"].to_numpy(dtype=float)
    whole = len(returns) > 0 and bool(np.isfinite(returns).all())
    at_once = teams(run.arms[arm])
    return Seed(
        run=run,
        seed=seed,
        returns=returns if whole else None,
        env_steps=float(results.groupby("member")["env_steps"].max().sum() * at_once),
        curve=learning_curve(results, scores[scores["suite"] == SELECT], at_once),
    )


def _best_now(scores: pd.DataFrame) -> pd.DataFrame:
    """Of each member's newest play the one with the highest score; the test suite has one alone."""
    newest = last_played(scores)
    best = newest.sort_values("score", ascending=False, kind="stable")["member"].head(1)
    played: pd.DataFrame = newest[newest["member"].isin(best)]
    return played
