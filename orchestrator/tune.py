"""The one place that knows Tune's insides: a trial's actor, its config, its next iteration.

See ``orchestrator.rllib`` for why private names are kept in one place, and the contract test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from orchestrator.trial import STATE


def state_of(trial: Any) -> Mapping[str, Any]:
    """Where the trial's member stood when its config was last written."""
    state: Mapping[str, Any] = trial.config[STATE]
    return state


def set_state(trial: Any, state: Mapping[str, Any]) -> None:
    """Write where the member stands now; a restarted trial begins there."""
    trial.set_config({**trial.config, STATE: dict(state)})


def send(trial: Any, directive: Mapping[str, Any]) -> bool:
    """Hand the trial's actor a directive, before its next iteration; False without an actor.

    Actor calls of one caller run in order, so it precedes any ``train`` sent later.
    """
    actor = trial.temporary_state.ray_actor
    if actor is None:
        return False
    actor.direct.remote(directive)
    return True


def call(trial: Any, function: Callable[..., None], *arguments: Any) -> bool:
    """Have the trial's actor call ``function(trainable, *arguments)`` before its next iteration.

    Of any Trainable; nobody waits for it, and an error in it stays unseen. False without an actor.
    """
    actor = trial.temporary_state.ray_actor
    if actor is None:
        return False
    actor.__ray_call__.remote(function, *arguments)
    return True


def train(controller: Any, trial: Any) -> None:
    """Let a trial that was held back (NOOP) train its next iteration."""
    _unwrapped(controller)._schedule_trial_train(trial)


def stop(controller: Any, trial: Any) -> None:
    """Stop a trial that has no iteration under way, or never started."""
    _give_directory(trial)
    _unwrapped(controller).stop_trial(trial)


def stop_all(controller: Any) -> None:
    """End the run; trials that were not started yet never will be."""
    unwrapped = _unwrapped(controller)
    for trial in unwrapped.get_trials():
        _give_directory(trial)
    unwrapped.request_stop_experiment()


def save_member(trial: Any, timeout: float) -> dict[str, Any] | None:
    """Have the trial's member saved now, after what its actor is doing; None if it cannot be.

    Args:
        timeout: seconds to wait.
    """
    actor = trial.temporary_state.ray_actor
    if actor is None:
        return None
    try:
        saved: dict[str, Any] = ray.get(actor.save_member.remote(), timeout=timeout)
    except RayError:
        return None
    return saved


def ping(trial: Any) -> Any:
    """Ask the trial's actor for a sign of life; give the answer to `answered`."""
    return trial.temporary_state.ray_actor.get_current_ip_pid.remote()


def answered(reference: Any) -> bool:
    """Whether there is an answer to a ping, or the certainty that none will come."""
    ready, _ = ray.wait([reference], timeout=0)
    return bool(ready)


def death(reference: Any) -> Exception | None:
    """Why an actor could not answer the ping; None if it did."""
    try:
        ray.get(reference)
    except RayError as error:
        failure: Exception = error
        return failure
    return None


def fail(controller: Any, trial: Any, error: Exception) -> None:
    """Have Tune handle ``error`` as if the trial's last task had raised it."""
    _unwrapped(controller)._trial_task_failure(trial, error)


def error_of(trial: Any) -> str:
    """What the trial's last failure was: the last line of it, without the module's name."""
    try:
        text = Path(trial.error_file).read_text()
    except (OSError, TypeError):
        return "unknown error"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("orchestrator.trial.") if lines else "unknown error"


def _give_directory(trial: Any) -> None:
    """Tune asks every trial for its directory in the end, which one that never ran has not."""
    trial.init_local_path()


def _unwrapped(controller: Any) -> Any:
    # Schedulers are handed a proxy that warns about every attribute outside a short list.
    return getattr(controller, "_tune_controller", controller)
