"""A run of an experiment file in processes of its own, and what came of each arm and seed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import analysis
from benchmarks.setting import ROOT
from orchestrator import scoring

__all__ = ["Trained", "run", "trained"]

_ENDED = (0, 1)
"""Exit codes of a run that has ended: every member finished, or some of them failed."""


@dataclass(frozen=True)
class Trained:
    """What came of one arm and seed.

    Attributes:
        members: how many there were.
        env_steps: of all of them, those of scoring and of rollouts without gradient included.
        seconds: that their iterations took, summed.
        returns: of the best checkpoint by the select suite, one for each level of the test suite;
            None if that was not played.
        faults: what went wrong, in words.
    """

    arm: str
    seed: int
    members: int
    env_steps: int
    seconds: float
    returns: tuple[float, ...] | None
    faults: tuple[str, ...] = ()

    @property
    def mean(self) -> float | None:
        """The mean return on the test suite."""
        return None if self.returns is None else scoring.aggregate(self.returns, "mean")

    def cvar(self, alpha: float) -> float | None:
        """The mean return on the worst share ``alpha`` of the test suite."""
        return None if self.returns is None else scoring.aggregate(self.returns, "cvar", alpha)


def run(file: Path, run_dir: Path) -> None:
    """Run a file to its end, or go on with the run that is there; what it prints is seen.

    Raises:
        RuntimeError: if it was stopped before its end, or could not begin.
    """
    command = [sys.executable, "-m", "experiments.cli", "run", str(file)]
    done = subprocess.run(
        [*command, "--run-dir", str(run_dir), "--resume", "auto"], cwd=ROOT, check=False
    )
    if done.returncode not in _ENDED:
        raise RuntimeError(
            f"the run must come to its end, but it exited with {done.returncode}; what it has "
            f"done stands in {run_dir}, and the same command goes on with it"
        )


def trained(found: analysis.Run) -> list[Trained]:
    """What came of each population of a run, in the order they began."""
    return [_trained(found, arm, seed) for arm, seed in found.populations]


def _trained(found: analysis.Run, arm: str, seed: int) -> Trained:
    results, scores, faults = (
        frame[(frame["arm"] == arm) & (frame["seed"] == seed)]
        for frame in (found.results, found.scores, found.faults)
    )
    tested = scores[scores["suite"] == "test"].sort_values("level")
    return Trained(
        arm=arm,
        seed=seed,
        members=int(results["member"].nunique()),
        env_steps=int(results.groupby("member")["env_steps"].max().sum()),
        seconds=float(results["seconds"].sum()),
        returns=tuple(tested["return"].tolist()) or None,
        faults=tuple(f"{each.where}: {each.error}" for each in faults.itertuples()),
    )
