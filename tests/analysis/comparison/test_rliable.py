"""The same figures as rliable's, which `rliable_reference.py` has written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.comparison import statistics
from analysis.comparison.statistics import Floats, Statistic, iqm, mean

REFERENCE = json.loads(Path(__file__).with_name("rliable_reference.json").read_text())
THRESHOLDS = np.array(REFERENCE["thresholds"])
ARMS = tuple(REFERENCE["arms"])
REPS: int = REFERENCE["reps"]


def scores_of(name: str) -> Floats:
    return np.array(REFERENCE["scores"][name])


@pytest.mark.parametrize("name", ARMS)
def test_point_estimates_are_rliables(name: str) -> None:
    scores, theirs = scores_of(name), REFERENCE["arms"][name]
    assert mean(scores) == pytest.approx(theirs["mean"], abs=1e-12)
    assert iqm(scores) == pytest.approx(theirs["iqm"], abs=1e-12)
    profile = statistics.profile(scores, THRESHOLDS).mean(axis=0)
    assert profile == pytest.approx(np.array(theirs["profile"]), abs=1e-12)


@pytest.mark.parametrize(
    "pair", REFERENCE["pairs"], ids=lambda pair: f"{pair['own']}-{pair['other']}"
)
def test_probabilities_of_improvement_are_rliables(pair: dict[str, Any]) -> None:
    ours = statistics.improvement(scores_of(pair["own"]), scores_of(pair["other"]))
    assert ours == pytest.approx(pair["improvement"], abs=1e-12)


@pytest.mark.parametrize("name", ARMS)
@pytest.mark.parametrize(("figure", "statistic"), [("mean", mean), ("iqm", iqm)])
def test_the_bootstrap_by_level_is_rliables(name: str, figure: str, statistic: Statistic) -> None:
    theirs = np.ravel(REFERENCE["arms"][name][f"{figure}_interval"])
    resampled = statistics.bootstrap_by_level(
        scores_of(name), statistic, np.random.default_rng(0), REPS
    )
    # Ends of 95 % deviate by 1.3 % of a standard error with so many resamples, ours and theirs.
    assert statistics.interval(resampled) == pytest.approx(
        tuple(theirs), abs=0.06 * resampled.std()
    )


@pytest.mark.parametrize("name", ARMS)
def test_intervals_of_profiles_by_level_are_rliables(name: str) -> None:
    theirs = np.array(REFERENCE["arms"][name]["profile_interval"])
    resampled = statistics.bootstrap_by_level(
        scores_of(name),
        lambda drawn: (drawn[..., None] > THRESHOLDS).mean(axis=(-3, -2)),
        np.random.default_rng(0),
        10_000,
    )
    low, high = statistics.interval(resampled)
    # Shares are of some fifty returns: ends lie on steps of a fiftieth.
    step = 1.01 / scores_of(name).size
    assert np.abs(low - theirs[0]).max() <= step
    assert np.abs(high - theirs[1]).max() <= step
    # All but a few of them on the same step.
    assert np.mean(np.isclose(np.concatenate([low, high]), theirs.ravel())) > 0.9
