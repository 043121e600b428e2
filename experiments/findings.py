"""What pydantic finds wrong with a file, in the words of the file.

Here alone is known how pydantic reports: its error types, and the union tags in its `loc`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from experiments.fields import MUST, TAG
from experiments.hints import nearest, one_of, show, value_hint, word_hint
from experiments.kind_words import NEEDLESS, OTHER_KINDS, UNAVAILABLE
from experiments.nodes import KINDED
from experiments.problems import key_text
from experiments.spec import Experiment
from experiments.words import matches, neighbour

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """What is wrong with one key, not yet placed in a file."""

    key: Path
    must: str
    found: str
    hint: str | None = None


def validate(data: Any) -> tuple[Experiment | None, list[Finding]]:
    """An experiment, or else everything that is wrong with single keys of it."""
    try:
        return Experiment.model_validate(data), []
    except ValidationError as error:
        entries = error.errors(include_url=False)
    unknown = [entry for entry in entries if entry["type"] == "extra_forbidden"]
    # A key under a neighbour's name is one mistake, not an unknown key and a missing one.
    meant = {_meant(_keys(entry), _tags(entry)) for entry in unknown}
    return None, [
        _finding(entry, data)
        for entry in entries
        if not (entry["type"] == "missing" and _keys(entry) in meant)
        # Pydantic also counts the entries of a list that are right, when others are wrong.
        and entry["type"] != "too_short"
    ]


def _meant(key: Path, tags: Sequence[str]) -> Path | None:
    """The key path that a neighbour's word stands for."""
    ours = neighbour(key, tags)
    if ours is None or ours.key is None:
        return None
    return tuple(ours.key.split(".")) if "." in ours.key else (*key[:-1], ours.key)


def _keys(entry: Mapping[str, Any]) -> Path:
    return tuple(part for part in entry["loc"] if not str(part).startswith(TAG))


def _tags(entry: Mapping[str, Any]) -> list[str]:
    """Of each union on the way, which of its sections is meant."""
    return [str(part)[1:] for part in entry["loc"] if str(part).startswith(TAG)]


def _finding(entry: Mapping[str, Any], data: Any) -> Finding:
    key = _keys(entry)
    kind, value = entry["type"], entry["input"]
    if kind == "missing":
        return Finding(key, "must be given", "nothing", _EXAMPLES.get(str(key[-1])))
    if kind == "extra_forbidden":
        return unknown_key(key, data, _tags(entry))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _kind(key, value)
    if kind == MUST:
        return Finding(key, entry["msg"], show(value), value_hint(value, entry["msg"]))
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return Finding(key, "must be a mapping", show(value), _section_hint(key, value))
    raise AssertionError(f"a pydantic error without words: {kind} at {key}")


_EXAMPLES: Mapping[str, str] = {
    "envolve": "Write envolve: 1, the version of this format",
    "name": "For example name: cartpole-robust",
    "env": "For example env: {id: CartPole}",
    "id": "For example id: CartPole",
    "stop": "For example stop: {iterations: 40}",
    "stages": "For example stages: [{name: easy, until: {...}}, {name: hard, knobs: {...}}]",
    "measure": "One of score, return, success, env_steps and iterations",
    "above": "For example above: 400",
    "below": "For example below: 100",
}


def _kind(key: Path, value: Any) -> Finding:
    kinds = _kinds_at(key)
    must = f"must be {one_of(kinds)}"
    if not isinstance(value, dict):
        hint = f"Write {{kind: {value}}}" if value in kinds else f"For example {{kind: {kinds[0]}}}"
        return Finding(key, "must be a mapping with a kind", show(value), hint)
    at = (*key, "kind")
    named = value.get("kind")
    if not isinstance(named, str):
        return Finding(at, must, show(named) if "kind" in value else "nothing")
    meant, section = nearest(named, kinds), _kinded(key)
    if named in UNAVAILABLE.get(section, ()):
        meant = f'"{named}" is not available in this version'
    elif named in NEEDLESS.get(section, {}):
        meant = NEEDLESS[section][named]
    elif named in OTHER_KINDS.get(section, {}):
        meant = f'"{named}" is called "{OTHER_KINDS[section][named]}" here'
    return Finding(at, must, show(named), meant)


def _kinds_at(key: Path) -> list[str]:
    return [str(tag) for tag, _ in _kinds_of(_kinded(key))]


def _kinds_of(section: Path) -> list[tuple[str | None, type[BaseModel]]]:
    """Each kind of a section that has one, with the class of such a section."""
    above = _model_at(Experiment, section[:-1], ())
    assert above is not None
    return _models(above.model_fields[str(section[-1])].annotation)


