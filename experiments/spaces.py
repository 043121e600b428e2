"""From the knobs of an experiment file to the domain's: the env space, and what is searched."""

from __future__ import annotations

from experiments import knob_spec as spec
from experiments.spec import Env, Experiment
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Blend, Choice, Continuous, Integer, Knob, Marginal, Range, Simplex
from orchestrator.knobs import Weights as ChoiceWeights

__all__ = ["space_of", "to_search", "to_space"]


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
    """The searched keys of RLlib's training section, by name."""
    return {name: _knob(given) for name, given in experiment.algorithm.search.items()}


def _knob(given: spec.Knob | spec.SearchKnob) -> Knob:
    if isinstance(given, spec.SimplexKnob):
        return Simplex(given.simplex)
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
