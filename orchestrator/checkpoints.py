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
    own = PurePosixPath("members", arm, f"seed{seed}", f"m{member}")
    return own / "checkpoints" / f"{iteration:06d}"


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
        else:
            _flush(file)
    manifest = {"v": VERSION, **facts, "files": files}
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    (temporary / MANIFEST).write_bytes(text)
    _flush(temporary / MANIFEST)
    _flush(temporary)
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
    manifest, expected = _read_manifest(place / MANIFEST, text)
    for name, sha256 in expected.items():
        try:
            found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        except OSError as error:
            raise Damaged(f"{place / name}: must be readable, but: {error}") from error
        if found != sha256:
            raise Damaged(f"{place / name}: its bytes are not those that were saved")
    return manifest


def _read_manifest(path: Path, text: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """A manifest, and the SHA-256 of each file that it names."""
    try:
        manifest: dict[str, Any] = json.loads(text)
        version = manifest["v"]
        files = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{path}: must be a manifest, but its bytes are none: {error!r}") from error
    if version != VERSION:
        raise Damaged(f"{path}: `v` must be {VERSION}, but got {version!r}")
    return manifest, files


def link(place: Path, other: Path) -> None:
    """The same checkpoint at another place as well: hard links, or copies across devices."""
    temporary = other.with_name(f".{other.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(place, temporary, copy_function=_link_file)
    _replace(temporary, other)


def remove(place: Path) -> None:
    """Remove a checkpoint; it is gone from its place in one step."""
    shutil.rmtree(_put_aside(place), ignore_errors=True)


def _link_file(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _replace(temporary: Path, place: Path) -> None:
    # The old one is deleted last, so that for no longer than two renames there is neither.
    aside = _put_aside(place)
    temporary.rename(place)
    _flush(place.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _put_aside(place: Path) -> Path:
    """Rename ``place``, if it is there, to a name under which nobody looks; returns that."""
    aside = place.with_name(f".{place.name}.gone")
    shutil.rmtree(aside, ignore_errors=True)
    if place.exists():
        place.rename(aside)
    return aside


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
