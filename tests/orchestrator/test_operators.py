"""Every operator, on every kind of distribution, gives a legal one of the same kind."""

from __future__ import annotations

import json
import math

import pytest
from distribution_catalogue import (
    CARTPOLE,
    DISTRIBUTIONS,
    EMPTY,
    FIXED,
    MAZE,
    MUTABLE,
    amounts,
    integer_knobs,
    knobs,
    marginals,
    mutable_distributions,
    seeds,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.distributions import (
    Distribution,
    EnvSpace,
    Levels,
    Mixture,
    Product,
    distribution_from_json,
)
from orchestrator.knobs import (
    Blend,
    Cells,
    Choice,
    Continuous,
    Integer,
    Knob,
    Marginal,
    Range,
    Simplex,
    Weights,
)
from orchestrator.operators import OPERATORS, narrow, resample, reweight, shift, widen
from orchestrator.seeding import generator

operators = pytest.mark.parametrize("operator", OPERATORS)
everyone = pytest.mark.parametrize("name", MUTABLE)
some = st.floats(0.01, 1)


def one(knob: Knob, marginal: Marginal) -> Product:
    """A product of one knob, ``x``."""
    return Product(EnvSpace({"x": knob}), {"x": marginal})


def only(distribution: Distribution) -> Marginal:
    """The marginal of a product of one knob."""
    assert isinstance(distribution, Product)
    return distribution.marginals["x"]


def ends(distribution: Distribution) -> tuple[float, float]:
    """The range of a product of one knob."""
    marginal = only(distribution)
    assert isinstance(marginal, Range)
    return marginal.low, marginal.high


def assert_legal(marginal: Marginal, knob: Knob) -> None:
    """Inside the legal range, in the knob's type, ordered, finite, normalised."""
    assert knob.check(marginal) == marginal
    match marginal:
        case Range(low, high):
            assert low <= high
            assert math.isfinite(low)
            assert math.isfinite(high)
            kind = int if isinstance(knob, Integer | Cells) else float
            assert type(low) is kind
            assert type(high) is kind
        case Weights(weights):
            assert min(weights) >= 0
            assert math.fsum(weights) == pytest.approx(1, abs=1e-12)
        case Blend(center, spread):
            assert min(center) >= 0
            assert math.fsum(center) == pytest.approx(1, abs=1e-12)
            assert 0 <= spread <= 1


def parts_of(distribution: Distribution) -> list[Product]:
    """The products that a distribution is made of."""
    match distribution:
        case Product():
            return [distribution]
        case Mixture(parts):
            return [product for _, part in parts for product in parts_of(part)]
    return []


def buffers_of(distribution: Distribution) -> list[Levels]:
    """The buffers that a distribution is made of."""
    match distribution:
        case Levels():
            return [distribution]
        case Mixture(parts):
            return [buffer for _, part in parts for buffer in buffers_of(part)]
    return []


def covers(knob: Knob, outer: Marginal, inner: Marginal) -> bool:
    """Whether `outer` draws all that `inner` draws."""
    match outer, inner:
        case Range(low, high), Range(inner_low, inner_high):
            return low <= inner_low <= inner_high <= high
        case Weights(weights), Weights(inner_weights):
            return all(
                weight > 0 or inner_weight == 0
                for weight, inner_weight in zip(weights, inner_weights, strict=True)
            )
        case Blend(center, spread), Blend(inner_center, inner_spread):
            return all(
                (1 - spread) * weight <= (1 - inner_spread) * inner_weight + 1e-12
                for weight, inner_weight in zip(center, inner_center, strict=True)
            )
    raise AssertionError(f"{outer} and {inner} of {knob} are of different kinds")


def check_result(old: Distribution, new: Distribution, seed: int) -> None:
    """What holds for the result of every operator."""
    assert type(new) is type(old)
    assert new.space == old.space
    assert distribution_from_json(old.space, json.loads(json.dumps(new.to_json()))) == new
    for product in parts_of(new):
        for name, knob in new.space.knobs.items():
            assert_legal(product.marginals[name], knob)
    if isinstance(new, Mixture):
        assert math.fsum(weight for weight, _ in new.parts) == pytest.approx(1, abs=1e-12)
    for buffer in buffers_of(new):
        assert math.fsum(buffer.weights) == pytest.approx(1, abs=1e-12)
    level = new.sample(generator(seed))
    new.space.check(level)
    assert new.contains(level)


@operators
@everyone
def test_catalogue_stays_legal_and_as_it_was(operator: str, name: str) -> None:
    old = MUTABLE[name]
    before = json.dumps(old.to_json())
    for seed in range(20):
        check_result(old, OPERATORS[operator](old, generator(seed)), seed)
    assert json.dumps(old.to_json()) == before


@operators
@given(old=mutable_distributions(), seed=seeds, amount=amounts)
def test_any_distribution_stays_legal(
    operator: str, old: Distribution, seed: int, amount: float
) -> None:
    check_result(old, OPERATORS[operator](old, generator(seed), amount), seed)


@operators
@everyone
def test_the_generator_decides(operator: str, name: str) -> None:
    old = MUTABLE[name]
    results = [OPERATORS[operator](old, generator("same")) for _ in range(2)]
    assert results[0] == results[1]


@operators
@pytest.mark.parametrize("amount", [-0.1, 1.1, math.nan, math.inf, True, "0.1"])
def test_amounts_are_shares(operator: str, amount: float) -> None:
    with pytest.raises(ValueError, match="amount"):
        OPERATORS[operator](CARTPOLE.full(), generator(0), amount)


@pytest.mark.parametrize("operator", ["shift", "widen", "narrow", "reweight"])
@everyone
def test_nothing_changes_by_an_amount_of_zero(operator: str, name: str) -> None:
    old = MUTABLE[name]
    assert OPERATORS[operator](old, generator(0), 0) == old


@operators
@pytest.mark.parametrize("name", ["gaussian", "mixture-with-gaussian"])
def test_a_distribution_of_another_kind_is_refused(operator: str, name: str) -> None:
    with pytest.raises(TypeError, match="must be a Product, Mixture or Levels, but got Gaussian"):
        OPERATORS[operator](DISTRIBUTIONS[name], generator(0))


@given(old=mutable_distributions(), seed=seeds, amount=amounts)
def test_widen_contains_the_old(old: Distribution, seed: int, amount: float) -> None:
    new = widen(old, generator(seed), amount)
    for wide, before in zip(parts_of(new), parts_of(old), strict=True):
        for name, knob in old.space.knobs.items():
            assert covers(knob, wide.marginals[name], before.marginals[name])
    rng = generator(seed)
    assert all(new.contains(old.sample(rng)) for _ in range(5))


@given(old=mutable_distributions(), seed=seeds, amount=amounts)
def test_narrow_is_contained_in_the_old(old: Distribution, seed: int, amount: float) -> None:
    new = narrow(old, generator(seed), amount)
    for tight, before in zip(parts_of(new), parts_of(old), strict=True):
        for name, knob in old.space.knobs.items():
            assert covers(knob, before.marginals[name], tight.marginals[name])
    rng = generator(seed)
    assert all(old.contains(new.sample(rng)) for _ in range(5))


@everyone
def test_widening_again_and_again_reaches_all_of_the_legal_range(name: str) -> None:
    new = MUTABLE[name]
    for step in range(11):
        new = widen(new, generator(step), 0.1)
    for product in parts_of(new):
        for knob, marginal in product.marginals.items():
            full = new.space.full().marginals[knob]
            if isinstance(marginal, Range):
                assert marginal == full
            if isinstance(marginal, Blend):
                assert marginal.spread == 1


@everyone
def test_narrowing_again_and_again_reaches_a_point(name: str) -> None:
    new = MUTABLE[name]
    for step in range(11):
        new = narrow(new, generator(step), 0.1)
    for product in parts_of(new):
        for marginal in product.marginals.values():
            if isinstance(marginal, Range):
                assert marginal.low == marginal.high
            if isinstance(marginal, Blend):
                assert marginal.spread == 0


@pytest.mark.parametrize("point", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    "knob",
    [Continuous(2, 4), Continuous(0.1, 10, "log"), Integer(1, 9), Integer(1, 99, "log")],
)
def test_points_widen_wherever_they_are(knob: Continuous | Integer, point: float) -> None:
    value = knob.from_unit(point)
    wide = only(widen(one(knob, Range(value, value)), generator(0), 0.01))
    assert isinstance(wide, Range)
    assert wide.low < wide.high
    assert wide.low <= value <= wide.high


@given(st.data(), integer_knobs, some, seeds)
def test_integer_ranges_really_widen(
    data: st.DataObject, knob: Integer, amount: float, seed: int
) -> None:
    old = data.draw(marginals(knob))
    new = only(widen(one(knob, old), generator(seed), amount))
    assert isinstance(old, Range)
    assert isinstance(new, Range)
    assert new.low < old.low or old.low == knob.low
    assert new.high > old.high or old.high == knob.high


@given(st.data(), integer_knobs, some, seeds)
def test_integer_ranges_really_shift(
    data: st.DataObject, knob: Integer, amount: float, seed: int
) -> None:
    old = data.draw(marginals(knob))
    assert isinstance(old, Range)
    assume(old != knob.full())
    new = only(shift(one(knob, old), generator(seed), amount))
    assert isinstance(new, Range)
    assert new != old
    if knob.scale == "linear":
        assert new.high - new.low == old.high - old.low
        assert abs(new.low - old.low) <= max(1, amount * (knob.high - knob.low) + 0.5)


@given(st.data(), knobs, amounts, seeds)
def test_shifts_repeat_without_leaving_the_legal_range(
    data: st.DataObject, knob: Knob, amount: float, seed: int
) -> None:
    distribution: Distribution = one(knob, data.draw(marginals(knob)))
    rng = generator(seed)
    for _ in range(10):
        distribution = shift(distribution, rng, amount)
        assert_legal(only(distribution), knob)


def test_a_range_shifts_by_the_amount_and_keeps_its_width() -> None:
    seen = set()
    for seed in range(20):
        new = only(shift(one(Continuous(0, 10), Range(4, 6)), generator(seed), 0.1))
        assert isinstance(new, Range)
        seen.add((round(new.low, 9), round(new.high, 9)))
    assert seen == {(3, 5), (5, 7)}


def test_a_range_stops_at_the_bound_and_turns_there() -> None:
    knob = Continuous(0, 10)
    near = {only(shift(one(knob, Range(8.5, 9.5)), generator(s), 0.2)) for s in range(20)}
    assert Range(9.0, 10.0) in near
    at_end = {only(shift(one(knob, Range(9.0, 10.0)), generator(s), 0.2)) for s in range(20)}
    assert at_end == {Range(7.0, 8.0)}


def test_a_log_range_shifts_in_log_space() -> None:
    knob = Continuous(1, 10_000, "log")
    for seed in range(10):
        new = only(shift(one(knob, Range(10, 100)), generator(seed), 0.25))
        assert isinstance(new, Range)
        assert new.high / new.low == pytest.approx(10)
        assert new.low == pytest.approx(1) or new.low == pytest.approx(100)


def test_a_range_widens_and_narrows_in_unit_space() -> None:
    linear = one(Continuous(0, 10), Range(4, 6))
    rng = generator(0)
    assert ends(widen(linear, rng, 0.1)) == pytest.approx((3, 7))
    assert ends(narrow(linear, rng, 0.05)) == pytest.approx((4.5, 5.5))
    assert ends(narrow(linear, rng, 0.5)) == (5, 5)
    log = one(Continuous(1, 100, "log"), Range(10, 10))
    assert ends(widen(log, rng, 0.25)) == pytest.approx((10**0.5, 10**1.5))


def test_shift_moves_one_or_more_of_those_that_have_room() -> None:
    counts = set()
    start = Product(
        CARTPOLE, {**CARTPOLE.full().marginals, "length": Range(1, 1), "masspole": Range(0.1, 0.2)}
    )
    for seed in range(40):
        new = shift(start, generator(seed), 0.05)
        assert isinstance(new, Product)
        moved = {name for name in CARTPOLE.names if new.marginals[name] != start.marginals[name]}
        assert moved <= {"length", "masspole"}
        counts.add(len(moved))
    assert counts == {1, 2}
    assert shift(FIXED.full(), generator(0)) == FIXED.full()


def test_weights_shift_to_a_neighbour() -> None:
    knob = Choice(("a", "b", "c"))
    seen = {only(shift(one(knob, Weights((0, 1, 0))), generator(seed), 0.25)) for seed in range(20)}
    assert seen == {Weights((0.25, 0.75, 0)), Weights((0, 0.75, 0.25))}
    ends = {only(shift(one(knob, Weights((0, 0, 1))), generator(s), 0.25)) for s in range(20)}
    assert ends == {Weights((0, 0.25, 0.75))}
    alone = one(Choice(("a",)), Weights((1,)))
    assert shift(alone, generator(0)) == alone


def test_weights_widen_to_uniform_and_narrow_to_the_largest() -> None:
    old = one(Choice(("a", "b")), Weights((0.8, 0.2)))
    rng = generator(0)
    assert only(widen(old, rng, 0.5)) == Weights((0.65, 0.35))
    assert only(widen(old, rng, 1)) == Weights((0.5, 0.5))
    assert only(narrow(old, rng, 1)) == Weights((1, 0))
    sharper = only(narrow(old, rng, 0.5))
    assert isinstance(sharper, Weights)
    assert sharper.weights == pytest.approx((0.9, 0.1))
    even = one(Choice(("a", "b")), Weights((1, 1)))
    assert {only(narrow(even, generator(s), 1)) for s in range(20)} == {
        Weights((1, 0)),
        Weights((0, 1)),
    }


def test_blends_shift_their_center_and_widen_their_spread() -> None:
    old = one(Simplex(("a", "b")), Blend((1, 0), 0.5))
    rng = generator(0)
    assert only(shift(old, rng, 0.25)) == Blend((0.75, 0.25), 0.5)
    assert only(widen(old, rng, 0.25)) == Blend((1, 0), 0.75)
    assert only(narrow(old, rng, 0.25)) == Blend((1, 0), 0.25)


@given(old=mutable_distributions(), seed=seeds, amount=amounts)
def test_reweight_changes_weights_alone(old: Distribution, seed: int, amount: float) -> None:
    new = reweight(old, generator(seed), amount)
    for after, before in zip(parts_of(new), parts_of(old), strict=True):
        for name, marginal in before.marginals.items():
            if not isinstance(marginal, Weights):
                assert after.marginals[name] == marginal
    for changed, buffer in zip(buffers_of(new), buffers_of(old), strict=True):
        assert changed.levels == buffer.levels


def test_reweight_stays_within_its_factors() -> None:
    old = one(Choice((1, 2)), Weights((1, 1)))
    shares = []
    for seed in range(200):
        new = only(reweight(old, generator(seed), 0.2))
        assert isinstance(new, Weights)
        shares.append(new.weights[0] / new.weights[1])
    assert 1 / 1.44 <= min(shares) < 0.8
    assert 1.25 < max(shares) <= 1.44


def test_reweight_changes_mixtures_and_buffers() -> None:
    for name in ("mixture", "levels"):
        assert reweight(MUTABLE[name], generator(0)) != MUTABLE[name]
    assert reweight(CARTPOLE.full(), generator(0)) == CARTPOLE.full()


@everyone
def test_resample_forgets_the_old(name: str) -> None:
    old = MUTABLE[name]
    if isinstance(old, Product):
        assert resample(old, generator(0)) == resample(old.space.full(), generator(0))
    if old.space not in (EMPTY, FIXED):
        assert len({resample(old, generator(seed)) for seed in range(5)}) == 5


def test_resample_keeps_the_size_of_a_buffer() -> None:
    old = MUTABLE["levels"]
    new = resample(old, generator(0))
    assert isinstance(old, Levels)
    assert isinstance(new, Levels)
    assert len(new.levels) == len(old.levels)
    assert len(set(new.weights)) == 1


def test_a_buffer_shifts_one_knob_in_every_level() -> None:
    space = EnvSpace({"x": Continuous(0, 10), "n": Integer(0, 100)})
    old = Levels(space, ({"x": 2, "n": 50}, {"x": 5, "n": 99}), (1, 3))
    changed = set()
    for seed in range(40):
        new = shift(old, generator(seed), 0.1)
        assert isinstance(new, Levels)
        assert new.weights == old.weights
        xs, ns = ([level[name] for level in new.levels] for name in ("x", "n"))
        assert (xs == [2, 5]) != (ns == [50, 99])
        changed.add((*(round(x, 9) for x in xs), *ns))
    assert changed == {(1, 4, 50, 99), (3, 6, 50, 99), (2, 5, 40, 89), (2, 5, 60, 100)}


def test_a_buffer_at_the_bound_turns() -> None:
    space = EnvSpace({"x": Continuous(0, 10)})
    old = Levels(space, ({"x": 10}, {"x": 10}), (1, 1))
    for seed in range(10):
        new = shift(old, generator(seed), 0.1)
        assert isinstance(new, Levels)
        assert [level["x"] for level in new.levels] == [9, 9]


def test_a_buffer_without_numbers_has_nothing_to_shift() -> None:
    space = EnvSpace({"c": Choice((1, 2)), "fixed": Continuous(1, 1)})
    old = Levels(space, ({"c": 1, "fixed": 1},), (1,))
    assert shift(old, generator(0)) == old


def test_a_buffer_widens_to_uniform_and_narrows_to_the_likeliest() -> None:
    space = EnvSpace({"n": Integer(0, 3)})
    old = Levels(space, ({"n": 0}, {"n": 1}), (1, 3))
    wide, tight = widen(old, generator(0), 1), narrow(old, generator(0), 1)
    assert isinstance(wide, Levels)
    assert isinstance(tight, Levels)
    assert wide.weights == (0.5, 0.5)
    assert tight.weights == (0.0, 1.0)


def test_mixtures_mutate_each_part_by_its_own_kind() -> None:
    buffer = MUTABLE["levels"]
    old = Mixture(((1, MAZE.initial()), (3, buffer)))
    new = widen(old, generator(0), 0.1)
    assert isinstance(new, Mixture)
    assert new.parts == (
        (0.25, widen(MAZE.initial(), generator(0), 0.1)),
        (0.75, widen(buffer, generator(0), 0.1)),
    )
