"""Frames: a row for each thing that happened, and in the end only what still holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distribution_catalogue import CARTPOLE
from synthetic_run import SyntheticRun

import analysis
from analysis.frames import Run, run_of
from orchestrator.env_space import EnvSpace
from orchestrator.journal import DamagedJournal
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
    RunResumed,
    RunStarted,
    Score,
)

Begin = Callable[..., SyntheticRun]
Started = Callable[[EnvSpace, tuple[str, ...]], RunStarted]

FRAMES = (
    "results", "scores", "mutations", "lineage", "checkpoints", "faults", "distributions"
)  # fmt: skip
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
    for name in FRAMES:
        frame = getattr(full, name)
        assert len(getattr(empty, name)) == 0 < len(frame)
        pd.testing.assert_series_equal(getattr(empty, name).dtypes, frame.dtypes)
        assert list(frame.columns[:4]) == ["arm", "seed", "member", "iteration"]
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
    restored = Restored(
        **who(1), path="m0/1", digest="d", score=None, env_steps=100, minutes=0.0,
        hyperparameters={}, distribution=INITIAL, revision=2,
    )  # fmt: skip
    run = read(*history, RESUMED, restored, trained(2, 9.0), mutated(2, 3))
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
