"""What the benchmarks with real PPO make of their runs, and that their files are fair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from synthetic_run import SyntheticRun

import analysis
from benchmarks.real import generators
from benchmarks.real.generators import Made, Training, at_the_ends, by_iteration, looked_at
from benchmarks.real.summary import BASELINE, by_arm, by_seed, interval
from benchmarks.real.trained import Trained, trained
from experiments.checking import check
from experiments.loading import load
from experiments.scenarios import scenario_of
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Continuous
from orchestrator.records import Fault, RunStarted, Score

FOLDER = Path(generators.FILE).parent
FILES = sorted(FOLDER.glob("*.yaml"))
COMPARED = [file for file in FILES if file != generators.FILE]
GRAVITY = {"low": 5.0, "high": 20.0, "scale": "linear", "integer": False, "start": None}

OVER = 4500
"""Env steps by which a member passes its budget: half an iteration, and its last score."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_files_hold(file: Path) -> None:
    loaded = load(file)
    assert check(loaded).keys() == loaded.arms.keys()


@pytest.mark.parametrize("file", COMPARED, ids=lambda file: file.stem)
def test_every_arm_is_given_as_many_env_steps(file: Path) -> None:
    arms = load(file).arms
    whole = arms[BASELINE].stop.env_steps
    assert whole is not None
    for arm in arms.values():
        scenario = scenario_of(arm)
        teams = 1 if scenario is None else scenario.teams
        assert arm.stop.env_steps is not None
        each = arm.stop.env_steps * teams + OVER
        assert arm.population.size * each == pytest.approx(whole + OVER, rel=0.02)


@pytest.mark.parametrize("file", COMPARED, ids=lambda file: file.stem)
def test_arms_differ_in_how_levels_come_about_alone(file: Path) -> None:
    arms = load(file).arms.values()
    assert len({arm.algorithm.model_dump_json() for arm in arms}) == 1
    assert len({arm.evaluation.model_dump_json() for arm in arms}) == 1
    assert len({arm.env.model_dump_json() for arm in arms}) == 1


# What came of a run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SyntheticRun]:
    """Two arms with two members each, trained twice; one has played the test suite."""
    space = EnvSpace({"gravity": Continuous(5.0, 20.0)})
    run = SyntheticRun(tmp_path, arms=("fixed", BASELINE), size=2, space=space)
    plain = {"env": {"knobs": {"gravity": GRAVITY}}}
    start = RunStarted(
        name="two", experiment="0", arms={"fixed": plain, BASELINE: plain}, versions={}, command=()
    )
    run.ledger.record(start)
    for population in run.ledger.populations.values():
        beginnings = [({"lr": 0.001}, space.initial())] * 2
        run.ledger.record(*population.first(beginnings, "test"))
    run.train(1)
    run.train(2)
    run.ledger.record(
        Score(
            **run.who((BASELINE, 0, 1), 2), score=2.5, suite="test", returns=(4.0, 1.0, 2.0, 3.0)
        ),
        Score(**run.who((BASELINE, 0, 0), 2), score=0.0, suite="select", returns=(0.0, 0.0)),
        Fault(**run.who(("fixed", 0, 0), 2), where="env", error="it fell", action="failed"),
    )
    with run.journal:
        yield run


def test_env_steps_and_seconds_are_those_of_all_members(run: SyntheticRun) -> None:
    fixed, randomized = trained(analysis.load(run.folder))
    for each in (fixed, randomized):
        # 2000 steps for each member in the end, and a second for each iteration.
        assert (each.members, each.env_steps, each.seconds) == (2, 4000, 4.0)


def test_the_test_suite_alone_counts(run: SyntheticRun) -> None:
    fixed, randomized = trained(analysis.load(run.folder))
    assert randomized.returns == (4.0, 1.0, 2.0, 3.0)
    assert (randomized.mean, randomized.cvar(0.25), randomized.cvar(0.5)) == (2.5, 1.0, 1.5)
    assert (fixed.returns, fixed.mean, fixed.cvar(0.25)) == (None, None, None)


def test_what_went_wrong_stands_with_its_arm(run: SyntheticRun) -> None:
    fixed, randomized = trained(analysis.load(run.folder))
    assert (fixed.faults, randomized.faults) == (("env: it fell",), ())
    assert [line["faults"] for line in by_seed([fixed, randomized])] == ["env: it fell", ""]


