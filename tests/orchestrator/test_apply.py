"""How a level reaches an env, and that nothing which would be ignored passes in silence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.apply import (
    CannotApply,
    ReadKeys,
    choose,
    constructor_keys,
    set_attributes,
    set_by_method,
)
from orchestrator.knobs import Continuous, Knob

KNOBS: dict[str, Knob] = {"gravity": Continuous(5.0, 20.0), "length": Continuous(0.25, 2.0)}
LEVEL = {"gravity": 9.0, "length": 0.5}


class Plain:
    """An env with attributes of its own."""

    def __init__(self) -> None:
        self.gravity = 9.8
        self.length = 1.0

    @property
    def unwrapped(self) -> Plain:
        return self


class Settable(Plain):
    """An env that takes levels."""

    def set_level(self, level: dict[str, Any]) -> None:
        self.level = level


class Configured(Plain):
    """An env whose constructor takes the knobs by name."""

    def __init__(self, gravity: float = 9.8, *, length: float = 1.0, **rest: Any) -> None:
        self.given = {"gravity": gravity, "length": length}


class Wrapper:
    """A layer around an env, as gymnasium's wrappers are."""

    def __init__(self, env: Any) -> None:
        self.env = env

    @property
    def unwrapped(self) -> Any:
        return self.env.unwrapped


class SettableWrapper(Wrapper):
    """A layer that takes levels itself."""

    def set_level(self, level: dict[str, Any]) -> None:
        self.level = level


class Maker:
    """What makes an env, and says by which constructor."""

    def __init__(self, constructor: Callable[..., Any] | None) -> None:
        self._constructor = constructor

    def __call__(self, level: Any) -> Any:
        raise AssertionError("nothing here builds an env")

    def entry_point(self) -> Callable[..., Any] | None:
        return self._constructor


# Which way


@pytest.mark.parametrize(
    ("env", "constructor", "way"),
    [
        (Settable(), Plain, "method"),
        (Wrapper(Settable()), Plain, "method"),
        (SettableWrapper(Plain()), Plain, "method"),
        # An attribute would leave stale what was derived from it.
        (Configured(), Configured, "rebuild"),
        (Plain(), Configured, "rebuild"),
        (Plain(), Plain, "attributes"),
        (Wrapper(Wrapper(Plain())), Plain, "attributes"),
        (Plain(), None, "attributes"),
    ],
)
def test_the_way_is_method_then_constructor_then_attributes(
    env: Any, constructor: Callable[..., Any] | None, way: str
) -> None:
    assert choose(env, Maker(constructor), KNOBS) == way


def test_without_knobs_any_way_will_do() -> None:
    assert choose(Plain(), Maker(None), {}) == "method"
    set_by_method(Plain(), {})


def test_an_env_that_takes_no_knob_is_refused_by_name_with_the_nearest() -> None:
    knobs: dict[str, Knob] = {"gravitiy": Continuous(5.0, 20.0), "length": Continuous(0.25, 2.0)}
    with pytest.raises(CannotApply, match=r"Plain must have .*nothing for `gravitiy`") as caught:
        choose(Wrapper(Plain()), Maker(Plain), knobs)
    assert "`gravity`" in str(caught.value)
    assert "`length`" not in str(caught.value)


# Method and attributes


def test_a_method_gets_the_level_as_its_own_dict() -> None:
    env = Settable()
    set_by_method(Wrapper(env), LEVEL)
    assert env.level == LEVEL
    env.level["gravity"] = 0.0
    assert LEVEL["gravity"] == 9.0


def test_the_outermost_method_is_called() -> None:
    inner = Settable()
    outer = SettableWrapper(inner)
    set_by_method(outer, LEVEL)
    assert outer.level == LEVEL
    assert not hasattr(inner, "level")


def test_an_env_without_the_method_is_refused() -> None:
    with pytest.raises(CannotApply, match=r"needs a method `set_level\(level\)`, but Plain has"):
        set_by_method(Wrapper(Plain()), LEVEL)


def test_attributes_are_set_on_the_innermost_env() -> None:
    env = Plain()
    outer = Wrapper(env)
    set_attributes(outer, LEVEL)
    assert (env.gravity, env.length) == (9.0, 0.5)
    assert not hasattr(outer, "gravity")


def test_an_attribute_that_is_not_there_is_refused_and_none_is_set() -> None:
    env = Plain()
    with pytest.raises(CannotApply, match="Plain has no `lenght`") as caught:
        set_attributes(env, {"gravity": 1.0, "lenght": 0.5})
    assert "`length`" in str(caught.value)
    assert env.gravity == 9.8


def test_constructor_keys_are_its_named_parameters() -> None:
    assert constructor_keys(Maker(Configured)) == {"gravity", "length"}
    assert constructor_keys(Maker(Plain)) == set()
    assert constructor_keys(Maker(None)) is None
    assert constructor_keys(lambda level: None) is None


# Keys that were looked at


READERS: dict[str, Callable[[ReadKeys], Any]] = {
    "item": lambda keys: [keys["a"], keys["b"]],
    "get": lambda keys: [keys.get("a"), keys.get("b", 3)],
    "pop": lambda keys: [keys.pop("a"), keys.pop("b", 3)],
    "keys": lambda keys: list(keys.keys()),
    "items": lambda keys: list(keys.items()),
    "values": lambda keys: list(keys.values()),
    "loop": list,
    "stars": lambda keys: {**keys},
    "dict": dict,
    "copy": lambda keys: keys.copy(),
    "or": lambda keys: keys | {"c": 1},
    "ror": lambda keys: {"c": 1} | keys,
    "update": {}.update,
}


@pytest.mark.parametrize("name", READERS)
def test_every_way_of_looking_counts(name: str) -> None:
    keys = ReadKeys({"a": 1, "b": 2})
    READERS[name](keys)
    keys.check({"a": 0, "b": 0}, "the env")


@pytest.mark.parametrize(
    "look", [lambda keys: None, len, bool, lambda keys: keys["a"]], ids=["not", "len", "bool", "a"]
)
def test_a_key_that_nobody_looked_at_is_an_error(look: Callable[[ReadKeys], Any]) -> None:
    keys = ReadKeys({"a": 1, "b": 2})
    look(keys)
    with pytest.raises(CannotApply, match=r"the env must read .* at .*`b`; so a change"):
        keys.check({"a": 0, "b": 0}, "the env")


def test_only_the_knobs_have_to_be_looked_at() -> None:
    keys = ReadKeys({"a": 1, "b": 2})
    assert keys["a"] == 1
    keys.check({"a": 0}, "the env")


def test_it_is_a_dict_to_those_who_read_it() -> None:
    keys = ReadKeys({"a": 1, "b": 2})
    assert isinstance(keys, dict)
    assert keys == {"a": 1, "b": 2}
    assert copy.copy(dict(keys)) == {"a": 1, "b": 2}
    assert keys.get("z", 7) == 7
    with pytest.raises(KeyError):
        keys["z"]
