"""Where weights come from: by hand, and as a fold over whole journals says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distribution_catalogue import CARTPOLE
from hypothesis import given, settings
from hypothesis import strategies as st
from lived import Lived, lives
from simulated_population import ARM, SEED, Own, rules, run_with_kills
from synthetic_run import SyntheticRun

import analysis
from analysis.ancestry import ancestry, best_member
from analysis.frames import Run, run_of
from experiments.lineage import lineage
from orchestrator.curricula import Evolving, Widen
from orchestrator.env_space import EnvSpace
from orchestrator.exploit import Tournament, Truncation
from orchestrator.frozen import text
from orchestrator.member_state import Rules
from orchestrator.population import Population
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    MemberStarted,
    Mutation,
    Record,
    Restored,
    Result,
    RunStarted,
    Score,
)

Started = Callable[[EnvSpace, tuple[str, ...]], RunStarted]
Read = Callable[..., Run]
Begin = Callable[..., SyntheticRun]

INITIAL, FULL = CARTPOLE.initial().to_json(), CARTPOLE.full().to_json()
KNOBS = {
    "length": {"low": 0.25, "high": 2.0, "scale": "log"},
    "gravity": {"low": 5.0, "high": 20.0},
    "masspole": {"low": 0.05, "high": 0.5, "scale": "log"},
}
STARTED = RunStarted("simulated", "0", {ARM: {"env": {"knobs": KNOBS}}}, {}, ())
MEMBERS = 3
LR = [0.1, 0.2, 0.3]


def who(member: int, iteration: int) -> dict[str, Any]:
    return {"arm": "main", "seed": 0, "member": member, "iteration": iteration}


def trained(member: int, iterations: range, steps: int = 100) -> list[Record]:
    """So many env steps in each of these iterations, of the member's own count."""
    return [
        Result(
            **who(member, iteration),
            training_return=float(iteration),
            env_steps=steps * iteration,
            revisions={},
            seconds={"train": 1.0},
        )
        for iteration in iterations
    ]


def saved(member: int, iteration: int, score: float | None = 1.0) -> list[Record]:
    return [
        Score(**who(member, iteration), score=score, suite="select", returns=(score,)),
        CheckpointSaved(
            **who(member, iteration), path=f"m{member}/{iteration}", digest="d", score=score
        ),
    ]


def copied(member: int, iteration: int, donor: int, of: int | None = None) -> Exploit:
    """From now on `member` is a copy of `donor` as it was at iteration `of` (the same, if None)."""
    return Exploit(
        **who(member, iteration),
        donor=donor,
        checkpoint=f"m{donor}/{iteration if of is None else of}",
        digest="d",
        saved=f"m{member}/{iteration}",
        before={},
        after={"lr": LR[donor] * 10},
    )


def moved(member: int, iteration: int, revision: int) -> Mutation:
    return Mutation(
        **who(member, iteration),
        revision=revision,
        by="callback",
        why="widen",
        before=INITIAL,
        after=FULL,
    )


@pytest.fixture
def read(tmp_path: Path, started: Started) -> Read:
    """The run of three members that has these records."""

    def run(*given: Record | Sequence[Record]) -> Run:
        members = [
            MemberStarted(
                **who(m, 0), hyperparameters={"lr": LR[m]}, distribution=INITIAL, by="test"
            )
            for m in range(MEMBERS)
        ]
        records = itertools.chain.from_iterable(
            [each] if isinstance(each, Record) else each for each in given
        )
        return run_of(tmp_path, [started(CARTPOLE, ("main",)), *members, *records])

    return run


def all_train(first: int, last: int, members: Sequence[int] = range(MEMBERS)) -> list[Record]:
    """Up to and including ``last``, saved there."""
    return [
        record
        for member in members
        for record in [*trained(member, range(first, last + 1)), *saved(member, last)]
    ]


def segments(found: analysis.Ancestry) -> list[tuple[int, ...]]:
    """(member, from, to, trained before)."""
    return [tuple(row) for row in found.segments.itertuples(index=False)]


def schedule(frame: pd.DataFrame, column: str) -> list[tuple[int, Any]]:
    return list(zip(frame["trained"].to_list(), frame[column].to_list(), strict=True))


