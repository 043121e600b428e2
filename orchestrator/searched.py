"""Whose the searched hyperparameters are: the algorithm's, one policy's, or the curriculum's.

A member's hyperparameters are one flat mapping. ``lr`` is a key of the algorithm's training
section, ``curriculum.temperature`` a parameter of the curriculum, and ``policy.generator.lr`` a
training key of the policy ``generator`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CURRICULUM = "curriculum."
POLICY = "policy."


def of_training(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the algorithm's training section, for all policies."""
    return {
        name: value
        for name, value in hyperparameters.items()
        if not name.startswith((CURRICULUM, POLICY))
    }


def of_curriculum(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the curriculum, by their own names."""
    return {
        name.removeprefix(CURRICULUM): value
        for name, value in hyperparameters.items()
        if name.startswith(CURRICULUM)
    }


def of_policies(hyperparameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Training keys of single policies, by policy."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in hyperparameters.items():
        if name.startswith(POLICY):
            policy, _, key = name.removeprefix(POLICY).rpartition(".")
            found.setdefault(policy, {})[key] = value
    return found
