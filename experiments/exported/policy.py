"""An exported policy at work: verified, loaded, asked for actions. It starts no Ray cluster.

It needs ray[rllib], torch and gymnasium, in the versions that export.json names. Loading
unpickles files of this folder, which runs code: load only what you trust.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ray.rllib.connectors.env_to_module import EnvToModulePipeline
from ray.rllib.connectors.module_to_env import ModuleToEnvPipeline
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModule
from ray.rllib.core.rl_module.rl_module import RLModule
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_episode import SingleAgentEpisode

HERE = Path(__file__).resolve().parent


def verify(folder: Path = HERE) -> dict[str, Any]:
    """Check every file against manifest.json; returns what export.json says.

    Raises:
        ValueError: naming the file that is missing or differs.
    """
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise ValueError(f"{file}: must be there, but is missing")
        if hashlib.sha256(file.read_bytes()).hexdigest() != entry["sha256"]:
            raise ValueError(f"{file}: its bytes are not those that were exported")
    facts: dict[str, Any] = json.loads((folder / "export.json").read_text())
    return facts


def numbers(knob: Mapping[str, Any], value: Any) -> list[float]:
    """The numbers from -1 to 1 by which a policy observes a knob's value.

    Args:
        knob: an entry of the ``condition`` in export.json.

    Raises:
        ValueError: if the value is not legal.
    """
    kind = knob["kind"]
    if kind == "choice":
        chosen, known = json.dumps(value), [json.dumps(each) for each in knob["values"]]
        if chosen not in known:
            raise ValueError(f"must be one of {', '.join(known)}, but got {chosen}")
        return [1.0 if each == chosen else -1.0 for each in known]
    if kind == "simplex":
        if set(value) != set(knob["terms"]):
            raise ValueError(f"must weigh {', '.join(knob['terms'])}, but got {value}")
        return [2 * value[term] - 1 for term in knob["terms"]]
    if kind == "cells":
        cells = set(value)
        if not cells <= set(range(knob["size"])):
            raise ValueError(f"must be cells from 0 to {knob['size'] - 1}, but got {value}")
        return [1.0 if cell in cells else -1.0 for cell in range(knob["size"])]
    low, high = knob["low"], knob["high"]
    if not low <= value <= high:
        raise ValueError(f"must be from {low} to {high}, but got {value}")
    if knob["scale"] == "log":
        low, value, high = math.log(low), math.log(value), math.log(high)
    unit = (value - low) / (high - low) if low < high else 0.0
    return [2 * min(max(unit, 0.0), 1.0) - 1]


class Policy:
    """Acts in one episode at a time, without exploring, as when it was scored.

    Call `begin` with what ``env.reset`` returned; then, until `done`, step the env with `act`
    and tell what came of it with `saw`. Of several agents, everything is a dict by agent.

    Attributes:
        facts: what export.json says.
        total: the return so far, summed over the agents that were scored.
        steps: env steps so far.
    """

    def __init__(self, folder: str | Path = HERE) -> None:
        """Verify and load an exported folder.

        Raises:
            ValueError: if a file is missing or differs.
        """
        folder = Path(folder).resolve()
        self.facts = verify(folder)
        # RLlib warns of how it calls its own constructors.
        logging.getLogger("ray._common.deprecation").setLevel(logging.ERROR)
        policies = [folder / "policies" / name for name in self.facts["policies"]]
        modules = {place.name: RLModule.from_checkpoint(str(place)) for place in policies}
        self._agents: dict[str, str] | None = self.facts["agents"]
        # Its agents' names in training, where those are not the env's own; a string: the only one.
        self._roles: dict[str, str] | str | None = self.facts["roles"]
        if self._agents is None:
            (self._module,) = modules.values()
        else:
            self._module = MultiRLModule()
            for name, module in modules.items():
                self._module.add_module(name, module)
        self._to_module = EnvToModulePipeline.from_checkpoint(
            str(folder / "env_to_module_connector")
        )
        self._to_env = ModuleToEnvPipeline.from_checkpoint(str(folder / "module_to_env_connector"))
        for piece in self._to_module.connectors:
            if hasattr(piece, "_update_stats"):
                # A filter's statistics stay what they were at the end of training.
                piece._update_stats = False
        self._spaces = self._to_module.input_observation_space
        self._episode: Any = None
        self.total, self.steps = 0.0, 0

    def begin(
        self, observation: Any, info: Any = None, level: Mapping[str, Any] | None = None
    ) -> None:
        """A new episode; ``policy.begin(*env.reset())``.

        Args:
            level: the env's knobs; needed if export.json names a ``condition``, which are those
                that the policy observes in addition.

        Raises:
            ValueError: if it lacks one of these, or has an illegal value for it.
        """
        self._shown = self._numbers(level or {})
        spaces = {
            "observation_space": self._spaces,
            "action_space": self._to_module.input_action_space,
        }
        seen, infos = self._observed(observation), self._by_role(info or {})
        if self._agents is None:
            self._episode = SingleAgentEpisode(**spaces)
            self._episode.add_env_reset(observation=seen, infos=infos)
        else:
            self._episode = MultiAgentEpisode(**spaces, agent_to_module_mapping_fn=self._policy_of)
            self._episode.add_env_reset(observations=seen, infos=infos)
        self.total, self.steps = 0.0, 0

    @property
    def done(self) -> bool:
        """Whether the episode has ended."""
        return bool(self._episode.is_done)

    def act(self) -> Any:
        """The action for the env, on what was observed last."""
        episodes = [self._episode]
        shared: dict[str, Any] = {"vector_env_episodes_map": {}}
        batch = self._to_module(
            rl_module=self._module, episodes=episodes, explore=False, shared_data=shared
        )
        out = self._to_env(
            rl_module=self._module,
            batch=self._module.forward_inference(batch) if batch else {},
            episodes=episodes,
            explore=False,
            shared_data=shared,
        )
        # What the module chose is kept with the episode; the env may get it rescaled.
        self._chosen = out.pop(Columns.ACTIONS, [{}])[0]
        for_env = out.pop(Columns.ACTIONS_FOR_ENV, [self._chosen])[0]
        self._outputs = {name: values[0] for name, values in out.items()}
        if self._roles is None:
            return for_env
        if isinstance(self._roles, str):
            return for_env[self._roles]
        return {own: for_env[role] for own, role in self._roles.items() if role in for_env}

    def saw(
        self, observation: Any, reward: Any, terminated: Any, truncated: Any, info: Any = None
    ) -> None:
        """What came of the last action; ``policy.saw(*env.step(policy.act()))``."""
        self.steps += 1
        self.total += self._counted(reward)
        seen, paid, infos = self._observed(observation), self._by_role(reward), info or {}
        if self._agents is None:
            self._episode.add_env_step(
                seen,
                self._chosen,
                paid,
                infos,
                terminated=terminated,
                truncated=truncated,
                extra_model_outputs=self._outputs,
            )
            return
        by_agent: dict[Any, dict[str, Any]] = {agent: {} for agent in self._chosen}
        for name, values in self._outputs.items():
            for agent, value in values.items():
                by_agent[agent][name] = value
        self._episode.add_env_step(
            seen,
            self._chosen,
            paid,
            self._by_role(infos),
            terminateds=self._ended(terminated, truncated),
            extra_model_outputs=by_agent,
        )

    def _policy_of(self, agent: Any, _: Any) -> str:
        assert self._agents is not None
        return self._agents[str(agent)]

    def _numbers(self, level: Mapping[str, Any]) -> Any:
        """All that is observed of a level, knob by knob."""
        found: list[float] = []
        for knob in self.facts["env"]["condition"]:
            name = knob["knob"]
            if name not in level:
                raise ValueError(f"level[{name!r}] must be given, for the policy observes it")
            try:
                found += numbers(knob, level[name])
            except ValueError as error:
                raise ValueError(f"level[{name!r}] {error}") from None
        return np.array(found, np.float32)

    def _observed(self, observation: Any) -> Any:
        """What the policy observes of what the env shows: ended with the level, by role."""
        seen = self._by_role(observation)
        if not self._shown.size:
            return seen
        if self._agents is None:
            return self._ended_with_level(seen, self._spaces)
        return {agent: self._ended_with_level(seen[agent], self._spaces[agent]) for agent in seen}

    def _ended_with_level(self, observation: Any, space: Any) -> Any:
        parts = (observation, self._shown.astype(space.dtype))
        return np.concatenate(parts, dtype=space.dtype, casting="same_kind")

    def _by_role(self, part: Any) -> Any:
        """A part of what the env gave, by the agents' names in training."""
        if self._roles is None:
            return part
        if isinstance(self._roles, str):
            return {self._roles: part}
        return {role: part[own] for own, role in self._roles.items() if own in part}

    def _ended(self, terminated: Any, truncated: Any) -> dict[Any, bool]:
        """Who has ended, in whatever way: RLlib does not truncate an agent that waits its turn."""
        flags = (self._by_role(terminated), self._by_role(truncated))
        ended = {agent: True for each in flags for agent, flag in each.items() if flag}
        if isinstance(self._roles, str):
            return {**ended, "__all__": bool(ended)}
        return {**ended, "__all__": bool(terminated["__all__"] or truncated.get("__all__"))}

    def _counted(self, reward: Any) -> float:
        """What a step adds to the return."""
        if self._agents is None or isinstance(self._roles, str):
            return float(reward)
        counted = self.facts["score"]["agents"]
        paid = {str(agent): float(each) for agent, each in reward.items()}
        return sum(each for agent, each in paid.items() if counted is None or agent in counted)
