"""``--set a.b=c``: one key of the file, given on the command line.

The value is YAML 1.2, as in the file, and replaces what stands at its key. A key part that holds a
dot is put in quotes: ``env.knobs."body.mass".low=1``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments.nodes import KINDED, Node, Path, from_value, put
from experiments.problems import BadInput, Problem
from experiments.spec import Experiment
from experiments.yaml12 import parse

_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^."'=\[\]\s]+))((?:\[\d+\])*)\s*""")


def read_overrides(texts: Sequence[str]) -> tuple[list[tuple[Path, Node]], list[Problem]]:
    """The key path and value of every ``--set`` text, and what is wrong with the others."""
    read: list[tuple[Path, Node]] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            read.append(_read(text))
        except BadInput as bad:
            problems.extend(bad.problems)
    return read, problems


def _read(text: str) -> tuple[Path, Node]:
    where = f"--set {text}"
    path, rest = _split(text)
    if not path or not rest.startswith("="):
        must = "must be a key, an equals sign and a value"
        raise BadInput([Problem.at(where, must, f'"{text}"', _EXAMPLE)])
    try:
        document = parse(rest[1:], where)
    except BadInput as bad:
        # Columns, in hints too, count from the start of the value, which says nothing to anybody.
        raise BadInput([_unplaced(problem, path) for problem in bad.problems]) from None
    if document.problems:
        raise BadInput([_unplaced(problem, path) for problem in document.problems])
    return path, from_value(document.data, where, path)


_EXAMPLE = "An example: --set stop.iterations=80"


def _unplaced(problem: Problem, path: Path) -> Problem:
    return Problem(
        problem.where, None, None, (*path, *problem.key), problem.must, problem.found, None
    )


def _split(text: str) -> tuple[Path, str]:
    path: list[str | int] = []
    at = 0
    while match := _PART.match(text, at):
        path.append(next(group for group in match.groups()[:3] if group is not None))
        path.extend(int(index) for index in re.findall(r"\d+", match.group(4)))
        at = match.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    return tuple(path), text[at:]


def apply_override(root: Node, path: Path, value: Node) -> Node:
    """`root` with one override applied.

    A `kind` that changes empties its section first of what the file says there, which belonged
    to the old kind. A section that the file leaves out is of its default's kind.
    Raises `BadInput` where the key leads through something that holds no keys.
    """
    try:
        if path[-1] == "kind" and path[:-1] in KINDED:
            kind = root.get(*path)
            if kind is None or kind.value != value.value:
                section = path[:-1]
                others = _given_as_options(root.get(*section))
                return put(root, section, _section({**others, "kind": value}, value, section))
        for section in KINDED:
            if path[: len(section)] == section != path and root.get(*section) is None:
                kind = Node(_default_kind(section), value.place)
                root = put(root, section, _section({"kind": kind}, value, section))
        return put(root, path, value)
    except KeyError as error:
        parent: Path = error.args[0]
        place = value.place
        shown = root.get(*parent)
        found = "a list" if shown is not None and isinstance(shown.value, list) else "one value"
        hint = "Give the whole list" if found == "a list" else None
        must = "must hold keys, to set one of them"
        raise BadInput([Problem(place.where, None, None, parent, must, found, hint)]) from None


def _section(keys: dict[str, Node], value: Node, at: Path) -> Node:
    """A section that an option makes."""
    return Node(keys, replace(value.place, key=at))


def _given_as_options(section: Node | None) -> dict[str, Node]:
    """What earlier options have set in a section; the file's own keys have lines."""
    if section is None or not section.is_mapping:
        return {}
    return {key: child for key, child in section.value.items() if child.place.line is None}


def _default_kind(section: Path) -> str:
    found: Any = Experiment.model_fields[str(section[0])].default
    for part in section[1:]:
        found = getattr(found, str(part))
    kind: str = found.kind
    return kind
