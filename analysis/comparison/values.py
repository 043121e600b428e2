"""What a comparison of arms came to: values alone, as `analysis.compare` returns them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, field
from typing import Any

import pandas as pd

__all__ = ["ArmResult", "Comparison", "Estimate", "NotComparable", "Pair", "Verdict"]

_TIDY = {"suite": "str", "arm": "str", "baseline": "str", "seeds": "int64", "measure": "str"}
_TIDY |= dict.fromkeys(("value", "low", "high", "p", "p_holm"), "float64")


class NotComparable(ValueError):
    """Runs that cannot be compared; the message has every reason, a line each.

    Attributes:
        reasons: why not.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Estimate:
    """A value, and its bootstrap interval of 95 %.

    Attributes:
        low, high: NaN where a single seed says nothing about the spread; infinite where too many
            of the resamples are.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class ArmResult:
    """What the seeds of one arm came to on the suite.

    Attributes:
        name: unique within the comparison.
        seeds: those that are counted.
        missing: those that should be, but have no score, or returns that are not finite.
        levels: of the suite.
        env_steps: spent by the whole population, mean over seeds.
        mean: over seeds and levels.
        iqm: interquartile mean over all returns, seeds × levels.
        cvar: mean over seeds of the mean of the worst share ``alpha`` of a seed's levels.
        area: mean score over the env steps that all curves of the comparison have in common (area
            under the learning curve, by its width); None where there are none.
        steps_to_threshold: median over seeds of the env steps at which the curve first reached the
            threshold; None without a threshold, or where half of the seeds or more never did.
        reached: how many seeds did; None without a threshold.
    """

    name: str
    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    levels: int
    env_steps: float
    mean: Estimate
    iqm: Estimate
    cvar: Estimate
    area: Estimate | None
    steps_to_threshold: Estimate | None
    reached: int | None


@dataclass(frozen=True)
class Pair:
    """One arm against another.

    The tests are of one number for each seed, the IQM over its levels. They are two-sided, and
    NaN where an arm has fewer than two seeds.

    Attributes:
        arm, baseline: names.
        difference: IQM of the arm less that of the baseline.
        improvement: how likely a run of the arm is better than one of the baseline on a level
            drawn at random, equal ones counted half.
        welch_t, welch_p: Welch's t-test, which does not take the variances to be equal.
        mann_whitney_u, mann_whitney_p: of the arm's seeds; exact where there are few.
        welch_holm, mann_whitney_holm: the p-values after Holm's correction over all pairs.
    """

    arm: str
    baseline: str
    difference: Estimate
    improvement: Estimate
    welch_t: float
    welch_p: float
    welch_holm: float
    mann_whitney_u: float
    mann_whitney_p: float
    mann_whitney_holm: float


@dataclass(frozen=True)
class Verdict:
    """Which arm is better, in plain English.

    Attributes:
        winner: the arm that is better than every other, or None.
        text: one sentence: which, by how much, how sure.
        reasons: what else a reader must know to judge it.
    """

    winner: str | None
    text: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Arms side by side on one suite.

    Attributes:
        suite: ``test`` or ``select``.
        alpha: share of the worst levels in the CVaR.
        threshold: the score whose first env step was asked for, or None.
        baseline: the arm that the others are compared with; None: every pair is.
        arms: highest IQM first.
        pairs: the arm first that is ahead; with a baseline, that one is last.
        profiles: performance profiles: ``arm``, ``threshold``, ``share`` of the seeds × levels
            whose return is above it, ``low``, ``high`` (pointwise intervals).
        curves: ``arm``, ``seed``, ``env_steps`` of the whole population, ``score`` of its best
            member on the select suite.
        bands: ``arm``, ``env_steps``, ``mean`` over seeds, ``low``, ``high``, ``seeds``: how many.
        scores: ``arm``, ``seed``, ``level``, ``return``: what all of it was made of.
    """

    suite: str
    alpha: float
    threshold: float | None
    baseline: str | None
    arms: tuple[ArmResult, ...]
    pairs: tuple[Pair, ...]
    verdict: Verdict
    profiles: pd.DataFrame = field(repr=False)
    curves: pd.DataFrame = field(repr=False)
    bands: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)

    def table(self) -> pd.DataFrame:
        """A row for each arm; an estimate ``x`` has the columns ``x``, ``x_low``, ``x_high``."""
        return pd.DataFrame([_row(arm) for arm in self.arms])

    def tidy(self) -> pd.DataFrame:
        """A row for each figure, of an arm or of a pair (those have a ``baseline``).

        Columns: ``suite``, ``arm``, ``baseline``, ``seeds``, ``measure``, ``value``, ``low``,
        ``high``, ``p``, ``p_holm``; NaN, or an empty text, where there is none.
        """
        return pd.DataFrame(list(self._rows()), columns=list(_TIDY)).astype(_TIDY)

    def _rows(self) -> Iterator[tuple[object, ...]]:
        seeds = {arm.name: len(arm.seeds) for arm in self.arms}
        for arm in self.arms:
            who = (self.suite, arm.name, "", seeds[arm.name])
            for measure in ("mean", "iqm", "cvar", "area", "steps_to_threshold"):
                estimate = getattr(arm, measure)
                if estimate is not None:
                    yield (*who, measure, *astuple(estimate), math.nan, math.nan)
        for pair in self.pairs:
            who = (self.suite, pair.arm, pair.baseline, seeds[pair.arm])
            for measure in ("difference", "improvement"):
                yield (*who, measure, *astuple(getattr(pair, measure)), math.nan, math.nan)
            no_interval = (math.nan, math.nan)
            yield (*who, "welch", pair.welch_t, *no_interval, pair.welch_p, pair.welch_holm)
            ranks = pair.mann_whitney_u, *no_interval, pair.mann_whitney_p, pair.mann_whitney_holm
            yield (*who, "mann_whitney", *ranks)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; frames by column, None for what is not finite."""
        frames = {
            "profiles": self.profiles,
            "curves": self.curves,
            "bands": self.bands,
            "scores": self.scores,
        }
        said: dict[str, Any] = _plain(
            {
                "suite": self.suite,
                "verdict": asdict(self.verdict),
                "alpha": self.alpha,
                "threshold": self.threshold,
                "baseline": self.baseline,
                "arms": [asdict(arm) for arm in self.arms],
                "pairs": [asdict(pair) for pair in self.pairs],
                **{name: frame.to_dict("list") for name, frame in frames.items()},
            }
        )
        return said


def _row(arm: ArmResult) -> dict[str, object]:
    return {
        "arm": arm.name,
        "seeds": len(arm.seeds),
        "missing": len(arm.missing),
        "levels": arm.levels,
        "env_steps": arm.env_steps,
        **_columns("mean", arm.mean),
        **_columns("iqm", arm.iqm),
        **_columns("cvar", arm.cvar),
        **_columns("area", arm.area),
        **_columns("steps_to_threshold", arm.steps_to_threshold),
        "reached": math.nan if arm.reached is None else arm.reached,
    }


def _columns(name: str, estimate: Estimate | None) -> dict[str, float]:
    value, low, high = (
        (math.nan,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
    )
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
