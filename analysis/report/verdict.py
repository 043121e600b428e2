"""The sentence at the top of a report: which arm is better, or what the only one came to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.comparison.statistics import interval as resampled_interval
from analysis.comparison.statistics import seed_draws
from analysis.comparison.values import Comparison
from analysis.frames import Run
from analysis.report.facts import Best
from analysis.report.wording import interval, number
from orchestrator.pictures import counted
from orchestrator.scoring import aggregate
from orchestrator.suites import TEST

_RESAMPLES = 2_000
_FEWEST = 2
_ALPHA = 0.25

_ENDED = {
    "finished": "the run ended without it",
    "failed": "the run ended with failed members",
    "stopped": "the run was stopped before its end",
    "running": "the run still goes on",
    "killed": "the run was killed before its end",
}


@dataclass(frozen=True)
class Sentence:
    """What is to be said first, and what a reader must know to judge it."""

    text: str
    reasons: tuple[str, ...] = ()


def of_arms(comparison: Comparison) -> Sentence:
    """The verdict of a comparison."""
    return Sentence(comparison.verdict.text, comparison.verdict.reasons)


def refused(runs: Sequence[Run], reasons: Sequence[str]) -> Sentence:
    """What is said in place of a verdict where arms cannot be compared."""
    what = "arms" if len(runs) == 1 else "runs"
    return Sentence(f"No verdict: these {what} cannot be compared.", tuple(reasons))


def of_one_arm(
    runs: Sequence[Run], bests: Sequence[Best], members: int, comparison: Comparison | None
) -> Sentence:
    """Which member is the best, and how good it is.

    Args:
        runs: at least one; have one arm.
        bests: of each of their populations that has a score.
        members: of all populations together.
        comparison: of the only arm with itself; None where it has no scores to compare.
    """
    ended = _ENDED[runs[-1].status]
    if not bests:
        return Sentence(f"No member has a score: {ended}.")
    populations = sum(len(run.populations) for run in runs)
    first = max(bests, key=_select_score)
    name = f"m{first.member} of seed {first.seed}" if populations > 1 else f"m{first.member}"
    among = f"the best of {counted(members, 'member')}" if members > 1 else "the only member"
    evaluation = runs[-1].arms[first.arm].get("evaluation", {})
    score = first.test if first.suite == TEST else first.score
    said = _score(evaluation, first.returns, score)
    text = f"{name}, at iteration {first.iteration}, is {among}: {said} of the {first.suite} suite."
    if first.suite != TEST:
        return Sentence(text, (f"The test suite was not played: {ended}.",))
    return Sentence(text, (_note(populations, comparison),))


def _note(seeds: int, comparison: Comparison | None) -> str:
    alone = "One arm: there is nothing to compare it with"
    if seeds == 1:
        return f"{alone}; and one seed says nothing of how another would do."
    if comparison is None:
        return f"{alone}."
    iqm = interval(comparison.arms[0].iqm)
    return f"{alone}. Over its {seeds} seeds the interquartile mean of the returns is {iqm}."


def _score(evaluation: Mapping[str, Any], returns: Sequence[float], score: float | None) -> str:
    """The score, with the interval that it would have over other levels of the kind."""
    kind, alpha = evaluation.get("aggregate", "mean"), evaluation.get("alpha") or _ALPHA
    what = {
        "mean": "mean return",
        "iqm": "interquartile mean return",
        "cvar": f"mean return over the worst {alpha:.0%}",
        "min": "lowest return",
    }[kind]
    levels = counted(len(returns), "level")
    played = np.array(returns)
    if score is None:
        return f"a score that is not finite, the {what} of the {levels}"
    if len(played) < _FEWEST:
        return f"{number(score)}, the {what} of the {levels}"
    draws = seed_draws(len(played), np.random.default_rng(0), _RESAMPLES)
    low, high = resampled_interval([aggregate(played[each], kind, alpha) for each in draws])
    ends = f"[{number(float(low))}, {number(float(high))}]"
    return f"{number(score)} {ends} (95 % interval over levels), the {what} of the {levels}"


def _select_score(best: Best) -> float:
    """What seeds are told apart by: of the test suite's scores, the best one would flatter."""
    return -math.inf if best.score is None else best.score