def test_a_member_that_copied_nobody_is_its_own_ancestor(read: Read) -> None:
    found = ancestry(read(all_train(1, 4)), 1)
    assert (found.arm, found.seed, found.member, found.iteration) == ("main", 0, 1, 4)
    assert segments(found) == [(1, 0, 4, 0)]
    assert found.trained == 4
    assert found.results["trained"].to_list() == [1, 2, 3, 4]
    assert found.results["env_steps_along"].to_list() == [100, 200, 300, 400]
    assert schedule(found.hyperparameters, "value") == [(0, 0.2)]
    assert found.distributions["trained"].to_list() == [0, 0, 0]


def test_a_copy_of_a_copy_goes_back_to_the_first(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), all_train(3, 4), copied(2, 4, 1), all_train(5, 6))
    found = ancestry(run, 2)
    assert segments(found) == [(0, 0, 2, 0), (1, 2, 4, 2), (2, 4, 6, 4)]
    assert found.results["member"].to_list() == [0, 0, 1, 1, 2, 2]
    assert found.results["trained"].to_list() == [1, 2, 3, 4, 5, 6]
    assert schedule(found.hyperparameters, "value") == [(0, 0.1), (2, 1.0), (4, 2.0)]
    # The select suite was played at the end of each.
    assert schedule(found.scores, "member") == [(2, 0), (4, 1), (6, 2)]


def test_an_exploit_counts_from_the_checkpoint_after_it_on(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), all_train(3, 4))
    assert segments(ancestry(run, 1, iteration=2)) == [(1, 0, 2, 0)]
    assert segments(ancestry(run, 1, iteration=3)) == [(0, 0, 2, 0), (1, 2, 3, 2)]


def test_what_a_donor_copied_at_the_same_boundary_is_no_part_of_its_copy(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), copied(2, 2, 1), all_train(3, 4))
    assert segments(ancestry(run, 2)) == [(1, 0, 2, 0), (2, 2, 4, 2)]
    assert segments(ancestry(run, 1)) == [(0, 0, 2, 0), (1, 2, 4, 2)]


def test_a_copy_of_ones_own_descendant_comes_back(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), all_train(3, 4), copied(0, 4, 1), all_train(5, 6))
    assert segments(ancestry(run, 0)) == [(0, 0, 2, 0), (1, 2, 4, 2), (0, 4, 6, 4)]


def test_a_copy_of_oneself_begins_a_segment(read: Read) -> None:
    found = ancestry(read(all_train(1, 2), copied(0, 2, 0), all_train(3, 4)), 0)
    assert segments(found) == [(0, 0, 2, 0), (0, 2, 4, 2)]
    assert found.results["env_steps_along"].to_list() == [100, 200, 300, 400]
    assert schedule(found.hyperparameters, "value") == [(0, 0.1), (2, 1.0)]


@pytest.mark.parametrize(("ahead", "trained_in_all"), [(6, 8), (2, 4)])
def test_asynchronous_donors_are_ahead_or_behind(
    read: Read, ahead: int, trained_in_all: int
) -> None:
    """A loser at iteration 4 copies a donor that stands elsewhere, and trains two more."""
    run = read(
        trained(0, range(1, ahead + 1), steps=10), saved(0, ahead),
        all_train(1, 4, [1]), copied(1, 4, 0, of=ahead), moved(1, 4, 1),
        trained(1, range(5, 6)), moved(1, 5, 2), all_train(6, 6, [1]),
    )  # fmt: skip
    found = ancestry(run, 1)
    assert segments(found) == [(0, 0, ahead, 0), (1, 4, 6, ahead)]
    assert found.trained == trained_in_all
    assert found.results["trained"].to_list() == list(range(1, trained_in_all + 1))
    # Ten steps in each of the donor's iterations, a hundred in each of the loser's own.
    assert found.results["env_steps_along"].iloc[-1] == 10 * ahead + 200
    assert schedule(found.hyperparameters, "value") == [(0, 0.1), (ahead, 1.0)]
    gravity = found.distributions[found.distributions["knob"] == "gravity"]
    assert schedule(gravity, "revision") == [(0, 0), (ahead, 1), (ahead + 1, 2)]