# Over seeds


def population(arm: str, seed: int, *returns: float) -> Trained:
    return Trained(arm, seed, 1, 1000 + seed, 2.0, returns or None)


def test_an_arm_is_set_beside_domain_randomization() -> None:
    found = [population(BASELINE, 0, 1.0), population(BASELINE, 1, 1.0)]
    found += [population("accel", 0, 3.0, 5.0), population("accel", 1, 5.0, 7.0)]
    lines = {(line["test"], line["arm"]): line for line in by_arm(found)}
    assert lines["mean", "accel"]["mean"] == "5.000 [4.000, 6.000]"
    assert lines["mean", "accel"]["ahead by"] == "4.000 [3.000, 5.000]"
    assert lines["mean", "accel"]["verdict"] == "wins"
    assert lines["CVaR 25 %", "accel"]["mean"] == "4.000 [3.000, 5.000]"
    assert lines["mean", BASELINE]["ahead by"] == "–"
    assert lines["mean", BASELINE]["env steps"] == "1000"


def test_an_arm_of_which_seeds_are_missing_is_told_by_the_others() -> None:
    found = [population(BASELINE, 0, 1.0), population("sfl", 0, 2.0), population("sfl", 1)]
    line = next(line for line in by_arm(found) if line["arm"] == "sfl")
    assert (line["seeds"], line["mean"]) == ("1 of 2", "2.000 [2.000, 2.000]")


def test_an_arm_without_results_says_so() -> None:
    for line in by_arm([population(BASELINE, 0, 1.0), population("sfl", 0)]):
        if line["arm"] == "sfl":
            assert (line["seeds"], line["mean"], line["verdict"]) == ("0 of 1", "–", "–")
    lines = [*by_arm([population("sfl", 0, 1.0), population(BASELINE, 0)])]
    assert {line["ahead by"] for line in lines} == {"–"}


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    # Of 100 values of 0 or 1 the mean deviates by 0.5 / sqrt(100) = 0.05.
    assert interval([0.0, 1.0] * 50) == pytest.approx((0.402, 0.598), abs=0.01)
    assert interval([7.0]) == (7.0, 7.0)


# Mazes


def test_mazes_are_counted_that_have_no_way() -> None:
    def maze(*walls: int) -> dict[str, object]:
        return {"walls": list(walls), "start": 0, "goal": 8}

    # A column between the two, three cells of it; a way around two of them; no walls at all.
    made = looked_at([maze(1, 4, 7), maze(1, 4), maze(), maze()], 3, 5, 0.25)
    assert made == Made(5, levels=4, unsolvable=0.25, walls=1.25, moves=4.0, student=0.25)
    assert looked_at([maze(1, 4, 7)], 3, 6, None).moves is None


def made(iteration: int, levels: int, unsolvable: float) -> Made:
    return Made(iteration, levels, unsolvable, walls=1.0, moves=None, student=None)


def test_the_first_mazes_are_set_beside_the_last() -> None:
    def training(seed: int, last: float) -> Training:
        middle = tuple(made(2 + at, 100, 0.5) for at in range(6))
        # Two iterations of ten are a fifth: one maze of four, then four mazes of 12.
        ends = (made(8, 4, 0.0), made(9, 12, last))
        return Training("minimax", seed, (made(0, 1, 1.0), made(1, 3, 0.0), *middle, *ends))

    [line] = at_the_ends([training(0, 1.0), training(1, 0.0), Training("minimax", 2, error="no")])
    assert line == {
        "arm": "minimax",
        "seeds": "2 of 3",
        "unsolvable at first": "0.250 [0.250, 0.250]",
        "at last": "0.375 [0.000, 0.750]",
        "change": "0.125 [-0.250, 0.500]",
    }


def test_each_iteration_of_each_generator_is_a_line() -> None:
    found = [Training("a", 0, (made(1, 2, 0.5), made(2, 2, 1.0))), Training("b", 0, error="no")]
    lines = [*by_iteration(found)]
    assert [(line["arm"], line["iteration"]) for line in lines] == [("a", "1"), ("a", "2")]
    assert (lines[0]["unsolvable"], lines[0]["moves"]) == ("0.500", "")
