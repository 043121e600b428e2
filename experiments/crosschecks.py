"""What must hold between keys of one arm.

These run on the plain data, not on validated models, so that they speak up in the same breath as
everything else: a key that is missing or of the wrong type is passed over here, since it is
reported already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.findings import Finding
from experiments.hints import nearest, show, word_hint
from experiments.knob_spec import form_of
from experiments.spec import Evaluation, Population
from experiments.words import neighbour

Path = tuple[str | int, ...]

_RLLIB_SECTIONS = (
    "training",
    "env_runners",
    "learners",
    "rl_module",
    "multi_agent",
    "offline_data",
    "framework",
    "reporting",
    "debugging",
    "fault_tolerance",
    "experimental",
)


def cross_check(data: Any) -> list[Finding]:
    """Everything that is wrong between the keys of one arm's data."""
    return [finding for check in _CHECKS for finding in check(data)]


def _at(data: Any, *path: str) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _mapping(data: Any, *path: str) -> Mapping[str, Any]:
    found = _at(data, *path)
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _knobs(data: Any) -> Iterator[Finding]:
    for name, knob in _mapping(data, "env", "knobs").items():
        if isinstance(knob, dict):
            yield from _one_knob(("env", "knobs", name), knob)
    for name, knob in _mapping(data, "algorithm", "search").items():
        if isinstance(knob, dict):
            yield from _one_knob(("algorithm", "search", name), knob)


def _one_knob(key: Path, knob: Mapping[str, Any]) -> Iterator[Finding]:
    form = form_of(knob)
    if form in ("continuous", "integer"):
        yield from _range(key, knob)
    elif form == "choice":
        yield from _choices(key, knob)
    elif form == "cells":
        yield from _cells(key, knob)
    else:
        yield from _simplex(key, knob)


def _range(key: Path, knob: Mapping[str, Any]) -> Iterator[Finding]:
    low, high = _number(knob.get("low")), _number(knob.get("high"))
    if low is not None and high is not None and low > high:
        must = f"must be at most high ({show(high)})"
        yield Finding((*key, "low"), must, show(low), "Are low and high the wrong way round?")
    if knob.get("scale") == "log" and low is not None and low <= 0:
        hint = "A range that reaches zero takes scale: linear"
        yield Finding((*key, "low"), "must be above 0 with scale: log", show(low), hint)
    start = knob.get("start")
    if not isinstance(start, dict):
        return
    first, last = _number(start.get("low")), _number(start.get("high"))
    if first is not None and last is not None and first > last:
        must = f"must be at most start.high ({show(last)})"
        yield Finding((*key, "start", "low"), must, show(first))
    if low is None or high is None or low > high:
        return
    for end, value in (("low", first), ("high", last)):
        if value is not None and not low <= value <= high:
            must = f"must lie in the knob's legal range, {show(low)} to {show(high)}"
            close = low if value < low else high
            yield Finding((*key, "start", end), must, show(value), f"Nearest: {show(close)}")


def _cells(key: Path, knob: Mapping[str, Any]) -> Iterator[Finding]:
    size = _whole(knob.get("cells"))
    if size is None or size < 1:
        return
    ends = {"low": knob.get("low", 0), "high": knob.get("high")}
    for end, value in ends.items():
        count = _whole(value)
        if count is not None and count > size:
            must = f"must be at most cells ({size})"
            yield Finding((*key, end), must, show(count), f"Nearest: {size}")
            return
    high = size if ends["high"] is None else ends["high"]
    yield from _range(key, {"low": ends["low"], "high": high, "start": knob.get("start")})


def _choices(key: Path, knob: Mapping[str, Any]) -> Iterator[Finding]:
    choices = knob.get("choices")
    if not isinstance(choices, list):
        return
    seen: list[str] = []
    for index, value in enumerate(choices):
        shown = show(value)
        if shown in seen:
            yield Finding((*key, "choices", index), "must be different from the others", shown)
        seen.append(shown)
    start = knob.get("start")
    listed = isinstance(start, list)
    weights = start if isinstance(start, list) else _at(start, "weights")
    if not isinstance(weights, list):
        return
    at: Path = (*key, "start") if listed else (*key, "start", "weights")
    if len(weights) != len(choices):
        must = f"must hold one weight per choice, {len(choices)} of them"
        yield Finding(at, must, f"{len(weights)}")
    elif all(_number(weight) == 0 for weight in weights):
        yield Finding(at, "must hold at least one weight above 0", show(weights))


