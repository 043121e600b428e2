from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from benchmarks.curricula.moving_optimum import DONE, SPACE, TOYS, Toy, best_difficulty
from benchmarks.curricula.simulated import lived
from orchestrator.curricula import DomainRandomization, Evolving
from orchestrator.distributions import Distribution
from orchestrator.exploit import Exploiter, NoExploit, Truncation
from orchestrator.explore import Perturb
from orchestrator.knobs import Range
from orchestrator.member_state import Rules
from orchestrator.stop import Stop


def test_the_best_difficulty_rises_to_the_middle_and_falls() -> None:
    skills = [0.0, 5.0, 50.0, 100.0, 150.0, 200.0]
    assert best_difficulty(skills).tolist() == pytest.approx([0.1, 0.1, 0.5, 1.0, 0.5, 0.1])


def test_the_skill_changes_by_hand() -> None:
    toy = Toy("as Ray's")
    # The best for 50 is 0.5. Right; half of it; four times too hard is not there, so 0.1 for b.
    assert toy.after(50.0, 0.5, 0.8) == pytest.approx(50.8)
    assert toy.after(50.0, 0.25, 0.8) == pytest.approx(50.4)
    # Five times too easy teaches nothing; five times too hard unlearns 0.8 (5 - 3).
    assert toy.after(50.0, 0.1, 0.8) == pytest.approx(50.0)
    assert toy.after(10.0, 0.5, 0.8) == pytest.approx(10.0 - 0.8 * 2)
    assert Toy("gentle", setback=0.0).after(10.0, 0.5, 0.8) == pytest.approx(10.0)


def test_the_skill_ends_at_done_and_never_falls_below_nothing() -> None:
    toy = Toy("as Ray's")
    assert toy.after(DONE - 0.1, 0.1, 0.9) == DONE
    assert toy.after(DONE, 1.0, 0.9) == DONE
    assert toy.after(0.0, 1.0, 0.9) == 0.0


def test_many_members_at_once_change_as_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    skill, level, luck = rng.random(50) * DONE, 0.1 + 0.9 * rng.random(50), rng.random(50)
    for toy in TOYS:
        together = toy.after(skill, level, luck).tolist()
        each = [float(toy.after(*one)) for one in zip(skill, level, luck, strict=True)]
        assert together == each


@dataclass(frozen=True)
class Counting:
    """Learns the upper end of its range at every iteration."""

    name: str = "counting"

    def beginner(self) -> float:
        return 0.0

    def trained(self, learnt: float, levels: Distribution, rng: np.random.Generator) -> float:
        del rng
        range_ = levels.marginals["difficulty"]  # type: ignore[attr-defined]
        assert isinstance(range_, Range)
        return learnt + range_.high

    def returns(self, learnt: float, rng: np.random.Generator) -> Sequence[float]:
        del rng
        return (learnt,)


def rules(exploit: Exploiter, **changes: Any) -> Rules:
    settings: dict[str, Any] = {
        "size": 4,
        "interval": 2,
        "mode": "sync",
        "space": SPACE,
        "search": {},
        "curriculum": Evolving(),
        "exploit": exploit,
        "explore": Perturb(),
        "stop": Stop(iterations=6),
    }
    return Rules(**{**settings, **changes})


def test_a_loser_goes_on_from_what_its_donor_has_learnt() -> None:
    history = lived(rules(Truncation()), Counting(), seed=0)
    apart = lived(rules(NoExploit()), Counting(), seed=0)
    assert len(history) == 7
    # They are alike until the first boundary, where the worst becomes a copy of the best.
    assert history[1] == apart[1]
    loser = int(np.argmin(apart[2]))
    assert history[2][loser] == max(apart[2])
    assert [each for m, each in enumerate(history[2]) if m != loser] == [
        each for m, each in enumerate(apart[2]) if m != loser
    ]


def test_on_the_full_range_all_members_learn_alike() -> None:
    history = lived(rules(Truncation(), curriculum=DomainRandomization()), Counting(), seed=0)
    assert history[-1] == [6.0] * 4
