"""One run of a contender in this process, and where the driver's time and memory went."""

from __future__ import annotations

import functools
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Experiment
from ray.tune.search import BasicVariantGenerator

from benchmarks.controller.contenders import INTERVAL, JOURNAL, Contender, Size
from benchmarks.controller.in_process import InProcess
from benchmarks.controller.toy import Toy, ToyTrial
from benchmarks.setting import kept_folder
from orchestrator.trial import STATE

Make = Callable[[Path, Size], AbstractContextManager[Contender]]

_DECIDING, _KEEPING, _JOURNAL = "deciding", "keeping", "journal"


@dataclass(frozen=True)
class Times:
    """Seconds of the driver, those of the toys left out.

    Attributes:
        results: how many were reported, handshakes included.
        whole: all of the controller's steps.
        deciding: scheduler and mutations, but for the journal.
        keeping: linking the best checkpoints and removing others, but for the journal.
        journal: writing all records, flushing them, and reading them back.
        records: how many.
    """

    results: int
    whole: float
    deciding: float
    keeping: float
    journal: float
    records: int

    @property
    def rate(self) -> float:
        """Results a second."""
        return self.results / self.whole


class Stopwatch:
    """Seconds spent in methods, by name; a method that another one calls counts by itself."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._names: list[str] = []
        self._since = 0.0

    def watch(self, owner: object, method: str, name: str) -> None:
        """Measure a method of one object from now on."""
        watched = getattr(owner, method)

        @functools.wraps(watched)
        def measured(*arguments: Any, **options: Any) -> Any:
            self._count()
            self._names.append(name)
            try:
                return watched(*arguments, **options)
            finally:
                self._count()
                self._names.pop()

        setattr(owner, method, measured)

    def _count(self) -> None:
        now = time.perf_counter()
        if self._names:
            self.seconds[self._names[-1]] += now - self._since
        self._since = now


def timed(make: Make, size: Size) -> Times:
    """Run a contender to its end; needs a Ray session, which has nothing to do."""
    with kept_folder("controller") as run_dir, make(run_dir, size) as contender:
        watch = _watched(contender)
        controller = in_process(contender, run_dir, size)
        # Tune makes the trials in its first step.
        controller.step()
        begin = time.perf_counter()
        run(controller)
        whole = time.perf_counter() - begin - controller.toys_seconds
        with open(run_dir / JOURNAL, "rb") as lines:
            records = sum(1 for _ in lines)
        return Times(
            results=controller.results,
            whole=whole,
            deciding=watch.seconds[_DECIDING],
            keeping=watch.seconds[_KEEPING],
            journal=watch.seconds[_JOURNAL],
            # Those that brought the members into being were written before.
            records=records - size.members,
        )


def memory(make: Make, size: Size) -> int:
    """Bytes of Python objects that a contender and its Tuner hold after a run."""
    with kept_folder("controller") as run_dir:
        tracemalloc.start()
        try:
            with make(run_dir, size) as contender:
                controller = in_process(contender, run_dir, size)
                run(controller)
                held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return held


def _watched(contender: Contender) -> Stopwatch:
    watch = Stopwatch()
    for hook in ("on_trial_result", "choose_trial_to_run"):
        watch.watch(contender.scheduler, hook, _DECIDING)
    for callback, name in zip(contender.callbacks, (_DECIDING, _KEEPING), strict=False):
        watch.watch(callback, "on_trial_result", name)
    if contender.journal is not None:
        watch.watch(contender.journal, "append", _JOURNAL)
    return watch


class _State(dict[str, Any]):
    """Tune would copy all states of a grid for each of its trials."""

    def __deepcopy__(self, memo: object) -> _State:
        return self


def run(controller: InProcess) -> None:
    """Step to the end."""
    while not controller.is_finished():
        controller.step()


def in_process(contender: Contender, run_dir: Path, size: Size) -> InProcess:
    """What `Tuner.fit` makes of a contender.

    Raises:
        ValueError: if its trials were to come one after another, which is done by actors alone.
    """
    if len(contender.states) > size.seats:
        raise ValueError(
            f"here every trial must have a seat, but {len(contender.states)} share {size.seats}"
        )
    experiment = Experiment(
        "leg",
        ToyTrial,
        stop=dict(contender.stop),
        config={STATE: tune.grid_search([_State(state) for state in contender.states])},
        storage_path=str(run_dir / "tune"),
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        max_failures=-1,
    )
    search = BasicVariantGenerator(max_concurrent=size.seats)
    controller = InProcess(
        lambda config: Toy(config[STATE], run_dir, INTERVAL, contender.last),
        search_alg=search,
        scheduler=contender.scheduler,
        callbacks=list(contender.callbacks),
        storage=experiment.storage,
        trial_checkpoint_config=experiment.checkpoint_config,
        reuse_actors=True,
    )
    search.add_configurations([experiment])
    controller.update_max_pending_trials(size.seats)
    controller.setup_experiments([experiment], search.total_samples)
    return controller
