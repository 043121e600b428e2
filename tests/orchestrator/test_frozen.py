"""Immutable JSON values."""

from __future__ import annotations

import math
import pickle
from itertools import combinations

import numpy as np
import pytest

from orchestrator.frozen import FrozenMap, freeze, text, thaw

VALUE = {"a": [1, 2.5, None], "b": {"c": "x", "d": [True, []]}}


def test_freezing_and_thawing_gives_an_equal_new_value() -> None:
    thawed = thaw(freeze(VALUE))
    assert thawed == VALUE
    assert thawed is not VALUE
    assert thawed["b"] is not VALUE["b"]


def test_frozen_values_are_hashable_and_picklable() -> None:
    frozen = freeze(VALUE)
    assert hash(frozen) == hash(freeze(VALUE))
    assert pickle.loads(pickle.dumps(frozen)) == frozen


def test_maps_equal_mappings_with_the_same_items() -> None:
    one = FrozenMap({"a": 1, "b": 2})
    assert one == FrozenMap({"b": 2, "a": 1}) == {"a": 1, "b": 2}
    assert hash(one) == hash(FrozenMap({"b": 2, "a": 1}))
    assert one != FrozenMap({"a": 1})
    assert one != [("a", 1), ("b", 2)]
    assert len(one) == 2
    assert repr(one) == "FrozenMap({'a': 1, 'b': 2})"


def test_text_tells_types_apart_and_not_the_order_of_keys() -> None:
    for one, other in combinations([True, 1, 1.0, "1", [1], None, {"a": 1}, {"a": True}], 2):
        assert text(one) != text(other)
    assert text({"a": 1, "b": (2,)}) == text({"b": [2], "a": 1}) == '{"a":1,"b":[2]}'


def test_numpy_scalars_become_plain() -> None:
    assert [type(freeze(each)) for each in (np.float64(0.5), np.float32(0.5), np.int64(2))] == [
        float,
        float,
        int,
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1: 2}, {"a": {1, 2}}, b"x"])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="another JSON value"):
        freeze(value)
