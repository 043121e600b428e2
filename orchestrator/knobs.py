"""Knobs and how they are drawn: the public names of the modules beside this one.

=============  ==========================================  ====================================
knob           legal values                                drawn by
=============  ==========================================  ====================================
`Continuous`   real numbers, linear or log scale           `Range`
`Integer`      whole numbers, linear or log scale          `Range`
`Choice`       one of several JSON values                  `Weights`
`Simplex`      weights of named terms that sum to one      `Blend`
`Cells`        sets of the cells of a grid                 `Range`, over how many are set
=============  ==========================================  ====================================
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.cells_knob import LARGEST_GRID, Cells
from orchestrator.checks import nearest
from orchestrator.choice_knobs import Choice, Simplex
from orchestrator.knob import Knob
from orchestrator.marginals import Blend, Marginal, Range, Weights
from orchestrator.numeric_knobs import LARGEST_INTEGER, Continuous, Integer, Numeric, Scale

__all__ = [
    "KINDS",
    "LARGEST_GRID",
    "LARGEST_INTEGER",
    "Blend",
    "Cells",
    "Choice",
    "Continuous",
    "Integer",
    "Knob",
    "Marginal",
    "Numeric",
    "Range",
    "Scale",
    "Simplex",
    "Weights",
    "knob_from_json",
    "ranged",
]

KINDS: Mapping[str, type[Knob]] = {
    kind.kind: kind for kind in (Continuous, Integer, Choice, Simplex, Cells)
}


def knob_from_json(data: object) -> Knob:
    """The knob whose `Knob.to_json` is `data`.

    Raises:
        ValueError: if `data` is malformed or its ``kind`` is unknown.
    """
    if not isinstance(data, Mapping) or "kind" not in data:
        raise ValueError(f"a knob must be a mapping with the key `kind`, but got {data!r}")
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"a knob's `kind` is not known: {kind!r}{nearest(kind, KINDS)}")
    return KINDS[kind].from_json({key: data[key] for key in data if key != "kind"})


def ranged(knob: Knob) -> Numeric | None:
    """The numbers that a `Range` of `knob` is a range of; None if it is drawn by no range.

    They are a numeric knob's own values, and of a set of cells how many are set.
    """
    if isinstance(knob, Cells):
        return knob.count
    return knob if isinstance(knob, Numeric) else None
