"""What the arms of a run came to: a line for each seed, and a line for each arm over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from analysis.comparison.statistics import bootstrap, mean, seed_draws
from analysis.comparison.statistics import interval as resampled_interval
from benchmarks.curricula.comparing import compare
from benchmarks.curricula.tables import Line, number
from benchmarks.real.trained import Trained

__all__ = ["BASELINE", "by_arm", "by_seed", "interval", "over_seeds"]

BASELINE = "domain_randomization"
"""The arm that the others are compared with."""

_MEASURES: Mapping[str, Callable[[Trained], float | None]] = {
    "mean": lambda each: each.mean,
    "CVaR 25 %": lambda each: each.cvar(0.25),
    "CVaR 10 %": lambda each: each.cvar(0.1),
}
_NOTHING = "–"


def by_seed(found: Sequence[Trained]) -> Iterator[Line]:
    """A line for each arm and seed; empty cells where the test suite was not played."""
    for each in found:
        measured = {f"test {name}": measure(each) for name, measure in _MEASURES.items()}
        yield {
            "arm": each.arm,
            "seed": str(each.seed),
            "members": str(each.members),
            "env steps": str(each.env_steps),
            "seconds": f"{each.seconds:.1f}",
            **{name: "" if value is None else number(value) for name, value in measured.items()},
            "faults": "; ".join(each.faults),
        }


def by_arm(found: Sequence[Trained]) -> Iterator[Line]:
    """A line for each measure and arm, over the seeds that have it, beside BASELINE."""
    arms = {each.arm: [other for other in found if other.arm == each.arm] for each in found}
    for name, measure in _MEASURES.items():
        values = {
            arm: [value for each in group if (value := measure(each)) is not None]
            for arm, group in arms.items()
        }
        for arm, group in arms.items():
            baseline = [] if arm == BASELINE else values.get(BASELINE, [])
            yield {
                "test": name,
                "arm": arm,
                "seeds": f"{len(values[arm])} of {len(group)}",
                "env steps": f"{statistics.mean(each.env_steps for each in group):.0f}",
                "seconds": f"{statistics.mean(each.seconds for each in group):.0f}",
                "mean": over_seeds(values[arm]),
                **_ahead(values[arm], baseline),
            }


def over_seeds(values: Sequence[float]) -> str:
    """The mean and its interval."""
    if not values:
        return _NOTHING
    low, high = interval(values)
    return f"{number(statistics.mean(values))} [{number(low)}, {number(high)}]"


def interval(values: Sequence[float]) -> tuple[float, float]:
    """A percentile bootstrap interval of 95 % for the mean of at least one value."""
    own = np.asarray(values, float).reshape(-1, 1)
    draws = seed_draws(len(own), np.random.default_rng(0))
    low, high = resampled_interval(bootstrap(own, mean, draws))
    return float(low), float(high)


def _ahead(values: Sequence[float], baseline: Sequence[float]) -> Line:
    """How far the arm is ahead of the baseline, where there are results of both."""
    if not values or not baseline:
        return {"ahead by": _NOTHING, "better in": _NOTHING, "verdict": _NOTHING}
    found = compare(values, baseline)
    return {
        "ahead by": f"{number(found.difference)} [{number(found.low)}, {number(found.high)}]",
        "better in": f"{found.improvement:.0%}",
        "verdict": found.verdict,
    }
