"""What stock Tune forgets, misreads or waits for when a run is taken up again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig
from ray.tune.schedulers import PopulationBasedTraining

from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import (
    SILENCE,
    UNEQUAL,
    fit,
    pbt,
    restored,
    saved,
    start_ray,
    steps,
    tuner,
)

_RATES = [0.1, 0.2, 0.3]
_EVERY = CheckpointConfig(checkpoint_frequency=1)


def truncated_state(folder: Path) -> Outcome:
    """The file that Tune resumes from is cut, as by a full disk or a loss of power."""
    start_ray(folder, cpus=2)
    space = {"rate": tune.grid_search(_RATES[:2]), "fails_at": 4}
    fit(tuner(folder, "run", space, 6, checkpoint=_EVERY), folder, "run")
    for state in (folder / "run").glob("experiment_state-*.json"):
        os.truncate(state, state.stat().st_size // 2)
    results = _continued(folder)
    if isinstance(results, Exception):
        return Outcome(f"refused: {type(results).__name__}", lost=False)
    configs = [result.config for result in results]
    text = f"2 trials at iteration 3, resumed by a fit() that raised nothing: {len(configs)} trial"
    return Outcome(f"{text} with the config {configs}", len(configs) < 2)


def empty_tuner(folder: Path) -> Outcome:
    """The other file that Tune resumes from is empty."""
    start_ray(folder, cpus=1)
    fit(tuner(folder, "run", {"fails_at": 4}, 6, checkpoint=_EVERY), folder, "run")
    os.truncate(folder / "run" / "tuner.pkl", 0)
    results = _continued(folder)
    count = len(saved(folder, "run"))
    if isinstance(results, Exception):
        text = f"{type(results).__name__}, with {count} good checkpoints on disk"
        return Outcome(text, lost=True)
    return Outcome("it went on", lost=False)


class Observed(PopulationBasedTraining):  # type: ignore[misc]
    """Stock PBT that writes down, before each result, of how many trials it knows a score."""

    def __init__(self, notes: Path, **options: Any) -> None:
        super().__init__(**options)
        self._notes = notes

    def on_trial_result(self, controller: Any, trial: Any, result: Any) -> Any:
        note = {
            "trial": trial.trial_id,
            "iteration": result["training_iteration"],
            "own": len(self.last_scores([trial])),
            "known": len(self.last_scores(controller.get_trials())),
        }
        with open(self._notes, "a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        return super().on_trial_result(controller, trial, result)


def _observed(notes: Path) -> Observed:
    return Observed(
        notes,
        time_attr="training_iteration",
        perturbation_interval=4,
        hyperparam_mutations={"rate": tune.uniform(0.0, 1.0)},
        resample_probability=0.0,
    )


def scores_forgotten(folder: Path) -> Outcome:
    """PBT resumed between its comparisons at iterations 4 and 8."""
    start_ray(folder, cpus=len(_RATES))
    notes = folder / "notes.jsonl"
    space = {"rate": tune.grid_search(_RATES), "fails_at": 7}
    fit(
        tuner(folder, "run", space, 9, scheduler=_observed(notes), checkpoint=_EVERY), folder, "run"
    )
    before = _read(notes)
    _continued(folder)
    after = _read(notes)[len(before) :]
    most, first = max(note["known"] for note in before), after[0]
    # A trial's score is known from the comparison on.
    compared = min(note["iteration"] for note in after if note["own"]) - 1
    text = f"scores known before: {most} of {len(_RATES)}, after the restore: {first['known']}"
    text = f"{text}; the comparison due at iteration 8 came at {compared}"
    return Outcome(text, first["known"] < most or compared != 8)


def retry_forgotten(folder: Path) -> Outcome:
    """One trial fails between two comparisons and is retried by ``max_failures``."""
    start_ray(folder, cpus=2)
    notes = folder / "notes.jsonl"
    space = {
        "rate": tune.grid_search(_RATES[:2]),
        "fails_at": tune.sample_from(lambda config: 6 if config["rate"] == _RATES[1] else None),
    }
    tuned = tuner(
        folder,
        "run",
        space,
        9,
        scheduler=_observed(notes),
        checkpoint=_EVERY,
        max_failures=1,
    )
    fit(tuned, folder, "run")
    failed = {step["trial"] for step in steps(folder, "run") if step["rate"] == _RATES[1]}
    own = [note for note in _read(notes) if note["trial"] in failed]
    before = next(note["own"] for note in own if note["iteration"] == 5)
    after = next(note["own"] for note in own if note["iteration"] == 6)
    compared = min(note["iteration"] for note in own if note["own"] and note["iteration"] > 6) - 1
    text = f"scores known of the trial before it failed: {before}, when retried: {after}"
    text = f"{text}; its comparison due at iteration 8 came at {compared}"
    return Outcome(text, after < before or compared != 8)


def barrier_deadlocks(folder: Path) -> Outcome:
    """PBT with ``synch=True``, resumed after its second comparison."""
    start_ray(folder, cpus=len(_RATES))
    space = {"rate": tune.grid_search(_RATES), "fails_at": 9}
    tuned = tuner(folder, "run", space, 16, scheduler=pbt(4, synch=True), checkpoint=_EVERY)
    fit(tuned, folder, "run")
    before = _iterations(folder)
    return _standstill(_continued(folder), folder, f"resumed at iterations {before}")


def barrier_waits_for_dead(folder: Path) -> Outcome:
    """PBT with ``synch=True``, and one trial that fails before the first comparison."""
    start_ray(folder, cpus=len(_RATES))
    space = {
        "rate": tune.grid_search(_RATES),
        "fails_at": tune.sample_from(lambda config: 2 if config["rate"] == _RATES[1] else None),
    }
    tuned = tuner(folder, "run", space, 8, scheduler=pbt(4, synch=True))
    return _standstill(fit(tuned, folder, "run"), folder, "one of 3 trials failed in iteration 2")


def moved(folder: Path) -> Outcome:
    """The run directory is moved after an exploit, and resumed."""
    start_ray(folder, cpus=2)
    space = {**UNEQUAL, "fails_when_copied": True}
    tuned = tuner(folder, "run", space, 20, scheduler=pbt(4), checkpoint=_EVERY)
    before = len(fit(tuned, folder, "run").errors)
    (folder / "run").rename(folder / "moved")
    results = fit(restored(folder, "moved", resume_errored=True), folder, "run")
    errors = results.errors
    text = f"{before} exploited trial to be resumed from another path: {len(errors)} failed"
    reasons = {str(error).strip().splitlines()[-1].partition(". ")[0] for error in errors}
    text = f"{text} ({', '.join(sorted(reasons))})" if errors else text
    return Outcome(text, any("does not exist" in reason for reason in reasons))


def _continued(folder: Path) -> Any:
    """What the resumed run ended with: a ResultGrid, None for a standstill, or an exception."""
    try:
        return fit(restored(folder, "run", resume_errored=True), folder, "run")
    except Exception as error:
        return error


def _standstill(results: Any, folder: Path, begin: str) -> Outcome:
    if results is None:
        text = f"{begin}: nothing happened for {SILENCE:.0f} s or longer, the trials at iterations"
        return Outcome(f"deadlocked; {text} {_iterations(folder)}", lost=True)
    return Outcome(f"{begin}: it ended with the trials at {_iterations(folder)}", lost=False)


def _iterations(folder: Path) -> list[int]:
    """How far the trials of the run have come."""
    latest: dict[str, int] = {}
    for step in steps(folder, "run"):
        latest[step["trial"]] = step["iteration"]
    return sorted(latest.values())


def _read(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
