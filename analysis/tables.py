"""From a history to frames: what stands in the end, sorted, in the columns that users see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.columns import Codes, Ints, Rows, parts_of, picked
from analysis.history import History
from analysis.timeline import Timeline, stands
from orchestrator.suites import TEST

_WHO = {"arm": "str", "seed": "int64", "member": "int64", "iteration": "int64"}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "results": _WHO | {"training_return": "float64", "env_steps": "int64", "seconds": "float64"},
    "scores": _WHO | {"suite": "str", "level": "int64", "return": "float64", "score": "float64"},
    "mutations": _WHO | {"revision": "int64", "by": "str", "why": "str"},
    "lineage": _WHO | {"donor": "int64", "donor_iteration": "int64", "donor_score": "float64"},
    "checkpoints": _WHO | {"path": "str", "digest": "str", "score": "float64", "pruned": "bool"},
    "faults": _WHO | {"where": "str", "error": "str", "action": "str", "level": "object"},
    "distributions": {
        **_WHO,
        "revision": "int64",
        "knob": "str",
        "low": "float64",
        "high": "float64",
        "weights": "object",
        "spread": "float64",
    },
    "hyperparameters": _WHO | {"name": "str", "value": "object", "number": "float64"},
    "seconds": _WHO | {"part": "str", "seconds": "float64"},
    "levels": {
        "arm": "str",
        "suite": "str",
        "level": "int64",
        "knob": "str",
        "value": "object",
        "number": "float64",
    },
}
"""The columns of every frame, with their types."""


def frames_of(history: History) -> dict[str, pd.DataFrame]:
    """Every frame but ``levels``, by name; the history's rows are handed over."""
    tables = _Tables(history)
    return {
        "results": tables.results(),
        "scores": tables.scores(),
        "mutations": tables.mutations(),
        "lineage": tables.lineage(),
        "checkpoints": tables.checkpoints(),
        "faults": tables.faults(),
        "distributions": tables.distributions(),
        "hyperparameters": tables.hyperparameters(),
        "seconds": tables.seconds(),
    }


