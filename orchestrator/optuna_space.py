"""Hyperparameters as Optuna's parameters, and back. Optuna is imported where it is used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from orchestrator.frozen import text
from orchestrator.knobs import Choice, Integer, Knob, Numeric

__all__ = ["Sampler", "distribution", "legal", "param", "quiet"]

Sampler = Literal["tpe", "gp", "cmaes"]
"""The samplers that learn."""


# Up to so many values an integer is one to Optuna too, whose samplers may list them all.
_LISTED = 1000


def distribution(knob: Knob) -> Any:
    """The range of a hyperparameter's parameter.

    A number is asked for by its position in the legal range, on its knob's scale; an integer of
    few values by itself; a choice by its place in the list.

    Raises:
        TypeError: for a knob that no hyperparameter can be.
    """
    from optuna import distributions

    if isinstance(knob, Choice):
        # Optuna takes only scalars as choices, and CMA-ES none at all.
        return distributions.IntDistribution(0, len(knob.values) - 1)
    if isinstance(knob, Integer) and _listed(knob):
        return distributions.IntDistribution(knob.low, knob.high, log=knob.scale == "log")
    if isinstance(knob, Numeric):
        return distributions.FloatDistribution(0.0, 1.0)
    raise _alien(knob)


def param(knob: Knob, value: Any) -> float:
    """The parameter that stands for a value; `legal` is the inverse.

    Raises:
        ValueError: if ``value`` is not legal.
    """
    if isinstance(knob, Choice):
        own = text(knob.cast(value))
        return [text(each) for each in knob.values].index(own)
    if isinstance(knob, Integer) and _listed(knob):
        return int(knob.cast(value))
    if isinstance(knob, Numeric):
        return knob.to_unit(value)
    raise _alien(knob)


def legal(knob: Knob, value: float) -> Any:
    """What a parameter stands for, in the knob's own plain type."""
    if isinstance(knob, Choice):
        return knob.cast(knob.values[int(value)])
    if isinstance(knob, Integer) and _listed(knob):
        return knob.cast(int(value))
    if isinstance(knob, Numeric):
        return knob.from_unit(value)
    raise _alien(knob)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna says nothing: neither that a sampler is experimental nor how it works inside."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)


def _listed(knob: Integer) -> bool:
    return knob.high - knob.low < _LISTED


def _alien(knob: Knob) -> TypeError:
    return TypeError(f"a hyperparameter cannot be a {type(knob).__name__}")
