"""A checkpoint is whole or not there; every changed byte of it is found and named."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator import checkpoints
from orchestrator.checkpoints import (
    MANIFEST,
    Damaged,
    directory,
    leftovers,
    link,
    remove,
    verify,
    write,
)

FACTS = {"arm": "main", "iteration": 8, "score": None}


def fill(into: Path) -> None:
    (into / "weights.bin").write_bytes(bytes(range(256)))
    (into / "learner" / "state").mkdir(parents=True)
    (into / "learner" / "state" / "adam.json").write_text('{"step": 1}')
    (into / "empty").touch()


def fill_otherwise(into: Path) -> None:
    (into / "weights.bin").write_bytes(b"other")


FILES = ["weights.bin", "learner/state/adam.json", "empty"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "members" / "main" / "checkpoints" / "000008"


def everything(root: Path) -> dict[str, bytes]:
    """Every file under a directory."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


def test_its_place_is_under_the_member() -> None:
    path = directory("wide", 3, 12, 8)
    assert str(path) == "members/wide/seed3/m12/checkpoints/000008"
    assert not path.is_absolute()
    assert str(directory("wide", 3, 12, 1_234_567)).endswith("/1234567")


def test_what_is_written_verifies(place: Path) -> None:
    _, digest = write(place, fill, FACTS)
    manifest = verify(place, digest)
    assert manifest == verify(place)
    assert {name: manifest[name] for name in FACTS} == FACTS
    assert manifest["v"] == 1
    assert set(manifest["files"]) == set(FILES)
    assert manifest["files"]["weights.bin"] == {
        "sha256": hashlib.sha256(bytes(range(256))).hexdigest(),
        "bytes": 256,
    }
    assert digest == hashlib.sha256((place / MANIFEST).read_bytes()).hexdigest()


def test_nothing_else_is_left_behind(place: Path) -> None:
    write(place, fill, FACTS)
    assert [each.name for each in place.parent.iterdir()] == ["000008"]


def test_the_same_contents_have_the_same_digest(place: Path) -> None:
    _, digest = write(place, fill, FACTS)
    assert write(place, fill, FACTS)[1] == digest
    assert write(place, fill, {})[1] != digest
    assert write(place, fill_otherwise, FACTS)[1] != digest


def test_it_is_movable(place: Path, tmp_path: Path) -> None:
    _, digest = write(place, fill, FACTS)
    assert str(tmp_path) not in (place / MANIFEST).read_text()
    moved = place.rename(tmp_path / "elsewhere")
    verify(moved, digest)


def test_what_stands_there_is_never_replaced(place: Path) -> None:
    first = write(place, fill, FACTS)
    second = write(place, fill_otherwise, FACTS)
    third = write(place, fill, FACTS)
    assert [taken.name for taken, _ in (first, second, third)] == ["000008", "000008-2", "000008-3"]
    for taken, digest in (first, second, third):
        verify(taken, digest)


def test_two_processes_that_save_the_same_iteration_both_keep_theirs(
    place: Path, tmp_path: Path
) -> None:
    """One was given up for dead, and writes on while its successor does the same work."""
    go = tmp_path / "go"
    script = (
        "import pathlib, sys, time\n"
        "from orchestrator.checkpoints import write\n"
        "place, go, text = map(pathlib.Path, sys.argv[1:])\n"
        "while not go.exists(): time.sleep(0.001)\n"
        "taken, digest = write(place, lambda into: (into / 'w').write_text(str(text)), {})\n"
        "print(taken, digest)\n"
    )
    command = [sys.executable, "-c", script, str(place), str(go)]
    writers = [
        subprocess.Popen([*command, text], stdout=subprocess.PIPE, text=True) for text in "abcd"
    ]
    go.touch()
    told = [writer.communicate(timeout=60)[0].split() for writer in writers]
    assert len({taken for taken, _ in told}) == len(writers)
    for taken, digest in told:
        verify(Path(taken), digest)


