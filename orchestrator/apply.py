"""How a level reaches a live env: by a method, by attributes, by reset options, by rebuilding."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

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

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def keys(self) -> Any:
        self.read.update(super().keys())
        return super().keys()

    def items(self) -> Any:
        self.read.update(super().keys())
        return super().items()

    def __iter__(self) -> Iterator[str]:
        self.read.update(super().keys())
        return super().__iter__()

    def check(self, names: Mapping[str, Any], where: str) -> None:
        """Raise `CannotApply` for every one of ``names`` that nobody looked at."""
        ignored = sorted(set(names) - self.read)
        if ignored:
            raise CannotApply(
                f"{where} must read every knob, but it never looked at {_listed(ignored)}; "
                "so a change of it would have no effect"
            )


def choose(env: Env, make: Make, knobs: Mapping[str, Any]) -> ApplyKind:
    """The way for ``apply: auto``: the env's method, its constructor, or its attributes.

    The constructor comes before attributes because setting an attribute leaves values that
    were derived from it stale (gymnasium's CartPole keeps ``polemass_length``).

    Raises:
        CannotApply: if none of them takes all the knobs.
    """
    if not knobs or _method(env) is not None:
        return "method"
    accepted = constructor_keys(make)
    if accepted is not None and set(knobs) <= accepted:
        return "rebuild"
    missing = [name for name in knobs if not hasattr(env.unwrapped, name)]
    if not missing:
        return "attributes"
    raise CannotApply(
        f"{_name(env)} must have a method `{METHOD}(level)`, constructor arguments or attributes "
        f"named like the knobs, but has nothing for {_listed(missing)}"
        f"{_nearest(missing[0], _settable(env) | (accepted or set()))}; "
        "reset options and a constructor that takes a config dict have to be named: "
        "`apply: options` or `apply: rebuild`"
    )


def set_by_method(env: Env, level: Mapping[str, Any]) -> None:
    """Call the env's own ``set_level`` (on the outermost layer that has it)."""
    method = _method(env)
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
    entry = getattr(make, "entry_point", None)
    if entry is None:
        return None
    try:
        parameters = inspect.signature(entry()).parameters.values()
    except (TypeError, ValueError):
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {parameter.name for parameter in parameters if parameter.kind in named}


def _method(env: Env) -> Callable[[dict[str, Any]], None] | None:
    layer = env
    while layer is not None:
        method = getattr(type(layer), METHOD, None)
        if method is not None:
            return getattr(layer, METHOD)  # type: ignore[no-any-return]
        layer = getattr(layer, "env", None)
    return None


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
