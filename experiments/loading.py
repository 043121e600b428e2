"""Reads an experiment file: everything that is wrong with it at once, or its arms.

The way of a file: text to data with positions (`yaml12`), ``--set`` options (`overrides`), arms
laid over the base (`arms`, `nodes`), grids multiplied out (`grids`), and each arm checked key by
key (`findings`) and between keys (`crosschecks`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

from experiments.arms import read_arms
from experiments.crosschecks import cross_check
from experiments.findings import validate
from experiments.hints import show
from experiments.nodes import Node, from_document, locate, plain
from experiments.overrides import read_overrides
from experiments.problems import BadInput, Problem
from experiments.resolving import resolve
from experiments.schema import json_schema
from experiments.spec import Experiment
from experiments.yaml12 import MAX_BYTES, Document, parse
from experiments.yaml_dump import dump

__all__ = ["Loaded", "dump", "json_schema", "load", "parse_experiment"]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Loaded:
    """A file that holds: one validated `Experiment` per arm, and where each key was written."""

    arms: Mapping[str, Experiment]
    """Arms by name; a file without arms and grids has the one arm "main"."""
    document: Document = field(repr=False)
    """The file as it was written, with positions."""
    nodes: Mapping[str, Node] = field(repr=False)
    """Each arm's merged data, every part with its place."""

    @property
    def base(self) -> Any:
        """The file's raw data."""
        return self.document.data

    @property
    def name(self) -> str:
        """The experiment's name, the same in all arms."""
        return next(iter(self.arms.values())).name

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every arm runs with."""
        return next(iter(self.arms.values())).seeds

    def resolved(self) -> dict[str, Any]:
        """The file with every default written out; loading it again gives the same arms."""
        return resolve(self.arms)

    def problem(
        self, arm: str, key: Path, must: str, found: str, hint: str | None = None
    ) -> Problem:
        """A problem of one key of an arm, at the place where that key was written."""
        return locate(self.nodes[arm], key, must, found, hint)


def load(path: str | PathLike[str], overrides: Sequence[str] = ()) -> Loaded:
    """Reads and checks an experiment file, with ``a.b=c`` overrides laid on top.

    Raises `BadInput` with every problem of the file.
    """
    return parse_experiment(read_text(path), str(path), overrides)


def parse_experiment(text: str, name: str, overrides: Sequence[str] = ()) -> Loaded:
    """As `load`, for a text; `name` is what problems call it."""
    document = parse(text, name)
    problems = list(document.problems)
    options, refused = read_overrides(overrides)
    problems += refused
    if not isinstance(document.data, dict):
        must = "must be a mapping that starts with envolve: 1"
        found = "an empty file" if document.data is None else _kind_of(document.data)
        line, column = document.value_mark(())
        raise BadInput([*problems, Problem(name, line, column, (), must, found)])
    nodes, misplaced = read_arms(from_document(document, document.data), options)
    problems += misplaced
    arms: dict[str, Experiment] = {}
    wrong: dict[Problem, list[str]] = {}
    for arm, node in nodes.items():
        data = plain(node)
        experiment, findings = validate(data)
        for found_here in [*findings, *cross_check(data)]:
            problem = locate(
                node, found_here.key, found_here.must, found_here.found, found_here.hint
            )
            wrong.setdefault(problem, []).append(arm)
        if experiment is not None:
            arms[arm] = experiment
    problems += [_in_arms(problem, found, len(nodes)) for problem, found in wrong.items()]
    if problems:
        raise BadInput(problems)
    return Loaded(arms, document, nodes)


def _in_arms(problem: Problem, arms: Sequence[str], count: int) -> Problem:
    """Names the arms that a problem is confined to, where its place does not tell."""
    if len(arms) == count or "arms" in problem.key or "grid" in problem.key:
        return problem
    listed = ", ".join(arms[:3]) + (", ..." if len(arms) > 3 else "")
    confined = f"In {'arm' if len(arms) == 1 else 'arms'} {listed}"
    return replace(problem, hint=f"{problem.hint}. {confined}" if problem.hint else confined)


def _kind_of(data: Any) -> str:
    return "a list" if isinstance(data, list) else show(data)


def read_text(path: str | PathLike[str]) -> str:
    """The text of a file. Raises `BadInput` where there is no readable text file."""
    file = FilePath(path)
    where = str(path)

    def refuse(must: str, found: str, hint: str | None = None) -> BadInput:
        return BadInput([Problem.at(where, must, found, hint)])

    if file.is_dir():
        inside = sorted(entry.name for entry in file.iterdir() if entry.suffix in _SUFFIXES)
        hint = f"In it: {', '.join(inside[:5])}" if inside else None
        raise refuse("must be a file", "a directory", hint)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise refuse(f"must be at most {MAX_BYTES} bytes long", f"{file.stat().st_size}")
        raw = file.read_bytes()
    except FileNotFoundError:
        raise refuse("must be an existing file", "no such file", _nearest_file(file)) from None
    except (OSError, ValueError) as error:
        raise refuse("must be a readable file", str(error)) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        found = f"the byte 0x{raw[error.start]:02x}"
        problem = Problem(where, line, column, (), "must be UTF-8 text", found, "Save it as UTF-8")
        raise BadInput([problem]) from None


_SUFFIXES = (".yaml", ".yml")


def _nearest_file(file: FilePath) -> str | None:
    if not file.parent.is_dir():
        return f"There is no folder {file.parent} either"
    names = [entry.name for entry in file.parent.iterdir() if entry.suffix in _SUFFIXES]
    close = difflib.get_close_matches(file.name, names, 1, 0.5)
    return f"Did you mean {file.parent / close[0]}?" if close else None
