"""What an iteration comes to, and the curricula whose distributions stay or mutate at exploits."""

from __future__ import annotations

from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, MAZE, MUTABLE, SPACES, mutable_distributions, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula.base import Curriculum, Move, Outcome, Outlook, Seen, Stand
from orchestrator.curricula.evolving import Evolving, Widen
from orchestrator.curricula.fixed import DomainRandomization, Fixed
from orchestrator.curricula.tally import Tally
from orchestrator.distributions import Distribution, EnvSpace, Levels, Mixture, Product
from orchestrator.knobs import Choice, Continuous, Range, Weights
from orchestrator.operators import OPERATORS
from orchestrator.seeding import generator

WIDEN = Widen(above=100.0, by=0.1, min_episodes=20)
WIDENS = Evolving(widen=WIDEN)
NOTHING = Seen()
ENOUGH = Seen(episodes=20, mean_return=100.0)

everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
every_present = pytest.mark.parametrize("present", MUTABLE.values(), ids=MUTABLE)


def after(rule: Curriculum, present: Distribution, *seen: Seen) -> Move | None:
    """What a member does that has seen this on its present distribution."""
    stand = Stand(present)
    for each in seen:
        stand = rule.observe(stand, each)
    return rule.move(stand, generator(0))


def outlook(rule: Curriculum, present: Distribution, *seen: Seen) -> Outlook:
    stand = Stand(present)
    for each in seen:
        stand = rule.observe(stand, each)
    return rule.outlook(stand)


# What an iteration showed


def test_only_what_was_trained_on_the_present_revision_counts() -> None:
    outcomes = (
        Outcome({}, 10.0, 5, success=True, revision=2),
        Outcome({}, 20.0, 5, success=False, revision=2),
        Outcome({}, 30.0, 5, success=None, revision=2),
        Outcome({}, 100.0, 5, success=True, revision=1),
        Outcome({}, 100.0, 5, success=True, revision=2, trained=False),
    )
    seen = Seen.of(outcomes, 2, iteration=7, env_steps=900, score=1.5)
    assert seen == Seen(3, 20.0, 0.5, 7, 900, 1.5, outcomes)


def test_without_episodes_there_are_no_means() -> None:
    assert Seen.of((), 0, iteration=1, env_steps=9) == Seen(0, None, None, 1, 9)


# Tallies


def test_a_tally_weighs_means_by_their_episodes() -> None:
    assert Tally().plus(1, 10.0).plus(3, 30.0) == Tally(4, 25.0)


@pytest.mark.parametrize(("episodes", "mean"), [(0, None), (0, 5.0), (5, None)])
def test_a_tally_leaves_out_what_has_no_mean(episodes: int, mean: float | None) -> None:
    assert Tally(4, 25.0).plus(episodes, mean) == Tally(4, 25.0)


def test_a_tally_survives_json() -> None:
    assert Tally.from_json(Tally(4, 25.0).to_json()) == Tally(4, 25.0)
    assert Tally.from_json({}) == Tally()


# Those that stay


@everywhere
def test_fixed_is_the_start_for_everybody(space: EnvSpace) -> None:
    assert Fixed().begin(space) == Stand(space.initial())
    assert not Fixed().draws_start
    assert after(Fixed(), space.initial(), ENOUGH) is None
    stand = Stand(space.initial())
    assert Fixed().copied(stand, generator(0)) == Move(stand, "as it is")


@everywhere
def test_domain_randomization_is_everything_from_the_start(space: EnvSpace) -> None:
    assert DomainRandomization().begin(space) == Stand(space.full())
    assert not DomainRandomization().draws_start


# Exploits


@everywhere
def test_evolving_starts_where_the_knobs_say(space: EnvSpace) -> None:
    assert Evolving().begin(space) == Stand(space.initial())
    assert Evolving().draws_start


@settings(max_examples=60)
@given(mutable_distributions(), seeds, st.sampled_from(list(OPERATORS)))
def test_a_copy_is_mutated_by_an_operator(donors: Distribution, seed: int, name: str) -> None:
    before = donors.to_json()
    move = Evolving((name,), amount=0.3).copied(Stand(donors), generator(seed))
    assert move.why == name
    assert move.stand.distribution.space == donors.space
    assert move.stand.distribution.contains(move.stand.distribution.sample(generator(0)))
    assert donors.to_json() == before


def test_a_copy_begins_to_count_anew() -> None:
    donor = WIDENS.observe(Stand(CARTPOLE.initial()), ENOUGH)
    copied = WIDENS.copied(donor, generator(0)).stand
    assert Tally.from_json(copied.state) == Tally()


