"""A Gaussian over the numeric knobs of a space, in unit coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from orchestrator.checks import JsonObject, fields, number
from orchestrator.env_space import Distribution, EnvSpace, Level, Product
from orchestrator.knobs import Knob, Marginal, Numeric, Range

__all__ = ["Gaussian", "numeric", "position"]

_ROUNDING = 1e-9
"""How far a covariance may be off by rounding, as a share of its largest entry."""

_REACH = 10.0
"""Standard deviations beyond which nothing is ever drawn: less than one number in 10**22 is."""

_SHOWN = 2.0
"""Standard deviations that a picture shows: 95 % of the numbers drawn."""

Matrix = npt.NDArray[np.float64]


def numeric(space: EnvSpace) -> dict[str, Numeric]:
    """The continuous and integer knobs of `space`, in its order."""
    return {name: knob for name, knob in space.knobs.items() if isinstance(knob, Numeric)}


def position(space: EnvSpace, level: Mapping[str, Any]) -> list[float]:
    """Where a level lies in the unit cube of the numeric knobs.

    Raises:
        ValueError: if one of their values is not legal.
    """
    return [knob.to_unit(level[name]) for name, knob in numeric(space).items()]


@dataclass(frozen=True)
class Gaussian(Distribution):
    """Numeric knobs drawn together around a center, the others from all that is legal.

    What is drawn is clipped into the unit cube, so that bounds get the mass beyond them.

    Attributes:
        center: position of each numeric knob in its legal range, in the space's order.
        covariance: of these positions, a row for each; kept symmetric. Singular ones are fine.

    Raises:
        ValueError: if `center` is not inside the unit cube, or `covariance` is not square and of
            the same size, finite, symmetric and positive semi-definite (up to rounding).
    """

    kind: ClassVar[str] = "gaussian"
    space: EnvSpace
    center: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    _factor: Matrix = field(init=False, repr=False, compare=False)
    _middle: Matrix = field(init=False, repr=False, compare=False)
    _plan: tuple[tuple[str, Knob, Marginal, int | None], ...] = field(
        init=False, repr=False, compare=False
    )
    _reach: Product = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = tuple(numeric(self.space))
        center = _numbers("center", self.center)
        if len(center) != len(names):
            raise ValueError(
                f"`center` must have one entry for each of the numeric knobs {list(names)}, "
                f"but got {len(center)}"
            )
        for name, each in zip(names, center, strict=True):
            if not 0 <= each <= 1:
                raise ValueError(f"`center` must be from 0 to 1, but got {each} for knob {name!r}")
        covariance = _symmetric(self.covariance, len(names))
        place = {name: index for index, name in enumerate(names)}
        plan = tuple(
            (name, knob, knob.full(), place.get(name)) for name, knob in self.space.knobs.items()
        )
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "covariance", tuple(map(tuple, covariance.tolist())))
        object.__setattr__(self, "_factor", _factor(covariance))
        object.__setattr__(self, "_middle", np.array(center))
        object.__setattr__(self, "_plan", plan)
        object.__setattr__(self, "_reach", self.about(_REACH))

    def sample(self, rng: np.random.Generator) -> Level:
        drawn = self._middle + self._factor @ rng.standard_normal(len(self.center))
        units = drawn.tolist()
        level: Level = {}
        for name, knob, full, place in self._plan:
            if place is None:
                level[name] = knob.sample(full, rng)
            else:
                assert isinstance(knob, Numeric)
                level[name] = knob.from_unit(units[place])
        return level

    def about(self, deviations: float) -> Product:
        """The box of so many standard deviations to each side of the center, inside the bounds."""
        widths = deviations * np.hypot.reduce(self._factor, axis=1)
        ranges = {
            name: Range(knob.from_unit(middle - width), knob.from_unit(middle + width))
            for (name, knob), middle, width in zip(
                numeric(self.space).items(), self.center, widths.tolist(), strict=True
            )
        }
        return Product(self.space, {**self.space.full().marginals, **ranges})

    def contains(self, level: Mapping[str, Any]) -> bool:
        """Whether `level` lies in the box of ten standard deviations: correlations do not count."""
        return self._reach.contains(level)

    def to_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "center": list(self.center),
            "covariance": [list(row) for row in self.covariance],
        }

    @classmethod
    def from_json(cls, space: EnvSpace, data: Mapping[str, Any]) -> Gaussian:
        """The Gaussian that `data`, without its ``kind``, describes.

        Raises:
            ValueError: if `data` is malformed or does not fit `space`.
        """
        found = fields("a gaussian", data, ("center", "covariance"))
        return cls(space, found["center"], found["covariance"])

    def picture(self) -> str:
        return f"about {self.about(_SHOWN).picture()}"


def _numbers(name: str, values: object) -> tuple[float, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"`{name}` must be a list of numbers, but got {values!r}")
    return tuple(float(number(f"{name}[{index}]", each)) for index, each in enumerate(values))


def _symmetric(rows: object, size: int) -> Matrix:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ValueError(f"`covariance` must be a list of rows, but got {rows!r}")
    plain = [_numbers(f"covariance[{index}]", row) for index, row in enumerate(rows)]
    if [len(row) for row in plain] != [size] * size:
        raise ValueError(
            f"`covariance` must have {size} rows of {size} numbers, one for each numeric knob, "
            f"but got rows of {[len(row) for row in plain]}"
        )
    matrix = np.array(plain, dtype=np.float64).reshape(size, size)
    off = np.abs(matrix / 2 - matrix.T / 2)
    if off.size and off.max() > _ROUNDING * np.abs(matrix).max():
        row, column = (int(place) for place in np.unravel_index(off.argmax(), off.shape))
        raise ValueError(
            "`covariance` must be symmetric, but got "
            f"{plain[row][column]} at [{row}][{column}], {plain[column][row]} at [{column}][{row}]"
        )
    symmetric: Matrix = matrix / 2 + matrix.T / 2
    return symmetric


def _factor(covariance: Matrix) -> Matrix:
    """A matrix F with ``F @ F.T == covariance``; unlike Cholesky's it exists for singular ones."""
    values, vectors = np.linalg.eigh(covariance)
    if values.size and values[0] < -_ROUNDING * np.abs(covariance).max():
        raise ValueError(
            "`covariance` must be positive semi-definite, but its lowest eigenvalue is "
            f"{values[0]:.3g}"
        )
    factor: Matrix = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor
