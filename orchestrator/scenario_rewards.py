"""What a scenario's generator is paid for an episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["NAMED", "TEAMS", "flexible", "minimax", "regret"]


def minimax(student: float) -> float:
    """The less the student returns, the better (Morimoto & Doya 2005; a baseline of PAIRED)."""
    return -student


def regret(protagonist: float, antagonist: float) -> float:
    """How much better the antagonist did: PAIRED, with one episode of each (Dennis et al. 2020).

    It may be negative. The published code cuts it off at zero; with a single episode of each
    that would pay for returns that are merely noisy.
    """
    return antagonist - protagonist


def flexible(protagonist: float, antagonist: float) -> float:
    """How much better the better one did, whoever it is: flexible PAIRED."""
    return abs(antagonist - protagonist)


NAMED: Mapping[str, Callable[..., float]] = {
    "minimax": minimax,
    "regret": regret,
    "flexible": flexible,
}
"""By their names in a file; each takes the returns of the teams, in their order."""

TEAMS: Mapping[str, int] = {"minimax": 1, "regret": 2, "flexible": 2}
"""How many teams each of them compares."""
