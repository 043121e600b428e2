"""The append-only record of everything that was decided: one JSON object a line.

Records that belong together (a boundary's decisions) are written as one entry: every line of
it but the last carries ``"more": true``. An entry that was cut off, by a kill in the middle
of a write, counts as not written at all. Each line ends with a CRC-32 of what stands before
it (``"crc"``), so that a changed byte is noticed even where the line still reads well; a line
without one, such as one written by hand, is taken as it is.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from orchestrator import crash_points
from orchestrator.records import Record, UnknownRecord, from_json, to_json

_MORE = "more"
_CRC = "crc"
_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"}$')


class DamagedJournal(ValueError):
    """A line other than a half-written last entry cannot be read."""


class Unwritable(OSError):
    """The disk does not take a record; what is not journalled is not done."""


def read(path: Path) -> list[Record]:
    """All whole entries of a journal, in order; safe while another process writes it.

    Raises:
        DamagedJournal: naming file and line.
        FileNotFoundError: if there is none.
    """
    return _parse(path)[0]


class Journal:
    """Writes records, each entry flushed to disk (fsync) before `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open for appending; a half-written last entry is dropped.

        Raises:
            DamagedJournal: if a line elsewhere cannot be read.
        """
        self.path = path
        self.records: tuple[Record, ...] = ()
        if path.exists():
            records, whole = _parse(path)
            self.records = tuple(records)
            if whole < path.stat().st_size:
                os.truncate(path, whole)
        # Unbuffered: after a failed write nothing may be left that a later one would add.
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()

    def append(self, *records: Record) -> tuple[Record, ...]:
        """Write ``records`` as one entry; returns them as a reader will find them.

        Their time is filled in, and their values are what JSON makes of them: whoever takes
        them in stands where a later replay will stand. Should anything fail, nothing is
        written.

        Raises:
            ValueError: if a number is not finite, or the journal is closed.
            TypeError: if a value is none that JSON has.
            Unwritable: if the disk does not take it.
        """
        if not records:
            return ()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = _lines([replace(record, time=now) for record in records])
        written = tuple(_record(line)[0] for line in lines)
        try:
            self._write(b"".join(line + b"\n" for line in lines))
        except OSError as error:
            why = error.strerror or str(error)
            raise Unwritable(f"{self.path}: records must be written, but: {why}") from error
        return written

    def close(self) -> None:
        """Close the file; appending after this raises ValueError."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, content: bytes) -> None:
        handle = self._file.fileno()
        before = os.fstat(handle).st_size
        try:
            if crash_points.due("journal.half"):
                os.write(handle, content[: len(content) // 2])
                crash_points.die()
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            crash_points.reached("journal.written")
            os.fsync(handle)
        except BaseException:
            os.truncate(handle, before)
            raise
        crash_points.reached("journal.flushed")


def _lines(records: Sequence[Record]) -> list[bytes]:
    lines = []
    for place, record in enumerate(records):
        data = to_json(record)
        if place < len(records) - 1:
            data[_MORE] = True
        # All of it ASCII: no reader meets a separator (U+2028) that it takes for a line's end.
        body = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()[:-1]
        lines.append(body + b',"%s":"%08x"}' % (_CRC.encode(), zlib.crc32(body)))
    return lines


def _record(line: bytes) -> tuple[Record, bool]:
    """The record on one line, and whether its entry goes on in the next.

    Raises:
        ValueError: saying why it is none.
    """
    data = json.loads(line, parse_constant=_refuse)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    if _CRC in data:
        seal = _SEAL.search(line)
        if seal is None or int(seal[1], 16) != zlib.crc32(line[: seal.start()]):
            raise ValueError("its bytes are not those that were written (`crc` differs)")
        del data[_CRC]
    more = data.pop(_MORE, False)
    return from_json(data), bool(more)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _parse(path: Path) -> tuple[list[Record], int]:
    """The records of whole entries, and how many bytes they take."""
    records: list[Record] = []
    entry: list[Record] = []
    whole = position = 0
    # Not splitlines(), which would take a damaged byte for a line's end.
    *lines, _cut_off = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        position += len(line) + 1
        try:
            record, more = _record(line)
        except (ValueError, TypeError, RecursionError) as error:
            raise DamagedJournal(f"{path}:{number}: {_why(error)}") from error
        entry.append(record)
        if not more:
            records += entry
            entry = []
            whole = position
    return records, whole


def _why(error: Exception) -> str:
    syntax: tuple[type[Exception], ...] = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
    if isinstance(error, UnknownRecord) or not isinstance(error, syntax):
        return f"every line must be a record: {error}"
    return f"every line must be a record: not a JSON object ({error})"


__all__ = ["DamagedJournal", "Journal", "Unwritable", "read"]
