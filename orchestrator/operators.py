"""Mutation operators: an env distribution goes in, a mutated one of the same kind comes out.

The result is always legal: ranges clipped into the legal range, cast to the knob's type and
ordered; weights sum to one. The distribution that goes in is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from orchestrator.checks import number
from orchestrator.distributions import Distribution, Levels, Mixture, Product
from orchestrator.knobs import Knob, Marginal, Numeric, Weights
from orchestrator.marginal_moves import (
    can_shift,
    narrowed,
    redrawn,
    scattered,
    sharpened,
    shifted,
    smoothed,
    widened,
)

__all__ = ["OPERATORS", "Operator", "narrow", "resample", "reweight", "shift", "widen"]


class Operator(Protocol):
    """A mutation of a distribution; `amount` is a share in [0, 1].

    Raises:
        ValueError: if `amount` is outside [0, 1].
    """

    def __call__(
        self, distribution: Distribution, rng: np.random.Generator, amount: float = ...
    ) -> Distribution: ...


def shift(
    distribution: Distribution, rng: np.random.Generator, amount: float = 0.1
) -> Distribution:
    """Move one or more knobs, drawn anew for each product, among those that have room.

    A range moves by `amount` of the legal width, in unit space, and keeps its width; an integer
    range by at least one. Choice and simplex knobs move `amount` of mass. A buffer moves one
    numeric knob, in every level by the same step, clipped.
    """
    share = _amount(amount)

    def product(old: Product) -> Product:
        movable = [
            name for name, each in old.marginals.items() if can_shift(_knob(old, name), each)
        ]
        if not movable or share == 0:
            return old
        sure = movable[int(rng.random() * len(movable))]
        chosen = [name for name in movable if name == sure or rng.random() < 0.5]
        moved = {
            name: shifted(_knob(old, name), old.marginals[name], rng, share) for name in chosen
        }
        return Product(old.space, {**old.marginals, **moved})

    return _each_part(distribution, product, lambda old: _shift_levels(old, rng, share))


def widen(
    distribution: Distribution, rng: np.random.Generator, amount: float = 0.1
) -> Distribution:
    """Move each end of every range outward by `amount` of the legal width, in unit space.

    Weights of choices and of a buffer move towards uniform, the spread of a simplex knob grows.
    What could be drawn before still can.
    """
    del rng
    share = _amount(amount)
    return _each_part(
        distribution,
        _by_marginal(lambda knob, old: widened(knob, old, share)),
        _by_weights(lambda weights: smoothed(weights, share)),
    )


def narrow(
    distribution: Distribution, rng: np.random.Generator, amount: float = 0.1
) -> Distribution:
    """Move each end of every range inward by `amount` of the legal width, to a point at most.

    Weights of choices and of a buffer move towards the largest, the spread of a simplex knob
    shrinks. Nothing can be drawn that could not be before.
    """
    share = _amount(amount)
    return _each_part(
        distribution,
        _by_marginal(lambda knob, old: narrowed(knob, old, rng, share)),
        _by_weights(lambda weights: sharpened(weights, rng, share)),
    )


def reweight(
    distribution: Distribution, rng: np.random.Generator, amount: float = 0.2
) -> Distribution:
    """Multiply each weight of choices, mixture parts and buffered levels by a random factor.

    Factors are log-uniform in ``[1 / (1 + amount), 1 + amount]``. What has no weights stays.
    """
    share = _amount(amount)

    def marginal(_: Knob, old: Marginal) -> Marginal:
        return Weights(scattered(old.weights, rng, share)) if isinstance(old, Weights) else old

    by_weights = _by_weights(lambda weights: scattered(weights, rng, share))
    changed = _each_part(distribution, _by_marginal(marginal), by_weights)
    return _reweight_parts(changed, rng, share)


def resample(
    distribution: Distribution, rng: np.random.Generator, amount: float = 1.0
) -> Distribution:
    """Draw every marginal anew inside its legal range; `amount` is not used.

    A buffer draws as many levels from the whole space and weighs them equally; a mixture keeps
    the weights of its parts.
    """
    _amount(amount)

    def drawn_anew(old: Levels) -> Levels:
        full, size = old.space.full(), len(old.levels)
        levels = tuple(full.sample(rng) for _ in range(size))
        return Levels(old.space, levels, (1 / size,) * size)

    return _each_part(distribution, _by_marginal(lambda knob, _: redrawn(knob, rng)), drawn_anew)


OPERATORS: Mapping[str, Operator] = {
    "shift": shift,
    "widen": widen,
    "narrow": narrow,
    "reweight": reweight,
    "resample": resample,
}
"""The operators by the names that experiment files use."""


def _amount(amount: object) -> float:
    share = float(number("amount", amount))
    if not 0 <= share <= 1:
        raise ValueError(f"`0 <= amount <= 1` must hold, but got amount={share}")
    return share


def _knob(product: Product, name: str) -> Knob:
    return product.space.knobs[name]


def _each_part(
    distribution: Distribution,
    product: Callable[[Product], Distribution],
    levels: Callable[[Levels], Distribution],
) -> Distribution:
    match distribution:
        case Product():
            return product(distribution)
        case Levels():
            return levels(distribution)
        case Mixture(parts):
            return Mixture(
                tuple((weight, _each_part(part, product, levels)) for weight, part in parts)
            )
    raise TypeError(
        "a distribution must be a Product, Mixture or Levels, "
        f"but got {type(distribution).__name__}"
    )


def _by_marginal(change: Callable[[Knob, Marginal], Marginal]) -> Callable[[Product], Product]:
    def product(old: Product) -> Product:
        changed = {name: change(_knob(old, name), each) for name, each in old.marginals.items()}
        return Product(old.space, changed)

    return product


def _by_weights(
    change: Callable[[tuple[float, ...]], tuple[float, ...]],
) -> Callable[[Levels], Levels]:
    return lambda old: Levels(old.space, old.levels, change(old.weights))


def _reweight_parts(
    distribution: Distribution, rng: np.random.Generator, share: float
) -> Distribution:
    if not isinstance(distribution, Mixture):
        return distribution
    weights = scattered([weight for weight, _ in distribution.parts], rng, share)
    parts = [part for _, part in distribution.parts]
    return Mixture(tuple(zip(weights, parts, strict=True)))


def _shift_levels(old: Levels, rng: np.random.Generator, share: float) -> Levels:
    numeric = {
        name: knob
        for name, knob in old.space.knobs.items()
        if isinstance(knob, Numeric) and knob.low < knob.high
    }
    if not numeric or share == 0:
        return old
    name = tuple(numeric)[int(rng.random() * len(numeric))]
    knob = numeric[name]
    delta = share if rng.random() < 0.5 else -share
    if all(level[name] == (knob.high if delta > 0 else knob.low) for level in old.levels):
        delta = -delta
    moved = tuple({**level, name: knob.moved(level[name], delta)} for level in old.levels)
    return Levels(old.space, moved, old.weights)
