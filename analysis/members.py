"""How far the members of a population are, how they score, and whose weights the best ones are."""

from __future__ import annotations

import pandas as pd

from analysis.ancestry import Ancestry, ancestry, best_member
from analysis.frames import Run
from orchestrator.suites import SELECT

__all__ = ["best_ancestry", "boundary_scores", "last_iterations", "last_played", "told_ancestry"]


def last_iterations(run: Run) -> dict[int, int]:
    """The last iteration of each member that anything is known of, by number.

    Args:
        run: of one population.
    """
    played = run.scores[run.scores["suite"] == SELECT]
    frames = (run.results, run.distributions, run.hyperparameters, played)
    seen = pd.concat([frame[["member", "iteration"]] for frame in frames])
    last = seen.groupby("member")["iteration"].max()
    return dict(zip(last.index.to_list(), last.to_list(), strict=True))


def boundary_scores(run: Run) -> pd.DataFrame:
    """Scores on the select suite: a row for each member and boundary.

    Args:
        run: of one population.
    """
    played = run.scores[run.scores["suite"] == SELECT]
    return played.drop_duplicates(["member", "iteration"])


def last_played(scores: pd.DataFrame) -> pd.DataFrame:
    """Of each member the levels that it played last; all, where no iteration is told."""
    if "iteration" not in scores:
        return scores
    who = [key for key in ("arm", "seed", "member", "suite") if key in scores]
    return scores[scores["iteration"] == scores.groupby(who)["iteration"].transform("max")]


def best_ancestry(run: Run) -> Ancestry | None:
    """That of the best member as it was at its best; None without scores, or if none can be told.

    Args:
        run: of one population.
    """
    if not boundary_scores(run)["score"].notna().any():
        return None
    return told_ancestry(run, *best_member(run))


def told_ancestry(run: Run, member: int, iteration: int) -> Ancestry | None:
    """As `analysis.ancestry`; None where, after restores, it cannot be told."""
    try:
        return ancestry(run, member, iteration=iteration)
    except ValueError:
        return None
