"""Policies of a multi-agent algorithm, and which agent each of them acts for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.env_probe import short
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.importing import one_line
from experiments.policies import SHARED, OnePolicy, own_policy
from experiments.spec import Algorithm

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

    from experiments.env_source import EnvSource

_AT = ("algorithm", "multi_agent")
_OVERRIDES = "algorithm_config_overrides_per_module"


def multi_agent_settings(
    source: EnvSource, given: Mapping[str, Any], checked: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Finding]]:
    """RLlib's `policies` and `policy_mapping_fn`, from those given; or what is wrong with them.

    One policy acts for all agents; policies named like the agents act for one each; anything
    else takes a `policy_mapping_fn`. Without any, all agents share one policy.
    """
    agents = _agents(source)
    if agents is None:  # Said where the env is checked.
        return {}, []
    if not agents:
        if not given:
            return {}, []
        must = "must be left out for an env of a single agent"
        hint = "Several agents take an env derived from ray.rllib.env.multi_agent_env.MultiAgentEnv"
        return {}, [Finding(_AT, must, show(dict(given)), hint)]
    if "policies" in given and "policies" not in checked:
        return {}, []
    findings = [*_unset(checked.get("policies"))]
    if findings:
        return {}, findings
    policies = list(checked.get("policies") or [SHARED])
    findings = [*_to_train(policies, checked.get("policies_to_train"))]
    mapping = checked.get("policy_mapping_fn")
    if mapping is None and "policy_mapping_fn" not in given:
        mapping = _default_mapping(policies, agents)
        if mapping is None:
            must = "must be given where policies are not named like the agents"
            found = f"policies {', '.join(policies)} for the agents {', '.join(agents)}"
            hint = "Write policy_mapping_fn: package.module:function"
            findings.append(Finding((*_AT, "policy_mapping_fn"), must, found, hint))
    elif mapping is not None:
        findings += _mapped(mapping, agents, policies)
    if mapping is not None and not findings:
        findings += _alike(source.spaces, mapping)
    return {"policies": policies, "policy_mapping_fn": mapping}, findings


def override_findings(config: AlgorithmConfig, given: Algorithm) -> Iterator[Finding]:
    """What is wrong with settings that policies have of their own: the names of the policies.

    Args:
        config: with its policies set.
    """
    policies = list(config.policies)
    for section, settings in (("rl_module", given.rl_module), ("multi_agent", given.multi_agent)):
        overrides = settings.get(_OVERRIDES)
        for name in overrides if isinstance(overrides, dict) else ():
            if name not in policies:
                must = f"must be one of the policies {', '.join(policies)}"
                key = ("algorithm", section, _OVERRIDES, name)
                yield Finding(key, must, show(name), nearest(name, policies))


def _agents(source: EnvSource) -> list[str] | None:
    """The env's agents; none for an env of a single agent, None where it cannot be told."""
    try:
        return list(source.agents) or (None if source.multi_agent else [])
    except Exception:
        return None


def _default_mapping(policies: Sequence[str], agents: Sequence[str]) -> Any:
    if len(policies) == 1:
        return OnePolicy(policies[0])
    return own_policy if set(agents) <= set(policies) else None


def _mapped(mapping: Any, agents: Sequence[str], policies: Sequence[str]) -> list[Finding]:
    key = (*_AT, "policy_mapping_fn")
    for agent in agents:
        must = f"must give one of the policies {', '.join(policies)} for every agent"
        try:
            policy = mapping(agent, None)
        except Exception as error:
            # It may look at the episode, which there is none of yet.
            if isinstance(error, AttributeError):
                continue
            return [Finding(key, must, f"{one_line(error)} for {agent}")]
        if policy not in policies:
            found = f"{show(policy)} for {agent}"
            return [Finding(key, must, found, nearest(str(policy), policies))]
    return []


def sharing(spaces: Mapping[str, tuple[Any, Any]], policies: Mapping[str, str]) -> str | None:
    """Two agents that share a policy though their spaces differ, in words; None: there are none.

    Args:
        spaces: what each agent observes and how it acts.
        policies: by agent.
    """
    firsts: dict[str, str] = {}
    for agent, policy in policies.items():
        first = firsts.setdefault(policy, agent)
        for what, one, other in zip(
            ("observations", "actions"), spaces[first], spaces[agent], strict=True
        ):
            if one != other:
                return f"{first} with the {what} {short(one)}, {agent} with {short(other)}"
    return None


def _alike(spaces: Mapping[str, tuple[Any, Any]], mapping: Any) -> Iterator[Finding]:
    try:
        found = sharing(spaces, {agent: mapping(agent, None) for agent in spaces})
    except Exception:  # Said above, or it looks at the episode, which there is none of yet.
        return
    if found is not None:
        must = "must give agents whose spaces differ policies of their own"
        hint = f"One for each agent: policies: [{', '.join(spaces)}]"
        yield Finding(_AT, must, found, hint)


def _unset(policies: Any) -> Iterator[Finding]:
    if not isinstance(policies, dict):
        return
    for name, value in policies.items():
        if value:
            hint = f"What one policy has of its own goes under algorithm.rl_module.{_OVERRIDES}"
            yield Finding((*_AT, "policies", name), "must be empty", show(value), hint)


def _to_train(policies: Sequence[str], named: Sequence[str] | None) -> Iterator[Finding]:
    for index, name in enumerate(named or []):
        if name not in policies:
            key = (*_AT, "policies_to_train", index)
            must = f"must be one of the policies {', '.join(policies)}"
            yield Finding(key, must, show(name), nearest(name, policies))
