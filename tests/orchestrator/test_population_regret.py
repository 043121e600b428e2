"""Towards levels on which another member does better, by hand and by property."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, EMPTY, FIXED, MAZE, SPACES, seeds
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.curricula.base import Outlook, Seen, Stand
from orchestrator.curricula.population_regret import PopulationRegret
from orchestrator.distributions import EnvSpace, Level, Mixture, Product, distribution_from_json
from orchestrator.knobs import Continuous, Range
from orchestrator.neighbourhood import neighbourhood
from orchestrator.seeding import generator

LINE = EnvSpace({"x": Continuous(0.0, 10.0)}, {"x": Range(1.0, 2.0)})
RULE = PopulationRegret(uniform=0.2, reach=0.1, parts=2)

everywhere = pytest.mark.parametrize(
    "space", [SPACES[name] for name in ("cartpole", "maze", "grid")], ids=["cart", "maze", "grid"]
)


def seen(*regrets: tuple[float, float]) -> Seen:
    """Pairs of x and regret."""
    return Seen(regrets=tuple(({"x": x}, regret) for x, regret in regrets))


def after(rule: PopulationRegret, stand: Stand, shown: Seen) -> Stand:
    """Where one boundary leads."""
    observed = rule.observe(stand, shown)
    move = rule.move(observed, generator(0))
    return observed if move is None else move.stand


def line(low: float, high: float) -> Product:
    return Product(LINE, {"x": Range(low, high)})


def test_the_highest_regrets_are_drawn_in_proportion() -> None:
    # Of 0.8 beside the uniform part 3/4 go to the regret of 30, 1/4 to that of 10.
    shown = seen((1.0, 10.0), (5.0, 2.0), (9.5, 30.0), (7.0, -50.0))
    moved = RULE.move(RULE.observe(RULE.begin(LINE), shown), generator(0))
    assert moved is not None
    expected = Mixture(((0.2, LINE.full()), (0.6, line(8.5, 10.0)), (0.2, line(0.0, 2.0))))
    assert isinstance(moved.stand.distribution, Mixture)
    assert [part for _, part in moved.stand.distribution.parts] == [p for _, p in expected.parts]
    weights = [weight for weight, _ in moved.stand.distribution.parts]
    assert weights == pytest.approx([0.2, 0.6, 0.2])
    assert moved.why == "regret 30 at most, on x 9.5"


def test_members_begin_where_the_knobs_say() -> None:
    assert RULE.begin(LINE) == Stand(LINE.initial())
    assert not RULE.draws_start
    assert RULE.owner == "driver"
    assert RULE.needs == {"regret"}


def test_nothing_moves_before_members_were_compared() -> None:
    stand = RULE.begin(LINE)
    assert RULE.observe(stand, Seen(episodes=50, mean_return=3.0, iteration=4)) == stand
    assert RULE.move(stand, generator(0)) is None
    assert RULE.outlook(stand) == Outlook("moves once members were compared")


@pytest.mark.parametrize("best", [0.0, -3.0])
def test_the_best_member_everywhere_stays(best: float) -> None:
    stand = after(RULE, RULE.begin(LINE), seen((9.5, 30.0)))
    observed = RULE.observe(stand, seen((1.0, best), (9.5, best)))
    assert RULE.move(observed, generator(0)) is None
    assert observed.distribution == stand.distribution
    assert RULE.outlook(observed) == Outlook("stays: best member on every level")


def test_where_regrets_keep_their_proportions_there_is_no_move() -> None:
    stand = after(RULE, RULE.begin(LINE), seen((9.5, 30.0), (1.0, 10.0)))
    assert RULE.move(RULE.observe(stand, seen((9.5, 60.0), (1.0, 20.0))), generator(0)) is None
    assert RULE.move(RULE.observe(stand, seen((9.5, 60.0), (1.0, 30.0))), generator(0)) is not None


def test_of_equal_regrets_the_first_levels_count() -> None:
    stand = after(RULE, RULE.begin(LINE), seen((3.0, 5.0), (4.0, 5.0), (5.0, 5.0)))
    assert [each["level"] for each in stand.state["regrets"]] == [{"x": 3.0}, {"x": 4.0}]


def test_the_outlook_names_the_highest_regret_and_its_level() -> None:
    rule = PopulationRegret()
    level = {"gravity": 18.0, "length": 0.3, "masspole": 0.1}
    stand = after(rule, rule.begin(CARTPOLE), Seen(regrets=((level, 31.234),)))
    text = "regret 31.2 at most, on gravity 18 · length 0.3 · masspole 0.1"
    assert rule.outlook(stand) == Outlook(text)


def test_a_loser_goes_on_as_its_donor_stands() -> None:
    donor = after(RULE, RULE.begin(LINE), seen((9.5, 30.0)))
    assert RULE.copied(donor, generator(0)).stand == donor


@pytest.mark.parametrize(("uniform", "edge"), [(0.0, False), (0.5, True)])
def test_the_uniform_part_reaches_what_no_level_is_like(uniform: float, edge: bool) -> None:
    rule = replace(RULE, uniform=uniform)
    stand = after(rule, rule.begin(LINE), seen((9.5, 30.0)))
    assert stand.distribution.contains({"x": 0.5}) is edge


def test_levels_of_high_regret_are_drawn_most() -> None:
    stand = after(RULE, RULE.begin(LINE), seen((9.0, 30.0), (1.0, 10.0), (5.0, 0.1)))
    rng = generator("draws")
    drawn = [stand.distribution.sample(rng)["x"] for _ in range(2000)]
    # 60 % around 9, and a fifth of the uniform 20 %.
    assert 0.60 < sum(x >= 8.0 for x in drawn) / 2000 < 0.68
    assert 0.20 < sum(x <= 2.0 for x in drawn) / 2000 < 0.28


@everywhere
@given(seed=seeds, regrets=st.lists(st.floats(-10, 1e300), min_size=1, max_size=12))
def test_moves_are_legal_and_hold_the_levels_that_count(
    space: EnvSpace, seed: int, regrets: list[float]
) -> None:
    rng = generator(seed)
    suite: list[tuple[Level, float]] = [(space.full().sample(rng), each) for each in regrets]
    rule = PopulationRegret(parts=4)
    observed = rule.observe(rule.begin(space), Seen(regrets=tuple(suite)))
    move = rule.move(observed, generator(0))
    assert (move is not None) == (max(regrets) > 0.0)
    if move is None:
        return
    data = json.loads(json.dumps([move.stand.distribution.to_json(), move.stand.state]))
    assert distribution_from_json(space, data[0]) == move.stand.distribution
    assert data[1] == move.stand.state
    highest = sorted(suite, key=lambda pair: -pair[1])[:4]
    for level, regret in highest:
        assert regret <= 0.0 or move.stand.distribution.contains(level)
    space.check(move.stand.distribution.sample(rng))
    # Once there, the same regrets are no reason to move again.
    assert rule.move(rule.observe(move.stand, Seen(regrets=tuple(suite))), generator(1)) is None


def test_all_of_the_uniform_share_is_domain_randomization() -> None:
    rule = replace(RULE, uniform=1.0)
    stand = after(rule, rule.begin(LINE), seen((9.5, 30.0)))
    assert isinstance(stand.distribution, Mixture)
    assert stand.distribution.parts[0] == (1.0, LINE.full())


def test_what_a_level_is_like_is_its_neighbourhood() -> None:
    level = MAZE.full().sample(generator(3))
    rule = PopulationRegret(reach=0.05)
    stand = after(rule, rule.begin(MAZE), Seen(regrets=((level, 1.0),)))
    assert isinstance(stand.distribution, Mixture)
    assert stand.distribution.parts[1][1] == neighbourhood(MAZE, level, 0.05)


@pytest.mark.parametrize("space", [EMPTY, FIXED])
def test_a_space_without_choice_is_refused(space: EnvSpace) -> None:
    with pytest.raises(ValueError, match="must have a knob that can vary, but got the knobs"):
        RULE.begin(space)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"uniform": -0.1}, "`0 <= uniform <= 1` must hold, but got -0.1"),
        ({"uniform": 1.1}, "`0 <= uniform <= 1` must hold, but got 1.1"),
        ({"reach": 0.0}, "`0 < reach <= 1` must hold, but got 0.0"),
        ({"reach": 2.0}, "`0 < reach <= 1` must hold, but got 2.0"),
        ({"parts": 0}, "`parts >= 1` must hold, but got 0"),
    ],
)
def test_a_rule_that_could_not_work_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PopulationRegret(**values)
