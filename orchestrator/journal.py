"""The append-only record of everything that was decided: one JSON object a line.

Records that belong together (a boundary's decisions) are written as one entry: every line of
it but the last carries ``"more": true``. An entry that was cut off, by a kill in the middle
of a write, counts as not written at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from orchestrator.records import Record, UnknownRecord, from_json, to_json

R = TypeVar("R", bound=Record)
_MORE = "more"


class DamagedJournal(ValueError):
    """A line other than a half-written last entry cannot be read."""


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
        self._file = open(path, "ab")  # noqa: SIM115 - closed by close()

    def append(self, *records: R) -> tuple[R, ...]:
        """Write ``records`` as one entry; returns them with their time filled in."""
        if not records:
            return ()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        stamped = tuple(replace(record, time=now) for record in records)
        self._file.write(_lines(stamped))
        self._file.flush()
        os.fsync(self._file.fileno())
        return stamped

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


def _lines(records: Sequence[Record]) -> bytes:
    lines = []
    for place, record in enumerate(records):
        data = to_json(record)
        if place < len(records) - 1:
            data[_MORE] = True
        lines.append(json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n")
    return "".join(lines).encode()


def _parse(path: Path) -> tuple[list[Record], int]:
    """The records of whole entries, and how many bytes they take."""
    content = path.read_bytes()
    records: list[Record] = []
    entry: list[Record] = []
    whole = position = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        position += len(line)
        if not line.endswith(b"\n"):
            break
        try:
            data = json.loads(line)
            more = data.pop(_MORE, False)
            entry.append(from_json(data))
        except (ValueError, AttributeError, TypeError) as error:
            detail = str(error) if isinstance(error, UnknownRecord) else "not a JSON object"
            raise DamagedJournal(f"{path}:{number}: every line must be a record: {detail}") from error
        if not more:
            records += entry
            entry = []
            whole = position
    return records, whole
