"""Which env an experiment file means: found by name, built with a level on top, checked."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from experiments.env_check import findings_of
from experiments.envs import BUILT_IN, EXTRAS
from experiments.importing import (
    import_module,
    import_reference,
    importable_from,
    is_reference,
    require,
)
from experiments.loading import Loaded
from experiments.problems import Problem
from experiments.spaces import space_of
from experiments.spec import Env
from orchestrator.apply import ReadKeys

__all__ = ["EnvSource", "check_env"]

Kind = Literal["built_in", "gymnasium", "import"]

#: What RLlib's users call the one argument of an env's constructor that is a dict.
_CONFIG_NAMES = ("config", "env_config", "cfg", "env_context", "ctx")


class EnvConfig(ReadKeys):
    """The config dict that an env's constructor gets.

    A knob that neither the level nor the config gives is no key of it; yet ``config["knob"]``
    answers with a legal value, so that an env without defaults can be built before a level.
    """

    def __init__(self, values: Mapping[str, Any], spare: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.spare = spare

    def __missing__(self, key: str) -> Any:
        return self.spare[key]


@dataclass(frozen=True)
class EnvSource:
    """Builds an env by its name in an experiment file; calling it with a level makes one.

    Attributes:
        id: a built-in, a gymnasium id, or ``package.module:attribute``.
        config: the part of the env config that never changes.
        spare: a legal value of each knob, for constructors that cannot do without.
    """

    id: str
    config: Mapping[str, Any] = field(default_factory=dict)
    spare: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, env: Env) -> EnvSource:
        """The source that the section `env` of an arm names; imports nothing yet."""
        return cls(env.id, env.config, space_of(env).initial().sample(np.random.default_rng(0)))

    @property
    def kind(self) -> Kind:
        """How the id is looked up; it follows from its form alone."""
        if self.id in BUILT_IN:
            return "built_in"
        return "import" if is_reference(self.id) else "gymnasium"

    @cached_property
    def multi_agent(self) -> bool:
        """Whether the env is one of RLlib's MultiAgentEnv; a factory is called to find out.

        Raises:
            CannotImport: if the env cannot be found.
        """
        from ray.rllib.env.multi_agent_env import MultiAgentEnv

        if self.kind == "gymnasium":
            return False
        found = self.target
        if isinstance(found, type):
            return issubclass(found, MultiAgentEnv)
        env = self({})
        try:
            return isinstance(env, MultiAgentEnv)
        finally:
            env.close()

    @property
    def agents(self) -> tuple[str, ...]:
        """The env's agents; none for an env of a single agent.

        Raises:
            Exception: whatever the env raises.
        """
        return tuple(self.spaces)

    @cached_property
    def spaces(self) -> dict[str, tuple[Any, Any]]:
        """What each agent observes and how it acts, for which an env is built; none for one agent.

        Raises:
            Exception: whatever the env raises.
        """
        if not self.multi_agent:
            return {}
        env = self({})
        try:
            return {
                str(each): (env.get_observation_space(each), env.get_action_space(each))
                for each in env.possible_agents
            }
        finally:
            env.close()

    @cached_property
    def target(self) -> Any:
        """The class or function that makes the env.

        Raises:
            CannotImport: if there is none.
            gymnasium.error.Error: if gymnasium knows no such id, or what it needs is missing.
        """
        if self.kind == "built_in":
            if self.id in EXTRAS:
                require(*EXTRAS[self.id])
            return import_reference(BUILT_IN[self.id])
        if self.kind == "import":
            return import_reference(self.id)
        import gymnasium
        from gymnasium.envs.registration import load_env_creator

        module, colon, name = self.id.rpartition(":")
        if colon:
            import_module(module)
        entry = gymnasium.spec(name).entry_point
        return load_env_creator(entry) if isinstance(entry, str) else entry

    @cached_property
    def config_name(self) -> str | None:
        """The one constructor argument that is a config dict, by RLlib's convention; else None."""
        if self.kind == "gymnasium":
            return None
        parameters = _parameters(self.target)
        first = next(iter(parameters), None)
        if first is None or first.name not in _CONFIG_NAMES or first.kind in _VARIABLE:
            return None
        rest = parameters[1:]
        optional = all(each.default is not each.empty or each.kind in _VARIABLE for each in rest)
        return first.name if optional else None

    def entry_point(self) -> Callable[..., Any] | None:
        """The constructor whose arguments are knobs; None where it takes one config dict."""
        if self.config_name is not None:
            return None
        target: Callable[..., Any] = self.target
        return target

    def keys_read(self, level: Mapping[str, Any]) -> set[str] | None:
        """The keys of its config dict that the constructor looks at; None: it takes none."""
        if self.config_name is None:
            return None
        env, config = self.build(level)
        env.close()
        return set() if config is None else config.read

    def __call__(self, level: Mapping[str, Any]) -> Any:
        """A new env with its fixed config and `level` on top."""
        return self.build(level)[0]

    def build(self, level: Mapping[str, Any]) -> tuple[Any, ReadKeys | None]:
        """As calling it, and the config dict that the env was given, if it takes one."""
        values = copy.deepcopy(dict(self.config)) | dict(level)
        if self.kind == "gymnasium":
            import gymnasium

            # gymnasium's checker would warn about levels and cost every first step.
            given = {"disable_env_checker": True} | values
            return gymnasium.make(self.id, **given), None
        target = self.target
        if self.config_name is None:
            return target(**self._required(target, values), **values), None
        config = EnvConfig(values, self.spare)
        env = target(**{self.config_name: config})
        # A built-in without that attribute ends its episodes by itself.
        if self.kind == "built_in" and hasattr(target, "max_episode_steps"):
            from gymnasium.wrappers import TimeLimit

            env = TimeLimit(env, target.max_episode_steps)
        return env, config

    def __reduce__(self) -> tuple[type[EnvSource], tuple[Any, ...]]:
        # Without what was looked up here: another process looks it up by itself.
        return (EnvSource, (self.id, dict(self.config), dict(self.spare)))

    def _required(self, target: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            each.name: self.spare[each.name]
            for each in _parameters(target)
            if each.default is each.empty and each.name in self.spare and each.name not in values
        }


_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _parameters(target: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return []


def check_env(loaded: Loaded, arm: str) -> list[Problem]:
    """Everything that is wrong with the env of an arm: found, built, levels applied, stepped.

    Prints nothing, leaves no env open, and raises for nothing that a user's env does.
    """
    experiment = loaded.arms[arm]
    importable_from(Path.cwd())
    return [
        loaded.problem(arm, found.key, found.must, found.found, found.hint)
        for found in findings_of(EnvSource.of(experiment.env), experiment)
    ]