def _simplex(key: Path, knob: Mapping[str, Any]) -> Iterator[Finding]:
    terms = knob.get("simplex")
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        return
    for index, term in enumerate(terms):
        if term in terms[:index]:
            at = (*key, "simplex", index)
            yield Finding(at, "must be different from the others", show(term))
    center = _at(knob, "start", "center")
    if not isinstance(center, dict):
        return
    at = (*key, "start", "center")
    for term in center:
        if term not in terms:
            must = f"must be one of the knob's terms, {', '.join(terms)}"
            yield Finding((*at, term), must, show(term), nearest(term, terms))
    missing = [term for term in terms if term not in center]
    if missing:
        yield Finding(at, "must give every term a weight", f"none for {', '.join(missing)}")
    elif all(_number(weight) == 0 for weight in center.values()):
        yield Finding(at, "must hold at least one weight above 0", show(center))


def _curriculum(data: Any) -> Iterator[Finding]:
    kind = _at(data, "curriculum", "kind")
    env = _at(data, "env")
    if isinstance(kind, str) and kind != "fixed" and isinstance(env, dict):
        knobs = env.get("knobs", {})
        if knobs == {}:
            must = f"must hold at least one knob for curriculum.kind: {kind}"
            hint = "Without knobs, only curriculum: {kind: fixed} has anything to do"
            yield Finding(("env", "knobs"), must, "none", hint)
    size = _at(data, "population", "size")
    if kind in ("population", "population_regret") and _whole(size) == 1:
        must = f"must be at least 2 for curriculum.kind: {kind}, which compares members"
        yield Finding(("population", "size"), must, "1", "For one member, use another curriculum")
    if _at(data, "population", "reference") is True and _whole(size) == 1:
        must = "must be at least 2 with population.reference: true"
        yield Finding(
            ("population", "size"), must, "1", "The reference is compared with the others"
        )


def _stop(data: Any) -> Iterator[Finding]:
    stop = _at(data, "stop")
    words = ("iterations", "env_steps", "minutes", "score")
    if isinstance(stop, dict) and all(stop.get(word) is None for word in words):
        if not set(stop) - set(words):
            must = "must hold at least one of iterations, env_steps, minutes and score"
            yield Finding(("stop",), must, "none", "For example stop: {iterations: 40}")
        return
    iterations = _whole(_at(stop, "iterations"))
    interval = _whole(_at(data, "population", "interval"))
    effective = Population().interval if interval is None else interval
    if iterations is not None and 0 < iterations < effective:
        if interval is None:
            must = f"must be at least population.interval ({effective}, its default)"
            yield Finding(("stop", "iterations"), must, f"{iterations}")
        else:
            must = f"must be at most stop.iterations ({iterations}), or no boundary is ever reached"
            yield Finding(("population", "interval"), must, f"{interval}")


def _batches(data: Any) -> Iterator[Finding]:
    training = ("algorithm", "training")
    mini = _whole(_at(data, *training, "minibatch_size"))
    batch = _whole(_at(data, *training, "train_batch_size_per_learner"))
    if mini is not None and batch is not None and mini > batch:
        must = f"must be at most train_batch_size_per_learner ({batch})"
        yield Finding((*training, "minibatch_size"), must, f"{mini}")


def _evaluation(data: Any) -> Iterator[Finding]:
    aggregate = _at(data, "evaluation", "aggregate") or Evaluation().aggregate
    if _at(data, "evaluation", "alpha") is not None and aggregate in ("mean", "iqm", "min"):
        must = "must be left out unless evaluation.aggregate is cvar"
        found = f"alpha with aggregate: {aggregate}"
        yield Finding(("evaluation", "alpha"), must, found, "Write aggregate: cvar, or no alpha")


def _seeds(data: Any) -> Iterator[Finding]:
    seeds = _at(data, "seeds")
    if isinstance(seeds, list):
        for index, seed in enumerate(seeds):
            if _whole(seed) is not None and seed in seeds[:index]:
                must = "must be different from the other seeds"
                yield Finding(("seeds", index), must, show(seed))


def _rllib_words(data: Any) -> Iterator[Finding]:
    """Words of RLlib's old stack, and keys that envolve owns, inside RLlib's own sections."""
    for section in (*_RLLIB_SECTIONS, "search"):
        for word, value in _mapping(data, "algorithm", section).items():
            key: Path = ("algorithm", section, word)
            ours = neighbour(key)
            if ours is not None:
                must = f"must be a key of algorithm.{section}"
                yield Finding(key, must, show(word), word_hint(word, ours, value))
            if section != "search" and isinstance(value, dict) and list(value) == ["grid_search"]:
                hint = f"Write {{grid: {show(value['grid_search'])}}}"
                yield Finding(key, "must be a value, or a grid of values", show(value), hint)


_CHECKS = (_knobs, _curriculum, _stop, _batches, _evaluation, _seeds, _rllib_words)
