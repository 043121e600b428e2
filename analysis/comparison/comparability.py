"""Why arms cannot be compared, in words: every reason at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.comparison.contenders import Contender
from analysis.comparison.wording import listed, seeds_are
from analysis.frames import Run
from orchestrator.suites import TEST

__all__ = ["curve_differences", "reasons_against"]

_LEVELS = {"test": "test_levels", "select": "levels"}
_PLAYED = ("seed", "max_steps", "agents")
_RANKED = ("levels", *_PLAYED, "aggregate", "alpha")

_NOT_LEGAL = "start"
"""Of a knob, where it starts: suites are drawn over its whole legal range."""

_ABSENT = object()

Plain = Mapping[str, Any]


def reasons_against(contenders: Sequence[Contender], suite: str) -> Iterator[str]:
    """Why these cannot be compared on this suite; nothing if they can."""
    facts = [_suite_facts(_plain(each), suite) for each in contenders]
    for key, values in _differing(facts, contenders):
        yield f"{key}: {suite} suites must be the same, but it is {values}"
    reasons: dict[str, list[str]] = {}
    for contender in contenders:
        for reason in (*_unplayed(contender, suite), *_twice(contender)):
            reasons.setdefault(reason, []).append(contender.name)
    for reason, names in reasons.items():
        yield f"{listed(names)}: {reason}"


def curve_differences(contenders: Sequence[Contender]) -> Iterator[str]:
    """Keys that make scores along the learning curves another measure, with their values."""
    facts = [{"evaluation": _evaluation(_plain(each), _RANKED)} for each in contenders]
    for key, values in _differing(facts, contenders):
        yield f"{key} is {values}"


# What differs


def _suite_facts(plain: Plain, suite: str) -> Plain:
    """What a suite is made of."""
    env = plain.get("env", {})
    knobs = {
        name: {key: value for key, value in knob.items() if key != _NOT_LEGAL}
        for name, knob in env.get("knobs", {}).items()
    }
    return {
        "env": {"id": env.get("id"), "config": env.get("config", {}), "knobs": knobs},
        "evaluation": _evaluation(plain, (_LEVELS[suite], *_PLAYED)),
    }


def _evaluation(plain: Plain, keys: Sequence[str]) -> Plain:
    given = plain.get("evaluation", {})
    return {key: given.get(key) for key in keys}


def _differing(
    facts: Sequence[Any], contenders: Sequence[Contender], at: str = ""
) -> Iterator[tuple[str, str]]:
    """Key paths at which facts differ, with who has which value, in words."""
    if all(isinstance(each, Mapping) for each in facts):
        for key in sorted({key for each in facts for key in each}):
            inner = [each.get(key, _ABSENT) for each in facts]
            yield from _differing(inner, contenders, f"{at}.{key}" if at else key)
        return
    holders: dict[str, list[Contender]] = {}
    for value, contender in zip(facts, contenders, strict=True):
        holders.setdefault(_said(value), []).append(contender)
    if len(holders) > 1:
        said = (f"{value} in {_places(who, contenders)}" for value, who in holders.items())
        yield at, " and ".join(said)


def _said(value: object) -> str:
    if value is _ABSENT:
        return "not there"
    return "unset" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _places(holders: Sequence[Contender], everyone: Sequence[Contender]) -> str:
    """Their names; where all arms of a run are among them, the run's."""
    names = []
    for each in holders:
        own = [other for other in everyone if other.runs == each.runs]
        whole = all(other in holders for other in own)
        names.append(each.name.removesuffix(f"/{each.arm}") if whole else each.name)
    return listed(list(dict.fromkeys(names)))


# What was not played, or twice


def _twice(contender: Contender) -> Iterator[str]:
    counted = Counter(seed.seed for seed in contender.seeds)
    twice = [seed for seed, times in counted.items() if times > 1]
    if twice:
        runs = (str(seed.run.path) for seed in contender.seeds if seed.seed in twice)
        places = list(dict.fromkeys(runs))
        one = "runs of the same experiment; give one of them" if len(places) > 1 else "given twice"
        yield f"each seed must count once, but {seeds_are(twice)} in {listed(places)}, {one}"


def _unplayed(contender: Contender, suite: str) -> Iterator[str]:
    """Why an arm has no scores at all."""
    if not contender.seeds:
        yield "must have one of the seeds asked for, but has others"
    elif not contender.counted:
        for run in contender.runs:
            yield _why_unplayed(run, contender.arm, suite)


def _why_unplayed(run: Run, arm: str, suite: str) -> str:
    if suite != TEST:
        return f"members must have been scored, but none was so far in {run.path}"
    if run.arms[arm].get("evaluation", {}).get("test_levels") == 0:
        return (
            "the test suite must have been played, but evaluation.test_levels is 0; "
            "`--suite select` compares on the suite that members were picked on"
        )
    if run.status in ("finished", "failed"):
        return (
            "the test suite must have been played with finite returns, but it was not by any "
            f"seed; `envolve show {run.path}` says what went wrong"
        )
    if run.status == "running":
        how, then = "is still running", "wait for it"
    else:
        how, then = f"was {run.status}", f"`envolve resume {run.path}` goes on with it"
    return (
        f"the test suite must have been played, which is at a run's end, but {run.path} {how}; "
        f"{then}, or compare how far it has come with `--suite select`"
    )


def _plain(contender: Contender) -> Plain:
    return contender.runs[0].arms[contender.arm]
