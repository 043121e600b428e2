"""A trainable whose training is a sleep, and the Tune runs that the scenarios make of it."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig
from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler

STEPS = "steps.jsonl"
STATE = "state.json"
# The better of two trials is the faster one too.
UNEQUAL = {
    "rate": tune.grid_search([0.1, 0.4]),
    "seconds": tune.sample_from(lambda config: 0.4 - config["rate"] / 2),
    "together": 2,
}
SILENCE = 25.0
"""Seconds without a step of any trial, at least, after which a run counts as deadlocked."""

# A run that is only slow must not count as one: how long the first step may take, and how many
# times as long as the first one, whose processes had to start, any later one.
_FIRST = 100.0
_SLOWER = 5


class Toy(tune.Trainable):  # type: ignore[misc]
    """Its score is its ``rate``, or what ``scores`` says for the iteration.

    Of its config: ``log`` is the folder where each step is recorded, ``seconds`` how long a step
    takes; in iteration ``fails_at`` it raises, or ``fails_when_copied`` after an exploit, but
    only once. No trial takes a step before so many have started as ``together`` says, for
    processes start at different times on a busy machine.
    """

    def setup(self, config: dict[str, Any]) -> None:
        self._trained_by: list[str] = []
        Path(config["log"], f"{self.trial_id}.started").touch()

    def step(self) -> dict[str, Any]:
        self._wait_for_others()
        begin = time.time()
        time.sleep(self.config.get("seconds", 0.05))
        iteration = self.iteration + 1
        self._fail_once(iteration)
        self._trained_by.append(self.trial_id)
        done = {"trial": self.trial_id, "iteration": iteration, "pid": os.getpid()}
        knobs = {key: value for key, value in self.config.items() if key != "log"}
        with open(Path(self.config["log"], STEPS), "a", encoding="utf-8") as file:
            file.write(json.dumps(done | {"begin": begin, "end": time.time(), **knobs}) + "\n")
        scores = self.config.get("scores")
        score = scores[self.iteration] if scores else self.config.get("rate", 0.0)
        return {"score": score, "nested": {"score": score}}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        state = {"saved_by": self.trial_id, "trained_by": self._trained_by}
        Path(checkpoint_dir, STATE).write_text(json.dumps(state), encoding="utf-8")

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        state = json.loads(Path(checkpoint_dir, STATE).read_text(encoding="utf-8"))
        self._trained_by = state["trained_by"]

    def _wait_for_others(self) -> None:
        log = Path(self.config["log"])
        while len(list(log.glob("*.started"))) < self.config.get("together", 0):
            time.sleep(0.01)

    def _fail_once(self, iteration: int) -> None:
        mark = Path(self.config["log"], f"{self.trial_id}.failed")
        copied = self._trained_by[-1:] not in ([], [self.trial_id])
        due = iteration == self.config.get("fails_at")
        due |= copied and self.config.get("fails_when_copied", False)
        if due and not mark.exists():
            mark.touch()
            raise RuntimeError(f"fails in iteration {iteration}, as asked")


class ReusableToy(Toy):
    """One whose process can go on with another trial."""

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.config = new_config
        self._trained_by = []
        return True


def start_ray(folder: Path, cpus: int) -> None:
    """A local Ray with its files below ``folder``; CPUs are counted, not owned."""
    ray.init(
        # Whatever RAY_ADDRESS says.
        address="local",
        num_cpus=cpus,
        _temp_dir=str(folder / "ray"),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def pbt(interval: int, **options: Any) -> PopulationBasedTraining:
    """Stock PBT, by iterations, that perturbs ``rate`` and never draws it anew."""
    return PopulationBasedTraining(
        **{
            "time_attr": "training_iteration",
            "perturbation_interval": interval,
            "hyperparam_mutations": {"rate": tune.uniform(0.0, 1.0)},
            "resample_probability": 0.0,
            **options,
        }
    )


def tuner(
    folder: Path,
    name: str,
    space: Mapping[str, Any],
    iterations: int,
    *,
    scheduler: TrialScheduler | None = None,
    checkpoint: CheckpointConfig | None = None,
    callbacks: Sequence[tune.Callback] = (),
    max_failures: int = 0,
    trainable: type[Toy] = Toy,
    **options: Any,
) -> tune.Tuner:
    """A run of toys in ``folder/name``, one per CPU; ``options`` are TuneConfig's."""
    log = folder / f"log-{name}"
    log.mkdir()
    return tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={**space, "log": str(log)},
        tune_config=TuneConfig(metric="score", mode="max", scheduler=scheduler, **options),
        run_config=RunConfig(
            name=name,
            storage_path=str(folder),
            stop={"training_iteration": iterations},
            checkpoint_config=checkpoint or CheckpointConfig(),
            failure_config=FailureConfig(max_failures=max_failures),
            callbacks=list(callbacks),
            verbose=0,
        ),
    )


def restored(folder: Path, name: str, **options: Any) -> tune.Tuner:
    """The same run, as stock Ray resumes it."""
    return tune.Tuner.restore(str(folder / name), tune.with_resources(Toy, {"cpu": 1}), **options)


def steps(folder: Path, name: str) -> list[dict[str, Any]]:
    """The steps that the toys of a run took, in order, over all restores."""
    try:
        lines = (folder / f"log-{name}" / STEPS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def saved(folder: Path, name: str) -> list[tuple[int, dict[str, Any]]]:
    """Every checkpoint that is on disk: how many iterations were trained for it, its state."""
    found = [json.loads(path.read_text()) for path in (folder / name).rglob(STATE)]
    return [(len(state["trained_by"]), state) for state in found]


def exploits(folder: Path, name: str) -> list[dict[str, Any]]:
    """What PBT wrote about its exploits: the loser's iteration, and its new config."""
    found: list[dict[str, Any]] = []
    for path in sorted((folder / name).rglob("pbt_global.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            _, _, loser, _, _, after = json.loads(line)
            # PBT writes the iteration before the one whose result made it exploit.
            found.append({"iteration": loser + 1, "config": after})
    return found


def fit(tuned: tune.Tuner, folder: Path, name: str) -> Any:
    """The ResultGrid; None if the run came to a standstill, for SILENCE seconds or longer.

    Raises:
        Exception: what the run ended with.
    """
    ended: list[Any] = []

    def target() -> None:
        try:
            ended.append(tuned.fit())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    before = taken = len(steps(folder, name))
    begin = since = time.monotonic()
    patience = _FIRST
    while thread.is_alive() and time.monotonic() - since < patience:
        thread.join(0.5)
        if (now := len(steps(folder, name))) != taken:
            if taken == before:
                patience = max(SILENCE, _SLOWER * (time.monotonic() - begin))
            taken, since = now, time.monotonic()
    if not ended:
        return None
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]
