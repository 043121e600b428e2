from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiments.problems import BadInput
from experiments.yaml12 import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_NODES, parse
from experiments.yaml_dump import dump


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.0e-4", 1e-4),
        ("1E5", 1e5),
        ("+.5", 0.5),
        ("3.", 3.0),
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("0o10", 8),
        ("0x1f", 31),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("OFF", "OFF"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("-0x1f", "-0x1f"),
        ("1e", "1e"),
        ("2020-01-01", "2020-01-01"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("=", "="),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: Any) -> None:
    found = parse(f"key: {text}", "f").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(parse("key: .nan", "f").data["key"])


def test_positions_of_keys_values_and_entries() -> None:
    document = parse("a: 1\nb:\n  c: [10, {d: 20}]\n", "f")
    assert document.mark(("a",)) == (1, 1)
    assert document.value_mark(("a",)) == (1, 4)
    assert document.mark(("b", "c")) == (3, 3)
    assert document.mark(("b", "c", 0)) == (3, 7)
    assert document.mark(("b", "c", 1, "d")) == (3, 12)
    assert document.value_mark(("b", "c", 1, "d")) == (3, 15)


def test_a_missing_path_is_at_its_nearest_parent() -> None:
    document = parse("a:\n  b: 1\n", "f")
    assert document.mark(("a", "x", 3, "y")) == (1, 1)
    assert document.mark(("a", "b", "x")) == (2, 3)
    assert document.mark(("zz",)) == (1, 1)


def test_a_document_with_mistakes_still_reads() -> None:
    document = parse("a: 1\na: 2\n3: x\nb: !!set x\n<<: {c: 1}\n? [1]\n: 2\nd: 4\n", "f")
    assert document.data == {"a": 1, "b": "x", "d": 4}
    said = [str(problem) for problem in document.problems]
    assert "f:2:1: a: must be given once" in said[0]
    assert "the first is at 1:1" in said[0]
    assert 'Put it in quotes: "3"' in said[1]
    assert "f:4:4: b: must be plain data, but got the tag !!set" in said[2]
    assert "merge keys" in said[3]
    assert "a list or mapping as a key" in said[4]


@pytest.mark.parametrize(
    ("text", "line", "column", "fragment"),
    [
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: 1\nb: [1, 2\n", 3, 1, "opened at 2:4"),
        ("a: {b: 1\nc: 2\n", 2, 2, "brace"),
        ("a: 'x\n", 2, 1, "a quote that is never closed"),
        ("a: b: c\n", 1, 5, 'a second ": "'),
        ("a: *x\n", 1, 4, "an anchor that does not exist"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("a: @x\n", 1, 4, "starts with @"),
        ("a: 1\nb\nc: 2\n", 2, 1, 'without ": "'),
        ('a: "\\q"\n', 1, 6, "escape"),
        ("a: x\x00y\n", 1, 5, "U+0000"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007"),
        ("[" * (MAX_DEPTH + 1), 1, MAX_DEPTH + 1, "64 levels"),
        ("a: &a 1\nb: [" + "*a, " * (MAX_ALIASES + 1) + "]", 2, 5 + 4 * MAX_ALIASES, "aliases"),
        ("[" + "1," * MAX_NODES + "]", 1, 2 * MAX_NODES, "20000 values"),
        ("x" * (MAX_BYTES + 1), 1, 1, "characters long"),
    ],
)
def test_what_is_no_yaml(text: str, line: int, column: int, fragment: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, "f")
    (problem,) = caught.value.problems
    assert (problem.where, problem.line, problem.column) == ("f", line, column)
    assert fragment in str(problem)


def test_aliases_of_aliases_are_bounded() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(BadInput, match="20000 values"):
        parse("\n".join(lines), "f")


def test_an_alias_of_what_it_stands_in() -> None:
    document = parse("a: &a [*a]\n", "f")
    assert "must not contain itself" in str(document.problems[0])


def test_aliases_repeat_their_anchor() -> None:
    assert parse("a: &x {b: 1}\nc: *x\n", "f").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_number_of_unusable_size() -> None:
    document = parse(f"a: {'9' * 5000}\n", "f")
    assert "5000 digits" in str(document.problems[0])


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


def _typed(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _typed(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_typed(value) for value in data]
    return type(data), data


@settings(deadline=None)
@given(_DATA)
@example(["no", "010", "1e-4", "12:30", "1_000", "<<", "=", "~", "", " ", "a: b", "# x", "0o7"])
@example([1e-5, 1e-4, 1e300, 1e22, 5e-324, -0.0, math.inf, 10**25])
@example({"\u2028": "\x85\ufeff", "- a": "a\nb\n", "? x": "\t", "---": "..."})
def test_what_is_dumped_reads_back_the_same(data: Any) -> None:
    document = parse(dump(data), "f")
    assert not document.problems
    assert _typed(document.data) == _typed(data)


def test_words_of_yaml_1_1_are_quoted() -> None:
    assert dump({"a": "no", "b": "12:30"}) == "{a: 'no', b: '12:30'}\n"
