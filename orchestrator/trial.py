"""The Tune Trainable: a seat in which a member works, and the directives that reach it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from orchestrator import crash_points, env_faults, results
from orchestrator.member import Blueprint, Member, NotSaved

STATE = "member_state"
READY = "ready"
UNSAVED = "unsaved"
FLIGHT = "flight"
BECOME = "become"
DISTRIBUTION = "distribution"


class DirectiveFailed(RuntimeError):
    """A directive could not be carried out; the member must not train on without it."""


class MemberFailed(RuntimeError):
    """An iteration failed; the message says what was at the root of it, in one line."""


class MemberTrial(tune.Trainable):  # type: ignore[misc]
    """Owns a `Member`; reports slim, flat results; takes directives between iterations.

    ``config[STATE]`` names where the member stands (`MemberState.plain`); a new process, after
    whatever death, begins there. The first result after a start is a handshake: nothing was
    trained yet, so that the scheduler can hold back a member that waits at a boundary; it says
    where to look for an env's last words, should this process die.
    """

    def setup(
        self, config: Mapping[str, Any], blueprints: Mapping[str, Blueprint], run_dir: str
    ) -> None:
        self._blueprints = blueprints
        self._run_dir = Path(run_dir)
        self._flight = env_faults.new_folder(self._run_dir)
        self._member: Member | None = None
        self._failed: BaseException | None = None
        self._directive: int | None = None
        self._start(config[STATE])

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        """Seat another member in this process; Tune calls it when an actor is reused."""
        self._directive = None
        self._start(new_config[STATE])
        return True

    def _start(self, state: Mapping[str, Any]) -> None:
        blueprint = self._blueprints[state["arm"]]
        self._failed = None
        # Fresh weights are drawn when the Algorithm is built.
        fresh = state["checkpoint"] is None
        if self._member is not None and (fresh or self._member.blueprint is not blueprint):
            # Nobody sits here should the next one fail to start.
            leaving, self._member = self._member, None
            leaving.close()
        if self._member is None:
            self._member = Member(blueprint, self._run_dir, state, self._flight)
        else:
            self._member.become(state)
        self._state = state
        self._greet = True

    @property
    def member(self) -> Member:
        """The member that sits here now."""
        assert self._member is not None
        return self._member

    def step(self) -> dict[str, Any]:
        """One iteration of the member, as a flat result."""
        if self._failed is not None:
            raise DirectiveFailed(f"a directive failed: {_root(self._failed)}") from self._failed
        if self._greet:
            self._greet = False
            trace = env_faults.trace(self._flight)
            ready = {READY: True, FLIGHT: trace, "training_iteration": self.member.iteration}
            return self._result(ready)
        try:
            report = self.member.iterate()
        except NotSaved as error:
            return self._result({UNSAVED: str(error), "training_iteration": self.member.iteration})
        except Exception as error:
            # What is found out about it must not stand in front of it.
            with contextlib.suppress(Exception):
                self.member.post_mortem()
            raise MemberFailed(_root(error)) from error
        return self._result(results.flat(report))

    def direct(self, directive: Mapping[str, Any]) -> None:
        """Carry out a directive; called by the driver between two iterations.

        Its error would stay unseen in an object reference, so the next `step` raises it.
        """
        crash_points.reached("directive.received")
        try:
            if directive["kind"] == BECOME:
                # One that comes before the handshake does not replace it.
                greet = self._greet
                self._start(directive["state"])
                self._greet = greet
            else:
                state = directive["state"]
                self.member.set_distribution(state["distribution"], state["revision"])
            self._directive = directive["id"]
            crash_points.reached("directive.done")
        except Exception as error:
            # The first is the one to tell of: later ones may only follow from it.
            self._failed = self._failed or error

    def save_member(self) -> dict[str, Any]:
        """Save the member where it stands now; returns iteration, path and digest (or why not)."""
        try:
            path, digest = self.member.save()
        except NotSaved as error:
            return {UNSAVED: str(error)}
        return {"iteration": self.member.iteration, "path": path, "digest": digest}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: Tune keeps none of our checkpoints."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: ``config`` names what to stand on."""

    def cleanup(self) -> None:
        if self._member is not None:
            self._member.close()
        env_faults.remove(self._flight)

    def _result(self, values: dict[str, Any]) -> dict[str, Any]:
        who = {name: self._state[name] for name in ("arm", "seed", "member")}
        return {**who, "directive": self._directive, **values}


def _root(error: BaseException) -> str:
    """What an error comes from: RLlib raises a bare RuntimeError from an env's own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
