"""Curricula in which a policy decides the levels: who plays, by which policies, who is scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from experiments import curriculum_spec as spec
from experiments.findings import Finding
from experiments.hints import show
from experiments.importing import import_reference, is_reference
from experiments.spec import Experiment
from orchestrator.scenario import GENERATOR, PROTAGONIST, STUDENT, Reward, Scenario, policy_of

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

_TWO_TEAMS = (spec.Paired, spec.FlexiblePaired)


def scenario_of(experiment: Experiment) -> Scenario | None:
    """Who plays in an arm's envs; None where levels are drawn and no policy decides them.

    Raises:
        CannotImport: if the reward is a function that cannot be found.
        ValueError: if the reward is no function, or does not go with the number of teams.
    """
    given, teams = experiment.curriculum, teams_of(experiment)
    if teams is None:
        return None
    assert isinstance(given, spec.Scenario)
    return Scenario(
        teams=teams,
        reward=_reward(given.reward),
        noise=given.noise,
        recent=given.recent,
    )


def _reward(given: str) -> Reward:
    if not is_reference(given):
        return given  # type: ignore[return-value]
    function: Reward = import_reference(given)
    if not callable(function):
        raise ValueError(f"{given} must be a function, but is a {type(function).__name__}")
    return function


def scored_team(experiment: Experiment) -> str | None:
    """The team that is scored and exported, if there is one; the generator's reward may be gone."""
    return {None: None, 1: STUDENT, 2: PROTAGONIST}[teams_of(experiment)]


def teams_of(experiment: Experiment) -> Literal[1, 2] | None:
    """How many teams play in an arm's envs; None where no policy decides the levels."""
    given = experiment.curriculum
    if not isinstance(given, spec.Scenario):
        return None
    return 2 if isinstance(given, _TWO_TEAMS) else 1


def policies_of(scenario: Scenario) -> tuple[str, ...]:
    """The policies of a scenario: the generator's, and one for each team."""
    return (GENERATOR, *scenario.names)


def scenario_settings(scenario: Scenario) -> dict[str, Any]:
    """RLlib's `policies` and `policy_mapping_fn`."""
    return {"policies": list(policies_of(scenario)), "policy_mapping_fn": policy_of}


def counted(
    scenario: Scenario, agents: Sequence[str], named: Sequence[str] | None
) -> tuple[str, ...]:
    """Whose returns count, by their names in the scenario: agents of the first team.

    Args:
        agents: the env's own; none for an env of a single agent.
        named: those that ``evaluation.agents`` names.
    """
    team = scenario.names[0]
    own: Sequence[str | None] = named if named is not None else [*agents] or [None]
    return tuple(scenario.agent(team, agent) for agent in own)


def play_by(config: AlgorithmConfig, experiment: Experiment) -> Iterator[Finding]:
    """Give RLlib's config the generator's entropy bonus; or say why it cannot be played with."""
    given = experiment.curriculum
    if not isinstance(given, spec.Scenario):
        return
    from ray.rllib.algorithms.ppo import PPO

    if not (isinstance(config.algo_class, type) and issubclass(config.algo_class, PPO)):
        must = f"must be PPO for curriculum.kind: {given.kind}"
        hint = "The generator sets knobs of several kinds in one action, which others do not take"
        yield Finding(("algorithm", "name"), must, show(experiment.algorithm.name), hint)
        return
    if config.episode_lookback_horizon < 1:
        key = ("algorithm", "env_runners", "episode_lookback_horizon")
        must = "must be at least 1 where a generator acts"
        hint = "RLlib loses its one action otherwise, where it cuts episodes"
        yield Finding(key, must, show(config.episode_lookback_horizon), hint)
    overrides = config.algorithm_config_overrides_per_module
    own = {"entropy_coeff": given.entropy, **overrides.get(GENERATOR, {})}
    config.rl_module(algorithm_config_overrides_per_module={**overrides, GENERATOR: own})
