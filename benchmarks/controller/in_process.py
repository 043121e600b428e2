"""Tune's own `TuneController` with its trials in this process: a thousand processes fit nowhere.

All that is replaced is its actor manager: a task is carried out when the controller asks for the
next event, one task an event, in the order in which they were sent. Results, decisions and hooks
go the way that they go in any run. What is missing are Ray's calls to actors, which take the
driver time as well: a scheduler's share of the time is larger here than in a Tuner.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ray
from ray.air.execution._internal import TrackedActor
from ray.tune.execution.tune_controller import TuneController

Handler = Callable[..., None]


class Stepped(Protocol):
    """What stands for a Trainable."""

    def step(self) -> dict[str, Any]:
        """One result."""
        ...

    def direct(self, directive: Mapping[str, Any]) -> None:
        """Carry out a directive."""
        ...


class InProcess(TuneController):  # type: ignore[misc]
    """Runs every trial's task itself.

    Args:
        make: what stands for the Trainable, from a trial's config.
        options: as for `TuneController`.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], Stepped], **options: Any) -> None:
        super().__init__(**options)
        self._actor_manager = _Actors(make)

    @property
    def toys_seconds(self) -> float:
        """What the trials' tasks took, which is none of the controller's time."""
        seconds: float = self._actor_manager.seconds
        return seconds

    @property
    def results(self) -> int:
        """How many results the trials have reported."""
        count: int = self._actor_manager.results
        return count


class _Actors:
    """The part of Ray's `RayActorManager` that `TuneController` needs."""

    def __init__(self, make: Callable[[Mapping[str, Any]], Stepped]) -> None:
        self._make = make
        self._pending: deque[tuple[TrackedActor, dict[str, Any]]] = deque()
        # As Ray's has it, of which the controller takes the first part.
        self._live_actors_to_ray_actors_resources: dict[TrackedActor, tuple[_Actor, None]] = {}
        self._tasks: deque[tuple[TrackedActor, Handler]] = deque()
        self.seconds = 0.0
        self.results = 0

    def add_actor(
        self,
        cls: object,
        kwargs: dict[str, Any],
        resource_request: object,
        on_start: Handler,
        on_stop: Handler,
        on_error: Handler,
    ) -> TrackedActor:
        """Have an actor started at one of the next events."""
        tracked = TrackedActor(
            uuid.uuid4().int, on_start=on_start, on_stop=on_stop, on_error=on_error
        )
        self._pending.append((tracked, kwargs))
        return tracked

    def schedule_actor_task(
        self,
        tracked_actor: TrackedActor,
        method_name: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        on_result: Handler | None = None,
        on_error: Handler | None = None,
        _return_future: bool = False,
    ) -> None:
        """Have ``train`` run at one of the next events; nothing else is to be done."""
        if method_name == "train" and on_result is not None:
            self._tasks.append((tracked_actor, on_result))

    def next(self, timeout: float | None = None) -> bool:
        """Handle one event; False without any."""
        if self._pending:
            tracked, kwargs = self._pending.popleft()
            actor = _Actor(self, self._make(kwargs["config"]))
            self._live_actors_to_ray_actors_resources[tracked] = (actor, None)
            tracked._on_start(tracked)
            return True
        if not self._tasks:
            return False
        tracked, on_result = self._tasks.popleft()
        actor = self._live_actors_to_ray_actors_resources[tracked][0]
        result = self.timed(actor.toy.step)
        self.results += 1
        on_result(tracked, result)
        return True

    def timed(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """Run a task of a trial."""
        begin = time.perf_counter()
        answer = task(*arguments)
        self.seconds += time.perf_counter() - begin
        return answer

    def remove_actor(
        self, tracked_actor: TrackedActor, kill: bool = False, stop_future: object = None
    ) -> bool:
        """The actor is gone at once."""
        self._live_actors_to_ray_actors_resources.pop(tracked_actor, None)
        return False

    def is_actor_started(self, tracked_actor: TrackedActor) -> bool:
        """Whether the actor is there."""
        return tracked_actor in self._live_actors_to_ray_actors_resources

    def is_actor_failed(self, tracked_actor: TrackedActor) -> bool:
        """None does."""
        return False

    def clear_actor_task_futures(self, tracked_actor: TrackedActor) -> None:
        """A trial that is stopped has no task under way."""

    def get_live_actors_resources(self) -> dict[str, float]:
        """None are taken."""
        return {}

    def cleanup(self) -> None:
        """Nothing is left."""

    @property
    def num_live_actors(self) -> int:
        return len(self._live_actors_to_ray_actors_resources)

    @property
    def num_pending_actors(self) -> int:
        return len(self._pending)

    @property
    def num_total_actors(self) -> int:
        return self.num_live_actors + self.num_pending_actors

    @property
    def num_actor_tasks(self) -> int:
        return len(self._tasks)


class _Actor:
    """A trial's handle, as far as scheduler, callbacks and controller call it."""

    def __init__(self, manager: _Actors, toy: Stepped) -> None:
        self.toy = toy
        self.direct = _Method(lambda directive: manager.timed(toy.direct, directive))
        self.get_auto_filled_metrics = _Method(lambda **options: {})
        self.get_current_ip_pid = _Method(lambda: ray.put(None))


class _Method:
    """A method that is done as soon as it is called."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.remote = method
