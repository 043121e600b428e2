"""What holds at a time, of things that are said when they change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["grid", "held", "steps"]


def held(changes: pd.DataFrame, column: str, times: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Which value each member holds at each time: a row per time, a column per member.

    Of several changes at one iteration the last one holds. Before a member's first change there
    is nothing: NaN or None.

    Args:
        changes: ``member``, ``iteration``, ``column``; a row per change, in order.
    """
    last = changes.drop_duplicates(["member", "iteration"], keep="last")
    wide = last.pivot(index="iteration", columns="member", values=column)
    every = wide.index.union(pd.Index(times, name="iteration"))
    return wide.reindex(every).ffill().loc[times]


def steps(changes: pd.DataFrame, until: int, most: int) -> tuple[list[int], pd.DataFrame]:
    """One member's changes as the corners of a staircase: times, and the rows that hold from each.

    The last row is there twice: until ``until``. Of more than ``most`` changes some are left out.
    """
    last = changes.drop_duplicates("iteration", keep="last")
    if len(last) > most:
        last = last.iloc[np.unique(np.linspace(0, len(last) - 1, most).round().astype(int))]
    times = [int(at) for at in last["iteration"]]
    rows = pd.concat([last, last.tail(1)], ignore_index=True)
    return [*times, max(until, times[-1])], rows


def grid(end: int, most: int) -> npt.NDArray[np.int64]:
    """At most ``most`` iterations from 0 to ``end``, evenly spread."""
    count = min(end + 1, most)
    return np.unique(np.linspace(0, end, count).round().astype(np.int64))
