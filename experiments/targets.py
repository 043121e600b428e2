"""Which run a command means: a new one, or one that goes on, with what was changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from experiments import changes
from experiments.loading import Loaded, load
from experiments.problems import BadInput, Problem
from experiments.run_dir import NotARun, RunDir, find_run, new_run_dir
from orchestrator import journal, records


@dataclass(frozen=True)
class Target:
    """A run to be driven.

    Attributes:
        place: its directory; None: one that is still to be made.
        begun: whether the journal tells of it already.
        finished: whether nothing is left to do.
        differences: what the experiment file says otherwise than before, in words.
    """

    loaded: Loaded
    where: RunDir | None
    begun: bool = False
    finished: bool = False
    differences: tuple[str, ...] = ()

    @property
    def place(self) -> RunDir:
        """Its directory, made now if it is a new run's."""
        if self.where is None:
            return new_run_dir(self.loaded.name, datetime.now())  # noqa: DTZ005 - the user's clock
        return self.where


def named(file: Path, run_dir: Path | None, overrides: Sequence[str], resume: str) -> Target:
    """The run that ``envolve run`` means.

    Raises:
        BadInput: for problems of the file; if there is a run at ``run_dir`` already and
            ``resume`` is "never", or the file is another experiment's.
        NotARun: if there is none and ``resume`` is "must".
    """
    loaded = load(file, overrides)
    if run_dir is None:
        return Target(loaded, None)
    place = RunDir(run_dir.resolve())
    if place.exists and resume == "never":
        raise BadInput(
            [
                Problem(
                    "--run-dir", None, None, (), "must not hold a run yet", str(run_dir),
                    "Go on with it by --resume auto, or name another directory",
                )  # fmt: skip
            ]
        )
    if place.exists:
        return _continued(loaded, place)
    if resume == "must":
        raise NotARun(f"--resume must: {run_dir} must hold a run, but has no journal.jsonl")
    return Target(loaded, place)


def existing(name: str, overrides: Sequence[str]) -> Target:
    """The run that ``envolve resume`` means, with its own experiment file.

    Raises:
        NotARun: if there is none.
        BadInput: for problems of its file, or changes that make it another experiment.
    """
    place = find_run(name)
    return _continued(load(place.experiment, overrides), place)


def _continued(loaded: Loaded, place: RunDir) -> Target:
    history = journal.read(place.journal)
    begun = [r for r in history if isinstance(r, records.RunStarted | records.RunResumed)]
    if not begun:
        # Killed before its first record was whole: nothing was decided yet.
        return Target(loaded, place)
    after = changes.plain_arms(loaded.arms)
    found = changes.changes(dict(begun[-1].arms), after)
    refused = {path: change for path, change in found.items() if not changes.allowed(path)}
    if refused:
        raise BadInput(
            loaded.problem(
                path[0] if path[0] in loaded.arms else next(iter(loaded.arms)),
                path[1:],
                "must stay what the run began with, or it would be another experiment",
                changes.describe(path, change, arms=len(after)),
                f"Only {', '.join(changes.CHANGEABLE)} may change; start a new run for the rest",
            )
            for path, change in refused.items()
        )
    lines = tuple(changes.describe(path, c, arms=len(after)) for path, c in found.items())
    ended = isinstance(history[-1], records.RunEnded) and history[-1].status == "finished"
    return Target(loaded, place, begun=True, finished=ended and not lines, differences=lines)
