"""Data that remembers where each of its parts was written, through merging and expanding.

An arm is put together from the file's base, the arm's own overrides, grid values and ``--set``
options. Each part keeps the place it came from, so that a mistake in an arm is reported where
somebody wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from experiments.problems import Problem
from experiments.yaml12 import Document

Path = tuple[str | int, ...]

#: Sections whose other keys depend on their `kind`: another kind replaces the whole section.
KINDED: frozenset[Path] = frozenset(
    {
        ("curriculum",),
        ("population", "exploit"),
        ("population", "explore"),
        ("population", "initial"),
        ("loggers",),
    }
)


@dataclass(frozen=True)
class Place:
    """A position in a file (or an option), and the key path that stands there."""

    where: str
    line: int | None
    column: int | None
    key: Path


@dataclass(frozen=True)
class Node:
    """A value, a mapping of nodes or a list of nodes, with the place it was written."""

    value: Any
    place: Place

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping of nodes."""
        return isinstance(self.value, dict)

    def get(self, *path: str | int) -> Node | None:
        """The node at a path below this one, if there is one."""
        node, rest = descend(self, path)
        return None if rest else node


def from_document(document: Document, data: Any, key: Path = ()) -> Node:
    """The nodes of a document's data."""
    place = Place(document.name, *document.mark(key), key)
    return _grow(data, key, place, lambda at: Place(document.name, *document.mark(at), at))


def from_value(data: Any, where: str, key: Path) -> Node:
    """The nodes of a value that stands in no file, such as an option's."""
    return _grow(data, key, Place(where, None, None, key), lambda at: Place(where, None, None, at))


def _grow(data: Any, key: Path, place: Place, locate: Any) -> Node:
    if isinstance(data, dict):
        items = {k: _grow(v, (*key, k), locate((*key, k)), locate) for k, v in data.items()}
        return Node(items, place)
    if isinstance(data, list):
        return Node(
            [_grow(v, (*key, i), locate((*key, i)), locate) for i, v in enumerate(data)], place
        )
    return Node(data, place)


def plain(node: Node) -> Any:
    """The data of a node, without its places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def descend(node: Node, path: Path) -> tuple[Node, Path]:
    """The deepest node on the way along a path, and what is left of the path there."""
    for depth, part in enumerate(path):
        child = _child(node.value, part)
        if child is None:
            return node, path[depth:]
        node = child
    return node, ()


def _child(children: Any, part: str | int) -> Node | None:
    child: Node | None = None
    if isinstance(children, dict):
        child = children.get(part)
    elif isinstance(children, list) and isinstance(part, int) and 0 <= part < len(children):
        child = children[part]
    return child


def locate(node: Node, key: Path, must: str, found: str, hint: str | None = None) -> Problem:
    """The problem of one key, at the place where it, or its nearest parent, was written."""
    nearest, rest = descend(node, key)
    place = nearest.place
    return Problem(place.where, place.line, place.column, (*place.key, *rest), must, found, hint)


def overlay(base: Node, over: Node, at: Path = ()) -> Node:
    """`base` with `over` laid on top: mappings merge, everything else is replaced.

    A section that names another `kind` than the base's replaces the base's section.
    """
    if not (base.is_mapping and over.is_mapping) or (at in KINDED and _other_kind(base, over)):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        merged[key] = overlay(merged[key], child, (*at, key)) if key in merged else child
    return replace(base, value=merged)


def _other_kind(base: Node, over: Node) -> bool:
    kind = over.value.get("kind")
    mine = base.value.get("kind")
    return kind is not None and (mine is None or kind.value != mine.value)


def put(node: Node, path: Path, new: Node, at: Path = ()) -> Node:
    """`node` with the value at a path replaced; missing mappings on the way are made.

    Raises `KeyError` with the path of the value on the way that holds no such key.
    """
    if not path:
        return new
    children = node.value
    head = path[0]
    if isinstance(children, list) and isinstance(head, int) and 0 <= head < len(children):
        items = list(children)
        items[head] = put(items[head], path[1:], new, (*at, head))
        return replace(node, value=items)
    if children is not None and not isinstance(children, dict):
        raise KeyError(at)
    old = children or {}
    child = old.get(head, Node({}, replace(new.place, key=(*at, head))))
    return replace(node, value=old | {head: put(child, path[1:], new, (*at, head))})
