"""The Tune scheduler: turns what the populations decide into holds, directives and stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune.schedulers import TrialScheduler

from orchestrator import crash_points, env_faults, records, tune
from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.pings import Pings
from orchestrator.population import Population
from orchestrator.results import records_of
from orchestrator.seats import Seats
from orchestrator.standby import Standby
from orchestrator.trial import FLIGHT, READY, UNSAVED

_SAVE_SECONDS = 60.0


class Disobeyed(RuntimeError):
    """A member trained an iteration without what it had been told before."""


class PopulationScheduler(TrialScheduler):  # type: ignore[misc]
    """Runs every population of a ledger in one Tuner.

    A member that has arrived at a boundary is held back by NOOP: its actor lives on, nothing
    is paused or restarted. When the last one is in, the decisions are journalled, sent as
    directives, and all go on at the controller's next step, after the callbacks had their
    turn.

    Args:
        ledger: journal and populations.
        seats: which member works in which trial; shared with `PopulationMutation`.
        max_faults: how often a member of each arm may fail before it is given up.
    """

    def __init__(self, ledger: Ledger, seats: Seats, max_faults: Mapping[str, int]) -> None:
        super().__init__()
        self._ledger = ledger
        self._seats = seats
        self._max_faults = max_faults
        self._standby: dict[tuple[str, int], Standby] = {}
        # Held back by NOOP, and which of them may go on since something has happened.
        self._held: dict[str, Any] = {}
        self._stirred: dict[str, Any] = {}
        self._running: dict[str, Any] = {}
        # Those whose process is not up (again) yet.
        self._starting: dict[str, Any] = {}
        self._pings = Pings()
        self._traces: dict[str, str] = {}
        self._stopping = False

    def request_stop(self) -> None:
        """Save every member after the iteration it is in, then end (safe in a signal handler)."""
        self._stopping = True

    @property
    def ledger(self) -> Ledger:
        """Journal and populations, for the hooks' faults."""
        return self._ledger

    # Tune's hooks

    @never_raises(None)
    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A new seat, or one whose process died: it goes to the member that it names.

        That member may sit elsewhere by now, where seats are fewer than members; then
        another one does, standing where it stands now.
        """
        self._running[trial.trial_id] = self._starting[trial.trial_id] = trial
        named = tune.state_of(trial)
        key = (named["arm"], named["seed"], named["member"])
        if self._seats.trial_of(key) not in (None, trial):
            population = self._ledger.population(key)
            keys = (population.members[member].key for member in population.live())
            free = next((key for key in keys if self._seats.trial_of(key) is None), None)
            if free is None:
                return
            key = free
        self._seats.sit(trial, key)
        tune.set_state(trial, self._ledger.state(key).plain())

    @never_raises(TrialScheduler.STOP)
    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        key = (result["arm"], result["seed"], result["member"])
        if result.get(READY):
            self._traces[trial.trial_id] = result[FLIGHT]
            self._starting.pop(trial.trial_id, None)
            self._seats.started(trial, self._ledger.state(key))
        elif result.get(UNSAVED) is not None:
            return self._give_way(trial, key, result[UNSAVED])
        elif not self._seats.obeys(trial, result["directive"]):
            tune.fail(tune_controller, trial, Disobeyed(f"m{key[2]} trained without a directive"))
            return TrialScheduler.NOOP  # type: ignore[no-any-return]
        else:
            self._ledger.record(*records_of(result, self._ledger.state(key)))
        self._decide(self._ledger.population(key))
        if self._stopping:
            self._save(trial, key)
            self._running.pop(trial.trial_id, None)
            return TrialScheduler.STOP  # type: ignore[no-any-return]
        return self._go_on(trial)

    @never_raises(None)
    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        key = self._seats.member_of(trial)
        if key is None:
            return
        state = self._ledger.state(key)
        given_up = state.faults + 1 > self._max_faults[key[0]]
        action = "failed" if given_up else "retried"
        self._ledger.record(records.Fault(**state.who(), **self._cause(trial), action=action))
        self._release(trial)
        self._seats.ended(trial)
        population = self._ledger.population(key)
        successor = self._standby_of(population).first() if given_up else None
        if successor is not None:
            key = successor.key
            self._seats.sit(trial, key)
            self._stir(population)
        tune.set_state(trial, self._ledger.state(key).plain())
        self._decide(population)

    @never_raises(None)
    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Called once a controller step: lets held trials go on. Tune starts the others itself."""
        if self._ledger.unwritable is not None:
            # What is not journalled is not done: everyone goes back to what is.
            tune.stop_all(tune_controller)
            return
        if self._stopping:
            for trial in [*self._held.values()]:
                self._end(tune_controller, trial)
        for trial in [*self._stirred.values()]:
            action = self._go_on(trial)
            if action == TrialScheduler.CONTINUE:
                tune.train(tune_controller, trial)
            elif action == TrialScheduler.STOP:
                tune.stop(tune_controller, trial)
        for trial in [*self._starting.values()]:
            if trial.status == "PENDING" and self._without_work(trial):
                self._end(tune_controller, trial)
        if self._stopping and not self._running:
            tune.stop_all(tune_controller)
        self._look_after_held(tune_controller)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        self._forget(trial)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        self._forget(trial)

    def debug_string(self) -> str:
        return f"{len(self._ledger.populations)} populations, {len(self._held)} members wait"

    # What follows from them

    def _decide(self, population: Population) -> None:
        due = population.due()
        if not due:
            return
        entry = population.decide(due)
        crash_points.reached("boundary.decided")
        self._ledger.record(*entry)
        self._stir(population)
        crash_points.reached("boundary.recorded")
        exploited = {record.member for record in entry if isinstance(record, records.Exploit)}
        for member in due:
            state = population.members[member]
            trial = self._seats.trial_of(state.key)
            if trial is None:
                # It is told when it gets a seat.
                self._standby_of(population).come(member)
                continue
            if member in exploited:
                self._seats.become(trial, state)
            else:
                tune.set_state(trial, state.plain())

    def _go_on(self, trial: Any) -> str:
        """CONTINUE, NOOP (held back) or STOP; the seat may change hands."""
        key = self._seats.member_of(trial)
        assert key is not None
        population = self._ledger.population(key)
        member = key[2]
        successor = self._standby_of(population).first()
        idle = population.done(member) or population.waiting(member)
        if successor is not None and (idle or self._behind(successor, population, member)):
            self._seats.become(trial, successor)
            self._stir(population)
        elif idle:
            if population.done(member):
                self._release(trial)
                self._running.pop(trial.trial_id, None)
                return TrialScheduler.STOP  # type: ignore[no-any-return]
            self._held[trial.trial_id] = trial
            self._stirred.pop(trial.trial_id, None)
            return TrialScheduler.NOOP  # type: ignore[no-any-return]
        self._release(trial)
        return TrialScheduler.CONTINUE  # type: ignore[no-any-return]

    def _standby_of(self, population: Population) -> Standby:
        whose = (population.arm, population.seed)
        if whose not in self._standby:
            self._standby[whose] = Standby(population, self._seats)
        return self._standby[whose]

    def _stir(self, population: Population) -> None:
        """Have the population's held trials looked at again: some of them may go on."""
        whose = (population.arm, population.seed)
        for name, trial in self._held.items():
            key = self._seats.member_of(trial)
            if key is not None and key[:2] == whose:
                self._stirred[name] = trial

    def _release(self, trial: Any) -> None:
        """The trial is not held back (any more)."""
        self._held.pop(trial.trial_id, None)
        self._stirred.pop(trial.trial_id, None)
        self._pings.forget(trial.trial_id)

    def _cause(self, trial: Any) -> dict[str, Any]:
        """What the failure of a trial came from, as a fault's fields."""
        trace = self._traces.pop(trial.trial_id, None)
        words = None if trace is None else env_faults.last_words(trace)
        if words is None:
            return {"where": "member", "error": tune.error_of(trial)}
        return {"where": "env", "error": str(words), "level": words.level}

    @staticmethod
    def _behind(other: MemberState, population: Population, member: int) -> bool:
        """Whether a member without a seat has fallen behind one that is at a boundary."""
        state = population.members[member]
        return state.decided_at == state.iteration > other.iteration

    def _without_work(self, trial: Any) -> bool:
        key = self._seats.member_of(trial)
        return key is None or self._stopping or self._ledger.population(key).done(key[2])

    def _give_way(self, trial: Any, key: MemberKey, why: str) -> str:
        """A member's disk takes no checkpoint: the run stops, since the others' is the same.

        Its iteration counts as not done; it goes back to its last checkpoint.
        """
        self._not_saved(key, why, "the run was stopped; its last checkpoint stands")
        self.request_stop()
        self._running.pop(trial.trial_id, None)
        return TrialScheduler.STOP  # type: ignore[no-any-return]

    def _save(self, trial: Any, key: MemberKey) -> None:
        """Have the member saved where it stands, unless that was just done."""
        state = self._ledger.state(key)
        if state.own is not None and state.own.iteration == state.iteration:
            return
        if state.iteration == 0:
            return
        saved = tune.save_member(trial, _SAVE_SECONDS)
        if saved is None or UNSAVED in saved:
            why = f"no answer within {_SAVE_SECONDS:.0f} s" if saved is None else saved[UNSAVED]
            self._not_saved(key, why, "its last checkpoint stands")
            return
        self._ledger.record(
            records.CheckpointSaved(
                **state.who(), path=saved["path"], digest=saved["digest"], score=None
            )
        )
        crash_points.reached("signal.saved")

    def _not_saved(self, key: MemberKey, why: str, action: str) -> None:
        who = self._ledger.state(key).who()
        self._ledger.record(records.Fault(**who, where="save", error=why, action=action))

    def _look_after_held(self, controller: Any) -> None:
        for name, death in self._pings.deaths():
            trial = self._held[name]
            self._release(trial)
            tune.fail(controller, trial, death)
        self._pings.ask(self._held)

    def _end(self, controller: Any, trial: Any) -> None:
        self._forget_work(trial)
        tune.stop(controller, trial)

    def _forget(self, trial: Any) -> None:
        self._forget_work(trial)
        key = self._seats.member_of(trial)
        self._seats.leave(trial)
        if key is not None:
            self._stir(self._ledger.population(key))

    def _forget_work(self, trial: Any) -> None:
        self._release(trial)
        self._running.pop(trial.trial_id, None)
        self._starting.pop(trial.trial_id, None)
