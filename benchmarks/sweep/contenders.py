"""Who takes part: what each is called, how it is started, and what it left behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.setting import kept_folder
from benchmarks.sweep import alone, ours
from benchmarks.sweep.done import Done
from benchmarks.sweep.work import Work

LIMIT = 600.0
"""Seconds that a contender may take: some of stock Ray's runs do not end (see the README), and
those that do take 330 on two cores."""

_OUTPUT = "output.txt"
_TAIL = 2000


@dataclass(frozen=True)
class Contender:
    """One that trains the work in processes of its own.

    Attributes:
        title: begins with ``stock`` where it is not envolve's.
        command: for a work and the folder where it may write.
        done: what it left in the folder.
    """

    title: str
    command: Callable[[Work, Path], Sequence[str]]
    done: Callable[[Work, Path], Done]


@dataclass(frozen=True)
class Ran:
    """A contender that was run.

    Attributes:
        seconds: from its start to its exit, imports and clean-up included.
        done: what it trained; with a complaint if that was not the whole work.
        output: the end of what it printed, where there is a complaint.
    """

    seconds: float
    done: Done
    output: str = ""


def _stock(title: str, name: str) -> Contender:
    def command(work: Work, folder: Path) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.sweep.one", name, work.text(), str(folder)]

    return Contender(f"stock: {title}", command, lambda work, folder: Done.read(folder))


CONTENDERS = {
    "bare": _stock("bare loops of algorithm.train()", "bare"),
    "envolve": Contender("envolve run", ours.command, ours.done),
    "stock": _stock("PopulationBasedTraining, PPO", "stock"),
    "stock_reusing": _stock("PopulationBasedTraining, PPO, reuse_actors", "stock_reusing"),
    "strong": _stock(
        "PopulationBasedTraining, hand-written Trainable with reset_config, reuse_actors",
        "strong",
    ),
}


def run(contender: Contender, work: Work) -> Ran:
    """Run it alone on the machine; nothing of it is left."""
    # Ray's files elsewhere: it makes sockets among them, whose paths may have 107 characters.
    with (
        kept_folder("sweep") as folder,
        TemporaryDirectory(prefix="sweep-", ignore_cleanup_errors=True) as for_ray,
    ):
        command = contender.command(work, folder)
        ended = alone.run(command, folder / _OUTPUT, LIMIT, {"RAY_TMPDIR": for_ray})
        done = _judged(contender, work, folder, ended.complaint)
        output = ""
        if done.complaint:
            printed = (folder / _OUTPUT).read_text(encoding="utf-8", errors="replace")
            output = printed[-_TAIL:]
        return Ran(ended.seconds, done, output)


def _judged(contender: Contender, work: Work, folder: Path, complaint: str) -> Done:
    """What was left in ``folder``, with a complaint unless the whole work was done."""
    try:
        done = contender.done(work, folder)
    except FileNotFoundError:
        return Done(0, complaint or "it left nothing behind")
    if not done.complaint and complaint:
        return replace(done, complaint=complaint)
    if not done.complaint and done.trained != work.whole:
        missing = f"it trained {done.trained} of {work.whole} iterations"
        return replace(done, complaint=missing)
    return done
