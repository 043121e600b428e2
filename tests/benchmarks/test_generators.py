from __future__ import annotations

import numpy as np
import pytest

from benchmarks.curricula.generators import SIZE, Generator, Made, grow
from benchmarks.curricula.maze_students import LEARNING, MazeStudent
from experiments.envs.maze_grid import distance, legal

CELLS = SIZE * SIZE


def counts(walls: list[int], start: int, goal: int) -> Made:
    found = np.zeros((1, 3, CELLS), np.int64)
    for row, cells in enumerate((walls, [start], [goal])):
        np.add.at(found[0, row], cells, 1)
    return Made(found)


def log_likelihood(logits: np.ndarray, made: Made) -> np.ndarray:
    """Of each maze, without the constant."""
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    found: np.ndarray = (made.counts * logs).sum(axis=(1, 2))
    return found


def test_mazes_are_legal_levels() -> None:
    made = Generator.beginner().made(20, np.random.default_rng(0))
    for level in made.levels():
        legal(SIZE).check(level)


def test_a_goal_behind_walls_has_no_way() -> None:
    corner = CELLS - 1
    assert counts([corner - 1, corner - SIZE], 0, corner).ways() == [None]
    assert counts([corner - 1, corner - 1], 0, corner).ways() == [2 * (SIZE - 1)]


def test_the_policy_gradient_is_that_of_the_expected_reward() -> None:
    """Against differences of sum((r - mean r) log p), and of the entropy."""
    rng = np.random.default_rng(0)
    generator = Generator(rng.normal(size=(3, CELLS)))
    made = generator.made(8, rng)
    rewards = rng.normal(size=8)
    ahead = rewards - rewards.mean()

    def paid(logits: np.ndarray) -> float:
        return float((ahead * log_likelihood(logits, made)).mean())

    def entropy(logits: np.ndarray) -> float:
        shares = Generator(logits).shares
        draws = made.counts[0].sum(axis=1)
        return float(-(draws * (shares * np.log(shares)).sum(axis=1)).sum())

    step = generator.trained(made, rewards).logits - generator.logits
    alone = generator.trained(made, np.zeros(8)).logits - generator.logits
    for row in range(3):
        cell = int(made.counts[0, row].argmax())
        nudge = np.zeros((3, CELLS))
        nudge[row, cell] = 1e-5
        up, down = generator.logits + nudge, generator.logits - nudge
        slope = (paid(up) - paid(down)) / 2e-5
        bonus = (entropy(up) - entropy(down)) / 2e-5
        rate = alone[row, cell] / bonus
        assert rate > 0
        # The bonus has a rate of its own, a hundredth of the other.
        assert (step - alone)[row, cell] == pytest.approx(100 * rate * slope, rel=1e-4, abs=1e-6)


def test_a_generator_that_does_not_learn_draws_all_cells_alike() -> None:
    assert np.allclose(Generator.beginner().shares, 1 / CELLS)


def test_a_student_with_no_way_returns_nothing_and_learns_nothing() -> None:
    student = MazeStudent(budget=30)
    returns = student.played([None] * 100, np.random.default_rng(0))
    assert not returns.any()
    assert student.trained(returns) == student


def test_a_perfect_student_takes_the_shortest_way() -> None:
    returns = MazeStudent(budget=20, skill=1.0).played([10, 20, 21], np.random.default_rng(0))
    assert returns.tolist() == pytest.approx([1 - 0.9 * 10 / 20, 0.1, 0.0])


def test_wrong_moves_have_to_be_taken_back() -> None:
    # One right move needs (1 - q) / q = 1 wrong ones on average, each of which costs two.
    returns = MazeStudent(budget=10_000).played([10] * 5000, np.random.default_rng(0))
    assert ((1 - returns) / 0.9 * 10_000).mean() == pytest.approx(10 + 2 * 10, rel=0.03)


def test_each_success_takes_a_student_on() -> None:
    after = MazeStudent(budget=20).trained(np.array([0.5, 0.0, 0.2]))
    assert after.skill == pytest.approx(1 - 0.5 * (1 - LEARNING) ** 2)


def test_the_same_seed_grows_the_same_mazes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.curricula.generators._UPDATES", 5)
    assert grow("regret", 30, 1) == grow("regret", 30, 1)
    assert grow("regret", 30, 1) != grow("regret", 30, 2)


def test_ways_are_those_of_the_maze() -> None:
    made = Generator.beginner().made(5, np.random.default_rng(1))
    assert made.ways() == [distance(level, SIZE) for level in made.levels()]
