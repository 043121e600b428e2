"""Whose a searched hyperparameter is follows from its name."""

from __future__ import annotations

from orchestrator import searched

EVERYTHING = {
    "lr": 0.1,
    "gamma": 0.9,
    "curriculum.temperature": 0.3,
    "policy.generator.lr": 0.2,
    "policy.team/red.lr": 0.3,
    "policy.generator.entropy_coeff": 0.05,
}


def test_each_goes_to_its_own() -> None:
    assert searched.of_training(EVERYTHING) == {"lr": 0.1, "gamma": 0.9}
    assert searched.of_curriculum(EVERYTHING) == {"temperature": 0.3}
    assert searched.of_policies(EVERYTHING) == {
        "generator": {"lr": 0.2, "entropy_coeff": 0.05},
        "team/red": {"lr": 0.3},
    }


def test_there_may_be_none() -> None:
    assert searched.of_training({}) == searched.of_curriculum({}) == searched.of_policies({}) == {}
