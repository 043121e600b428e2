"""How one knob is drawn, in plain columns that are the same for every kind of distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from orchestrator.distributions import EnvSpace, Gaussian
from orchestrator.frozen import text
from orchestrator.knobs import (
    Blend,
    Cells,
    Choice,
    Continuous,
    Integer,
    Knob,
    Range,
    Simplex,
    Weights,
)

NOWHERE = math.nan

_DEVIATIONS = 2.0
"""A Gaussian's ends are this many standard deviations from its center: 95 % lie between them."""

_NUMBERS = (Continuous, Integer)
_ENDS = {"low", "high"}


class Drawn(NamedTuple):
    """How a knob is drawn.

    Attributes:
        low, high: of a number, or the number of cells set, the ends between which it is drawn;
            else NaN.
        weights: of a choice, the probability of each value by its JSON text; of a simplex, the
            center's weight of each term; else None.
        spread: of a simplex drawn around one center, how far draws spread from it, in [0, 1];
            else NaN.
    """

    low: float = NOWHERE
    high: float = NOWHERE
    weights: dict[str, float] | None = None
    spread: float = NOWHERE


def knob_of(given: Mapping[str, Any]) -> Knob:
    """The knob that an entry of ``env.knobs`` in a resolved experiment file describes."""
    if "simplex" in given:
        return Simplex(given["simplex"])
    if "choices" in given:
        return Choice(given["choices"])
    if "cells" in given:
        return Cells(given["cells"], given["low"], given["high"])
    kind = Integer if given.get("integer") else Continuous
    return kind(given["low"], given["high"], given.get("scale", "linear"))


def drawn(distribution: Mapping[str, Any], knobs: Mapping[str, Knob]) -> dict[str, Drawn]:
    """Every knob of a distribution (its JSON), by name, in the order of ``knobs``.

    Of several parts or levels, those that are never drawn are left out; a number's ends are then
    the lowest and the highest of the others, weights are averaged by how often each is drawn.
    The ends of a Gaussian are two standard deviations from its center, inside the legal range.

    Raises:
        ValueError: if ``distribution`` is not over ``knobs``, or its kind is none of product,
            gaussian, mixture, levels and sketch.
    """
    kind = distribution.get("kind")
    if kind in ("product", "sketch"):
        # A sketch of many levels has the marginals that their draws look like.
        return _of_marginals(distribution["marginals"], knobs)
    if kind == "gaussian":
        return _of_marginals(_box(distribution, knobs), knobs)
    if kind == "mixture":
        parts = [
            (float(part["weight"]), drawn(part["distribution"], knobs))
            for part in distribution["parts"]
        ]
    elif kind == "levels":
        pairs = zip(distribution["weights"], distribution["levels"], strict=True)
        parts = [(float(weight), _of_level(level, knobs)) for weight, level in pairs]
    else:
        raise ValueError(
            "a distribution's `kind` must be product, gaussian, mixture, levels or sketch, "
            f"but got {kind!r}"
        )
    live = [(weight, part) for weight, part in parts if weight > 0]
    return {name: _together([(weight, part[name]) for weight, part in live]) for name in knobs}


def _box(gaussian: Mapping[str, Any], knobs: Mapping[str, Knob]) -> Mapping[str, Any]:
    """The marginals, as JSON, of the ranges that most of a Gaussian lies in."""
    data = {key: gaussian[key] for key in gaussian if key != "kind"}
    box = Gaussian.from_json(EnvSpace(knobs), data).about(_DEVIATIONS)
    marginals: Mapping[str, Any] = box.to_json()["marginals"]
    return marginals


def _of_marginals(marginals: Mapping[str, Any], knobs: Mapping[str, Knob]) -> dict[str, Drawn]:
    _same_names(marginals, knobs)
    return {name: _of_marginal(knob, marginals[name]) for name, knob in knobs.items()}


def _of_marginal(knob: Knob, data: Any) -> Drawn:
    if type(knob) in _NUMBERS and _is_range_of(knob, data):
        return Drawn(float(data["low"]), float(data["high"]))
    marginal = knob.marginal_from_json(data)
    if isinstance(marginal, Range):
        return Drawn(low=float(marginal.low), high=float(marginal.high))
    if isinstance(marginal, Weights) and isinstance(knob, Choice):
        names = [text(value) for value in knob.values]
        return Drawn(weights=dict(zip(names, marginal.weights, strict=True)))
    if isinstance(marginal, Blend) and isinstance(knob, Simplex):
        center = dict(zip(knob.terms, marginal.center, strict=True))
        return Drawn(weights=center, spread=float(marginal.spread))
    raise ValueError(f"a knob must be a number, a choice or a simplex, but got {knob!r}")


def _is_range_of(numbers: Any, data: Any) -> bool:
    """Whether this is a range as it is journalled. To ask the knob takes thirty times as long."""
    if type(data) is not dict or data.keys() != _ENDS:
        return False
    low, high = data["low"], data["high"]
    if not type(low) is type(high) is type(numbers.low):
        return False
    return bool(numbers.low <= low <= high <= numbers.high)


def _of_level(level: Mapping[str, Any], knobs: Mapping[str, Knob]) -> dict[str, Drawn]:
    _same_names(level, knobs)
    return {name: _of_value(knob, level[name]) for name, knob in knobs.items()}


def _of_value(knob: Knob, value: Any) -> Drawn:
    if isinstance(knob, Choice):
        taken = text(value)
        return Drawn(weights={each: float(each == taken) for each in map(text, knob.values)})
    if isinstance(knob, Simplex):
        return Drawn(weights=dict(value))
    number = float(len(value) if isinstance(knob, Cells) else value)
    return Drawn(low=number, high=number)


def _together(parts: Sequence[tuple[float, Drawn]]) -> Drawn:
    if len(parts) == 1:
        return parts[0][1]
    total = math.fsum(weight for weight, _ in parts)
    first = parts[0][1].weights
    return Drawn(
        low=min(part.low for _, part in parts),
        high=max(part.high for _, part in parts),
        weights=None
        if first is None
        else {
            name: math.fsum(weight * (part.weights or {})[name] for weight, part in parts) / total
            for name in first
        },
    )


def _same_names(found: Mapping[str, Any], knobs: Mapping[str, Knob]) -> None:
    if found.keys() != knobs.keys():
        raise ValueError(
            f"a distribution must be over the knobs {sorted(knobs)}, but got {sorted(found)}"
        )