def test_every_operator_is_drawn_and_named() -> None:
    donor = Stand(MAZE.initial())
    names = {Evolving().copied(donor, generator(n)).why for n in range(200)}
    assert names == set(OPERATORS)


def test_only_the_named_operators_are_drawn() -> None:
    rule, donor = Evolving(("shift", "narrow")), Stand(MAZE.full())
    assert {rule.copied(donor, generator(n)).why for n in range(50)} == {"shift", "narrow"}


def test_the_operator_goes_as_far_as_the_amount() -> None:
    space = EnvSpace({"x": Continuous(0.0, 10.0)})
    donor = Stand(Product(space, {"x": Range(4.0, 6.0)}))
    move = Evolving(("widen",), amount=0.2).copied(donor, generator(0))
    assert move == Move(Stand(Product(space, {"x": Range(2.0, 8.0)})), "widen")


# Widening


@pytest.mark.parametrize(
    ("seen", "earned"),
    [
        ([Seen(20, 100.0)], True),
        ([Seen(500, 1e9)], True),
        ([Seen(10, 90.0), Seen(), Seen(10, 110.0)], True),
        ([Seen(19, 100.0)], False),
        ([Seen(20, 99.9)], False),
        ([Seen(10, 90.0), Seen(10, 109.0)], False),
        ([Seen()], False),
    ],
)
def test_widening_has_to_be_earned(seen: list[Seen], earned: bool) -> None:
    assert (after(WIDENS, CARTPOLE.initial(), *seen) is not None) is earned


def test_without_a_rule_nothing_widens() -> None:
    assert after(Evolving(), CARTPOLE.initial(), ENOUGH) is None


def test_widening_moves_each_end_outward() -> None:
    space = EnvSpace({"x": Continuous(0.0, 10.0), "full": Continuous(0.0, 1.0)})
    present = Product(space, {"x": Range(0.5, 6.0), "full": Range(0.0, 1.0)})
    assert after(WIDENS, present, ENOUGH) == Move(
        Stand(Product(space, {"x": Range(0.0, 7.0), "full": Range(0.0, 1.0)})),
        "widen: return 100 of 100 over 20 of 20 episodes",
    )


@every_present
def test_widening_comes_to_an_end(present: Distribution) -> None:
    """Each step is a revision, so none may be for a rounding's sake."""
    steps = 0
    while (move := after(WIDENS, present, ENOUGH)) is not None:
        assert move.stand.distribution != present
        present = move.stand.distribution
        steps += 1
        assert steps < 60
    assert outlook(WIDENS, present, ENOUGH) == Outlook("as wide as is legal")


@everywhere
def test_nothing_widens_beyond_everything(space: EnvSpace) -> None:
    assert after(WIDENS, space.full(), ENOUGH) is None


@pytest.mark.parametrize("count", range(1, 12))
def test_uniform_weights_are_as_wide_as_is_legal(count: int) -> None:
    """Smoothing them moves them by roundings, for ever."""
    space = EnvSpace({"x": Choice(tuple(range(count)))})
    assert after(WIDENS, space.full(), ENOUGH) is None
    levels = Levels(space, tuple({"x": n} for n in range(count)), (1.0,) * count)
    assert after(WIDENS, levels, ENOUGH) is None


@pytest.mark.parametrize("by", [0.003, 0.1, 1.0])
def test_weights_far_from_uniform_still_widen(by: float) -> None:
    space = EnvSpace({"x": Choice(("a", "b"))})
    present = Product(space, {"x": Weights((0.9, 0.1))})
    assert after(Evolving(widen=Widen(100.0, by)), present, ENOUGH) is not None


def test_a_mixture_is_as_wide_as_its_narrowest_part() -> None:
    narrow, wide = CARTPOLE.initial(), CARTPOLE.full()
    assert after(WIDENS, Mixture(((1, wide), (1, narrow))), ENOUGH) is not None
    assert after(WIDENS, Mixture(((1, wide), (3, wide))), ENOUGH) is None


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (NOTHING, "widens at return – of 100 over 0 of 20 episodes"),
        (Seen(7, 41.25), "widens at return 41.2 of 100 over 7 of 20 episodes"),
    ],
)
def test_the_outlook_says_how_far_the_next_move_is(seen: Seen, line: str) -> None:
    assert outlook(WIDENS, CARTPOLE.initial(), seen) == Outlook(line, waits=True)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (Fixed(), "fixed"),
        (DomainRandomization(), "fixed"),
        (Evolving(), "moves at exploits"),
        (WIDENS, "as wide as is legal"),
    ],
)
def test_where_no_move_can_be_earned_nothing_waits(rule: Curriculum, line: str) -> None:
    assert outlook(rule, CARTPOLE.full(), ENOUGH) == Outlook(line)


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
