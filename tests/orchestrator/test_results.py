"""From a member's report through Tune's flat result to the journal's records."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE
from ray.tune.utils import flatten_dict
from simulated_population import Own, read_back, rules, started, who

from orchestrator import records
from orchestrator.curricula import Move, Outlook, Stand
from orchestrator.distributions import Distribution, Levels
from orchestrator.member_state import MemberState
from orchestrator.report import Report
from orchestrator.results import flat, records_of
from orchestrator.seeding import generator
from orchestrator.sketch import journalled

FULL = CARTPOLE.full()
MANY = Levels(CARTPOLE, tuple(CARTPOLE.full().sample(generator(n)) for n in range(20)), (1.0,) * 20)
BETWEEN = Report(
    iteration=3,
    env_steps=450,
    revision=1,
    training_return=21.0,
    episodes=3,
    revisions={0: (2, 19.5), 1: (1, 24.0)},
    seconds={"train": 0.5, "probe": 0.25},
    learner={"learner/default_policy/total_loss": 0.1},
)
BOUNDARY = replace(BETWEEN, score=7.5, returns=(5.0, 10.0), checkpoint="members/m1/3", digest="abc")


def moving(report: Report, to: Distribution = FULL) -> Report:
    """The report of a member whose own curriculum has moved."""
    move = Move(Stand(to, {"hidden": 1}), "it was time")
    return replace(report, revision=2, move=move, outlook=Outlook("9 of 10", waits=True))


def state() -> MemberState:
    return started(rules(curriculum=Own())).members[1]


def journal_of(report: Report, **carried: Any) -> list[records.Record]:
    """What the journal says of a report, after all that happens to it on the way."""
    carried = {"arm": "main", "seed": 7, "member": 1, "directive": 4, **carried}
    # Tune flattens a result for its loggers, and adds to it.
    arrived = flatten_dict({**carried, **flat(report), "time_this_iter_s": 1.0})
    return [read_back(record) for record in records_of(arrived, state())]


def test_an_iteration_is_one_record() -> None:
    assert journal_of(BETWEEN) == [
        records.Result(
            **who(1, 3),
            training_return=21.0,
            env_steps=450,
            revisions={
                "0": {"episodes": 2, "return": 19.5},
                "1": {"episodes": 1, "return": 24.0},
            },
            seconds={"train": 0.5, "probe": 0.25},
            directive=4,
        )
    ]


def test_a_boundary_brings_its_score_and_then_the_checkpoint() -> None:
    result, *rest = journal_of(BOUNDARY)
    assert isinstance(result, records.Result)
    assert rest == [
        records.Score(**who(1, 3), score=7.5, suite="select", returns=(5.0, 10.0)),
        records.CheckpointSaved(**who(1, 3), path="members/m1/3", digest="abc", score=7.5),
    ]


def test_a_move_stands_before_the_checkpoint_that_holds_it() -> None:
    result, mutation, *rest = journal_of(moving(BOUNDARY))
    assert isinstance(result, records.Result)
    assert (result.next_move, result.waits) == ("9 of 10", True)
    assert mutation == records.Mutation(
        **who(1, 3),
        revision=2,
        by="curriculum",
        why="it was time",
        before=CARTPOLE.initial().to_json(),
        after=FULL.to_json(),
    )
    assert [type(record) for record in rest] == [records.Score, records.CheckpointSaved]


def test_a_curriculum_that_stays_says_how_far_its_next_move_is() -> None:
    report = replace(BETWEEN, outlook=Outlook("as wide as is legal"))
    (result,) = journal_of(report)
    assert isinstance(result, records.Result)
    assert (result.next_move, result.waits) == ("as wide as is legal", False)


def test_many_levels_travel_as_a_sketch() -> None:
    report = moving(BETWEEN, MANY)
    _, mutation = journal_of(report)
    assert isinstance(mutation, records.Mutation)
    assert mutation.after == journalled(MANY).to_json()
    assert mutation.after["levels"] == 20
    # The levels themselves are in the member's checkpoints alone.
    assert len(json.dumps(flat(report))) < 1000


def test_the_fold_over_the_records_is_where_the_member_says_it_is() -> None:
    group = started(rules(curriculum=Own()))
    for record in journal_of(moving(BOUNDARY, MANY), seed=group.seed, arm=group.arm):
        group.apply(record)
    found = group.members[1]
    assert (found.iteration, found.env_steps, found.revision) == (3, 450, 2)
    assert found.distribution == journalled(MANY)
    assert found.outlook == Outlook("9 of 10", waits=True)
    assert found.minutes == pytest.approx(0.75 / 60)
    assert found.own is not None
    assert (found.own.path, found.score) == ("members/m1/3", 7.5)


def test_an_iteration_without_episodes_has_no_return() -> None:
    report = replace(BETWEEN, training_return=None, episodes=0, revisions={})
    assert "training_return" not in flat(report)
    (result,) = journal_of(report)
    assert isinstance(result, records.Result)
    assert (result.training_return, result.revisions) == (None, {})


def test_numbers_that_are_not_finite_become_none() -> None:
    report = replace(
        BOUNDARY,
        training_return=math.nan,
        revisions={0: (2, math.nan), 1: (1, 24.0)},
        score=-math.inf,
        returns=(-math.inf, 10.0),
    )
    result, score, checkpoint = journal_of(report)
    assert isinstance(result, records.Result)
    assert isinstance(score, records.Score)
    assert isinstance(checkpoint, records.CheckpointSaved)
    assert result.training_return is None
    assert result.revisions == {"1": {"episodes": 1, "return": 24.0}}
    assert (score.score, score.returns, checkpoint.score) == (None, (None, 10.0), None)


def test_a_flat_result_is_one_level_deep() -> None:
    for report in (BETWEEN, BOUNDARY, moving(BOUNDARY), moving(BOUNDARY, MANY)):
        result = flat(report)
        assert not any(isinstance(value, dict) for value in result.values())
        assert flatten_dict(result) == result
