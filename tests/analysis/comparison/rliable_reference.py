"""Makes ``rliable_reference.json``: what ``rliable`` itself says of some made-up scores.

rliable 1.2.0 takes a version of ``arch`` that takes an older pandas than ours, so that it is not
a requirement of the tests; its figures are kept instead. To make them anew:

    python -m venv /tmp/rliable
    /tmp/rliable/bin/pip install rliable==1.2.0 'pandas<3' 'numpy<2.3'
    /tmp/rliable/bin/python tests/analysis/comparison/rliable_reference.py
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rliable import library, metrics

REPS = 50_000
SEED = 20210831


def made_up() -> dict[str, np.ndarray]:
    """Scores (runs, tasks) of three algorithms, one of which has ties with the first."""
    rng = np.random.default_rng(SEED)
    tasks = rng.normal(100, 40, size=12)
    first = tasks + rng.normal(0, 25, size=(5, 12))
    second = tasks + rng.normal(15, 30, size=(7, 12))
    # Whole tens, cut off at 120 as returns of solved levels are: many ties.
    tied = np.minimum(np.round(first[:4] / 10) * 10, 120.0)
    return {"first": first, "second": second, "tied": tied}


def intervals(scores: Any, statistic: Any) -> list[list[float]]:
    _seed()
    _, found = library.get_interval_estimates({"it": scores}, statistic, reps=REPS)
    return found["it"].tolist()


def main() -> None:
    scores = made_up()
    pairs = [("first", "second"), ("second", "first"), ("first", "tied"), ("tied", "tied")]
    thresholds = np.linspace(0, 200, 21)
    profiles, _ = library.create_performance_profile(scores, thresholds, reps=2)
    _seed()
    _, profile_intervals = library.create_performance_profile(scores, thresholds, reps=REPS)
    figures = {
        "rliable": version("rliable"),
        "reps": REPS,
        "scores": {name: values.tolist() for name, values in scores.items()},
        "thresholds": thresholds.tolist(),
        "arms": {
            name: {
                "mean": metrics.aggregate_mean(values),
                "iqm": metrics.aggregate_iqm(values),
                "mean_interval": intervals(values, lambda x: np.array([metrics.aggregate_mean(x)])),
                "iqm_interval": intervals(values, lambda x: np.array([metrics.aggregate_iqm(x)])),
                "profile": profiles[name].tolist(),
                "profile_interval": profile_intervals[name].tolist(),
            }
            for name, values in scores.items()
        },
        "pairs": [
            {
                "own": own,
                "other": other,
                "improvement": metrics.probability_of_improvement(scores[own], scores[other]),
            }
            for own, other in pairs
        ],
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(figures) + "\n")


def _seed() -> None:
    """rliable draws from numpy's global generator, whatever it is given."""
    np.random.seed(0)  # noqa: NPY002


if __name__ == "__main__":
    main()
