"""What came of playing a suite: a table, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callbacks.run_view import score_text
from orchestrator import scoring
from orchestrator.levels import Play
from orchestrator.pictures import label, short
from orchestrator.records import finite


@dataclass(frozen=True)
class Played:
    """A suite that was played.

    Attributes:
        title, facts: what played it, in words and as JSON values.
        aggregate, alpha: how its returns become a score.
        outcomes: for each level its return, or what the env raised on it.
    """

    title: str
    facts: Mapping[str, Any]
    suite: str
    aggregate: scoring.Aggregate
    alpha: float
    plays: Sequence[Play]
    outcomes: Sequence[float | str]

    @property
    def whole(self) -> bool:
        """Whether every level was played to its end."""
        return not any(isinstance(outcome, str) for outcome in self.outcomes)

    @property
    def returns(self) -> list[float]:
        """Of the levels that were played to their end."""
        return [outcome for outcome in self.outcomes if not isinstance(outcome, str)]

    @property
    def score(self) -> float | None:
        """The aggregate; None unless every level was played to its end."""
        if not self.whole:
            return None
        return scoring.aggregate(self.returns, self.aggregate, self.alpha)


def to_json(played: Played) -> dict[str, Any]:
    """As plain JSON values; what is not finite is null."""
    returns = played.returns
    cvar = played.aggregate == "cvar"
    return {
        **played.facts,
        "suite": played.suite,
        "aggregate": played.aggregate,
        "alpha": played.alpha if cvar else None,
        "score": finite(played.score),
        "mean": finite(sum(returns) / len(returns)) if returns else None,
        "min": finite(min(returns, default=None)),
        "max": finite(max(returns, default=None)),
        "levels": [
            {
                "level": play.level,
                "seed": play.seed,
                "return": None if isinstance(outcome, str) else finite(outcome),
                "error": outcome if isinstance(outcome, str) else None,
            }
            for play, outcome in zip(played.plays, played.outcomes, strict=True)
        ],
    }


def print_played(played: Played, console: Console) -> None:
    """Print a row for each level, and what they come to."""
    console.print(Text.assemble((played.title, "bold"), f" on {played.suite}"), soft_wrap=True)
    console.print()
    console.print(_table(played))
    console.print()
    for line in _sums(played):
        console.print(Text(line))


def _table(played: Played) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    knobs = list(played.plays[0].level)
    table.add_column("level", justify="right")
    for knob in knobs:
        table.add_column(knob, justify="right", overflow="fold")
    table.add_column("return", justify="right")
    if not played.whole:
        table.add_column("error", overflow="fold", style="red")
    for play, outcome in zip(played.plays, played.outcomes, strict=True):
        failed = isinstance(outcome, str)
        values = [_value(play.level[knob]) for knob in knobs]
        row = [str(play.index), *values, "–" if isinstance(outcome, str) else score_text(outcome)]
        if not played.whole:
            row.append(str(outcome) if failed else "")
        table.add_row(*map(Text, row))
    return table


def _sums(played: Played) -> list[str]:
    returns = played.returns
    failed = len(played.outcomes) - len(returns)
    lines = []
    if failed:
        lines.append(
            f"{failed} of {len(played.outcomes)} levels could not be played, so there is no score"
        )
    else:
        share = f" {played.alpha:g}" if played.aggregate == "cvar" else ""
        lines.append(f"score ({played.aggregate}{share}): {score_text(played.score)}")
    if returns:
        mean = score_text(sum(returns) / len(returns))
        low, high = score_text(min(returns)), score_text(max(returns))
        lines.append(f"mean {mean}, worst {low}, best {high}")
    return lines


def _value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(value)
    return label(value)
