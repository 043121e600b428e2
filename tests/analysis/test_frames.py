"""Frames: a row for each thing that happened, and in the end only what still holds."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distribution_catalogue import CARTPOLE
from made_runs import loaded, made_run
from synthetic_run import SyntheticRun

import analysis
from analysis.frames import COLUMNS, Run, run_of
from experiments import rules
from orchestrator import holding
from orchestrator.env_space import EnvSpace
from orchestrator.journal import DamagedJournal
from orchestrator.knobs import Cells, Choice, Continuous
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberStarted,
    Mutation,
    Pruned,
    Record,
    Restored,
    Result,
    RunEnded,
    RunResumed,
    RunStarted,
    Score,
)
from orchestrator.suites import draw_suite

Begin = Callable[..., SyntheticRun]
Started = Callable[[EnvSpace, tuple[str, ...]], RunStarted]

FULL = CARTPOLE.full().to_json()
INITIAL = CARTPOLE.initial().to_json()
RESUMED = RunResumed(experiment="0", arms={}, versions={}, command=())


def who(iteration: int, member: int = 0) -> dict[str, Any]:
    return {"arm": "main", "seed": 0, "member": member, "iteration": iteration}


def trained(iteration: int, value: float | None = 1.0, member: int = 0) -> Result:
    return Result(
        **who(iteration, member),
        training_return=value,
        env_steps=100 * iteration,
        revisions={},
        seconds={"train": 1.5, "save": 0.5},
    )


def scored(iteration: int, score: float | None, suite: str = "select", member: int = 0) -> Score:
    return Score(**who(iteration, member), score=score, suite=suite, returns=(1.0, score))


def saved(iteration: int, score: float | None = None, member: int = 0) -> CheckpointSaved:
    path = f"m{member}/{iteration}"
    return CheckpointSaved(**who(iteration, member), path=path, digest="d", score=score)


def exploit(iteration: int, member: int, donor: int) -> Exploit:
    return Exploit(
        **who(iteration, member),
        donor=donor,
        checkpoint=f"m{donor}/{iteration}",
        digest="d",
        saved=f"m{member}/{iteration}",
        before={},
        after={},
    )


def mutated(iteration: int, revision: int, member: int = 0) -> Mutation:
    return Mutation(
        **who(iteration, member),
        revision=revision,
        by="callback",
        why="widen",
        before=INITIAL,
        after=FULL,
    )


def fault(iteration: int, action: str = "retried") -> Fault:
    return Fault(**who(iteration), where="member", error="boom", action=action)


RESTORED = Restored(
    **who(1), path="m0/1", digest="d", score=None, env_steps=100, minutes=0.0,
    hyperparameters={}, distribution=INITIAL, revision=2,
)  # fmt: skip


@pytest.fixture
def read(tmp_path: Path, started: Started) -> Callable[..., Run]:
    """The run of two members that has these records."""

    def run(*records: Record) -> Run:
        members = [
            MemberStarted(**who(0, m), hyperparameters={}, distribution=INITIAL, by="test")
            for m in range(2)
        ]
        return run_of(tmp_path, [started(CARTPOLE, ("main",)), *members, *records])

    return run


def column(frame: pd.DataFrame, name: str) -> list[Any]:
    return frame[name].to_list()


def test_a_played_run_is_read_back(played: SyntheticRun) -> None:
    run = analysis.load(played.folder)
    assert (run.name, run.path) == ("synthetic", played.folder.resolve())
    assert run.populations == (("main", 0),)
    assert run.space["main"].knobs == CARTPOLE.knobs
    assert len(run.results) == 12 * 4
    assert column(run.results[run.results["member"] == 2], "iteration") == list(range(1, 13))
    assert len(run.scores) == 3 * 4 * 2
    exploits = run.lineage[["iteration", "member", "donor", "donor_iteration", "donor_score"]]
    assert sorted(exploits.itertuples(index=False, name=None)) == [
        (4, 0, 3, 4, 40.0),
        (8, 1, 3, 8, 50.0),
        (12, 2, 1, 12, 70.0),
    ]


def test_mutations_and_distributions_are_those_of_the_journal(played: SyntheticRun) -> None:
    run = analysis.load(played.folder)
    mutations = [record for record in played.taken if isinstance(record, Mutation)]
    assert mutations
    assert len(run.mutations) == len(mutations)
    assert len(run.distributions) == 3 * (4 + len(mutations))
    for record in mutations:

        def of(frame: pd.DataFrame, record: Mutation = record) -> pd.DataFrame:
            return frame[
                (frame["member"] == record.member)
                & (frame["iteration"] == record.iteration)
                & (frame["revision"] == record.revision)
            ]

        assert of(run.mutations)[["by", "why"]].to_numpy().tolist() == [[record.by, record.why]]
        drawn = of(run.distributions)[["knob", "low", "high"]]
        assert drawn.to_numpy().tolist() == [
            [knob, ends["low"], ends["high"]] for knob, ends in record.after["marginals"].items()
        ]


def test_columns_and_types_are_the_same_before_anything_happened(
    tmp_path: Path, played: SyntheticRun
) -> None:
    played.fault(0, "boom")
    empty, full = run_of(tmp_path, []), analysis.load(played.folder)
    for name, columns in COLUMNS.items():
        frame = getattr(full, name)
        assert len(getattr(empty, name)) == 0
        assert len(frame) > 0 or name == "levels"
        for each in (getattr(empty, name), frame, getattr(full.of(), name)):
            assert {column: str(kind) for column, kind in each.dtypes.items()} == columns
            assert list(each) == list(columns)
    assert (empty.name, empty.populations, empty.space) == (tmp_path.name, (), {})


def test_rows_are_values_of_their_records(read: Callable[..., Run]) -> None:
    run = read(trained(1, None), trained(2, 7.0), scored(2, None), saved(2))
    assert column(run.results, "env_steps") == [100, 200]
    assert column(run.results, "seconds") == [2.0, 2.0]
    assert run.results["training_return"].isna().to_list() == [True, False]
    assert column(run.scores, "level") == [0, 1]
    assert run.scores["return"].isna().to_list() == [False, True]
    assert run.scores["score"].isna().all()


def test_what_was_trained_again_replaces_what_was_before(read: Callable[..., Run]) -> None:
    before = [*(trained(i) for i in range(1, 7)), scored(4, 40.0), saved(4)]
    run = read(*before, trained(6, member=1), fault(6), trained(5, 9.0))
    assert column(run.results, "iteration") == [1, 2, 3, 4, 5, 6]
    assert column(run.results, "training_return") == [1.0, 1.0, 1.0, 1.0, 9.0, 1.0]
    assert column(run.results, "member") == [0, 0, 0, 0, 0, 1]
    assert set(column(run.scores, "iteration")) == {4}


def test_what_was_not_trained_again_stays(read: Callable[..., Run]) -> None:
    run = read(*(trained(i) for i in range(1, 7)), fault(6), RESUMED)
    assert column(run.results, "iteration") == [1, 2, 3, 4, 5, 6]


def test_a_last_score_off_the_boundary_goes_with_its_iteration(read: Callable[..., Run]) -> None:
    # A run that ended at iteration 6 goes on to 8: it is scored at 8 only.
    legs = [*(trained(i) for i in range(1, 7)), scored(6, 60.0), scored(4, 40.0, "test"), RESUMED]
    run = read(*legs, *(trained(i) for i in range(5, 9)), scored(8, 80.0))
    assert column(run.scores.drop_duplicates("suite"), "suite") == ["test", "select"]
    assert column(run.scores, "iteration") == [4, 4, 8, 8]


def test_a_suite_played_again_counts_once(read: Callable[..., Run]) -> None:
    run = read(trained(1), scored(1, 3.0, "test"), RESUMED, scored(1, 4.0, "test"))
    assert column(run.scores, "score") == [4.0, 4.0]


def test_decisions_stand_where_a_member_goes_back_to(read: Callable[..., Run]) -> None:
    boundary = [saved(1, 5.0, 1), exploit(1, 0, 1), mutated(1, 1)]
    run = read(trained(1), *boundary, trained(2), RESUMED, trained(2))
    assert column(run.lineage, "iteration") == [1]
    assert column(run.lineage, "donor_score") == [5.0]
    assert column(run.mutations, "revision") == [1]
    assert (
        column(run.distributions[run.distributions["member"] == 0], "revision") == [0] * 3 + [1] * 3
    )


def test_a_restored_member_stands_before_what_was_decided_since(read: Callable[..., Run]) -> None:
    history = [
        trained(1), saved(1), saved(1, 5.0, 1), exploit(1, 0, 1), mutated(1, 1),
        trained(2), saved(2),
    ]  # fmt: skip
    run = read(*history, RESUMED, RESTORED, trained(2, 9.0), mutated(2, 3))
    assert column(run.results, "training_return") == [1.0, 9.0]
    assert run.lineage.empty
    assert column(run.mutations, "revision") == [3]
    own = run.distributions[run.distributions["member"] == 0]
    assert column(own.drop_duplicates("revision"), "revision") == [0, 2, 3]
    masspole = own[own["knob"] == "masspole"]
    assert column(masspole, "high") == [0.1, 0.1, 0.5]


def test_a_donor_may_be_elsewhere(read: Callable[..., Run]) -> None:
    # Asynchronous members exploit a checkpoint of another iteration.
    ahead = saved(8, 80.0, 1)
    copy = Exploit(
        **who(4), donor=1, checkpoint=ahead.path, digest="d", saved="m0/4", before={}, after={}
    )
    run = read(trained(4), ahead, copy)
    assert run.lineage.iloc[0][["donor", "donor_iteration", "donor_score"]].to_list() == [1, 8, 80]


def test_checkpoints_say_what_is_left(read: Callable[..., Run]) -> None:
    pruned = Pruned(**who(4), path="m0/4", digest="d", score=None)
    run = read(saved(4, 4.0), saved(8, 8.0), pruned)
    assert column(run.checkpoints, "pruned") == [True, False]
    again = read(saved(4, 4.0), pruned, RESUMED, saved(4, 5.0))
    assert column(again.checkpoints, "pruned") == [False]
    assert column(again.checkpoints, "score") == [5.0]


def test_faults_are_in_the_order_they_happened(read: Callable[..., Run]) -> None:
    caused = Fault(
        **who(1), where="env", error="nan", action="retried", level={"gravity": 9.8, "at": (1, 2)}
    )
    run_wide = Fault(
        arm="", seed=0, member=-1, iteration=0, where="progress", error="!", action="went on"
    )
    run = read(fault(7), caused, run_wide)
    assert column(run.faults, "error") == ["boom", "nan", "!"]
    assert column(run.faults, "level") == [None, {"gravity": 9.8, "at": [1, 2]}, None]
    assert column(run.faults, "member") == [0, 0, -1]


def test_populations_are_kept_apart(tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run", arms=("b", "a"), seeds=(1, 0), size=2)
    run.train(1)
    found = analysis.load(tmp_path / "run")
    assert found.populations == (("b", 1), ("b", 0), ("a", 1), ("a", 0))
    keys = list(found.results[["arm", "seed", "member"]].itertuples(index=False, name=None))
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) == 8


def test_an_arm_that_the_run_does_not_have_is_an_error(read: Callable[..., Run]) -> None:
    alien = MemberStarted(
        arm="mian", seed=0, member=0, iteration=0, hyperparameters={}, distribution=FULL, by="x"
    )
    with pytest.raises(ValueError, match=r"began with \(main\), but its journal .* 'mian'"):
        read(alien)


def test_a_run_that_is_being_written_can_be_read(played: SyntheticRun) -> None:
    journal = played.folder / "journal.jsonl"
    whole = len(analysis.load(played.folder).results)
    with open(journal, "ab") as file:
        file.write(b'{"v":1,"kind":"result","ti')
    assert len(analysis.load(played.folder).results) == whole


def test_a_damaged_journal_is_an_error_that_names_the_line(played: SyntheticRun) -> None:
    journal = played.folder / "journal.jsonl"
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([lines[0], b"{}", *lines[1:]]))
    with pytest.raises(DamagedJournal, match=r"journal\.jsonl:2"):
        analysis.load(played.folder)


def test_runs_are_found_by_the_names_the_commands_take(
    tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "runs" / "cartpole-1")
    (tmp_path / "runs" / "latest").write_text("cartpole-1\n")
    monkeypatch.chdir(tmp_path)
    place = (tmp_path / "runs" / "cartpole-1").resolve()
    for name in ("cartpole-1", "runs/cartpole-1", "latest", "runs/latest", place, str(place)):
        assert analysis.load(name).path == place


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cartpole-2", r"cartpole-2: .* there is none; did you mean runs.cartpole-1\?"),
        ("elsewhere/x", "elsewhere/x: must be a run's directory, but there is none$"),
        ("runs", r"runs: a run must have a journal\.jsonl, but this directory has none"),
        ("runs/cartpole-1/journal.jsonl", "must be a run's directory, which is runs/cartpole-1"),
        ("latest", "latest: must be a run's directory, but there is none"),
    ],
)
def test_what_is_no_run_is_an_error_that_names_the_nearest(
    name: str, said: str, tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "runs" / "cartpole-1")
    (tmp_path / "runs" / "latest").write_text("cartpole-0\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(analysis.NotARun, match=said):
        analysis.load(name)


def test_hyperparameters_are_those_that_a_member_goes_on_with(read: Callable[..., Run]) -> None:
    begun = MemberStarted(
        **who(0, 2), hyperparameters={"lr": 0.5, "net": [64, 64]}, distribution=INITIAL, by="test"
    )
    copied = replace(exploit(1, 2, 1), after={"lr": 1, "net": "wide"})
    back = replace(RESTORED, member=2, hyperparameters={"lr": 0.25, "net": True}, iteration=2)
    run = read(begun, trained(1, member=2), copied, trained(2, member=2), trained(3), back)
    own = run.hyperparameters[run.hyperparameters["name"] == "lr"]
    assert column(own, "iteration") == [0, 1, 2]
    assert column(own, "number") == [0.5, 1.0, 0.25]
    others = run.hyperparameters[run.hyperparameters["name"] == "net"]
    assert column(others, "value") == [[64, 64], "wide", True]
    assert others["number"].isna().all()


def test_hyperparameters_of_what_was_undone_are_gone(read: Callable[..., Run]) -> None:
    copied = replace(exploit(2, 0, 1), after={"lr": 1.0})
    run = read(trained(1), trained(2), copied, trained(3), RESUMED, trained(2))
    assert run.hyperparameters.empty


def test_seconds_are_told_by_part(read: Callable[..., Run]) -> None:
    run = read(trained(1), trained(2), trained(2))
    assert column(run.seconds, "iteration") == [1, 1, 2, 2]
    assert column(run.seconds, "part") == ["train", "save"] * 2
    assert column(run.seconds, "seconds") == [1.5, 0.5] * 2


def test_levels_are_those_of_the_suites(tmp_path: Path, started: Started) -> None:
    knobs = {
        "cells": Cells(9, 1, 4),
        "goal": Choice(["near", [1, 2]]),
        "wind": Continuous(0.0, 1.0),
    }
    space = EnvSpace(knobs)
    begun = started(space, ("main",))
    evaluation = {"levels": 3, "test_levels": 2, "seed": 7}
    arms = {"main": {**begun.arms["main"], "evaluation": evaluation}}
    levels = run_of(tmp_path, [replace(begun, arms=arms)]).levels
    for suite, count in (("select", 3), ("test", 2)):
        for play in draw_suite(space, suite, count, 7):
            rows = levels[(levels["suite"] == suite) & (levels["level"] == play.index)]
            assert dict(zip(rows["knob"], rows["value"], strict=True)) == play.level
            numbers = dict(zip(rows["knob"], rows["number"], strict=True))
            assert numbers["wind"] == play.level["wind"]
            assert numbers["cells"] == len(play.level["cells"])
            assert math.isnan(numbers["goal"])
    assert len(levels) == 5 * 3


def test_the_levels_are_those_that_the_run_itself_plays(tmp_path: Path) -> None:
    place = made_run(tmp_path / "made")
    experiment = loaded().arms["main"]
    levels = analysis.load(place.path).levels
    suites = {"select": rules.select_suite(experiment), "test": rules.test_suite(experiment)}
    for suite, plays in suites.items():
        own = levels[levels["suite"] == suite].pivot_table(
            index="level", columns="knob", values="number"
        )
        assert own.to_dict("records") == [play.level for play in plays]


def test_only_the_last_test_suite_of_a_population_counts(read: Callable[..., Run]) -> None:
    first, again = scored(4, 1.0, "test", member=1), scored(8, 2.0, "test")
    run = read(
        *(trained(i) for i in range(1, 5)), first, RESUMED, trained(8), again, scored(8, 3.0)
    )
    assert column(run.scores, "suite") == ["test", "test", "select", "select"]
    assert column(run.scores, "member") == [0] * 4


@pytest.mark.parametrize(
    ("after", "held", "status"),
    [
        ([], False, "killed"),
        ([], True, "running"),
        ([RunEnded("finished")], False, "finished"),
        ([RunEnded("stopped"), RESUMED], False, "killed"),
        ([RunEnded("stopped"), RESUMED, RunEnded("failed")], True, "failed"),
    ],
)
def test_the_status_is_that_of_the_last_start(
    after: list[Record], held: bool, status: str, tmp_path: Path, started: Started
) -> None:
    run = run_of(tmp_path, [started(CARTPOLE, ("main",)), *after], held=held)
    assert run.status == status
    assert (run.ended is None) == (status in ("killed", "running"))


def test_a_run_is_running_while_a_process_holds_it(played: SyntheticRun) -> None:
    assert analysis.load(played.folder).status == "killed"
    with holding.held(played.folder):
        assert analysis.load(played.folder).status == "running"


def test_the_circumstances_are_those_of_the_last_start(tmp_path: Path, started: Started) -> None:
    first = replace(started(CARTPOLE, ("main",)), time="2026-01-01T00:00:00.000+00:00")
    first = replace(first, versions={"ray": "1"}, command=("envolve", "run"))
    arms = {"main": {**first.arms["main"], "stop": {"iterations": 80}}}
    last = RunResumed("1", arms, {"ray": "2"}, ("envolve", "resume"))
    run = run_of(tmp_path, [first, last])
    assert (run.versions, run.command) == ({"ray": "2"}, ("envolve", "resume"))
    assert run.arms["main"]["stop"] == {"iterations": 80}
    assert (run.started, run.ended) == ("2026-01-01T00:00:00.000+00:00", None)


def test_a_kept_run_names_neither_knobs_nor_suites(tmp_path: Path) -> None:
    arms = {"main": {"name": "kept", "env": {"id": "CartPole-v1", "config": {}}}}
    none = {"kind": "product", "marginals": {}}
    begun = MemberStarted(**who(0), hyperparameters={}, distribution=none, by="keep")
    run = run_of(tmp_path, [RunStarted("kept", "0", arms, {}, ()), begun, trained(1), saved(1)])
    assert (run.name, run.populations, len(run.results)) == ("kept", (("main", 0),), 1)
    assert run.space["main"].knobs == {}
    assert run.distributions.empty
    assert run.levels.empty


def test_a_sketch_of_many_levels_has_its_marginals(read: Callable[..., Run]) -> None:
    sketch = {"kind": "sketch", "levels": 64, "digest": "d", "marginals": FULL["marginals"]}
    run = read(trained(1), replace(mutated(1, 1), after=sketch))
    last = run.distributions[run.distributions["revision"] == 1]
    ends = FULL["marginals"]
    assert column(last, "low") == [ends[knob]["low"] for knob in last["knob"]]
    assert column(last, "high") == [ends[knob]["high"] for knob in last["knob"]]


def test_one_population_has_only_its_own_rows(tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run", arms=("b", "a"), seeds=(1, 0), size=2)
    run.train(1)
    one = analysis.load(tmp_path / "run").of("a", seed=1)
    assert (one.populations, [*one.space], [*one.arms]) == ((("a", 1),), ["a"], ["a"])
    assert one.results[["arm", "seed"]].drop_duplicates().to_numpy().tolist() == [["a", 1]]
    assert list(one.results.index) == [0, 1]
    assert one.of().populations == one.populations


@pytest.mark.parametrize(
    ("arm", "seed", "said"),
    [(None, None, "fit 4"), ("a", None, "fit 2"), ("c", 0, r"fit 0; the run has \('b', 1\), ")],
)
def test_of_takes_what_names_one_population(
    arm: str | None, seed: int | None, said: str, tmp_path: Path, begin: Begin
) -> None:
    begin(tmp_path / "run", arms=("b", "a"), seeds=(1, 0), size=2)
    with pytest.raises(ValueError, match=said):
        analysis.load(tmp_path / "run").of(arm, seed)


def test_the_page_about_frames_tells_every_column_and_type() -> None:
    page = Path(__file__).parents[2] / "docs" / "frames.md"
    first, *sections = re.split(r"^## ", page.read_text(), flags=re.MULTILINE)

    def told(section: str) -> dict[str, str]:
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \|[^|]*\|[^|]+\|$", section, re.MULTILINE)
        return dict(rows)

    found = {
        name: told(section) if name == "levels" else told(first) | told(section)
        for section in sections
        for name in re.findall(r"^`(\w+)`$", section.splitlines()[0])
    }
    assert found == COLUMNS
    assert {name: [*found[name]] for name in found} == {name: [*COLUMNS[name]] for name in COLUMNS}
    attributes = {field.name for field in dataclasses.fields(Run)}
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", sections[-2], re.M))))
    assert named | set(COLUMNS) == attributes