def test_what_is_decided_when_weights_were_saved_comes_after_them(read: Read) -> None:
    """Of three moves the first was at a boundary before, the last at the checkpoint itself."""
    run = read(
        all_train(1, 2), moved(0, 2, 1), trained(0, range(3, 4)), moved(0, 3, 2),
        all_train(4, 4, [0]), moved(0, 4, 3), all_train(3, 4, [1, 2]), copied(1, 4, 0),
        all_train(5, 6),
    )  # fmt: skip
    gravity = ancestry(run, 0, iteration=4).distributions.query("knob == 'gravity'")
    assert schedule(gravity, "revision") == [(0, 0), (2, 1), (3, 2)]
    gravity = ancestry(run, 1).distributions.query("knob == 'gravity'")
    # The copy has its own distribution, of its own count of revisions, from there on.
    assert schedule(gravity, "member") == [(0, 0), (2, 0), (3, 0), (4, 1)]
    assert gravity["revision"].to_list() == [0, 1, 2, 0]


def test_the_last_of_two_changes_at_one_iteration_is_in_force(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), moved(1, 2, 1), moved(1, 2, 2), all_train(3, 4))
    gravity = ancestry(run, 1).distributions.query("knob == 'gravity'")
    assert schedule(gravity, "revision") == [(0, 0), (2, 2)]


def test_a_member_that_was_put_back_goes_on_from_there(read: Read) -> None:
    restored = Restored(
        **who(1, 2), path="m1/2", digest="d", score=1.0, env_steps=200, minutes=0.0,
        hyperparameters={"lr": 0.7}, distribution=FULL, revision=3,
    )  # fmt: skip
    run = read(
        all_train(1, 2), all_train(3, 4), copied(1, 4, 0), all_train(5, 6),
        restored, all_train(3, 6, [1]),
    )  # fmt: skip
    found = ancestry(run, 1)
    assert segments(found) == [(1, 0, 6, 0)]
    assert found.results["iteration"].to_list() == [1, 2, 3, 4, 5, 6]
    assert schedule(found.hyperparameters, "value") == [(0, 0.2), (2, 0.7)]


def test_two_that_were_put_back_and_copied_each_others_copies_cannot_be_told(read: Read) -> None:
    restored = Restored(
        **who(0, 2), path="m0/2", digest="d", score=1.0, env_steps=200, minutes=0.0,
        hyperparameters={"lr": 0.1}, distribution=INITIAL, revision=1,
    )  # fmt: skip
    run = read(
        all_train(1, 2), all_train(3, 8, [0]), all_train(3, 4, [1]), copied(1, 4, 0, of=8),
        all_train(5, 8, [1]), restored, all_train(3, 4, [0]), copied(0, 4, 1, of=8),
        all_train(5, 8, [0]),
    )  # fmt: skip
    with pytest.raises(ValueError, match="has copied its own copy since"):
        ancestry(run, 0)


def test_a_run_that_has_just_begun(read: Read) -> None:
    found = ancestry(read(), 2)
    assert segments(found) == [(2, 0, 0, 0)]
    assert found.trained == 0
    assert found.results.empty
    assert {"trained", "env_steps_along"} <= set(found.results.columns)
    assert found.scores["trained"].dtype == "int64"


