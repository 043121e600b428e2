"""What must hold for a curriculum in which a policy decides the levels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.agents import sharing
from experiments.env_source import EnvSource
from experiments.findings import Finding
from experiments.hints import nearest, one_of, show
from experiments.importing import CannotImport, import_reference, is_reference, one_line
from experiments.scenarios import policies_of, scenario_of, teams_of
from experiments.spaces import to_space
from experiments.spec import Experiment
from orchestrator import scenario_rewards
from orchestrator.generator_actions import GeneratorActions
from orchestrator.scenario import Scenario

_POLICIES = ("algorithm", "multi_agent")
_REWARD = ("curriculum", "reward")


def scenario_findings(experiment: Experiment) -> list[Finding]:
    """What is wrong with the generator's reward, what it decides on, and the players."""
    if teams_of(experiment) is None:
        return []
    found = [*_reward(experiment)]
    if found:
        return found
    scenario = scenario_of(experiment)
    assert scenario is not None
    try:
        GeneratorActions(to_space(experiment))
    except ValueError as error:
        found.append(Finding(("env", "knobs"), "must be knobs that a generator sets", str(error)))
    found += _given(experiment.algorithm.multi_agent, policies_of(scenario))
    return [*found, *_agents(experiment, scenario)]


def _reward(experiment: Experiment) -> Iterator[Finding]:
    """What is wrong with a reward, which is a name that goes with the teams, or a function."""
    given = experiment.curriculum.model_dump()["reward"]
    if is_reference(given):
        try:
            function = import_reference(given)
        except CannotImport as error:
            yield Finding(_REWARD, error.must, error.found, error.hint)
            return
        if not callable(function):
            kind = type(function).__name__
            yield Finding(_REWARD, "must name a function", f"{show(given)}, which is a {kind}")
        return
    teams = teams_of(experiment)
    known = [name for name, takes in scenario_rewards.TEAMS.items() if takes == teams]
    if given not in known:
        kind = experiment.curriculum.kind
        must = f"must be {one_of([*known, 'package.module:function'])} for kind: {kind}"
        hint = nearest(given, known)
        if given in scenario_rewards.TEAMS:
            hint = f"There are two teams of agents, and {given} is for one"
            if teams == 1:
                hint = f"There is one team of agents, and {given} is for two"
        yield Finding(_REWARD, must, show(given), hint)


def _agents(experiment: Experiment, scenario: Scenario) -> Iterator[Finding]:
    try:
        spaces = EnvSource.of(experiment.env).spaces
    except Exception:  # Said where the env is checked.
        return
    unlike = sharing(spaces, dict.fromkeys(spaces, scenario.names[0]))
    if unlike is not None:
        kind = experiment.curriculum.kind
        must = f"must be an env whose agents' spaces are alike for curriculum.kind: {kind}"
        yield Finding(("env", "id"), must, unlike, "All agents of a team share a policy")
    if callable(scenario.reward):
        own: Sequence[str | None] = [*spaces] or [None]
        returns = {scenario.agent(team, each): 0.0 for team in scenario.names for each in own}
        yield from _paid(scenario, returns)


def _paid(scenario: Scenario, returns: Mapping[str, float]) -> Iterator[Finding]:
    """What is wrong with what a user's function pays for these returns of the agents."""
    assert callable(scenario.reward)
    must = f"must give a number for the agents' returns, such as {show(dict(returns))}"
    try:
        paid = scenario.reward(dict(returns))
        finite = math.isfinite(float(paid))
    except Exception as error:
        yield Finding(_REWARD, must, one_line(error))
        return
    if not finite:
        yield Finding(_REWARD, must, show(float(paid)))


def _given(given: Mapping[str, Any], policies: Sequence[str]) -> Iterator[Finding]:
    for name in ("policies", "policy_mapping_fn"):
        if name in given:
            must = "must be left out, since the curriculum makes the policies"
            hint = f"They are {', '.join(policies)}"
            yield Finding((*_POLICIES, name), must, show(given[name]), hint)
    trained = given.get("policies_to_train")
    for index, name in enumerate(trained if isinstance(trained, list) else ()):
        if name not in policies:
            must = f"must be one of the policies {', '.join(policies)}"
            key = (*_POLICIES, "policies_to_train", index)
            yield Finding(key, must, show(name), nearest(str(name), policies))
