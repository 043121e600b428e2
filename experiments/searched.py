"""The section ``algorithm.search``: keys of `training` that a population may vary."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments import knob_spec as spec
from experiments.annotations import Misfit, fitted
from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.rllib_keys import Keys, keys_of
from experiments.spec import Algorithm

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

_AT = ("algorithm", "search")
_MOST_COMBINATIONS = 256
_BY_POLICY = ("algorithm", "policy_search")

# A copy loads another member's weights, optimizer and buffer into its own, and keeps its env
# runners with the modules and connectors that they were built with.
_STRUCTURAL = frozenset(
    {
        "num_atoms", "epsilon", "sigma0", "v_min", "v_max", "noisy", "dueling", "double_q",
        "hiddens", "twin_q", "optimizer", "opt_type",
        "replay_buffer_config", "store_buffer_in_checkpoints", "learner_class",
        "learner_connector", "add_default_connectors_to_learner_pipeline", "learner_config_dict",
        "use_critic", "use_kl_loss", "vtrace", "burn_in_len", "_separate_vf_optimizer",
        "use_circular_buffer", "_use_beta_distribution", "clip_actions", "optimization_config",
    }
)  # fmt: skip


# RLlib's learners read these for each module, and the others once for all.
_OF_ONE_POLICY = frozenset(
    {
        "lr", "grad_clip", "grad_clip_by", "clip_param", "entropy_coeff", "kl_coeff", "kl_target",
        "vf_clip_param", "vf_loss_coeff", "vtrace_clip_pg_rho_threshold",
        "vtrace_clip_rho_threshold", "tau", "target_network_update_freq", "td_error_loss_fn",
        "actor_lr", "critic_lr", "alpha_lr", "initial_alpha", "target_entropy",
    }
)  # fmt: skip


def search_findings(training: Keys, search: Mapping[str, spec.SearchKnob]) -> Iterator[Finding]:
    """What is wrong with the searched keys: unknown, structural, or values of the wrong type."""
    for name, knob in search.items():
        key = (*_AT, name)
        if name in _STRUCTURAL:
            must = "must be a key that can change when a member copies another"
            yield Finding(key, must, show(name), "To compare its values, write an arm for each")
            continue
        found = _of_knob(training, key, name, knob)
        if found is not None:
            yield found


def policy_search_findings(config: AlgorithmConfig, algorithm: Algorithm) -> Iterator[Finding]:
    """What is wrong with the keys that are searched for single policies.

    Args:
        config: with its policies set.
    """
    training = keys_of(type(config), "training")
    policies = list(config.policies)
    if algorithm.policy_search and not config.is_multi_agent:
        must = "must be left out where there is but one policy"
        yield Finding(_BY_POLICY, must, show([*algorithm.policy_search]), "Write algorithm.search")
        return
    for policy, search in algorithm.policy_search.items():
        if policy not in policies:
            must = f"must be one of the policies {', '.join(policies)}"
            yield Finding((*_BY_POLICY, policy), must, show(policy), nearest(policy, policies))
            continue
        wrong = [*search_findings(training, search)]
        for found in wrong:
            yield replace(found, key=(*_BY_POLICY, policy, *found.key[len(_AT) :]))
        for name in search if not wrong else ():
            if name not in _OF_ONE_POLICY:
                must = "must be a key that RLlib reads for each policy"
                hint = f"To search it for all of them, write algorithm.search.{name}"
                yield Finding((*_BY_POLICY, policy, name), must, show(name), hint)


def ends_of(knob: spec.SearchKnob) -> tuple[Any, ...]:
    """The values that bound a searched key: low and high, or every choice."""
    if isinstance(knob, spec.ChoiceSearch):
        return knob.choices
    return (knob.low, knob.high)


def combinations(values: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """One value for each name, in every combination, up to a few hundred."""
    chosen = itertools.islice(itertools.product(*values.values()), _MOST_COMBINATIONS)
    return (dict(zip(values, each, strict=True)) for each in chosen)


def _of_knob(
    training: Keys, key: tuple[str, ...], name: str, knob: spec.SearchKnob
) -> Finding | None:
    if name not in training.annotations or name in training.deprecated:
        found = training.check(_AT, name, None)[1]
        assert found is not None
        meant = found.hint or nearest(name, training.usable)
        return Finding(key, "must be a key of algorithm.training", show(name), meant)
    if isinstance(knob, spec.ContinuousSearch) and _wants_whole(training.annotations[name]):
        must = "must have integer: true, for a key that takes whole numbers"
        hint = f"Write {{low: {knob.low:g}, high: {knob.high:g}, integer: true}}"
        return Finding(key, must, "a range of real numbers", hint)
    for place, value in _places(knob):
        found = training.check(_AT, name, value)[1]
        if found is not None:
            return Finding((*key, *place), found.must, found.found, found.hint)
    return None


def _wants_whole(annotation: Any) -> bool:
    return _fits(annotation, 1) and not _fits(annotation, 0.5)


def _fits(annotation: Any, value: Any) -> bool:
    try:
        fitted(annotation, value)
    except Misfit:
        return False
    return True


def _places(knob: spec.SearchKnob) -> list[tuple[tuple[str | int, ...], Any]]:
    if isinstance(knob, spec.ChoiceSearch):
        return [(("choices", index), value) for index, value in enumerate(knob.choices)]
    return [(("low",), knob.low), (("high",), knob.high)]
