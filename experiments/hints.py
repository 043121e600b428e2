"""Small sentences: how a value is shown, and what it was probably meant to be."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from experiments.word_groups import Word


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Asks whether the nearest of the known words was meant, if one is near."""
    close = difflib.get_close_matches(word.lower(), known, 1, 0.6)
    close = close or [other for other in known if len(other) > 2 and word.startswith(other)]
    return f'Did you mean "{close[0]}"?' if close else None


def one_of(words: Sequence[str]) -> str:
    """Words as a choice: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def word_hint(word: str, ours: Word, value: Any) -> str:
    """Says what a neighbour's word is called here, and where it goes."""
    if ours.key is None:
        return ours.note
    example = ours.note.replace("VALUE", show(value))
    if ours.key == word:
        return f"Write {example}" if example else f"It goes to the section {word} of the file"
    if ours.key.split(".")[-1] == word:
        text = f"It goes to {ours.key}"
    elif "." in ours.key:
        text = f'"{word}" is {ours.key} here'
    else:
        text = f'"{word}" is called "{ours.key}" here'
    return f"{text}: {example}" if example else text


def show(value: Any) -> str:
    """A value as it may stand in a message: short, on one line, strings in quotes."""
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else (".inf" if value > 0 else "-.inf")
    text = json.dumps(value, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def value_hint(value: Any, must: str) -> str | None:
    """What a value of the wrong kind was probably meant to be."""
    wants_number = "number" in must
    if isinstance(value, str):
        return _text_hint(value, must)
    if isinstance(value, float) and "whole number" in must and value.is_integer():
        return f"Write {int(value)}"
    if isinstance(value, list) and len(value) == 1 and wants_number and "list" not in must:
        return f"Write {show(value[0])}; for one arm per value, {{grid: [...]}}"
    if isinstance(value, list) and wants_number and "list" not in must:
        return "For one arm per value, write {grid: [...]}"
    if "must be a list" in must and not isinstance(value, dict) and value is not None:
        return f"Write [{show(value)}]" if not isinstance(value, list) else None
    if isinstance(value, dict):
        return _mapping_hint(value)
    return None


def _mapping_hint(value: dict[str, Any]) -> str | None:
    if {"low", "high"} & set(value):
        return "What is searched goes under algorithm.search, what varies under env.knobs"
    if {"grid", "grid_search"} & set(value):
        return "For one arm per value, write {grid: [...]}, with nothing beside it"
    return None


def _text_hint(value: str, must: str) -> str | None:
    if must.startswith("must be a list"):
        return f"Write [{value}]" if value else None
    if "number" in must:
        bare = value.replace("_", "").replace(",", "")
        if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", bare):
            if bare == value:
                return f"Write {bare} without quotes"
            return f"Write {bare}: YAML 1.2 has no separators in numbers"
        if re.fullmatch(r"\d+(:\d+)+", value):
            return "YAML 1.2 reads what has a colon as text; write one number"
    if "true or false" in must and value.lower() in ("yes", "no", "on", "off", "y", "n"):
        meant = "true" if value.lower() in ("yes", "on", "y") else "false"
        return f"Write {meant}: YAML 1.2 reads {value} as text"
    if "letters" in must:
        cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", value).strip("-._")[:64]
        return f"For example {cleaned}" if cleaned else None
    words = re.findall(r"[a-z_]+", must.removeprefix("must be ").removeprefix("one of "))
    return nearest(value, [word for word in words if word not in ("or", "and", "a", "number")])
