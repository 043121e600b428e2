"""Every curriculum, over every space, gives legal distributions from its seed alone."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from distribution_catalogue import (
    CARTPOLE,
    DISTRIBUTIONS,
    MAZE,
    SPACES,
    distributions,
    seeds,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula import (
    Change,
    Curriculum,
    DomainRandomization,
    Evolving,
    Fixed,
    Progress,
    Widen,
)
from orchestrator.distributions import (
    Distribution,
    EnvSpace,
    Levels,
    Mixture,
    Product,
    distribution_from_json,
)
from orchestrator.knobs import Choice, Continuous, Range, Weights
from orchestrator.operators import OPERATORS
from orchestrator.seeding import generator

WIDEN = Widen(above=100.0, by=0.1, min_episodes=20)
CURRICULA: dict[str, Curriculum] = {
    "fixed": Fixed(),
    "domain-randomization": DomainRandomization(),
    "evolving": Evolving(),
    "evolving-widen": Evolving(widen=WIDEN),
    **{f"evolving-{name}": Evolving((name,), 0.3, WIDEN) for name in OPERATORS},
}
NOTHING = Progress()
ENOUGH = Progress(20, 100.0)

everyone = pytest.mark.parametrize("name", CURRICULA)
everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
every_present = pytest.mark.parametrize("present", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)

progresses = st.builds(
    Progress, st.integers(0, 50), st.none() | st.floats(-1e6, 1e6)
) | st.sampled_from([NOTHING, ENOUGH])


def assert_sound(change: Change, space: EnvSpace) -> None:
    """Legal, over the same space, movable as JSON, with a reason of one line."""
    assert change.distribution.space == space
    data = json.loads(json.dumps(change.distribution.to_json(), allow_nan=False))
    assert distribution_from_json(space, data) == change.distribution
    assert change.distribution.contains(change.distribution.sample(generator(0)))
    assert change.why
    assert "\n" not in change.why


# What holds for all


@everyone
@everywhere
def test_the_start_is_legal(name: str, space: EnvSpace) -> None:
    start = CURRICULA[name].start(space)
    assert_sound(Change(start, "start"), space)
    assert CURRICULA[name].start(space) == start


@everyone
@settings(max_examples=30)
@given(distributions(), seeds)
def test_at_an_exploit_the_distribution_is_legal(
    name: str, donors: Distribution, seed: int
) -> None:
    before = donors.to_json()
    change = CURRICULA[name].at_exploit(donors, generator(seed))
    assert_sound(change, donors.space)
    assert donors.to_json() == before
    assert CURRICULA[name].at_exploit(donors, generator(seed)) == change


@everyone
@settings(max_examples=30)
@given(distributions(), progresses)
def test_between_the_distribution_is_legal_and_another(
    name: str, present: Distribution, progress: Progress
) -> None:
    change = CURRICULA[name].between(present, progress)
    assert change == CURRICULA[name].between(present, progress)
    if change is not None:
        assert_sound(change, present.space)
        assert change.distribution != present


@everyone
@every_present
@pytest.mark.parametrize("progress", [NOTHING, ENOUGH, Progress(3, math.pi)])
def test_the_next_move_is_one_line(name: str, present: Distribution, progress: Progress) -> None:
    line = CURRICULA[name].next_move(present, progress)
    assert line
    assert line.isprintable()


@everyone
def test_a_curriculum_is_a_value(name: str) -> None:
    copy = pickle.loads(pickle.dumps(CURRICULA[name]))
    assert copy == CURRICULA[name]
    assert hash(copy) == hash(CURRICULA[name])


@everyone
@every_present
def test_widening_comes_to_an_end(name: str, present: Distribution) -> None:
    """Each step is a revision, so none may be for a rounding's sake."""
    steps = 0
    while (change := CURRICULA[name].between(present, ENOUGH)) is not None:
        present = change.distribution
        steps += 1
        assert steps < 60
    assert CURRICULA[name].next_move(present, ENOUGH) in {
        "fixed", "moves at exploits", "as wide as is legal"
    }  # fmt: skip


# Each its own


@everywhere
def test_fixed_is_the_start_for_everybody(space: EnvSpace) -> None:
    rule = Fixed()
    assert rule.start(space) == space.initial()
    assert not rule.draws_start
    assert rule.at_exploit(space.initial(), generator(0)) == Change(space.initial(), "fixed")
    assert rule.between(space.initial(), ENOUGH) is None


@everywhere
def test_domain_randomization_is_everything_from_the_start(space: EnvSpace) -> None:
    assert DomainRandomization().start(space) == space.full()
    assert not DomainRandomization().draws_start


@everywhere
def test_evolving_starts_where_the_knobs_say(space: EnvSpace) -> None:
    assert Evolving().start(space) == space.initial()
    assert Evolving().draws_start


def test_every_operator_is_drawn_and_named() -> None:
    names = {Evolving().at_exploit(MAZE.initial(), generator(n)).why for n in range(200)}
    assert names == set(OPERATORS)


