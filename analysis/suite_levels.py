"""The levels of the suites that a run plays, which its journal does not repeat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Cells
from orchestrator.suites import SELECT, TEST, draw_suite

Row = tuple[Any, ...]

_COUNTS = {SELECT: "levels", TEST: "test_levels"}


def suite_levels(
    arms: Mapping[str, Mapping[str, Any]], space: Mapping[str, EnvSpace]
) -> Iterator[Row]:
    """Arm, suite, level, knob, its value and that as a number.

    Args:
        arms: each arm of the resolved experiment file; one that plays no suites has no section
            ``evaluation``.
        space: the knobs of each arm.
    """
    for arm, plain in arms.items():
        evaluation = plain.get("evaluation")
        if evaluation is None:
            continue
        knobs = space[arm].knobs
        for suite, count in _COUNTS.items():
            for play in draw_suite(space[arm], suite, evaluation[count], evaluation["seed"]):
                for knob, value in play.level.items():
                    size = len(value) if isinstance(knobs[knob], Cells) else value
                    yield arm, suite, play.index, knob, value, as_number(size)


def as_number(value: object) -> float:
    """A number as it is, NaN for every other value."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return math.nan