def table(name: str, rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """The frame of that name from rows of values."""
    columns = COLUMNS[name]
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    named = {column: list(values) for column, values in zip(columns, cells, strict=True)}
    return pd.DataFrame(named, dtype="object").astype(dict(columns))


class _Tables:
    """The frames of a history; what was trained again replaces what was before."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._members = list(history.members)
        ranked = sorted(range(len(self._members)), key=self._members.__getitem__)
        self._rank = np.argsort(np.array(ranked, np.int64))
        arms, seeds, numbers = zip(*self._members, strict=True) if self._members else ((), (), ())
        self._who: Mapping[str, Any] = {
            "arm": pd.array(arms, dtype="str"),
            "seed": np.array(seeds, np.int64),
            "member": np.array(numbers, np.int64),
        }
        self._texts = pd.array(list(history.texts), dtype="str")
        self._results, restores = history.results.handed_over(), history.restores.handed_over()
        members, places, again = (
            np.concatenate([self._results[name], restores[name]])
            for name in ("member", "place", "iteration")
        )
        self._went_back = Timeline(members, places, history.count)
        # A member that is restored keeps what it trained up to its checkpoint, but that was saved
        # before anything was decided at that iteration.
        restored = np.arange(len(again)) >= len(self._results["place"])
        self._trained_from, self._decided_from = again + restored, again
        self._trained = self._standing(self._results, self._trained_from)
        self._saves = history.saves.handed_over()

    def results(self) -> pd.DataFrame:
        """A row per training iteration."""
        return self._frame("results", picked(self._results, self._trained))

    def seconds(self) -> pd.DataFrame:
        """A row per part of an iteration."""
        spent = self._history.seconds.handed_over()
        parts, _ = parts_of(self._results["parts"], self._trained, spent)
        return self._frame("seconds", picked(self._results, self._trained), parts)

    def scores(self) -> pd.DataFrame:
        """A row per level played."""
        rows = self._history.scores.handed_over()
        stand = self._stand(rows, self._trained_from)
        played = self._in_order(rows, stand[self._last_plays(picked(rows, stand))])
        # Not kept in a variable: of all that a run has this is the most.
        parts, level = parts_of(rows["parts"], played, self._history.returns.handed_over())
        return self._frame("scores", picked(rows, played), parts | {"level": level})

    def mutations(self) -> pd.DataFrame:
        """A row per change of a distribution."""
        rows = self._history.mutations.handed_over()
        return self._frame("mutations", picked(rows, self._standing(rows, self._decided_from)))

    def distributions(self) -> pd.DataFrame:
        """A row per knob of each revision."""
        rows = self._history.distributions.handed_over()
        return self._parted("distributions", rows, self._history.draws.handed_over())

    def hyperparameters(self) -> pd.DataFrame:
        """A row per searched key, where a member begins or goes on with others."""
        rows = self._history.hyperparameters.handed_over()
        return self._parted("hyperparameters", rows, self._history.values.handed_over())

    def lineage(self) -> pd.DataFrame:
        """A row per exploit, with what is known of the checkpoint that it copies."""
        exploits, saves = self._history.exploits.handed_over(), self._saves
        exploits = picked(exploits, self._standing(exploits, self._decided_from))
        saved = Timeline(saves["path"], saves["place"], self._history.count)
        copied = saved.last_before(exploits["path"], exploits["place"])
        known = copied >= 0
        iterations, scores = exploits["iteration"].copy(), np.full(len(copied), np.nan)
        iterations[known] = saves["iteration"][copied[known]]
        scores[known] = saves["score"][copied[known]]
        donors = {"donor_iteration": iterations, "donor_score": scores}
        return self._frame("lineage", exploits | donors)

    def checkpoints(self) -> pd.DataFrame:
        """A row per checkpoint, as it was last saved."""
        saves, prunes = self._saves, self._history.prunes.handed_over()
        last_saved, last_pruned = np.full((2, len(self._texts)), -1)
        # Of several values for one index the last is what stays.
        last_saved[saves["path"]] = np.arange(len(saves["path"]))
        last_pruned[prunes["path"]] = prunes["place"]
        rows = picked(saves, self._in_order(saves, last_saved[last_saved >= 0]))
        rows["pruned"] = last_pruned[rows["path"]] > rows["place"]
        return self._frame("checkpoints", rows)

    def faults(self) -> pd.DataFrame:
        """A row per fault, in the order in which they happened."""
        return self._frame("faults", self._history.faults.handed_over())

    def _parted(self, name: str, rows: Rows, parts: Rows) -> pd.DataFrame:
        """The frame with a row per part of what was decided and stands."""
        decided = self._standing(rows, self._decided_from)
        parts, _ = parts_of(rows["parts"], decided, parts)
        return self._frame(name, picked(rows, decided), parts)

    def _last_plays(self, rows: Rows) -> NDArray[np.bool_]:
        """Of a suite that was played again the last play; of the test suite the last of all.

        That one is played where a run ends, by one member of each population.
        """
        populations = Codes[tuple[str, int]]()
        of_member = np.array(populations.of(each[:2] for each in self._members), np.int64)
        test = rows["suite"] == self._history.texts[TEST]
        plays = {
            "suite": rows["suite"],
            "who": np.where(test, of_member[rows["member"]], rows["member"]),
            "iteration": np.where(test, 0, rows["iteration"]),
        }
        last: NDArray[np.bool_] = ~pd.DataFrame(plays).duplicated(keep="last").to_numpy()
        return last

    def _standing(self, rows: Rows, replaced_from: Ints) -> Ints:
        """The numbers of the rows that hold in the end, in order."""
        return self._in_order(rows, self._stand(rows, replaced_from))

    def _stand(self, rows: Rows, replaced_from: Ints) -> Ints:
        """The same as they happened."""
        where = (rows["member"], rows["place"], rows["iteration"])
        return np.flatnonzero(stands(*where, self._went_back, replaced_from))

    def _in_order(self, rows: Rows, index: Ints) -> Ints:
        """By arm, seed, member and iteration; what is of one iteration as it happened."""
        ranks, iterations = self._rank[rows["member"][index]], rows["iteration"][index]
        who = ranks * (iterations.max(initial=0) + 1) + iterations
        order = np.lexsort((rows["place"][index], who))
        in_order: Ints = index[order]
        return in_order

    def _frame(self, name: str, rows: Rows, parts: Rows | None = None) -> pd.DataFrame:
        """The frame of that name: a row for each of ``rows``, or for each part that they have."""
        columns: dict[str, Any] = {}
        for column, kind in COLUMNS[name].items():
            if parts is not None and column in parts:
                columns[column] = self._column(parts[column], kind)
                continue
            if column in self._who:
                values = self._who[column].take(rows["member"])
            else:
                values = self._column(rows[column], kind)
            columns[column] = values if parts is None else values.repeat(rows["parts"])
        return pd.DataFrame(columns, copy=False)

    def _column(self, values: NDArray[Any], kind: str) -> Any:
        """Numbers and objects as they are, texts from their codes."""
        if kind != "str":
            return values
        return pd.array(values, dtype="str") if values.dtype == object else self._texts.take(values)
