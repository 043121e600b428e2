"""Numbers, times and ranges as a reader of the report sees them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from analysis.comparison.values import Estimate
from analysis.comparison.wording import NOTHING, estimated, p_value
from orchestrator.frozen import thaw
from orchestrator.pictures import counted, label, percent, short, span

__all__ = [
    "NOTHING", "choice", "counted", "drawn", "interval", "lasted", "moment", "number", "p_value",
    "ranges",
]  # fmt: skip


def number(value: object) -> str:
    """To three or four significant digits; ``–`` where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING if value is None else label(thaw(value))
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else ("∞" if value > 0 else "−∞")
    text = f"{value:.1f}" if 10 <= abs(value) < 1e4 and value != round(value) else _short(value)
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _short(value: float) -> str:
    whole = (value == round(value) and abs(value) < 1e15) or 1e4 <= abs(value) < 1e9
    return f"{round(value):,}".replace(",", "\N{THIN SPACE}") if whole else short(float(value))


def interval(estimate: Estimate | None) -> str:
    """``12.3 [11.8, 13]``; the value alone where nothing is known of its spread."""
    return estimated(estimate, number)


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in order, neighbours together: ``0–4, 7``; ``–`` where there are none."""
    runs: list[list[int]] = []
    for each in sorted(numbers):
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(_run(run) for run in runs) or NOTHING


def _run(run: list[int]) -> str:
    return ", ".join(map(str, run)) if len(run) < 3 else f"{run[0]}–{run[-1]}"


def moment(time: str | None) -> str:
    """An ISO time as ``26 Nov 2026, 15:18 UTC``."""
    if not time:
        return NOTHING
    when = datetime.fromisoformat(time)
    return f"{when.day} {when:%b %Y, %H:%M} {when.tzname() or ''}".strip()


def lasted(started: str | None, ended: str | None) -> str:
    """How long it was from one ISO time to another: ``45 s``, ``1 min 20 s``, ``2 h 5 min``."""
    if not started or not ended:
        return NOTHING
    gone = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
    minutes, seconds = divmod(round(gone.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def drawn(low: float, high: float, weights: Mapping[str, float] | None) -> str:
    """How a knob is drawn: ``5…20``, or the values that have weight, the heaviest first."""
    if weights is None:
        return span(_plain(low), _plain(high))
    heavy = sorted(
        ((name, weight) for name, weight in weights.items() if weight > 0),
        key=lambda each: -each[1],
    )
    return " · ".join(f"{choice(name)} {percent(weight)}" for name, weight in heavy)


def choice(name: str) -> str:
    """A value of a choice by its JSON text, or a term of a simplex: without quotes."""
    try:
        return label(json.loads(name))
    except ValueError:
        return label(name)


def _plain(value: float) -> float:
    return int(value) if value == round(value) else value
