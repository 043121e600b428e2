"""Learning curves by the env steps of whole populations, and what lies under them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_run import SyntheticRun

import analysis
from analysis.comparison.curves import (
    Curve,
    common_range,
    learning_curve,
    median_steps,
    on_grid,
    teams,
)

CURVE = Curve(np.array([100.0, 200.0, 400.0]), np.array([1.0, 5.0, 3.0]))


def test_a_curve_holds_its_last_score() -> None:
    held = CURVE.at(np.array([100.0, 199.0, 200.0, 399.0, 400.0, 999.0]))
    assert held.tolist() == [1.0, 1.0, 5.0, 5.0, 3.0, 3.0]


def test_the_area_is_that_of_the_steps_by_hand() -> None:
    # 1 for 100 steps, then 5 for 200.
    assert CURVE.area(100, 400) == pytest.approx((100 * 1 + 200 * 5) / 300)
    assert CURVE.area(150, 250) == pytest.approx((50 * 1 + 50 * 5) / 100)
    assert CURVE.area(200, 300) == 5.0
    assert CURVE.area(300, 500) == pytest.approx((100 * 5 + 100 * 3) / 200)


def test_a_threshold_is_reached_at_the_first_boundary_with_that_score() -> None:
    assert CURVE.first_reached(0.5) == 100
    assert CURVE.first_reached(3.0) == 200
    assert CURVE.first_reached(5.0) == 200
    assert CURVE.first_reached(5.1) == math.inf


def test_the_median_counts_seeds_that_never_did_as_infinite() -> None:
    assert median_steps(np.array([[100.0], [300.0], [np.inf]])) == 300
    assert median_steps(np.array([[100.0], [np.inf]])) == np.inf
    two = np.array([[[1.0], [2.0], [9.0]], [[np.inf], [2.0], [np.inf]]])
    assert median_steps(two).tolist() == [2.0, np.inf]


def test_curves_have_in_common_what_all_of_them_span() -> None:
    later = Curve(np.array([150.0, 900.0]), np.array([0.0, 0.0]))
    assert common_range([CURVE, later]) == (150, 400)
    assert common_range([CURVE, Curve(np.array([400.0]), np.array([0.0]))]) is None
    assert common_range([]) is None


def test_a_grid_goes_from_where_all_have_begun_to_where_all_still_go_on() -> None:
    later = Curve(np.array([150.0, 900.0]), np.array([7.0, 0.0]))
    found = on_grid([CURVE, later])
    assert found is not None
    steps, scores = found
    assert (steps[0], steps[-1]) == (150, 400)
    assert (scores[0, 0], scores[0, -1]) == (1.0, 3.0)
    assert set(scores[1]) == {7.0}
    assert on_grid([CURVE, Curve(np.array([1000.0]), np.array([0.0]))]) is None


# Of runs


def curve_of(run: SyntheticRun) -> Curve | None:
    found = analysis.load(run.folder)
    return learning_curve(found.results, found.scores[found.scores["suite"] == "select"])


def test_the_best_member_counts_and_the_steps_of_all(played: SyntheticRun) -> None:
    curve = curve_of(played)
    assert curve is not None
    # Four members that take 1000 steps an iteration.
    assert curve.steps.tolist() == [16_000, 32_000, 48_000]
    assert curve.scores.tolist() == [40.0, 50.0, 70.0]


def test_members_that_were_not_scored_count_as_they_stand(
    tmp_path: Path, begin: Callable[..., SyntheticRun]
) -> None:
    run = begin(tmp_path / "run", size=2)
    run.train(1)
    run.score(0, 50.0, 1)
    run.train(2)
    run.score(1, 20.0, 2)
    run.train(3)
    run.score(0, None, 3)
    run.score(1, 60.0, 3)
    curve = curve_of(run)
    assert curve is not None
    assert curve.steps.tolist() == [2000, 4000, 6000]
    assert curve.scores.tolist() == [50.0, 50.0, 60.0]


def test_a_member_that_was_given_up_has_spent_what_it_spent() -> None:
    results = pd.DataFrame(
        {"member": [0, 0, 1], "iteration": [1, 2, 1], "env_steps": [10, 20, 100]}
    )
    scores = pd.DataFrame({"member": [0, 1, 0], "iteration": [1, 1, 2], "score": [1.0, 5.0, 2.0]})
    curve = learning_curve(results, scores)
    assert curve is not None
    assert curve.steps.tolist() == [110, 120]
    assert curve.scores.tolist() == [5.0, 5.0]


def test_a_population_that_was_never_scored_has_no_curve(
    tmp_path: Path, begin: Callable[..., SyntheticRun]
) -> None:
    run = begin(tmp_path / "run")
    run.train(1)
    assert curve_of(run) is None


def test_two_teams_take_two_steps_at_once() -> None:
    assert teams({"curriculum": {"kind": "paired"}}) == 2
    assert teams({"curriculum": {"kind": "flexible_paired"}}) == 2
    assert teams({"curriculum": {"kind": "plr"}}) == 1
    assert teams({}) == 1
