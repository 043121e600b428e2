"""Columns that grow block by block, and rows that have parts."""

from __future__ import annotations

import math

import numpy as np

from analysis.columns import Codes, Columns, parts_of


def test_columns_keep_their_types_with_and_without_rows() -> None:
    columns = Columns(count=int, value=float, what=object)
    empty = columns.handed_over()
    columns.extend(count=[1, 2], value=[0.5, None], what=[[1, 2], {"a": 1}])
    columns.extend(count=[3], value=iter([1]), what=["x"])
    rows = columns.handed_over()
    assert rows["count"].tolist() == [1, 2, 3]
    assert rows["value"][[0, 2]].tolist() == [0.5, 1.0]
    assert math.isnan(rows["value"][1])
    assert rows["what"].tolist() == [[1, 2], {"a": 1}, "x"]
    for name, column in empty.items():
        assert (len(column), column.dtype) == (0, rows[name].dtype)


def test_lists_are_values_and_no_dimension() -> None:
    columns = Columns(what=object)
    columns.extend(what=[[64, 64], [32, 32]])
    assert columns.handed_over()["what"].tolist() == [[64, 64], [32, 32]]


def test_what_was_handed_over_is_kept_no_longer() -> None:
    columns = Columns(count=int)
    columns.extend(count=[1])
    assert len(columns.handed_over()["count"]) == 1
    assert len(columns.handed_over()["count"]) == 0


def test_values_are_numbered_in_the_order_in_which_they_come() -> None:
    codes = Codes[str]()
    assert codes.of(["b", "a", "b"]) == [0, 1, 0]
    assert list(codes) == ["b", "a"]


def test_parts_are_found_whatever_the_order_of_their_rows() -> None:
    # Row 0 has a and b, row 1 nothing, row 2 c, row 3 d, e and f.
    counts, letters = np.array([2, 0, 1, 3]), np.array([*"abcdef"])
    parts, within = parts_of(counts, np.array([3, 1, 0]), {"letter": letters})
    assert parts["letter"].tolist() == [*"defab"]
    assert within.tolist() == [0, 1, 2, 0, 1]


def test_no_rows_have_no_parts() -> None:
    nothing = np.array([], np.int64)
    parts, within = parts_of(nothing, nothing, {"letter": np.array([], str)})
    assert len(parts["letter"]) == len(within) == 0
