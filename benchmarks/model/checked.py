"""The model beside real runs: costs taken from some of them, others predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from benchmarks.curricula.tables import Line
from benchmarks.model.costs import Costs
from benchmarks.model.measured import copying, costs_of
from benchmarks.model.simulated import Cluster, Outcome, Plan, simulate
from benchmarks.model.watched import Watched, watch

__all__ = [
    "AIM",
    "FILE",
    "Checked",
    "costs_on_this_machine",
    "line",
    "predicted",
    "real_run",
    "runs",
]

FILE = Path(__file__).parent / "small.yaml"
AIM = 0.15
"""How far a prediction may be from what was measured, as a share of that."""

_MODES = ("sync", "async")
_SIMULATIONS = 20
# Of the runs that costs are taken from, and of those that are predicted.
_SEEDS = (0, 2, 3)
_PREDICTED = 1
# A run that others have disturbed more than this is done again, for so many times.
_DISTURBED = 0.1
_ATTEMPTS = 3


@dataclass(frozen=True)
class Checked:
    """A real run and what the model said of it.

    Attributes:
        outcomes: of simulations that differ in what they draw.
    """

    run: Watched
    outcomes: Sequence[Outcome]

    @property
    def seconds(self) -> tuple[float, float]:
        """From the command to its end, as measured and as predicted."""
        return self.run.seconds, float(np.mean([each.ended for each in self.outcomes]))

    @property
    def training(self) -> tuple[float, float]:
        """From the begin of training to the last result, as measured and as predicted."""
        lasted = [each.trained - each.begun for each in self.outcomes]
        return self.run.trained - self.run.begun, float(np.mean(lasted))


def costs_on_this_machine() -> Costs:
    """Costs of FILE, from runs that are not predicted: of a core for each resident, and of half.

    Several of each, in turns: one alone is as fast as the machine happens to be.
    """
    sizes = (_cores(), 2 * _cores())
    return costs_of([real_run(each, each, "sync", seed) for seed in _SEEDS for each in sizes])


def runs(costs: Costs) -> Iterator[Checked]:
    """Real runs of several sizes in both modes, one at a time, each with its prediction.

    As runs are by default, with a core for each resident; at last some whose residents share cores.
    """
    cores = _cores()
    for times in (1, 2, 3):
        for mode in _MODES:
            yield _checked(real_run(times * cores, cores, mode, _PREDICTED), costs)
    for times in (2, 3):
        yield _checked(real_run(times * cores, times * cores, "sync", _PREDICTED), costs)


def real_run(size: int, residents: int, mode: str, seed: int) -> Watched:
    """A run of FILE with so many members; of some attempts the one disturbed least."""
    overrides = (
        f"population.size={size}",
        f"population.mode={mode}",
        f"seeds=[{seed}]",
        f"resources.max_resident={residents}",
        f"resources.cpus_per_member={min(1.0, _cores() / residents):g}",
    )
    found: list[Watched] = []
    while len(found) < _ATTEMPTS and (not found or found[-1].others > _DISTURBED):
        with TemporaryDirectory() as folder:
            found.append(watch(FILE, Path(folder) / "run", overrides))
    return min(found, key=lambda run: run.others)


def _cores() -> int:
    return len(psutil.Process().cpu_affinity())


def _checked(run: Watched, costs: Costs) -> Checked:
    return Checked(run, predicted(run, costs))


def predicted(run: Watched, costs: Costs) -> list[Outcome]:
    """What the model says of a run of this file, made anew with each of some seeds."""
    population = run.arm["population"]
    plan = Plan(
        slowness=(1.0,) * run.members,
        mode=population["mode"],
        interval=population["interval"],
        iterations=run.arm["stop"]["iterations"],
        seats=run.seats,
        copying=copying(run),
    )
    cluster = Cluster(machines=1, cores=run.cores)
    return [simulate(plan, costs, cluster, seed) for seed in range(_SIMULATIONS)]


def line(checked: Checked) -> Line:
    """Both durations of a run, and how far the model was off."""
    run = checked.run
    cells = {
        "members": str(run.members),
        "resident": str(run.seats),
        "mode": run.arm["population"]["mode"],
    }
    for name, (measured, model) in {
        "whole": checked.seconds,
        "training": checked.training,
    }.items():
        off = model / measured - 1
        cells |= {
            f"{name}: measured s": f"{measured:.1f}",
            f"{name}: model s": f"{model:.1f}",
            f"{name}: off by": f"{off:+.1%}",
            f"{name}: met": "yes" if abs(off) <= AIM else "no",
        }
    return {**cells, "taken by others": f"{run.others:.0%}"}