def _kinded(key: Path) -> Path:
    """The section with a `kind` that stands at a key; in a list of them, what the list is."""
    return key[:-1] if key and isinstance(key[-1], int) else key


def _section_hint(key: Path, value: Any) -> str | None:
    if any(matches(pattern, key[:-1]) for pattern in _KNOBS):
        if isinstance(value, list):
            return "Write {choices: [...]}, or {low: ..., high: ...}"
        return "Write {low: ..., high: ...}" + (
            "; what never changes goes under env.config" if key[0] == "env" else ""
        )
    if key[-1:] == ("start",) and isinstance(value, int | float):
        return f"A point is written {{low: {value}, high: {value}}}"
    if value is None:
        return "Leave the key out for its defaults"
    return None


def unknown_key(key: Path, data: Any, tags: Sequence[str]) -> Finding:
    """An unknown key, with our word for it, or the nearest key there, or where it belongs."""
    known = _known_keys(key[:-1], tags)
    hint = _key_hint(key, _look(data, key), known, tags)
    if hint is None:
        return Finding(key, f"must be one of {', '.join(known)}", show(key[-1]))
    section = key_text(key[:-1])
    must = f"must be a key of {section}" if section else "must be a section of the file"
    return Finding(key, must, show(key[-1]), hint)


def _key_hint(key: Path, value: Any, known: Sequence[str], tags: Sequence[str]) -> str | None:
    """What to write instead of a key that does not exist where it stands."""
    word = str(key[-1])
    ours = neighbour(key, tags)
    if ours is not None:
        return word_hint(word, ours, value)
    kinds = _kinds_with(key)
    if kinds:
        return f"It is a key of kind: {one_of(kinds)}"
    close = nearest(word, known)
    if close is not None:
        return close
    if any(matches(pattern, key[:-2]) for pattern in _KNOBS) and word in _FORM_KEYS:
        return "A knob is a range, or choices, or a simplex, or cells: one form only"
    homes = {path for path in _HOMES.get(word, ()) if path[:-1] != key[:-1]}
    return f"It goes to {'.'.join(homes.pop())}" if len(homes) == 1 else None


def _kinds_with(key: Path) -> list[str]:
    """The kinds of a section that have a key, of those that can be chosen for it."""
    section, word = _kinded(key[:-1]), str(key[-1])
    if section not in KINDED:
        return []
    return [str(kind) for kind, model in _kinds_of(section) if word in model.model_fields]


#: Mappings of the user's own names, to knobs or to searched keys.
_KNOBS: tuple[Path, ...] = (
    ("env", "knobs"),
    ("algorithm", "search"),
    ("algorithm", "policy_search", "*"),
    ("curriculum", "search"),
    ("curriculum", "stages", "*", "knobs"),
)
_NAMED = (*_KNOBS, ("algorithm", "policy_search"))
_FORM_KEYS = ("low", "high", "scale", "integer", "choices", "simplex", "cells")


def _look(data: Any, key: Path) -> Any:
    for part in key:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _known_keys(parent: Path, tags: Sequence[str]) -> list[str]:
    model = _model_at(Experiment, parent, tags)
    keys = list(model.model_fields) if model is not None else []
    return keys if parent else [*keys, "arms"]


def _model_at(model: type[BaseModel], path: Path, tags: Sequence[str]) -> type[BaseModel] | None:
    """The section class that stands at a key path; of each union, the member with a tag."""
    for index, part in enumerate(path):
        if isinstance(part, int) or any(matches(pattern, path[:index]) for pattern in _NAMED):
            # A place in a list, or a name of the user's own, which may be a word of ours as well.
            continue
        if part not in model.model_fields:
            return None
        found = _models(model.model_fields[part].annotation)
        if not found:
            return None
        model = next((m for tag, m in found if tag in tags), found[0][1])
    return model


def _models(annotation: Any) -> list[tuple[str | None, type[BaseModel]]]:
    """Section classes within an annotation, each with its union tag."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(None, annotation)]
    found: list[tuple[str | None, type[BaseModel]]] = []
    marks = [m.tag[1:] for m in getattr(annotation, "__metadata__", ()) if hasattr(m, "tag")]
    for argument in getattr(annotation, "__args__", ()):
        for tag, model in _models(argument):
            found.append((marks[0] if marks else tag, model))
    return found


def _homes(model: type[BaseModel], at: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    homes: dict[str, list[tuple[str, ...]]] = {}
    for name, info in model.model_fields.items():
        homes.setdefault(name, []).append((*at, name))
        for _, inner in _models(info.annotation):
            if name not in ("knobs", "search", "policy_search"):
                for word, paths in _homes(inner, (*at, name)).items():
                    homes.setdefault(word, []).extend(paths)
    return homes


_HOMES = _homes(Experiment, ())
