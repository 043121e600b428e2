"""RLlib's part of an experiment file: each key checked against RLlib, then made its config."""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.agents import multi_agent_settings, override_findings
from experiments.curricula import needs_of
from experiments.curriculum_check import curriculum_findings
from experiments.env_source import EnvSource
from experiments.findings import Finding
from experiments.hints import show
from experiments.importing import importable_from, one_line
from experiments.loading import Loaded
from experiments.model_config import model_findings
from experiments.problems import BadInput, Problem
from experiments.replay_check import key_findings, rllib_findings
from experiments.rllib_keys import SECTIONS, Keys, keys_of
from experiments.rllib_validation import validation_findings
from experiments.scenario_check import scenario_findings
from experiments.scenarios import play_by, scenario_of, scenario_settings
from experiments.searched import policy_search_findings, search_findings
from experiments.spec import Experiment

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

__all__ = ["build_config", "check_algorithms"]

_NAME = ("algorithm", "name")
_OFFLINE = ("BC", "CQL", "IQL", "MARWIL")
# RLlib's former algorithms, by what took their place there.
_FORMER = {
    "A2C": "PPO", "A3C": "PPO", "PG": "PPO", "DDPPO": "PPO", "ES": "PPO", "ARS": "PPO",
    "DDPG": "SAC", "TD3": "SAC", "ApexDDPG": "SAC", "SimpleQ": "DQN", "ApexDQN": "DQN",
    "Rainbow": "DQN", "R2D2": "DQN", "QMIX": "DQN",
}  # fmt: skip


def check_algorithms(loaded: Loaded) -> dict[str, AlgorithmConfig]:
    """RLlib's config of every arm, its env left out.

    Raises:
        BadInput: with every problem of every arm.
    """
    configs: dict[str, AlgorithmConfig] = {}
    problems: list[Problem] = []
    for arm in loaded.arms:
        config, found = build_config(loaded, arm)
        problems += found
        if config is not None:
            configs[arm] = config
    if problems:
        raise BadInput(problems)
    return configs


def build_config(loaded: Loaded, arm: str) -> tuple[AlgorithmConfig | None, list[Problem]]:
    """RLlib's config of one arm, its env left out; or else everything that is wrong with it."""
    importable_from(Path.cwd())
    with _quiet():
        config, findings = _configured(loaded.arms[arm])
    problems = [
        loaded.problem(arm, each.key, each.must, each.found, each.hint) for each in findings
    ]
    return (None if problems else config), problems


def _configured(experiment: Experiment) -> tuple[AlgorithmConfig | None, list[Finding]]:
    algorithm = experiment.algorithm
    config = _default_config(algorithm.name)
    if isinstance(config, Finding):
        return None, [config]
    findings = [*_offline(algorithm.offline_data)]
    sections: dict[str, dict[str, Any]] = {}
    for section in SECTIONS:
        keys = keys_of(type(config), section)
        sections[section], found = _checked(keys, getattr(algorithm, section))
        findings += found
    findings += model_findings(sections["rl_module"])
    findings += search_findings(keys_of(type(config), "training"), algorithm.search)
    findings += key_findings(keys_of(type(config), "training"), experiment)
    findings += scenario_findings(experiment)
    agents, found = _agents(experiment, sections["multi_agent"]) if not findings else ({}, [])
    findings += found
    if findings:
        return None, findings
    sections["multi_agent"] |= agents
    findings = [*_apply(config, sections)]
    if not findings:
        findings = [*play_by(config, experiment)]
    if not findings:
        findings = [*override_findings(config, algorithm)]
        findings += policy_search_findings(config, algorithm)
    if not findings:
        findings = validation_findings(config, algorithm)
        findings += rllib_findings(config, experiment)
    if not findings:
        findings = [*_level_scores(config, experiment)]
    return config, findings


def _agents(
    experiment: Experiment, checked: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Finding]]:
    """Which policies there are, and whom each acts for."""
    scenario = scenario_of(experiment)
    if scenario is not None:
        return scenario_settings(scenario), []
    source = EnvSource.of(experiment.env)
    return multi_agent_settings(source, experiment.algorithm.multi_agent, checked)


