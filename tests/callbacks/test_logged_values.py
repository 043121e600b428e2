"""What loggers are told of a member."""

from __future__ import annotations

from typing import Any

import pytest

from callbacks.logged_values import learner_values, part, values_of
from orchestrator.distributions import EnvSpace
from orchestrator.env_space import Product
from orchestrator.knobs import Choice, Continuous, Range, Weights
from orchestrator.member_state import MemberState
from orchestrator.records import (
    Boundary,
    CheckpointSaved,
    Exploit,
    Fault,
    MemberRecord,
    Mutation,
    Result,
    Score,
)

WHO: dict[str, Any] = {"arm": "main", "seed": 0, "member": 1, "iteration": 4}
SPACE = EnvSpace({"pole length": Continuous(0.25, 2.0), "wind": Choice(("off", "on"))})
STATE = MemberState(
    key=("main", 0, 1),
    hyperparameters={"lr": 0.001, "use_kl_loss": True, "curriculum.score": "pvl"},
    distribution=Product(SPACE, {"pole length": Range(0.5, 1.0), "wind": Weights((1.0, 1.0))}),
    revision=3,
    iteration=4,
)


def told(record: MemberRecord) -> dict[str, float | str]:
    return values_of(record, STATE)


def test_of_an_iteration_what_it_brought_and_what_it_was_trained_with() -> None:
    record = Result(
        **WHO,
        training_return=21.5,
        env_steps=1024,
        revisions={"2": {"episodes": 3, "return": 20.0}, "3": {"episodes": 2, "return": 24.0}},
        seconds={"train": 0.5, "score": 0.25},
    )
    assert told(record) == {
        "training_return": 21.5,
        "env_steps": 1024,
        "episodes": 5,
        "revision": 3,
        "seconds/train": 0.5,
        "seconds/score": 0.25,
        # A choice has no ends; a text and a truth value are no curves.
        "knobs/pole_length/low": 0.5,
        "knobs/pole_length/high": 1.0,
        "hyperparameters/lr": 0.001,
    }


def test_a_return_or_a_score_that_is_none_is_left_out() -> None:
    record = Result(**WHO, training_return=None, env_steps=1, revisions={}, seconds={})
    assert "training_return" not in told(record)
    assert told(record)["episodes"] == 0
    assert told(Score(**WHO, score=None, suite="select", returns=(None,))) == {}


def test_the_suites_have_names_of_their_own() -> None:
    assert told(Score(**WHO, score=2.0, suite="select", returns=(2.0,))) == {"score": 2.0}
    assert told(Score(**WHO, score=3.0, suite="test", returns=(3.0,))) == {"test_score": 3.0}


def test_an_exploit_says_whose_weights_they_are_now_and_what_changed() -> None:
    record = Exploit(
        **WHO, donor=2, checkpoint="there", digest="", saved="here",
        before={"lr": 0.001, "gamma": 0.99, "curriculum.score": "pvl"},
        after={"lr": 0.0012, "gamma": 0.99, "curriculum.score": "l1"},
    )  # fmt: skip
    assert told(record) == {
        "donor": 2,
        "exploit": "copies m2; lr 0.001 → 0.0012; curriculum.score pvl → l1",
    }


def test_moves_and_faults_are_told_in_words() -> None:
    move = Mutation(**WHO, revision=3, by="callback", why="widen", before={}, after={})
    assert told(move) == {"mutation": "revision 3 by the callback: widen"}
    fault = Fault(**WHO, where="env", error="ValueError: no", action="retried")
    assert told(fault) == {"fault": "env: ValueError: no; retried"}


def test_of_a_checkpoint_there_is_nothing_to_tell() -> None:
    assert told(CheckpointSaved(**WHO, path="here", digest="", score=1.0)) == {}
    assert not issubclass(Boundary, MemberRecord)


def test_the_learners_numbers_are_those_that_are_finite() -> None:
    result = {
        "learner/default_policy/policy_loss": -0.25,
        "learner/default_policy/vf_explained_var": float("nan"),
        "score": 3.0,
        "revisions": [[0, 1, 2.0]],
    }
    assert learner_values(result) == {"learner/default_policy/policy_loss": -0.25}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("length", "length"),
        ("policy.generator.lr", "policy.generator.lr"),
        ("a/b (c)", "a_b__c_"),
        ("größe", "größe"),
        ("..", "_"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_users_name_is_one_part_that_every_logger_takes(name: str, expected: str) -> None:
    assert part(name) == expected
