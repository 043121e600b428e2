"""The plan of a dry run: what it reckons from what a member costs, and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from made_runs import TEXT, loaded
from real_runs import Envolve

from experiments.costs import silence
from experiments.estimate import START_UP, Cost, Plan, Work, measured_as, rollouts_of, work_of
from experiments.loading import parse_experiment
from experiments.plan import rests_on, to_json
from experiments.resources import Machine, share

COST = Cost(
    iteration=1.0,
    score=0.5,
    save=0.1,
    steps=100,
    score_steps=40,
    checkpoint=1000,
    report=500,
    memory=0.5,
    timed=2,
    learnt=True,
)
MACHINE = Machine(cpus=2.0, gpus=0.0, memory=16.0)


def plan(text: str = TEXT, *overrides: str, processes: int = 1, cost: Cost | None = COST) -> Plan:
    """A plan whose members all cost the same; None: they fail."""
    experiment = loaded(text, *overrides)
    residency = share(experiment.arms, dict.fromkeys(experiment.arms, processes), MACHINE)
    costs = {} if cost is None else dict.fromkeys(experiment.arms, cost)
    return Plan(experiment, MACHINE, residency, costs, None if cost else "ValueError: no")


def work(*overrides: str, cost: Cost | None = COST, at_once: float = 2.0, seats: int = 2) -> Work:
    return work_of(loaded(TEXT, *overrides).arms["main"], cost, at_once, seats)


# Work


def test_work_of_a_member_is_iterations_and_boundaries() -> None:
    assert work() == Work(
        members=2, populations=1, iterations=8, env_steps=8 * 100 + 4 * 40,
        seconds=8 * 1.0 + 4 * 0.6, at_once=2.0,
    )  # fmt: skip


def test_a_last_iteration_between_boundaries_is_one() -> None:
    assert work("stop.iterations=9").env_steps == 9 * 100 + 5 * 40


@pytest.mark.parametrize(
    ("overrides", "iterations"),
    [
        (("stop.iterations=null", "stop.env_steps=1200"), 10),
        (("stop.iterations=null", "stop.env_steps=1201"), 11),
        (("stop.env_steps=1200",), 8),
        (("stop.env_steps=240",), 2),
        (("stop.iterations=null", "stop.minutes=0.65"), 30),
        (("stop.iterations=null", "stop.score=9"), None),
        (("stop.score=9",), 8),
    ],
)
def test_whichever_limit_comes_first_ends_it(
    overrides: tuple[str, ...], iterations: int | None
) -> None:
    assert work(*overrides).iterations == iterations


def test_minutes_hold_fewer_iterations_where_cpus_are_shared() -> None:
    minutes = ("stop.iterations=null", "stop.minutes=0.65", "population.size=4")
    assert work(*minutes, seats=4).iterations == 15
    # Members that are not resident do not see the clock run.
    assert work(*minutes, seats=2).iterations == 30


def test_without_costs_only_iterations_are_known() -> None:
    bare = work(cost=None)
    assert (bare.iterations, bare.env_steps, bare.seconds) == (8, None, None)
    assert work("stop.env_steps=1200", cost=None).iterations is None


# Time, disk and memory


def test_time_is_work_over_what_runs_at_once_and_starting_up() -> None:
    # Two seats on two CPUs; the test suite is as long as the select suite.
    assert plan().seconds == pytest.approx(2 * START_UP / 2 + (2 * 10.4 + 0.5) / 2)
    # Twice the members take turns in the same seats.
    assert plan(TEXT, "population.size=4").seconds == pytest.approx(
        2 * START_UP / 2 + (4 * 10.4 + 0.5) / 2
    )
    # Four seats on two CPUs: no faster, and more processes to start.
    shared = plan(TEXT, "population.size=4", "resources.cpus_per_member=0.5").seconds
    assert shared == pytest.approx(4 * START_UP / 2 + (4 * 10.4 + 0.5) / 2)


def test_members_with_env_runners_need_more_than_one_cpu() -> None:
    found = plan(processes=3).seconds
    assert found == pytest.approx(2 * 3 * START_UP / 2 + 2 * 10.4 + 0.5)


def test_seeds_and_arms_add_up() -> None:
    one, three = plan().disk, plan(TEXT, "seeds=[0, 1, 2]", "checkpoint.keep_best=3").disk
    assert one is not None
    assert three is not None
    best = 3 * COST.checkpoint
    assert three - best == 3 * (one - best)


def test_disk_holds_what_retention_keeps_and_what_is_logged() -> None:
    kept = (2 * 2 + 1 + 3) * 1000
    assert plan().disk == kept + 2 * (8 * 500 * 2 + 4 * 2500)


def test_memory_is_that_of_all_seats_processes() -> None:
    assert plan(processes=3).memory == pytest.approx(2 * 3 * 0.5)


def test_a_run_that_only_a_score_ends_has_no_estimate() -> None:
    endless = plan(TEXT, "stop.iterations=null", "stop.score=9")
    assert (endless.seconds, endless.disk) == (None, None)
    assert endless.memory == 1.0


# Which arms are measured


def test_arms_that_do_the_same_work_are_measured_once() -> None:
    arms = "arms: {a: {curriculum: {kind: fixed}}, b: {}, c: {env: {config: {x: 1}}}}\n"
    assert measured_as(loaded(TEXT + arms).arms) == {"a": "a", "b": "a", "c": "c"}


def test_a_curriculum_that_makes_work_is_measured_by_itself() -> None:
    arms = (
        "arms: {a: {}, b: {curriculum: {kind: adr, above: 2, below: 1}}, "
        "c: {curriculum: {kind: paired}}, d: {curriculum: {kind: fixed}}, "
        "e: {curriculum: {kind: plr}}}\n"
    )
    assert measured_as(loaded(TEXT + arms).arms) == {
        "a": "a", "b": "a", "c": "c", "d": "a", "e": "e",
    }  # fmt: skip


def test_beyond_a_few_kinds_the_first_stands_for_all() -> None:
    batches = "algorithm: {training: {train_batch_size_per_learner: {grid: [64, 128, 256, 512]}}}"
    arms = loaded(TEXT + f"arms: {{a: {{{batches}}}}}\n").arms
    names = list(arms)
    assert list(measured_as(arms).values()) == [*names[:3], names[0]]


def test_training_costs_are_scaled_by_the_batch() -> None:
    scaled = COST.scaled(2.0)
    assert (scaled.iteration, scaled.steps) == (2.0, 200)
    assert (scaled.score, scaled.checkpoint) == (COST.score, COST.checkpoint)


# What is printed


def test_json_has_the_whole_plan_and_a_file_that_loads_again() -> None:
    made = plan(TEXT, "seeds=[0, 1]")
    data: dict[str, Any] = json.loads(json.dumps(to_json(made), allow_nan=False))
    assert data["members"] == 4
    assert data["arms"]["main"]["env_steps"] == 4 * 960
    assert data["resident"]["members"] == 2
    assert data["estimate"]["seconds"] == made.seconds
    again = parse_experiment(json.dumps(data["experiment"]), "again.yaml")
    assert again.arms == made.loaded.arms


def test_it_says_what_the_estimate_rests_on() -> None:
    assert "2 iterations" in rests_on(plan())[0]
    assert not any("not begun to learn" in line for line in rests_on(plan()))
    slow = Cost(**{**vars(COST), "learnt": False})
    assert any("not begun to learn" in line for line in rests_on(plan(cost=slow)))
    assert rests_on(plan(cost=None)) == []


def test_it_says_whether_arms_are_taken_to_be_alike() -> None:
    alike = "other arms are taken to cost the same, in proportion to their train batch"
    slow = Cost(**{**vars(COST), "learnt": False})
    assert alike not in rests_on(plan(cost=slow))
    both = TEXT + "arms: {a: {curriculum: {kind: fixed}}, b: {}}\n"
    assert alike in rests_on(plan(both))
    assert alike in rests_on(plan(both, cost=slow))


@pytest.mark.parametrize(
    ("curriculum", "rollouts"),
    [
        ("{kind: sfl}", "512 episodes every 16 iterations"),
        ("{kind: sfl, candidates: 64, every: 1}", "256 episodes in every iteration"),
        ("{kind: plr_robust}", "1 for each episode that is trained on, once its buffer is filled"),
        (
            "{kind: accel}",
            (
                "0.25 for each episode that is trained on, and 16 edited levels in each iteration, "
                "once its buffer is filled"
            ),
        ),
        (
            "{kind: plr, edits: 2}",
            "8 edited levels in each iteration, once its buffer is filled",
        ),
        (
            "{kind: plr, search: {edits: {low: 0, high: 2, integer: true}}}",
            "as much as the searched parameters ask for, once its buffer is filled",
        ),
        (
            "{kind: plr, search: {edits: {choices: [0, 2]}}}",
            "as much as the searched parameters ask for, once its buffer is filled",
        ),
        ("{kind: plr}", None),
        ("{kind: fixed}", None),
        ("{kind: paired}", None),
    ],
)
def test_it_says_where_rollouts_are_extra(curriculum: str, rollouts: str | None) -> None:
    made = plan(TEXT, f"curriculum={curriculum}")
    said = [line for line in rests_on(made) if "without gradient" in line]
    assert rollouts_of(made.loaded.arms["main"]) == rollouts
    assert said == (
        []
        if rollouts is None
        else [
            (
                "arm main: rollouts without gradient will cost env steps and time beyond what was "
                f"measured, {rollouts}"
            )
        ]
    )


def test_silence_holds_for_every_language_and_ends() -> None:
    code = (
        "import os; from experiments.costs import silence\n"
        "with silence():\n"
        "    print('loud'); os.write(1, b'loud'); os.write(2, b'loud'); os.system('echo loud')\n"
        "print('after')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"after\n", b"")


def test_silence_ends_with_an_error() -> None:
    before = os.fstat(1).st_ino

    def fail() -> None:
        with silence():
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert os.fstat(1).st_ino == before


# The command

BAD_ENV = """\
import gymnasium
import numpy as np

