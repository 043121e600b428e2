from __future__ import annotations

import math
from typing import Any

import distribution_catalogue  # noqa: F401
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.curricula import duels
from benchmarks.curricula.challenges import CHALLENGES, SPACE, Challenge
from benchmarks.curricula.skills import CELLS, beside, numbers, spread
from benchmarks.curricula.students import LEARNING, NOISE, Student, success_rate
from orchestrator import seeding
from orchestrator.curricula import DomainRandomization, Outcome

SEEDS = st.integers(0, 2**32 - 1)


def challenge(name: str, seed: int = 0) -> Challenge:
    return CHALLENGES[name](np.random.default_rng(seed))


def level_in(row: int, column: int) -> dict[str, float]:
    """The middle of a cell, where skills are the knobs themselves."""
    return {"x": (row + 0.5) / CELLS, "y": (column + 0.5) / CELLS}


def episode(level: dict[str, float], total: float = 0.0) -> Outcome:
    return Outcome(level, total, 1)


def practised(student: Student, times: int, *levels: dict[str, float]) -> Student:
    for _ in range(times):
        student = student.trained([episode(level) for level in levels])
    return student


def test_a_student_learns_what_it_practises_within_reach() -> None:
    before = Student.beginner(challenge("plain"))
    after = practised(before, 50, level_in(0, 1))
    assert after.competence[0, 1] > 0.5 > before.competence[0, 1]


def test_practice_raises_a_cell_by_hand() -> None:
    # The start is mastered, so the cell beside it is wholly within reach: z = 1, and k = 1.
    after = practised(Student.beginner(challenge("plain")), 1, level_in(0, 1))
    assert after.competence[0, 1] == pytest.approx(1 - math.exp(-LEARNING))
    # One cell further on, k = exp(-1 / 2).
    felt = math.exp(-0.5)
    assert after.competence[0, 2] == pytest.approx(1 - math.exp(-LEARNING * felt))


def test_levels_out_of_reach_teach_nothing() -> None:
    before = Student.beginner(challenge("plain"))
    after = practised(before, 50, level_in(0, 2), level_in(9, 9))
    assert np.array_equal(after.competence, before.competence)


@given(SEEDS)
def test_what_is_infeasible_is_never_learnt_and_never_solved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    student = Student.beginner(challenge("infeasible"))
    for _ in range(5):
        levels = [SPACE.full().sample(rng) for _ in range(50)]
        student = student.trained(student.played(levels, rng, trained=True))
    never = ~student.challenge.feasible
    assert not student.competence[never].any()
    cells = student.challenge.cells(levels)
    hopeless = never.ravel()[cells]
    outcomes = student.played(levels, rng, trained=True)
    assert not any(each.total for each, lost in zip(outcomes, hopeless, strict=True) if lost)


