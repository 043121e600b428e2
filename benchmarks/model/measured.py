"""Costs, as real runs of one experiment had them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.model.costs import Costs, Timing
from benchmarks.model.watched import Watched
from orchestrator.records import Boundary, Exploit

__all__ = ["copying", "costs_of", "timing"]


def costs_of(runs: Sequence[Watched]) -> Costs:
    """The costs that these runs had.

    What a member does is taken from runs in which each member had a core for itself, what a
    process takes to start from what all processes had used when training began, and what sharing
    cores costs beside from how long iterations took in runs with more members resident than cores.

    Raises:
        ValueError: if no run had a core for each member, or all were of the same size.
    """
    alone = [run for run in runs if run.seats <= run.cores]
    seats = [run.seats for run in runs]
    if not alone or len(set(seats)) == 1:
        raise ValueError(
            "runs must be of different sizes, one of them with a core for each member, but "
            f"residents and cores are {[(run.seats, run.cores) for run in runs]}"
        )
    start = float(np.polyfit(seats, [run.used_before_training for run in runs], 1)[0])
    handle = _mean(run.handling for run in alone)
    gaps = [gap for run in alone for gap in run.gaps()]
    kept = _mean(gap.seconds for gap in gaps if not gap.copied)
    copied = [gap.seconds for gap in gaps if gap.copied]
    return Costs(
        launch=_mean(run.begun for run in alone) - start,
        start=start,
        train=timing([each for run in alone for each in run.parts("train")]),
        score=timing([each for run in alone for each in run.parts("score")]),
        save=timing([each for run in alone for each in run.parts("save")]),
        turn=max(0.0, kept - handle),
        handle=handle,
        become=max(0.0, _mean(copied) - kept) if copied else 0.0,
        finish=_mean(run.seconds - run.trained for run in runs),
        crowding=_crowding(runs, _mean(each for run in alone for each in run.parts("train"))),
    )


def _crowding(runs: Sequence[Watched], train: float) -> float:
    """How many times as long iterations took as they would have, had sharing cost nothing."""
    shared = [run for run in runs if run.seats > run.cores]
    times = [_mean(run.parts("train")) * run.cores / run.seats / train for run in shared]
    return max(1.0, _mean(times)) if times else 1.0


def timing(samples: Sequence[float]) -> Timing:
    """The lognormal time with the mean of these, and the deviation of their logarithms."""
    return Timing(float(np.mean(samples)), float(np.std(np.log(samples))))


def copying(run: Watched) -> float:
    """Share of the members decided about that copied another one."""
    decided = sum(len(each.members) for each in run.records if isinstance(each, Boundary))
    return sum(isinstance(each, Exploit) for each in run.records) / max(1, decided)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([*values]))