class Tired(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    steps = 0

    def __init__(self, config=None):
        self.gain = 1.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        print("noise")
        Tired.steps += 1
        if Tired.steps > 500:
            raise ValueError("the 501st step")
        return np.zeros(2, np.float32), 0.0, Tired.steps % 20 == 0, False, {}
"""


@pytest.mark.ray
def test_a_dry_run_measures_prints_and_writes_nothing(envolve: Envolve) -> None:
    before = sorted(envolve.cwd.iterdir())
    ended = envolve("run", "tiny.yaml", "--dry-run", "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert found["failure"] is None
    assert found["arms"]["main"]["iterations"] == 8
    measured = found["arms"]["main"]["measured"]
    assert measured["learnt"]
    assert measured["steps"] >= 256
    assert found["arms"]["main"]["env_steps"] == 3 * (
        8 * measured["steps"] + 4 * measured["score_steps"]
    )
    assert found["estimate"]["seconds"] > 0
    assert found["estimate"]["bytes"] > 10 * measured["checkpoint"]
    assert sorted(envolve.cwd.iterdir()) == before


@pytest.mark.ray
def test_an_env_that_fails_later_on_is_found_by_a_dry_run(envolve: Envolve) -> None:
    (envolve.cwd / "tired.py").write_text(BAD_ENV)
    (envolve.cwd / "tired.yaml").write_text(
        "envolve: 1\nname: tired\nenv: {id: 'tired:Tired', knobs: {gain: {low: 0, high: 1}}}\n"
        "stop: {iterations: 8}\n"
    )
    ended = envolve("run", "tired.yaml", "--dry-run")
    assert (ended.code, ended.err) == (1, "")
    assert "none, since a member fails: ValueError: the 501st step" in ended.out
    assert "noise" not in ended.out
    assert "id: tired:Tired" in ended.out
    assert not (envolve.cwd / "runs").exists()


@pytest.mark.ray
def test_a_machine_too_small_is_bad_input_and_leaves_nothing(envolve: Envolve) -> None:
    before = sorted(envolve.cwd.iterdir())
    for more in ([], ["--run-dir", "new/run"]):
        ended = envolve("run", "tiny.yaml", "-S", "resources.memory_per_member=9999", *more)
        assert ended.code == 2
        assert ended.err.startswith("a member of arm main must fit the machine, but it takes 9999")
        assert "Traceback" not in ended.err
        assert [each for each in sorted(envolve.cwd.iterdir()) if each.name != "new"] == before
    assert not (envolve.cwd / "new/run").exists()
