"""The append-only record of everything that was decided: one JSON object a line.

Records that belong together (a boundary's decisions) are written as one entry: every line of
it but the last carries ``"more": true``. An entry that was cut off, by a kill in the middle
of a write, counts as not written at all. Each line ends with a CRC-32 of what stands before
it (``"crc"``), so that a changed byte is noticed even where the line still reads well; a line
without one, such as one written by hand, is taken as it is.

An entry of results or prunings alone is not flushed to disk before the next entry is. A process
that dies loses nothing by it; where the machine loses power, a resume goes on from a boundary,
trains those iterations again, and prunes again what nobody needs.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from msgspec import UNSET

from orchestrator import crash_points
from orchestrator.lines import Line, line_of, to_record
from orchestrator.records import Pruned, Record, Result, UnknownRecord, to_json

_MORE = "more"
_CRC = "crc"
_SEAL = b',"%s":"%%08x"}' % _CRC.encode()
_SEAL_LENGTH = len(_SEAL % 0)

# Bytes that are read at once: few enough that what they become lies in the processor's cache.
_BLOCK = 2**18


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
    return [to_record(line) for block in blocks(path) for line in block]


def blocks(path: Path) -> Iterator[list[Line]]:
    """As `read`, but some entries at a time, and lines that have the attributes of the records.

    For readers that want little of many records.
    """
    return (found for found, _ in _blocks(path))


class Journal:
    """Writes records; when `append` returns, they outlive the process.

    All but prunings and results of iterations between boundaries are flushed to disk then
    (fsync), and with them whatever was written before.
    """

    def __init__(self, path: Path) -> None:
        """Open for appending; a half-written last entry is dropped.

        Raises:
            DamagedJournal: if a line elsewhere cannot be read.
        """
        self.path = path
        self.records: tuple[Record, ...] = ()
        if path.exists():
            records: list[Record] = []
            whole = 0
            for found, whole in _blocks(path):  # noqa: B007 - the last one counts
                records += map(to_record, found)
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
            ValueError: if a number is not finite, a value is of another type than its field, or
                the journal is closed.
            TypeError: if a value is none that JSON has.
            Unwritable: if the disk does not take it.
        """
        if not records:
            return ()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = lines_of(records, now)
        written = tuple(to_record(line_of(line)) for line in lines)
        flush = not all(isinstance(record, Result | Pruned) for record in records)
        try:
            self._write(b"".join(lines), flush=flush)
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

    def _write(self, content: bytes, *, flush: bool) -> None:
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
            if flush:
                os.fsync(handle)
        except BaseException:
            os.truncate(handle, before)
            raise
        crash_points.reached("journal.flushed")


def lines_of(records: Sequence[Record], time: str | None = None) -> list[bytes]:
    """One entry as it is written: a line for each record, with its end.

    Args:
        time: of all of them; each has its own without.

    Raises:
        ValueError: if a number is not finite.
        TypeError: if a value is none that JSON has.
    """
    lines = []
    for place, record in enumerate(records):
        data = to_json(record)
        if time is not None:
            data["time"] = time
        if place < len(records) - 1:
            data[_MORE] = True
        # All of it ASCII: no reader meets a separator (U+2028) that it takes for a line's end.
        body = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()[:-1]
        lines.append(body + _SEAL % zlib.crc32(body) + b"\n")
    return lines


def _blocks(path: Path) -> Iterator[tuple[list[Line], int]]:
    """Lines of whole entries, and how many bytes they and all before them take."""
    begun: list[Line] = []
    number = position = 0
    rest = b""
    with open(path, "rb", buffering=0) as file:
        # What is written meanwhile may be taken back, should the disk be full.
        size = os.fstat(file.fileno()).st_size
        while block := file.read(min(max(_BLOCK, len(rest)), size - file.tell())):
            # Not splitlines(), which would take a damaged byte for a line's end.
            *texts, rest = (rest + block).split(b"\n")
            begun += _named(texts, path, number)
            number += len(texts)
            position += sum(map(len, texts)) + len(texts)
            ended = len(begun)
            while ended and begun[ended - 1].more:
                ended -= 1
            if ended:
                open_texts = texts[len(texts) - (len(begun) - ended) :]
                yield begun[:ended], position - sum(map(len, open_texts)) - len(open_texts)
                del begun[:ended]


def _named(texts: Sequence[bytes], path: Path, before: int) -> list[Line]:
    """The lines of these texts, which stand behind so many others.

    Raises:
        DamagedJournal: naming the first that is none.
    """
    try:
        return _lines(texts)
    except (ValueError, RecursionError) as error:
        if len(texts) == 1:
            raise DamagedJournal(f"{path}:{before + 1}: {_why(error)}") from error
    alone = ([text] for text in texts)
    return [line for place, one in enumerate(alone, before) for line in _named(one, path, place)]


def _lines(texts: Sequence[bytes]) -> list[Line]:
    """The lines of these texts; where they are sealed, the seals are those of their bytes.

    Raises:
        ValueError, RecursionError: saying why one is none.
    """
    lines = [line_of(text) for text in texts]
    for text, line in zip(texts, lines, strict=True):
        if line.crc != f"{zlib.crc32(text[:-_SEAL_LENGTH]):08x}" and line.crc is not UNSET:
            raise ValueError("its bytes are not those that were written (`crc` differs)")
    return lines


def _why(error: Exception) -> str:
    syntax: tuple[type[Exception], ...] = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
    if isinstance(error, UnknownRecord) or not isinstance(error, syntax):
        return f"every line must be a record: {error}"
    return f"every line must be a record: not a JSON object ({error})"


__all__ = ["DamagedJournal", "Journal", "Unwritable", "blocks", "lines_of", "read"]
