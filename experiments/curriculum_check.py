"""What must hold for the curriculum of an arm whose keys are right one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from experiments import curriculum_spec as spec
from experiments.curricula import to_curriculum
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.searched import ends_of
from experiments.spaces import marginal_of, to_space
from experiments.spec import Experiment
from orchestrator.curricula import Curriculum

_AT = ("curriculum",)


def curriculum_findings(experiment: Experiment) -> list[Finding]:
    """Everything that is wrong; needs neither RLlib nor the env."""
    found = [*_condition(experiment), *_stages(experiment)]
    if found:
        return found
    try:
        rule = to_curriculum(experiment)
        rule.begin(to_space(experiment))
    except (ValueError, ImportError) as error:
        kind = experiment.curriculum.kind
        return [Finding(_AT, f"must be a {kind} that can begin", str(error))]
    return [*_search(experiment, rule)]


def _condition(experiment: Experiment) -> Iterator[Finding]:
    knobs = list(experiment.env.knobs)
    for index, name in enumerate(experiment.env.condition):
        if name not in knobs:
            must = f"must be one of the knobs {', '.join(knobs) or '(there are none)'}"
            yield Finding(("env", "condition", index), must, show(name), nearest(name, knobs))


def _stages(experiment: Experiment) -> Iterator[Finding]:
    given = experiment.curriculum
    if not isinstance(given, spec.Stages):
        return
    space = to_space(experiment)
    names = [stage.name for stage in given.stages]
    for place, stage in enumerate(given.stages):
        at = (*_AT, "stages", place)
        if stage.name in names[:place]:
            yield Finding((*at, "name"), "must be different from the others", show(stage.name))
        last = place == len(given.stages) - 1
        if last and stage.until is not None:
            must = "must be left out of the last stage, since nothing follows it"
            yield Finding((*at, "until"), must, show(stage.until.model_dump()))
        if not last and stage.until is None:
            hint = "For example until: {measure: return, above: 400}"
            yield Finding((*at, "until"), "must be given but for the last stage", "nothing", hint)
        for name, how in stage.knobs.items():
            if name not in space.knobs:
                must = f"must be one of the knobs {', '.join(space.knobs)}"
                near = nearest(name, list(space.knobs))
                yield Finding((*at, "knobs", name), must, show(name), near)
                continue
            try:
                space.knobs[name].check(marginal_of(space.knobs[name], how))
            except ValueError as error:
                must = "must lie in the knob's legal range"
                yield Finding((*at, "knobs", name), must, str(error))


def _search(experiment: Experiment, rule: Curriculum) -> Iterator[Finding]:
    search: dict[str, Any] = getattr(experiment.curriculum, "search", {})
    known = [field.name for field in fields(rule)]  # type: ignore[arg-type]
    for name, knob in search.items():
        key = (*_AT, "search", name)
        if name not in known:
            must = f"must be a parameter of {experiment.curriculum.kind}"
            hint = nearest(name, known) or f"It has {', '.join(known)}"
            yield Finding(key, must, show(name), hint)
            continue
        for end in ends_of(knob):
            try:
                # A rule's parameters are the fields of a frozen dataclass.
                replace(rule, **{name: end})  # type: ignore[type-var]
            except (ValueError, TypeError) as error:
                yield Finding(key, "must hold legal values alone", f"{show(end)}: {error}")
