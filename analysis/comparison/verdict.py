"""Which arm is better, by how much and how sure: a comparison's figures in plain English.

An arm is better than another if the bootstrap interval of the difference of their IQMs excludes
zero, and Welch's t-test of their seeds says so too, at 5 % after Holm's correction over all pairs.
The bootstrap of few seeds is too sure of itself, which the t-test is not; the IQM over all returns
forgives a seed that failed, which the test does not. An arm wins if it is better than every other
and all of its seeds count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.comparison.significance import SIGNIFICANT, least_mann_whitney_p, seeds_needed
from analysis.comparison.statistics import Floats
from analysis.comparison.values import ArmResult, Estimate, Pair, Verdict
from analysis.comparison.wording import (
    counted,
    estimated,
    listed,
    number,
    p_is,
    p_value,
    seeds_are,
    signed,
)
from orchestrator.suites import SELECT

__all__ = ["LEAST_SEEDS", "judge"]

LEAST_SEEDS = 3
"""Of each arm, for a winner to be called: two do not say how much seeds differ."""

_NARROW = 10
"""Seeds below which a percentile bootstrap leaves out clearly more than 5 %."""

_UNEVEN = 1.1
"""Ratio of env steps from which on arms were not trained at equal cost."""

_MOST_SEEDS = 1000


@dataclass(frozen=True)
class _Lead:
    """How far one arm is ahead of another, which may be behind."""

    rival: str
    difference: Estimate
    improvement: Estimate
    t: float
    p: float

    @property
    def is_sure(self) -> bool:
        return self.difference.low > 0 and self.t > 0 and self.p < SIGNIFICANT


def judge(
    suite: str,
    arms: Sequence[ArmResult],
    pairs: Sequence[Pair],
    by_seed: Mapping[str, Floats],
    baseline: str | None,
    notes: Sequence[str] = (),
) -> Verdict:
    """The verdict on a suite.

    Args:
        arms: highest IQM first.
        pairs: every two arms; or, with a baseline, each other arm against it.
        by_seed: of each arm the IQM of each seed's levels, which the tests are of.
        baseline: an arm's name, or None.
        notes: what else the reader must know.
    """
    reasons = (*_reasons(suite, arms, pairs), *notes)
    few = [arm for arm in arms if len(arm.seeds) < LEAST_SEEDS]
    if len(arms) == 1:
        return Verdict(None, _alone(suite, arms[0]), reasons)
    if few:
        return Verdict(None, _too_few(suite, arms, few), reasons)
    best = arms[0]
    if baseline is not None and best.name != baseline and len(arms) > 2:
        return Verdict(None, _against(suite, pairs, baseline), reasons)
    leads = [_lead(best.name, pair) for pair in pairs if best.name in (pair.arm, pair.baseline)]
    closest = min(leads, key=lambda lead: (lead.is_sure, lead.difference.value))
    if not closest.is_sure:
        sample = by_seed[best.name], by_seed[closest.rival]
        needed = seeds_needed(*sample, len(pairs))
        return Verdict(None, _open(suite, arms, leads, closest, len(pairs), needed), reasons)
    if best.missing:
        return Verdict(None, _survivors(suite, best), reasons)
    return Verdict(best.name, _won(suite, arms, closest, len(pairs)), reasons)


def _lead(name: str, pair: Pair) -> _Lead:
    """A pair as `name` sees it."""
    if pair.arm == name:
        return _Lead(
            pair.baseline, pair.difference, pair.improvement, pair.welch_t, pair.welch_holm
        )
    difference, improvement = pair.difference, pair.improvement
    return _Lead(
        pair.arm,
        Estimate(-difference.value, -difference.high, -difference.low),
        Estimate(1 - improvement.value, 1 - improvement.high, 1 - improvement.low),
        -pair.welch_t,
        pair.welch_holm,
    )


def _alone(suite: str, arm: ArmResult) -> str:
    return (
        f"There is nothing to compare with: {arm.name} alone has an IQM of {estimated(arm.iqm)} "
        f"on {_named(suite)} ({_size(arm)})."
    )


def _too_few(suite: str, arms: Sequence[ArmResult], few: Sequence[ArmResult]) -> str:
    have = listed([f"{arm.name} has {len(arm.seeds)}" for arm in few])
    return (
        f"No winner is called on {_named(suite)}: that takes at least {LEAST_SEEDS} seeds of "
        f"each arm, since fewer do not say how much seeds differ, but {have}; "
        f"{arms[0].name} is ahead so far (IQM {number(arms[0].iqm.value)}, "
        f"{arms[1].name} {number(arms[1].iqm.value)})."
    )


def _won(suite: str, arms: Sequence[ArmResult], closest: _Lead, pairs: int) -> str:
    best = arms[0]
    others = (
        f"{closest.rival}" if len(arms) == 2 else f"every other arm, {closest.rival} the closest"
    )
    return (
        f"{best.name} is better than {others}, on {_named(suite)}: IQM {estimated(best.iqm)}, "
        f"ahead by {_how_sure(closest, pairs)}; on a level a run of it does better with a "
        f"probability of {estimated(closest.improvement)} ({_size(best)})."
    )


def _open(
    suite: str,
    arms: Sequence[ArmResult],
    leads: Sequence[_Lead],
    closest: _Lead,
    pairs: int,
    needed: int | None,
) -> str:
    best, rival = arms[0], next(arm for arm in arms if arm.name == closest.rival)
    behind = [lead.rival for lead in leads if lead.is_sure]
    others = [lead.rival for lead in leads if not lead.is_sure and lead is not closest]
    better = f"is better than {listed(behind)}, but " if behind else ""
    nor = f", nor from {listed(others)}" if others else ""
    return (
        f"No winner on {_named(suite)}: {best.name} {better}cannot be told from "
        f"{rival.name}{nor}: IQM {number(best.iqm.value)} against {number(rival.iqm.value)}, "
        f"{_how_sure(closest, pairs)}, {len(best.seeds)} and {len(rival.seeds)} seeds"
        f"{_needed(needed, min(len(best.seeds), len(rival.seeds)))}."
    )


def _needed(seeds: int | None, had: int) -> str:
    if seeds is None or seeds <= had:
        return ""
    many = f"more than {_MOST_SEEDS}" if seeds > _MOST_SEEDS else f"about {seeds}"
    return f"; if further seeds differ as these do, {many} of each arm would show it"


def _survivors(suite: str, best: ArmResult) -> str:
    return (
        f"No winner on {_named(suite)}: {best.name} is ahead of every other arm, but its "
        f"{seeds_are(best.missing)} missing, and what is left may be the lucky ones."
    )


def _against(suite: str, pairs: Sequence[Pair], baseline: str) -> str:
    leads = [(pair.arm, _lead(pair.arm, pair), _lead(baseline, pair)) for pair in pairs]
    better = [f"{name} by {_how_sure(own, len(pairs))}" for name, own, _ in leads if own.is_sure]
    worse = [name for name, _, other in leads if other.is_sure]
    rest = [name for name, own, other in leads if not own.is_sure and not other.is_sure]
    are = "are" if len(better) > 1 else "is"
    said = [f"{listed(better) if better else 'no arm'} {are} better"]
    said += [f"{listed(worse)} worse"] if worse else []
    said += [f"{listed(rest)} not to be told from it"] if rest else []
    return f"Compared with {baseline}, on {_named(suite)}: {'; '.join(said)}."


def _how_sure(lead: _Lead, pairs: int) -> str:
    """The difference, its interval, and the test."""
    corrected = f", Holm's correction over {pairs} pairs" if pairs > 1 else ""
    difference = estimated(lead.difference, signed)
    return f"{difference} (Welch {p_is(lead.p)}{corrected})"


def _named(suite: str) -> str:
    picked = ", on which members were picked" if suite == SELECT else ""
    return f"the {suite} suite{picked}"


def _size(arm: ArmResult) -> str:
    return f"{counted(len(arm.seeds), 'seed')} × {counted(arm.levels, 'level')}"


def _reasons(suite: str, arms: Sequence[ArmResult], pairs: Sequence[Pair]) -> Iterator[str]:
    """What a reader must know to judge the verdict."""
    if suite == SELECT:
        yield (
            "Members were picked on the select suite, so that scores on it flatter every arm, and "
            "those with more members the most; the test suite does not."
        )
    for arm in arms:
        if arm.missing:
            yield f"Of {arm.name} {seeds_are(arm.missing)} missing: no finite score on the suite."
    for arm in arms:
        if arm.iqm.low == arm.iqm.high:
            yield (
                f"Most returns of {arm.name} are {number(arm.iqm.value)}, so that its IQM cannot "
                "move: compare the mean and the CVaR as well."
            )
    least, most = (f(arms, key=lambda arm: arm.env_steps) for f in (min, max))
    if most.env_steps > _UNEVEN * least.env_steps:
        yield (
            f"The arms were not trained at equal cost: {most.name} took {most.env_steps:,.0f} env "
            f"steps for each seed, {least.name} {least.env_steps:,.0f}."
        )
    fewest = sorted(len(arm.seeds) for arm in arms)[:2]
    if fewest[0] == 1:
        yield "A single seed does not say how much seeds differ: it has no interval."
    elif fewest[0] < _NARROW:
        yield (
            f"Bootstrap intervals of fewer than {_NARROW} seeds are too narrow: what is called "
            "95 % is about 75 % with 3 seeds and 85 % with 5. Welch's test makes up for that."
        )
    if pairs and fewest[0] > 1:
        yield from _on_corrections(pairs, fewest)


def _on_corrections(pairs: Sequence[Pair], fewest: Sequence[int]) -> Iterator[str]:
    """What so many pairs, of so few seeds, cannot show."""
    lost = sum(pair.welch_p < SIGNIFICANT <= pair.welch_holm for pair in pairs)
    if lost:
        yield (
            f"Of {counted(lost, 'more pair')} Welch's p is below {SIGNIFICANT} before Holm's "
            f"correction alone, which is not enough among {counted(len(pairs), 'pair')}."
        )
    p = min(least_mann_whitney_p(*fewest) * len(pairs), 1.0)
    if p > SIGNIFICANT:
        corrected = " after Holm's correction" if len(pairs) > 1 else ""
        yield (
            f"Mann-Whitney cannot decide with {fewest[0]} seeds against {fewest[1]}: its p is "
            f"at least {p_value(p)}{corrected}, whatever the scores."
        )
