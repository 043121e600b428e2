"""Every distribution of the catalogue, and any that hypothesis finds, keeps the same promises."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from distribution_catalogue import (
    CARTPOLE,
    DISTRIBUTIONS,
    EMPTY,
    FIXED,
    MAZE,
    SPACES,
    distributions,
    seeds,
)
from hypothesis import given

from orchestrator.distributions import (
    Distribution,
    EnvSpace,
    Gaussian,
    Levels,
    Mixture,
    Product,
    distribution_from_json,
)
from orchestrator.knobs import Choice, Continuous, Integer, Range, Simplex, Weights
from orchestrator.seeding import generator

everyone = pytest.mark.parametrize("name", DISTRIBUTIONS)


def conforms(distribution: Distribution, seed: int) -> None:
    """What holds for every distribution."""
    space = distribution.space
    data = json.loads(json.dumps(distribution.to_json(), allow_nan=False))
    again = distribution_from_json(space, data)
    pickled = pickle.loads(pickle.dumps(distribution))
    # A journal may sort its keys; nothing may depend on their order.
    shuffled = distribution_from_json(space, json.loads(json.dumps(data, sort_keys=True)))
    for copy in (again, pickled, shuffled):
        assert type(copy) is type(distribution)
        assert copy == distribution
        assert hash(copy) == hash(distribution)
        assert copy.space == space
        assert copy.to_json() == distribution.to_json()

    rng, others = generator(seed), [generator(seed) for _ in range(3)]
    for _ in range(5):
        level = distribution.sample(rng)
        assert type(level) is dict
        assert tuple(level) == space.names
        space.check(level)
        assert distribution.contains(level)
        assert space.full().contains(level)
        assert json.loads(json.dumps(level, allow_nan=False)) == level
        for copy, other in zip((again, pickled, shuffled), others, strict=True):
            assert copy.sample(other) == level

    picture = distribution.picture()
    assert picture
    assert picture.isprintable()


@everyone
def test_catalogue_conforms(name: str) -> None:
    conforms(DISTRIBUTIONS[name], seed=3)


@given(distributions(), seeds)
def test_any_distribution_conforms(distribution: Distribution, seed: int) -> None:
    conforms(distribution, seed)


@everyone
def test_distributions_cannot_change(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    assert dataclasses.is_dataclass(distribution)
    for each in dataclasses.fields(distribution):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(distribution, each.name, None)


@everyone
def test_a_drawn_level_belongs_to_who_drew_it(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    before = distribution.to_json()
    level = distribution.sample(generator(0))
    for value in level.values():
        if isinstance(value, list | dict):
            value.clear()
    level.clear()
    assert distribution.to_json() == before
    assert distribution.contains(distribution.sample(generator(0)))


@everyone
def test_foreign_levels_are_not_contained(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    level = distribution.sample(generator(1))
    assert not distribution.contains({**level, "no such knob": 1})
    for key in level:
        assert not distribution.contains({k: v for k, v in level.items() if k != key})
        assert not distribution.contains({**level, key: "no such value"})


def test_distributions_of_the_catalogue_differ() -> None:
    assert len(set(DISTRIBUTIONS.values())) == len(DISTRIBUTIONS)


@pytest.mark.parametrize("name", SPACES)
def test_spaces_survive_json_and_pickle(name: str) -> None:
    space = SPACES[name]
    data = json.loads(json.dumps(space.to_json()))
    again = EnvSpace.from_json(data)
    assert again == space == pickle.loads(pickle.dumps(space))
    assert hash(again) == hash(space)
    assert again.initial() == space.initial()
    assert again.to_json() == data


def test_the_order_of_knobs_in_a_file_does_not_matter() -> None:
    knobs = {"b": Continuous(0, 1), "a": Continuous(0, 1)}
    one, other = EnvSpace(knobs), EnvSpace(dict(reversed(knobs.items())))
    assert one.names == other.names == ("a", "b")
    assert one == other
    assert one.full().sample(generator(0)) == other.full().sample(generator(0))


def test_knobs_start_where_they_are_told_and_else_are_full() -> None:
    initial = CARTPOLE.initial()
    assert initial.marginals["masspole"] == Range(0.1, 0.1)
    assert initial.marginals["gravity"] == Range(5.0, 20.0)
    assert CARTPOLE.full().marginals["masspole"] == Range(0.05, 0.5)


def test_an_empty_space_draws_empty_levels() -> None:
    assert EMPTY.full().sample(generator(0)) == {}
    assert EMPTY.full() == EMPTY.initial()
    assert EMPTY.full().contains({})
    assert EMPTY.full().picture() == "no knobs"


def test_a_change_of_what_was_given_changes_nothing() -> None:
    knobs: dict[str, Any] = {"x": Continuous(0, 1)}
    marginals = {"x": Range(0, 1)}
    levels: list[dict[str, Any]] = [{"x": 0.5}]
    space = EnvSpace(knobs)
    product, buffer = Product(space, marginals), Levels(space, tuple(levels), (1,))
    knobs.clear()
    marginals["x"] = Range(0, 0)
    levels[0]["x"] = 0.75
    assert space.names == ("x",)
    assert product == space.full()
    assert buffer.sample(generator(0)) == {"x": 0.5}


@pytest.mark.parametrize("mapping", [CARTPOLE.knobs, CARTPOLE.start, CARTPOLE.full().marginals])
def test_mappings_are_read_only(mapping: Mapping[str, object]) -> None:
    with pytest.raises(TypeError):
        mapping["gravity"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        mapping.start = {}  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        del mapping.start  # type: ignore[attr-defined]


def test_types_of_choices_count_in_levels() -> None:
    space = EnvSpace({"x": Choice((True, 1))})
    one, true = (Levels(space, ({"x": value},), (1,)) for value in (1, True))
    assert one != true
    assert one.contains({"x": 1})
    assert not one.contains({"x": True})


def test_spaces_with_choices_of_other_types_differ() -> None:
    assert EnvSpace({"x": Choice((1,))}).full() != EnvSpace({"x": Choice((True,))}).full()


def test_a_mixture_draws_its_parts_by_weight() -> None:
    space = EnvSpace({"x": Integer(0, 2)})
    parts = [Product(space, {"x": Range(k, k)}) for k in range(3)]
    mixture = Mixture(tuple(zip((3, 1, 0), parts, strict=True)))
    assert [weight for weight, _ in mixture.parts] == [0.75, 0.25, 0]
    rng = generator("mixture")
    drawn = Counter(mixture.sample(rng)["x"] for _ in range(20_000))
    assert drawn[0] / 20_000 == pytest.approx(0.75, abs=0.02)
    assert drawn[2] == 0
    assert not mixture.contains({"x": 2})


def test_a_mixture_may_hold_distributions_of_several_kinds() -> None:
    space = EnvSpace({"x": Continuous(0, 1)})
    kinds = (Levels(space, ({"x": 0.25},), (1,)), Gaussian(space, (0.5,), ((0.0,),)), space.full())
    mixture = Mixture(tuple(zip((1, 1, 0), kinds, strict=True)))
    data = mixture.to_json()
    assert [part["distribution"] for part in data["parts"]] == [each.to_json() for each in kinds]
    rng = generator("kinds")
    assert {mixture.sample(rng)["x"] for _ in range(50)} == {0.25, 0.5}


def test_levels_of_a_known_buffer_are_taken_over() -> None:
    space = EnvSpace({"x": Continuous(0, 1)})
    old = Levels(space, ({"x": 0.25}, {"x": 0.5}), (1, 1))
    new = Levels(space, (old.levels[1], {"x": 1}), (1, 3), known=old)
    assert new == Levels(space, ({"x": 0.5}, {"x": 1.0}), (0.25, 0.75))
    assert new.levels[0] is old.levels[1]
    assert list(new.by_text()) == ['{"x":0.5}', '{"x":1.0}']
    assert pickle.loads(pickle.dumps(new)) == new
    assert new.sample(generator(0)) in ({"x": 0.5}, {"x": 1.0})


def test_levels_that_a_known_buffer_does_not_hold_are_checked() -> None:
    space = EnvSpace({"x": Continuous(0, 1)})
    known = Levels(space, ({"x": 0.5},), (1,))
    with pytest.raises(ValueError, match=r"level 1: .* must be from 0\.0 to 1\.0, but got 2\.0"):
        Levels(space, (known.levels[0], {"x": 2.0}), (1, 1), known=known)
    other = EnvSpace({"x": Continuous(0, 0.1)})
    with pytest.raises(ValueError, match=r"level 0: .* must be from 0\.0 to 0\.1, but got 0\.5"):
        Levels(other, known.levels, (1,), known=known)


def test_a_buffer_draws_its_levels_by_weight() -> None:
    space = EnvSpace({"x": Integer(0, 2)})
    buffer = Levels(space, tuple({"x": k} for k in range(3)), (0, 3, 1))
    rng = generator("buffer")
    drawn = Counter(buffer.sample(rng)["x"] for _ in range(20_000))
    assert drawn[1] / 20_000 == pytest.approx(0.75, abs=0.02)
    assert drawn[0] == 0
    assert not buffer.contains({"x": 0})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: EnvSpace({"g": Continuous(0, 1)}, {"g": Range(0, 2)}),
            "the start of knob 'g': `high` must be from 0.0 to 1.0, but got 2",
        ),
        (
            lambda: EnvSpace({"gravity": Continuous(0, 1)}, {"gravty": Range(0, 1)}),
            r"unknown knob: 'gravty' \(did you mean 'gravity'\?\)",
        ),
        (
            lambda: EnvSpace({"n": Integer(0, 3)}, {"n": Range(0, 1.5)}),
            "the start of knob 'n': `high` must be a whole number, but got 1.5",
        ),
        (
            lambda: EnvSpace({"n": Integer(0, 3)}, {"n": Weights((1,))}),
            "the start of knob 'n': integer knobs are drawn by Range",
        ),
        (lambda: EnvSpace({"a\nb": Continuous(0, 1)}), "printable, non-empty string"),
        (lambda: Product(CARTPOLE, {}), "`gravity` is missing; `length` is missing"),
        (
            lambda: Product(FIXED, {**FIXED.full().marginals, "seats": Range(4, 5)}),
            "the marginal of knob 'seats': `high` must be from 4 to 4, but got 5",
        ),
        (lambda: Product(EMPTY, {"x": Range(0, 1)}), "'x' is not one of its keys"),
        (lambda: Mixture(()), "at least one part"),
        (lambda: Mixture(((0, EMPTY.full()),)), "must be above zero"),
        (lambda: Mixture(((1, EMPTY.full()), (1, FIXED.full()))), "must share one env space"),
        (
            lambda: Mixture(((1, Mixture(((1, EMPTY.full()),))),)),
            "must be a distribution that is no mixture itself, but part 0 is Mixture",
        ),
        (
            lambda: Mixture(((1, EMPTY.full()), (1, "full"))),  # type: ignore[arg-type]
            "must be a distribution that is no mixture itself, but part 1 is 'full'",
        ),
        (lambda: Levels(EMPTY, (), ()), "at least one level"),
        (lambda: Levels(EMPTY, ({},), (1, 1)), "one entry for each of the 1 levels, but got 2"),
        (lambda: Levels(FIXED, ({},), (1,)), "level 0: .*'gravity' is missing"),
    ],
)
def test_invalid_values_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_a_level_is_refused_with_all_that_is_wrong() -> None:
    level = {"size": 99, "budgte": 5, "layout": "closed", "slip": "much"}
    with pytest.raises(ValueError, match="a level must fit its env space") as caught:
        MAZE.check(level)
    for fragment in (
        "'size' must be from 3 to 31, but got 99",
        "'budgte' is not a knob (did you mean 'budget'?)",
        "'budget' is missing",
        "'layout' must be one of \"open\"",
        "'reward' is missing",
        "'slip' `value` must be a finite number, but got 'much'",
    ):
        assert fragment in str(caught.value)
    with pytest.raises(ValueError, match="must be a mapping from knob to value"):
        MAZE.check([1])  # type: ignore[arg-type]


def test_cast_makes_values_plain() -> None:
    space = EnvSpace({"x": Continuous(0, 9), "pair": Choice(((1, 2),))})
    level = space.cast({"x": 4, "pair": (1, 2)})
    assert level == {"pair": [1, 2], "x": 4.0}
    assert isinstance(level["x"], float)


@pytest.mark.parametrize(
    ("space", "data", "message"),
    [
        (EMPTY, None, "must be a mapping with the key `kind`, but got None"),
        (EMPTY, {"kind": "prodct"}, r"'prodct' \(did you mean 'product'\?\)"),
        (EMPTY, {"kind": 3}, "is not known: 3"),
        (EMPTY, {"kind": "product"}, "`marginals` is missing"),
        (FIXED, {"kind": "product", "marginals": {}}, "`gravity` is missing"),
        (FIXED, {"kind": "product", "marginals": [1]}, "must be a mapping"),
        (EMPTY, {"kind": "mixture", "parts": []}, "at least one part"),
        (EMPTY, {"kind": "mixture", "parts": 3}, "`parts` must be a list, but got 3"),
        (
            EMPTY,
            {"kind": "mixture", "parts": [{"weight": 1}]},
            "part 0 .*`distribution` is missing",
        ),
        (
            EMPTY,
            {"kind": "mixture", "parts": [{"weight": "a", "distribution": {}}]},
            "part 0 of a mixture: `weight` must be a finite number, but got 'a'",
        ),
        (
            EMPTY,
            {"kind": "mixture", "parts": [{"weight": 1, "distribution": {"kind": "levls"}}]},
            r"part 0 of a mixture: .*'levls' \(did you mean 'levels'\?\)",
        ),
        (
            EMPTY,
            {"kind": "mixture", "parts": [{"weight": 1, "distribution": {"kind": "mixture"}}]},
            "part 0 of a mixture: a mixture must have the keys .*`parts` is missing",
        ),
        (EMPTY, {"kind": "gaussian", "center": []}, "`covariance` is missing"),
        (
            FIXED,
            {"kind": "gaussian", "center": [0.5, 0.5], "covariance": [[0, 0]]},
            "2 rows of 2 numbers",
        ),
        (EMPTY, {"kind": "levels", "levels": [{}]}, "`weights` is missing"),
        (EMPTY, {"kind": "levels", "levels": [{}], "weights": 1}, "`weights` must be a list"),
        (EMPTY, {"kind": "levels", "levels": ["a"], "weights": [1]}, "level 0: a level must be"),
    ],
)
def test_broken_distributions_are_refused(space: EnvSpace, data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        distribution_from_json(space, data)


def test_a_broken_marginal_is_refused_by_its_knob() -> None:
    data = CARTPOLE.full().to_json()
    data["marginals"]["gravity"]["high"] = 30
    with pytest.raises(ValueError, match=r"knob 'gravity': `high` must be from 5.0 to 20.0"):
        distribution_from_json(CARTPOLE, data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"knobs": {}}, "`start` is missing"),
        ({"knobs": [], "start": {}}, "`knobs` must be a mapping"),
        ({"knobs": {}, "start": {"x": {}}}, "unknown knob: 'x'"),
        ({"knobs": {"x": {"kind": "int"}}, "start": {}}, "knob 'x': .*kind"),
        (
            {"knobs": {"x": Continuous(0, 1).to_json()}, "start": {"x": {"low": 0}}},
            "the start of knob 'x': .*`high` is missing",
        ),
    ],
)
def test_broken_spaces_are_refused(data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EnvSpace.from_json(data)


@pytest.mark.parametrize(
    ("distribution", "picture"),
    [
        (CARTPOLE.initial(), "gravity 5…20 · length 0.25…2 · masspole 0.1"),
        (
            Mixture(((1, CARTPOLE.initial()), (3, CARTPOLE.full()))),
            (
                "25% (gravity 5…20 · length 0.25…2 · masspole 0.1)"
                " + 75% (gravity 5…20 · length 0.25…2 · masspole 0.05…0.5)"
            ),
        ),
        (
            DISTRIBUTIONS["some-levels-unused"],
            "1 level · gravity 5 · length 1 · masspole 0.1",
        ),
        (
            Levels(
                EnvSpace({"c": Choice((1, 2)), "s": Simplex(("a", "b"))}),
                (
                    {"c": 1, "s": {"a": 1, "b": 0}},
                    {"c": 2, "s": {"a": 1, "b": 0}},
                ),
                (1, 1),
            ),
            "2 levels · c 2 kinds · s 1 kind",
        ),
    ],
)
def test_pictures(distribution: Distribution, picture: str) -> None:
    assert distribution.picture() == picture
