"""How the marginal of one knob is mutated. Every function returns a legal marginal.

Amounts are shares in [0, 1]: of the legal range in unit space for a `Range`, of probability mass
for `Weights` and `Blend`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.knobs import Blend, Knob, Marginal, Numeric, Range, Simplex, Weights, ranged

__all__ = [
    "can_shift",
    "narrowed",
    "redrawn",
    "scattered",
    "sharpened",
    "shifted",
    "smoothed",
    "widened",
]


def can_shift(knob: Knob, marginal: Marginal) -> bool:
    """Whether a shift can change what `marginal` draws."""
    match marginal:
        case Range(low, high):
            legal = knob.full()
            return isinstance(legal, Range) and (low > legal.low or high < legal.high)
        case Weights(weights):
            return len(weights) > 1
        case Blend(_, spread):
            return spread < 1


def shifted(knob: Knob, marginal: Marginal, rng: np.random.Generator, amount: float) -> Marginal:
    """Moved by `amount` to a side that is drawn, or the other one if that has no room.

    A range keeps its width: it moves less where the legal range ends. Weights move `amount` of
    mass from one value to a neighbour in the list; a blend moves it from one term to another.
    """
    numbers = ranged(knob)
    match marginal:
        case Range() if numbers is not None:
            return _shifted_range(numbers, marginal, rng, amount)
        case Weights(weights) if len(weights) > 1:
            source = marginal.index(rng.random())
            step = 1 if rng.random() < 0.5 else -1
            neighbour = source + step
            if not 0 <= neighbour < len(weights):
                neighbour = source - step
            return Weights(_transfer(weights, source, neighbour, amount))
        case Blend(center, spread):
            source = Weights(center).index(rng.random())
            # One of the other terms, each as likely.
            target = (source + 1 + int(rng.random() * (len(center) - 1))) % len(center)
            return Blend(_transfer(center, source, target, amount), spread)
    return marginal


def widened(knob: Knob, marginal: Marginal, amount: float) -> Marginal:
    """Draws all that `marginal` draws, and more: each end outward, weights towards uniform."""
    numbers = ranged(knob)
    match marginal:
        case Range(low, high) if numbers is not None:
            outer_low, outer_high = numbers.moved(low, -amount), numbers.moved(high, amount)
            return numbers.fit(Range(min(low, outer_low), max(high, outer_high)))
        case Weights(weights):
            return Weights(smoothed(weights, amount))
        case Blend(center, spread):
            return Blend(center, min(1.0, spread + amount))
    return marginal


def narrowed(knob: Knob, marginal: Marginal, rng: np.random.Generator, amount: float) -> Marginal:
    """Draws nothing that `marginal` does not: each end inward, at most to one point."""
    numbers = ranged(knob)
    match marginal:
        case Range(low, high) if numbers is not None:
            inner_low = max(low, numbers.moved(low, amount))
            inner_high = min(high, numbers.moved(high, -amount))
            if inner_low > inner_high:
                middle = numbers.from_unit((numbers.to_unit(low) + numbers.to_unit(high)) / 2)
                inner_low = inner_high = min(max(middle, low), high)
            return numbers.fit(Range(inner_low, inner_high))
        case Weights(weights):
            return Weights(sharpened(weights, rng, amount))
        case Blend(center, spread):
            return Blend(center, max(0.0, spread - amount))
    return marginal


def redrawn(knob: Knob, rng: np.random.Generator) -> Marginal:
    """A marginal anew: a range between two legal numbers, or weights from the whole simplex."""
    legal, numbers = knob.full(), ranged(knob)
    match legal:
        case Range() if numbers is not None:
            ends = sorted((numbers.sample(legal, rng), numbers.sample(legal, rng)))
            return numbers.fit(Range(*ends))
        case Weights(weights):
            return Weights(_dirichlet(len(weights), rng))
        case Blend(center, _):
            return Blend(_dirichlet(len(center), rng), rng.random())
    return legal


def scattered(
    weights: Sequence[float], rng: np.random.Generator, amount: float
) -> tuple[float, ...]:
    """Each weight times its own factor, log-uniform in ``[1 / (1 + amount), 1 + amount]``."""
    return tuple(weight * (1 + amount) ** (2 * rng.random() - 1) for weight in weights)


def smoothed(weights: Sequence[float], amount: float) -> tuple[float, ...]:
    """Weights moved towards uniform: `amount` 0 leaves them, 1 makes them uniform."""
    share = amount / len(weights)
    return tuple((1 - amount) * weight + share for weight in weights)


def sharpened(
    weights: Sequence[float], rng: np.random.Generator, amount: float
) -> tuple[float, ...]:
    """Weights moved towards the largest: `amount` 0 leaves them, 1 leaves only that one.

    Which of several that are equally large is drawn, so that uniform weights sharpen too.
    """
    largest = max(weights)
    peaks = [index for index, weight in enumerate(weights) if weight >= largest - 1e-12]
    peak = peaks[int(rng.random() * len(peaks))]
    return tuple(
        (1 - amount) * weight + (amount if index == peak else 0.0)
        for index, weight in enumerate(weights)
    )


def _shifted_range(
    knob: Numeric, marginal: Range, rng: np.random.Generator, amount: float
) -> Range:
    low, high = marginal.low, marginal.high
    room_down, room_up = knob.to_unit(low), 1 - knob.to_unit(high)
    upward = rng.random() < 0.5
    if (room_up if upward else room_down) <= 0:
        upward = not upward
    room = room_up if upward else room_down
    delta = min(amount, room) if upward else -min(amount, room)
    new_low, new_high = knob.moved(low, delta), knob.moved(high, delta)
    # Exactly on the bound where the room is used up, so that no sliver of rounding stays.
    if amount >= room and upward:
        new_high = knob.high
    elif amount >= room:
        new_low = knob.low
    return knob.fit(Range(min(new_low, new_high), new_high))


def _transfer(
    weights: Sequence[float], source: int, target: int, amount: float
) -> tuple[float, ...]:
    moved = list(weights)
    mass = min(amount, moved[source])
    moved[source] -= mass
    moved[target] += mass
    return tuple(moved)


def _dirichlet(size: int, rng: np.random.Generator) -> tuple[float, ...]:
    terms = tuple(str(index) for index in range(max(size, 2)))
    simplex = Simplex(terms)
    drawn = simplex.sample(simplex.full(), rng)
    return tuple(drawn[term] for term in terms[:size])
