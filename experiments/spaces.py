"""From the knobs of an experiment file to the domain's: the env space, and what is searched."""

from __future__ import annotations

from collections.abc import Mapping

from experiments import knob_spec as spec
from experiments.curriculum_spec import Draw
from experiments.spec import Env, Experiment
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import (
    Blend,
    Cells,
    Choice,
    Continuous,
    Integer,
    Knob,
    Marginal,
    Range,
    Simplex,
    ranged,
)
from orchestrator.knobs import Weights as ChoiceWeights
from orchestrator.searched import CURRICULUM, POLICY

__all__ = ["marginal_of", "search_of", "space_of", "to_search", "to_space"]


def to_space(experiment: Experiment) -> EnvSpace:
    """The env space of an arm, with the starts that its knobs name."""
    return space_of(experiment.env)


def space_of(env: Env) -> EnvSpace:
    """As `to_space`, from the section env alone."""
    knobs: dict[str, Knob] = {}
    start: dict[str, Marginal] = {}
    for name, given in env.knobs.items():
        knobs[name] = _knob(given)
        begin = _start(given)
        if begin is not None:
            start[name] = begin
    return EnvSpace(knobs, start)


def to_search(experiment: Experiment) -> dict[str, Knob]:
    """Everything that the population searches, by the full names of `orchestrator.searched`."""
    algorithm = experiment.algorithm
    found = search_of(algorithm.search)
    for policy, search in algorithm.policy_search.items():
        found |= {f"{POLICY}{policy}.{name}": knob for name, knob in search_of(search).items()}
    own = search_of(getattr(experiment.curriculum, "search", {}))
    return found | {f"{CURRICULUM}{name}": knob for name, knob in own.items()}


def search_of(search: Mapping[str, spec.SearchKnob]) -> dict[str, Knob]:
    """Searched keys, by the names that the file gives them."""
    return {name: _knob(given) for name, given in search.items()}


def marginal_of(knob: Knob, given: Draw) -> Marginal:
    """How a stage draws a knob.

    Raises:
        ValueError: if knobs of this kind are not drawn that way.
    """
    if isinstance(given, spec.WeightsStart):
        return ChoiceWeights(given.weights)
    if isinstance(given, spec.BlendStart):
        if not isinstance(knob, Simplex):
            raise ValueError(f"center and spread are for simplex knobs, not {knob.kind} ones")
        return Blend(given.weights(knob.terms), given.spread)
    if isinstance(ranged(knob), Integer) and given.low.is_integer() and given.high.is_integer():
        return Range(int(given.low), int(given.high))
    return Range(given.low, given.high)


def _knob(given: spec.Knob | spec.SearchKnob) -> Knob:
    if isinstance(given, spec.SimplexKnob):
        return Simplex(given.simplex)
    if isinstance(given, spec.CellsKnob):
        return Cells(given.cells, given.low, given.high)
    if isinstance(given, spec.ChoiceSearch):
        return Choice(given.choices)
    if isinstance(given, spec.IntegerSearch):
        return Integer(given.low, given.high, given.scale)
    return Continuous(given.low, given.high, given.scale)


def _start(given: spec.Knob) -> Marginal | None:
    if given.start is None:
        return None
    if isinstance(given, spec.SimplexKnob):
        return Blend(given.start.weights(given.simplex), given.start.spread)
    if isinstance(given, spec.ChoiceKnob):
        return ChoiceWeights(given.start.probabilities)
    return Range(given.start.low, given.start.high)
