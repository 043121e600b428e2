"""What loggers are told of a member, as named numbers and sentences; pure.

A name has parts, with slashes between them. What comes from the user's file, such as a knob's
name, is one part, in letters that TensorBoard, Weights & Biases and MLflow all take.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.member_state import MemberState
from orchestrator.pictures import copied, short
from orchestrator.records import Exploit, Fault, MemberRecord, Mutation, Result, Score
from orchestrator.suites import TEST

Values = dict[str, float | str]

_LONGEST = 100


def part(name: str) -> str:
    """A user's name as one part of a name."""
    return re.sub(r"[^\w.-]|^\.+$", "_", name)[:_LONGEST]


def values_of(record: MemberRecord, state: MemberState) -> Values:
    """What a record says of its member; nothing, if it is none that loggers are told of.

    Args:
        state: where the member stands, the record taken in.
    """
    if isinstance(record, Result):
        return {**_of_result(record), **_of_state(state)}
    if isinstance(record, Score):
        name = "test_score" if record.suite == TEST else "score"
        return {} if record.score is None else {name: record.score}
    if isinstance(record, Exploit):
        return {"donor": record.donor, "exploit": _exploited(record)}
    if isinstance(record, Mutation):
        return {"mutation": f"revision {record.revision} by the {record.by}: {record.why}"}
    if isinstance(record, Fault):
        return {"fault": f"{record.where}: {record.error}; {record.action}"}
    return {}


def learner_values(result: Mapping[str, Any]) -> Values:
    """The learner's own numbers in a trial's flat result; no journal keeps them."""
    return {
        name: float(value)
        for name, value in result.items()
        if name.startswith("learner/") and math.isfinite(value)
    }


def hyperparameters_of(state: MemberState) -> dict[str, Any]:
    """A member's hyperparameters: ``hyperparameters/lr``."""
    return {f"hyperparameters/{part(name)}": v for name, v in state.hyperparameters.items()}


def _of_result(record: Result) -> Values:
    values: Values = {
        "env_steps": record.env_steps,
        "episodes": sum(each["episodes"] for each in record.revisions.values()),
        **{f"seconds/{name}": spent for name, spent in record.seconds.items()},
    }
    if record.training_return is not None:
        values["training_return"] = record.training_return
    return values


def _of_state(state: MemberState) -> Values:
    values: Values = {"revision": state.revision, **dict(_ranges(state))}
    return values | {n: v for n, v in hyperparameters_of(state).items() if _is_number(v)}


def _ranges(state: MemberState) -> Iterator[tuple[str, float]]:
    """Both ends of each knob that the member's distribution draws from a range."""
    for knob, marginal in state.distribution.to_json().get("marginals", {}).items():
        for end in ("low", "high"):
            if end in marginal:
                yield f"knobs/{part(knob)}/{end}", marginal[end]


def _exploited(record: Exploit) -> str:
    changed = [
        f"{name} {_shown(record.before.get(name))} → {_shown(value)}"
        for name, value in record.after.items()
        if value != record.before.get(name)
    ]
    return "; ".join([copied(record.member, record.donor), *changed])


def _shown(value: Any) -> str:
    return short(float(value)) if _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
