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

from orchestrator import records, seeding
from orchestrator.curricula import Change, Progress
from orchestrator.distributions import Distribution, distribution_from_json
from orchestrator.exploit import ranking
from orchestrator.member_state import MemberState, Rules, Saved
from orchestrator.suites import SELECT


class Population:
    """The members of one (arm, seed)."""

    def __init__(self, arm: str, seed: int, rules: Rules) -> None:
        self.arm = arm
        self.seed = seed
        self.rules = rules
        self.members: dict[int, MemberState] = {}
        # Where a member goes back to after a fault or in a new process.
        self._anchors: dict[int, MemberState] = {}

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
            for member in record.members:
                self._move(member, decided_at=record.iteration)
        elif isinstance(record, records.MemberStarted):
            self._begin(record)
        elif isinstance(record, records.Result):
            self._train(record)
        elif isinstance(record, records.Score) and record.suite == SELECT:
            score = -math.inf if record.score is None else record.score
            self.members[record.member] = replace(
                self.members[record.member], score=score, scored_at=record.iteration
            )
        elif isinstance(record, records.CheckpointSaved):
            self._save(record)
        elif isinstance(record, records.Exploit):
            self._copy(record)
        elif isinstance(record, records.Restored):
            self._restore(record)
        elif isinstance(record, records.Mutation):
            distribution = distribution_from_json(self.rules.space, record.after)
            self._move(
                record.member,
                distribution=distribution,
                revision=record.revision,
                progress=Progress(),
            )
        elif isinstance(record, records.Fault):
            self._fail(record)

    def _begin(self, record: records.MemberStarted) -> None:
        state = MemberState(
            key=record.key,
            hyperparameters=record.hyperparameters,
            distribution=distribution_from_json(self.rules.space, record.distribution),
        )
        self.members[record.member] = self._anchors[record.member] = state

    def _train(self, record: records.Result) -> None:
        state = self.members[record.member]
        self.members[record.member] = replace(
            state,
            iteration=record.iteration,
            env_steps=record.env_steps,
            minutes=state.minutes + sum(record.seconds.values()) / 60.0,
            training_return=record.training_return,
            progress=state.progress.after(record.revisions.get(str(state.revision))),
        )

    def _save(self, record: records.CheckpointSaved) -> None:
        saved = Saved(record.path, record.digest, record.iteration, record.score)
        state = replace(self.members[record.member], restore_point=saved, own=saved)
        self.members[record.member] = state
        # A synchronous run resumes exactly, and so from where everything was reseeded.
        if self.rules.mode == "async" or record.iteration % self.rules.interval == 0:
            self._anchors[record.member] = state

    def _copy(self, record: records.Exploit) -> None:
        donor = self.members[record.donor].own
        iteration = donor.iteration if donor is not None else record.iteration
        self._move(
            record.member,
            hyperparameters=record.after,
            restore_point=Saved(record.checkpoint, record.digest, iteration),
            score=None,
            scored_at=-1,
            # Returns of other weights say nothing about these.
            progress=Progress(),
        )

    def _restore(self, record: records.Restored) -> None:
        saved = Saved(record.path, record.digest, record.iteration, record.score)
        self._move(
            record.member,
            iteration=record.iteration,
            env_steps=record.env_steps,
            minutes=record.minutes,
            hyperparameters=record.hyperparameters,
            distribution=distribution_from_json(self.rules.space, record.distribution),
            revision=record.revision,
            restore_point=saved,
            own=saved,
            score=record.score,
            scored_at=-1 if record.score is None else record.iteration,
            # What was decided there once holds for the others; it is not decided again.
            decided_at=record.iteration,
            progress=Progress(),
        )

    def _fail(self, record: records.Fault) -> None:
        if record.member not in self.members:
            return
        if record.action == "retried":
            faults = self.members[record.member].faults + 1
            self.members[record.member] = replace(self._anchors[record.member], faults=faults)
        elif record.action == "failed":
            self._move(record.member, failed=True)

    def _rewind(self, member: int) -> None:
        """A new process: back to the anchor (unless nothing is left to do), faults forgiven."""
        state = self.members[member]
        if state.failed or not self.done(member):
            state = self._anchors[member]
        self.members[member] = self._anchors[member] = replace(state, failed=False, faults=0)

    def _move(self, member: int, **changes: Any) -> None:
        """A decision: it holds for the member now and for a process that starts it anew."""
        self.members[member] = replace(self.members[member], **changes)
        self._anchors[member] = replace(self._anchors[member], **changes)

    # Who stands where

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
        live = self.live()
        waiting = [member for member in live if self.waiting(member)]
        if self.rules.mode == "async" or not waiting:
            return waiting
        boundary = min(self.members[member].iteration for member in waiting)
        for member in live:
            if member not in waiting and self.members[member].decided_at < boundary:
                return []
        return [member for member in waiting if self.members[member].iteration == boundary]

    def restore_points(self) -> list[Saved]:
        """Checkpoints that a member stands on, or would be put back on."""
        states = [*self.members.values(), *self._anchors.values()]
        return [saved for state in states for saved in (state.restore_point, state.own) if saved]

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
        chosen = sorted(members)
        scores = {
            member: state.score
            for member, state in self.members.items()
            if state.score is not None and not state.failed
        }
        decisions: list[records.Record] = []
        for member in chosen:
            rng = self._generator("exploit", member)
            donor = self.rules.exploit.donor_for(member, scores, rng)
            if donor is not None:
                decisions += self._exploit(member, donor)
        # One record for each iteration: asynchronous members may be due at different ones.
        ranked = tuple((member, records.finite(score)) for member, score in ranking(scores))
        for iteration in sorted({self.members[member].iteration for member in chosen}):
            together = (m for m in chosen if self.members[m].iteration == iteration)
            decisions.append(
                records.Boundary(
                    arm=self.arm,
                    seed=self.seed,
                    iteration=iteration,
                    members=tuple(together),
                    ranking=ranked,
                )
            )
        return decisions

    def _exploit(self, member: int, donor: int) -> list[records.Record]:
        state, source = self.members[member], self.members[donor]
        if source.own is None or state.own is None:
            lacks = donor if source.own is None else member
            return [
                records.Fault(
                    **state.who(),
                    where="exploit",
                    error=f"to copy m{donor}, m{lacks} must have a checkpoint, but has none",
                    action=f"m{member} goes on as it is",
                )
            ]
        explored = self.rules.explore.explore(
            source.hyperparameters, self.rules.search, self._generator("explore", member)
        )
        exploit = records.Exploit(
            **state.who(),
            donor=donor,
            checkpoint=source.own.path,
            digest=source.own.digest,
            saved=state.own.path,
            before=state.hyperparameters,
            after={**source.hyperparameters, **explored},
        )
        change = self.rules.curriculum.at_exploit(
            source.distribution, self._generator("mutate", member)
        )
        if change.distribution == state.distribution:
            return [exploit]
        why = f"{change.why} of m{donor}'s"
        return [exploit, self._mutation(member, Change(change.distribution, why), "scheduler")]

    def widen(self) -> list[records.Record]:
        """The callback's decisions: what training returns have earned at decided boundaries."""
        mutations: list[records.Record] = []
        for member in self.live():
            state = self.members[member]
            if state.decided_at == state.iteration > 0:
                change = self.rules.curriculum.between(state.distribution, state.progress)
                if change is not None:
                    mutations.append(self._mutation(member, change, "callback"))
        return mutations

    def next_move(self, member: int) -> str:
        """One line: how far the member's curriculum is from its next move."""
        state = self.members[member]
        return self.rules.curriculum.next_move(state.distribution, state.progress)

    def _mutation(self, member: int, change: Change, by: str) -> records.Mutation:
        state = self.members[member]
        return records.Mutation(
            **state.who(),
            revision=state.revision + 1,
            by=by,
            why=change.why,
            before=state.distribution.to_json(),
            after=change.distribution.to_json(),
        )

    def _generator(self, purpose: str, member: int) -> Any:
        iteration = self.members[member].iteration
        return seeding.generator(self.seed, self.arm, purpose, iteration, member)
