"""Which run a command means: a new one, or one that goes on, with what was changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from experiments import changes, journalled
from experiments.loading import Loaded, load
from experiments.problems import BadInput, Problem
from experiments.run_dir import LATEST, NotARun, RunDir, find_run, new_run_dir
from orchestrator import journal


@dataclass(frozen=True)
class Target:
    """A run to be driven.

    Attributes:
        where: its directory; None: one that is still to be made.
        begun: whether the journal tells of it already.
        finished: whether nothing is left to do.
        differences: what the experiment file says otherwise than before, in words.
    """

    loaded: Loaded
    where: RunDir | None
    begun: bool = False
    finished: bool = False
    differences: tuple[str, ...] = ()

    @cached_property
    def place(self) -> RunDir:
        """Its directory, made when it is first asked for if it is a new run's."""
        if self.where is None:
            return new_run_dir(self.loaded.name, datetime.now())  # noqa: DTZ005 - the user's clock
        return self.where


def load_file(file: Path, overrides: Sequence[str]) -> Loaded:
    """An experiment file that the user named.

    Raises:
        BadInput: for problems of the file; if it is a run's directory.
    """
    if RunDir(file).exists:
        hint = f"`envolve resume {file}` goes on with it; {RunDir(file).experiment} is its file"
        raise _refused(str(file), "must be an experiment file", "a run's directory", hint)
    return load(file, overrides)


def named(file: Path, run_dir: Path | None, overrides: Sequence[str], resume: str) -> Target:
    """The run that ``envolve run`` means.

    Raises:
        BadInput: for problems of the file; if there is a run at ``run_dir`` already and
            ``resume`` is "never", or the file is another experiment's; if something else is
            there that a run would overwrite.
        NotARun: if there is none and ``resume`` is "must".
    """
    loaded = load_file(file, overrides)
    if run_dir is None:
        return Target(loaded, None)
    place = RunDir(run_dir.resolve())
    if place.exists and resume == "never":
        hint = "Go on with it by --resume auto, or name another directory"
        raise _refused("--run-dir", "must not hold a run yet", str(run_dir), hint)
    if place.exists:
        return _continued(loaded, place)
    if resume == "must":
        raise NotARun(f"--resume must: {run_dir} must hold a run, but has no journal.jsonl")
    if run_dir.name == LATEST:
        hint = "That word means the newest run: `envolve resume latest` goes on with it"
        raise _refused("--run-dir", f"must not be called {LATEST}", str(run_dir), hint)
    other = place.in_the_way()
    if other is not None:
        must = "must be a new or an empty directory, or a run's"
        raise _refused("--run-dir", must, f"{run_dir}, where {other} would be overwritten")
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
    start = journalled.last_start(history)
    if start is None:
        # Killed before its first record was whole: nothing was decided yet.
        return Target(loaded, place)
    journalled.refuse_untold(place.path, start.untold)
    began = journalled.arms_of(start)
    after = changes.plain_arms(loaded.arms)
    found = changes.changes(changes.plain_arms(journalled.as_a_file(began, history)), after)
    refused = {path: change for path, change in found.items() if not changes.allowed(path)}
    if refused:
        raise BadInput(_another(loaded, path, change) for path, change in refused.items())
    lines = tuple(changes.describe(path, c, arms=len(after)) for path, c in found.items())
    ended = journalled.is_finished(history)
    if journalled.is_endless(began) and not ended and not any("stop" in path for path in found):
        done = str(max(journalled.trained(history, arm) for arm in began))
        must = "must be more than what the script that it was kept from has trained"
        hint = "For example --set stop.iterations=1000; or let the script go on with it"
        raise BadInput(
            [loaded.problem(next(iter(began)), ("stop", "iterations"), must, done, hint)]
        )
    return Target(loaded, place, begun=True, finished=ended and not lines, differences=lines)


def _another(loaded: Loaded, path: tuple[str, ...], change: changes.Change) -> Problem:
    """A change that would make a run another experiment."""
    arm, *key = path
    if arm not in loaded.arms:
        began = "must have the arms that the run began with"
        return loaded.problem(next(iter(loaded.arms)), (), began, f"none called {arm}", _HINT)
    if not key:
        began = "must be one of the arms that the run began with"
        return loaded.problem(arm, (), began, f"{arm}, which is new", _HINT)
    before, after = (changes.said(value) for value in change)
    several = f" in arm {arm}" if len(loaded.arms) > 1 else ""
    must = f"must stay {before}{several} as the run began, or it would be another experiment"
    return loaded.problem(arm, tuple(key), must, after, _HINT)


_HINT = f"Only {', '.join(changes.CHANGEABLE)} may change; start a new run for the rest"


def _refused(where: str, must: str, found: str, hint: str | None = None) -> BadInput:
    return BadInput([Problem.at(where, must, found, hint)])
