"""Displays of a run that goes on: a live picture on a terminal, else a plain line per boundary.

A display's `take` is a listener of the ledger. An error in a display is logged and journalled
once, as a fault; the run goes on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from callbacks.live_picture import picture
from callbacks.run_view import RunView, Work, duration, one_line, score_text
from orchestrator.ledger import Ledger
from orchestrator.pictures import copied, counted
from orchestrator.population import Population
from orchestrator.records import Boundary, Exploit, Fault, Mutation, Record, RunEnded

_log = logging.getLogger("envolve")
# Each refresh takes time from the driver, which has members to serve.
_REFRESH_PER_SECOND = 2
_NAMED = 3
_LISTED = 6


class Progress(Protocol):
    """A display of a run that goes on. None of the methods raises."""

    def start(self) -> None:
        """Begin to show; the ledger's populations are there, their members need not be."""
        ...

    def take(self, record: Record) -> None:
        """Show one more record; to be registered with `Ledger.listen`."""
        ...

    def stop(self) -> None:
        """Show nothing more and leave the terminal as it was."""
        ...


def progress_on(console: Console, ledger: Ledger, iterations: Work) -> Progress:
    """The display that suits ``console``: live on a terminal, else plain lines."""
    # Rich also calls a pipe a terminal where the environment asks for colours.
    if console.is_terminal and not console.is_dumb_terminal and console.file.isatty():
        return LiveProgress(ledger, iterations, console)
    return PlainProgress(ledger, iterations, console)


class PlainProgress:
    """A line for each boundary and fault, for the start and for the end; for logs and pipes."""

    def __init__(self, ledger: Ledger, iterations: Work, console: Console | None = None) -> None:
        self._view = RunView(ledger, iterations)
        self._console = Console() if console is None else console
        self._guard = _Guard(ledger, type(self).__name__)
        self._moves: list[Exploit | Mutation] = []
        self._ended = False

    def start(self) -> None:
        """Say what there is to train."""
        with self._guard.kept():
            self._view.begin()
            self._say("", start_line(self._view.populations))

    def take(self, record: Record) -> None:
        """Print the record's line, if it has one."""
        with self._guard.kept():
            self._view.take(record)
            self._print(record)
        self._guard.tell()

    def stop(self) -> None:
        """Say that no more follows, unless the run's own end was seen."""
        with self._guard.kept():
            if not self._ended:
                self._say("", self._end_line("progress ends here"))
        self._guard.tell()

    def _print(self, record: Record) -> None:
        if isinstance(record, Exploit | Mutation):
            self._moves.append(record)
        elif isinstance(record, Boundary):
            whose = (record.arm, record.seed)
            moves = [move for move in self._moves if move.key[:2] == whose]
            self._moves = [move for move in self._moves if move.key[:2] != whose]
            self._say(record.time, f"{boundary_line(record, moves)}; {self._view.work}")
        elif isinstance(record, Fault):
            self._say(record.time, self._view.told(self._view.moves[-1]))
        elif isinstance(record, RunEnded):
            self._ended = True
            self._say(record.time, self._end_line(f"end: {one_line(record.status)}"))

    def _end_line(self, how: str) -> str:
        faults = counted(self._view.faults, "fault")
        return f"{how}; {self._view.work}; {faults}; took {duration(self._view.elapsed)}"

    def _say(self, when: str, line: str) -> None:
        # Written past rich, which would wrap it, and may end the process on a closed pipe.
        stream = self._console.file
        encoding = getattr(stream, "encoding", None) or "utf-8"
        line = f"{_time_of_day(when)} {line}\n".encode(encoding, "replace").decode(encoding)
        stream.write(line)
        stream.flush()


def start_line(populations: Sequence[Population]) -> str:
    """What there is to train: members, arms, seeds, and where they go on from."""
    states = [state for population in populations for state in population.members.values()]
    begun = min((state.iteration for state in states), default=0)
    arms = list(dict.fromkeys(one_line(population.arm) for population in populations))
    seeds = sorted({population.seed for population in populations})
    members = counted(sum(population.rules.size for population in populations), "member")
    first = f"goes on from iteration {begun}" if begun else "start"
    return f"{first}: {members}; {_listed('arm', arms)}; {_listed('seed', seeds)}"


