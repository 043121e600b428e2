"""Files that a command writes where the user says: whole, and outside of every run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.hints import nearest, one_of
from experiments.problems import Problem
from experiments.run_dir import NotWritable, RunDir
from orchestrator.atomic import replaced

__all__ = ["place_problems", "replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place to write a file at, which then takes the place of ``path``.

    The folder is made if there is none; if anything is raised, ``path`` stays as it was.

    Raises:
        NotWritable: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as place:
            yield place
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotWritable(f"{path}: must be a file that can be written, but {why}") from error


def place_problems(option: str, path: Path, endings: tuple[str, ...]) -> list[Problem]:
    """What is wrong with a place that an option names: its ending, or that a run lies there."""
    where = f"{option} {path}"
    found = []
    if path.suffix not in endings:
        must, got = f"must end in {one_of(endings)}", path.suffix or "no ending"
        found.append(Problem.at(where, must, got, nearest(path.suffix, endings)))
    run = next((each for each in path.resolve().parents if RunDir(each).exists), None)
    if run is not None:
        must = "must lie outside of every run, whose files are its own"
        hint = f"For example {path.name}"
        found.append(Problem.at(where, must, f"a place in {run}", hint))
    return found
