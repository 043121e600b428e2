"""Hooks into Ray Tune: env mutation, retention of checkpoints, progress.

``callbacks.EnvMutation`` is for somebody's own Tune script. It is imported when it is first asked
for, since it needs Ray, which the displays do not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import envolve

envolve.require("orchestrator", beside=__file__)

if TYPE_CHECKING:
    from callbacks.env_mutation import EnvMutation as EnvMutation
    from callbacks.population_mutation import PopulationMutation as PopulationMutation

__all__ = ["EnvMutation", "PopulationMutation"]

_HOMES = {
    "EnvMutation": "callbacks.env_mutation",
    "PopulationMutation": "callbacks.population_mutation",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
