"""A line has what its record has, whatever that is; types are those that the record promises."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_catalogue import record_of, some_records

from orchestrator import journal
from orchestrator.journal import DamagedJournal, Journal
from orchestrator.lines import Line, line_of, to_record
from orchestrator.records import Exploit, MemberStarted, Record, Result, Score, to_json


def line(record: Record, **changes: Any) -> Line:
    return line_of(json.dumps({**to_json(record), **changes}).encode())


@given(some_records)
def test_a_line_has_the_attributes_of_its_record(record: Record) -> None:
    found = line(record)
    assert found.kind == record.kind
    for item in dataclasses.fields(record):
        assert getattr(found, item.name) == getattr(record, item.name)
    assert to_record(found) == record


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**40])
def test_whole_numbers_stay_whole_however_large(number: int) -> None:
    found = line(record_of(MemberStarted, hyperparameters={"seeds": [number]}, seed=number))
    assert found.seed == number
    assert found.hyperparameters == {"seeds": [number]}
    assert type(found.hyperparameters["seeds"][0]) is int


@pytest.mark.parametrize("text", ["\ud800", "\u2028", "ü😀", '"\\'])
def test_texts_come_back_whatever_is_in_them(text: str) -> None:
    assert line(record_of(Result, arm=text)).arm == text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iteration": "4"}, r"Expected `int`, got `str` - at `\$\.iteration`"),
        ({"iteration": 4.5}, "Expected `int`, got `float`"),
        ({"seed": None}, "Expected `int`, got `null`"),
        ({"returns": [1.0, "x"]}, r"Expected `float \| null`, got `str` - at `\$\.returns\[1\]`"),
        ({"more": 1}, "Expected `bool`, got `int`"),
        ({"crc": None}, "Expected `str`, got `null`"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_place(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        line(record_of(Score), **changes)


def test_a_line_with_a_value_of_another_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [json.dumps(to_json(record_of(Score))) for _ in range(3)]
    path.write_text("\n".join([*lines, lines[0].replace('"member": ', '"member": 0.'), ""]))
    with pytest.raises(DamagedJournal, match=r"jsonl:4: every line must be .*: Expected `int"):
        list(journal.blocks(path))


def test_a_whole_number_may_stand_for_a_real_one() -> None:
    assert line(record_of(Score), score=3, returns=[1, None]).returns == (1.0, None)


@settings(max_examples=30)
@given(st.lists(st.lists(some_records, min_size=1, max_size=4), max_size=6), st.integers(1, 400))
def test_blocks_hold_whole_entries_whatever_their_size(
    tmp_path_factory: pytest.TempPathFactory, entries: list[list[Record]], size: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    with Journal(path) as written:
        for entry in entries:
            written.append(*entry)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "_BLOCK", size)
        found = list(journal.blocks(path))
        assert list(map(to_record, [each for block in found for each in block])) == (
            journal.read(path)
        )
        with Journal(path) as again:
            assert list(again.records) == journal.read(path)
    assert len(journal.read(path)) == sum(map(len, entries))
    assert all(block and not block[-1].more for block in found)


def test_an_entry_may_be_larger_than_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    large = record_of(Exploit, after={"net": "x" * 1000})
    with Journal(path) as written:
        written.append(large, large, large)
        written.append(large)
    monkeypatch.setattr(journal, "_BLOCK", 64)
    content = path.read_bytes()
    assert [len(block) for block in journal.blocks(path)] == [3, 1]
    path.write_bytes(content[:-1])
    assert [len(block) for block in journal.blocks(path)] == [3]
    with Journal(path) as again:
        assert len(again.records) == 3
    assert path.read_bytes() == b"".join(content.splitlines(keepends=True)[:3])
