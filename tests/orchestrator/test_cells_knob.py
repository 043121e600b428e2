"""A knob whose value is a set of cells: how sets are drawn, cast and edited."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from distribution_catalogue import cells_knobs, marginals, seeds
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.distributions import EnvSpace, Product
from orchestrator.knobs import LARGEST_GRID, Cells, Integer, Range, Weights, knob_from_json, ranged
from orchestrator.operators import narrow, resample, shift, widen
from orchestrator.seeding import generator


@given(st.data(), cells_knobs, seeds)
def test_as_many_cells_are_drawn_as_the_range_says(
    data: st.DataObject, knob: Cells, seed: int
) -> None:
    marginal = data.draw(marginals(knob))
    assert isinstance(marginal, Range)
    drawn = knob.sample(marginal, generator(seed))
    assert marginal.low <= len(drawn) <= marginal.high
    assert drawn == sorted(set(drawn))
    assert {type(cell) for cell in drawn} <= {int}
    assert set(drawn) <= set(range(knob.size))


def test_each_number_of_cells_is_as_likely() -> None:
    knob, rng = Cells(9, 0, 4), generator("counts")
    counts = Counter(len(knob.sample(Range(1, 3), rng)) for _ in range(9_000))
    assert set(counts) == {1, 2, 3}
    assert [counts[k] / 9_000 for k in (1, 2, 3)] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_each_set_of_as_many_cells_is_as_likely() -> None:
    knob, rng = Cells(4), generator("sets")
    drawn = Counter(tuple(knob.sample(Range(2, 2), rng)) for _ in range(12_000))
    pairs = list(combinations(range(4), 2))
    assert set(drawn) == set(pairs)
    assert [drawn[pair] / 12_000 for pair in pairs] == pytest.approx([1 / 6] * 6, abs=0.02)


@pytest.mark.parametrize(
    "value", [[3, 0, 7], (7, 3, 0), np.array([0, 7, 3]), [np.int64(3), np.int8(7), 0]]
)
def test_cells_in_any_order_are_cast_to_a_sorted_list(value: object) -> None:
    cast = Cells(8).cast(value)
    assert cast == [0, 3, 7]
    assert isinstance(cast, list)
    assert {type(cell) for cell in cast} == {int}


def test_what_is_cast_is_a_list_of_its_own() -> None:
    given_list = [1, 2]
    Cells(3).cast(given_list).append(9)
    assert given_list == [1, 2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([0, 9], r"must be cells from 0 to 8, but one is 9"),
        ([-1, 3], r"must be cells from 0 to 8, but one is -1"),
        ([5, 2, 5], r"must be different cells, but 5 is there more than once"),
        ([1], r"must be from 2 to 4 cells, but got 1"),
        ([0, 1, 2, 3, 4], r"must be from 2 to 4 cells, but got 5"),
        ([0, 1.0], r"must be a list of whole numbers, but one is 1.0"),
        ([0, True], r"must be a list of whole numbers, but one is True"),
        ([0, "1"], r"must be a list of whole numbers, but one is '1'"),
        (np.array([[0, 1]]), r"must be a list of whole numbers, but one is array"),
        ("01", r"must be a list of cells, but got '01'"),
        (3, r"must be a list of cells, but got 3"),
        (None, r"must be a list of cells, but got None"),
        ({0: 1}, r"must be a list of cells, but got \{0: 1\}"),
    ],
)
def test_what_is_no_set_of_cells_is_refused(value: object, message: str) -> None:
    knob = Cells(9, 2, 4)
    with pytest.raises(ValueError, match=message):
        knob.cast(value)
    assert not knob.legal(value)
    assert not knob.within(knob.full(), value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([0], rf"`1 <= size <= {LARGEST_GRID}` must hold, but got size=0"),
        ([LARGEST_GRID + 1], r"`1 <= size <= 65536` must hold, but got size=65537"),
        ([9.0], r"`size` must be a whole number, but got 9.0"),
        ([True], r"`size` must be a finite number, but got True"),
        ([9, -1], r"`0 <= low <= high <= size` must hold, but got low=-1, high=9, size=9"),
        ([9, 0, 10], r"`0 <= low <= high <= size` must hold, but got low=0, high=10, size=9"),
        ([9, 3, 2], r"`low <= high` must hold, but got low=3, high=2"),
        ([9, 0, 1.5], r"`high` must be a whole number, but got 1.5"),
    ],
)
def test_grids_that_cannot_be_are_refused(arguments: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cells(*arguments)


def test_all_cells_may_be_set_unless_something_else_is_said() -> None:
    assert Cells(9) == Cells(9, 0, 9)
    assert Cells(9).full() == Range(0, 9)
    assert Cells(9, 2, 2).full() == Range(2, 2)


def test_json_says_every_bound() -> None:
    assert Cells(9).to_json() == {"kind": "cells", "size": 9, "low": 0, "high": 9}
    with pytest.raises(ValueError, match="`high` must be a finite number, but got None"):
        knob_from_json({"kind": "cells", "size": 9, "low": 0, "high": None})


def test_only_the_number_of_cells_decides_what_a_range_holds() -> None:
    knob = Cells(9, 0, 4)
    assert knob.within(Range(2, 3), [8, 0])
    assert not knob.within(Range(2, 3), [8])
    assert knob.legal([8])


@given(cells_knobs, seeds)
def test_an_edit_sets_clears_or_moves_one_cell(knob: Cells, seed: int) -> None:
    rng = generator(seed)
    before = knob.sample(knob.full(), rng)
    kept = list(before)
    after = knob.edited(before, rng)
    assert before == kept
    assert knob.cast(after) == after
    gone, new = set(before) - set(after), set(after) - set(before)
    only_one_set = knob.low == knob.high in (0, knob.size)
    assert (len(gone), len(new)) in ([(0, 0)] if only_one_set else [(0, 1), (1, 0), (1, 1)])


def test_each_kind_of_edit_is_as_likely() -> None:
    knob, rng = Cells(6, 1, 3), generator("edits")
    sizes = Counter(len(knob.edited([0, 4], rng)) for _ in range(9_000))
    assert [sizes[k] / 9_000 for k in (1, 2, 3)] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_an_edit_reaches_every_neighbour() -> None:
    rng = generator("neighbours")
    seen = {tuple(Cells(3, 1, 2).edited([1], rng)) for _ in range(200)}
    assert seen == {(0,), (2,), (0, 1), (1, 2)}
    assert {tuple(Cells(3, 0, 1).edited([1], rng)) for _ in range(200)} == {(), (0,), (2,)}
    assert {tuple(Cells(2).edited([0, 1], rng)) for _ in range(50)} == {(0,), (1,)}


def test_an_edit_of_what_is_not_legal_is_refused() -> None:
    with pytest.raises(ValueError, match="must be from 0 to 1 cells, but got 2"):
        Cells(3, 0, 1).edited([0, 1], generator(0))


def test_ranges_of_cells_mutate_like_ranges_of_whole_numbers() -> None:
    number = Integer(0, 60)
    cells = Cells(121, 0, 60)
    for operator in (shift, widen, narrow, resample):
        for seed in range(20):
            counted, drawn = (
                operator(Product(EnvSpace({"x": knob}), {"x": Range(10, 30)}), generator(seed), 0.2)
                for knob in (number, cells)
            )
            assert isinstance(counted, Product)
            assert isinstance(drawn, Product)
            assert drawn.marginals["x"] == counted.marginals["x"] != Range(10, 30)


def test_what_a_range_is_a_range_of() -> None:
    assert ranged(Cells(121, 0, 60)) == Integer(0, 60)
    assert ranged(Integer(0, 3)) == Integer(0, 3)


def test_a_marginal_of_another_kind_is_refused() -> None:
    knob = Cells(4)
    for method in (knob.fit, knob.check, knob.marginal_to_json, knob.picture):
        with pytest.raises(ValueError, match="cells knobs are drawn by Range, but got Weights"):
            method(Weights((1,)))
    with pytest.raises(ValueError, match="cells knobs are drawn by Range, but got Weights"):
        knob.sample(Weights((1,)), generator(0))


def test_a_range_outside_the_legal_one_is_refused() -> None:
    knob = Cells(121, 5, 60)
    with pytest.raises(ValueError, match="`high` must be from 5 to 60, but got 61"):
        knob.marginal_from_json({"low": 5, "high": 61})
    assert knob.fit(Range(0, 99)) == Range(5, 60)
