"""Guards envolve's import packages against folders of the same names on the user's path.

The packages are called `experiments`, `callbacks`, `orchestrator` and `analysis`; names that
common may stand in a user's folder as well, and Python takes whichever it meets first.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path


class Shadowed(ImportError):
    """Another package hides one of envolve's."""


def require(*names: str, beside: str) -> None:
    """Make sure that these packages are the ones that lie beside the file ``beside``'s package.

    Raises:
        Shadowed: naming what shadows which, and what to do.
    """
    home = Path(beside).resolve().parent.parent
    for name in names:
        found = importlib.util.find_spec(name)
        place = None if found is None or found.origin is None else Path(found.origin).resolve()
        if place is None or place.parent.parent != home:
            where = "missing" if place is None else f"hidden by {place.parent}"
            raise Shadowed(
                f"envolve's package `{name}` must be importable, but {home / name} is {where}; "
                "rename that folder, or start Python elsewhere or with -P",
                name=name,
            )
