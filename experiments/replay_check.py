"""What a replay's schedule must hold: distributions over the knobs, keys that RLlib takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.curriculum_spec import Replay
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.knob_spec import ChoiceSearch, SearchKnob
from experiments.rllib_keys import Keys
from experiments.rllib_validation import complaint
from experiments.searched import policy_search_findings, search_findings
from experiments.spaces import to_space
from experiments.spec import Experiment
from orchestrator import searched
from orchestrator.distributions import EnvSpace, distribution_from_json

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

__all__ = ["distribution_findings", "key_findings", "rllib_findings"]

Path = tuple[str | int, ...]

_SCHEDULE: Path = ("curriculum", "schedule")
_LONGEST = 200


def distribution_findings(experiment: Experiment) -> list[Finding]:
    """Distributions of the schedule that are none over the knobs, or leave their legal ranges."""
    if not isinstance(experiment.curriculum, Replay):
        return []
    space = to_space(experiment)
    return [
        found
        for place, change in enumerate(experiment.curriculum.schedule)
        if change.distribution is not None
        for found in _illegal((*_SCHEDULE, place, "distribution"), space, change.distribution)
    ]


def _illegal(at: Path, space: EnvSpace, data: Any) -> list[Finding]:
    """What is wrong with a distribution, as near as possible to where it stands."""
    found = [each for key, part in _parts(data) for each in _illegal((*at, *key), space, part)]
    found += _illegal_marginals((*at, "marginals"), space, data)
    if not found:
        try:
            distribution_from_json(space, data)
        except ValueError as error:
            must = f"must be a distribution over the knobs {', '.join(space.names)}"
            return [Finding(at, must, show(data), _sentence(error))]
    return found


def _parts(data: Any) -> list[tuple[Path, Any]]:
    """The parts of a mixture, by where they stand in it."""
    parts = data.get("parts") if isinstance(data, dict) else None
    return [
        (("parts", place, "distribution"), part["distribution"])
        for place, part in enumerate(parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and "distribution" in part
    ]


def _illegal_marginals(at: Path, space: EnvSpace, data: Any) -> Iterator[Finding]:
    marginals = data.get("marginals") if isinstance(data, dict) else None
    for name, given in marginals.items() if isinstance(marginals, dict) else ():
        if name not in space.knobs:
            must = f"must be one of the knobs {', '.join(space.names)}"
            yield Finding((*at, name), must, show(name), nearest(name, space.names))
            continue
        knob = space.knobs[name]
        try:
            knob.check(knob.marginal_from_json(given))
        except ValueError as error:
            must = "must be how the knob is drawn, within its legal range"
            yield Finding((*at, name), must, show(given), _sentence(error))


def _sentence(error: ValueError) -> str:
    text = " ".join(str(error).split())
    text = text[:1].upper() + text[1:]
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


# By RLlib


def key_findings(training: Keys, experiment: Experiment) -> Iterator[Finding]:
    """Hyperparameters that are no keys of RLlib's training section, or have values it refuses."""
    for at, _, given in _hyperparameters(experiment):
        for name in searched.of_curriculum(given):
            must = "must be a key of algorithm.training"
            hint = "A replay has the distributions that came of the curriculum's own parameters"
            yield Finding((*at, f"{searched.CURRICULUM}{name}"), must, show(name), hint)
        for name, knob in _as_searched(searched.of_training(given)).items():
            for found in search_findings(training, {name: knob}):
                yield replace(found, key=(*at, name))


def rllib_findings(config: AlgorithmConfig, experiment: Experiment) -> Iterator[Finding]:
    """Hyperparameters of policies that there are not; and RLlib's first complaint about any.

    Args:
        config: with its policies set.
    """
    known = experiment.algorithm
    in_force: dict[str, Any] = {}
    for at, iteration, given in _hyperparameters(experiment):
        for policy, own in searched.of_policies(given).items():
            if not config.is_multi_agent:
                must = "must be a key of algorithm.training, where there is one policy alone"
                yield Finding(at, must, show(f"{searched.POLICY}{policy}.{next(iter(own))}"))
                continue
            asked = known.model_copy(update={"policy_search": {policy: _as_searched(own)}})
            for found in policy_search_findings(config, asked):
                names = [part for part in found.key if part in own] or [*own]
                yield replace(found, key=(*at, f"{searched.POLICY}{policy}.{names[0]}"))
        in_force |= searched.of_training(given)
        said = complaint(config, in_force)
        if said is not None:
            must = "must pass RLlib's own checks"
            yield Finding(at, must, f"{said} (with {show(in_force)} from iteration {iteration} on)")
            return


def _hyperparameters(experiment: Experiment) -> Iterator[tuple[Path, int, Mapping[str, Any]]]:
    """Where they stand, from which iteration on they hold, and what changes."""
    if isinstance(experiment.curriculum, Replay):
        for place, change in enumerate(experiment.curriculum.schedule):
            if change.hyperparameters:
                key = (*_SCHEDULE, place, "hyperparameters")
                yield key, change.iteration, change.hyperparameters


def _as_searched(values: Mapping[str, Any]) -> dict[str, SearchKnob]:
    """Keys that take one value alone, so that they are checked like those that are searched."""
    return {name: ChoiceSearch(choices=(value,)) for name, value in values.items()}
