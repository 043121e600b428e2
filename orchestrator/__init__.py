"""How a population of env distributions evolves; knows nothing of YAML or of the command line.

``orchestrator.keep`` keeps what somebody's own training loop learns. It is imported when it is
first asked for, since it needs Ray, which the domain does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.keeping import keep as keep

__all__ = ["keep"]


def __getattr__(name: str) -> Any:
    if name == "keep":
        from orchestrator.keeping import keep

        return keep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
