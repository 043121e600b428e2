"""What must hold for the curriculum of an arm whose keys are right one by one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from pydantic import ValidationError

from experiments.curricula import to_curriculum
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.knob_spec import ChoiceSearch, ContinuousSearch, SearchKnob
from experiments.replay_check import distribution_findings
from experiments.searched import combinations, ends_of
from experiments.spaces import to_space
from experiments.spec import Experiment
from experiments.words import neighbour
from orchestrator.curricula import Curriculum

_AT = ("curriculum",)
_SEARCH = (*_AT, "search")


def curriculum_findings(experiment: Experiment) -> list[Finding]:
    """Everything that is wrong; needs neither RLlib nor the env."""
    kind = experiment.curriculum.kind
    scheduled = distribution_findings(experiment)
    if scheduled:
        return scheduled
    try:
        rule = to_curriculum(experiment)
    except ValueError as error:
        return [Finding((*_AT, *_named(error, experiment.curriculum.model_dump())), *_said(error))]
    try:
        rule.begin(to_space(experiment))
    except ValueError as error:
        return [Finding(("env", "knobs"), f"must be knobs for kind: {kind}", str(error))]
    except ImportError as error:
        must = "must be a kind whose packages are installed"
        return [Finding((*_AT, "kind"), must, str(error))]
    search: Mapping[str, SearchKnob] = getattr(experiment.curriculum, "search", {})
    found = [each for name, knob in search.items() for each in _key(experiment, rule, name, knob)]
    return found or [*_together(rule, search)]


def _said(error: ValueError) -> tuple[str, str]:
    """What must hold and what was found, of a rule's "`a < b` must hold, but got ..."."""
    holds = re.fullmatch(r"(`.+?`) must hold, but got (.+)", str(error))
    return (f"must satisfy {holds[1]}", holds[2]) if holds else ("must hold together", str(error))


def _named(error: ValueError, parameters: Collection[str]) -> list[str]:
    """The first parameter that a rule's complaint names, if it names one."""
    return [word for word in re.findall(r"\w+", str(error)) if word in parameters][:1]


def _key(
    experiment: Experiment, rule: Curriculum, name: str, knob: SearchKnob
) -> Iterator[Finding]:
    """What is wrong with one parameter that is searched."""
    known = [field.name for field in fields(rule)]  # type: ignore[arg-type]
    if name not in known:
        must = f"must be a parameter of kind: {experiment.curriculum.kind}"
        ours = neighbour((*_AT, name), [experiment.curriculum.kind])
        hint = nearest(name, known) or f"It has {', '.join(known)}"
        if ours is not None and ours.key in known:
            hint = f'"{name}" is called "{ours.key}" here'
        yield Finding((*_SEARCH, name), must, show(name), hint)
        return
    if isinstance(knob, ContinuousSearch) and type(getattr(rule, name)) is int:
        must = "must have integer: true, for a parameter that takes whole numbers"
        hint = f"Write {{low: {knob.low:g}, high: {knob.high:g}, integer: true}}"
        yield Finding((*_SEARCH, name), must, "a range of real numbers", hint)
        return
    for place, value in zip(_places(knob), ends_of(knob), strict=True):
        sentence = _refused(experiment, name, value)
        if sentence is not None:
            yield Finding((*_SEARCH, name, *place), sentence, show(value))


def _places(knob: SearchKnob) -> list[tuple[str | int, ...]]:
    if isinstance(knob, ChoiceSearch):
        return [("choices", index) for index in range(len(knob.choices))]
    return [("low",), ("high",)]


def _refused(experiment: Experiment, name: str, value: Any) -> str | None:
    """What must hold for a parameter, if this value is none that the file may give."""
    given = experiment.curriculum
    try:
        type(given).model_validate({**given.model_dump(), name: value})
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    return None


def _together(rule: Curriculum, search: Mapping[str, SearchKnob]) -> Iterator[Finding]:
    """The first values that are legal one by one, and do not go together."""
    for chosen in combinations({name: ends_of(knob) for name, knob in search.items()}):
        try:
            # A rule's parameters are the fields of a frozen dataclass.
            replace(rule, **chosen)  # type: ignore[type-var]
        except ValueError as error:
            must, found = _said(error)
            at = (*_SEARCH, *_named(error, search))
            yield Finding(at, f"{must} at all ends", f"{found} (with {show(chosen)})")
            return
