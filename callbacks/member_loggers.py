"""Loggers of Ray Tune's that see members where Tune would show them seats."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.logger import LoggerCallback
from ray.tune.result import TRAINING_ITERATION

from callbacks.background import InBackground
from callbacks.logged_member import LoggedMember
from callbacks.logged_values import Values, hyperparameters_of, learner_values, values_of
from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.records import Fault, MemberRecord, Record, Result

_log = logging.getLogger("envolve")

FOLDER = "tensorboard"
_AT_THE_END = 60.0
"""Seconds that all loggers have together for what is left to do when the run ends."""


@dataclass
class _Logger:
    """A logger, the thread that it works on, and whether its failure was told of."""

    name: str
    callback: LoggerCallback
    thread: InBackground
    told: bool = False


class MemberLoggers(Callback):  # type: ignore[misc]
    """Tells each logger of each member, over its training iterations, whatever seat it is in.

    Most is told as records are taken in (`take`, a listener of the ledger); from Tune's results
    come the learner's own numbers, which no record has. A member is begun with the first
    thing that there is to tell of it. Loggers work on threads of their own, so that a slow one
    holds up nobody; the first error of one is a fault in the journal, and its last word.

    Args:
        loggers: by the names that faults call them by.
        identity: the run's, unlike any other's.
        about: by arm, what is said of all its members beside their hyperparameters.
    """

    def __init__(
        self,
        ledger: Ledger,
        loggers: Mapping[str, LoggerCallback],
        run_dir: Path,
        identity: str,
        about: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.ledger = ledger
        self._run_dir = run_dir
        self._identity = identity
        self._about = about
        self._members: dict[MemberKey, LoggedMember] = {}
        self._loggers = [
            _Logger(name, callback, InBackground(name)) for name, callback in loggers.items()
        ]
        self._call("setup")

    @never_raises(None)
    def take(self, record: Record) -> None:
        """Tell of a record, which the ledger has taken in already."""
        if not isinstance(record, MemberRecord) or record.member < 0:
            return
        state = self.ledger.state(record.key)
        values = values_of(record, state)
        if values and record.key not in self._members:
            self._begin(state, before=state.iteration - isinstance(record, Result))
        if values:
            # The test suite is played by an earlier checkpoint, but no logger goes back.
            self._log_values(record.key, state.iteration, values)

    @never_raises(None)
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        key = (result["arm"], result["seed"], result["member"])
        values = learner_values(result)
        if values and key in self._members:
            self._log_values(key, result[TRAINING_ITERATION], values)

    @never_raises(None)
    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """A moment at which the ledger takes records from us."""
        self._tell_failures()

    @never_raises(None)
    def close(self) -> None:
        """Bring every member to its end, and give the loggers some time to get done."""
        begun = [*self._members.values()]
        for state in self.ledger.states():
            done = self.ledger.population(state.key).done(state.member)
            if done and state.key not in self._members:
                # Nothing was left to do; but the process that it ended in may have been killed.
                self._members[state.key] = self._logged(state, before=state.iteration)
            if state.key in self._members:
                self._members[state.key].unfinished = not done
                self._members[state.key].failed = state.failed
        for member in begun:
            self._call("log_trial_end", member, member.failed)
        self._call("on_experiment_end", [*self._members.values()])
        for logger in self._loggers:
            logger.thread.close()
        deadline = time.monotonic() + _AT_THE_END
        for logger in self._loggers:
            if not logger.thread.wait(max(0.0, deadline - time.monotonic())):
                error = f"it was not done within {_AT_THE_END:.0f} s of the end"
                self._record(logger.name, error, "what it has not got by now is missing there")
        self._tell_failures()

    def __getstate__(self) -> dict[str, object]:
        # Tune pickles its callbacks into state files, which a resume never reads.
        return {}

    def _log_values(self, key: MemberKey, iteration: int, values: Values) -> None:
        result = {TRAINING_ITERATION: iteration, **values}
        self._call("log_trial_result", iteration, self._members[key], result)

    def _begin(self, state: MemberState, before: int) -> None:
        """Begin with a member, of which iterations up to ``before`` were told of, or none were."""
        member = self._members[state.key] = self._logged(state, before)
        for logger in self._loggers:
            logger.thread.call(member.init_local_path)
        self._call("log_trial_start", member)

    def _logged(self, state: MemberState, before: int) -> LoggedMember:
        arm, seed, member = state.key
        name = f"{arm}-seed{seed}-m{member}"
        digest = hashlib.sha256(f"{self._identity}/{name}".encode()).hexdigest()
        who = {"arm": arm, "seed": seed, "member": member}
        return LoggedMember(
            trial_id=digest[:16],
            name=name,
            config={**who, **self._about[arm], **hyperparameters_of(state)},
            experiment_dir_name=f"{self._run_dir.name}/{arm}",
            local_path=str(self._run_dir / FOLDER / name),
            begun_at=before,
        )

    def _call(self, hook: str, *arguments: Any) -> None:
        for logger in self._loggers:
            logger.thread.call(getattr(logger.callback, hook), *arguments)

    def _tell_failures(self) -> None:
        for logger in self._loggers:
            error = logger.thread.failure
            if error is not None and not logger.told:
                logger.told = True
                _log.debug("%s failed", logger.name, exc_info=error)
                what = f"{type(error).__name__}: {error}"
                self._record(logger.name, what, "nothing more is logged there; the run went on")

    def _record(self, name: str, error: str, action: str) -> None:
        self.ledger.record(Fault.of_run(f"loggers: {name}", error, action))
