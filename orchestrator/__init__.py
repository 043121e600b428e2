"""How a population of env distributions evolves; knows nothing of YAML or of the command line.

``orchestrator.keep`` keeps what somebody's own training loop learns; ``orchestrator.leveled``
makes the envs of a stock RLlib config draw levels; ``orchestrator.blueprint`` and
``population_tuner`` run a population from a script. They are imported when they are first asked
for, since they need Ray, which the domain does not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.keeping import keep as keep
    from orchestrator.leveling import leveled as leveled
    from orchestrator.tuning import blueprint as blueprint
    from orchestrator.tuning import population_tuner as population_tuner

__all__ = ["blueprint", "keep", "leveled", "population_tuner"]

_HOMES = {
    "blueprint": "orchestrator.tuning",
    "keep": "orchestrator.keeping",
    "leveled": "orchestrator.leveling",
    "population_tuner": "orchestrator.tuning",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
