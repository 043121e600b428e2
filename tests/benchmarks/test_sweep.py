"""What the sweep's benchmark makes of its contenders' runs, and that they get the same work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measure import Measurement
from benchmarks.sweep import alone, contenders, efficiency, ours
from benchmarks.sweep.__main__ import SWEEPS, parsed
from benchmarks.sweep.bare import LOOPS
from benchmarks.sweep.contenders import CONTENDERS, Contender, Ran
from benchmarks.sweep.done import Done
from benchmarks.sweep.env import RANGES, DrawnCartPole, drawn
from benchmarks.sweep.rounds import in_turns, rotated
from benchmarks.sweep.work import LR, Work, ppo
from experiments.checking import check
from experiments.envs.cartpole import CartPole
from experiments.loading import load
from orchestrator.journal import Journal
from orchestrator.records import Fault, MemberStarted, Record, Result, RunEnded

WORK = Work(members=2, iterations=4, interval=2, cores=2)
CROWD = Work(members=4, iterations=4, interval=2, cores=2, resident=1)


def started(member: int) -> MemberStarted:
    return MemberStarted(
        arm="main",
        seed=0,
        member=member,
        iteration=0,
        hyperparameters={},
        distribution={},
        by="test",
    )


def result(member: int, iteration: int, second: int = 0, took: float = 1.0) -> Result:
    return Result(
        arm="main",
        seed=0,
        member=member,
        iteration=iteration,
        training_return=None,
        env_steps=0,
        revisions={},
        seconds={"train": took / 2, "save": took / 2},
        time=f"2026-01-01T00:00:{second:02d}.000+00:00",
    )


def given_up(member: int) -> Fault:
    return Fault(
        arm="main", seed=0, member=member, iteration=0, where="env", error="fell", action="failed"
    )


# The work


def test_work_goes_through_a_command_line() -> None:
    assert Work.of_text(CROWD.text()) == CROWD
    assert WORK.whole == 8


def test_envolve_and_stock_are_given_the_same_config() -> None:
    """But for what envolve adds: its env and callbacks, and how it scores."""
    loaded = load(ours.FILE)
    envolve = check(loaded)["main"].algorithm.to_dict()
    stock = ppo(WORK).to_dict()
    differing = {key for key in stock if str(stock[key]) != str(envolve[key])}
    assert differing <= {
        "env", "env_config", "callbacks", "evaluation_interval", "evaluation_duration",
        "evaluation_num_env_runners", "evaluation_config", "num_cpus_for_main_process",
    }  # fmt: skip


def test_envolve_and_stock_search_the_same_ranges() -> None:
    experiment = load(ours.FILE).arms["main"]
    assert {name: (knob.low, knob.high) for name, knob in experiment.env.knobs.items()} == RANGES
    searched = experiment.algorithm.search["lr"]
    assert (searched.low, searched.high) == LR
    assert experiment.evaluation.levels == ppo(WORK).evaluation_duration


def test_the_command_of_envolve_says_what_the_work_is(tmp_path: Path) -> None:
    command = ours.command(CROWD, tmp_path)
    sets = [at for at, argument in enumerate(command) if argument == "--set"]
    overrides = [command[at + 1] for at in sets]
    experiment = load(ours.FILE, overrides).arms["main"]
    assert experiment.population.size == CROWD.members
    assert experiment.population.interval == CROWD.interval
    assert experiment.stop.iterations == CROWD.iterations
    assert experiment.resources.max_resident == CROWD.resident


# The env of stock RLlib


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_levels_lie_within_their_share_of_the_ranges(seed: int, spread: float) -> None:
    level = drawn(np.random.default_rng(seed), spread)
    assert level.keys() == RANGES.keys()
    for name, (low, high) in RANGES.items():
        usual = CartPole.SETTABLE[name].default
        assert usual * (low / usual) ** spread <= level[name] * (1 + 1e-12)
        assert level[name] <= usual * (high / usual) ** spread * (1 + 1e-12)


def test_no_spread_is_gymnasiums_cartpole() -> None:
    level = drawn(np.random.default_rng(0), 0.0)
    assert level == pytest.approx({name: CartPole.SETTABLE[name].default for name in RANGES})


def test_an_env_draws_a_level_at_each_reset_and_its_spread_can_change() -> None:
    env = DrawnCartPole({"spread": 1.0})
    levels = [tuple(env.reset(seed=3 if n == 0 else None) and env.level.values()) for n in range(3)]
    assert len(set(levels)) == 3
    env.set_spread(0.0)
    env.reset()
    assert env.length == pytest.approx(CartPole.SETTABLE["length"].default)


def test_envs_made_in_a_row_have_each_level_of_the_suite_once_and_keep_it() -> None:
    suite = [DrawnCartPole({"suite": 4}) for _ in range(4)]
    again = [DrawnCartPole({"suite": 4}) for _ in range(4)]
    for env in [*suite, *again]:
        env.reset()
    assert len({env.gravity for env in suite}) == 4
    assert [env.gravity for env in suite] == [env.gravity for env in again]
    before = suite[0].level
    suite[0].reset()
    assert suite[0].level == before


# What a journal says


def test_the_lead_is_over_the_member_furthest_behind() -> None:
    records: list[Record] = [started(0), started(1), started(2)]
    assert ours.lead(records) == 0
    records += [result(0, 1), result(0, 2), result(1, 1), result(1, 2)]
    assert ours.lead(records) == 2
    records += [result(2, 1), result(2, 2), result(0, 3)]
    assert ours.lead(records) == 2


def test_members_that_were_given_up_do_not_count_as_behind() -> None:
    records: list[Record] = [started(0), started(1), started(2), given_up(2)]
    assert ours.lead([*records, result(0, 1), result(1, 1), result(0, 2)]) == 1


def test_slots_are_busy_as_long_as_iterations_take_in_them() -> None:
    # Two slots from second 9 to 21, twelve seconds each; three iterations take 1, 9 and 8.
    records = [result(0, 1, 10, 1.0), result(1, 1, 19, 9.0), result(0, 2, 21, 8.0)]
    assert ours.busy(records, 2) == pytest.approx(18 / 24)
    assert ours.busy([result(0, 1, 10, 2.0), result(0, 2, 12, 2.0)], 1) == 1.0


def journalled(folder: Path, *records: Record) -> Done:
    run = folder / "run"
    run.mkdir()
    with Journal(run / "journal.jsonl") as journal:
        for record in records:
            journal.append(record)
    return ours.done(WORK, folder)


def test_a_finished_run_has_no_complaint(tmp_path: Path) -> None:
    begun = (started(0), started(1), result(0, 1), result(0, 2))
    done = journalled(tmp_path, *begun, RunEnded("finished"))
    assert (done.trained, done.complaint) == (2, "")
    assert done.facts[ours.LEAD] == 2.0


def test_iterations_that_were_done_again_count_once(tmp_path: Path) -> None:
    done = journalled(tmp_path, started(0), result(0, 1), result(0, 1), RunEnded("finished"))
    assert done.trained == 1


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([given_up(1), RunEnded("failed")], "1 faults, the first: env: fell"),
        ([RunEnded("stopped")], "it ended stopped"),
        ([result(0, 1)], "it did not end in order"),
        ([], "it did not end in order"),
    ],
)
def test_a_run_that_did_not_finish_says_why(
    tmp_path: Path, records: list[Record], complaint: str
) -> None:
    assert journalled(tmp_path, *records).complaint == complaint


# Efficiency


def ran(seconds: float, complaint: str = "", **facts: float) -> Ran:
    return Ran(seconds, Done(WORK.whole if not complaint else 3, complaint, facts))


def bare(loops: float) -> Ran:
    return Ran(loops + 5.0, Done(WORK.whole, facts={LOOPS: loops}))


def named(measurements: Iterator[Measurement]) -> Mapping[str, Measurement]:
    return {each.what: each for each in measurements}


def test_efficiency_is_the_loops_compute_over_the_wall_clock_round_by_round() -> None:
    rounds = {
        "bare": [bare(8.0), bare(9.0)],
        "envolve": [ran(10.0), ran(10.0)],
        "stock": [ran(40.0), ran(36.0)],
        "strong": [ran(20.0), ran(18.0)],
    }
    found = named(efficiency.of_members_that_fit(rounds, WORK))
    ours_ = found["envolve run: efficiency"]
    assert ours_.samples == (0.8, 0.9)
    assert ours_.verdict == "yes"
    assert found["stock: PopulationBasedTraining, PPO: efficiency"].samples == (0.2, 0.25)
    faster = found["envolve run, times as fast as PopulationBasedTraining, PPO"]
    assert (faster.samples, faster.verdict) == ((4.0, 3.6), "yes")
    strong = CONTENDERS["strong"].title.removeprefix("stock: ")
    assert found[f"envolve run, times as fast as {strong}"].samples == (2.0, 1.8)
    assert found["stock: bare loops of algorithm.train(): the whole process"].samples == (
        13.0,
        14.0,
    )


def test_a_contender_that_failed_stands_in_the_table_with_its_reason() -> None:
    rounds = {
        "bare": [bare(8.0), bare(8.0), bare(9.0)],
        "envolve": [ran(10.0), ran(10.0), ran(12.0)],
        "stock": [ran(40.0), ran(7.0, "it did not end"), ran(36.0)],
        "stock_reusing": [ran(3.0, "it exited with 1")] * 3,
    }
    found = named(efficiency.of_members_that_fit(rounds, WORK))
    title = CONTENDERS["stock_reusing"].title
    failed = found[f"{title}: it exited with 1, in 3 of 3 rounds; iterations trained"]
    assert failed.samples == (3, 3, 3)
    assert f"{title}: efficiency" not in found
    stock = CONTENDERS["stock"].title
    assert found[f"{stock}: it did not end, in 1 of 3 rounds; iterations trained"].samples == (3,)
    # What ended is compared with what ran in the same round.
    assert found[f"{stock}: the whole process"].samples == (40.0, 36.0)
    assert found[f"{stock}: efficiency"].samples == (0.2, 0.25)
    faster = found["envolve run, times as fast as PopulationBasedTraining, PPO"]
    assert faster.samples == (4.0, 3.0)


def test_without_bare_loops_there_is_no_efficiency() -> None:
    found = named(efficiency.of_members_that_fit({"envolve": [ran(10.0)]}, WORK))
    assert list(found) == ["envolve run: the whole process"]


def test_slots_and_lead_are_held_to_their_aims() -> None:
    rounds = {
        "bare": [bare(8.0)],
        "envolve": [Ran(10.0, Done(WORK.whole, facts={ours.BUSY: 0.96, ours.LEAD: 2.0}))],
    }
    found = named(efficiency.of_more_than_fit(rounds, CROWD))
    assert found["envolve run: efficiency"].verdict == "yes"
    assert found[f"envolve run: {ours.BUSY}"].verdict == "yes"
    assert found[f"envolve run: {ours.LEAD}"].verdict == "yes"
    rounds["envolve"] = [Ran(12.0, Done(WORK.whole, facts={ours.BUSY: 0.8, ours.LEAD: 3.0}))]
    found = named(efficiency.of_more_than_fit(rounds, CROWD))
    assert {each.verdict for each in found.values() if each.aim is not None} == {"no"}


# Rounds


def test_each_round_begins_with_another_contender() -> None:
    order: list[str] = []

    def run(name: str) -> Ran:
        order.append(name)
        return ran(1.0)

    rounds = in_turns(["a", "b", "c"], 4, run)
    assert "".join(order) == "abcbcacababc"
    assert {name: len(runs) for name, runs in rounds.items()} == {"a": 4, "b": 4, "c": 4}
    assert rotated(["a"], 3) == ["a"]


def test_who_failed_is_tried_again_in_the_next_round() -> None:
    rounds = in_turns(["a", "b"], 3, lambda name: ran(1.0, "no" if name == "b" else ""))
    assert [len(rounds["a"]), len(rounds["b"])] == [3, 3]


# The command line


def test_the_usual_sizes() -> None:
    options = parsed([])
    work = {name: sweep.work(options) for name, sweep in SWEEPS.items()}
    assert (work["fitting"].members, work["fitting"].iterations, options.repeats) == (8, 60, 5)
    assert (work["crowd"].members, work["crowd"].resident) == (32, 4)


def test_quick_takes_no_size_that_was_given() -> None:
    options = parsed(["--quick", "--members", "3"])
    assert (options.members, options.iterations, options.repeats) == (3, 4, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["all"], "must be one of fitting, crowd, but got all"),
        (["--interval", "7"], "divide the iterations of fitting, but got 7 and 60"),
        (["crowd", "--interval", "5"], "divide the iterations of crowd, but got 5 and 24"),
        (["--members", "0"], "must be at least 1, but got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


# Running one


def contender(script: str) -> Contender:
    """One that runs a Python script, which finds its folder in ``sys.argv[1]``."""
    return Contender(
        "a script",
        lambda work, folder: [sys.executable, "-c", script, str(folder)],
        lambda work, folder: Done.read(folder),
    )


def leaves(trained: int) -> str:
    text = f'{{"trained": {trained}, "complaint": "", "facts": {{}}}}'
    return f"import sys; open(sys.argv[1] + '/done.json', 'w').write('{text}')"


def test_a_contender_that_trained_everything_has_no_complaint() -> None:
    done = contenders.run(contender(leaves(8)), WORK)
    assert (done.done, done.output) == (Done(8), "")
    assert 0.0 < done.seconds < contenders.LIMIT


@pytest.mark.parametrize(
    ("script", "trained", "complaint"),
    [
        (leaves(7), 7, "it trained 7 of 8 iterations"),
        (leaves(8) + "; sys.exit(3)", 8, "it exited with 3"),
        ("print('broken'); raise SystemExit(1)", 0, "it exited with 1"),
        ("pass", 0, "it left nothing behind"),
    ],
)
def test_a_contender_that_did_not_is_complained_of(
    script: str, trained: int, complaint: str
) -> None:
    done = contenders.run(contender(script), WORK).done
    assert (done.trained, done.complaint) == (trained, complaint)


def test_the_end_of_what_a_failing_contender_printed_is_kept() -> None:
    assert contenders.run(contender("print('broken'); 1 / 0"), WORK).output.startswith("broken")


def test_what_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    """Also what it started in a session of its own, as Ray does, and what lost its parent."""
    pids = tmp_path / "pids"
    sleeper = f"import os, time; print(os.getpid(), file=open({str(pids)!r}, 'a')); time.sleep(60)"
    parent = (
        "import subprocess, sys; "
        f"subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True)"
    )
    script = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {parent!r}]); {sleeper}"
    )
    command = [sys.executable, "-c", script]
    ended = alone.run(command, tmp_path / "output.txt", 2.0, {})
    assert ended == alone.Ended(2.0, "it did not end within 2 s")
    written = [int(pid) for pid in pids.read_text().split()]
    assert len(written) == 2
    assert not any(map(psutil.pid_exists, written))


def test_what_is_left_after_the_end_is_killed_and_older_processes_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "GRACE", 0.1)
    pids = tmp_path / "pids"
    sleeper = f"import os, time; print(os.getpid(), file=open({str(pids)!r}, 'a')); time.sleep(60)"
    script = (
        "import pathlib, subprocess, sys, time; "
        f"subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True)\n"
        f"while not pathlib.Path({str(pids)!r}).exists(): time.sleep(0.01)"
    )
    older = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        ended = alone.run([sys.executable, "-c", script], tmp_path / "output.txt", 30.0, {})
        assert ended.complaint == ""
        assert older.poll() is None
    finally:
        older.kill()
        older.wait()
    assert not psutil.pid_exists(int(pids.read_text()))
