"""The arms of a file: its base with each arm's overrides on top, then options, then grids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from experiments.grids import expand, find_grids
from experiments.hints import show
from experiments.nodes import Node, Path, overlay, plain
from experiments.overrides import apply_override
from experiments.problems import BadInput, Problem

#: As names of experiments, and with the "=" and "," of names that grids make.
ARM_NAME = r"^[A-Za-z0-9][A-Za-z0-9._=,-]{0,127}$"

_SHARED = {
    "envolve": "the version of the format is one for the whole file",
    "name": "the experiment has one name; an arm's own name is its key",
    "seeds": "every arm runs with the same seeds",
    "loggers": "the arms of a run are logged to the same places",
    "arms": "arms hold no arms of their own",
}
_FAIR = "must be the same in all arms, since arms are compared on the same levels"


def read_arms(
    root: Node, options: Sequence[tuple[Path, Node]]
) -> tuple[dict[str, Node], list[Problem]]:
    """The merged data of every arm by name, and what is wrong with the arms themselves.

    Options are laid on top of everything, or, if their key starts with `arms`, on the arm's
    overrides. A file without arms and grids has the one arm "main".
    """
    problems: list[Problem] = []
    root = _apply(root, [option for option in options if option[0][0] == "arms"], problems)
    common = [option for option in options if option[0][0] != "arms"]
    base = replace(root, value={k: v for k, v in root.value.items() if k != "arms"})
    arms: dict[str | None, Node] = {}
    for name, overrides in _overrides(root, problems):
        arms[name] = _apply(overlay(base, overrides), common, problems)
    if not arms:
        arms = {None: _apply(base, common, problems)}
    for node in arms.values():
        problems += _shared_grids(node)
    expanded, refused = expand(arms)
    return expanded, list(dict.fromkeys([*problems, *refused]))


def _apply(root: Node, options: Sequence[tuple[Path, Node]], problems: list[Problem]) -> Node:
    for path, value in options:
        try:
            root = apply_override(root, path, value)
        except BadInput as bad:
            problems += bad.problems
    return root


def _overrides(root: Node, problems: list[Problem]) -> Iterator[tuple[str, Node]]:
    arms = root.value.get("arms")
    if arms is None or arms.value is None:
        return
    if not arms.is_mapping:
        must = "must be a mapping of arms' names to overrides"
        problems.append(_at(arms, must, show(plain(arms)), "For example arms: {big: {...}}"))
        return
    lowered: dict[str, str] = {}
    for name, written in arms.value.items():
        other = lowered.setdefault(name.lower(), name)
        if other != name:
            must = f"must differ from the arm {other} in more than capitals: arms name folders"
            problems.append(_at(written, must, show(name)))
        node = replace(written, value={}) if written.value is None else written
        if not re.match(ARM_NAME, name):
            must = (
                "must have a name of 1 to 128 letters, digits, dots, dashes, underscores, "
                "equals signs or commas that starts with a letter or digit"
            )
            cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
            problems.append(_at(node, must, show(name), f"For example {cleaned or 'plain'}"))
        if not node.is_mapping:
            must = "must be a mapping of the keys that this arm changes"
            problems.append(_at(node, must, show(plain(node)), "An arm that changes nothing: {}"))
            yield name, replace(node, value={})
            continue
        problems += _unfair(node)
        kept = {k: v for k, v in node.value.items() if k not in _SHARED and k != "evaluation"}
        yield name, replace(node, value=kept)


def _unfair(arm: Node) -> Iterator[Problem]:
    for key, child in arm.value.items():
        if key in _SHARED:
            yield _at(child, f"must not be changed by an arm: {_SHARED[key]}", f"{key} in an arm")
        elif key == "evaluation":
            hint = "Move evaluation out of the arm"
            yield _at(child, _FAIR, "evaluation in an arm", hint)
    knobs = arm.get("env", "knobs")
    for name, knob in knobs.value.items() if knobs is not None and knobs.is_mapping else ():
        for key, child in knob.value.items() if knob.is_mapping else ():
            if key != "start":
                hint = "Only a knob's start may differ; move its legal range out of the arm"
                yield _at(child, _FAIR, f"{key} of {name} in an arm", hint)


def _shared_grids(node: Node) -> Iterator[Problem]:
    for path, grid in find_grids(node):
        head = path[0] if path else ""
        if head in _SHARED:
            yield _at(grid, f"must not be a grid: {_SHARED[str(head)]}", "a grid")
        elif head == "evaluation" or (path[:2] == ("env", "knobs") and "start" not in path[3:]):
            yield _at(grid, _FAIR, "a grid")


def _at(node: Node, must: str, found: str, hint: str | None = None) -> Problem:
    place = node.place
    return Problem(place.where, place.line, place.column, place.key, must, found, hint)
