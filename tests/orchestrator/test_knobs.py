"""Knobs of every kind, and the marginals that they are drawn by."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from collections.abc import Callable

import pytest
from distribution_catalogue import (
    amounts,
    choice_knobs,
    integer_knobs,
    knobs,
    legal_values,
    marginals,
    numeric_knobs,
    seeds,
    simplex_knobs,
)
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.knobs import (
    Blend,
    Cells,
    Choice,
    Continuous,
    Integer,
    Knob,
    Numeric,
    Range,
    Simplex,
    Weights,
    knob_from_json,
)
from orchestrator.seeding import generator

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Continuous, [2, 1], r"`low <= high` must hold, but got low=2.0, high=1.0"),
        (Continuous, [0, 1, "log"], r"`low > 0` must hold on a log scale, but got low=0.0"),
        (Continuous, [NAN, 1], r"`low` must be a finite number, but got nan"),
        (Continuous, [0, INF], r"`high` must be a finite number, but got inf"),
        (Continuous, [0, 10**400], r"`high` must be a finite number"),
        (Continuous, [-1.7e308, 1.7e308], r"`high - low` must be finite"),
        (Continuous, [False, 1], r"`low` must be a finite number, but got False"),
        (Continuous, ["1", 2], r"`low` must be a finite number, but got '1'"),
        (Continuous, [1, 2, "ln"], r"`scale` must be 'linear' or 'log', but got 'ln'"),
        (Integer, [2, 1], r"`low <= high` must hold, but got low=2, high=1"),
        (Integer, [1, 2.5], r"`high` must be a whole number, but got 2.5"),
        (Integer, [1, 2.0], r"`high` must be a whole number, but got 2.0"),
        (Integer, [1, True], r"`high` must be a finite number, but got True"),
        (Integer, [0, 4, "log"], r"`low > 0` must hold on a log scale"),
        (Integer, [0, 2**41], r"must stay within ±1099511627776"),
        (Choice, [()], r"`values` must have at least one entry"),
        (Choice, [(1, 2, 1)], r"`values` must be unique, but 1 is there more than once"),
        (Choice, [(NAN,)], r"must be a finite number or another JSON value, but got nan"),
        (Choice, [({"a": 1},)], r"must be a JSON scalar or a list of them"),
        (Choice, [([{"a": 1}],)], r"must be a JSON scalar or a list of them"),
        (Choice, [(object(),)], r"another JSON value"),
        (Choice, ["abc"], r"`values` must be a list, but got 'abc'"),
        (Simplex, [("one",)], r"`terms` must have at least 2 names, but got \['one'\]"),
        (Simplex, [("a", "a")], r"`terms` must be unique, but 'a'"),
        (Simplex, [("a", "")], r"printable, non-empty string"),
        (Simplex, [("a", "b\n")], r"printable, non-empty string"),
        (Simplex, ["ab"], r"`terms` must be a list of names, but got 'ab'"),
        (Range, [2, 1], r"`low <= high` must hold, but got low=2, high=1"),
        (Range, [NAN, 1], r"`low` must be a finite number"),
        (Range, [True, 1], r"`low` must be a finite number, but got True"),
        (Weights, [()], r"at least one of `weights` must be above zero, but got \[\]"),
        (Weights, [(0, 0)], r"at least one of `weights` must be above zero"),
        (Weights, [(1, -1)], r"`weights\[1\] >= 0` must hold, but got -1.0"),
        (Weights, [(1, NAN)], r"`weights\[1\]` must be a finite number"),
        (Weights, [1], r"`weights` must be a list of weights, but got 1"),
        (Blend, [(1, 1), 1.5], r"`0 <= spread <= 1` must hold, but got spread=1.5"),
        (Blend, [(1, 1), NAN], r"`spread` must be a finite number"),
        (Blend, [(0, 0), 0.5], r"at least one of `center` must be above zero"),
    ],
)
def test_invalid_values_are_refused(
    kind: Callable[..., object], arguments: list[object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(*arguments)


@given(knobs)
def test_knobs_survive_json_and_pickle(knob: Knob) -> None:
    again = knob_from_json(json.loads(json.dumps(knob.to_json())))
    assert again == knob
    assert type(again) is type(knob)
    assert again.to_json() == knob.to_json()
    assert hash(again) == hash(knob)
    assert pickle.loads(pickle.dumps(knob)) == knob


@given(st.data(), knobs)
def test_marginals_survive_json(data: st.DataObject, knob: Knob) -> None:
    marginal = data.draw(marginals(knob))
    text = json.dumps(knob.marginal_to_json(marginal), allow_nan=False)
    assert knob.marginal_from_json(json.loads(text)) == marginal


@given(st.data(), knobs, seeds)
def test_samples_are_legal_and_within(data: st.DataObject, knob: Knob, seed: int) -> None:
    marginal = data.draw(marginals(knob))
    rng = generator(seed)
    for _ in range(5):
        value = knob.sample(marginal, rng)
        assert knob.legal(value)
        assert knob.within(marginal, value)
        assert knob.within(knob.full(), value)
        assert knob.cast(value) == value
        assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(st.data(), knobs)
def test_fit_is_idempotent(data: st.DataObject, knob: Knob) -> None:
    marginal = data.draw(marginals(knob))
    assert knob.fit(marginal) == marginal
    assert knob.check(marginal) == marginal
    assert knob.fit(knob.full()) == knob.full()


@given(numeric_knobs, st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_fit_clips_and_casts_any_range(knob: Numeric, one: float, other: float) -> None:
    fitted = knob.fit(Range(min(one, other), max(one, other)))
    assert knob.legal(fitted.low)
    assert knob.legal(fitted.high)
    assert fitted.low <= fitted.high
    assert knob.fit(fitted) == fitted


def test_fit_rounds_an_integer_range_to_the_nearest() -> None:
    fitted = Integer(0, 10).fit(Range(1.4, 99.5))
    assert fitted == Range(1, 10)
    assert isinstance(fitted.low, int)
    assert isinstance(fitted.high, int)


def test_continuous_bounds_and_ranges_become_floats() -> None:
    knob = Continuous(1, 3)
    assert [type(each) for each in (knob.low, knob.fit(Range(1, 2)).low)] == [float, float]


@given(st.data(), integer_knobs)
def test_unit_space_of_integers_is_exact(data: st.DataObject, knob: Integer) -> None:
    value = data.draw(st.integers(knob.low, knob.high))
    assert knob.from_unit(knob.to_unit(value)) == value


@given(st.data(), numeric_knobs, amounts)
def test_unit_space_stays_inside(data: st.DataObject, knob: Numeric, unit: float) -> None:
    assert knob.legal(knob.from_unit(unit))
    assert 0 <= knob.to_unit(data.draw(legal_values(knob))) <= 1
    assert knob.from_unit(0) == knob.from_unit(-1) == knob.low
    assert knob.from_unit(1) == knob.from_unit(2) == knob.high


def test_unit_space_follows_the_scale() -> None:
    assert Continuous(0, 10).from_unit(0.25) == 2.5
    assert Continuous(0, 10).to_unit(2.5) == 0.25
    assert Continuous(1, 100, "log").from_unit(0.5) == pytest.approx(10)
    assert Continuous(1, 100, "log").to_unit(10) == pytest.approx(0.5)
    assert Integer(1, 100, "log").from_unit(0.5) == 10
    assert Integer(0, 10).from_unit(0.26) == 3


def test_unit_space_refuses_what_is_not_legal() -> None:
    with pytest.raises(ValueError, match=r"must be from 0.0 to 10.0, but got 11.0"):
        Continuous(0, 10).to_unit(11)
    with pytest.raises(ValueError, match="`unit` must be a finite number"):
        Continuous(0, 10).from_unit(NAN)


@given(st.data(), integer_knobs, st.floats(1e-6, 1), st.booleans())
def test_an_integer_moves_by_at_least_one(
    data: st.DataObject, knob: Integer, amount: float, up: bool
) -> None:
    value = data.draw(st.integers(knob.low, knob.high))
    moved = knob.moved(value, amount if up else -amount)
    if value == (knob.high if up else knob.low):
        assert moved == value
    else:
        assert moved > value if up else moved < value
    assert knob.legal(moved)


@pytest.mark.parametrize("knob", [Integer(1, 4), Integer(1, 4, "log")])
def test_integers_are_drawn_in_their_shares(knob: Integer) -> None:
    rng = generator("shares", knob.scale)
    count = 20_000
    drawn = Counter(knob.sample(knob.full(), rng) for _ in range(count))
    if knob.scale == "linear":
        shares = [0.25] * 4
    else:
        width = math.log(4.5 / 0.5)
        shares = [math.log((k + 0.5) / (k - 0.5)) / width for k in range(1, 5)]
    assert [drawn[k] / count for k in range(1, 5)] == pytest.approx(shares, abs=0.02)


def test_continuous_draws_are_uniform_on_their_scale() -> None:
    rng = generator("uniform")
    for knob in (Continuous(2, 8), Continuous(0.01, 100, "log")):
        units = [knob.to_unit(knob.sample(knob.full(), rng)) for _ in range(20_000)]
        quarters = Counter(int(unit * 4) for unit in units)
        assert [quarters[i] / len(units) for i in range(4)] == pytest.approx([0.25] * 4, abs=0.02)


def test_choices_are_drawn_by_their_weights_and_never_at_zero() -> None:
    knob = Choice(("never", "often", "seldom", "never again"))
    rng = generator("choices")
    drawn = Counter(knob.sample(Weights((0, 3, 1, 0)), rng) for _ in range(20_000))
    assert set(drawn) == {"often", "seldom"}
    assert drawn["often"] / 20_000 == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("position", [0.0, 0.1, 0.5, 1 - 2**-53])
def test_no_position_has_an_entry_of_weight_zero(position: float) -> None:
    weights = Weights((0,) + (0.1,) * 10 + (0,))
    assert weights.weights[weights.index(position)] > 0


def test_types_of_choices_count() -> None:
    knob = Choice((True, 1, 1.0, "1", [1], None))
    assert knob.legal(True)
    assert knob.legal((1,))
    assert not knob.legal([1.0])
    assert not knob.legal(False)
    assert not Choice((1,)).legal(True)
    assert Choice((1,)) != Choice((True,))
    assert Choice((1,)) != Choice((1.0,))
    only_true = Weights((1, 0, 0, 0, 0, 0))
    assert knob.within(only_true, True)
    assert not knob.within(only_true, 1)
    assert knob.sample(only_true, generator(0)) is True


def test_lists_among_choices_are_drawn_as_new_lists() -> None:
    given_list = [1, [2, 3]]
    knob = Choice((given_list, "x"))
    given_list.append(4)
    drawn = knob.sample(Weights((1, 0)), generator(0))
    assert drawn == [1, [2, 3]]
    drawn[1].append(5)
    assert knob.sample(Weights((1, 0)), generator(0)) == [1, [2, 3]]


@given(choice_knobs)
def test_every_choice_is_legal(knob: Choice) -> None:
    assert all(knob.legal(value) for value in knob.values)


@given(st.data(), simplex_knobs, seeds)
def test_simplex_values_sum_to_one(data: st.DataObject, knob: Simplex, seed: int) -> None:
    value = knob.sample(data.draw(marginals(knob)), generator(seed))
    assert tuple(value) == knob.terms
    assert min(value.values()) >= 0
    assert math.fsum(value.values()) == pytest.approx(1, abs=1e-12)


def test_a_blend_without_spread_is_its_center() -> None:
    knob = Simplex(("a", "b"))
    assert knob.sample(Blend((3, 1), 0), generator(0)) == {"a": 0.75, "b": 0.25}


def test_a_blend_keeps_its_distance() -> None:
    knob, blend = Simplex(("a", "b")), Blend((1, 0), 0.5)
    assert knob.within(blend, {"a": 0.5, "b": 0.5})
    assert not knob.within(blend, {"a": 0.4, "b": 0.6})
    assert knob.within(knob.full(), {"a": 0.0, "b": 1.0})


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        (Continuous(0, 1), 1.01),
        (Continuous(0, 1), True),
        (Continuous(0, 1), NAN),
        (Continuous(0, 1), "0.5"),
        (Continuous(0, 1), None),
        (Integer(0, 3), 4),
        (Integer(0, 3), 1.0),
        (Integer(0, 3), False),
        (Choice(("a",)), "b"),
        (Choice(("a",)), object()),
        (Choice(("a",)), NAN),
        (Simplex(("a", "b")), {"a": 0.5, "b": 0.6}),
        (Simplex(("a", "b")), {"a": 1.5, "b": -0.5}),
        (Simplex(("a", "b")), {"a": 1.0}),
        (Simplex(("a", "b")), {"a": 0.5, "b": 0.5, "c": 0.0}),
        (Simplex(("a", "b")), {"a": True, "b": 0.0}),
        (Simplex(("a", "b")), [0.5, 0.5]),
    ],
)
def test_values_that_are_not_legal(knob: Knob, value: object) -> None:
    assert not knob.legal(value)
    assert not knob.within(knob.full(), value)


def test_a_value_outside_a_range_is_legal_but_not_within() -> None:
    knob, narrow = Continuous(0, 10), Range(2, 3)
    assert knob.legal(5)
    assert not knob.within(narrow, 5)
    assert knob.within(narrow, 3 + 1e-12)
    assert not Integer(0, 10).within(Range(2, 3), 4)


@pytest.mark.parametrize(
    ("knob", "data", "message"),
    [
        (Continuous(0, 1), {"low": 0.5}, "`high` is missing"),
        (Continuous(0, 1), {"low": 0, "hihg": 1}, r"'hihg' .*\(did you mean 'high'\?\)"),
        (Continuous(0, 1), {"low": 0, "high": 2}, "`high` must be from 0.0 to 1.0, but got 2"),
        (Continuous(0, 1), {"low": 0.9, "high": 0.1}, "`low <= high` must hold"),
        (Continuous(0, 1), [0, 1], "a range must be a mapping"),
        (Integer(0, 9), {"low": 0.5, "high": 2}, "`low` must be a whole number, but got 0.5"),
        (Integer(0, 9), {"low": -1, "high": 2}, "`low` must be from 0 to 9, but got -1"),
        (Choice((1, 2)), {"weights": [1]}, "one entry for each of the 2 values, but got 1"),
        (Choice((1, 2)), {"weights": 1}, "`weights` must be a list of weights"),
        (Choice((1, 2)), {"weights": ["1", 2]}, r"`weights\[0\]` must be a finite number"),
        (Simplex(("a", "b")), {"center": {"a": 1}, "spread": 0}, "`b` is missing"),
        (Simplex(("a", "b")), {"center": [1, 0], "spread": 0}, "`center` must be a mapping"),
        (Simplex(("a", "b")), {"center": {"a": 1, "b": 0}, "spread": 2}, "`0 <= spread <= 1`"),
    ],
)
def test_broken_marginals_are_refused(knob: Knob, data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        knob.marginal_from_json(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "a knob must be a mapping with the key `kind`, but got 3"),
        ({"low": 1}, "with the key `kind`"),
        ({"kind": "continous"}, r"'continous' \(did you mean 'continuous'\?\)"),
        ({"kind": ["choice"]}, "is not known"),
        ({"kind": "integer", "low": 1, "high": 2}, "`scale` is missing"),
        ({"kind": "integer", "low": 1, "high": 2, "scale": "lin"}, r"but got 'lin'"),
        ({"kind": "choice", "values": {}}, "`values` must be a list"),
        ({"kind": "simplex", "terms": ["a"]}, "at least 2 names"),
        ({"kind": "cells", "size": 9, "low": 0}, "`high` is missing"),
        ({"kind": "cells", "size": 9, "low": 3, "high": 10}, "`0 <= low <= high <= size`"),
    ],
)
def test_broken_knobs_are_refused(data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        knob_from_json(data)


@pytest.mark.parametrize(
    ("knob", "marginal", "message"),
    [
        (Continuous(0, 1), Weights((1,)), "continuous knobs are drawn by Range, but got Weights"),
        (Integer(0, 1), Blend((1, 0), 0), "integer knobs are drawn by Range, but got Blend"),
        (Choice((1,)), Range(0, 1), "choice knobs are drawn by Weights, but got Range"),
        (Simplex(("a", "b")), Range(0, 1), "simplex knobs are drawn by Blend, but got Range"),
        (Cells(2), Blend((1, 0), 0), "cells knobs are drawn by Range, but got Blend"),
        (Choice((1, 2)), Weights((1,)), "one entry for each of the 2 values"),
        (Simplex(("a", "b")), Blend((1,), 0), "one weight for each of the 2 terms"),
    ],
)
def test_marginals_of_another_kind_are_refused(
    knob: Knob, marginal: Range | Weights | Blend, message: str
) -> None:
    for method in (knob.fit, knob.check, knob.marginal_to_json, knob.picture):
        with pytest.raises(ValueError, match=message):
            method(marginal)


def test_weights_are_normalised_once() -> None:
    weights = Weights((1, 2, 1))
    assert weights.weights == (0.25, 0.5, 0.25)
    assert Weights(weights.weights) == weights
    assert Weights((1e308, 1e308)).weights == (0.5, 0.5)
    assert Weights((5e-324,)).weights == (1.0,)
    assert Blend((1, 3), 0).center == (0.25, 0.75)


@pytest.mark.parametrize(
    ("knob", "marginal", "picture"),
    [
        (Continuous(5, 20), Range(5, 20), "5…20"),
        (Continuous(5, 20), Range(9.8, 9.8), "9.8"),
        (Continuous(0, 1), Range(0.123456, 0.98765), "0.123…0.988"),
        (Integer(1, 5000), Range(1, 1234), "1…1234"),
        (Choice(("easy", "hard", "no")), Weights((3, 1, 0)), "easy 75% hard 25%"),
        (Choice((True, [1, 2])), Weights((999, 1)), "true 100% [1,2] <1%"),
        (Simplex(("speed", "energy")), Blend((1, 2), 0.2), "speed 0.333 energy 0.667 ±0.2"),
        (Cells(121, 0, 60), Range(3, 25), "3…25 of 121"),
        (Cells(9), Range(4, 4), "4 of 9"),
    ],
)
def test_pictures(knob: Knob, marginal: Range | Weights | Blend, picture: str) -> None:
    assert knob.picture(marginal) == picture
