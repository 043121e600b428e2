"""Arms of one or several runs side by side: which is better, by how much, and how sure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from analysis.comparison import comparability, tabulated
from analysis.comparison.contenders import Contender, contenders
from analysis.comparison.estimating import Sample, arm_result, common_curve_range, compared_pairs
from analysis.comparison.values import Comparison, NotComparable
from analysis.comparison.verdict import judge
from analysis.frames import Run
from orchestrator.checks import nearest
from orchestrator.suites import SELECT, TEST

__all__ = ["compare"]


def compare(
    runs: Run | Sequence[Run],
    *,
    arms: Iterable[str] | None = None,
    suite: str = TEST,
    seeds: Iterable[int] | None = None,
    baseline: str | None = None,
    threshold: float | None = None,
    alpha: float = 0.25,
    rng: np.random.Generator | None = None,
) -> Comparison:
    """Compare arms by what their seeds returned on a suite.

    The arms of one run keep their names. Of several, runs of the same experiment pool the seeds of
    each arm; the others are called by their folders (`analysis.comparison.contenders.contenders`).

    Args:
        runs: one or several, of one or several arms each.
        arms: which of them, by the names that they have in the comparison; all if None.
        suite: ``test``, which each population's best checkpoint plays at the end; or ``select``,
            on which members are picked: how the best one stands.
        seeds: which of them; all if None.
        baseline: an arm that each other one is compared with; if None, every two are.
        threshold: a score on the select suite; how many env steps it took is then told.
        alpha: share of the worst levels in the CVaR.
        rng: of the bootstrap. By default the same call gives the same answer.

    Raises:
        NotComparable: with every reason, such as the keys in which test suites differ.
        ValueError: if ``suite`` or ``alpha`` is none.
    """
    if suite not in (TEST, SELECT):
        raise ValueError(f"`suite` must be {TEST} or {SELECT}, but got {suite!r}")
    if not 0 < alpha <= 1:
        raise ValueError(f"`0 < alpha <= 1` must hold, but got {alpha}")
    found = contenders([runs] if isinstance(runs, Run) else runs, suite, seeds)
    chosen = _chosen(found, arms, baseline)
    reasons = [*comparability.reasons_against(chosen, suite)]
    if reasons:
        raise NotComparable(*reasons)
    generator = np.random.default_rng(0) if rng is None else rng
    samples = [Sample.of(each, generator) for each in chosen]
    incomparable = [*comparability.curve_differences(chosen)]
    notes = [*_curve_notes(incomparable), *_unfinished(chosen)]
    common = None if incomparable else common_curve_range(samples)
    results = {
        sample.name: arm_result(sample, alpha, None if incomparable else threshold, common)
        for sample in samples
    }
    ranked = sorted(samples, key=lambda sample: -results[sample.name].iqm.value)
    ordered = [results[sample.name] for sample in ranked]
    pairs = compared_pairs(ranked, baseline)
    by_seed = {sample.name: sample.by_seed for sample in samples}
    return Comparison(
        suite=suite,
        alpha=alpha,
        threshold=threshold,
        baseline=baseline,
        arms=tuple(ordered),
        pairs=tuple(pairs),
        verdict=judge(suite, ordered, pairs, by_seed, baseline, notes),
        profiles=tabulated.profiles(ranked),
        curves=tabulated.curves(ranked),
        bands=tabulated.bands(ranked),
        scores=tabulated.scores(ranked),
    )


def _chosen(
    found: Sequence[Contender], arms: Iterable[str] | None, baseline: str | None
) -> list[Contender]:
    known = [each.name for each in found]
    wanted = known if arms is None else list(dict.fromkeys(arms))
    asked = [*wanted, *([] if baseline is None else [baseline])]
    unknown = [name for name in dict.fromkeys(asked) if name not in known]
    reasons = [
        f"an arm must be one of {', '.join(known)}, but got {name!r}{nearest(name, known)}"
        for name in unknown
    ]
    if baseline is not None and baseline not in wanted and not unknown:
        reasons.append(f"the baseline {baseline!r} must be one of the arms that are compared")
    if not known:
        reasons.append("there must be an arm to compare, but the runs given have none")
    if reasons:
        raise NotComparable(*reasons)
    return [each for each in found if each.name in wanted]


def _curve_notes(differences: Sequence[str]) -> Iterator[str]:
    if differences:
        yield (
            "Areas and steps to a threshold are left out, since scores along the learning curves "
            f"are not the same measure: {'; '.join(differences)}."
        )


def _unfinished(chosen: Sequence[Contender]) -> Iterator[str]:
    runs = {str(run.path): run.status for each in chosen for run in each.runs}
    for path, status in runs.items():
        if status not in ("finished", "failed"):
            stands = "is still running" if status == "running" else f"was {status}"
            yield f"{path} {stands}: these are its figures so far."
