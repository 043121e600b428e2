"""What is wrong with an env as the members of an arm play it: levels shown, players, success."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from experiments.curriculum_check import curriculum_findings
from experiments.env_probe import short
from experiments.findings import Finding
from experiments.hints import show
from experiments.importing import CannotImport
from experiments.scenarios import scenario_of
from experiments.spaces import to_space
from experiments.spec import Experiment
from experiments.success import success_findings
from orchestrator import apply
from orchestrator.conditioning import extended
from orchestrator.level_env import EnvSetup
from orchestrator.scenario_env import ScenarioEnv

if TYPE_CHECKING:
    from experiments.env_source import EnvSource


def level_findings(
    source: EnvSource, env: Any, way: apply.ApplyKind, experiment: Experiment
) -> list[Finding]:
    """Everything that is wrong with an env that levels can be brought to.

    Args:
        env: a live one.
        way: how levels reach it.
    """
    found = [*_shown(env, experiment)]
    if found or curriculum_findings(experiment):  # The latter are said where they are checked.
        return found
    setup = EnvSetup(
        make=source,
        apply=way,
        distribution=to_space(experiment).initial(),
        condition=experiment.env.condition,
    )
    return [*_players(setup, experiment)] or success_findings(setup, experiment)


def _shown(env: Any, experiment: Experiment) -> Iterator[Finding]:
    names = experiment.env.condition
    for whose, space in _observed(env) if names else ():
        try:
            extended(space, len(names))
        except ValueError:
            must = "must be left out unless observations are a Box of floats with one dimension"
            found = f"{show(list(names))} and {short(space)}{whose}"
            hint = "A wrapper can make them one: gymnasium.wrappers.FlattenObservation"
            yield Finding(("env", "condition"), must, found, hint)
            return


def _observed(env: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(env, MultiAgentEnv):
        yield "", env.observation_space
        return
    for agent in env.possible_agents:
        yield f" of {agent}", env.get_observation_space(agent)


def _players(setup: EnvSetup, experiment: Experiment) -> Iterator[Finding]:
    try:
        scenario = scenario_of(experiment)
    except (CannotImport, ValueError):  # Said where the reward is checked.
        return
    if scenario is None:
        return
    try:
        env = ScenarioEnv(setup, scenario)
    except ValueError as error:
        kind = experiment.curriculum.kind
        yield Finding(("env", "id"), f"must be an env for curriculum.kind: {kind}", str(error))
    else:
        env.close()
