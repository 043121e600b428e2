"""From the section ``curriculum`` of an arm to the rule that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from experiments import curriculum_spec as spec
from experiments.knob_spec import ChoiceSearch, SearchKnob
from experiments.searched import combinations, ends_of
from experiments.spaces import marginal_of, to_space
from experiments.spec import Experiment
from orchestrator.curricula import (
    ADR,
    ALPGMM,
    Curriculum,
    DomainRandomization,
    Evolving,
    Fixed,
    Generated,
    Learnability,
    LevelBuffer,
    PopulationRegret,
    Scheduled,
    Stage,
    Stages,
    Until,
    Widen,
)
from orchestrator.curricula.base import Need
from orchestrator.distributions import distribution_from_json

__all__ = ["needs_of", "to_curriculum"]

_NOT_OF_THE_RULE = {"kind", "search"}


def to_curriculum(experiment: Experiment) -> Curriculum:
    """The rule of an arm, with the parameters that the file gives.

    Raises:
        ValueError: if the parameters do not go together; says which.
    """
    given = experiment.curriculum
    return _MADE[type(given)](given, experiment)


def needs_of(experiment: Experiment) -> frozenset[Need]:
    """What the curriculum of an arm cannot do without, for any of its members.

    Raises:
        ValueError: as `to_curriculum`.
    """
    rule = to_curriculum(experiment)
    search: Mapping[str, SearchKnob] = getattr(experiment.curriculum, "search", {})
    # Choices vary fastest, since it is by them that needs differ most.
    names = sorted(search, key=lambda name: isinstance(search[name], ChoiceSearch))
    values = {name: ends_of(search[name]) for name in names}
    # A rule's parameters are the fields of a frozen dataclass.
    rules = [replace(rule, **each) for each in combinations(values)]  # type: ignore[type-var]
    return frozenset[Need]().union(*(each.needs for each in rules))


def _as_given(rule: Callable[..., Curriculum]) -> Callable[[Any, Experiment], Curriculum]:
    """A rule whose parameters have the same names as the keys of its section."""

    def make(given: Any, experiment: Experiment) -> Curriculum:
        del experiment
        return rule(**given.model_dump(exclude=_NOT_OF_THE_RULE))

    return make


def _evolving(given: spec.PopulationCurriculum, experiment: Experiment) -> Curriculum:
    del experiment
    widen = None if given.widen is None else Widen(**given.widen.model_dump())
    return Evolving(operators=given.operators, amount=given.amount, widen=widen)


def _stages(given: spec.Stages, experiment: Experiment) -> Curriculum:
    space = to_space(experiment)
    return Stages(
        tuple(
            Stage(
                name=stage.name,
                marginals={
                    name: marginal_of(space.knobs[name], how) for name, how in stage.knobs.items()
                },
                until=None if stage.until is None else Until(**stage.until.model_dump()),
            )
            for stage in given.stages
        )
    )


def _scheduled(given: spec.Replay, experiment: Experiment) -> Curriculum:
    space = to_space(experiment)
    return Scheduled(
        tuple(
            (change.iteration, distribution_from_json(space, change.distribution))
            for change in given.schedule
            if change.distribution is not None
        )
    )


def _generated(given: Any, experiment: Experiment) -> Curriculum:
    del given, experiment
    return Generated()


_MADE: Mapping[type, Callable[[Any, Experiment], Curriculum]] = {
    spec.FixedCurriculum: _as_given(Fixed),
    spec.DomainRandomization: _as_given(DomainRandomization),
    spec.Stages: _stages,
    spec.ADR: _as_given(ADR),
    spec.ALPGMM: _as_given(ALPGMM),
    spec.PLR: _as_given(LevelBuffer),
    spec.RobustPLR: _as_given(LevelBuffer),
    spec.ACCEL: _as_given(LevelBuffer),
    spec.SFL: _as_given(Learnability),
    spec.PopulationCurriculum: _evolving,
    spec.PopulationRegret: _as_given(PopulationRegret),
    spec.Scenario: _generated,
    spec.Minimax: _generated,
    spec.Paired: _generated,
    spec.FlexiblePaired: _generated,
    spec.Replay: _scheduled,
}
