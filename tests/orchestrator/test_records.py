"""Every kind of record comes back from JSON as it was; anything else is refused in words."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_catalogue import KINDS, record_of, some_records

from orchestrator.lines import line_of, to_record
from orchestrator.records import (
    VERSION,
    MemberRecord,
    Mutation,
    Record,
    RunEnded,
    Score,
    UnknownRecord,
    finite,
    to_json,
)

everyone = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def from_json(data: Mapping[str, Any]) -> Record:
    return to_record(line_of(json.dumps(data, allow_nan=False).encode()))


def test_the_kinds_are_those_that_the_format_names() -> None:
    assert {kind.kind for kind in KINDS} == {
        "run", "resume", "end", "member", "result", "score", "mutation", "exploit", "boundary",
        "checkpoint", "restore", "prune", "fault",
    }  # fmt: skip


@given(some_records)
def test_a_record_comes_back_equal(record: Record) -> None:
    assert from_json(to_json(record)) == record


@everyone
def test_version_and_kind_stand_first(kind: type[Record]) -> None:
    data = to_json(record_of(kind))
    assert [*data][:2] == ["v", "kind"]
    assert (data["v"], data["kind"]) == (VERSION, kind.kind)


@everyone
def test_every_field_is_written(kind: type[Record]) -> None:
    data = to_json(record_of(kind))
    assert len(data) == len(dataclasses.fields(kind)) + 2


@everyone
def test_an_unknown_field_is_refused_by_name(kind: type[Record]) -> None:
    with pytest.raises(UnknownRecord, match=rf"a {kind.kind} record .*unknown \['oops'\]"):
        from_json({**to_json(record_of(kind)), "oops": 1})


@everyone
def test_a_missing_field_is_refused_by_name(kind: type[Record]) -> None:
    data = to_json(record_of(kind))
    for item in dataclasses.fields(kind):
        if item.default is item.default_factory is dataclasses.MISSING:
            name = item.metadata.get("name", item.name)
            with pytest.raises(UnknownRecord, match=rf"missing \['{name}'\]"):
                from_json({key: value for key, value in data.items() if key != name})


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(UnknownRecord, match=f"`v` must be 1, but got {version!r}"):
        from_json({**to_json(RunEnded(status="finished")), "v": version})


@pytest.mark.parametrize("kind", ["ned", "", None, 3, ["end"]])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    with pytest.raises(UnknownRecord, match=r"`kind` must be one of .*'end'"):
        from_json({**to_json(RunEnded(status="finished")), "kind": kind})


def test_what_may_be_missing_has_a_default() -> None:
    assert from_json({"v": 1, "kind": "end", "status": "failed"}) == RunEnded(status="failed")


def test_a_mutation_says_from_and_to() -> None:
    data = to_json(record_of(Mutation))
    assert {"from", "to"} <= set(data)
    assert not {"before", "after"} & set(data)


def test_lists_come_back_as_tuples() -> None:
    score = record_of(Score, returns=(1.0, None))
    back = from_json(json.loads(json.dumps(to_json(score))))
    assert isinstance(back, Score)
    assert back.returns == (1.0, None)


def test_the_key_names_the_member() -> None:
    record = record_of(Score, arm="wide", seed=3, member=2)
    assert isinstance(record, MemberRecord)
    assert record.key == ("wide", 3, 2)


@everyone
def test_records_cannot_be_changed(kind: type[Record]) -> None:
    record = record_of(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.time = "now"  # type: ignore[misc]


@everyone
def test_mappings_and_tuples_are_all_that_is_nested(kind: type[Record]) -> None:
    """What JSON would bring back as something else has no place in a record."""
    for name, hint in typing.get_type_hints(kind).items():
        if name != "kind":
            assert "list" not in str(hint)
            assert "set" not in str(hint)


@pytest.mark.parametrize(
    ("value", "found"),
    [(1.5, 1.5), (0.0, 0.0), (None, None), (math.nan, None), (math.inf, None), (-math.inf, None)],
)
def test_only_finite_numbers_are_journalled(value: float | None, found: float | None) -> None:
    assert finite(value) == found


@given(st.sampled_from(KINDS))
def test_the_catalogue_makes_each_kind(kind: type[Record]) -> None:
    assert type(record_of(kind)) is kind


def test_extra_values_reach_the_record() -> None:
    changed: Mapping[str, Any] = {"lr": 0.1}
    assert to_json(record_of(Mutation, after=changed))["to"] == changed
