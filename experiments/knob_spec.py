"""How the file writes what may vary: knobs of the env, and hyperparameters that are searched.

Told apart by their keys: ``{low, high}`` (with ``integer: true`` for whole numbers),
``{choices: [...]}`` and, for knobs alone, ``{simplex: [...]}`` and ``{cells: 121}``. That low lies
below high, and a start inside its legal range, is checked in `experiments.crosschecks`, with
positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from experiments.fields import (
    TAG,
    CountOrNull,
    CountOrZero,
    NonNegative,
    Number,
    Scale,
    Section,
    Share,
    Text,
    Whole,
    says,
    says_of_container,
)

_Choices = Annotated[
    tuple[Any, ...], Field(strict=False, min_length=1), says("must be a list of at least one value")
]
_Weights = Annotated[
    tuple[NonNegative, ...],
    Field(strict=False),
    says_of_container("must be a list of numbers of at least 0"),
]
_Terms = Annotated[
    tuple[Text, ...],
    Field(strict=False, min_length=2),
    says_of_container("must be a list of at least two names"),
]
#: As `orchestrator.knobs.LARGEST_GRID`; reading a file has to do without numpy.
LARGEST_GRID = 2**16

_Grid = Annotated[
    int, Field(ge=1, le=LARGEST_GRID), says(f"must be a whole number from 1 to {LARGEST_GRID}")
]
_True = Annotated[Literal[True], says("must be true or false")]
_False = Annotated[Literal[False], says("must be true or false")]


class RangeStart(Section):
    """Where the distribution of a continuous knob starts; ``low == high`` is a point."""

    low: Number
    high: Number


class WholeRangeStart(Section):
    """Where the distribution of an integer knob starts; both ends are included."""

    low: Whole
    high: Whole


def _or_bare_list(schema: dict[str, Any]) -> None:
    written_out = dict(schema)
    schema.clear()
    schema["anyOf"] = [written_out, written_out["properties"]["weights"]]


class WeightsStart(Section):
    """Relative weights of the choices at the start, one per choice; a bare list is enough."""

    model_config = ConfigDict(json_schema_extra=_or_bare_list)

    weights: _Weights

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, data: Any) -> Any:
        return {"weights": data} if isinstance(data, list) else data

    @property
    def probabilities(self) -> tuple[float, ...]:
        """The weights, divided by their sum."""
        total = sum(self.weights)
        return tuple(weight / total for weight in self.weights)


class BlendStart(Section):
    """Where a simplex starts: relative weights of its terms, and how far draws spread from them."""

    center: Annotated[
        dict[str, NonNegative],
        says_of_container("must be a mapping of terms to numbers of at least 0"),
    ]
    spread: Share = 0.0

    def weights(self, terms: tuple[str, ...]) -> tuple[float, ...]:
        """The center as weights that sum to one, in the order of `terms`."""
        total = sum(self.center.values())
        return tuple(self.center[term] / total for term in terms)


class CellsStart(Section):
    """How many cells are set at the start; both ends are included."""

    low: CountOrZero
    high: CountOrZero


class ContinuousSearch(Section):
    """A number between two bounds; on a log scale it is drawn uniformly in its logarithm."""

    low: Number
    high: Number
    scale: Scale = "linear"
    integer: _False = False


class IntegerSearch(Section):
    """A whole number between two bounds, both included."""

    low: Whole
    high: Whole
    integer: _True
    scale: Scale = "linear"


class ChoiceSearch(Section):
    """One of a list of values."""

    choices: _Choices


class ContinuousKnob(ContinuousSearch):
    """A continuous entry of an env config: its legal range, and where it starts."""

    start: RangeStart | None = None


class IntegerKnob(IntegerSearch):
    """A whole-numbered entry of an env config: its legal range, and where it starts."""

    start: WholeRangeStart | None = None


class ChoiceKnob(ChoiceSearch):
    """An entry of an env config that takes one of a list of values."""

    start: WeightsStart | None = None


class SimplexKnob(Section):
    """Named weights that sum to one, such as the weights of reward terms."""

    simplex: _Terms
    start: BlendStart | None = None


class CellsKnob(Section):
    """A set of cells of a grid, such as walls; a value is a list of their numbers."""

    cells: _Grid
    """Cells of the whole grid, numbered from 0."""
    low: CountOrZero = 0
    """The fewest that are set."""
    high: CountOrNull = None
    """The most that are set; null: all of them."""
    start: CellsStart | None = None


#: Words that mark a form, neighbours' words for it included.
_MARKS: Mapping[str, tuple[str, ...]] = {
    "choice": ("choices", "values", "options", "categorical"),
    "simplex": ("simplex",),
    "cells": ("cells", "multi_binary", "mask", "subset"),
}


def form_of(value: Any) -> str:
    """Which form a knob is written in: continuous, integer, choice, simplex or cells."""
    if not isinstance(value, Mapping):
        names = {"IntegerKnob": "integer", "IntegerSearch": "integer"}
        names |= {"ChoiceKnob": "choice", "ChoiceSearch": "choice", "SimplexKnob": "simplex"}
        names |= {"CellsKnob": "cells"}
        return names.get(type(value).__name__, "continuous")
    for form, words in _MARKS.items():
        if any(word in value for word in words):
            return form
    return "integer" if value.get("integer") is True else "continuous"


def _knob_tag(value: Any) -> str:
    return TAG + form_of(value)


def _search_tag(value: Any) -> str:
    form = form_of(value)
    return TAG + ("continuous" if form in ("simplex", "cells") else form)


Knob = Annotated[
    Annotated[ContinuousKnob, Tag(TAG + "continuous")]
    | Annotated[IntegerKnob, Tag(TAG + "integer")]
    | Annotated[ChoiceKnob, Tag(TAG + "choice")]
    | Annotated[SimplexKnob, Tag(TAG + "simplex")]
    | Annotated[CellsKnob, Tag(TAG + "cells")],
    Discriminator(_knob_tag),
]

SearchKnob = Annotated[
    Annotated[ContinuousSearch, Tag(TAG + "continuous")]
    | Annotated[IntegerSearch, Tag(TAG + "integer")]
    | Annotated[ChoiceSearch, Tag(TAG + "choice")],
    Discriminator(_search_tag),
]
