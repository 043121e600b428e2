"""Whatever was cut off is as if never written; whatever was changed is found out."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_catalogue import record_of, some_records

from orchestrator.journal import DamagedJournal, Journal, read
from orchestrator.records import (
    Fault,
    MemberStarted,
    Pruned,
    Record,
    Result,
    RunEnded,
    Score,
    to_json,
)

FIRST = record_of(MemberStarted, hyperparameters={"lr": 1e-3})
SECOND = record_of(Score, returns=(1.0, None, -2.5))
SHORT = RunEnded(status="stopped")
ENTRY = (record_of(Result), record_of(Fault, error="ü\u2028\n"), record_of(Score, score=None))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of flushes to disk would show nothing and take their time."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def write(path: Path, *entries: Sequence[Record]) -> list[list[Record]]:
    """Append entries in one go; what was returned for each."""
    with Journal(path) as journal:
        return [list(journal.append(*entry)) for entry in entries]


def untimed(records: Sequence[Record]) -> list[Record]:
    return [replace(record, time="") for record in records]


@settings(max_examples=60)
@given(st.lists(st.lists(some_records, max_size=3), max_size=3))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, entries: list[list[Record]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    written = [record for entry in write(path, *entries) for record in entry]
    assert read(path) == written
    assert untimed(written) == untimed([record for entry in entries for record in entry])
    with Journal(path) as again:
        assert list(again.records) == written


def test_what_is_returned_is_what_a_reader_finds(path: Path) -> None:
    hyperparameters = {"layers": (64, 64), "lr": 1}
    ((record,),) = write(path, [record_of(MemberStarted, hyperparameters=hyperparameters)])
    assert isinstance(record, MemberStarted)
    assert record.hyperparameters == {"layers": [64, 64], "lr": 1}
    assert read(path) == [record]


def test_the_time_is_now_in_utc(path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    ((record,),) = write(path, [FIRST])
    assert before <= datetime.fromisoformat(record.time) <= datetime.now(UTC)


def test_records_of_one_entry_have_one_time(path: Path) -> None:
    (entry,) = write(path, ENTRY)
    assert len({record.time for record in entry}) == 1


def test_a_line_is_a_record_with_version_and_kind_first(path: Path) -> None:
    write(path, [FIRST], ENTRY)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [[*line][:3] for line in lines] == [["v", "kind", "time"]] * 4
    assert [line.get("more") for line in lines] == [None, True, True, None]


def test_nothing_is_an_entry_of_no_lines(path: Path) -> None:
    assert write(path, []) == [[]]
    assert path.read_bytes() == b""


def test_a_journal_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(path)


def test_opening_creates_it(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.records == ()
    assert read(path) == []


# Cut off


@pytest.mark.usefixtures("no_flush")
@pytest.mark.parametrize(
    "last", [(SECOND,), (SHORT, SECOND, SHORT)], ids=["one record", "three records"]
)
def test_an_entry_cut_at_any_byte_was_never_written(path: Path, last: Sequence[Record]) -> None:
    kept, also = write(path, [FIRST], [SHORT, SHORT])
    whole = path.read_bytes()
    write(path, last)
    longer = path.read_bytes()
    for end in range(len(whole), len(longer)):
        path.write_bytes(longer[:end])
        assert read(path) == kept + also
        assert path.read_bytes() == longer[:end]
        with Journal(path) as journal:
            assert list(journal.records) == kept + also
            assert path.read_bytes() == whole
            (new,) = journal.append(SECOND)
        assert read(path) == [*kept, *also, new]


def test_a_first_entry_cut_at_any_byte_leaves_an_empty_journal(path: Path) -> None:
    write(path, [SHORT, SHORT])
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with Journal(path) as journal:
            assert journal.records == ()
        assert path.read_bytes() == b""


# Damaged


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_a_byte_changed_anywhere_is_named_by_its_line(path: Path, flip: int) -> None:
    write(path, [FIRST], [SHORT, SHORT], [SHORT])
    content = path.read_bytes()
    for place in range(len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= flip
        path.write_bytes(damaged)
        # A line's end that is gone joins it with the next; one too many makes two of it.
        line = content[:place].count(b"\n") + 1
        opened = Journal if place % 10 == 0 else read
        with pytest.raises(DamagedJournal) as caught:
            opened(path)
        assert str(caught.value).startswith(f"{path}:{line}: every line must be a record: ")
        assert path.read_bytes() == damaged


def test_a_carriage_return_is_no_line_end(path: Path) -> None:
    """A byte that becomes one must not let all that follows pass for cut off."""
    write(path, [FIRST], [SECOND])
    content = path.read_bytes().replace(b'"v"', b'"v\r', 1)
    path.write_bytes(content)
    with pytest.raises(DamagedJournal, match=r"jsonl:1: "):
        Journal(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "not a JSON object"),
        ("{", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("3", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"v":1}', "`kind` must be one of"),
        ('{"v":2,"kind":"end","status":"x"}', "`v` must be 1, but got 2"),
        ('{"v":1,"kind":"end","status":"x","more":false,"x":1}', r"unknown \['x'\]"),
        ('{"v":1,"kind":"end","status":NaN}', "NaN is no JSON number"),
        ('{"v":1,"kind":"end","status":"x","crc":"00000000"}', "`crc` differs"),
        ('{"v":1,"kind":"end","crc":"00000000","status":"x"}', "`crc` differs"),
        ("[" * 100_000, "not a JSON object"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_record_is_an_error(path: Path, line: str, why: str) -> None:
    write(path, [FIRST])
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DamagedJournal, match=rf"journal\.jsonl:2: every line must be .*{why}"):
        read(path)


def test_a_line_without_a_checksum_is_taken_as_it_is(path: Path) -> None:
    record = RunEnded(status="finished", time="2026-01-01")
    path.write_text(json.dumps(to_json(record)) + "\n")
    assert read(path) == [record]


# Odd contents


@pytest.mark.parametrize(
    "text", ["a\u2028b\u2029c", "\x0b\x0c\x1c\x1d\x1e\x85", "\r\n\r", "\x00\x7f", "\ud800", "ü😀"]
)
def test_no_text_breaks_a_line(path: Path, text: str) -> None:
    fault = record_of(Fault, error=text, level={text: [text]})
    write(path, [fault], [SECOND])
    assert len(path.read_text(encoding="ascii").splitlines()) == 2
    found = read(path)[0]
    assert replace(found, time="") == fault


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused_and_nothing_is_written(
    path: Path, value: float
) -> None:
    with Journal(path) as journal:
        with pytest.raises(ValueError, match="JSON"):
            journal.append(FIRST, record_of(Score, score=value))
        assert path.read_bytes() == b""
        (good,) = journal.append(FIRST)
    assert read(path) == [good]


def test_values_that_json_lacks_are_refused_and_nothing_is_written(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(TypeError):
            journal.append(FIRST, record_of(MemberStarted, hyperparameters={"lr": object()}))
        assert path.read_bytes() == b""


# Disks and other processes


def test_an_append_that_fails_leaves_the_journal_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with Journal(path) as journal:
        (first,) = journal.append(FIRST)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space left"):
                journal.append(*ENTRY)
        assert read(path) == [first]
        (second,) = journal.append(SECOND)
    assert read(path) == [first, second]


def test_a_write_in_pieces_is_completed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all = os.write
    monkeypatch.setattr(os, "write", lambda handle, rest: write_all(handle, rest[:7]))
    (entry,) = write(path, ENTRY)
    assert read(path) == entry


def test_each_entry_is_on_disk_before_append_returns_but_for_results_or_prunings_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(path.read_bytes()))
    result = record_of(Result)
    with Journal(path) as journal:
        journal.append(FIRST)
        journal.append(*ENTRY)
        journal.append(result)
        journal.append(result, result)
        journal.append(record_of(Pruned))
        assert len(read(path)) == 8
        journal.append(SECOND)
    assert [content.count(b"\n") for content in flushed] == [1, 4, 9]


def test_a_reader_sees_only_whole_entries_while_another_writes(path: Path) -> None:
    entries = 20
    done = threading.Event()

    def appending() -> None:
        try:
            with Journal(path) as journal:
                for _ in range(entries):
                    journal.append(*ENTRY)
        finally:
            done.set()

    path.touch()
    writer = threading.Thread(target=appending)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(len(read(path)))
    writer.join()
    seen.append(len(read(path)))
    assert seen[-1] == entries * len(ENTRY)
    assert all(count % len(ENTRY) == 0 for count in seen)
    assert seen == sorted(seen)


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(FIRST)
    assert read(path) == []
