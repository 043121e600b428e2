"""The sentence at the top: a verdict, or what the only arm came to, or why neither can be."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis import compare
from analysis.frames import Run
from analysis.report import verdict
from analysis.report.facts import best
from tests.analysis.report.recorded import record


def said(run: Run) -> verdict.Sentence:
    """What is said of a run's only arm."""
    bests = [best(run.of(*key)) for key in run.populations]
    found = [each for each in bests if each is not None]
    tested = bool((run.scores["suite"] == "test").any())
    return verdict.of_one_arm([run], found, 4, compare([run]) if tested else None)


def test_the_best_member_is_named_with_its_score_and_interval(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    tested = run.scores[run.scores["suite"] == "test"]
    sentence = said(run)
    start = f"m{tested['member'].iloc[0]}, at iteration 12, is the best of 4 members: "
    assert sentence.text.startswith(f"{start}{tested['score'].iloc[0]:.1f} [")
    assert sentence.text.endswith("the mean return of the 8 levels of the test suite.")
    (reason,) = sentence.reasons
    assert reason.startswith("One arm: there is nothing to compare it with; and one seed says")


def test_the_interval_holds_the_score_and_is_the_same_every_time(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    text = said(run).text
    assert text == said(run).text
    value, ends = text.split(": ")[1].split(" (")[0].split(" ", 1)
    low, high = ends.strip("[]").split(", ")
    assert float(low) < float(value) < float(high)


@pytest.mark.parametrize(
    ("evaluation", "what"),
    [
        ({"aggregate": "cvar", "alpha": 0.25}, "mean return over the worst 25%"),
        ({"aggregate": "iqm"}, "interquartile mean return"),
        ({"aggregate": "min"}, "lowest return"),
    ],
)
def test_it_is_said_what_the_score_is(
    tmp_path: Path, evaluation: dict[str, Any], what: str
) -> None:
    run = record(tmp_path / "run")
    run.arms["main"]["evaluation"].update(evaluation)
    assert f"the {what} of the 8 levels" in said(run).text


def test_over_several_seeds_the_best_is_chosen_by_the_select_suite(tmp_path: Path) -> None:
    run = record(tmp_path / "run", seeds=(0, 1, 2))
    select = run.scores[run.scores["suite"] == "select"]
    seed = select.loc[select["score"].idxmax(), "seed"]
    sentence = said(run)
    assert f" of seed {seed}, at iteration 12" in sentence.text
    assert "Over its 3 seeds the interquartile mean of the returns is" in sentence.reasons[0]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("stopped", "the run was stopped before its end"),
        (None, "the run was killed before its end"),
        ("finished", "the run ended without it"),
    ],
)
def test_without_a_test_suite_it_is_said_why(tmp_path: Path, status: str | None, why: str) -> None:
    sentence = said(record(tmp_path / "run", tested=False, status=status))
    assert "of the select suite" in sentence.text
    assert sentence.reasons == (f"The test suite was not played: {why}.",)


def test_a_score_that_is_not_finite_is_said_to_be_none(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    found = best(run)
    assert found is not None
    broken = replace(found, test=None, returns=(math.nan, *found.returns[1:]))
    sentence = verdict.of_one_arm([run], [broken], 4, None)
    assert (
        "a score that is not finite, the mean return of the 8 levels of the test" in sentence.text
    )


def test_without_scores_there_is_no_best(tmp_path: Path) -> None:
    sentence = said(record(tmp_path / "run", scored=False, tested=False, status=None))
    assert sentence.text == "No member has a score: the run was killed before its end."


def test_a_comparison_has_its_own_verdict(tmp_path: Path) -> None:
    comparison = compare([record(tmp_path / "run", arms=("a", "b"), seeds=(0, 1, 2))])
    sentence = verdict.of_arms(comparison)
    assert (sentence.text, sentence.reasons) == (
        comparison.verdict.text,
        comparison.verdict.reasons,
    )


def test_a_refusal_keeps_every_reason(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    assert verdict.refused([run, run], ["a", "b"]) == verdict.Sentence(
        "No verdict: these runs cannot be compared.", ("a", "b")
    )
    assert verdict.refused([run], []).text == "No verdict: these arms cannot be compared."
