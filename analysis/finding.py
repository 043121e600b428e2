"""Where runs are: by path, by their name under ``runs/``, by ``latest``, or by a pattern."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

RUNS = Path("runs")
JOURNAL = "journal.jsonl"
LATEST = "latest"

_WILD = "*?["


class NotARun(ValueError):
    """There is no run at that place."""


def find(path: str | Path) -> Path:
    """The directory of the run that ``path`` means.

    Raises:
        NotARun: if there is none; names the nearest one.
    """
    path = Path(path)
    for place in (path, RUNS / path):
        if place.name == LATEST and place.is_file():
            place = place.parent / place.read_text(encoding="utf-8").strip()  # noqa: PLW2901
        if (place / JOURNAL).is_file():
            return place.resolve()
    if path.is_dir():
        raise NotARun(f"{path}: a run must have a {JOURNAL}, but this directory has none")
    if path.is_file() and (path.parent / JOURNAL).is_file():
        raise NotARun(f"{path}: must be a run's directory, which is {path.parent}")
    raise NotARun(f"{path}: must be a run's directory, but there is none{_nearest(path)}")


def find_all(runs: str | Path | Iterable[str | Path]) -> list[Path]:
    """The directories of all runs that are meant, none of them twice.

    Args:
        runs: a pattern such as ``runs/*``, whose matches that are no runs are passed over; or
            paths as `find` takes them.

    Raises:
        NotARun: if there is none, or one of the paths means none.
    """
    given = [runs] if isinstance(runs, str | Path) else list(runs)
    places = [place for each in given for place in _meant(Path(each))]
    if not places:
        raise NotARun("at least one run must be named, but got none")
    return list(dict.fromkeys(places))


def _meant(path: Path) -> list[Path]:
    if path.exists() or not any(sign in str(path) for sign in _WILD):
        return [find(path)]
    matches = _matches(path) or _matches(RUNS / path)
    found = [place.resolve() for place in matches if (place / JOURNAL).is_file()]
    if not found:
        what = f"only what is none, such as {matches[0]}" if matches else "nothing"
        raise NotARun(f"{path}: must match a run's directory, but matches {what}{_nearest(path)}")
    return found


def _matches(pattern: Path) -> list[Path]:
    root = Path(pattern.anchor)
    return sorted(root.glob(str(pattern.relative_to(root))))


def _nearest(path: Path) -> str:
    known = {
        journal.parent.name: journal.parent
        for folder in (RUNS, path.parent)
        for journal in folder.glob(f"*/{JOURNAL}")
    }
    close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.4)
    return f"; did you mean {known[close[0]]}?" if close else ""
