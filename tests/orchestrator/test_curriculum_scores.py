"""What a level's episodes say of how much there is to learn from it, worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.curricula import Outcome
from orchestrator.curricula.level_scores import RULES, Memory

every_rule = pytest.mark.parametrize("name", RULES)


def episode(total: float = 0.0, success: bool | None = None, **scores: float) -> Outcome:
    return Outcome({}, total, 1, success, scores)


def scored(rule: str, *outcomes: Outcome, before: Memory = ()) -> float | None:
    return RULES[rule].score(RULES[rule].remembered(before, outcomes), outcomes)


@pytest.mark.parametrize("rule", ["l1", "pvl"])
def test_scores_of_the_advantages_are_averaged_over_episodes(rule: str) -> None:
    episodes = [episode(**{rule: value}) for value in (1.0, 2.0, 6.0)]
    assert scored(rule, *episodes) == 3.0


def test_each_rule_takes_its_own_number() -> None:
    one = episode(10.0, l1=1.0, pvl=2.0, value=4.0)
    assert scored("l1", one) == 1.0
    assert scored("pvl", one) == 2.0
    assert scored("maxmc", one) == 6.0


def test_maxmc_is_the_highest_return_less_the_mean_value() -> None:
    assert scored("maxmc", episode(5.0, value=1.0), episode(3.0, value=2.0)) == 5.0 - 1.5


def test_maxmc_remembers_the_highest_return_ever() -> None:
    assert scored("maxmc", episode(3.0, value=2.0), before=(8.0,)) == 6.0
    assert scored("maxmc", episode(9.0, value=2.0), before=(8.0,)) == 7.0


@pytest.mark.parametrize(
    ("successes", "tries", "score"), [(0, 4, 0.0), (1, 4, 3 / 16), (2, 4, 1 / 4), (4, 4, 0.0)]
)
def test_learnability_is_highest_halfway(successes: int, tries: int, score: float) -> None:
    episodes = [episode(success=number < successes) for number in range(tries)]
    assert scored("learnability", *episodes) == score


def test_learnability_counts_earlier_episodes_too() -> None:
    assert scored("learnability", episode(success=True), before=(0, 3)) == 3 / 16


def test_episodes_that_do_not_say_whether_they_succeeded_are_left_out() -> None:
    episodes = [episode(success=True), episode(), episode(success=False)]
    assert RULES["learnability"].remembered((), episodes) == (1, 2)
    assert scored("learnability", *episodes) == 1 / 4


@every_rule
def test_without_its_numbers_a_level_has_no_score(name: str) -> None:
    assert scored(name, episode(3.0, other=1.0)) is None


@pytest.mark.parametrize("rule", ["l1", "pvl", "maxmc"])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_left_out(rule: str, broken: float) -> None:
    key = "value" if rule == "maxmc" else rule
    assert scored(rule, episode(**{key: broken})) is None
    mixed: list[Any] = [episode(**{key: broken}), episode(**{key: 2.0})]
    assert scored(rule, *mixed) == (-2.0 if rule == "maxmc" else 2.0)


def test_each_rule_says_what_it_needs() -> None:
    assert {name: rule.need for name, rule in RULES.items()} == {
        "l1": "values", "pvl": "values", "maxmc": "values", "learnability": "success"
    }  # fmt: skip


@every_rule
@given(st.lists(st.booleans(), min_size=1), st.lists(st.booleans(), min_size=1))
def test_a_memory_is_the_same_in_one_go_or_in_two(
    name: str, one: list[bool], other: list[bool]
) -> None:
    rule = RULES[name]
    first = [episode(float(place), success) for place, success in enumerate(one)]
    second = [episode(-float(place), success) for place, success in enumerate(other)]
    both = rule.remembered((), [*first, *second])
    assert rule.remembered(rule.remembered((), first), second) == both


@given(st.lists(st.booleans(), min_size=1))
def test_learnability_is_at_most_a_quarter(successes: list[bool]) -> None:
    score = scored("learnability", *(episode(success=each) for each in successes))
    assert score is not None
    assert 0 <= score <= 1 / 4
