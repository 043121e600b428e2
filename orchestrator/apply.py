"""How a level reaches a live env: by a method, by attributes, by reset options, by rebuilding."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np

from orchestrator.knob import Knob

ApplyKind = Literal["auto", "method", "options", "attributes", "rebuild"]
METHOD = "set_level"

Env = Any
Make = Callable[[Mapping[str, Any]], Env]


class CannotApply(ValueError):
    """The env has no such method, attribute, option or constructor key."""


class ReadKeys(dict[str, Any]):
    """A dict that remembers which of its keys were looked at.

    An env that ignores a key of ``options`` or of its config does so silently; this is how
    the silence is heard.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __or__(self, other: Any) -> Any:
        return dict(self.items()) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self.items())

    def copy(self) -> dict[str, Any]:
        """A plain dict; counts as looking at every key."""
        return dict(self.items())

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's; counts as looking at the key."""
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """As a dict's; counts as looking at the key."""
        self.read.add(key)
        return super().pop(key, *default)

    def keys(self) -> Any:
        """As a dict's; counts as looking at every key."""
        self.read.update(super().keys())
        return super().keys()

    def items(self) -> Any:
        """As a dict's; counts as looking at every key."""
        self.read.update(super().keys())
        return super().items()

    def values(self) -> Any:
        """As a dict's; counts as looking at every key."""
        self.read.update(super().keys())
        return super().values()

    def __iter__(self) -> Iterator[str]:
        self.read.update(super().keys())
        return super().__iter__()

    def ignored(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that nobody looked at, sorted."""
        return sorted(set(names) - self.read)

    def check(self, names: Iterable[str], where: str) -> None:
        """Raise `CannotApply` for every one of ``names`` that nobody looked at."""
        ignored = self.ignored(names)
        if ignored:
            raise CannotApply(
                f"{where} must read every knob, but it never looked at {_listed(ignored)}; "
                "so a change of it would have no effect"
            )


def choose(env: Env, make: Make, knobs: Mapping[str, Knob]) -> ApplyKind:
    """The way for ``apply: auto``: the env's method, its constructor, or its attributes.

    A constructor that takes one config dict is tried: it counts if it looks at every knob.

    The constructor comes before attributes because setting an attribute leaves values that
    were derived from it stale (gymnasium's CartPole keeps ``polemass_length``).

    Raises:
        CannotApply: if none of them takes all the knobs.
    """
    if not knobs or method_of(env) is not None:
        return "method"
    accepted = constructor_keys(make)
    if accepted is None:
        accepted = _config_keys(make, knobs)
    if accepted is not None and set(knobs) <= accepted:
        return "rebuild"
    missing = [name for name in knobs if not hasattr(env.unwrapped, name)]
    if not missing:
        return "attributes"
    raise CannotApply(
        f"{_name(env)} must have a method `{METHOD}(level)`, constructor arguments or attributes "
        f"named like the knobs, but has nothing for {_listed(missing)}"
        f"{_nearest(missing[0], _settable(env) | (accepted or set()))}; "
        "reset options, and a config dict that is read later than in the constructor, have to be "
        "named: `apply: options` or `apply: rebuild`"
    )


def set_by_method(env: Env, level: Mapping[str, Any]) -> None:
    """Call the env's own ``set_level`` (on the outermost layer that has it)."""
    method = method_of(env)
    if method is None:
        if not level:
            return
        raise CannotApply(
            f"`apply: method` needs a method `{METHOD}(level)`, but {_name(env)} has none"
        )
    method(dict(level))


def set_attributes(env: Env, level: Mapping[str, Any]) -> None:
    """Set attributes of the innermost env; one that it doesn't have is an error."""
    inner = env.unwrapped
    missing = [name for name in level if not hasattr(inner, name)]
    if missing:
        raise CannotApply(
            f"`apply: attributes` needs attributes that exist, but {_name(env)} has no "
            f"{_listed(missing)}{_nearest(missing[0], _settable(env))}"
        )
    for name, value in level.items():
        setattr(inner, name, value)


def constructor_keys(make: Make) -> set[str] | None:
    """Names that the env's constructor takes, or None when it cannot be told."""
    parameters = _parameters(make)
    if parameters is None:
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {parameter.name for parameter in parameters if parameter.kind in named}


def takes_any_key(make: Make) -> bool:
    """Whether the env's constructor takes arguments of any name."""
    parameters = _parameters(make) or []
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def has_method(env: Env) -> bool:
    """Whether a layer of the env has a ``set_level``."""
    return method_of(env) is not None


def method_of(env: Env) -> Callable[[dict[str, Any]], None] | None:
    """The env's own ``set_level`` (of the outermost layer that has it), or None."""
    layer = env
    while layer is not None:
        method = getattr(type(layer), METHOD, None)
        if method is not None:
            return getattr(layer, METHOD)  # type: ignore[no-any-return]
        layer = getattr(layer, "env", None)
    return None


def _parameters(make: Make) -> list[inspect.Parameter] | None:
    entry = getattr(make, "entry_point", None)
    constructor = None if entry is None else entry()
    if constructor is None:
        return None
    try:
        return list(inspect.signature(constructor).parameters.values())
    except (TypeError, ValueError):
        return None


def _config_keys(make: Make, knobs: Mapping[str, Knob]) -> set[str] | None:
    """What a constructor that takes a config dict looks at; None: it takes none."""
    keys_read = getattr(make, "keys_read", None)
    if keys_read is None:
        return None
    rng = np.random.default_rng(0)
    found: set[str] | None = keys_read(
        {name: knob.sample(knob.full(), rng) for name, knob in knobs.items()}
    )
    return found


def _settable(env: Env) -> set[str]:
    inner = env.unwrapped
    return {name for name in dir(inner) if not name.startswith("_")}


def _name(env: Env) -> str:
    return type(env.unwrapped).__name__


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (nearest: `{close[0]}`)" if close else ""
