"""Levels like a given one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.env_space import EnvSpace, Product
from orchestrator.frozen import text
from orchestrator.knobs import (
    Blend,
    Cells,
    Choice,
    Knob,
    Marginal,
    Numeric,
    Range,
    Simplex,
    Weights,
)
from orchestrator.marginal_moves import widened

__all__ = ["neighbourhood", "point"]


def neighbourhood(space: EnvSpace, level: Mapping[str, Any], reach: float) -> Product:
    """The levels within `reach` of `level`, a share of the legal width in unit space.

    A number moves by up to `reach` to either side, and no further than is legal. A choice stays
    with all but `reach` of the mass, which is spread over all its values; weights of terms get
    the spread `reach`. `level` itself can always be drawn; of cells only their number counts.

    Raises:
        ValueError: if `level` is not in `space`.
    """
    own = space.cast(level)
    return Product(
        space,
        {name: widened(knob, point(knob, own[name]), reach) for name, knob in space.knobs.items()},
    )


def point(knob: Knob, value: Any) -> Marginal:
    """The marginal that draws nothing but a legal `value`; of cells, as many as there are."""
    match knob:
        case Numeric():
            return Range(value, value)
        case Cells():
            return Range(len(value), len(value))
        case Choice():
            return Weights(tuple(float(text(each) == text(value)) for each in knob.values))
        case Simplex():
            return Blend(tuple(value[term] for term in knob.terms), 0.0)
    raise TypeError(f"`knob` must be of a known kind, but got {type(knob).__name__}")
