"""When a winner is called, when not and why, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared_runs import compared_run

import analysis
from analysis import Comparison, compare
from analysis.comparison.values import ArmResult, Estimate, Pair, Verdict
from analysis.comparison.verdict import judge

NOWHERE = Estimate(0.5, math.nan, math.nan)


def compared(
    path: Path, arms: Mapping[str, Mapping[int, Sequence[float]]], **options: Any
) -> Comparison:
    return compare(analysis.load(compared_run(path, arms)), **options)


def around(value: float, seeds: int, apart: float = 1.0) -> dict[int, tuple[float, ...]]:
    """Seeds whose returns on four levels lie ``apart``, ``value`` in their midst."""
    return {
        seed: tuple(value + apart * (seed - (seeds - 1) / 2) + level for level in (-2, -1, 1, 2))
        for seed in range(seeds)
    }


# Called


def test_an_arm_that_is_better_than_every_other_wins(tmp_path: Path) -> None:
    arms = {"a": around(10, 5), "b": around(30, 5), "c": around(20, 5)}
    verdict = compared(tmp_path / "run", arms).verdict
    assert verdict.winner == "b"
    assert verdict.text.startswith(
        "b is better than every other arm, c the closest, on the test suite: IQM 30.0 ["
    )
    assert "ahead by +10.0 [" in verdict.text
    assert "(Welch p < 0.001, Holm's correction over 3 pairs)" in verdict.text
    assert "with a probability of 1 [1, 1] (5 seeds × 4 levels)" in verdict.text


def test_of_two_arms_the_other_is_named(tmp_path: Path) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 4), "b": around(30, 4)}).verdict
    assert verdict.text.startswith("b is better than a, on the test suite")
    assert "Holm" not in verdict.text


def test_three_seeds_are_enough(tmp_path: Path) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 3), "b": around(30, 3)}).verdict
    assert verdict.winner == "b"
    said = "Mann-Whitney cannot decide with 3 seeds against 3: its p is at least 0.1, whatever"
    assert any(each.startswith(said) for each in verdict.reasons)


# Not called


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_refused_however_far_they_lie_apart(
    tmp_path: Path, seeds: int
) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 5), "b": around(999, seeds)}).verdict
    assert verdict.winner is None
    assert verdict.text == (
        "No winner is called on the test suite: that takes at least 3 seeds of each arm, since "
        f"fewer do not say how much seeds differ, but b has {seeds}; b is ahead so far (IQM 999.0, "
        "a 10.0)."
    )


def test_arms_that_overlap_cannot_be_told_apart(tmp_path: Path) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 5, 4), "b": around(12, 5, 4)}).verdict
    assert verdict.winner is None
    assert verdict.text.startswith(
        "No winner on the test suite: b cannot be told from a: IQM 12.0 against 10.0, +2 ["
    )
    # Deviations of 4 × sqrt(2.5): 2 × 7.85 × 40 / 4 = 157 seeds.
    assert verdict.text.endswith(
        "5 and 5 seeds; if further seeds differ as these do, about 157 of each arm would show it."
    )


def test_what_the_best_arm_is_better_than_is_said_all_the_same(tmp_path: Path) -> None:
    arms = {"a": around(10, 5), "b": around(30, 5), "c": around(29.5, 5), "d": around(29, 5)}
    text = compared(tmp_path / "run", arms).verdict.text
    assert text.startswith(
        "No winner on the test suite: b is better than a, but cannot be told from c, nor from d: "
    )


def test_arms_that_are_the_same_have_no_number_of_seeds_to_tell_them(tmp_path: Path) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 5), "b": around(10, 5)}).verdict
    assert verdict.winner is None
    assert verdict.text.endswith("5 and 5 seeds.")


def test_one_arm_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    verdict = compared(tmp_path / "run", {"a": around(10, 5)}).verdict
    assert verdict.winner is None
    assert verdict.text.startswith("There is nothing to compare with: a alone has an IQM of 10.0 [")


# With figures of one's own


def arm(name: str, iqm: float, seeds: int = 5, missing: tuple[int, ...] = ()) -> ArmResult:
    figure = Estimate(iqm, iqm - 1, iqm + 1)
    return ArmResult(
        name, tuple(range(seeds)), missing, 8, 1000.0, figure, figure, figure, None, None, None
    )


def pair(own: str, other: str, low: float, high: float, t: float = 9.0, p: float = 0.01) -> Pair:
    difference = Estimate((low + high) / 2, low, high)
    return Pair(own, other, difference, NOWHERE, t, p / 3, p, 25.0, 0.01, 0.01)


def verdict_on(
    arms: Sequence[ArmResult],
    pairs: Sequence[Pair],
    baseline: str | None = None,
    suite: str = "test",
) -> Verdict:
    by_seed = {each.name: each.iqm.value + np.arange(len(each.seeds)) for each in arms}
    return judge(suite, arms, pairs, by_seed, baseline)


@pytest.mark.parametrize(
    ("found", "winner"),
    [
        (pair("a", "b", 1, 3), "a"),
        (pair("a", "b", -0.1, 3), None),
        (pair("a", "b", 1, 3, p=0.05), None),
        (pair("a", "b", 1, 3, t=-9.0), None),
        (pair("a", "b", 1, 3, t=math.nan, p=math.nan), None),
        (pair("b", "a", -3, -1, t=-9.0), "a"),
    ],
)
def test_the_interval_and_the_test_must_agree(found: Pair, winner: str | None) -> None:
    assert verdict_on([arm("a", 10), arm("b", 8)], [found]).winner == winner


def test_the_closest_arm_that_is_not_beaten_is_what_stands_in_the_way() -> None:
    arms = [arm("a", 10), arm("b", 9), arm("c", 2)]
    # b is closer, but beaten; c lies far behind, with seeds all over the place.
    pairs = [pair("a", "b", 0.5, 1.5), pair("a", "c", -4, 20, p=0.4), pair("b", "c", -5, 19, p=0.5)]
    verdict = verdict_on(arms, pairs)
    assert verdict.winner is None
    assert "a is better than b, but cannot be told from c: " in verdict.text


def test_an_arm_that_lost_seeds_does_not_win_by_the_others() -> None:
    lucky = verdict_on([arm("a", 10, missing=(5,)), arm("b", 8)], [pair("a", "b", 1, 3)])
    assert lucky.winner is None
    assert "a is ahead of every other arm, but its seed 5 is missing" in lucky.text
    # Of the other arm they would have made it no better than it looks.
    beaten = verdict_on([arm("a", 10), arm("b", 8, missing=(5,))], [pair("a", "b", 1, 3)])
    assert beaten.winner == "a"
    assert "Of b seed 5 is missing: no finite score on the suite." in beaten.reasons


def test_against_a_baseline_arms_are_better_worse_or_neither() -> None:
    arms = [arm("a", 10), arm("b", 8), arm("c", 7), arm("d", 5)]
    pairs = [pair("a", "b", 1, 3), pair("c", "b", -3, 1, p=0.3), pair("d", "b", -5, -1, t=-9.0)]
    verdict = verdict_on(arms, pairs, baseline="b")
    # The best was compared with the baseline alone.
    assert verdict.winner is None
    assert verdict.text == (
        "Compared with b, on the test suite: a by +2 [+1, +3] (Welch p = 0.01, Holm's correction "
        "over 3 pairs) is better; d worse; c not to be told from it."
    )


def test_a_baseline_that_beats_every_other_arm_wins() -> None:
    arms = [arm("b", 10), arm("a", 8), arm("c", 7)]
    pairs = [pair("a", "b", -3, -1, t=-9.0), pair("c", "b", -5, -1, t=-9.0)]
    verdict = verdict_on(arms, pairs, baseline="b")
    assert verdict.winner == "b"
    assert "a the closest" in verdict.text
    assert "ahead by +2 [+1, +3]" in verdict.text


def test_the_select_suite_is_said_to_flatter() -> None:
    verdict = verdict_on([arm("a", 10), arm("b", 8)], [pair("a", "b", 1, 3)], suite="select")
    assert "on the select suite, on which members were picked" in verdict.text
    assert any("flatter every arm" in each for each in verdict.reasons)


def test_what_the_correction_costs_is_said() -> None:
    found = pair("a", "b", 1, 3, p=0.12)
    assert found.welch_p < 0.05 < found.welch_holm
    reasons = verdict_on([arm("a", 10), arm("b", 8)], [found]).reasons
    assert any(each.startswith("Of 1 more pair Welch's p is below 0.05 before") for each in reasons)


def test_an_iqm_that_cannot_move_is_pointed_out() -> None:
    stuck = ArmResult(**{**vars(arm("a", 500)), "iqm": Estimate(500.0, 500.0, 500.0)})
    reasons = verdict_on([stuck, arm("b", 8)], [pair("a", "b", 1, 3)]).reasons
    assert any(each.startswith("Most returns of a are 500.0") for each in reasons)
