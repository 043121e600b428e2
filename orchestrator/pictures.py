"""Short text for people: numbers in a few digits, labels without line breaks, plurals."""

from __future__ import annotations

import json

__all__ = ["copied", "counted", "label", "percent", "rounded", "short", "span"]

_LABEL_WIDTH = 16


def short(value: float) -> str:
    """A number to three significant digits; whole numbers below a million in full."""
    if value == 0:
        return "0"
    if isinstance(value, int) and abs(value) < 1_000_000:
        return str(value)
    rounded = float(f"{value:.3g}")
    return f"{rounded:.6g}" if 1e-3 <= abs(rounded) < 1e6 else f"{rounded:.3g}"


def rounded(value: float) -> str:
    """A score: from 10 on with one decimal, below that to three significant digits."""
    return f"{value:.1f}" if 10 <= abs(value) < 1e6 else short(float(value))


def span(low: float, high: float) -> str:
    """A range, or its single point: ``5…20``, ``9.8``."""
    return short(low) if low == high else f"{short(low)}…{short(high)}"


def percent(share: float) -> str:
    """A share in [0, 1] in per cent; a share that only rounds to zero is ``<1%``."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def label(value: object) -> str:
    """A JSON value in one short piece of text."""
    whole = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    line = "".join(each if each.isprintable() else " " for each in whole)
    return line if len(line) <= _LABEL_WIDTH else line[: _LABEL_WIDTH - 1] + "…"


def counted(number: int, thing: str) -> str:
    """``1 fault``, ``2 faults``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def copied(member: int, donor: int) -> str:
    """What an exploit does; a member that copies itself has other hyperparameters then."""
    return "goes on with other hyperparameters" if donor == member else f"copies m{donor}"
