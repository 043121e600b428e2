from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from experiments.envs.levels import NON_NEGATIVE, POSITIVE, Settable, checked, suggested

SETTABLE = MappingProxyType(
    {
        "mass": Settable(1.0, (0.5, 2.0), POSITIVE),
        "gravity": Settable(9.8, (5.0, 20.0), NON_NEGATIVE),
    }
)


def test_values_become_plain_floats() -> None:
    values = checked("Toy", {"mass": np.float32(0.5), "gravity": 10}, SETTABLE)
    assert values == {"mass": 0.5, "gravity": 10.0}
    assert {type(value) for value in values.values()} == {float}


def test_a_level_may_be_partial_or_empty() -> None:
    assert checked("Toy", {"gravity": 0}, SETTABLE) == {"gravity": 0.0}
    assert checked("Toy", {}, SETTABLE) == {}


def test_both_ends_of_the_legal_range_are_legal() -> None:
    for value in POSITIVE:
        assert checked("Toy", {"mass": value}, SETTABLE) == {"mass": value}


@pytest.mark.parametrize(
    "value",
    [0, -1.0, 1e9, float("nan"), float("inf"), 10**400, True, np.True_, "1.0", None, [1.0]],
    ids=repr,
)
def test_an_illegal_value_is_refused_with_its_range(value: Any) -> None:
    with pytest.raises(ValueError, match=r"illegal level for Toy") as caught:
        checked("Toy", {"mass": value}, SETTABLE)
    message = str(caught.value)
    assert "`mass` must be a number from 0.001 to 1000 (usual: 0.5 to 2)" in message
    assert message.endswith(f"but got {value!r}")


@pytest.mark.parametrize("name", ["Mass", "masss", "mas"])
def test_an_unknown_knob_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(ValueError, match=f"no knob '{name}': the nearest is `mass`"):
        checked("Toy", {name: 1.0}, SETTABLE)


def test_a_knob_like_no_other_is_answered_with_all() -> None:
    with pytest.raises(ValueError, match="Toy has no knob 'colour': mass, gravity"):
        checked("Toy", {"colour": 1.0}, SETTABLE)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"masss.*`gravity` must be"):
        checked("Toy", {"masss": 1.0, "gravity": -1.0}, SETTABLE)


def test_a_level_must_be_a_mapping() -> None:
    with pytest.raises(ValueError, match=r"must be a mapping of knob to value, but got \[1\.0\]"):
        checked("Toy", [1.0], SETTABLE)  # type: ignore[arg-type]


def test_suggested_ranges_are_read_only() -> None:
    ranges = suggested(SETTABLE)
    assert dict(ranges) == {"mass": (0.5, 2.0), "gravity": (5.0, 20.0)}
    with pytest.raises(TypeError):
        ranges["mass"] = (0.0, 1.0)  # type: ignore[index]
