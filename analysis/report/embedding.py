"""Data, scripts and styles inside a page, so that nothing in them can end their element."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

_ESCAPED = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&"})


def data(value: Any) -> Markup:
    """JSON for a script element.

    All characters but plain ASCII, and those that HTML gives a meaning to, are written as JSON
    escapes.

    Args:
        value: of JSON's types, dataclasses, mappings and NumPy's numbers.

    Raises:
        ValueError: for a number that is not finite.
        TypeError: for anything else.
    """
    text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPED))


def script(text: str) -> Markup:
    """The source of a script element.

    Raises:
        ValueError: if it would end, or hide the end of, its element.
    """
    return _source(text, "</script", "<!--")


def style(text: str) -> Markup:
    """The source of a style element.

    Raises:
        ValueError: if it would end its element.
    """
    return _source(text, "</style")


def policy(scripts: Iterable[str]) -> str:
    """A Content-Security-Policy that lets these scripts run and the page load nothing at all."""
    hashes = " ".join(f"'sha256-{_sha256(text)}'" for text in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _source(text: str, *forbidden: str) -> Markup:
    lower = text.lower()
    for mark in forbidden:
        if mark in lower:
            raise ValueError(f"a script or a style must not contain {mark!r}, but one does")
    return Markup(text)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a page holds JSON alone, but got {type(value).__name__}")
