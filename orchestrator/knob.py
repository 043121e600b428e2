"""What every kind of knob can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from orchestrator.checks import JsonObject
from orchestrator.marginals import Marginal

__all__ = ["Knob", "edit_size"]

_EDITS = (0.01, 0.1)
"""The least and the most that an edit moves a value, as a share of all there is."""


def edit_size(rng: np.random.Generator) -> float:
    """How far one edit goes, as a share of the legal width: from one to ten percent."""
    least, most = _EDITS
    return float(least + (most - least) * rng.random())


class Knob(ABC):
    """One entry of an env config that may vary, with its legal range. An immutable value.

    Each kind of knob is drawn by one kind of marginal; every method that takes a marginal raises
    ``ValueError`` for one of another kind.
    """

    kind: ClassVar[str]
    """The tag of this kind in JSON."""

    @abstractmethod
    def full(self) -> Marginal:
        """The marginal over the whole legal range."""

    @abstractmethod
    def sample(self, marginal: Marginal, rng: np.random.Generator) -> Any:
        """One plain Python value, legal and within `marginal`, which must be one `fit` returned."""

    @abstractmethod
    def cast(self, value: object) -> Any:
        """`value` in this knob's own plain type.

        Raises:
            ValueError: if `value` is not legal; says what must hold.
        """

    @abstractmethod
    def edited(self, value: Any, rng: np.random.Generator) -> Any:
        """A legal neighbour of a legal value; `value` itself only if there is no other."""

    def legal(self, value: object) -> bool:
        """Whether `value` is in the legal range."""
        try:
            self.cast(value)
        except ValueError:
            return False
        return True

    @abstractmethod
    def within(self, marginal: Marginal, value: object) -> bool:
        """Whether `value` is legal and `marginal` can draw it, up to the rounding of floats."""

    @abstractmethod
    def fit(self, marginal: Marginal) -> Marginal:
        """`marginal` clipped into the legal range and cast to the knob's type; idempotent."""

    @abstractmethod
    def check(self, marginal: Marginal) -> Marginal:
        """`fit(marginal)`, for a marginal that is already inside the legal range.

        Raises:
            ValueError: if `marginal` reaches outside the legal range.
        """

    @abstractmethod
    def marginal_to_json(self, marginal: Marginal) -> JsonObject:
        """`marginal` as a JSON object."""

    @abstractmethod
    def marginal_from_json(self, data: object) -> Marginal:
        """The inverse of `marginal_to_json`.

        Raises:
            ValueError: if `data` is malformed or reaches outside the legal range.
        """

    @abstractmethod
    def to_json(self) -> JsonObject:
        """This knob as a JSON object with its ``kind``; `knob_from_json` is the inverse."""

    @classmethod
    @abstractmethod
    def from_json(cls, data: Mapping[str, Any]) -> Knob:
        """The knob of this kind that `data`, without its ``kind``, describes.

        Raises:
            ValueError: if `data` is malformed.
        """

    @abstractmethod
    def picture(self, marginal: Marginal) -> str:
        """`marginal` in a few characters for a terminal."""

    def _alien(self, marginal: object, expected: type) -> ValueError:
        return ValueError(
            f"{self.kind} knobs are drawn by {expected.__name__}, "
            f"but got {marginal!r} of type {type(marginal).__name__}"
        )
