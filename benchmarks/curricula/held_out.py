"""Students on levels that they were not trained for, and arms of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.curricula.comparing import compare
from benchmarks.curricula.students import Student
from benchmarks.curricula.tables import Line, number
from orchestrator import seeding
from orchestrator.scoring import aggregate

__all__ = ["SEEDS", "compared", "results"]

SEEDS = 20


def results(name: str, student: Student, seed: int) -> dict[str, float]:
    """Mean competence over feasible levels of a challenge, and that of the worst tenth of them."""
    cells = student.challenge.test(seeding.generator("test", name, seed))
    returns = student.returns(cells).tolist()
    return {
        "mean": aggregate(returns, "mean"),
        "cvar10": aggregate(returns, "cvar", alpha=0.1),
    }


def compared(
    what: Mapping[str, str],
    found: Sequence[Mapping[str, float]],
    baseline: Sequence[Mapping[str, float]],
    parameters: str,
) -> Iterator[Line]:
    """A line for each measure, from the `results` of an arm's seeds and of a baseline's.

    Args:
        what: the first columns.
        parameters: those of the arm, for the last column.
    """
    for measure in found[0]:
        outcome = compare([each[measure] for each in found], [each[measure] for each in baseline])
        yield {
            **what,
            "measure": measure,
            "own": number(outcome.mean),
            "baseline": number(outcome.baseline),
            "difference": number(outcome.difference),
            "low": number(outcome.low),
            "high": number(outcome.high),
            "improvement": number(outcome.improvement),
            "verdict": outcome.verdict,
            "seeds": str(len(found)),
            "parameters": parameters,
        }
