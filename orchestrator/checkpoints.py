"""Checkpoints on disk: whole, verified, movable.

A checkpoint is a directory with a manifest, which holds what the member was (facts) and the
SHA-256 of every other file. It is written beside its place and renamed into it, so that
under its final name there is either nothing or all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
VERSION = 1


class Damaged(ValueError):
    """A checkpoint is missing, incomplete, or not the one that was journalled."""


def directory(arm: str, seed: int, member: int, iteration: int) -> PurePosixPath:
    """A checkpoint's place, relative to the run directory."""
    return PurePosixPath("members", arm, f"seed{seed}", f"m{member}", "checkpoints", f"{iteration:06d}")


def write(place: Path, fill: Callable[[Path], None], facts: Mapping[str, Any]) -> str:
    """Write a checkpoint at ``place`` and flush it to disk; returns its manifest's SHA-256.

    Args:
        fill: writes the payload into the (empty) directory that it is given.
        facts: JSON values for the manifest.
    """
    temporary = place.with_name(f".{place.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    fill(temporary)
    files = {}
    for file in sorted(temporary.rglob("*")):
        if file.is_file():
            _flush(file)
            content = file.read_bytes()
            name = file.relative_to(temporary).as_posix()
            files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest = {"v": VERSION, **facts, "files": files}
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    (temporary / MANIFEST).write_bytes(text)
    _flush(temporary / MANIFEST)
    _replace(temporary, place)
    return hashlib.sha256(text).hexdigest()


def verify(place: Path, digest: str | None = None) -> dict[str, Any]:
    """Check every byte against the manifest, and the manifest against ``digest``; returns it.

    Raises:
        Damaged: naming the file that is missing or differs.
    """
    try:
        text = (place / MANIFEST).read_bytes()
    except OSError as error:
        raise Damaged(f"{place}: a checkpoint must have a {MANIFEST}, but: {error}") from error
    if digest is not None and hashlib.sha256(text).hexdigest() != digest:
        raise Damaged(f"{place / MANIFEST}: must have the journal's digest {digest[:12]}…")
    manifest: dict[str, Any] = json.loads(text)
    for name, expected in manifest["files"].items():
        try:
            found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        except OSError as error:
            raise Damaged(f"{place / name}: must be readable, but: {error}") from error
        if found != expected["sha256"]:
            raise Damaged(f"{place / name}: its bytes are not those that were saved")
    return manifest


def link(place: Path, other: Path) -> None:
    """The same checkpoint at another place as well: hard links, or copies across devices."""
    temporary = other.with_name(f".{other.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(place, temporary, copy_function=_link_file)
    _replace(temporary, other)


def remove(place: Path) -> None:
    """Remove a checkpoint; it is gone from its place in one step."""
    if place.exists():
        doomed = place.with_name(f".{place.name}.gone")
        shutil.rmtree(doomed, ignore_errors=True)
        place.rename(doomed)
        shutil.rmtree(doomed)


def _link_file(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _replace(temporary: Path, place: Path) -> None:
    remove(place)
    temporary.rename(place)
    _flush(place.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
