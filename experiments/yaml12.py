"""YAML 1.2 with positions: numbers and words mean what YAML's core schema says they mean.

PyYAML reads YAML 1.1, where ``no`` is false, ``010`` is eight, ``12:30`` is 750 and ``1e-4`` is a
string. This module keeps PyYAML's parser and replaces the rules for plain scalars by those of the
YAML 1.2.2 core schema (section 10.3.2), and remembers where each value stood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from experiments.problems import BadInput, Problem
from experiments.yaml_errors import syntax_problem, unreadable_problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 20_000

Path = tuple[str | int, ...]
Mark = tuple[int, int]

_TAG = "tag:yaml.org,2002:"
_CORE: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        (
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        "-+.0123456789",
    ),
)


@dataclass(frozen=True)
class Document:
    """A parsed file: plain Python data, and where each part of it stood.

    `problems` are mistakes that still left something to read (a key given twice, a foreign tag),
    so that they can be reported together with everything else that is wrong.
    """

    name: str
    data: Any
    keys: Mapping[Path, Mark] = field(repr=False)
    values: Mapping[Path, Mark] = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def mark(self, path: Path) -> Mark:
        """Line and column (from one) of a key or list entry, or of its nearest existing parent."""
        return _nearest(self.keys, path)

    def value_mark(self, path: Path) -> Mark:
        """Line and column (from one) of the value at a path, or of its nearest existing parent."""
        return _nearest(self.values, path)


def _nearest(marks: Mapping[Path, Mark], path: Path) -> Mark:
    while path and path not in marks:
        path = path[:-1]
    return marks.get(path, (1, 1))


def parse(text: str, name: str) -> Document:
    """Reads one YAML document.

    Raises `BadInput` where the text is no YAML, or is larger, deeper or fuller of aliases than an
    experiment can need. `name` is what problems call the text: a file, or an option.
    """
    if len(text) > MAX_BYTES:
        must = f"must be at most {MAX_BYTES} characters long"
        raise BadInput([Problem(name, 1, 1, (), must, f"{len(text)}")])
    try:
        root = _Loader(text, name).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise BadInput([syntax_problem(error, name, text)]) from None
    except yaml.reader.ReaderError as error:
        raise BadInput([unreadable_problem(error, name, text)]) from None
    if root is None:
        return Document(name, None, {(): (1, 1)}, {(): (1, 1)})
    return _Builder(name).document(root)


class _Loader(yaml.SafeLoader):
    """PyYAML's parser and composer, with bounds, and with the plain scalars of YAML 1.2."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self._name = name
        self._depth = self._aliases = self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(mark, f"must hold at most {MAX_NODES} values", "more")
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                self._refuse(mark, f"must hold at most {MAX_ALIASES} aliases", "more")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(mark, f"must be nested at most {MAX_DEPTH} levels deep", "more")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _refuse(self, mark: Any, must: str, found: str) -> None:
        raise BadInput([Problem(self._name, mark.line + 1, mark.column + 1, (), must, found)])


def add_core_schema(target: type[yaml.resolver.BaseResolver]) -> None:
    """Teaches a loader or dumper of PyYAML which plain scalars the core schema gives a meaning."""
    for name, pattern, first in _CORE:
        # PyYAML files resolvers under a scalar's first character, the empty scalar under "".
        chars = [*first, ""] if name == "null" else [*first]
        target.add_implicit_resolver(_TAG + name, re.compile(rf"(?:{pattern})\Z"), chars)


_Loader.yaml_implicit_resolvers = {}
add_core_schema(_Loader)


class _Builder:
    """Turns PyYAML's nodes into plain data and notes positions on the way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._keys: dict[Path, Mark] = {}
        self._values: dict[Path, Mark] = {}
        self._problems: list[Problem] = []
        self._open: set[int] = set()
        self._built = 0

    def document(self, root: yaml.Node) -> Document:
        self._keys[()] = _mark(root)
        data = self._build(root, ())
        return Document(self._name, data, self._keys, self._values, tuple(self._problems))

    def _problem(self, node: yaml.Node, path: Path, must: str, found: str, hint: str = "") -> None:
        line, column = _mark(node)
        self._problems.append(Problem(self._name, line, column, path, must, found, hint or None))

    def _build(self, node: yaml.Node, path: Path) -> Any:
        self._values[path] = _mark(node)
        self._built += 1
        if self._built > MAX_NODES:
            # Aliases of aliases grow without bound although the text stays short.
            self._problem(node, path, f"must come to at most {MAX_NODES} values", "more")
            raise BadInput(self._problems)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        wanted = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != _TAG + wanted:
            self._foreign_tag(node, path)
        if id(node) in self._open:
            self._problem(node, path, "must not contain itself", "an alias of what it stands in")
            return None
        self._open.add(id(node))
        try:
            return self._mapping(node, path) if wanted == "map" else self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        items = []
        for index, child in enumerate(node.value):
            self._keys[(*path, index)] = _mark(child)
            items.append(self._build(child, (*path, index)))
        return items

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, child in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            where = (*path, key)
            if key in data:
                line, column = self._keys[where]
                self._problem(
                    key_node,
                    where,
                    "must be given once",
                    f"it a second time (the first is at {line}:{column})",
                )
                continue
            self._keys[where] = _mark(key_node)
            data[key] = self._build(child, where)
        return data

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._problem(node, path, "must have plain words as keys", "a list or mapping as a key")
            return None
        if node.value == "<<" and node.style is None:
            self._problem(
                node,
                (*path, "<<"),
                "must not use merge keys, which YAML 1.2 does not have",
                "<<",
                "Variants of one experiment go under `arms`",
            )
            return None
        if node.tag != _TAG + "str":
            shown = node.value or "nothing"
            self._problem(
                node,
                path,
                "must have words as keys",
                f"{shown} ({_kind(node.tag)})",
                f'Put it in quotes: "{node.value}"' if node.value else "",
            )
            return None
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        pattern = next((p for name, p, _ in _CORE if name == kind), None)
        if pattern is None:
            self._foreign_tag(node, path)
            return text
        if kind == "float" and re.fullmatch(_CORE[2][1], text):
            return float(_integer(text))
        if not re.fullmatch(pattern, text):
            self._problem(node, path, f"must be {_kind(node.tag)} as its tag says", f'"{text}"')
            return None
        try:
            return _VALUES[kind](text)
        except (ValueError, OverflowError):
            self._problem(node, path, "must be a number of a usable size", f"{len(text)} digits")
            return None

    def _foreign_tag(self, node: yaml.Node, path: Path) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self._problem(node, path, "must be plain data", f"the tag {tag}", "Leave the tag out")


def _integer(text: str) -> int:
    if text.startswith("0o"):
        return int(text[2:], 8)
    return int(text, 16) if text.startswith("0x") else int(text, 10)


_VALUES: Mapping[str, Any] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}


def _kind(tag: str) -> str:
    names = {"null": "null", "bool": "a truth value", "int": "a whole number", "float": "a number"}
    return names.get(tag.removeprefix(_TAG), "something else")


def _mark(node: yaml.Node) -> Mark:
    return node.start_mark.line + 1, node.start_mark.column + 1