# Cut off


class Cut(Exception):
    """The process is gone in the middle."""


def fill_half(into: Path) -> None:
    (into / "weights.bin").write_bytes(b"half")
    raise Cut


def test_cut_off_while_filling_there_is_nothing(place: Path) -> None:
    with pytest.raises(Cut):
        write(place, fill_half, FACTS)
    assert not place.exists()
    with pytest.raises(Damaged):
        verify(place)
    verify(*write(place, fill, FACTS))
    assert set(everything(place)) == {*FILES, MANIFEST}


def test_cut_off_while_filling_the_older_one_stays(place: Path) -> None:
    _, digest = write(place, fill, FACTS)
    with pytest.raises(Cut):
        write(place, fill_half, FACTS)
    verify(place, digest)


def test_facts_that_json_lacks_leave_the_older_one(place: Path) -> None:
    _, digest = write(place, fill, FACTS)
    with pytest.raises(TypeError):
        write(place, fill, {"score": object()})
    verify(place, digest)


class Countdown:
    """Lets through so many calls on the file system, then cuts the process off."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*values: Any, **names: Any) -> Any:
            if self.left == 0:
                raise Cut(call.__name__)
            self.left -= 1
            return call(*values, **names)

        return counted


def test_at_each_step_there_is_nothing_or_all_of_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever call on the file system is the last one."""
    complete = everything(write(place, fill, FACTS)[0])
    cuts, found = set(), []
    for calls in range(40):
        again = place.with_name(f"{calls:06d}")
        with monkeypatch.context() as patched:
            until = Countdown(calls)
            patched.setattr(Path, "rename", until(Path.rename))
            patched.setattr(checkpoints, "_flush", until(checkpoints._flush))
            try:
                write(again, fill, FACTS)
            except Cut as cut:
                cuts.add(str(cut))
        found.append(everything(again) if again.exists() else None)
    assert cuts == {"rename", "_flush"}
    assert [each for each, _ in itertools.groupby(found)] == [None, complete]


def test_all_of_it_is_flushed_before_it_gets_its_name(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []
    flush = checkpoints._flush

    def noting(path: Path) -> None:
        flush(path)
        flushed.append((path.name, place.exists()))

    monkeypatch.setattr(checkpoints, "_flush", noting)
    write(place, fill, FACTS)
    before = {name for name, there in flushed if not there}
    temporary = f".000008.{os.getpid()}.tmp"
    assert before == {
        "weights.bin", "adam.json", "empty", "learner", "state", MANIFEST, temporary
    }  # fmt: skip
    assert flushed[-1] == ("checkpoints", True)


# Damaged


@pytest.mark.parametrize("name", [*FILES[:2], MANIFEST])
def test_a_changed_byte_anywhere_is_found_and_named(place: Path, name: str) -> None:
    _, digest = write(place, fill, FACTS)
    content = (place / name).read_bytes()
    for index in range(len(content)):
        damaged = bytearray(content)
        damaged[index] ^= 0x01
        (place / name).write_bytes(damaged)
        with pytest.raises(Damaged) as caught:
            verify(place, digest)
        assert str(place / name) in str(caught.value)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(place: Path, name: str) -> None:
    _, digest = write(place, fill, FACTS)
    (place / name).unlink()
    with pytest.raises(Damaged) as caught:
        verify(place, digest)
    assert str(place) in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_grew_is_named(place: Path, name: str) -> None:
    write(place, fill, FACTS)
    with (place / name).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(Damaged, match="its bytes are not those that were saved"):
        verify(place)


def test_a_file_that_became_a_directory_is_named(place: Path) -> None:
    write(place, fill, FACTS)
    (place / "empty").unlink()
    (place / "empty").mkdir()
    with pytest.raises(Damaged, match="empty: must be readable"):
        verify(place)


def test_a_checkpoint_that_is_not_there(place: Path) -> None:
    with pytest.raises(Damaged, match=f"{place}: a checkpoint must have a {MANIFEST}"):
        verify(place)


def test_another_than_the_journalled_one(place: Path) -> None:
    write(place, fill, FACTS)
    with pytest.raises(Damaged, match=f"{MANIFEST}: must have the journal's digest {'0' * 12}…"):
        verify(place, "0" * 64)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "\ufffe", "{}", '{"v": 1}', '{"v": 1, "files": []}',
     '{"v": 1, "files": {"a": 3}}', '{"v": 1, "files": {"a": {}}}'],
)  # fmt: skip
def test_a_manifest_that_is_none(place: Path, text: str) -> None:
    write(place, fill, FACTS)
    (place / MANIFEST).write_text(text)
    with pytest.raises(Damaged, match=f"{MANIFEST}: must be a manifest"):
        verify(place)


