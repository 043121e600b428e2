"""Whether an env says of its episodes that they succeeded, found out by playing one."""

from __future__ import annotations

from typing import Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from experiments import curriculum_spec as spec
from experiments.curricula import needs_of
from experiments.findings import Finding
from experiments.importing import one_line
from experiments.spec import Experiment
from orchestrator.level_env import EnvSetup, make_level_env

_SEED = 0
_MOST_STEPS = 2000


def success_findings(setup: EnvSetup, experiment: Experiment) -> list[Finding]:
    """What is wrong where a curriculum has to know of each episode whether it succeeded.

    An env of which no episode ends within some random steps is given the benefit of the doubt.

    Args:
        setup: of the envs that the arm's agents act in.
    """
    if experiment.env.success_above is not None or "success" not in needs_of(experiment):
        return []
    try:
        says = _says_success(setup)
    except Exception as error:
        must = "must be an env whose episodes can be played"
        return [Finding(("env", "id"), must, one_line(error))]
    if says is not False:
        return []
    wanted = _wanted_by(experiment)
    must = f"must be given for {wanted}, since info has no is_success when an episode ends"
    hint = "For example success_above: 195, the return from which on an episode counts as solved"
    return [Finding(("env", "success_above"), must, "null", hint)]


def _wanted_by(experiment: Experiment) -> str:
    given = experiment.curriculum
    if isinstance(given, spec.Stages):
        return "a stage with until: {measure: success}"
    if isinstance(given, spec.ADR):
        return "curriculum.measure: success"
    return "curriculum.kind: sfl" if isinstance(given, spec.SFL) else "score: learnability"


def _says_success(setup: EnvSetup) -> bool | None:
    """Whether the first episode that ends says so, of any agent; None: none ended."""
    env: Any = setup.make({})
    several = isinstance(env, MultiAgentEnv)
    env.close()
    env = make_level_env({"setup": setup, "multi_agent": several})
    try:
        return _one_of_several(env) if several else _one_alone(env)
    finally:
        env.close()


def _one_alone(env: Any) -> bool | None:
    env.action_space.seed(_SEED)
    env.reset(seed=_SEED)
    for _ in range(_MOST_STEPS):
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        if terminated or truncated:
            return "is_success" in info
    return None


def _one_of_several(env: Any) -> bool | None:
    spaces = {agent: env.get_action_space(agent) for agent in env.possible_agents}
    for number, space in enumerate(spaces.values()):
        space.seed(_SEED + number)
    observations, _ = env.reset(seed=_SEED)
    for _ in range(_MOST_STEPS):
        actions = {agent: spaces[agent].sample() for agent in observations}
        observations, _, terminated, truncated, _ = env.step(actions)
        if terminated.get("__all__") or truncated.get("__all__"):
            return bool(env.successes)
    return None