def boundary_line(boundary: Boundary, moves: Sequence[Exploit | Mutation]) -> str:
    """Who stands where at a boundary, and what moved since the last one.

    Args:
        moves: exploits and mutations of the boundary's population.
    """
    parts = [_ranking(boundary)]
    copies = [
        f"m{move.member} {copied(move.member, move.donor)}"
        for move in moves
        if isinstance(move, Exploit)
    ]
    if copies:
        more = [f"{len(copies) - _NAMED} more copy"] if len(copies) > _NAMED else []
        parts.append(", ".join([*copies[:_NAMED], *more]))
    mutations = len(moves) - len(copies)
    if mutations:
        parts.append(counted(mutations, "mutation"))
    where = f"{one_line(boundary.arm)}/seed{boundary.seed} iteration {boundary.iteration}"
    return f"{where}: {'; '.join(parts)}"


def _ranking(boundary: Boundary) -> str:
    if not boundary.ranking:
        return "no scores yet"
    (best, top), (worst, bottom) = _ranked(boundary, 0), _ranked(boundary, -1)
    if len(boundary.ranking) == 1:
        return f"m{best} {score_text(top)}"
    # Half way down: those in the middle of a ranking, which is in order.
    half = len(boundary.ranking) // 2
    median = (_ranked(boundary, half)[1] + _ranked(boundary, -half - 1)[1]) / 2
    return (
        f"best m{best} {score_text(top)}, median {score_text(median)}, "
        f"worst m{worst} {score_text(bottom)}"
    )


def _ranked(boundary: Boundary, place: int) -> tuple[int, float]:
    member, score = boundary.ranking[place]
    return member, -math.inf if score is None else score


class LiveProgress:
    """A picture of the run that is kept up to date in place, on a terminal."""

    def __init__(self, ledger: Ledger, iterations: Work, console: Console | None = None) -> None:
        self._view = RunView(ledger, iterations)
        self._console = Console() if console is None else console
        self._guard = _Guard(ledger, type(self).__name__)
        self._live: Live | None = None

    def start(self) -> None:
        """Begin to show; what others print appears above the picture."""
        with self._guard.kept():
            self._view.begin()
            self._live = _GuardedLive(
                self._guard,
                console=self._console,
                get_renderable=self._picture,
                refresh_per_second=_REFRESH_PER_SECOND,
                transient=True,
            )
            self._live.start()

    def take(self, record: Record) -> None:
        """Keep the record for the next refresh."""
        with self._guard.kept():
            self._view.take(record)
        self._guard.tell()

    def stop(self) -> None:
        """Take the picture away: what the run came to is for a table to say."""
        with self._guard.kept():
            if self._live is not None:
                self._live.stop()
        self._guard.tell()

    def _picture(self) -> RenderableType:
        try:
            return picture(self._view, self._console.width, self._console.height)
        except Exception as error:
            self._guard.keep(error)
            return Text("the progress cannot be shown; the run goes on")


class _GuardedLive(Live):
    """A live display whose own thread survives an error, too."""

    def __init__(self, guard: _Guard, **options: Any) -> None:
        self._guard = guard
        super().__init__(**options)

    def refresh(self) -> None:
        with self._guard.kept():
            super().refresh()


class _Guard:
    """Keeps a display's errors from the run; the first is logged and journalled as a fault."""

    def __init__(self, ledger: Ledger, where: str) -> None:
        self._ledger = ledger
        self._where = where
        self._error: Exception | None = None
        self._told = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep an error of the block; may be used on any thread."""
        try:
            yield
        except Exception as error:
            self.keep(error)

    def keep(self, error: Exception) -> None:
        """Remember the error if it is the first."""
        self._error = self._error or error

    def tell(self) -> None:
        """Journal the first error, once; only on the thread that writes the journal."""
        error = self._error
        if error is None or self._told:
            return
        self._told = True
        # A terminal that is gone breaks logging, too; after the end the journal is closed.
        with suppress(Exception):
            _log.error("%s failed; the run goes on", self._where, exc_info=error)
        with suppress(Exception):
            self._ledger.record(
                Fault.of_run(self._where, f"{type(error).__name__}: {error}", "went on")
            )


def _listed(thing: str, names: Sequence[object]) -> str:
    shown = [str(name) for name in names[:_LISTED]]
    more = ["…"] if len(names) > _LISTED else []
    return f"{counted(len(names), thing)} ({', '.join([*shown, *more])})"


def _time_of_day(when: str) -> str:
    """Local time, of a record's or of now."""
    moment = datetime.fromisoformat(when) if when else datetime.now(UTC)
    return moment.astimezone().strftime("%H:%M:%S")
