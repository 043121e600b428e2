"""Every random stream of a run, derived from a readable key.

A key such as ``(seed, arm, member, "levels", counter)`` names one stream. The same key gives the
same stream in every process and every Python version; different keys give independent streams.
"""

from __future__ import annotations

import hashlib
import json
import operator

import numpy as np

__all__ = ["generator", "seed"]


def generator(*key: str | int) -> np.random.Generator:
    """A PCG64 generator seeded with the SHA-256 of the key's JSON.

    Raises:
        ValueError: if the key is empty or has a part that is neither a string nor a whole number.
    """
    return np.random.Generator(np.random.PCG64(int.from_bytes(_digest(key), "big")))


def seed(*key: str | int) -> int:
    """A whole number in [0, 2**31) from the same digest, for libraries that take an integer seed.

    Raises:
        ValueError: as `generator`.
    """
    return int.from_bytes(_digest(key)[:4], "big") & 0x7FFF_FFFF


def _digest(key: tuple[str | int, ...]) -> bytes:
    if not key:
        raise ValueError("a random stream's key must have at least one part, but got none")
    text = json.dumps([_part(part) for part in key], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()


def _part(part: object) -> str | int:
    if isinstance(part, str):
        return str(part)
    if not isinstance(part, bool) and hasattr(part, "__index__"):
        return operator.index(part)
    raise ValueError(
        "a part of a random stream's key must be a string or a whole number, "
        f"but got {part!r} of type {type(part).__name__}"
    )
