"""Whether a YAML value fits a Python annotation, and what such a value is called in words.

Not pydantic: RLlib's annotations name classes and callables, which a file writes as
``package.module:attribute``, and tuples, which YAML writes as lists.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
from collections.abc import Callable
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from experiments.hints import one_of
from experiments.importing import CannotImport, import_reference

_LISTS = (
    list,
    set,
    frozenset,
    collections.abc.Collection,
    collections.abc.Sequence,
    collections.abc.Iterable,
)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "a mapping",
    list: "a list",
    types.NoneType: "null",
}


class Misfit(ValueError):
    """A value does not fit; `hint` says why, where the annotation alone does not."""

    def __init__(self, hint: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint


def fitted(annotation: Any, value: Any) -> Any:
    """`value` as the annotation wants it: lists as tuples, references imported, ints as floats.

    Raises:
        Misfit: if it is of another type.
    """
    if annotation in (Any, inspect.Parameter.empty):
        return value
    arms = alternatives(annotation)
    if len(arms) > 1:
        return _fitted_to_one(arms, value)
    return _fitted_alone(arms[0], value)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The arms of a union, flat; of anything else, itself."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(arm for each in get_args(annotation) for arm in alternatives(each))
    return (types.NoneType,) if annotation is None else (annotation,)


def describe(annotation: Any) -> str:
    """What fits an annotation, in words: ``a number, or null``."""
    words: list[str] = []
    for arm in alternatives(annotation):
        word = _describe_one(arm)
        if word not in words:
            words.append(word)
    if "a number" in words and "a whole number" in words:
        words.remove("a whole number")
    if "null" in words:  # Last, whatever the order was.
        words.remove("null")
        words.append("null")
    return one_of(words)


def _fitted_to_one(arms: tuple[Any, ...], value: Any) -> Any:
    if type(value) in arms:
        return value
    hint = None
    for arm in arms:
        try:
            return _fitted_alone(arm, value)
        except Misfit as error:
            hint = hint or error.hint
    raise Misfit(hint)


def _fitted_alone(annotation: Any, value: Any) -> Any:
    origin = get_origin(annotation) or annotation
    if annotation in (Any, inspect.Parameter.empty):
        return value
    check = _PLAIN.get(origin)
    if check is not None:
        return check(value)
    if origin is Literal:
        return _if(value in get_args(annotation), value)
    if origin in _MAPPINGS:
        return _mapping(get_args(annotation), value)
    if origin in _LISTS:
        return _list(get_args(annotation), value)
    if origin is tuple:
        return _tuple(get_args(annotation), value)
    found = _imported(value)
    if origin is type and not isinstance(found, type):
        raise Misfit(f"{value} is no class")
    if origin is collections.abc.Callable and not callable(found):
        raise Misfit(f"{value} cannot be called")
    return found


def _if(fits: bool, value: Any) -> Any:
    if not fits:
        raise Misfit
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Misfit
    return float(value)


_PLAIN: dict[Any, Callable[[Any], Any]] = {
    bool: lambda value: _if(isinstance(value, bool), value),
    int: lambda value: _if(isinstance(value, int) and not isinstance(value, bool), value),
    float: _number,
    str: lambda value: _if(isinstance(value, str), value),
    types.NoneType: lambda value: _if(value is None, value),
}


def _mapping(arguments: tuple[Any, ...], value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise Misfit
    if len(arguments) != 2:
        return value
    return {key: fitted(arguments[1], each) for key, each in value.items()}


def _list(arguments: tuple[Any, ...], value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Misfit
    return [fitted(arguments[0], each) for each in value] if arguments else list(value)


def _tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Misfit
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(fitted(arguments[0], each) for each in value)
    if arguments and len(arguments) != len(value):
        raise Misfit
    return tuple(
        fitted(annotation, each)
        for annotation, each in zip(arguments or [Any] * len(value), value, strict=True)
    )


def _imported(value: Any) -> Any:
    if not isinstance(value, str):
        raise Misfit
    try:
        return import_reference(value)
    except CannotImport as error:
        raise Misfit(f"Found {error.found}" + (f". {error.hint}" if error.hint else "")) from None


def _describe_one(annotation: Any) -> str:
    origin = get_origin(annotation) or annotation
    if annotation in (Any, inspect.Parameter.empty):
        return "anything"
    if origin in _WORDS and origin not in (list, dict):
        return _WORDS[origin]
    if origin is Literal:
        return one_of([str(each) for each in get_args(annotation)])
    if origin in _MAPPINGS:
        return "a mapping"
    if origin in _LISTS:
        return _describe_list(get_args(annotation))
    if origin is tuple:
        return f"a list of {len(get_args(annotation))} values"
    return "package.module:attribute"


def _describe_list(arguments: tuple[Any, ...]) -> str:
    if not arguments or isinstance(arguments[0], ForwardRef):
        return "a list"
    if all((get_origin(arm) or arm) in (list, tuple) for arm in alternatives(arguments[0])):
        return "a schedule like [[0, 0.001], [1000000, 0.0001]]"
    plural = {"a whole number": "whole numbers", "a number": "numbers", "a text": "texts"}
    word = describe(arguments[0])
    return f"a list of {plural.get(word, word)}"
