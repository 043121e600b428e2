"""A suite in a file of the user's: levels written out, or how many are drawn with which seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.hints import show
from experiments.importing import one_line
from experiments.loading import read_text
from experiments.problems import BadInput, Problem
from experiments.yaml12 import Document, parse
from orchestrator import seeding
from orchestrator.distributions import EnvSpace
from orchestrator.levels import Level, Play
from orchestrator.suites import draw_suite

_SHAPE = "a list of levels, or {levels: 16, seed: 0} to have them drawn"
_MOST = 10_000


def read_suite(file: Path, space: EnvSpace) -> tuple[Play, ...]:
    """The levels of a YAML or JSON file, each with a seed of its own.

    Either a list of mappings from knob to value, or ``{levels: N, seed: S}``, which draws them
    over the whole legal space. ``seed`` may stand beside ``levels: [...]`` too.

    Raises:
        BadInput: with every problem of the file.
    """
    document = parse(read_text(file), str(file))
    problems = list(document.problems)
    data = document.data
    listed, seed = data, 0
    at: tuple[str, ...] = ()
    if isinstance(data, dict):
        problems += _unknown(document, data)
        listed, at = data.get("levels"), ("levels",)
        seed = data.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            problems.append(_at(document, ("seed",), "must be a whole number from 0", seed))
    drawn = isinstance(listed, int) and not isinstance(listed, bool)
    if drawn and not 1 <= listed <= _MOST:
        problems.append(_at(document, at, f"must be from 1 to {_MOST}", listed))
    levels: list[Level] = []
    if isinstance(listed, list) and listed:
        levels, wrong = _checked(document, at, listed, space)
        problems += wrong
    elif not (drawn and isinstance(data, dict)):
        problems.append(_at(document, at, f"must be {_SHAPE}", listed))
    if problems:
        raise BadInput(problems)
    name = "file"
    return draw_suite(space, name, listed, seed) if drawn else plays_of(levels, name, seed)


def plays_of(levels: Sequence[Level], name: str, seed: int = 0) -> tuple[Play, ...]:
    """A suite of these levels; the same (name, seed) gives the same episodes' seeds."""
    return tuple(
        Play(index=index, level=level, seed=seeding.seed("suite", name, seed, "episode", index))
        for index, level in enumerate(levels)
    )


def _unknown(document: Document, data: dict[str, Any]) -> Iterator[Problem]:
    for key in data:
        if key not in ("levels", "seed"):
            yield _at(document, (key,), "must be levels or seed, beside each other", key)


def _checked(
    document: Document, at: tuple[str, ...], listed: list[Any], space: EnvSpace
) -> tuple[list[Level], list[Problem]]:
    levels, problems = [], []
    for index, level in enumerate(listed):
        try:
            levels.append(space.cast(level))
        except ValueError as error:
            must = f"must be a level of the experiment's knobs; {one_line(error)}"
            problems.append(_at(document, (*at, index), must, level))
    return levels, problems


def _at(document: Document, key: tuple[str | int, ...], must: str, found: Any) -> Problem:
    line, column = document.mark(key)
    return Problem(document.name, line, column, key, must, show(found))
