from __future__ import annotations

import re

import pytest

from experiments.arms import ARM_NAME
from experiments.grids import MAX_ARMS, value_text
from experiments.loading import Loaded, dump, parse_experiment
from experiments.problems import BadInput

HEAD = """\
envolve: 1
name: grids
env: {id: CartPole, knobs: {gravity: {low: 5.0, high: 20.0}}}
stop: {iterations: 8}
"""


def load(text: str) -> Loaded:
    return parse_experiment(HEAD + text, "f.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_grid_makes_one_arm_per_value() -> None:
    loaded = load("algorithm: {training: {lr: {grid: [1e-3, 1e-4]}}}")
    assert [*loaded.arms] == ["lr=0.001", "lr=0.0001"]
    assert [arm.algorithm.training["lr"] for arm in loaded.arms.values()] == [1e-3, 1e-4]


def test_grids_multiply_in_the_order_of_the_file() -> None:
    loaded = load("algorithm: {training: {lr: {grid: [1, 2]}}}\npopulation: {size: {grid: [4, 8]}}")
    assert [*loaded.arms] == ["lr=1,size=4", "lr=1,size=8", "lr=2,size=4", "lr=2,size=8"]
    assert [arm.population.size for arm in loaded.arms.values()] == [4, 8, 4, 8]


def test_keys_of_the_same_name_are_told_apart() -> None:
    loaded = load(
        "algorithm: {training: {x: {grid: [1, 2]}}, learners: {x: {grid: [3, 4]}}}\n"
        "population: {size: {grid: [5, 6]}}"
    )
    assert next(iter(loaded.arms)) == "training.x=1,learners.x=3,size=5"


def test_grids_multiply_with_arms() -> None:
    loaded = load(
        "arms: {one: {population: {size: {grid: [2, 3]}}}, two: {}}\n"
        "algorithm: {training: {lr: {grid: [1, 2]}}}"
    )
    assert [*loaded.arms] == [
        "one,lr=1,size=2", "one,lr=1,size=3", "one,lr=2,size=2", "one,lr=2,size=3",
        "two,lr=1", "two,lr=2",
    ]  # fmt: skip


def test_a_whole_section_may_be_a_grid() -> None:
    loaded = load("curriculum: {grid: [{kind: fixed}, {kind: population, amount: 0.2}]}")
    assert [*loaded.arms] == ["curriculum=fixed", "curriculum=population"]
    assert [arm.curriculum.kind for arm in loaded.arms.values()] == ["fixed", "population"]


def test_a_kind_may_be_a_grid_and_keeps_the_other_keys() -> None:
    loaded = load("population: {initial: {kind: {grid: [optuna]}, sampler: tpe}}")
    assert loaded.arms["main"].population.initial.model_dump() == {
        "kind": "optuna", "sampler": "tpe",
    }  # fmt: skip


def test_a_grid_of_one_value_adds_nothing_to_the_name() -> None:
    assert [*load("population: {size: {grid: [2]}}").arms] == ["main"]


def test_a_config_that_really_is_a_grid() -> None:
    loaded = load("algorithm: {training: {map: {grid: [{grid: [1, 2]}]}}}")
    assert loaded.arms["main"].algorithm.training == {"map": {"grid": [1, 2]}}
    again = parse_experiment(dump(loaded.resolved()), "r.yaml")
    assert again.arms == loaded.arms


def test_a_grid_with_other_keys_beside_it_is_data() -> None:
    loaded = load("algorithm: {training: {map: {grid: [1, 2], size: 2}}}")
    assert loaded.arms["main"].algorithm.training["map"] == {"grid": [1, 2], "size": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.001, "0.001"),
        (1e-05, "1e-05"),
        (1e20, "1e20"),
        (-3, "-3"),
        (True, "true"),
        (None, "null"),
        ("a b/c:d", "a-b-c-d"),
        ("..", "value"),
        ([64, 64], "64-64"),
        ([], "empty"),
        ({"kind": "none", "x": 1}, "none"),
        ({"a": 1, "b": [2]}, "a-1-b-2"),
        ("x" * 99, "x" * 40),
    ],
)
def test_values_as_parts_of_names(value: object, text: str) -> None:
    assert value_text(value) == text


def test_names_are_distinct_and_safe_as_folders() -> None:
    loaded = load(
        "algorithm: {training: {'_ä/x': {grid: [a/b, 'a:b', A-B, 'é', '', [1], 1, 1.0]}}}"
    )
    names = [*loaded.arms]
    assert len({name.lower() for name in names}) == 8
    assert all(re.match(ARM_NAME, name) for name in names)


def test_long_names_stay_within_bounds_and_distinct() -> None:
    keys = ", ".join(f"{'k' * 30}{n}: {{grid: [{'x' * 50}, {'y' * 50}]}}" for n in range(4))
    loaded = load(f"algorithm: {{training: {{{keys}}}}}")
    assert len(loaded.arms) == 16
    assert all(re.match(ARM_NAME, name) for name in loaded.arms)


def test_an_empty_grid_is_a_problem() -> None:
    (said,) = problems("population: {size: {grid: []}}")
    assert said.startswith("f.yaml:5:14: population.size: must hold at least one value")


def test_too_many_arms_are_a_problem() -> None:
    values = list(range(40))
    (said,) = problems(f"algorithm: {{training: {{a: {{grid: {values}}}, b: {{grid: {values}}}}}}}")
    assert f"at most {MAX_ARMS} arms" in said
    assert "got 1600" in said


@pytest.mark.parametrize(
    "text",
    ["seeds: {grid: [[0], [1]]}", "evaluation: {levels: {grid: [4, 8]}}"],
)
def test_what_arms_share_cannot_be_a_grid(text: str) -> None:
    (said,) = problems(text)
    assert "a grid" in said
    assert said.startswith("f.yaml:5:")


def test_a_legal_range_cannot_be_a_grid_but_a_start_can() -> None:
    text = HEAD.replace("high: 20.0", "high: {grid: [20.0, 30.0]}")
    with pytest.raises(BadInput, match="same in all arms"):
        parse_experiment(text, "f.yaml")
    start = "start: {grid: [{low: 6, high: 7}, {low: 8, high: 9}]}"
    loaded = parse_experiment(HEAD.replace("high: 20.0", f"high: 20.0, {start}"), "f.yaml")
    assert [*loaded.arms] == ["start=low-6-high-7", "start=low-8-high-9"]


def test_a_bad_value_in_a_grid_is_placed_at_that_value() -> None:
    (said,) = problems("population:\n  size: {grid: [2, four, 8]}")
    assert said.startswith("f.yaml:6:20: population.size.grid[1]: must be a whole number")
    assert said.endswith('but got "four"')
