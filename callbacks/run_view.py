"""What is worth seeing of a run while it goes on; knows no screen.

`RunView` folds records into what a display shows: the members that matter, what moved, how
much is done and how long the rest will take.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.pictures import copied, counted, percent, rounded
from orchestrator.population import Population
from orchestrator.records import (
    Exploit,
    Fault,
    MemberRecord,
    Mutation,
    Record,
    Result,
    RunStarted,
)

Work = Mapping[tuple[str, int], int | None]
"""Training iterations of each member, by (arm, seed); None where nothing says how many."""

FAILED = "failed"
FINISHED = "finished"

_MOVES = 5


# Text


def who(key: MemberKey) -> str:
    """A member's full name: ``main/seed0/m2``."""
    arm, seed, member = key
    return f"{one_line(arm)}/seed{seed}/m{member}"


def score_text(score: float | None) -> str:
    """A score in a few characters; ``–`` for none."""
    if score is None:
        return "–"
    return rounded(score)


def duration(seconds: float) -> str:
    """Seconds as ``45s``, ``1m20s``, ``2h05m`` or ``3d04h``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def one_line(words: str, limit: int = 300) -> str:
    """``words`` without line breaks and control characters, cut after ``limit`` characters."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


# What is shown


@dataclass(frozen=True)
class Move:
    """Something that happened to a member, in words; the member's name is not among them."""

    key: MemberKey
    kind: str
    words: str


@dataclass(frozen=True)
class Row:
    """One member as it is shown.

    Attributes:
        picture: of its distribution, one line.
        next_move: how far its curriculum is from its next move; or that it is over.
    """

    key: MemberKey
    iteration: int
    score: float | None
    revision: int
    picture: str
    next_move: str


class RunView:
    """What a display shows of a run: the ledger's members, and what moved since it began.

    Records are taken on one thread and may be looked at from another: what is kept is
    replaced, never changed in place.

    Args:
        iterations: what there is to do.
        clock: seconds, from any origin.

    Attributes:
        name: the run's, once its start was seen.
        moves: the last few exploits, mutations and faults.
        faults: how many this process has seen.
    """

    def __init__(
        self, ledger: Ledger, iterations: Work, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._populations: Sequence[Population] = tuple(ledger.populations.values())
        self._iterations = iterations
        self._clock = clock
        self._began = clock()
        self._trained = 0
        # Iterations that members have behind them; who is over has done its share.
        self._shares: dict[MemberKey, int] = {}
        self._done = 0
        for population in self._populations:
            for state in population.members.values():
                self._count(population, state)
        self.name = ""
        self.moves: tuple[Move, ...] = ()
        self.faults = 0

    def begin(self) -> None:
        """Time is counted from now on."""
        self._began = self._clock()

    def take(self, record: Record) -> None:
        """Take in one record, which the ledger has taken in already."""
        if isinstance(record, MemberRecord):
            population = self._ledger.populations.get(record.key[:2])
            if population is not None and record.member in population.members:
                self._count(population, population.members[record.member])
        if isinstance(record, RunStarted):
            self.name = one_line(record.name)
        elif isinstance(record, Result):
            self._trained += 1
        elif isinstance(record, Mutation | Exploit | Fault):
            self.faults += isinstance(record, Fault)
            move = Move(record.key, record.kind, _words(record))
            self.moves = (*self.moves, move)[-_MOVES:]

    @property
    def populations(self) -> Sequence[Population]:
        """The populations of the run."""
        return self._populations

    @property
    def elapsed(self) -> float:
        """Seconds since `begin`."""
        return self._clock() - self._began

    @property
    def share(self) -> float | None:
        """How much of the run is done, in [0, 1]; None if nothing says how long it is."""
        done, total = self._progress()
        return None if not total else done / total

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end at the pace since `begin`; None where unknown."""
        done, total = self._progress()
        if total is None or not self._trained or self.elapsed <= 0:
            return None
        return (total - done) / (self._trained / self.elapsed)

    @property
    def work(self) -> str:
        """Share and time left, in words."""
        share, left = self.share, self.seconds_left
        done = counted(self._trained, "iteration") if share is None else percent(share)
        return f"{done} · {'–' if left is None else duration(left)} left"

    def name_of(self, key: MemberKey) -> str:
        """A member's name, as long as it must be to tell it from the others."""
        return who(key) if len(self._populations) > 1 else f"m{key[2]}"

    def told(self, move: Move) -> str:
        """Who moved and how; faults of the run itself have no member."""
        return f"{self.name_of(move.key)} {move.words}" if move.key[2] >= 0 else move.words

    def rows(self, limit: int) -> tuple[list[Row], int]:
        """At most ``limit`` members and how many are left out.

        First come those that moved last, then the best of each population, then the second
        best, and so on; they are listed by population and rank.
        """
        ranked = [_ranked(population) for population in self._populations]
        tiers = (state for tier in itertools.zip_longest(*ranked) for state in tier if state)
        moving = (move.key for move in reversed(self.moves))
        everyone = {state.key for states in ranked for state in states}
        order = dict.fromkeys(itertools.chain(moving, (state.key for state in tiers)))
        chosen = {*[key for key in order if key in everyone][:limit]}
        rows = [
            _row(population, state)
            for population, states in zip(self._populations, ranked, strict=True)
            for state in states
            if state.key in chosen
        ]
        return rows, len(everyone) - len(rows)

    def _progress(self) -> tuple[int, int | None]:
        """Iterations done, and those of the whole run or None."""
        total = 0
        for population in self._populations:
            each = self._iterations.get((population.arm, population.seed))
            if each is None:
                return 0, None
            total += each * population.rules.size
        return self._done, total

    def _count(self, population: Population, state: MemberState) -> None:
        each = self._iterations.get((population.arm, population.seed))
        if each is not None:
            share = each if population.done(state.member) else min(state.iteration, each)
            self._done += share - self._shares.get(state.key, 0)
            self._shares[state.key] = share


def _words(record: Mutation | Exploit | Fault) -> str:
    if isinstance(record, Exploit):
        return copied(record.member, record.donor)
    if isinstance(record, Mutation):
        return f"revision {record.revision} by {record.by}: {one_line(record.why)}"
    return f"fault in {one_line(record.where)}: {one_line(record.error)}; {record.action}"


def _ranked(population: Population) -> list[MemberState]:
    def place(state: MemberState) -> tuple[bool, float, int]:
        return (state.score is None, -(state.score or 0.0), state.member)

    return sorted(population.members.values(), key=place)


def _row(population: Population, state: MemberState) -> Row:
    if state.failed:
        next_move = FAILED
    elif population.done(state.member):
        next_move = FINISHED
    else:
        next_move = population.next_move(state.member)
    return Row(
        key=state.key,
        iteration=state.iteration,
        score=state.score,
        revision=state.revision,
        picture=one_line(state.distribution.picture()),
        next_move=one_line(next_move),
    )
