"""Suites in a user's file: levels, or how many to draw; every mistake at once, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.problems import BadInput
from experiments.suite_file import read_suite
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Choice, Continuous, Integer

SPACE = EnvSpace(
    {
        "gravity": Continuous(5.0, 20.0),
        "poles": Integer(1, 3),
        "ground": Choice(("ice", "sand")),
    }
)
LEVEL = "{gravity: 9.8, poles: 1, ground: ice}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "suite.yaml"


def problems(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(BadInput) as bad:
        read_suite(file, SPACE)
    return [line.removeprefix(str(file)) for line in str(bad.value).splitlines()]


def test_levels_are_read_in_order_each_with_its_own_seed(file: Path) -> None:
    file.write_text(f"- {LEVEL}\n- {{gravity: 6, poles: 3, ground: sand}}\n")
    first, second = read_suite(file, SPACE)
    assert first.level == {"gravity": 9.8, "ground": "ice", "poles": 1}
    assert second.level == {"gravity": 6.0, "ground": "sand", "poles": 3}
    assert isinstance(second.level["gravity"], float)
    assert (first.index, second.index) == (0, 1)
    assert first.seed != second.seed
    assert read_suite(file, SPACE) == (first, second)


def test_json_is_yaml_and_a_seed_may_stand_beside(file: Path) -> None:
    level = '{"gravity": 9.8, "poles": 1, "ground": "ice"}'
    file.write_text(f'{{"levels": [{level}], "seed": 3}}')
    (seeded,) = read_suite(file, SPACE)
    file.write_text(f"[{level}]")
    (plain,) = read_suite(file, SPACE)
    assert seeded.level == plain.level
    assert seeded.seed != plain.seed


def test_levels_can_be_drawn(file: Path) -> None:
    file.write_text("levels: 5\nseed: 1\n")
    five = read_suite(file, SPACE)
    for play in five:
        SPACE.check(play.level)
    file.write_text("levels: 8\nseed: 1\n")
    assert read_suite(file, SPACE)[:5] == five
    file.write_text("levels: 5\n")
    assert read_suite(file, SPACE) != five


def test_all_problems_at_once_with_their_lines(file: Path) -> None:
    text = f"- {LEVEL}\n- {{gravity: 99, poles: 1, ground: ice}}\n- {{gravitty: 9.8, poles: 1}}\n"
    second, third = problems(file, text)
    assert second.startswith(":2:3: [1]: must be a level of the experiment's knobs")
    assert "gravity" in second
    assert third.startswith(":3:3: [2]: must be a level")
    assert "'ground' is missing" in third
    assert "gravitty" in third


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a list of levels, or {levels: 16, seed: 0}"),
        ("[]", "must be a list of levels"),
        ("12", "must be a list of levels"),
        ("levels: 0", "levels: must be from 1 to 10000, but got 0"),
        ("levels: 99999", "levels: must be from 1 to 10000"),
        ("levels: true", "levels: must be a list of levels"),
        ("levels: 4\nseed: -1", "seed: must be a whole number from 0, but got -1"),
        ("levels: 4\nsed: 1", "sed: must be levels or seed"),
        ("seed: 1", "must be a list of levels"),
        ("- 3", "must be a level of the experiment's knobs"),
        ("levels: 4\nlevels: 5", "must be given once"),
    ],
)
def test_what_is_no_suite_is_refused(file: Path, text: str, said: str) -> None:
    (problem,) = problems(file, text)
    assert said in problem


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(BadInput, match="must be an existing file"):
        read_suite(file, SPACE)
