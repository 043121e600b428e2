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
from experiments.knob_check import draw_findings, knob_findings, number, whole
from experiments.problems import key_text
from experiments.schedule_check import replay_findings
from experiments.spec import Evaluation, Population
from experiments.words import neighbour

Path = tuple[str | int, ...]

#: Mappings of names to knobs, or to searched keys.
_SEARCHED = (("env", "knobs"), ("algorithm", "search"), ("curriculum", "search"))
_BY_POLICY = ("algorithm", "policy_search")
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


def _knobs(data: Any) -> Iterator[Finding]:
    for at in _SEARCHED:
        for name, knob in _mapping(data, *at).items():
            if isinstance(knob, dict):
                yield from knob_findings((*at, name), knob)
    for policy in _mapping(data, *_BY_POLICY):
        for name, knob in _mapping(data, *_BY_POLICY, policy).items():
            if isinstance(knob, dict):
                yield from knob_findings((*_BY_POLICY, policy, name), knob)


def _condition(data: Any) -> Iterator[Finding]:
    names, knobs = _at(data, "env", "condition"), list(_mapping(data, "env", "knobs"))
    for index, name in enumerate(names if isinstance(names, list) else ()):
        key = ("env", "condition", index)
        if not isinstance(name, str) or not name:
            continue
        if name not in knobs:
            must = f"must be one of the knobs {', '.join(knobs) or '(there are none)'}"
            yield Finding(key, must, show(name), nearest(name, knobs))
        elif name in names[:index]:
            yield Finding(key, "must be different from the others", show(name))


def _curriculum(data: Any) -> Iterator[Finding]:
    kind = _at(data, "curriculum", "kind")
    env = _at(data, "env")
    if isinstance(kind, str) and kind not in ("fixed", "replay") and isinstance(env, dict):
        knobs = env.get("knobs", {})
        if knobs == {}:
            must = f"must hold at least one knob for curriculum.kind: {kind}"
            hint = "Without knobs, only curriculum: {kind: fixed} has anything to do"
            yield Finding(("env", "knobs"), must, "none", hint)
    size = _at(data, "population", "size")
    if kind in ("population", "population_regret") and whole(size) == 1:
        must = f"must be at least 2 for curriculum.kind: {kind}, which compares members"
        yield Finding(("population", "size"), must, "1", "For one member, use another curriculum")
    elif _at(data, "population", "reference") is True and whole(size) == 1:
        must = "must be at least 2 with population.reference: true"
        hint = "The reference is there for the other members to be compared with"
        yield Finding(("population", "size"), must, "1", hint)


def _stages(data: Any) -> Iterator[Finding]:
    stages = _at(data, "curriculum", "stages")
    if _at(data, "curriculum", "kind") != "stages" or not isinstance(stages, list):
        return
    knobs = _mapping(data, "env", "knobs")
    names = [_at(stage, "name") for stage in stages]
    for place, stage in enumerate(stages):
        key: Path = ("curriculum", "stages", place)
        if not isinstance(stage, dict):
            continue
        if isinstance(names[place], str) and names[place] in names[:place]:
            yield Finding((*key, "name"), "must be different from the others", show(names[place]))
        if place < len(stages) - 1:
            yield from _ends((*key, "until"), stage)
        elif stage.get("until") is not None:
            must = "must be left out of the last stage, since nothing follows it"
            yield Finding((*key, "until"), must, show(stage["until"]))
        for name, how in _mapping(stage, "knobs").items():
            at = (*key, "knobs", name)
            if name not in knobs:
                must = f"must be one of the knobs {', '.join(knobs) or '(there are none)'}"
                yield Finding(at, must, show(name), nearest(name, list(knobs)))
            elif isinstance(knobs[name], dict):
                yield from draw_findings(at, knobs[name], how)


def _ends(key: Path, stage: Mapping[str, Any]) -> Iterator[Finding]:
    until = stage.get("until")
    # Another word for it is an unknown key, and is said to be one.
    if until is None and set(stage) <= {"name", "knobs", "until"}:
        hint = "For example until: {measure: return, above: 400}"
        yield Finding(key, "must be given for every stage before the last", "nothing", hint)
    yield from _share((*key, "above"), until)
    above, measure = number(_at(until, "above")), _at(until, "measure")
    if measure in ("env_steps", "iterations") and above is not None and above <= 0:
        must = f"must be above 0 for measure: {measure}, or the stage is over at once"
        yield Finding((*key, "above"), must, show(above))


def _share(key: Path, section: Any) -> Iterator[Finding]:
    above = number(_at(section, "above"))
    if _at(section, "measure") == "success" and above is not None and not 0 < above <= 1:
        must = "must be above 0 and at most 1 for measure: success, a share of the episodes"
        yield Finding(key, must, show(above))


def _adr(data: Any) -> Iterator[Finding]:
    if _at(data, "curriculum", "kind") == "adr":
        yield from _share(("curriculum", "above"), _at(data, "curriculum"))


def _stop(data: Any) -> Iterator[Finding]:
    stop = _at(data, "stop")
    words = ("iterations", "env_steps", "minutes", "score")
    if isinstance(stop, dict) and all(stop.get(word) is None for word in words):
        if not set(stop) - set(words):
            must = "must hold at least one of iterations, env_steps, minutes and score"
            yield Finding(("stop",), must, "none", "For example stop: {iterations: 40}")
        return
    iterations = whole(_at(stop, "iterations"))
    interval = whole(_at(data, "population", "interval"))
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
    mini = whole(_at(data, *training, "minibatch_size"))
    batch = whole(_at(data, *training, "train_batch_size_per_learner"))
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
            if whole(seed) is not None and seed in seeds[:index]:
                must = "must be different from the other seeds"
                yield Finding(("seeds", index), must, show(seed))


def _loggers(data: Any) -> Iterator[Finding]:
    loggers = _at(data, "loggers")
    kinds: list[Any] = []
    for index, given in enumerate(loggers if isinstance(loggers, list) else ()):
        kind = given if isinstance(given, str) else _at(given, "kind")
        if isinstance(kind, str) and kind in kinds:
            yield Finding(("loggers", index), "must be of another kind than the others", show(kind))
        kinds.append(kind)


def _rllib_words(data: Any) -> Iterator[Finding]:
    """Words of RLlib's old stack, and keys that envolve owns, where RLlib's own keys stand."""
    for section in _RLLIB_SECTIONS:
        yield from _strangers(data, ("algorithm", section))
        for word, value in _mapping(data, "algorithm", section).items():
            if isinstance(value, dict) and list(value) == ["grid_search"]:
                key: Path = ("algorithm", section, word)
                hint = f"Write {{grid: {show(value['grid_search'])}}}"
                yield Finding(key, "must be a value, or a grid of values", show(value), hint)
    yield from _strangers(data, ("algorithm", "search"))
    for policy in _mapping(data, *_BY_POLICY):
        yield from _strangers(data, (*_BY_POLICY, policy))


def _strangers(data: Any, at: tuple[str, ...]) -> Iterator[Finding]:
    for word, value in _mapping(data, *at).items():
        ours = neighbour((*at, word))
        if ours is not None:
            must = f"must be a key of {key_text(at)}"
            yield Finding((*at, word), must, show(word), word_hint(word, ours, value))


_CHECKS = (
    _knobs,
    _condition,
    _curriculum,
    _stages,
    _adr,
    replay_findings,
    _stop,
    _batches,
    _evaluation,
    _seeds,
    _loggers,
    _rllib_words,
)
