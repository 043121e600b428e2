"""``{grid: [...]}``: one arm per value, named after what differs.

Several grids multiply. A grid of a single value is that value, and adds nothing to the name, which
also is how a config that really is ``{grid: [...]}`` is written: ``{grid: [{grid: [...]}]}``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.nodes import Node, Path, plain, put
from experiments.problems import Problem

MAX_ARMS = 1000
_NAME_LENGTH = 128
_PART_LENGTH = 40


def is_grid(node: Node) -> bool:
    """Whether a node is written as a grid: a mapping with the one key `grid`, a list."""
    value = node.value
    return (
        isinstance(value, dict)
        and list(value) == ["grid"]
        and isinstance(value["grid"].value, list)
    )


def find_grids(node: Node, at: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every grid below a node, with its path; what stands inside a grid is not looked at."""
    if is_grid(node):
        yield at, node
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from find_grids(child, (*at, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from find_grids(child, (*at, index))


def expand(arms: Mapping[str | None, Node]) -> tuple[dict[str, Node], list[Problem]]:
    """Arms without grids, by name, and what is wrong with the grids.

    The one arm of a file without arms comes under None, and is called "main". Where there are more
    than `MAX_ARMS` arms, each one's first variant stands for all.
    """
    grids = {arm: list(find_grids(node)) for arm, node in arms.items()}
    problems = [
        _problem(grid, "must hold at least one value", "an empty list")
        for found in grids.values()
        for _, grid in found
        if not _values(grid)
    ]
    count = sum(math.prod(len(_values(grid)) for _, grid in found) for found in grids.values())
    variants = None
    if count > MAX_ARMS:
        widest = max(
            (g for found in grids.values() for _, g in found), key=lambda g: len(_values(g))
        )
        must = f"must come to at most {MAX_ARMS} arms together with all other grids"
        problems.append(_problem(widest, must, f"{count}"))
        variants = 1
    expanded: dict[str, Node] = {}
    for arm, node in arms.items():
        for name, variant in itertools.islice(_variants(arm, node, grids[arm]), variants):
            expanded[_unique(name, expanded)] = variant
    return expanded, problems


def _values(grid: Node) -> list[Node]:
    values: list[Node] = grid.value["grid"].value
    return values


def _problem(node: Node, must: str, found: str) -> Problem:
    place = node.place
    return Problem(place.where, place.line, place.column, place.key, must, found)


def _variants(
    arm: str | None, node: Node, grids: list[tuple[Path, Node]]
) -> Iterator[tuple[str, Node]]:
    labels = _labels([path for path, grid in grids if len(_values(grid)) > 1])
    values = [_values(grid) for _, grid in grids]
    texts = [_distinct([value_text(plain(choice)) for choice in choices]) for choices in values]
    for picks in itertools.product(*(range(len(choices)) for choices in values)):
        variant, parts = node, [arm] if arm else []
        for pick, (path, _), choices, shown in zip(picks, grids, values, texts, strict=True):
            variant = put(variant, path, choices[pick])
            if path in labels:
                parts.append(f"{labels[path]}={shown[pick]}")
        yield ",".join(parts)[:_NAME_LENGTH] or "main", variant


def _labels(paths: list[Path]) -> dict[Path, str]:
    """The shortest endings of key paths that tell them apart."""
    labels = {}
    for path in paths:
        others = [other for other in paths if other != path]
        length = next(
            (n for n in range(1, len(path) + 1) if all(o[-n:] != path[-n:] for o in others)),
            len(path),
        )
        shown = _safe(".".join(str(part) for part in path[-length:]))
        labels[path] = shown.lstrip("._-") or "key"
    return labels


def value_text(value: Any) -> str:
    """A value as part of an arm's name, which is also a folder's name."""
    if isinstance(value, dict):
        if isinstance(value.get("kind"), str):
            return _safe(value["kind"])
        pairs = [f"{key}-{value_text(child)}" for key, child in value.items()]
        return _safe("-".join(pairs) or "empty")
    if isinstance(value, list):
        return _safe("-".join(value_text(child) for child in value) or "empty")
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return _safe(str(value))


def _safe(text: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", text.replace("e+", "e"))[:_PART_LENGTH]
    return cleaned.rstrip("-.") or "value"


def _distinct(texts: list[str]) -> list[str]:
    taken: dict[str, None] = {}
    for text in texts:
        taken[_unique(text, taken)] = None
    return list(taken)


def _unique(name: str, taken: Mapping[str, object]) -> str:
    # Some file systems do not tell capitals from small letters.
    lowered = {other.lower() for other in taken}
    numbers = itertools.count(2)
    candidate = name
    while candidate.lower() in lowered:
        suffix = f"-{next(numbers)}"
        candidate = name[: _NAME_LENGTH - len(suffix)] + suffix
    return candidate
