"""A seat of Tune's: the handshake, flat results, and directives that are never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from rllib_catalogue import NARROW_POLE, Roaming, blueprint, member_state

from orchestrator import checkpoints
from orchestrator.member import Blueprint
from orchestrator.trial import (
    BECOME,
    DISTRIBUTION,
    READY,
    STATE,
    DirectiveFailed,
    MemberTrial,
)

pytestmark = pytest.mark.ray


@contextmanager
def seat(run_dir: Path, state: Any, **blueprints: Blueprint) -> Iterator[Any]:
    """A seat as Tune makes it, in this process."""
    blueprints = blueprints or {"main": blueprint(interval=2)}
    seats = tune.with_parameters(MemberTrial, blueprints=blueprints, run_dir=str(run_dir))
    trial = seats(config={STATE: state})
    try:
        yield trial
    finally:
        trial.stop()


def directive(number: int, kind: str, **changes: Any) -> dict[str, Any]:
    return {"id": number, "kind": kind, "state": member_state(**changes)}


def test_the_first_result_is_a_handshake(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        ready = trial.train()
        assert ready[READY] is True
        assert (ready["arm"], ready["seed"], ready["member"]) == ("main", 0, 1)
        assert ready["training_iteration"] == 0
        assert ready["directive"] is None
        assert "env_steps" not in ready
        assert trial.member.env_steps == 0
        first = trial.train()
        assert READY not in first
        assert first["training_iteration"] == 1
        assert first["env_steps"] == trial.member.env_steps > 0


def test_results_are_flat_and_carry_the_boundary(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        _, between, boundary = [trial.train() for _ in range(3)]
    ours = {"revisions", "returns"}
    for result in (between, boundary):
        nested = {name for name, value in result.items() if isinstance(value, list | dict)}
        assert nested <= ours | {"config"}
        assert result["seconds/train"] > 0
        number, episodes, mean = result["revisions"][0]
        assert (number, episodes) == (0, result["episodes"])
        assert mean == pytest.approx(result["training_return"])
    assert "score" not in between
    assert len(boundary["returns"]) == 3
    checkpoints.verify(tmp_path / boundary["checkpoint"], boundary["digest"])


def test_a_members_own_move_is_told_in_lists(ray_runtime: None, tmp_path: Path) -> None:
    plan = replace(blueprint(interval=2), curriculum=Roaming(every=2, probing=1))
    with seat(tmp_path, member_state(), main=plan) as trial:
        ready, first, second = [trial.train() for _ in range(3)]
        there = trial.member.distribution
    assert not {"moved", "outlook"} & set(ready)
    assert "moved" not in first
    assert first["outlook"] == ["1 of 2", True]
    why, distribution = second["moved"]
    assert why.startswith("gravity from ")
    assert distribution == there.to_json()
    assert (first["revision"], second["revision"]) == (0, 1)
    assert second["seconds/probe"] > 0
    nested = {name for name, value in second.items() if isinstance(value, dict)}
    assert nested <= {"config"}


def test_a_copy_in_another_seat_goes_on_in_the_donors_course(
    ray_runtime: None, tmp_path: Path
) -> None:
    plan = replace(blueprint(interval=2), curriculum=Roaming())
    with seat(tmp_path, member_state(), main=plan) as trial:
        donor = [trial.train() for _ in range(3)][-1]
        changes = {
            "member": 5,
            "iteration": 2,
            "checkpoint": donor["checkpoint"],
            "digest": donor["digest"],
            "distribution": donor["moved"][1],
            "revision": 9,
        }
        trial.direct(directive(3, BECOME, **changes))
        assert trial.member.distribution.to_json() == donor["moved"][1]
        result = trial.train()
        assert (result["directive"], result["member"], result["revision"]) == (3, 5, 10)
        assert [number for number, *_ in result["revisions"]] == [9]


def test_a_new_distribution_is_carried_out_and_echoed(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        trial.train()
        changes = {"distribution": NARROW_POLE.to_json(), "revision": 1}
        trial.direct(directive(7, DISTRIBUTION, **changes))
        result = trial.train()
        assert (result["directive"], result["revision"]) == (7, 1)
        assert result["training_iteration"] == 1
        assert trial.member.distribution == NARROW_POLE
        assert trial.train()["revisions"][-1][0] == 1


def test_becoming_another_is_carried_out_and_echoed(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        donor = [trial.train() for _ in range(3)][-1]
        changes = {
            "member": 5,
            "iteration": 2,
            "checkpoint": donor["checkpoint"],
            "digest": donor["digest"],
            "distribution": NARROW_POLE.to_json(),
            "revision": 3,
        }
        trial.direct(directive(8, BECOME, **changes))
        result = trial.train()
        assert READY not in result
        assert (result["directive"], result["member"]) == (8, 5)
        assert (result["training_iteration"], result["revision"]) == (3, 3)
        assert [number for number, *_ in result["revisions"]] == [3]
        saved = trial.save_member()
        assert saved["iteration"] == 3
        assert saved["path"] == "members/main/seed0/m5/checkpoints/000003"
        checkpoints.verify(tmp_path / saved["path"], saved["digest"])


def test_becoming_another_before_the_handshake_leaves_the_handshake(
    ray_runtime: None, tmp_path: Path
) -> None:
    with seat(tmp_path, member_state()) as trial:
        trial.direct(directive(1, BECOME, member=2))
        ready = trial.train()
        assert ready[READY] is True
        assert (ready["directive"], ready["member"]) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (DISTRIBUTION, {"distribution": {"kind": "nonsense"}}, "nonsense"),
        (BECOME, {"checkpoint": "members/nobody", "digest": "0" * 64}, "members/nobody"),
        (BECOME, {"arm": "elsewhere"}, "elsewhere"),
        (BECOME, {"hyperparameters": {"learning": 1}}, "learning"),
    ],
)
def test_a_directive_that_fails_poisons_the_next_iteration(
    ray_runtime: None, tmp_path: Path, kind: str, changes: dict[str, Any], message: str
) -> None:
    with seat(tmp_path, member_state()) as trial:
        trial.train()
        trial.direct(directive(1, kind, **changes))
        for _ in range(2):
            with pytest.raises(DirectiveFailed, match=message) as caught:
                trial.train()
            assert caught.value.__cause__ is not None
        # One that could be carried out does not wash it away.
        trial.direct(directive(2, DISTRIBUTION, revision=1))
        with pytest.raises(DirectiveFailed, match=message):
            trial.train()


def test_a_seat_is_reused_by_another_member(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        donor = [trial.train() for _ in range(3)][-1]
        trial.direct(directive(4, DISTRIBUTION, revision=1))
        where = {"checkpoint": donor["checkpoint"], "digest": donor["digest"], "iteration": 2}
        assert trial.reset({STATE: member_state(member=2, **where)})
        ready, first = trial.train(), trial.train()
        assert (ready[READY], ready["member"], ready["directive"]) == (True, 2, None)
        assert (first["training_iteration"], first["revision"]) == (3, 0)
        # A member without a checkpoint gets weights of its own.
        assert trial.reset({STATE: member_state(member=3)})
        assert [trial.train()["training_iteration"] for _ in range(2)] == [0, 1]


def test_a_seat_goes_to_another_arm(ray_runtime: None, tmp_path: Path) -> None:
    arms = {"main": blueprint(interval=2), "often": blueprint(interval=1)}
    with seat(tmp_path, member_state(), **arms) as trial:
        trial.train()
        assert "score" not in trial.train()
        trial.direct(directive(1, BECOME, arm="often"))
        result = trial.train()
        assert (result["arm"], result["training_iteration"]) == ("often", 1)
        assert result["checkpoint"] == "members/often/seed0/m1/checkpoints/000001"


def test_tune_keeps_no_checkpoint_of_a_seat(ray_runtime: None, tmp_path: Path) -> None:
    with seat(tmp_path, member_state()) as trial:
        trial.save_checkpoint(str(tmp_path))
        trial.load_checkpoint({})
        assert trial.train()[READY] is True
    assert list(tmp_path.iterdir()) == []
