"""Where a member's weights come from: the training that really made them, by way of all exploits.

A member that copied another continues the other's curve, not its own. A stretch of training is
a *segment*: one member, from the exploit that it began with (or the start of the run) to the
checkpoint that was copied (or asked for). ``trained`` counts the iterations that the weights have
behind them. It is the members' own count of iterations where members keep in step; in an
asynchronous population donor and loser may stand at different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from analysis.frames import Run
from orchestrator.suites import SELECT

__all__ = ["Ancestry", "ancestry", "best_member"]

_SEGMENTS = ("member", "from_iteration", "to_iteration", "trained_before")


@dataclass(frozen=True, eq=False)
class Ancestry:
    """What made the weights of a member, as they were saved at an iteration.

    The frames have the columns of the run's, then ``trained``; they are in its order.

    Attributes:
        arm, seed, member, iteration: whose weights, and of when: before anything was decided
            there.
        segments: a row per stretch of training, oldest first. ``member`` trained these weights
            from ``from_iteration`` to ``to_iteration`` (its own count), when they had
            ``trained_before`` iterations behind them.
        results: a row per iteration that these weights were trained; ``env_steps_along`` counts
            the env steps that were spent on them alone.
        scores: a row per level of the suites that they were played on, on their way.
        distributions, hyperparameters: the schedule that they saw. A row is in force from the
            iteration after ``trained`` on. What holds at the beginning of a segment has rows
            there, whether or not it is new.
    """

    arm: str
    seed: int
    member: int
    iteration: int
    segments: pd.DataFrame = field(repr=False)
    results: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    distributions: pd.DataFrame = field(repr=False)
    hyperparameters: pd.DataFrame = field(repr=False)

    @property
    def trained(self) -> int:
        """The iterations that these weights have behind them."""
        last = self.segments.iloc[-1]
        return int(last["trained_before"] + last["to_iteration"] - last["from_iteration"])


def ancestry(
    run: Run,
    member: int,
    arm: str | None = None,
    seed: int | None = None,
    iteration: int | None = None,
) -> Ancestry:
    """The ancestry of a member's weights.

    It is told by the run's frames: where a donor was put back on an older checkpoint after it had
    been copied, its iterations are those that it has trained since.

    Args:
        arm, seed: the member's population; may be left out where there is but one.
        iteration: of the weights that are meant; its last one if not given.

    Raises:
        ValueError: if there is no such population or member, or it has not trained so far.
    """
    own = run.of(arm, seed)
    ((name, number),) = own.populations
    until = _until(own, member, iteration)
    segments = _segments(own.lineage, member, until)
    return Ancestry(
        arm=name,
        seed=number,
        member=member,
        iteration=until,
        segments=pd.DataFrame(segments, columns=list(_SEGMENTS)).astype("int64"),
        results=_with_steps(own.results, segments),
        scores=_together(own.scores, _parts_within(own.scores, segments)),
        distributions=_in_force(_last_revisions(own.distributions), segments),
        hyperparameters=_in_force(_last_values(own.hyperparameters), segments),
    )


def best_member(run: Run, arm: str | None = None, seed: int | None = None) -> tuple[int, int]:
    """The member with the best score on the select suite, and the iteration that it had it at.

    Of equals it is the one whose checkpoint the run itself takes for the best.

    Args:
        arm, seed: which population; may be left out where there is but one.

    Raises:
        ValueError: if there is no such population, or nobody in it has a score.
    """
    own = run.of(arm, seed)
    played = own.scores[own.scores["suite"] == SELECT].dropna(subset="score")
    if played.empty:
        ((name, number),) = own.populations
        raise ValueError(f"arm {name}, seed {number} must have a score, but nobody in it has one")
    saved = own.checkpoints[["member", "iteration", "path"]]
    ranked = played.merge(saved, how="left").sort_values(["score", "path"], ascending=[False, True])
    best = ranked.iloc[0]
    return int(best["member"]), int(best["iteration"])


class _Segment(NamedTuple):
    """``member`` trained from after iteration ``first`` up to ``last``."""

    member: int
    first: int
    last: int
    before: int


def _until(own: Run, member: int, iteration: int | None) -> int:
    told = (own.results, own.distributions, own.hyperparameters)
    known = sorted({number for frame in told for number in frame["member"].unique().tolist()})
    if member not in known:
        listed = ", ".join(map(str, known)) or "(there are none yet)"
        raise ValueError(f"`member` must be one of {listed}, but got {member!r}")
    trained = own.results.loc[own.results["member"] == member, "iteration"]
    last = int(trained.max()) if len(trained) else 0
    if iteration is None:
        return last
    if not 0 <= iteration <= last:
        raise ValueError(
            f"`0 <= iteration <= {last}` must hold, the iterations that m{member} has trained, "
            f"but got {iteration}"
        )
    return iteration


def _segments(lineage: pd.DataFrame, member: int, until: int) -> list[_Segment]:
    """Oldest first."""
    backwards: list[tuple[int, int, int]] = []
    while True:
        copies = lineage[(lineage["member"] == member) & (lineage["iteration"] < until)]
        if copies.empty:
            backwards.append((member, 0, until))
            break
        copied = copies.iloc[-1]
        stretch = (member, int(copied["iteration"]), until)
        if stretch in backwards:
            raise ValueError(
                f"where the weights of m{member} come from cannot be told: it was put back on an "
                "older checkpoint after it had been copied, and has copied its own copy since"
            )
        backwards.append(stretch)
        member, until = int(copied["donor"]), int(copied["donor_iteration"])
    found, trained = [], 0
    for whose, first, last in reversed(backwards):
        found.append(_Segment(whose, first, last, trained))
        trained += last - first
    return found


def _parts_within(frame: pd.DataFrame, segments: list[_Segment]) -> Iterator[pd.DataFrame]:
    """The rows of iterations that belong to each segment."""
    for each in segments:
        own = frame[frame["member"] == each.member]
        part = own[(own["iteration"] > each.first) & (own["iteration"] <= each.last)]
        yield part.assign(trained=each.before + part["iteration"] - each.first)


def _with_steps(results: pd.DataFrame, segments: list[_Segment]) -> pd.DataFrame:
    """Results along the segments; members count env steps of their own, weights those below."""
    parts, spent = [], 0
    for each, part in zip(segments, _parts_within(results, segments), strict=True):
        own = results[results["member"] == each.member]
        earlier = own.loc[own["iteration"] <= each.first, "env_steps"]
        begun_at = 0 if earlier.empty else int(earlier.iloc[-1])
        parts.append(part.assign(env_steps_along=spent + part["env_steps"] - begun_at))
        if not part.empty:
            spent = int(parts[-1]["env_steps_along"].iloc[-1])
    return _together(results.assign(env_steps_along=0), parts)


def _in_force(frame: pd.DataFrame, segments: list[_Segment]) -> pd.DataFrame:
    """What holds at the beginning of each segment, and what changed within it.

    What was decided at a segment's last iteration came after the weights were saved.
    """
    parts = []
    for each in segments:
        own = frame[frame["member"] == each.member]
        earlier = own.loc[own["iteration"] <= each.first, "iteration"]
        held = own[own["iteration"] == earlier.max()]
        since = own[(own["iteration"] > each.first) & (own["iteration"] < each.last)]
        parts.append(held.assign(trained=each.before))
        parts.append(since.assign(trained=each.before + since["iteration"] - each.first))
    return _together(frame, parts)


def _last_revisions(distributions: pd.DataFrame) -> pd.DataFrame:
    """Without revisions that another one at the same iteration has replaced."""
    newest = distributions.groupby(["member", "iteration"])["revision"].transform("last")
    return distributions[distributions["revision"] == newest]


def _last_values(hyperparameters: pd.DataFrame) -> pd.DataFrame:
    """Without values that others at the same iteration have replaced."""
    return hyperparameters.drop_duplicates(["member", "iteration", "name"], keep="last")


def _together(frame: pd.DataFrame, parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The parts in their order, with the types of ``frame`` even where there are none."""
    empty = frame.iloc[:0].assign(trained=pd.Series(dtype="int64"))
    whole = [part for part in parts if not part.empty]
    return pd.concat(whole, ignore_index=True) if whole else empty
