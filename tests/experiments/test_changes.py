"""What an edited experiment file changes, in words, and what a run may take up."""

from __future__ import annotations

import json

import pytest
from made_runs import TEXT, loaded

from experiments import changes

_LOGGERS = 'loggers: [] → [{"kind": "mlflow", "tracking_uri": null, "experiment": n...'


def found(text: str = TEXT, *overrides: str) -> dict[str, str]:
    """What differs from `TEXT`, described, by whether a run may go on with it."""
    before = changes.plain_arms(loaded().arms)
    after = changes.plain_arms(loaded(text, *overrides).arms)
    return {
        changes.describe(path, change, arms=len(after)): "taken"
        if changes.allowed(path)
        else "refused"
        for path, change in changes.changes(before, after).items()
    }


def test_an_unchanged_file_has_no_changes() -> None:
    assert found() == {}
    assert found(TEXT.replace("name: made", "name: made # as ever").replace("5.0", "5")) == {}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("stop.iterations=80", "stop.iterations: 8 → 80"),
        ("stop.minutes=5", "stop.minutes: unset → 5.0"),
        ("checkpoint.keep_best=1", "checkpoint.keep_best: 3 → 1"),
        ("resources.cpus_per_member=0.5", 'resources.cpus_per_member: "auto" → 0.5'),
        ("env.timeout=60", "env.timeout: 600.0 → 60.0"),
        ("env.timeout=null", "env.timeout: 600.0 → unset"),
        ("population.max_faults=0", "population.max_faults: 3 → 0"),
        ("loggers=[{kind: mlflow}]", _LOGGERS),
    ],
)
def test_how_far_a_run_goes_and_what_it_takes_may_change(override: str, said: str) -> None:
    assert found(TEXT, override) == {said: "taken"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("name=other", 'name: "made" → "other"'),
        ("env.knobs.gravity.high=25", "env.knobs.gravity.high: 20.0 → 25.0"),
        ("env.config.render_mode=rgb_array", 'env.config.render_mode: unset → "rgb_array"'),
        ("algorithm.name=APPO", 'algorithm.name: "PPO" → "APPO"'),
        ("algorithm.training.lr=0.01", "algorithm.training.lr: 0.001 → 0.01"),
        ("population.size=3", "population.size: 2 → 3"),
        ("evaluation.levels=8", "evaluation.levels: 4 → 8"),
        ("seeds=[0, 1]", "seeds: [0] → [0, 1]"),
    ],
)
def test_what_makes_it_another_experiment_is_refused(override: str, said: str) -> None:
    assert found(TEXT, override) == {said: "refused"}


def test_arms_come_and_go_as_a_whole() -> None:
    assert found(TEXT + "arms: {a: {}, b: {}}\n") == {
        "arm main: removed": "refused",
        "arm a: added": "refused",
        "arm b: added": "refused",
    }


def test_with_several_arms_a_change_says_whose_it_is() -> None:
    two = TEXT + "arms: {a: {}, b: {}}\n"
    before = changes.plain_arms(loaded(two).arms)
    after = changes.plain_arms(loaded(two.replace("b: {}", "b: {stop: {iterations: 9}}")).arms)
    ((path, change),) = changes.changes(before, after).items()
    assert changes.describe(path, change, arms=2) == "stop.iterations: 8 → 9 (arm b)"


def test_truth_values_and_numbers_are_not_the_same() -> None:
    arm = {"env": {"config": {"flag": True}}}
    other = {"env": {"config": {"flag": 1}}}
    assert changes.changes({"main": arm}, {"main": other}) == {
        ("main", "env", "config", "flag"): (True, 1)
    }


def test_arms_are_what_json_brings_back_whole() -> None:
    text = TEXT.replace("render_mode: null", "limit: .inf, sizes: [1, [2.5]]")
    plain = changes.plain_arms(loaded(text).arms)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["main"]["env"]["config"]["limit"] == ".inf"
    assert changes.digest(plain) == changes.digest(json.loads(json.dumps(plain)))
    assert changes.digest(plain) != changes.digest(changes.plain_arms(loaded().arms))


def test_long_values_are_cut() -> None:
    text = changes.describe(("main", "env", "config"), ({"a": "x" * 500}, None), arms=1)
    assert len(text) < 120
    assert text.endswith("→ unset")
