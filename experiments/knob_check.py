"""What must hold between the keys of a knob, and of how it is drawn at first or in a stage.

On plain data: a key that is missing or of the wrong type is passed over, since it is reported
already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.findings import Finding
from experiments.hints import nearest, show
from experiments.knob_spec import form_of

__all__ = ["draw_findings", "knob_findings", "number", "whole"]

Path = tuple[str | int, ...]
Data = Mapping[str, Any]


def knob_findings(key: Path, knob: Data) -> Iterator[Finding]:
    """What is wrong with a knob, or with a searched key."""
    form = form_of(knob)
    if form == "choice":
        yield from _choices(key, knob)
    elif form == "simplex":
        yield from _terms(key, knob)
    elif form == "cells":
        yield from _cells(key, knob)
    else:
        yield from _range(key, knob)
    start = knob.get("start")
    if form == "choice" or isinstance(start, dict):
        yield from _drawn(form, (*key, "start"), knob, start)


def draw_findings(key: Path, knob: Data, how: Any) -> Iterator[Finding]:
    """What is wrong with how a stage draws a knob; ``key`` is that of ``how``."""
    form, shape = form_of(knob), _shape(how)
    if shape is None:
        return
    if shape != (form if form in _WRITTEN else "range"):
        written = _WRITTEN.get(form, "{low: ..., high: ...}")
        yield Finding(key, f"must be written {written}, for a knob of this form", show(how))
        return
    if form in ("integer", "cells"):
        for end in ("low", "high"):
            value = how.get(end)
            if isinstance(value, float) and not value.is_integer():
                yield Finding((*key, end), "must be a whole number, like the knob", show(value))
    yield from _drawn(form, key, knob, how)


#: How a draw is written, by the forms of knobs that are not drawn from a range.
_WRITTEN: Mapping[str, str] = {
    "choice": "[1, 0, ...], a weight for each choice",
    "simplex": "{center: {term: weight, ...}}",
}


def _shape(how: Any) -> str | None:
    """The form of knob that is drawn this way; None where it cannot be told."""
    if isinstance(how, list):
        return "choice"
    marks = {"weights": "choice", "center": "simplex", "low": "range", "high": "range"}
    found = [shape for mark, shape in marks.items() if isinstance(how, dict) and mark in how]
    return found[0] if found else None


def _drawn(form: str, at: Path, knob: Data, how: Any) -> Iterator[Finding]:
    if form == "choice":
        yield from _weights(at, knob, how)
    elif form == "simplex":
        yield from _center(at, knob, how)
    elif form == "cells":
        yield from _inside(at, _counts(knob), how)
    else:
        yield from _inside(at, knob, how)


def _range(key: Path, knob: Data) -> Iterator[Finding]:
    low, high = number(knob.get("low")), number(knob.get("high"))
    if low is not None and high is not None and low > high:
        must = f"must be at most high ({show(high)})"
        yield Finding((*key, "low"), must, show(low), "Are low and high the wrong way round?")
    if knob.get("scale") == "log" and low is not None and low <= 0:
        hint = "A range that reaches zero takes scale: linear"
        yield Finding((*key, "low"), "must be above 0 with scale: log", show(low), hint)


def _inside(at: Path, legal: Data, how: Data) -> Iterator[Finding]:
    """A range that lies in a legal one."""
    low, high = number(legal.get("low")), number(legal.get("high"))
    first, last = number(how.get("low")), number(how.get("high"))
    if first is not None and last is not None and first > last:
        must = f"must be at most {_ends_of(at)}high ({show(last)})"
        yield Finding((*at, "low"), must, show(first))
    if low is None or high is None or low > high:
        return
    for end, value in (("low", first), ("high", last)):
        if value is not None and not low <= value <= high:
            must = f"must lie in the knob's legal range, {show(low)} to {show(high)}"
            close = low if value < low else high
            yield Finding((*at, end), must, show(value), f"Nearest: {show(close)}")


def _ends_of(at: Path) -> str:
    return "start." if at[-1] == "start" else ""


def _counts(knob: Data) -> Data:
    """How many cells may be set."""
    high = knob.get("high")
    return {"low": knob.get("low", 0), "high": knob.get("cells") if high is None else high}


def _cells(key: Path, knob: Data) -> Iterator[Finding]:
    size = whole(knob.get("cells"))
    if size is None or size < 1:
        return
    for end in ("low", "high"):
        count = whole(knob.get(end))
        if count is not None and count > size:
            must = f"must be at most cells ({size})"
            yield Finding((*key, end), must, show(count), f"Nearest: {size}")
            return
    yield from _range(key, _counts(knob))


def _choices(key: Path, knob: Data) -> Iterator[Finding]:
    choices = knob.get("choices")
    seen: list[str] = []
    for index, value in enumerate(choices if isinstance(choices, list) else ()):
        shown = show(value)
        if shown in seen:
            yield Finding((*key, "choices", index), "must be different from the others", shown)
        seen.append(shown)


def _weights(at: Path, knob: Data, how: Any) -> Iterator[Finding]:
    choices = knob.get("choices")
    listed = isinstance(how, list)
    weights = how if listed else how.get("weights") if isinstance(how, dict) else None
    if not isinstance(choices, list) or not isinstance(weights, list):
        return
    at = at if listed else (*at, "weights")
    if len(weights) != len(choices):
        must = f"must hold one weight per choice, {len(choices)} of them"
        yield Finding(at, must, f"{len(weights)}")
    elif all(number(weight) == 0 for weight in weights):
        yield Finding(at, "must hold at least one weight above 0", show(weights))


def _terms(key: Path, knob: Data) -> Iterator[Finding]:
    terms = _texts(knob.get("simplex"))
    for index, term in enumerate(terms):
        if term in terms[:index]:
            at = (*key, "simplex", index)
            yield Finding(at, "must be different from the others", show(term))


def _center(at: Path, knob: Data, how: Data) -> Iterator[Finding]:
    terms, center = _texts(knob.get("simplex")), how.get("center")
    if not terms or not isinstance(center, dict):
        return
    at = (*at, "center")
    for term in center:
        if term not in terms:
            must = f"must be one of the knob's terms, {', '.join(terms)}"
            yield Finding((*at, term), must, show(term), nearest(term, terms))
    missing = [term for term in terms if term not in center]
    if missing:
        yield Finding(at, "must give every term a weight", f"none for {', '.join(missing)}")
    elif all(number(weight) == 0 for weight in center.values()):
        yield Finding(at, "must hold at least one weight above 0", show(center))


def _texts(value: Any) -> list[str]:
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value if texts else []


def number(value: Any) -> float | None:
    """The value, if it is a number."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(value: Any) -> int | None:
    """The value, if it is a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
