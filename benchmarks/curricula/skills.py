"""The square of skills that a synthetic student has, cut into cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["CELLS", "Bools", "Cells", "Floats", "beside", "centers", "numbers", "spread"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.intp]

CELLS = 10
"""Cells along each side; a field over them has shape ``(CELLS, CELLS)``."""

# A standard deviation of one cell.
_KERNEL = np.exp(-0.5 * np.square(np.subtract.outer(np.arange(CELLS), np.arange(CELLS))))


def numbers(skills: Floats) -> Cells:
    """The number of the cell of each place in the unit square, of shape ``(places, 2)``."""
    rows = np.minimum((skills * CELLS).astype(np.intp), CELLS - 1)
    found: Cells = rows[:, 0] * CELLS + rows[:, 1]
    return found


def centers() -> tuple[Floats, Floats]:
    """Both coordinates of the middle of each cell, as fields."""
    middles = (np.arange(CELLS) + 0.5) / CELLS
    first, second = np.meshgrid(middles, middles, indexing="ij")
    return first, second


def spread(field: Floats) -> Floats:
    """Each cell's amount, felt by the cells around it: ``k = exp(-distance² / 2)``, in cells.

    A cell feels the whole of its own amount.
    """
    felt: Floats = _KERNEL @ field @ _KERNEL
    return felt


def beside(field: Floats) -> Floats:
    """The highest value among each cell and its neighbours, the diagonal ones included."""
    padded = np.pad(field, 1, constant_values=-np.inf)
    down = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    highest: Floats = np.maximum(np.maximum(down[:, :-2], down[:, 1:-1]), down[:, 2:])
    return highest
