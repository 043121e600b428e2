"""Which member works in which Tune trial, and the way directives take to it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from orchestrator import crash_points, tune
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.trial import BECOME, DISTRIBUTION


class Seats:
    """A trial is a seat: it holds one member at a time, of one population.

    With a seat for each member they stay where they are; in a population with fewer seats
    than members a seat changes hands at boundaries, by a directive, in the same process.
    """

    def __init__(self) -> None:
        self._trials: dict[MemberKey, Any] = {}
        self._members: dict[str, MemberKey] = {}
        self._left: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self._ids = itertools.count(1)
        # The directive that a trial has to have carried out before it trains again.
        self._expected: dict[str, int | None] = {}
        # Trials whose actor was still starting, with what may be an older state.
        self._unreached: set[str] = set()

    def sit(self, trial: Any, key: MemberKey) -> None:
        """Note that ``trial`` now holds this member (and no longer another)."""
        self._stand_up(trial)
        self._members[trial.trial_id] = key
        self._trials[key] = trial

    def leave(self, trial: Any) -> None:
        """Note that ``trial`` holds nobody any more."""
        self.ended(trial)
        self._stand_up(trial)

    def left(self, arm: str, seed: int) -> list[int]:
        """Members of a population that have lost a seat since this was last asked."""
        return self._left.pop((arm, seed), [])

    def member_of(self, trial: Any) -> MemberKey | None:
        """Who sits in ``trial``."""
        return self._members.get(trial.trial_id)

    def trial_of(self, key: MemberKey) -> Any | None:
        """Where a member sits, or None."""
        return self._trials.get(key)

    def started(self, trial: Any, state: MemberState) -> None:
        """The trial's new process is up; bring it what was decided while it was starting."""
        self._expected.setdefault(trial.trial_id, None)
        if trial.trial_id in self._unreached:
            self._unreached.discard(trial.trial_id)
            self._send(trial, BECOME, state)

    def ended(self, trial: Any) -> None:
        """The trial's process is gone; the next one begins where the config says."""
        self._expected.pop(trial.trial_id, None)
        self._unreached.discard(trial.trial_id)

    def obeys(self, trial: Any, directive: int | None) -> bool:
        """Whether a result's echo is the last directive that was sent."""
        return self._expected.get(trial.trial_id) == directive

    def become(self, trial: Any, state: MemberState) -> None:
        """Have the trial go on as this member, standing where it stands."""
        self.sit(trial, state.key)
        self._send(trial, BECOME, state)

    def redistribute(self, state: MemberState) -> None:
        """Bring a member's distribution to its envs; one without a seat gets it with its seat."""
        trial = self.trial_of(state.key)
        if trial is not None:
            self._send(trial, DISTRIBUTION, state)

    def _stand_up(self, trial: Any) -> None:
        key = self._members.pop(trial.trial_id, None)
        if key is not None:
            self._trials.pop(key, None)
            self._left[key[:2]].append(key[2])

    def _send(self, trial: Any, kind: str, state: MemberState) -> None:
        plain = state.plain()
        # The config first: should the actor be dead already, its successor begins here.
        tune.set_state(trial, plain)
        number = next(self._ids)
        if tune.send(trial, {"id": number, "kind": kind, "state": plain}):
            self._expected[trial.trial_id] = number
            crash_points.reached("directive.sent")
        else:
            self._unreached.add(trial.trial_id)
