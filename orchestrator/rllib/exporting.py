"""What acts in a checkpoint, on its own: modules for inference and connectors, without Ray.

Only documented parts of RLlib's checkpoints are read (``RLModule.from_checkpoint`` and those of
the connector pipelines), so that no Algorithm has to be built and no cluster started.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.connectors.common.agent_to_module_mapping import AgentToModuleMapping
from ray.rllib.connectors.connector_pipeline_v2 import ConnectorPipelineV2
from ray.rllib.connectors.env_to_module import EnvToModulePipeline
from ray.rllib.connectors.module_to_env import ModuleToEnvPipeline
from ray.rllib.core import (
    COMPONENT_ENV_RUNNER,
    COMPONENT_ENV_TO_MODULE_CONNECTOR,
    COMPONENT_LEARNER,
    COMPONENT_LEARNER_GROUP,
    COMPONENT_MODULE_TO_ENV_CONNECTOR,
    COMPONENT_RL_MODULE,
)
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.rllib.utils.serialization import space_to_dict

from orchestrator.rllib.processes import each_learner
from orchestrator.rllib.saving import _ALGORITHM
from orchestrator.rllib.weights import push_weights
from orchestrator.scenario import own_name

POLICIES = "policies"
_MAPPING = "agent_to_module_mapping_fn"
_PIPELINES = {
    COMPONENT_ENV_TO_MODULE_CONNECTOR: EnvToModulePipeline,
    COMPONENT_MODULE_TO_ENV_CONNECTOR: ModuleToEnvPipeline,
}


class CannotExport(ValueError):
    """What acts in a checkpoint cannot be taken out of it."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        policies: their names, ``default_policy`` alone for an env of a single agent.
        agents: the policy that acts for each agent, by the names that the connectors know;
            None where those know of a single agent alone.
        roles: the agents' names in a scenario, where those are not the env's own: of each agent
            of the env, or the only one's.
        observation_space, action_space: of the agents, as JSON (``space_from_dict`` of RLlib
            reads it); of several ones in the env, by their names there.
    """

    policies: tuple[str, ...]
    agents: Mapping[str, str] | None
    roles: Mapping[str, str] | str | None
    observation_space: Mapping[str, Any]
    action_space: Mapping[str, Any]


def export_policies(checkpoint: Path, into: Path, team: str | None = None) -> Exported:
    """Write modules and connectors of a checkpoint into the directory ``into``.

    ``policies/<name>`` are RLModules with what acting needs of their weights;
    ``env_to_module_connector`` and ``module_to_env_connector`` are pipelines with their state.
    It unpickles, and so runs code: the checkpoint must have been verified.

    Args:
        team: of a scenario, the team that is exported, without the others; None: there is none.

    Raises:
        CannotExport: if agents are mapped to policies by more than their names.
    """
    # RLlib takes a path that is not absolute for a URI.
    algorithm, into = checkpoint.resolve() / _ALGORITHM, into.resolve()
    modules = algorithm / COMPONENT_LEARNER_GROUP / COMPONENT_LEARNER / COMPONENT_RL_MODULE
    with _quiet():
        names = [
            _export_module(place, into)
            for place in sorted(modules.iterdir())
            if place.is_dir() and team in (None, place.name)
        ]
        pipelines = {
            name: kind.from_checkpoint(str(algorithm / COMPONENT_ENV_RUNNER / name))
            for name, kind in _PIPELINES.items()
        }
        agents = _fix_mapping(pipelines)
        for name, pipeline in pipelines.items():
            # With its state given, for RLlib asks pieces that have none for theirs otherwise.
            pipeline.save_to_path(str(into / name), state=pipeline.get_state())
    roles = None
    if team is not None:
        agents = {agent: policy for agent, policy in (agents or {}).items() if policy == team}
        roles = _roles(agents)
    first = pipelines[COMPONENT_ENV_TO_MODULE_CONNECTOR]
    return Exported(
        policies=tuple(names),
        agents=agents,
        roles=roles,
        observation_space=_space(_own(first.input_observation_space, roles)),
        action_space=_space(_own(first.input_action_space, roles)),
    )


def load_policies(algorithm: Algorithm, exported: Path) -> None:
    """Have an Algorithm of the same experiment act as what `export_policies` wrote.

    Its learner holds the weights then too, but nothing else that learning needs.
    """
    exported = exported.resolve()
    with _quiet():
        modules = {
            place.name: RLModule.from_checkpoint(str(place)).get_state()
            for place in sorted((exported / POLICIES).iterdir())
        }
        connectors = {
            name: kind.from_checkpoint(str(exported / name)).get_state()
            for name, kind in _PIPELINES.items()
        }

    def load(learner: Any) -> None:
        learner.module.set_state(modules)

    each_learner(algorithm, load)
    algorithm.env_runner.set_state(connectors)
    push_weights(algorithm)


def _export_module(place: Path, into: Path) -> str:
    whole = RLModule.from_checkpoint(str(place))
    arguments, named = whole.get_ctor_args_and_kwargs()
    lean = type(whole)(*arguments, **{**named, "inference_only": True})
    lean.set_state(whole.get_state(inference_only=True))
    lean.save_to_path(str(into / POLICIES / place.name))
    return place.name


def _fix_mapping(pipelines: Mapping[str, ConnectorPipelineV2]) -> dict[str, str] | None:
    """Replace the mapping function, which may live in any module, by a plain table."""
    # A piece is saved as what its constructor was given.
    found = [
        piece.get_ctor_args_and_kwargs()[1]
        for pipeline in pipelines.values()
        for piece in pipeline.connectors
        if isinstance(piece, AgentToModuleMapping)
    ]
    if not found:
        return None
    mapping = found[0][_MAPPING]
    table = {}
    for agent in pipelines[COMPONENT_ENV_TO_MODULE_CONNECTOR].input_observation_space.spaces:
        try:
            table[str(agent)] = str(mapping(agent, None))
        except Exception as error:
            raise CannotExport(
                f"policy_mapping_fn must tell an agent's policy by its name alone to be exported, "
                f"but for {agent} it raised {type(error).__name__}: {error}"
            ) from error
    for given in found:
        # Called with the agent and its episode: a look-up, with a default that is never used.
        given[_MAPPING] = table.get
    return table


def _roles(agents: Iterable[str]) -> dict[str, str] | str:
    roles: dict[str, str] = {}
    for agent in agents:
        own = own_name(agent)
        if own is None:
            return agent
        roles[own] = agent
    return roles


def _own(space: Any, roles: Mapping[str, str] | str | None) -> Any:
    """The space of those that play these roles, by their names in the env."""
    if roles is None:
        return space
    if isinstance(roles, str):
        return space[roles]
    return gymnasium.spaces.Dict({own: space[role] for own, role in roles.items()})


def _space(space: Any) -> dict[str, Any]:
    try:
        described: dict[str, Any] = space_to_dict(space)
    except Exception:
        # One of a user's own; it lies in the pipelines all the same.
        return {"text": repr(space)}
    return {"text": repr(space), **described}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without RLlib's notes on how it calls its own constructors."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
