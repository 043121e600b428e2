"""The same contenders in a Tuner, whose trials are actors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ray import tune

from benchmarks.controller.contenders import INTERVAL, Contender, Size
from benchmarks.controller.measured import Make
from benchmarks.controller.toy import ToyTrial
from benchmarks.setting import kept_folder
from orchestrator.trial import READY, STATE

# Of a CPU: all trials fit at once, though the processors have to be shared.
_CPUS = 0.01


class _Clock(tune.Callback):  # type: ignore[misc]
    """When results came in, handshakes left out."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """One more."""
        if not result.get(READY):
            self.moments.append(time.perf_counter())


def rate(make: Make, size: Size) -> float:
    """Results a second, once all actors are up."""
    with kept_folder("controller") as run_dir, make(run_dir, size) as contender:
        clock = _Clock()
        results = _tuner(contender, clock, run_dir, size).fit()
        if results.num_errors:
            raise RuntimeError(f"all trials must end, but {results.num_errors} failed")
    moments = clock.moments
    if len(moments) != size.members * size.results:
        raise RuntimeError(
            f"{size.members * size.results} results must come, but got {len(moments)}"
        )
    return (len(moments) - 1) / (moments[-1] - moments[0])


def _tuner(contender: Contender, clock: _Clock, run_dir: Path, size: Size) -> tune.Tuner:
    trainable = tune.with_parameters(
        ToyTrial,
        run_dir=str(run_dir),
        interval=INTERVAL,
        last=contender.last,
        seats=size.seats,
    )
    return tune.Tuner(
        tune.with_resources(trainable, {"CPU": _CPUS}),
        param_space={STATE: tune.grid_search([dict(state) for state in contender.states])},
        tune_config=tune.TuneConfig(
            scheduler=contender.scheduler, max_concurrent_trials=size.seats, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="leg",
            storage_path=str(run_dir / "tune"),
            stop=dict(contender.stop),
            callbacks=[*contender.callbacks, clock],
            failure_config=tune.FailureConfig(max_failures=-1),
            checkpoint_config=tune.CheckpointConfig(
                checkpoint_frequency=0, checkpoint_at_end=False
            ),
            verbose=0,
        ),
    )