def test_a_manifest_in_no_encoding(place: Path) -> None:
    write(place, fill, FACTS)
    (place / MANIFEST).write_bytes(b"\xff\xfe{")
    with pytest.raises(Damaged, match="must be a manifest"):
        verify(place)


def test_a_manifest_of_another_version(place: Path) -> None:
    write(place, fill, FACTS)
    manifest = json.loads((place / MANIFEST).read_text())
    (place / MANIFEST).write_text(json.dumps({**manifest, "v": 2}))
    with pytest.raises(Damaged, match="`v` must be 1, but got 2"):
        verify(place)


# Links and removal


def test_a_link_is_the_same_checkpoint_and_outlives_the_first(place: Path, tmp_path: Path) -> None:
    _, digest = write(place, fill, FACTS)
    other = tmp_path / "best" / "main-seed0-m0-000008"
    link(place, other)
    assert everything(other) == everything(place)
    assert (other / "weights.bin").samefile(place / "weights.bin")
    remove(place)
    verify(other, digest)


def test_a_link_stays_what_it_was_when_the_first_is_written_anew(
    place: Path, tmp_path: Path
) -> None:
    _, digest = write(place, fill, FACTS)
    link(place, tmp_path / "other")
    write(place, fill_otherwise, FACTS)
    verify(tmp_path / "other", digest)


def test_a_link_replaces_what_was_there(place: Path, tmp_path: Path) -> None:
    write(place, fill, FACTS)
    link(place, tmp_path / "other")
    again, digest = write(place, fill_otherwise, FACTS)
    link(again, tmp_path / "other")
    verify(tmp_path / "other", digest)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["members", "other"]


def test_across_devices_a_link_is_a_copy(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(18, "Invalid cross-device link")

    _, digest = write(place, fill, FACTS)
    monkeypatch.setattr(os, "link", refuse)
    link(place, tmp_path / "other")
    assert not (tmp_path / "other" / "weights.bin").samefile(place / "weights.bin")
    verify(tmp_path / "other", digest)


def test_linking_what_is_not_there_leaves_nothing(place: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="000008"):
        link(place, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_is_removed_is_gone(place: Path) -> None:
    write(place, fill, FACTS)
    remove(place)
    assert [*place.parent.iterdir()] == []


def test_removing_what_is_not_there_is_no_error(place: Path) -> None:
    remove(place)
    assert not place.exists()


def test_a_removal_that_was_cut_off_is_not_in_the_way(place: Path) -> None:
    left = place.with_name(".000008.gone")
    write(left, fill, FACTS)
    _, digest = write(place, fill_otherwise, FACTS)
    verify(place, digest)
    remove(place)
    assert [*place.parent.iterdir()] == []


def test_what_was_left_unfinished_is_found(place: Path) -> None:
    write(place, fill, FACTS)
    left = [place.with_name(name) for name in (".000008.gone", ".000009.77.tmp")]
    for one in left:
        one.mkdir()
    assert [*leftovers(place.parent)] == sorted(left, key=lambda one: one.suffix, reverse=True)
