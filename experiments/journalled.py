"""The experiment of a run as its journal tells it, which holds more than its file.

A run that was kept from somebody's own script (`orchestrator.keep`) has no file at first, names
only what differs from the defaults, and nothing that would stop it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.problems import BadInput, Problem
from experiments.resolving import resolve
from experiments.spec import Experiment, Stop
from experiments.yaml_dump import dump
from orchestrator.records import Record, Result, RunEnded, RunResumed, RunStarted

_NOTE = "# Written from the journal, since there was no such file.\n"
_KEPT_NOTE = (
    "# A run that a script kept: what it trained is what stops it. Train it further by\n"
    "# envolve resume RUN --set stop.iterations=N\n"
)
# Sections without which a checkpoint would be played otherwise than it was trained.
_PLAYING = (
    "env.",
    "algorithm.name",
    "algorithm.env_runners.",
    "algorithm.rl_module.",
    "algorithm.multi_agent",
)


def last_start(history: Sequence[Record]) -> RunStarted | RunResumed | None:
    """The newest record of a start or a resume; None before the first was whole."""
    starts = (r for r in reversed(history) if isinstance(r, RunStarted | RunResumed))
    return next(starts, None)


def arms_of(start: RunStarted | RunResumed) -> dict[str, Experiment]:
    """The arms that a start or a resume began with, with every default."""
    return {name: Experiment.model_validate(arm) for name, arm in start.arms.items()}


def is_finished(history: Sequence[Record]) -> bool:
    """Whether the run came to its end, with nothing left to do."""
    last = history[-1] if history else None
    return isinstance(last, RunEnded) and last.status == "finished"


def is_endless(arms: Mapping[str, Experiment]) -> bool:
    """Whether nothing stops the run but the script that it is kept from."""
    return any(arm.stop == Stop() for arm in arms.values())


def as_trained(arms: Mapping[str, Experiment], history: Sequence[Record]) -> dict[str, Experiment]:
    """Arms as they came out: one that nothing stops ended where it was trained to."""
    return {name: _stopped(arm, trained(history, name)) for name, arm in arms.items()}


def as_a_file(arms: Mapping[str, Experiment], history: Sequence[Record]) -> dict[str, Experiment]:
    """As `as_trained`, but as a file may have it: not stopped before its first boundary."""
    return {
        name: _stopped(arm, max(trained(history, name), arm.population.interval))
        for name, arm in arms.items()
    }


def _stopped(arm: Experiment, iterations: int) -> Experiment:
    if arm.stop != Stop():
        return arm
    return arm.model_copy(update={"stop": Stop(iterations=max(1, iterations))})


def trained(history: Sequence[Record], arm: str) -> int:
    """Iterations that the member of an arm has behind it that was trained the most."""
    own = (r.iteration for r in history if isinstance(r, Result) and r.arm == arm)
    return max(own, default=0)


def file_text(history: Sequence[Record]) -> str | None:
    """The experiment file that the journal tells of; None if it tells of none yet."""
    start = last_start(history)
    if start is None:
        return None
    arms = arms_of(start)
    note = _NOTE + (_KEPT_NOTE if is_endless(arms) else "")
    return note + dump(resolve(as_a_file(arms, history)))


def refuse_untold(run_dir: Path, untold: Sequence[str]) -> None:
    """Refuse a kept run whose Algorithm no file can build.

    Raises:
        BadInput: if there is something that no file can say.
    """
    if untold:
        must = "must be a run whose env and algorithm a file can name"
        hint = (
            "Define it in a module of its own, or let the script that it was kept from go on with "
            "it, by keep(..., resume=True)"
        )
        raise BadInput([Problem.at(str(run_dir), must, "; ".join(untold), hint)])


def untold_of_playing(history: Sequence[Record]) -> tuple[str, ...]:
    """What no file can say of how a run's checkpoints act, and in which env."""
    start = last_start(history)
    return tuple(each for each in start.untold if each.startswith(_PLAYING)) if start else ()
