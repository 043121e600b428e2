"""A population: what the journal says of its members, and what has to be decided next.

Pure: records in, records out. The state is a fold over the journal (`Population.apply`), so
a resumed run stands where the journal stands; decisions draw from generators derived from
(seed, arm, purpose, iteration, member), so deciding again gives the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator import decisions, records
from orchestrator.curricula import Outlook, Seen
from orchestrator.distributions import Distribution
from orchestrator.intervals import Intervals
from orchestrator.member_state import MemberState, Rules, Saved
from orchestrator.sketch import journalled_from_json
from orchestrator.suites import SELECT
from orchestrator.turnout import Turnout


class Population:
    """The members of one (arm, seed)."""

    def __init__(self, arm: str, seed: int, rules: Rules) -> None:
        self.arm = arm
        self.seed = seed
        self.rules = rules
        self.members: dict[int, MemberState] = {}
        # What hyperparameters came to, from boundary to boundary.
        self.intervals = Intervals()
        # Where a member goes back to after a fault or in a new process.
        self._anchors: dict[int, MemberState] = {}
        self._turnout = Turnout()
        # Members of whom something was heard since their curriculum had nothing to move.
        self._unsettled: set[int] = set()
        self._best_returns: tuple[float | None, ...] | None = None

    # What the journal says

    def apply(self, record: records.Record) -> None:
        """Take in one record; those of other populations are passed over."""
        if isinstance(record, records.RunResumed):
            for member in self.members:
                self._rewind(member)
            return
        if not isinstance(record, records.MemberRecord | records.Boundary):
            return
        if (record.arm, record.seed) == (self.arm, self.seed):
            self._take(record)

    def _take(self, record: records.MemberRecord | records.Boundary) -> None:
        if isinstance(record, records.Boundary):
            self._decided(record)
        elif isinstance(record, records.MemberStarted):
            self._begin(record)
        elif isinstance(record, records.Result):
            self._train(record)
        elif isinstance(record, records.Score) and record.suite == SELECT:
            self._score(record)
        elif isinstance(record, records.CheckpointSaved):
            self._save(record)
        elif isinstance(record, records.Exploit):
            self._copy(record)
        elif isinstance(record, records.Restored):
            self._restore(record)
        elif isinstance(record, records.Mutation):
            self._mutate(record)
        elif isinstance(record, records.Fault):
            self._fail(record)

    def _begin(self, record: records.MemberStarted) -> None:
        state = MemberState(
            key=record.key,
            hyperparameters=record.hyperparameters,
            distribution=journalled_from_json(self.rules.space, record.distribution),
            curriculum=self._fresh(),
        )
        self._anchors[record.member] = state
        self._put(record.member, state)

    def _train(self, record: records.Result) -> None:
        state = self.members[record.member]
        played = record.revisions.get(str(state.revision), {"episodes": 0, "return": None})
        seen = Seen(
            episodes=int(played["episodes"] or 0),
            mean_return=played["return"],
            iteration=record.iteration,
            env_steps=record.env_steps,
        )
        outlook = None
        if record.next_move is not None:
            outlook = Outlook(record.next_move, record.waits)
        state = replace(
            state,
            iteration=record.iteration,
            env_steps=record.env_steps,
            minutes=state.minutes + sum(record.seconds.values()) / 60.0,
            training_return=record.training_return,
            curriculum=self._observed(state, seen),
            outlook=outlook,
        )
        self._put(record.member, state)

    def _observed(self, state: MemberState, seen: Seen) -> Mapping[str, Any]:
        """The state of a curriculum of the driver; a member's own is in its checkpoints."""
        if self.runs_in_members:
            return state.curriculum
        return self.rules.curriculum.observe(decisions.stand_of(state), seen).state

    def _score(self, record: records.Score) -> None:
        state = replace(
            self.members[record.member],
            score=-math.inf if record.score is None else record.score,
            scored_at=record.iteration,
            returns=record.returns,
        )
        self._put(record.member, state)
        self.intervals.end(record.member, record.iteration, record.score)

    def _mutate(self, record: records.Mutation) -> None:
        changes: dict[str, Any] = {
            "distribution": journalled_from_json(self.rules.space, record.after),
            "revision": record.revision,
            "curriculum": record.state,
            "quiet": 0,
        }
        if record.by == decisions.CURRICULUM:
            # It holds with the checkpoint that follows; a member that goes back makes it anew.
            self._put(record.member, replace(self.members[record.member], **changes))
        else:
            self._move(record.member, **changes)

    def _save(self, record: records.CheckpointSaved) -> None:
        saved = Saved(record.path, record.digest, record.iteration, record.score)
        state = replace(self.members[record.member], restore_point=saved, own=saved)
        self._put(record.member, state)
        # A synchronous run resumes exactly, and so from where everything was reseeded.
        if self.rules.mode == "async" or record.iteration % self.rules.interval == 0:
            self._anchors[record.member] = state

    def _copy(self, record: records.Exploit) -> None:
        donor = self.members[record.donor]
        iteration = donor.own.iteration if donor.own is not None else record.iteration
        self._move(
            record.member,
            hyperparameters=record.after,
            restore_point=Saved(record.checkpoint, record.digest, iteration),
            score=None,
            scored_at=-1,
            returns=(),
            # Returns of other weights say nothing about these.
            curriculum=self._fresh(),
            quiet=0,
        )
        # Not the donor's present score: it may have copied somebody itself, at this boundary.
        score = None if donor.own is None else donor.own.score
        self.intervals.begin(record.member, record.iteration, record.after, score)

    def _decided(self, record: records.Boundary) -> None:
        for member in record.members:
            self._move(member, decided_at=record.iteration, quiet=self.members[member].quiet + 1)
            if "regret" in self.rules.curriculum.needs:
                self._move(member, curriculum=decisions.compared(self, member).state)
            state = self.members[member]
            # Nothing began where an exploit in the same entry did.
            self.intervals.begin(member, record.iteration, state.hyperparameters, state.score)

    def _restore(self, record: records.Restored) -> None:
        saved = Saved(record.path, record.digest, record.iteration, record.score)
        self._move(
            record.member,
            iteration=record.iteration,
            env_steps=record.env_steps,
            minutes=record.minutes,
            hyperparameters=record.hyperparameters,
            distribution=journalled_from_json(self.rules.space, record.distribution),
            revision=record.revision,
            restore_point=saved,
            own=saved,
            score=record.score,
            scored_at=-1 if record.score is None else record.iteration,
            returns=(),
            # What was decided there once holds for the others; it is not decided again.
            decided_at=record.iteration,
            curriculum=self._fresh(),
        )
        self.intervals.forget(record.member)

    def _fail(self, record: records.Fault) -> None:
        if record.member not in self.members:
            return
        if record.action == "retried":
            faults = self.members[record.member].faults + 1
            self._put(record.member, replace(self._anchors[record.member], faults=faults))
        elif record.action == "failed":
            self._move(record.member, failed=True)

    def _rewind(self, member: int) -> None:
        """A new process: back to the anchor (unless nothing is left to do), faults forgiven."""
        state = self.members[member]
        if state.failed or not self.done(member):
            state = self._anchors[member]
        self._anchors[member] = replace(state, failed=False, faults=0)
        self._put(member, self._anchors[member])

    def _move(self, member: int, **changes: Any) -> None:
        """A decision: it holds for the member now and for a process that starts it anew."""
        state, anchor = self.members[member], self._anchors[member]
        moved = replace(state, **changes)
        self._anchors[member] = moved if anchor is state else replace(anchor, **changes)
        self._put(member, moved)

    def _put(self, member: int, state: MemberState) -> None:
        """The member stands here now."""
        before = self.members.get(member, state)
        self.members[member] = state
        self._unsettled.add(member)
        if before.returns is not state.returns or before.failed is not state.failed:
            self._best_returns = None
        if self.done(member):
            self._turnout.leaves(member)
        elif self.waiting(member):
            self._turnout.waits(member, state.iteration)
        else:
            self._turnout.trains(member, state.decided_at)

    def _fresh(self) -> Mapping[str, Any]:
        return {} if self.runs_in_members else self.rules.curriculum.begin(self.rules.space).state

    # Who stands where

    @property
    def runs_in_members(self) -> bool:
        """Whether each member runs the curriculum in its own process."""
        return self.rules.curriculum.owner == "member"

    def done(self, member: int) -> bool:
        """Whether the member has nothing left to do: finished or failed."""
        state = self.members[member]
        return (
            state.failed
            or self.rules.stop.spent(state.iteration, state.env_steps, state.minutes)
            or self.rules.stop.reached(state.score)
        )

    def live(self) -> list[int]:
        """Members that still have something to do."""
        return [member for member in self.members if not self.done(member)]

    def waiting(self, member: int) -> bool:
        """Whether the member stands at a boundary that was not decided yet."""
        state = self.members[member]
        return (
            not self.done(member)
            and state.scored_at == state.iteration > state.decided_at
            and state.iteration % self.rules.interval == 0
        )

    def due(self) -> list[int]:
        """Members to be decided about now.

        In synchronous mode those at the earliest undecided boundary, once every live member
        has reached it. They may be some of the live ones only: a member that had failed and
        was put back catches up alone while the others wait further on.
        """
        return self._turnout.waiting() if self.rules.mode == "async" else self._turnout.complete()

    def restore_points(self) -> list[Saved]:
        """Checkpoints that a member stands on, or would be put back on."""
        return [saved for member in self.members for saved in self.points_of(member)]

    def points_of(self, member: int) -> list[Saved]:
        """Those of one member."""
        states = (self.members[member], self._anchors[member])
        return [saved for state in states for saved in (state.restore_point, state.own) if saved]

    def best_returns(self) -> tuple[float | None, ...]:
        """The best return on each level of the select suite; None where none is known."""
        if self._best_returns is None:
            self._best_returns = decisions.best_returns(self)
        return self._best_returns

    # What is decided

    def first(
        self, beginnings: Sequence[tuple[Mapping[str, Any], Distribution]], by: str
    ) -> list[records.Record]:
        """Records that bring the members into being."""
        return [
            records.MemberStarted(
                arm=self.arm,
                seed=self.seed,
                member=member,
                iteration=0,
                hyperparameters=dict(hyperparameters),
                distribution=distribution.to_json(),
                by=by,
            )
            for member, (hyperparameters, distribution) in enumerate(beginnings)
        ]

    def decide(self, members: Iterable[int]) -> list[records.Record]:
        """The scheduler's decisions about ``members``: exploits, mutations, and that it decided.

        Nothing is applied: the records come back through `apply` once they are journalled.
        """
        return decisions.decide(self, sorted(members))

    def moves(self) -> list[records.Record]:
        """The callback's decisions: where curricula of the driver move at decided boundaries."""
        found = decisions.moves(self, sorted(self._unsettled))
        # The others would say the same again, until something is heard of them.
        self._unsettled = {move.member for move in found}
        return [*found]

    def saved_with(self, member: int) -> MemberState:
        """The member as its own newest checkpoint has it."""
        return self._anchors[member]

    def next_move(self, member: int) -> str:
        """One line: how far the member's curriculum is from its next move, and if it stalls."""
        return decisions.next_move(self, member)
