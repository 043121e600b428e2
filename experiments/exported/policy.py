"""An exported policy at work: verified, loaded, asked for actions. It starts no Ray cluster.

It needs ray[rllib], torch and gymnasium, in the versions that export.json names. Loading
unpickles files of this folder, which runs code: load only what you trust.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

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


class Policy:
    """Acts in one episode at a time, without exploring, as when it was scored.

    Call `begin` with what ``env.reset`` returned; then, until `done`, step the env with `act`
    and tell what came of it with `saw`. Of several agents, everything is a dict by agent.

    Attributes:
        facts: what export.json says.
        total: the return so far, summed over the agents.
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
        self._episode: Any = None
        self.total, self.steps = 0.0, 0

    def begin(self, observation: Any, info: Any = None) -> None:
        """A new episode; ``policy.begin(*env.reset())``."""
        if self._agents is None:
            self._episode = SingleAgentEpisode(
                observation_space=self._to_module.input_observation_space,
                action_space=self._to_module.input_action_space,
            )
            self._episode.add_env_reset(observation=observation, infos=info or {})
        else:
            self._episode = MultiAgentEpisode(
                observation_space=self._to_module.input_observation_space,
                action_space=self._to_module.input_action_space,
                agent_to_module_mapping_fn=self._agents.get,
            )
            self._episode.add_env_reset(observations=observation, infos=info or {})
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
        return for_env

    def saw(
        self, observation: Any, reward: Any, terminated: Any, truncated: Any, info: Any = None
    ) -> None:
        """What came of the last action; ``policy.saw(*env.step(policy.act()))``."""
        self.steps += 1
        if self._agents is None:
            self._episode.add_env_step(
                observation,
                self._chosen,
                reward,
                info or {},
                terminated=terminated,
                truncated=truncated,
                extra_model_outputs=self._outputs,
            )
            self.total += float(reward)
            return
        by_agent: dict[Any, dict[str, Any]] = {agent: {} for agent in self._chosen}
        for name, values in self._outputs.items():
            for agent, value in values.items():
                by_agent[agent][name] = value
        self._episode.add_env_step(
            observation,
            self._chosen,
            reward,
            info or {},
            terminateds=terminated,
            truncateds=truncated,
            extra_model_outputs=by_agent,
        )
        self.total += sum(map(float, reward.values()))