def test_frames_have_the_columns_and_types_of_the_runs(read: Read) -> None:
    run = read(all_train(1, 2), copied(1, 2, 0), all_train(3, 4))
    found = ancestry(run, 1)
    for name in ("results", "scores", "distributions", "hyperparameters"):
        frame, whole = getattr(found, name), getattr(run, name)
        assert list(frame.columns)[: len(whole.columns)] == list(whole.columns)
        assert frame[whole.columns].dtypes.to_dict() == whole.dtypes.to_dict()
        assert list(frame.index) == list(range(len(frame)))
        assert frame["trained"].dtype == "int64"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"member": 7}, "`member` must be one of 0, 1, 2, but got 7"),
        ({"member": 0, "iteration": 5}, "`0 <= iteration <= 2` must hold, the iterations that m0"),
        ({"member": 0, "iteration": -1}, "but got -1"),
        ({"member": 0, "arm": "other"}, "must name one population"),
    ],
)
def test_what_there_is_not(read: Read, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        ancestry(read(all_train(1, 2)), **asked)


# The best


def test_the_best_is_the_highest_score_ever(read: Read) -> None:
    run = read(
        trained(0, range(1, 5)), saved(0, 2, 9.0), saved(0, 4, 1.0),
        trained(1, range(1, 5)), saved(1, 2, 3.0), saved(1, 4, 8.0),
        trained(2, range(1, 3)), saved(2, 2, None),
    )  # fmt: skip
    assert best_member(run) == (0, 2)


def test_of_equals_the_best_is_the_one_that_the_run_takes(played: SyntheticRun) -> None:
    best = played.shelf.best_of(played.population)
    assert best is not None
    assert best_member(analysis.load(played.folder)) == (best.member, best.iteration)


def test_of_many_equals_the_best_is_the_one_that_the_run_takes(
    tmp_path: Path, begin: Begin
) -> None:
    run = begin(tmp_path / "equal", size=12)
    run.boundary(4, dict.fromkeys(range(12), 7.0))
    run.boundary(8, dict.fromkeys(range(1, 12), 7.0))
    best = run.shelf.best_of(run.population)
    assert best is not None
    assert best_member(analysis.load(run.folder)) == (best.member, best.iteration)


def test_without_a_score_there_is_no_best(read: Read) -> None:
    with pytest.raises(ValueError, match="arm main, seed 0 must have a score, but nobody"):
        best_member(read(trained(0, range(1, 3)), saved(0, 2, None)))


# Whole journals


def seen(found: analysis.Ancestry) -> list[tuple[int, int, int, str, int]]:
    """Member, iteration, revision, hyperparameters and env steps of each iteration."""
    revisions = found.distributions.drop_duplicates("trained").set_index("trained")["revision"]
    values: Mapping[int, pd.DataFrame] = dict(iter(found.hyperparameters.groupby("trained")))
    present: dict[str, Any] = {}
    rows = []
    for row in found.results.itertuples():
        before = int(row.trained) - 1
        if before in values:
            changed = values[before]
            present |= dict(zip(changed["name"], changed["value"], strict=True))
        revision = int(revisions[revisions.index <= before].iloc[-1])
        rows.append((row.member, row.iteration, revision, text(present), row.env_steps_along))
    return rows


def told(past: Sequence[Lived]) -> list[tuple[int, int, int, str, int]]:
    """The same, of what the journal as a whole says."""
    spent = itertools.accumulate(each.env_steps for each in past)
    return [
        (each.member, each.iteration, each.revision, each.hyperparameters, steps)
        for each, steps in zip(past, spent, strict=True)
    ]


RULES = [
    rules(exploit=Tournament()),
    rules(exploit=Truncation(0.5), interval=1),
    rules(exploit=Tournament(), mode="async"),
    rules(exploit=Tournament(), curriculum=Own()),
    rules(curriculum=Evolving(widen=Widen(above=0.0, by=0.01, min_episodes=1)), mode="async"),
]


@pytest.mark.parametrize("now", RULES, ids=["sync", "often", "async", "own", "widen"])
@settings(max_examples=6, deadline=None)
@given(
    kills=st.lists(st.integers(1, 90), max_size=4),
    turns=st.integers(0, 2**16),
    faults=st.sampled_from([0.0, 0.05]),
)
def test_ancestries_agree_with_the_whole_journal(
    now: Rules, kills: list[int], turns: int, faults: float
) -> None:
    records = run_with_kills(now, kills, turns, faults=faults).journal.records
    run = run_of(Path("simulated"), [STARTED, *records])
    expected = lives(records, Population(ARM, SEED, now))
    checkpoints = {
        (each.member, each.iteration): each for each in records if isinstance(each, CheckpointSaved)
    }
    # A few of them are enough: every example asks for others.
    for member, iteration in list(expected)[turns % 4 :: 4]:
        past = expected[member, iteration]
        found = ancestry(run, member, iteration=iteration)
        assert seen(found) == told(past)
        rows = segments(found)
        ends = [before + last - first for _, first, last, before in rows]
        assert [before for *_, before in rows] == [0, *ends[:-1]]
        assert found.trained == len(past) == ends[-1]
        saved_there = checkpoints.get((member, iteration))
        if saved_there is not None:
            stretches = lineage(records, saved_there)
            assert [(s["member"], s["from_iteration"], s["to_iteration"]) for s in stretches] == [
                row[:3] for row in rows
            ]
    members = {member for member, _ in expected}
    last = {m: max(iteration for member, iteration in expected if member == m) for m in members}
    assert {member: ancestry(run, member).iteration for member in members} == last
