"""Arms of runs side by side: what counts, what is refused, and what the figures are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from compared_runs import STEPS, Returns, compared_run
from synthetic_run import SyntheticRun

import analysis
from analysis import Comparison, NotComparable, Run, compare
from analysis.comparison.curves import Curve
from analysis.comparison.values import ArmResult

LOW = {seed: (1.0 + seed, 2.0, 3.0, 4.0) for seed in range(4)}
HIGH = {seed: (11.0 + seed, 12.0, 13.0, 14.0) for seed in range(4)}


def run_of(path: Path, *args: Any, **options: Any) -> Run:
    return analysis.load(compared_run(path, *args, **options))


@pytest.fixture
def two(tmp_path: Path) -> Run:
    """Two arms over four seeds, one of which is ahead on every level."""
    return run_of(tmp_path / "two", {"low": LOW, "high": HIGH})


def arm(found: Comparison, name: str) -> ArmResult:
    return next(each for each in found.arms if each.name == name)


def names(found: Comparison) -> list[str]:
    return [each.name for each in found.arms]


def refused(*runs: Run, **options: Any) -> tuple[str, ...]:
    with pytest.raises(NotComparable) as error:
        compare(list(runs), **options)
    assert str(error.value) == "\n".join(error.value.reasons)
    return error.value.reasons


# Figures


def test_figures_of_arms_are_those_of_their_scores_by_hand(two: Run) -> None:
    found = compare(two, alpha=0.25)
    assert names(found) == ["high", "low"]
    high = found.arms[0]
    assert (high.seeds, high.missing, high.levels) == ((0, 1, 2, 3), (), 4)
    # The first level is 11 + seed: 12.5 on average.
    assert high.mean.value == pytest.approx((12.5 + 12 + 13 + 14) / 4)
    # The sixteen returns are 11, 12 × 5, 13 × 5, 14 × 5: four are left out at either end.
    assert high.iqm.value == pytest.approx((12 + 12 + 13 * 5 + 14) / 8)
    # The worst of four levels of each seed: 11, 12, 12, 12.
    assert high.cvar.value == pytest.approx(11.75)
    assert high.env_steps == 4 * STEPS
    for estimate in (high.mean, high.iqm, high.cvar):
        assert estimate.low <= estimate.value <= estimate.high


def test_the_share_of_the_worst_levels_is_asked_for(two: Run) -> None:
    assert compare(two, alpha=1.0).arms[0].cvar.value == pytest.approx(
        compare(two).arms[0].mean.value
    )


def test_figures_of_a_pair(two: Run) -> None:
    [pair] = compare(two).pairs
    assert (pair.arm, pair.baseline) == ("high", "low")
    assert pair.difference.value == pytest.approx(10.0)
    assert 0 < pair.difference.low < 10.0 < pair.difference.high
    assert (pair.improvement.value, pair.improvement.low) == (1.0, 1.0)
    assert (pair.welch_t > 0, pair.welch_p) == (True, pair.welch_holm)
    # Ahead in all sixteen pairs of seeds: one of the 70 ways to deal them out, and its reverse.
    assert (pair.mann_whitney_u, pair.mann_whitney_p) == (16.0, pytest.approx(2 / 70))


def test_every_two_arms_are_a_pair_or_each_with_the_baseline(tmp_path: Path) -> None:
    middle = {seed: (5.0 + seed, 6.0, 7.0, 8.0) for seed in range(4)}
    run = run_of(tmp_path / "three", {"low": LOW, "high": HIGH, "middle": middle})
    pairs = compare(run).pairs
    assert [(each.arm, each.baseline) for each in pairs] == [
        ("high", "middle"), ("high", "low"), ("middle", "low")
    ]  # fmt: skip
    assert max(each.welch_p for each in pairs) == pairs[2].welch_holm
    assert min(each.welch_p for each in pairs) * 3 == pytest.approx(pairs[1].welch_holm)
    to_low = compare(run, baseline="low").pairs
    assert [(each.arm, each.baseline) for each in to_low] == [("high", "low"), ("middle", "low")]
    assert to_low[0].welch_holm == pytest.approx(2 * to_low[0].welch_p)


def test_profiles_are_shares_above_thresholds_of_all_arms(two: Run) -> None:
    profiles = compare(two).profiles
    assert list(profiles) == ["arm", "threshold", "share", "low", "high"]
    high = profiles[profiles["arm"] == "high"].set_index("threshold")["share"]
    low = profiles[profiles["arm"] == "low"].set_index("threshold")["share"]
    assert (high.index == low.index).all()
    assert (high.index[0], high.index[-1]) == (1.0, 14.0)
    # One of 16 returns is 1, which none is below; 14 is above none.
    assert (low.iloc[0], low.iloc[-1], high.iloc[0], high.iloc[-1]) == (15 / 16, 0.0, 1.0, 0.0)


def test_curves_bands_and_areas(two: Run) -> None:
    found = compare(two, threshold=12.6)
    curves = found.curves[(found.curves["arm"] == "high") & (found.curves["seed"] == 1)]
    # After two and four iterations: half of the mean, then all of it.
    assert curves["env_steps"].to_list() == [2 * STEPS, 4 * STEPS]
    assert curves["score"].to_list() == pytest.approx([12.75 / 2, 12.75])
    high = found.arms[0]
    assert high.area is not None
    assert high.area.value == pytest.approx(12.875 / 2)
    band = found.bands[found.bands["arm"] == "high"]
    assert (band["env_steps"].iloc[0], band["env_steps"].iloc[-1]) == (2 * STEPS, 4 * STEPS)
    assert band["mean"].iloc[-1] == pytest.approx(12.875)
    assert (band["low"] <= band["mean"]).all()
    assert set(band["seeds"]) == {4}


def test_steps_to_a_threshold_say_how_many_seeds_reached_it(two: Run) -> None:
    # Scores in the end are 12.5, 12.75, 13, 13.25.
    high = compare(two, threshold=12.6).arms[0]
    assert high.steps_to_threshold is not None
    assert (high.steps_to_threshold.value, high.reached) == (4 * STEPS, 3)
    assert high.steps_to_threshold.high == math.inf
    high = compare(two, threshold=12.9).arms[0]
    assert (high.steps_to_threshold, high.reached) == (None, 2)
    high = compare(two).arms[0]
    assert (high.steps_to_threshold, high.reached) == (None, None)


def test_a_population_of_two_teams_pays_for_both(tmp_path: Path) -> None:
    run = run_of(
        tmp_path / "run", {"a": LOW, "b": LOW}, changed={"a": {"curriculum": {"kind": "paired"}}}
    )
    found = compare(run)
    assert (arm(found, "a").env_steps, arm(found, "b").env_steps) == (8 * STEPS, 4 * STEPS)
    assert any("not trained at equal cost" in each for each in found.verdict.reasons)


def test_the_same_call_gives_the_same_answer_and_a_generator_is_used(two: Run) -> None:
    first, again = compare(two), compare(two)
    other = compare(two, rng=np.random.default_rng(1))
    assert json.dumps(first.to_json()) == json.dumps(again.to_json())
    assert first.arms[0].iqm.value == other.arms[0].iqm.value
    assert json.dumps(first.to_json()) != json.dumps(other.to_json())


# What counts


def test_seeds_that_are_given_count_alone(two: Run) -> None:
    found = compare(two, seeds=[2, 0])
    assert [each.seeds for each in found.arms] == [(0, 2), (0, 2)]
    assert arm(found, "low").mean.value == pytest.approx((1 + 3 + 2 * 9) / 8)
    [said] = refused(two, seeds=[7])
    assert said == "low and high: must have one of the seeds asked for, but has others"


def test_arms_that_are_named_are_compared_alone(two: Run) -> None:
    assert names(compare(two, arms=["low"])) == ["low"]
    [said] = refused(two, arms=["hihg"])
    assert said.startswith("an arm must be one of low, high, but got 'hihg'")
    assert "high" in said.removeprefix("an arm must be one of low, high")
    [said] = refused(two, arms=["low"], baseline="high")
    assert said == "the baseline 'high' must be one of the arms that are compared"


def test_a_seed_without_a_score_is_missing_not_forgotten(tmp_path: Path) -> None:
    holes: dict[int, Returns] = {**HIGH, 1: None, 4: (1.0, None, 3.0, 4.0)}
    run = run_of(tmp_path / "run", {"a": holes, "b": LOW}, status="failed")
    found = compare(run)
    a = arm(found, "a")
    assert (a.seeds, a.missing) == ((0, 2, 3), (1, 4))
    assert any("Of a seeds 1 and 4 are missing" in each for each in found.verdict.reasons)


def test_of_the_select_suite_the_best_member_counts_as_it_stands(two: Run) -> None:
    found = compare(two, suite="select")
    high = arm(found, "high")
    # Both levels return the mean of the test suite in the end, half of it before.
    assert (high.levels, high.mean.value) == (2, pytest.approx(12.875))
    assert "on which members were picked" in found.verdict.text


def test_of_several_members_the_one_with_the_highest_score_now_counts(
    played: SyntheticRun,
) -> None:
    found = compare(analysis.load(played.folder), suite="select")
    # In the end members scored 60, 70, 15 and 55, on both levels.
    assert found.scores["return"].to_list() == [70.0, 70.0]


def test_a_run_that_played_the_suite_again_counts_as_it_is_now(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"a": LOW, "b": HIGH})
    older = run.scores[run.scores["suite"] == "test"].assign(iteration=2)
    older = older.assign(**{"return": -100.0})
    both = pd.concat([older, run.scores], ignore_index=True)
    extended = Run(**{**vars(run), "scores": both})
    assert arm(compare(extended), "a").mean == arm(compare(run), "a").mean


# Names


def test_runs_of_one_experiment_pool_their_seeds(tmp_path: Path) -> None:
    first = run_of(tmp_path / "r1", {"a": {0: LOW[0], 1: LOW[1]}, "b": {0: HIGH[0]}})
    second = run_of(tmp_path / "r2", {"a": {2: LOW[2]}, "b": {1: HIGH[1], 2: HIGH[2]}})
    found = compare([first, second])
    assert {each.name: each.seeds for each in found.arms} == {"a": (0, 1, 2), "b": (0, 1, 2)}


def test_other_arms_of_several_runs_are_called_by_their_folders(tmp_path: Path) -> None:
    one = run_of(tmp_path / "one", {"main": LOW})
    other = run_of(tmp_path / "other", {"main": HIGH}, "curriculum.kind=fixed")
    several = run_of(tmp_path / "several", {"a": LOW, "main": HIGH}, "population.interval=1")
    found = compare([one, other, several])
    assert set(names(found)) == {"one", "other", "several/a", "several/main"}


def test_pools_of_the_same_arm_are_told_apart(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / f"r{seed}{kind}", {"main": {seed: LOW[0]}}, f"curriculum.kind={kind}")
        for kind in ("fixed", "population")
        for seed in (0, 1)
    ]
    assert set(names(compare(runs))) == {"r0fixed+r1fixed", "r0population+r1population"}


def test_folders_of_the_same_name_are_told_apart_by_their_places(tmp_path: Path) -> None:
    one = run_of(tmp_path / "x" / "run", {"main": LOW})
    other = run_of(tmp_path / "y" / "run", {"main": HIGH}, "curriculum.kind=fixed")
    assert set(names(compare([one, other]))) == {str(one.path), str(other.path)}


# Refused


def test_suites_that_differ_are_refused_key_by_key(tmp_path: Path) -> None:
    one = run_of(tmp_path / "one", {"main": LOW})
    env = "env.knobs.gravity.high=25.0"
    other = run_of(tmp_path / "other", {"main": LOW}, env, "evaluation.seed=3")
    assert refused(one, other) == (
        (
            "env.knobs.gravity.high: test suites must be the same, but it is 20.0 in one and "
            "25.0 in other"
        ),
        "evaluation.seed: test suites must be the same, but it is 0 in one and 3 in other",
    )


def test_a_whole_knob_that_is_not_there_is_one_difference(tmp_path: Path) -> None:
    more = "env.knobs.masspole={low: 0.1, high: 0.5}"
    one = run_of(tmp_path / "one", {"a": LOW, "b": HIGH})
    other = run_of(tmp_path / "other", {"c": LOW}, more)
    # Of a run all of whose arms have a value, the folder says it.
    [said] = refused(one, other)
    assert said.startswith(
        "env.knobs.masspole: test suites must be the same, but it is not there in one and {"
    )
    assert said.endswith("} in other")


def test_arms_of_one_run_are_named_where_they_differ(tmp_path: Path) -> None:
    sizes = {"levels": 4, "test_levels": 4, "max_steps": 10_000}
    evaluation = {"evaluation": {**sizes, "seed": 5}}
    run = run_of(tmp_path / "run", {"a": LOW, "b": HIGH, "c": LOW}, changed={"b": evaluation})
    assert refused(run) == (
        "evaluation.seed: test suites must be the same, but it is 0 in a and c and 5 in b",
    )
    other = run_of(tmp_path / "other", {"main": LOW})
    assert refused(run, other) == (
        (
            "evaluation.seed: test suites must be the same, but it is 0 in run/a, run/c and other "
            "and 5 in run/b"
        ),
    )


@pytest.mark.parametrize(
    "key",
    [
        "env.id=Pendulum",
        "env.config.render_mode=human",
        "env.knobs.length.scale=linear",
        "evaluation.test_levels=8",
        "evaluation.max_steps=77",
        "evaluation.agents=[a]",
    ],
)
def test_whatever_a_suite_is_made_of_must_be_the_same(tmp_path: Path, key: str) -> None:
    one = run_of(tmp_path / "one", {"main": LOW})
    other = run_of(tmp_path / "other", {"main": LOW}, key)
    said = refused(one, other)
    assert any(each.startswith(key.partition("=")[0]) for each in said)
    assert all("in one" in each and "in other" in each for each in said)


@pytest.mark.parametrize(
    "key",
    ["env.knobs.gravity.start={low: 9.0, high: 10.0}", "evaluation.levels=8", "stop.iterations=9"],
)
def test_what_makes_no_other_suite_may_differ(tmp_path: Path, key: str) -> None:
    one = run_of(tmp_path / "one", {"main": LOW})
    other = run_of(tmp_path / "other", {"main": HIGH}, key)
    assert names(compare([one, other])) == ["other", "one"]


def test_curves_of_other_measures_are_not_compared(tmp_path: Path) -> None:
    one = run_of(tmp_path / "one", {"main": LOW})
    other = run_of(tmp_path / "other", {"main": HIGH}, "evaluation.aggregate=cvar")
    found = compare([one, other], threshold=3.0)
    assert {each.area for each in found.arms} == {None}
    assert {each.steps_to_threshold for each in found.arms} == {None}
    said = 'evaluation.aggregate is "mean" in one and "cvar" in other'
    assert any(said in each for each in found.verdict.reasons)


def test_a_seed_counts_once(tmp_path: Path) -> None:
    first = run_of(tmp_path / "r1", {"a": LOW, "b": LOW})
    few = {seed: LOW[seed % 4] for seed in (2, 3, 9)}
    second = run_of(tmp_path / "r2", {"a": few, "b": few})
    assert refused(first, second) == (
        (
            f"a and b: each seed must count once, but seeds 2 and 3 are in {first.path} and "
            f"{second.path}, runs of the same experiment; give one of them"
        ),
    )
    assert compare([first, second], seeds=[0, 1, 9]).arms[0].seeds == (0, 1, 9)
    assert "a and b: each seed must count once" in refused(first, first)[0]
    assert refused(first, first)[0].endswith(f"are in {first.path}, given twice")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("stopped", "but {path} was stopped; `envolve resume {path}` goes on with it"),
        (None, "but {path} was killed; `envolve resume {path}` goes on with it"),
        ("failed", "it was not by any seed; `envolve show {path}` says what went wrong"),
    ],
)
def test_a_run_without_test_scores_says_why_and_what_to_do(
    tmp_path: Path, status: str | None, said: str
) -> None:
    run = run_of(tmp_path / "run", {"a": {0: None}, "b": {0: None}}, status=status)
    [reason] = refused(run)
    assert reason.startswith("a and b: the test suite must have been played")
    assert said.format(path=run.path) in reason


def test_a_run_without_a_test_suite_is_pointed_to_the_other_one(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"a": {0: None}}, "evaluation.test_levels=0")
    [reason] = refused(run)
    assert "evaluation.test_levels is 0" in reason
    assert "`--suite select`" in reason


def test_members_that_were_never_scored_cannot_be_compared(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"a": {0: None}}, status="stopped")
    [reason] = refused(run, suite="select")
    assert reason == f"a: members must have been scored, but none was so far in {run.path}"


def test_all_reasons_are_said_at_once(tmp_path: Path) -> None:
    one = run_of(tmp_path / "one", {"main": {0: None}}, status="stopped")
    other = run_of(tmp_path / "other", {"main": LOW}, "evaluation.seed=3")
    assert len(refused(one, other)) == 2


def test_nothing_to_compare_is_refused() -> None:
    assert refused() == ("there must be an arm to compare, but the runs given have none",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"suite": "train"}, "`suite` must be test or select, but got 'train'"),
        ({"alpha": 0.0}, "`0 < alpha <= 1` must hold, but got 0.0"),
    ],
)
def test_options_that_are_none_are_refused(two: Run, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compare(two, **options)


# As values


def test_a_single_seed_has_no_interval(tmp_path: Path) -> None:
    found = compare(run_of(tmp_path / "run", {"a": {0: LOW[0]}, "b": {0: HIGH[0]}}))
    assert math.isnan(found.arms[0].iqm.low)
    assert math.isnan(found.pairs[0].difference.low)
    assert math.isnan(found.pairs[0].welch_p)
    assert found.profiles["low"].isna().all()
    assert found.bands["low"].isna().all()
    plain = found.to_json()
    assert plain["arms"][0]["iqm"] == {"value": found.arms[0].iqm.value, "low": None, "high": None}


def test_a_pair_with_a_single_seed_has_no_interval(tmp_path: Path) -> None:
    found = compare(run_of(tmp_path / "run", {"a": LOW, "b": {0: HIGH[0]}}))
    [pair] = found.pairs
    assert math.isnan(pair.difference.low)
    assert math.isnan(pair.improvement.high)
    assert not math.isnan(arm(found, "a").iqm.low)


def test_json_has_everything_and_is_strict(two: Run) -> None:
    found = compare(two, threshold=12.6)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["verdict"]["winner"] == "high"
    assert [each["name"] for each in plain["arms"]] == ["high", "low"]
    assert plain["arms"][0]["steps_to_threshold"]["high"] is None
    assert plain["pairs"][0]["difference"]["value"] == pytest.approx(10.0)
    assert len(plain["scores"]["return"]) == len(found.scores) == 32
    assert {"profiles", "curves", "bands"} <= set(plain)


def test_the_table_has_a_row_for_each_arm(two: Run) -> None:
    table = compare(two).table().set_index("arm")
    assert table.index.to_list() == ["high", "low"]
    assert table.loc["high", "mean"] == pytest.approx(12.875)
    assert table.loc["high", "iqm_low"] <= table.loc["high", "iqm"]
    assert table["steps_to_threshold"].isna().all()


def test_tidy_rows_are_one_for_each_figure(two: Run) -> None:
    found = compare(two)
    tidy = found.tidy().set_index(["arm", "baseline", "measure"])
    assert tidy.loc[("high", "", "mean"), "value"] == pytest.approx(12.875)
    assert tidy.loc[("high", "low", "difference"), "value"] == pytest.approx(10.0)
    assert tidy.loc[("high", "low", "welch"), "p_holm"] == found.pairs[0].welch_holm
    assert tidy.loc[("high", "low", "mann_whitney"), "p"] == found.pairs[0].mann_whitney_p
    # Four figures of each arm, and four of the pair.
    assert len(tidy) == 2 * 4 + 4


def test_scores_are_what_it_was_all_made_of(two: Run) -> None:
    scores = compare(two).scores
    own = scores[(scores["arm"] == "low") & (scores["seed"] == 2)]
    assert own["return"].to_list() == [3.0, 2.0, 3.0, 4.0]
    assert own["level"].to_list() == [0, 1, 2, 3]


def test_curves_are_values() -> None:
    assert Curve(np.array([1.0]), np.array([2.0])).area(1, 3) == 2.0
