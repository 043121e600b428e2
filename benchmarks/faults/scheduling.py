"""What stock PBT does with slots, ranges, randomness, and words that it does not know."""

from __future__ import annotations

import inspect
import random
from pathlib import Path

from ray import tune
from ray.tune.schedulers import PopulationBasedTraining, create_scheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import ReusableToy, exploits, fit, pbt, start_ray, steps, tuner

_SLOTS = 2
_SHARES = ("share1", "share2", "share3", "share4")


def idle_slot(folder: Path) -> Outcome:
    """Asynchronous PBT with ``reuse_actors`` and more trials than slots, each at its own pace."""
    start_ray(folder, cpus=_SLOTS)
    space = {
        "rate": tune.grid_search([0.1, 0.2, 0.3, 0.4]),
        "seconds": tune.sample_from(lambda config: 0.3 + config["rate"]),
    }
    tuned = tuner(
        folder, "run", space, 8, scheduler=pbt(1), trainable=ReusableToy, reuse_actors=True
    )
    fit(tuned, folder, "run")
    # The first round, in which every trial begins, is not counted.
    later = [step for step in steps(folder, "run") if step["iteration"] > 1]
    whole = max(step["end"] for step in later) - min(step["begin"] for step in later)
    busy = sum(step["end"] - step["begin"] for step in later) / (_SLOTS * whole)
    first = later[0]["pid"]
    on_one = sum(step["pid"] == first for step in later) / len(later)
    text = f"after the first round {_SLOTS} slots were busy {busy:.0%} of the time"
    return Outcome(f"{text}; one process took {on_one:.0%} of the steps", busy < 0.75)


def out_of_range(folder: Path) -> Outcome:
    """What explored values look like, without any being drawn anew."""
    random.seed(0)
    start_ray(folder, cpus=2)
    knobs = {
        **{share: (0.95, tune.uniform(0.0, 1.0)) for share in _SHARES},
        "low": (0.5, tune.uniform(0.0, 1.0)),
        "high": (0.51, tune.uniform(0.0, 1.0)),
        "nothing": (0.0, tune.uniform(0.0, 1.0)),
        "width": (32, tune.choice([16, 32, 64])),
    }
    mutations = {"rate": tune.uniform(0.0, 1.0)} | {key: each for key, (_, each) in knobs.items()}
    space = {key: begin for key, (begin, _) in knobs.items()}
    tuned = tuner(
        folder,
        "run",
        {**space, "rate": tune.grid_search([0.1, 0.2])},
        8,
        scheduler=pbt(1, synch=True, hyperparam_mutations=mutations),
        trainable=ReusableToy,
        reuse_actors=True,
    )
    fit(tuned, folder, "run")
    configs = [exploit["config"] for exploit in exploits(folder, "run")]
    share = max(config[share] for config in configs for share in _SHARES)
    crossed = sum(config["low"] > config["high"] for config in configs)
    stuck = all(config["nothing"] == 0.0 for config in configs)
    widths = sorted({config["width"] for config in configs} - {16, 32, 64})
    text = f"0.95 under uniform(0, 1) became {share:.2f}; low > high in {crossed} of {len(configs)}"
    text = f"{text} exploits; 0 {'never moved' if stuck else 'moved'}"
    text = f"{text}; choice([16, 32, 64]) gave {widths}"
    return Outcome(text, share > 1.0 or crossed > 0 or bool(widths))


def global_random(folder: Path) -> Outcome:
    """The same synchronous run twice, after ``random.seed(0)``, since PBT has no seed."""
    start_ray(folder, cpus=2)
    rates = []
    for name in ("one", "two"):
        random.seed(0)
        space = {"rate": tune.grid_search([0.1, 0.2])}
        scheduler = pbt(1, synch=True)
        tuned = tuner(
            folder, name, space, 6, scheduler=scheduler, trainable=ReusableToy, reuse_actors=True
        )
        fit(tuned, folder, name)
        rates.append([exploit["config"]["rate"] for exploit in exploits(folder, name)])
    seed = "seed" in inspect.signature(PopulationBasedTraining).parameters
    text = "PBT takes a seed" if seed else "PBT takes no seed"
    agreed = "agreed" if rates[0] == rates[1] else "explored other values"
    return Outcome(f"{text}; two equal runs, each after random.seed(0), {agreed}", not seed)


def unknown_keyword(folder: Path) -> Outcome:
    """A keyword that is misspelt."""
    try:
        create_scheduler(
            "pbt",
            time_attr="training_iteration",
            pertubation_interval=1,
            hyperparam_mutations={"rate": tune.uniform(0.0, 1.0)},
        )
    except (TypeError, ValueError) as error:
        return Outcome(f"refused: {type(error).__name__}", lost=False)
    return Outcome('create_scheduler("pbt", pertubation_interval=1) was accepted', lost=True)


def search_refused(folder: Path) -> Outcome:
    """PBT with Optuna as its search algorithm."""
    start_ray(folder, cpus=2)
    tuned = tuner(
        folder,
        "run",
        {"rate": tune.uniform(0.0, 1.0)},
        4,
        scheduler=pbt(2),
        search_alg=OptunaSearch(),
        num_samples=2,
    )
    try:
        fit(tuned, folder, "run")
    except Exception as error:
        reason = str(error).partition(". ")[0]
        return Outcome(f"{type(error).__name__}: {reason}", lost=True)
    return Outcome("it was accepted", lost=False)
