"""What a generator is paid, worked by hand; and who plays in which scenario."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.scenario import Scenario, policy_of


def gap(returns: Mapping[str, float]) -> float:
    """A user's own reward."""
    return max(returns.values()) - min(returns.values())


def test_minimax_pays_what_the_student_did_not_get() -> None:
    assert Scenario(1, "minimax").paid({"student": {"student": 3.5}}) == -3.5


def test_minimax_counts_all_agents_of_the_team() -> None:
    assert Scenario(1, "minimax").paid({"student": {"a": 3.0, "b": -1.0}}) == -2.0


@pytest.mark.parametrize(
    ("protagonist", "antagonist", "regret", "flexible"),
    [(2.0, 5.0, 3.0, 3.0), (5.0, 2.0, -3.0, 3.0), (4.0, 4.0, 0.0, 0.0), (-1.0, 2.5, 3.5, 3.5)],
)
def test_regret_is_the_antagonists_lead_and_flexible_regret_the_better_ones(
    protagonist: float, antagonist: float, regret: float, flexible: float
) -> None:
    returns = {"protagonist": {"protagonist": protagonist}, "antagonist": {"it": antagonist}}
    assert Scenario(2, "regret").paid(returns) == regret
    assert Scenario(2, "flexible").paid(returns) == flexible


def test_teams_are_compared_by_the_sums_of_their_agents() -> None:
    returns = {
        "protagonist": {"protagonist/a": 1.0, "protagonist/b": 2.0},
        "antagonist": {"antagonist/a": 4.0, "antagonist/b": 0.5},
    }
    assert Scenario(2, "regret").paid(returns) == 1.5


def test_a_function_of_ones_own_gets_the_return_of_each_agent() -> None:
    returns = {"student": {"a": 1.0, "b": 7.0, "c": 3.0}}
    assert Scenario(1, gap).paid(returns) == 6.0
    assert Scenario(2, gap).paid({"protagonist": {"x": 1.0}, "antagonist": {"y": -1.0}}) == 2.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"teams": 3, "reward": gap}, "`teams` must be 1 or 2, but got 3"),
        ({"teams": 1, "reward": "regret"}, "`regret` takes 2 teams, but got teams=1"),
        ({"teams": 2, "reward": "minimax"}, "`minimax` takes 1 team, but got teams=2"),
        ({"teams": 2, "reward": "regrets"}, r"but got 'regrets' \(did you mean 'regret'\?\)"),
        ({"teams": 1, "reward": gap, "noise": -1}, "`noise >= 0` must hold, but got -1"),
        ({"teams": 1, "reward": gap, "recent": 0}, "`recent >= 1` must hold, but got 0"),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scenario(**fields)


def test_a_scenario_travels_to_workers() -> None:
    for scenario in (Scenario(2, "flexible", 4, 5), Scenario(1, gap)):
        assert pickle.loads(pickle.dumps(scenario)) == scenario
    assert pickle.loads(pickle.dumps(policy_of)) is policy_of


def test_one_team_has_the_envs_own_names_and_two_have_theirs_in_front() -> None:
    one, two = Scenario(1, "minimax"), Scenario(2, "regret")
    assert one.names == ("student",)
    assert [one.agent("student", each) for each in (None, "a")] == ["student", "a"]
    assert two.names == ("protagonist", "antagonist")
    assert [two.agent("antagonist", each) for each in (None, "a")] == [
        "antagonist",
        "antagonist/a",
    ]


def test_the_generator_and_each_team_have_a_policy_of_their_own() -> None:
    agents = ["generator", "student", "a", "protagonist", "protagonist/a", "antagonist/b"]
    assert [policy_of(agent, None) for agent in agents] == [
        "generator",
        "student",
        "student",
        "protagonist",
        "protagonist",
        "antagonist",
    ]