def test_only_the_named_operators_are_drawn() -> None:
    rule = Evolving(("shift", "narrow"))
    names = {rule.at_exploit(MAZE.full(), generator(n)).why for n in range(50)}
    assert names == {"shift", "narrow"}


def test_the_operator_goes_as_far_as_the_amount() -> None:
    space = EnvSpace({"x": Continuous(0.0, 10.0)})
    donors = Product(space, {"x": Range(4.0, 6.0)})
    change = Evolving(("widen",), amount=0.2).at_exploit(donors, generator(0))
    assert change == Change(Product(space, {"x": Range(2.0, 8.0)}), "widen")


# Widening


@pytest.mark.parametrize(
    ("progress", "earned"),
    [
        (Progress(20, 100.0), True),
        (Progress(500, 1e9), True),
        (Progress(19, 100.0), False),
        (Progress(20, 99.9), False),
        (Progress(0, None), False),
        (Progress(20, None), False),
    ],
)
def test_widening_has_to_be_earned(progress: Progress, earned: bool) -> None:
    change = Evolving(widen=WIDEN).between(CARTPOLE.initial(), progress)
    assert (change is not None) is earned


def test_without_a_rule_nothing_widens() -> None:
    assert Evolving().between(CARTPOLE.initial(), ENOUGH) is None


def test_widening_moves_each_end_outward() -> None:
    space = EnvSpace({"x": Continuous(0.0, 10.0), "full": Continuous(0.0, 1.0)})
    present = Product(space, {"x": Range(0.5, 6.0), "full": Range(0.0, 1.0)})
    change = Evolving(widen=WIDEN).between(present, ENOUGH)
    assert change is not None
    assert change.distribution == Product(space, {"x": Range(0.0, 7.0), "full": Range(0.0, 1.0)})
    assert change.why == "widen: return 100 of 100 over 20 of 20 episodes"


@everywhere
def test_nothing_widens_beyond_everything(space: EnvSpace) -> None:
    assert Evolving(widen=WIDEN).between(space.full(), ENOUGH) is None


@pytest.mark.parametrize("count", range(1, 12))
def test_uniform_weights_are_as_wide_as_is_legal(count: int) -> None:
    """Smoothing them moves them by roundings, for ever."""
    space = EnvSpace({"x": Choice(tuple(range(count)))})
    full = space.full()
    assert Evolving(widen=WIDEN).between(full, ENOUGH) is None
    levels = Levels(space, tuple({"x": n} for n in range(count)), (1.0,) * count)
    assert Evolving(widen=WIDEN).between(levels, ENOUGH) is None


@pytest.mark.parametrize("by", [0.003, 0.1, 1.0])
def test_weights_far_from_uniform_still_widen(by: float) -> None:
    space = EnvSpace({"x": Choice(("a", "b"))})
    present = Product(space, {"x": Weights((0.9, 0.1))})
    change = Evolving(widen=Widen(100.0, by)).between(present, ENOUGH)
    assert change is not None


def test_a_mixture_is_as_wide_as_its_narrowest_part() -> None:
    narrow, wide = CARTPOLE.initial(), CARTPOLE.full()
    rule = Evolving(widen=WIDEN)
    assert rule.between(Mixture(((1, wide), (1, narrow))), ENOUGH) is not None
    assert rule.between(Mixture(((1, wide), (3, wide))), ENOUGH) is None


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (NOTHING, "widens at return – of 100 over 0 of 20 episodes"),
        (Progress(7, 41.25), "widens at return 41.2 of 100 over 7 of 20 episodes"),
    ],
)
def test_the_next_move_says_how_far_it_is(progress: Progress, line: str) -> None:
    assert Evolving(widen=WIDEN).next_move(CARTPOLE.initial(), progress) == line


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (Fixed(), "fixed"),
        (DomainRandomization(), "fixed"),
        (Evolving(), "moves at exploits"),
        (Evolving(widen=WIDEN), "as wide as is legal"),
    ],
)
def test_the_next_move_where_there_is_none(rule: Curriculum, line: str) -> None:
    assert rule.next_move(CARTPOLE.full(), ENOUGH) == line


# Refusals


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"by": 0.0}, "`0 < by <= 1` must hold, but got 0"),
        ({"by": 1.5}, "`0 < by <= 1` must hold, but got 1.5"),
        ({"min_episodes": 0}, "`min_episodes >= 1` must hold, but got 0"),
    ],
)
def test_a_rule_that_could_not_work_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Widen(above=1.0, **values)


@pytest.mark.parametrize("operators", [(), ("shfit",), ("shift", "grow")])
def test_operators_must_be_known(operators: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"`operators` must be one or more of .*'shift'"):
        Evolving(operators)


@pytest.mark.parametrize("amount", [-0.1, 1.1])
def test_an_amount_must_be_a_share(amount: float) -> None:
    with pytest.raises(ValueError, match="`0 <= amount <= 1` must hold, but got"):
        Evolving(amount=amount)
