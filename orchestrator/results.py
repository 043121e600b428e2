"""A member's iteration as Tune carries it, one level deep, and as the journal's records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator import records
from orchestrator.decisions import CURRICULUM
from orchestrator.member_state import MemberState
from orchestrator.report import Report
from orchestrator.sketch import journalled
from orchestrator.suites import SELECT

_MOVED = "moved"
_OUTLOOK = "outlook"


def flat(report: Report) -> dict[str, Any]:
    """One level deep; lists stay whole in Tune's flattening, dicts would not."""
    values: dict[str, Any] = {
        "training_iteration": report.iteration,
        "env_steps": report.env_steps,
        "revision": report.revision,
        "episodes": report.episodes,
        "revisions": [[number, *counts] for number, counts in report.revisions.items()],
        **{f"seconds/{part}": spent for part, spent in report.seconds.items()},
        **report.learner,
    }
    if report.training_return is not None:
        values["training_return"] = report.training_return
    if report.move is not None:
        values[_MOVED] = [report.move.why, journalled(report.move.stand.distribution).to_json()]
    if report.outlook is not None:
        values[_OUTLOOK] = [report.outlook.text, report.outlook.waits]
    if report.score is not None and report.returns is not None:
        values |= {
            "score": report.score,
            "returns": list(report.returns),
            "checkpoint": report.checkpoint,
            "digest": report.digest,
        }
    return values


def records_of(result: Mapping[str, Any], state: MemberState) -> list[records.Record]:
    """What a trial's flat result says, as the journal's records.

    Args:
        state: where the member stood before.
    """
    who = {name: result[name] for name in ("arm", "seed", "member")}
    who["iteration"] = result["training_iteration"]
    next_move, waits = result.get(_OUTLOOK, (None, False))
    found: list[records.Record] = [
        records.Result(
            **who,
            training_return=records.finite(result.get("training_return")),
            env_steps=result["env_steps"],
            revisions={
                str(number): {"episodes": episodes, "return": mean}
                for number, episodes, mean in result["revisions"]
                if math.isfinite(mean)
            },
            seconds={
                name.removeprefix("seconds/"): value
                for name, value in result.items()
                if name.startswith("seconds/")
            },
            directive=result.get("directive"),
            next_move=next_move,
            waits=waits,
        )
    ]
    if _MOVED in result:
        why, distribution = result[_MOVED]
        found.append(
            records.Mutation(
                **who,
                revision=result["revision"],
                by=CURRICULUM,
                why=why,
                before=state.distribution.to_json(),
                after=distribution,
            )
        )
    if result.get("checkpoint") is not None:
        score = records.finite(result["score"])
        returns = tuple(records.finite(value) for value in result["returns"])
        found.append(records.Score(**who, score=score, suite=SELECT, returns=returns))
        found.append(
            records.CheckpointSaved(
                **who, path=result["checkpoint"], digest=result["digest"], score=score
            )
        )
    return found
