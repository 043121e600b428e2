"""Checkpoints on disk: whole, verified, movable.

A checkpoint is a directory with a manifest, which holds what the member was (facts) and the
SHA-256 of every other file. It is written beside its place and renamed into it, so that
under its final name there is either nothing or all of it. What stands under a final name is
never replaced: a process that was given up for dead and still writes cannot change what its
successor has journalled.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator import crash_points

MANIFEST = "manifest.json"
VERSION = 1
_FLUSHED_AT_ONCE = 16


class Damaged(ValueError):
    """A checkpoint is missing, incomplete, or not the one that was journalled."""


def directory(arm: str, seed: int, member: int, iteration: int) -> PurePosixPath:
    """A checkpoint's place, relative to the run directory."""
    own = PurePosixPath("members", arm, f"seed{seed}", f"m{member}")
    return own / "checkpoints" / f"{iteration:06d}"


def write(place: Path, fill: Callable[[Path], None], facts: Mapping[str, Any]) -> tuple[Path, str]:
    """Write a checkpoint and flush it to disk; returns where it is and its manifest's SHA-256.

    Where ``place`` is taken it gets the next free name: ``000016-2``, ``000016-3``, ...

    Args:
        fill: writes the payload into the (empty) directory that it is given.
        facts: JSON values for the manifest.

    Raises:
        OSError: if the disk does not take it; nothing is left behind then.
    """
    temporary = _temporary(place)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        crash_points.reached("checkpoint.begun")
        fill(temporary)
        crash_points.reached("checkpoint.filled")
        digest = _seal(temporary, facts)
        crash_points.reached("checkpoint.sealed")
        taken = _publish(temporary, place)
    except BaseException:
        # The space that it took may be what others need to end in order.
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    crash_points.reached("checkpoint.published")
    return taken, digest


def _seal(temporary: Path, facts: Mapping[str, Any]) -> str:
    """Flush every file, write the manifest; returns its SHA-256."""
    paths = sorted(temporary.rglob("*"))
    # At once: one after another, each would wait for the disk by itself (ten times longer).
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as pool:
        list(pool.map(_flush, paths))
    files = {}
    for file in paths:
        if file.is_file():
            content = file.read_bytes()
            name = file.relative_to(temporary).as_posix()
            files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest = {"v": VERSION, **facts, "files": files}
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    (temporary / MANIFEST).write_bytes(text)
    _flush(temporary / MANIFEST)
    _flush(temporary)
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


def digest_of(place: Path) -> str:
    """SHA-256 of a checkpoint's manifest, which names those of all its files."""
    return hashlib.sha256((place / MANIFEST).read_bytes()).hexdigest()


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
    temporary = _temporary(other)
    shutil.rmtree(temporary, ignore_errors=True)
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(place, temporary, copy_function=_link_file)
    _replace(temporary, other)


def remove(place: Path) -> None:
    """Remove a checkpoint; it is gone from its place in one step."""
    aside = _put_aside(place)
    crash_points.reached("prune.aside")
    shutil.rmtree(aside, ignore_errors=True)


def leftovers(directory: Path) -> Iterator[Path]:
    """What writing and removing in ``directory`` left unfinished, in processes that died."""
    for pattern in (".*.tmp", ".*.gone"):
        yield from sorted(directory.glob(pattern))


def _link_file(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _temporary(place: Path) -> Path:
    # Named after the process: another one may be writing the same checkpoint.
    return place.with_name(f".{place.name}.{os.getpid()}.tmp")


def _publish(temporary: Path, place: Path) -> Path:
    """Rename into the first free name; renaming onto a checkpoint fails, in whatever process."""
    for number in itertools.count(1):
        free = place if number == 1 else place.with_name(f"{place.name}-{number}")
        try:
            temporary.rename(free)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue
            raise
        _flush(place.parent)
        return free
    raise AssertionError("some name is free")


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
