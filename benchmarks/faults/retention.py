"""Checkpoints that stock Tune deletes, does not register, or never writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray import tune
from ray.tune import CheckpointConfig

from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import (
    UNEQUAL,
    exploits,
    fit,
    pbt,
    saved,
    start_ray,
    steps,
    tuner,
)

_RATES = [0.1, 0.2, 0.3, 0.4]
_SCORES = [10, 100, 5, 4, 3]


def donor_deleted(folder: Path) -> Outcome:
    """PBT with ``num_to_keep``, and a loser that is due iterations after its donor was saved.

    The loser is the faster one. It comes to its first comparison when nobody has a score, and to
    its second between two comparisons of the donor's.
    """
    start_ray(folder, cpus=2)
    space = {
        "rate": tune.grid_search([0.1, 0.4]),
        "seconds": tune.sample_from(lambda config: 0.3 if config["rate"] == 0.1 else 0.4),
        "together": 2,
    }
    failed: dict[int | None, int] = {}
    for keep in (1, 2, 4, None):
        name = f"keep{keep}"
        tuned = tuner(
            folder,
            name,
            space,
            9,
            scheduler=pbt(3),
            checkpoint=CheckpointConfig(checkpoint_frequency=1, num_to_keep=keep),
        )
        failed[keep] = len(fit(tuned, folder, name).errors)
    counts = ", ".join(f"{count} at num_to_keep={keep}" for keep, count in failed.items())
    return Outcome(f"of 2 trials ended in ERROR: {counts}", any(failed.values()))


def nested_score(folder: Path) -> Outcome:
    """``checkpoint_score_attribute`` as a path into the result, and flat."""
    start_ray(folder, cpus=1)
    kept = {}
    for attribute in ("nested/score", "score"):
        name = attribute.replace("/", "-")
        checkpoint = CheckpointConfig(
            checkpoint_frequency=1, num_to_keep=2, checkpoint_score_attribute=attribute
        )
        tuned = tuner(folder, name, {"scores": _SCORES}, len(_SCORES), checkpoint=checkpoint)
        fit(tuned, folder, name)
        kept[attribute] = sorted(_SCORES[iteration - 1] for iteration, _ in saved(folder, name))
    nested, flat = kept["nested/score"], kept["score"]
    text = f"scores {_SCORES}, the best two to be kept: {nested} were, by a flat key {flat}"
    return Outcome(text, max(_SCORES) not in nested)


class FailingCallback(tune.Callback):  # type: ignore[misc]
    """Raises in one of its hooks."""

    def __init__(self, hook: str) -> None:
        setattr(self, hook, self._fail)

    def _fail(self, *arguments: Any, **named: Any) -> None:
        raise RuntimeError("a bug in a hook")


def checkpoint_hook_raises(folder: Path) -> Outcome:
    """A user's callback has a bug in ``on_checkpoint``."""
    start_ray(folder, cpus=1)
    tuned = tuner(
        folder,
        "run",
        {},
        3,
        checkpoint=CheckpointConfig(checkpoint_frequency=1),
        callbacks=[FailingCallback("on_checkpoint")],
    )
    [result] = fit(tuned, folder, "run")
    status = "as a success" if result.error is None else "in ERROR"
    on_disk = len(saved(folder, "run"))
    text = f"the trial ended {status}; checkpoint: {result.checkpoint}, {on_disk} on disk"
    return Outcome(text, result.checkpoint is None)


def other_hook_raises(folder: Path) -> Outcome:
    """A user's callback has a bug in ``on_trial_result``."""
    start_ray(folder, cpus=2)
    space = {"rate": tune.grid_search(_RATES[:2])}
    callbacks = [FailingCallback("on_trial_result")]
    tuned = tuner(folder, "run", space, 5, callbacks=callbacks)
    try:
        fit(tuned, folder, "run")
    except Exception as error:
        most = max(step["iteration"] for step in steps(folder, "run"))
        count = len(saved(folder, "run"))
        text = f"{type(error).__name__} after {most} of 5 iterations ended every trial"
        return Outcome(f"{text}; {count} checkpoints on disk", lost=True)
    return Outcome("the run went on", lost=False)


def loser_dropped(folder: Path) -> Outcome:
    """What becomes of the model that an exploit replaces."""
    start_ray(folder, cpus=2)
    fit(tuner(folder, "run", UNEQUAL, 20, scheduler=pbt(4)), folder, "run")
    [first, *_] = exploits(folder, "run")
    loser = next(step["trial"] for step in steps(folder, "run") if step["rate"] == 0.1)
    own = [state for _, state in saved(folder, "run") if set(state["trained_by"]) == {loser}]
    text = f"an exploit replaced a model of {first['iteration']} iterations; checkpoints of it"
    return Outcome(f"{text}: {len(own)}", not own)


def nothing_saved(folder: Path) -> Outcome:
    """Checkpointing as it is when nobody asks for it, and a trial that fails."""
    start_ray(folder, cpus=1)
    fit(tuner(folder, "run", {"fails_at": 6}, 10), folder, "run")
    count = len(saved(folder, "run"))
    text = f"a trial failed in its 6th iteration, with Tune's defaults: {count} checkpoints"
    return Outcome(text, count == 0)


def no_donor_checkpoint(folder: Path) -> Outcome:
    """A donor that came first and, with nobody to be compared to, was not saved."""
    start_ray(folder, cpus=2)
    fit(tuner(folder, "run", UNEQUAL, 20, scheduler=pbt(4)), folder, "run")
    at_four = [step["rate"] for step in steps(folder, "run") if step["iteration"] == 4]
    found = [exploit["iteration"] for exploit in exploits(folder, "run")]
    text = f"the donor came to iteration 4 {'first' if at_four[0] == 0.4 else 'second'}; the loser"
    text = f"{text} was due every 4 iterations, exploits on record: at {found}"
    # Whatever is due later shows that the first one was not left out for another reason.
    skipped = at_four[0] == 0.4 and bool(found) and 4 not in found
    return Outcome(f"{text}; a skip is a line in the log, at level INFO", skipped)