@given(st.sampled_from(sorted(CHALLENGES)), SEEDS)
def test_competence_stays_between_what_it_was_at_first_and_one(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    student = Student.beginner(CHALLENGES[name](rng))
    first = student.competence
    for _ in range(5):
        levels = [SPACE.full().sample(rng) for _ in range(50)]
        student = student.trained(student.played(levels, rng, trained=True))
    assert (student.competence >= first - 1e-12).all()
    assert (student.competence <= 1).all()


def test_half_of_what_is_not_practised_is_forgotten_in_a_thousand_episodes() -> None:
    hard = challenge("forgetful")
    able = np.zeros((CELLS, CELLS))
    able[9, 9] = 0.8
    student = Student(hard, able, np.zeros_like(able))
    # Out of reach, so that nothing is practised.
    after = student.trained([episode(level_in(5, 5)) for _ in range(1000)])
    assert after.competence[9, 9] == pytest.approx(0.4)


def test_success_is_as_likely_as_the_docstring_says() -> None:
    rates = success_rate(np.array([0.0, 0.25, 0.4, 0.5, 0.75, 1.0]))
    assert rates.tolist() == pytest.approx([0.0, 0.0, 0.3, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("competence", [0.0, 0.1, 0.4, 0.75, 0.9, 1.0])
def test_returns_are_competence_on_average_and_succeed_as_often_as_they_should(
    competence: float,
) -> None:
    field = np.full((CELLS, CELLS), competence)
    student = Student(challenge("open"), field, np.zeros_like(field))
    rng = np.random.default_rng(0)
    outcomes = student.played([level_in(4, 4)] * 4000, rng, trained=True)
    totals = [each.total for each in outcomes]
    assert 0 <= min(totals) <= max(totals) <= 1
    assert np.mean(totals) == pytest.approx(competence, abs=0.01)
    rate = success_rate(np.array(competence)).item()
    assert np.mean([bool(each.success) for each in outcomes]) == pytest.approx(rate, abs=0.03)


def test_on_the_noisy_challenge_hopeless_levels_return_by_chance_but_never_succeed() -> None:
    student = Student.beginner(challenge("noisy"))
    outcomes = student.played([level_in(9, 9)] * 500, np.random.default_rng(0), trained=True)
    assert max(each.total for each in outcomes) == pytest.approx(NOISE, abs=0.01)
    assert not any(each.success for each in outcomes)


def test_scores_are_those_of_an_episode_of_one_step() -> None:
    able, expected = np.full((CELLS, CELLS), 0.5), np.full((CELLS, CELLS), 0.4)
    student = Student(challenge("open"), able, expected)
    for each in student.played([level_in(1, 1)] * 20, np.random.default_rng(0), trained=False):
        off = each.total - 0.4
        assert each.scores == {
            "l1": pytest.approx(abs(off)),
            "pvl": pytest.approx(max(off, 0.0)),
            "value": 0.4,
        }
        assert not each.trained


def test_the_expected_return_comes_to_what_is_returned() -> None:
    student = Student.beginner(challenge("plain"))
    for _ in range(200):
        student = student.trained([episode(level_in(9, 9), total=0.7)])
    assert student.expected[9, 9] == pytest.approx(0.7)


def test_rollouts_without_gradient_leave_the_student_as_it_is() -> None:
    student = Student.beginner(challenge("plain"))
    before = student.competence.copy(), student.expected.copy()
    student.played([level_in(0, 1)] * 50, np.random.default_rng(0), trained=False)
    assert np.array_equal(student.competence, before[0])
    assert np.array_equal(student.expected, before[1])


def test_neighbours_are_the_eight_around_a_cell() -> None:
    field = np.zeros((4, 4))
    field[1, 1] = 1.0
    expected = np.zeros((4, 4))
    expected[:3, :3] = 1.0
    assert np.array_equal(beside(field), expected)


def test_amounts_spread_by_distance() -> None:
    field = np.zeros((CELLS, CELLS))
    field[3, 3] = 2.0
    felt = spread(field)
    assert felt[3, 3] == pytest.approx(2.0)
    assert felt[4, 5] == pytest.approx(2 * math.exp(-5 / 2))


@pytest.mark.parametrize("name", sorted(CHALLENGES))
@pytest.mark.parametrize("seed", [0, 1])
def test_members_start_where_the_student_can_do_something(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    student = Student.beginner(CHALLENGES[name](rng))
    cells = student.challenge.cells([SPACE.initial().sample(rng) for _ in range(50)])
    # The folded knob takes the start range through three cells, the first of which is mastered.
    assert (student.returns(cells) >= 0.5).mean() > (0.2 if name == "folded" else 0.9)


@given(SEEDS)
def test_blocks_that_change_places_ask_for_every_skill_once(seed: int) -> None:
    rugged = challenge("rugged", seed)
    middles = (np.arange(CELLS) + 0.5) / CELLS
    places = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1).reshape(-1, 2)
    cells = numbers(rugged.asks(places))
    assert sorted(cells.tolist()) == list(range(CELLS * CELLS))


def test_the_folded_knob_rises_falls_and_rises() -> None:
    xs = np.array([0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 1.0])
    asked = challenge("folded").asks(np.column_stack([xs, np.full(6, 0.3)]))
    assert asked[:, 0].tolist() == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0, 1.0])
    assert set(asked[:, 1]) == {0.3}


def test_a_fifth_of_the_infeasible_challenge_is_feasible() -> None:
    assert challenge("infeasible").feasible.mean() == pytest.approx(0.2, abs=0.02)


def test_held_out_levels_are_feasible() -> None:
    hard = challenge("infeasible")
    cells = hard.test(np.random.default_rng(0))
    assert len(cells) == 400
    assert hard.feasible.ravel()[cells].all()


class Counted(Student):
    """Counts the episodes that it plays."""

    spent: dict[bool, int]

    def played(self, levels: Any, rng: Any, *, trained: bool, revision: int = 0) -> list[Outcome]:
        self.spent[trained] = self.spent.get(trained, 0) + len(levels)
        return super().played(levels, rng, trained=trained, revision=revision)


@pytest.mark.parametrize("name", ["stages", "plr", "plr_robust", "accel", "sfl"])
def test_every_curriculum_gets_as_many_episodes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duels, "Student", Counted)
    monkeypatch.setattr(Counted, "spent", {}, raising=False)
    duels.student("plain", duels.CURRICULA[name], 0)
    probed, trained = Counted.spent.get(False, 0), Counted.spent[True]
    assert duels.EPISODES <= probed + trained < duels.EPISODES + duels.BATCH
    assert (probed > 0) == (name in ("plr_robust", "accel", "sfl"))


def test_the_same_seed_gives_the_same_student() -> None:
    one, other = (duels.student("rugged", DomainRandomization(), 3) for _ in range(2))
    assert np.array_equal(one.competence, other.competence)
    another = duels.student("rugged", DomainRandomization(), 4)
    assert not np.array_equal(one.competence, another.competence)


def test_challenges_of_a_seed_are_named_by_it() -> None:
    streams = [seeding.generator("challenge", "rugged", seed) for seed in (0, 0, 1)]
    places = np.array([[0.5, 0.5], [0.9, 0.3], [0.3, 0.9]])
    first, again, other = (CHALLENGES["rugged"](each).asks(places) for each in streams)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
