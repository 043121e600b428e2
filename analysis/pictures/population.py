"""What is drawn of one population: until when its members trained, and what held when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.ancestry import Ancestry
from analysis.frames import Run
from analysis.members import best_ancestry, boundary_scores, last_iterations
from analysis.pictures.marks import CROWD
from orchestrator.checks import nearest
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Knob

NOBODY = "no member was started yet"


@dataclass(frozen=True, eq=False)
class Held:
    """Which row of a frame held for each member, and when.

    Attributes:
        edges: training iterations, shape (times + 1,), ascending: each time lies between two.
        row: shape (members, times): the place of the row, -1 before and after the member's life.
    """

    edges: NDArray[np.float64]
    row: NDArray[np.intp]

    def values(self, of_rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """A value of each row, by member and time; NaN where none holds."""
        return np.where(self.row < 0, np.nan, np.append(of_rows, np.nan)[self.row])


@dataclass(frozen=True, eq=False)
class Population:
    """One (arm, seed) of a run.

    Attributes:
        scores: on the select suite, a row for each member and boundary.
        until: the last iteration of each member.
    """

    run: Run
    arm: str
    scores: pd.DataFrame
    until: dict[int, int]

    @property
    def space(self) -> EnvSpace:
        return self.run.space[self.arm]

    @property
    def members(self) -> list[int]:
        return list(self.until)

    @property
    def end(self) -> int:
        return max(self.until.values(), default=0)

    @property
    def is_crowd(self) -> bool:
        """Whether there are too many members to tell them apart."""
        return len(self.until) > CROWD

    @cached_property
    def ancestry(self) -> Ancestry | None:
        """That of the best member; None if nobody has a score yet, or it cannot be told."""
        return best_ancestry(self.run)

    @property
    def ancestral(self) -> list[tuple[int, int, int]]:
        """(member, from, to): the stretches of training of the best member's ancestry."""
        if self.ancestry is None:
            return []
        columns = ["member", "from_iteration", "to_iteration"]
        return list(self.ancestry.segments[columns].itertuples(index=False, name=None))

    def knob(self, name: str) -> Knob:
        """The knob of that name.

        Raises:
            ValueError: if there is none; names the nearest.
        """
        knobs = self.space.knobs
        if name not in knobs:
            raise ValueError(
                f"`knob` must be one of {', '.join(knobs) or 'none'}, "
                f"but got {name!r}{nearest(name, knobs)}"
            )
        return knobs[name]

    def copied(self, member: int) -> list[int]:
        """Iterations at which a member became a copy."""
        return rows_of(self.run.lineage, member)["iteration"].to_list()

    def held(self, changes: pd.DataFrame) -> Held:
        """Which of ``changes`` held when: each from its iteration to the member's next one."""
        edges = np.unique([*changes["iteration"], *self.until.values()]).astype(float)
        row = np.full((len(self.until), max(len(edges) - 1, 0)), -1, dtype=np.intp)
        places = pd.Series(np.arange(len(changes)), index=changes.index)
        for lane, (member, until) in enumerate(self.until.items()):
            own = last_of_each_iteration(rows_of(changes, member))
            starts = own["iteration"].to_numpy(dtype=float)
            at = np.searchsorted(starts, edges[:-1], side="right") - 1
            alive = (at >= 0) & (edges[:-1] < until)
            row[lane, alive] = places[own.index].to_numpy()[at[alive]]
        return Held(edges, row)


def population_of(run: Run) -> Population | None:
    """The population of a run that has one only; None if none began yet.

    Raises:
        ValueError: if there are several; `analysis.Run.of` gives one of them.
    """
    if not run.populations:
        return None
    if len(run.populations) > 1:
        known = ", ".join(f"({arm!r}, {seed})" for arm, seed in run.populations)
        raise ValueError(
            "a picture of one population must get a run with one only, as `run.of(arm, seed)` "
            f"gives it, but got one with {known}"
        )
    arm, _ = run.populations[0]
    return Population(run, arm, boundary_scores(run), last_iterations(run))


def first_populations(populations: Sequence[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """Up to ``most`` populations: the first seed of each arm, then of each the second, and so on.

    As many seeds of one arm as of another, unless there is no room even for one of each.
    """
    arms = list(dict.fromkeys(arm for arm, _ in populations))
    seeds = {arm: [seed for name, seed in populations if name == arm] for arm in arms}
    rounds = max(most // max(len(arms), 1), 1)
    return [(arm, seed) for arm in arms[:most] for seed in seeds[arm][:rounds]]


def rows_of(frame: pd.DataFrame, member: int) -> pd.DataFrame:
    """A member's rows."""
    return frame[frame["member"] == member]


def last_of_each_iteration(frame: pd.DataFrame) -> pd.DataFrame:
    """Of several changes at one iteration the last one holds."""
    return frame.drop_duplicates("iteration", keep="last")
