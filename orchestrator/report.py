"""What a member says of one iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.curricula import Move, Outcome, Outlook


@dataclass(frozen=True)
class Report:
    """One iteration of a member.

    Attributes:
        revision: that its env distribution has now; a new one is pushed to the envs before the
            next iteration.
        revisions: per revision (episodes, mean return) of the episodes that ended in it.
        seconds: time spent in ``probe``, ``train``, ``score`` and ``save``.
        learner: the learner's own numbers.
        score, returns: on the select suite, at boundaries; else None.
        checkpoint, digest: what was saved at a boundary; else None.
        move: the move of the member's own curriculum that made ``revision`` new; else None.
        outlook: how far its next move is; None without one of its own.
    """

    iteration: int
    env_steps: int
    revision: int
    training_return: float | None
    episodes: int
    revisions: Mapping[int, tuple[int, float]]
    seconds: Mapping[str, float]
    learner: Mapping[str, float]
    score: float | None = None
    returns: tuple[float, ...] | None = None
    checkpoint: str | None = None
    digest: str | None = None
    move: Move | None = None
    outlook: Outlook | None = None


def played(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What a report says of the episodes that ended in training."""
    returns: dict[int, list[float]] = {}
    for outcome in outcomes:
        returns.setdefault(outcome.revision, []).append(outcome.total)
    everything = [value for values in returns.values() for value in values]
    return {
        "training_return": sum(everything) / len(everything) if everything else None,
        "episodes": len(everything),
        "revisions": {
            revision: (len(values), sum(values) / len(values))
            for revision, values in sorted(returns.items())
        },
    }