def _level_scores(config: AlgorithmConfig, experiment: Experiment) -> Iterator[Finding]:
    """Whether the algorithm can score levels, where the curriculum needs a value function."""
    from orchestrator import rllib

    if curriculum_findings(experiment):  # Said where it is checked.
        return
    if "values" in needs_of(experiment):
        obstacle = rllib.scores_levels(config)
        if obstacle is not None:
            must = f"must be one that curriculum.kind: {experiment.curriculum.kind} can score by"
            hint = obstacle[:1].upper() + obstacle[1:]
            yield Finding(_NAME, must, show(experiment.algorithm.name), hint)


def _default_config(name: str) -> AlgorithmConfig | Finding:
    from ray.rllib.algorithms.registry import ALGORITHMS

    usable = [each for each in ALGORITHMS if each not in (*_OFFLINE, "DreamerV3")]
    must = f"must be one of RLlib's algorithms that learn from an env: {', '.join(usable)}"
    if name in _OFFLINE:
        hint = "It learns offline, from recorded data, where no env evolves"
        return Finding(_NAME, must, show(name), hint)
    if name == "DreamerV3":
        return Finding(_NAME, must, show(name), "It is not supported: its envs are its own")
    if name not in ALGORITHMS:
        return Finding(_NAME, must, show(name), _meant(name, usable))
    config = ALGORITHMS[name]()[1]
    new_stack = config.enable_rl_module_and_learner and config.enable_env_runner_and_connector_v2
    if not new_stack:
        return Finding(_NAME, must, show(name), "It has no version for RLlib's new API stack")
    from orchestrator import rllib

    return rllib.as_member(config)


def _meant(name: str, usable: list[str]) -> str | None:
    former = {each.upper(): new for each, new in _FORMER.items()}.get(name.upper())
    if former is not None:
        return f"RLlib no longer has it; the nearest is {former}"
    known = {each.upper(): each for each in usable}
    close = difflib.get_close_matches(name.upper(), known, 1, 0.5)
    return f'Did you mean "{known[close[0]]}"?' if close else None


def _offline(given: Mapping[str, Any]) -> Iterator[Finding]:
    if given:
        must = "must be left out: members learn from their envs"
        yield Finding(("algorithm", "offline_data"), must, show(dict(given)))


def _checked(keys: Keys, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    values: dict[str, Any] = {}
    findings = []
    for name, value in given.items():
        values[name], found = keys.check(("algorithm", keys.section), name, value)
        if found is None and name == "gym_env_vectorize_mode":
            values[name], found = _vectorize_mode(value)
        if found is None and (keys.section, name) == ("framework", "framework"):
            found = _torch(value)
        if found is not None:
            findings.append(found)
            del values[name]
    return values, findings


def _vectorize_mode(value: Any) -> tuple[Any, Finding | None]:
    mode = str(value).rpartition(".")[2].lower()
    if mode in ("sync", "async"):
        return mode, None
    key = ("algorithm", "env_runners", "gym_env_vectorize_mode")
    return None, Finding(key, "must be sync or async", show(value))


def _torch(value: Any) -> Finding | None:
    if value in ("torch", None):
        return None
    return Finding(("algorithm", "framework", "framework"), "must be torch", show(value))


def _apply(config: AlgorithmConfig, sections: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Set every key by itself, so that what RLlib says of one is said at its place."""
    config.framework("torch")
    for section, values in sections.items():
        for name, value in values.items():
            if (section, name) == ("framework", "framework"):
                continue
            try:
                getattr(config, section)(**{name: value})
            except Exception as error:
                must = "must be a value that RLlib takes"
                yield Finding(("algorithm", section, name), must, one_line(error))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without RLlib's advice to users of its old API stack."""
    # Importing it sets the level of its logger.
    import ray.rllib  # noqa: F401

    loggers = [logging.getLogger("ray.rllib"), logging.getLogger("ray._common.deprecation")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
