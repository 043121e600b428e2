"""Last words of envs that raise, and black boxes of processes that die: real ones, without Ray."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import DISTRIBUTIONS
from rllib_catalogue import METER, ByConstructor, ByMethod, Pair, meter

from orchestrator import black_box, env_faults
from orchestrator.distributions import Distribution
from orchestrator.env_faults import Guard, LastWords
from orchestrator.level_env import LevelEnv, MultiAgentLevelEnv
from orchestrator.levels import LevelInfo, Play

LEVEL: dict[str, Any] = {"gain": 2.5, "maze": [[0, 1], [1, 0]], "name": "Zürich"}


def nothing() -> None:
    """A reset that does nothing."""


# An env that raises


class Broken(ByMethod):
    """Pays up to 5; what would pay more breaks, in its third step."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        result = super().step(action)
        if self._gain > 5 and self._steps == 3:
            raise ValueError("too\nmuch")
        return result


class BrokenAtReset(ByMethod):
    """Cannot begin on a level that pays more than 5."""

    def set_level(self, level: dict[str, Any]) -> None:
        if level["gain"] > 5:
            raise KeyError("gain")
        super().set_level(level)


class BrokenWhenBuilt(ByConstructor):
    """Cannot be built for a level that pays more than 5."""

    def __init__(self, gain: float = 1.0, horizon: int = 3) -> None:
        super().__init__(gain, horizon)
        if gain > 5:
            raise OSError("no room")


class BrokenPair(Pair):
    """Two agents in an env that breaks in its third step where it pays more than 5."""

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        if self._gain > 5 and self._steps == 2:
            raise ValueError("too\nmuch")
        return super().step(action_dict)


def play(env: Any, action: Any) -> None:
    """Episodes until one breaks."""
    env.reset(seed=1)
    for _ in range(100):
        env.reset()
        for _ in range(3):
            env.step(action)


def built(level: Any) -> BrokenWhenBuilt:
    return BrokenWhenBuilt(**level)


@pytest.mark.parametrize(
    ("env", "where", "error"),
    [
        (LevelEnv(meter(Broken, revision=3)), "step", "ValueError: too much"),
        (LevelEnv(meter(BrokenAtReset, revision=3)), "reset", "KeyError: 'gain'"),
        (LevelEnv(meter(ByMethod, "rebuild", make=built, revision=3)), "reset", "OSError: no room"),
        (MultiAgentLevelEnv(meter(BrokenPair, revision=3)), "step", "ValueError: too much"),
    ],
    ids=["step", "reset", "rebuild", "agents"],
)
def test_the_first_that_raises_leaves_its_level_and_its_error_goes_on(
    tmp_path: Path, env: Any, where: str, error: str
) -> None:
    env.keep_words(tmp_path)
    agents = isinstance(env, MultiAgentLevelEnv)
    with pytest.raises((ValueError, KeyError, OSError)):
        play(env, {"a": 0, "b": 0} if agents else 0)
    words = env_faults.spoken(tmp_path)
    assert words is not None
    assert (words.where, words.error, words.revision) == (where, error, 3)
    assert words.level is not None
    assert METER.full().contains(words.level)
    assert words.level["gain"] > 5
    assert str(words) == f"{error} (in {where}(), on a level of revision 3)"
    # The next error is not at the root of the matter.
    env_faults.speak(tmp_path, LastWords("step", "another", None, None))
    assert env_faults.spoken(tmp_path) == words


def test_an_entry_of_a_suite_leaves_words_too(tmp_path: Path) -> None:
    env = LevelEnv(meter(Broken))
    env.keep_words(tmp_path)
    level = {"gain": 9.0, "horizon": 9}
    env.schedule([Play(0, level, 5)])
    with pytest.raises(ValueError, match="too"):
        play(env, 0)
    words = env_faults.spoken(tmp_path)
    assert words is not None
    assert words.level == level


def test_an_env_without_a_folder_raises_as_ever(tmp_path: Path) -> None:
    env = LevelEnv(meter(Broken))
    with pytest.raises(ValueError, match="too"):
        play(env, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = LevelEnv(meter(Broken))
    env.keep_words(tmp_path / "file" / "folder")
    with pytest.raises(ValueError, match="too"):
        play(env, 0)


def test_a_sound_env_leaves_no_words(tmp_path: Path) -> None:
    env = LevelEnv(meter(ByMethod))
    env.keep_words(tmp_path)
    for _ in range(20):
        env.reset()
        env.step(0)
    assert env_faults.spoken(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"where": "step"}', "\x00" * 20])
def test_half_written_words_count_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "words.json").write_text(text)
    assert env_faults.spoken(tmp_path) is None
    assert env_faults.last_words(str(tmp_path / "process")) is None


def test_words_are_plain_json(tmp_path: Path) -> None:
    level = {"gain": np.float64(2.5), "list": np.arange(3), "set": {1}}
    env_faults.speak(tmp_path, LastWords("step", "an error", level, 1))
    found = json.loads((tmp_path / "words.json").read_text())
    assert found["level"] == {"gain": 2.5, "list": [0, 1, 2], "set": "{1}"}


def test_a_folder_goes_unless_its_words_were_not_read(tmp_path: Path) -> None:
    for name, speaks in (("quiet", False), ("loud", True)):
        folder = tmp_path / name
        folder.mkdir()
        if speaks:
            env_faults.speak(folder, LastWords("step", "an error", None, None))
        env_faults.remove(folder)
        assert folder.exists() == speaks
    assert env_faults.last_words(str(tmp_path / "loud" / "process")) is not None


def test_a_run_begins_and_ends_without_flights(tmp_path: Path) -> None:
    folder = env_faults.new_folder(tmp_path)
    folder.mkdir(parents=True)
    with env_faults.flights(tmp_path):
        assert not folder.exists()
        folder.mkdir(parents=True)
    assert list(tmp_path.iterdir()) == []


# A process that dies


DIES = """
import ctypes, os, signal, sys
from pathlib import Path
from orchestrator.distributions import Distribution
from orchestrator.env_faults import Guard
from orchestrator.levels import LevelInfo

def sound(*arguments): pass

def dies(*arguments):
    match sys.argv[2]:
        case "exit": os._exit(3)
        case "segfault": ctypes.string_at(0)
        case "sys.exit": sys.exit(4)
        case "waits":
            print("inside", flush=True)
            sys.stdin.read()

guards = [Guard() for _ in range(40)]
for number, guard in enumerate(guards):
    guard.keep_words(Path(sys.argv[1]))
    guard.reset(LevelInfo({"number": number, "maze": [[0, 1]]}, 7), sound)
    guard.step(sound)(0)
if sys.argv[3] == "step":
    guards[33].step(dies)(0)
elif sys.argv[3] == "reset":
    guards[33].reset(LevelInfo({"number": "33, anew"}, 8), dies)
else:
    dies()
"""


def started(folder: Path, how: str, where: str) -> subprocess.Popen[str]:
    """A process with 40 envs, of which the 34th ends it."""
    return subprocess.Popen(
        [sys.executable, "-c", DIES, str(folder), how, where],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that lives and is inside of its 34th env's step."""
    process = started(tmp_path, "waits", "step")
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("how", "where"),
    [("exit", "step"), ("segfault", "step"), ("sys.exit", "step"), ("exit", "reset")],
)
def test_a_dead_process_tells_which_level_it_was_in(tmp_path: Path, how: str, where: str) -> None:
    process = started(tmp_path, how, where)
    process.communicate(timeout=60)
    assert process.returncode != 0
    words = env_faults.found_dead(tmp_path)
    assert words is not None
    level = {"number": 33, "maze": [[0, 1]]} if where == "step" else {"number": "33, anew"}
    revision = 7 if where == "step" else 8
    error = "the process died or was killed"
    assert words == LastWords(where, error, level, revision)


def test_a_process_that_dies_outside_of_its_envs_blames_none(tmp_path: Path) -> None:
    started(tmp_path, "exit", "elsewhere").communicate(timeout=60)
    assert len(list(tmp_path.glob("*.box"))) == 2
    assert env_faults.found_dead(tmp_path) is None


def test_a_process_that_lives_is_not_found_dead_until_it_is(
    tmp_path: Path, waiting: subprocess.Popen[str]
) -> None:
    assert env_faults.found_dead(tmp_path) is None
    os.kill(waiting.pid, signal.SIGKILL)
    waiting.wait()
    words = env_faults.found_dead(tmp_path)
    assert words is not None
    assert words.level == {"number": 33, "maze": [[0, 1]]}


def test_only_the_processes_that_are_asked_about_count(tmp_path: Path) -> None:
    started(tmp_path, "exit", "step").communicate(timeout=60)
    (name,) = {path.name.rsplit(".", 2)[0] for path in tmp_path.glob("*.box")}
    assert env_faults.found_dead(tmp_path, only=name) is not None
    assert env_faults.found_dead(tmp_path, only="another") is None
    assert env_faults.found_dead(tmp_path, but=name) is None
    assert env_faults.last_words(str(tmp_path / name)) is not None
    assert env_faults.last_words(str(tmp_path / "another")) is None


# The box


def doing_now(folder: Path) -> list[Any]:
    """What another process would read of this one's envs, had it died now."""
    (path,) = folder.glob("*.box")
    copy = folder / "copy"
    copy.mkdir()
    shutil.copy(path, copy)
    found = list(black_box.of_dead(copy))
    shutil.rmtree(copy)
    return found


def test_what_a_call_writes_is_there_while_it_lasts(tmp_path: Path) -> None:
    guard = Guard()
    guard.keep_words(tmp_path)
    seen: list[Any] = []

    def look(*action: Any) -> None:
        seen.extend([guard.doing, doing_now(tmp_path)])

    guard.reset(LevelInfo(LEVEL, 2), look)
    guard.step(look)(0)
    assert seen == ["reset", [("reset", 2, LEVEL)], "step", [("step", 2, LEVEL)]]
    assert doing_now(tmp_path) == []
    assert guard.level is not None
    assert dict(guard.level) == LEVEL


@pytest.mark.parametrize("long", ["x" * 5000, object()], ids=["too-long", "no-plain-data"])
def test_of_a_level_that_cannot_be_kept_its_revision_is(tmp_path: Path, long: Any) -> None:
    guard = Guard()
    guard.keep_words(tmp_path)
    seen: list[Any] = []
    guard.reset(LevelInfo({"maze": long}, 2), lambda: seen.extend(doing_now(tmp_path)))
    assert seen == [("reset", 2, None)]


def test_a_damaged_box_leaves_what_the_env_was_doing(tmp_path: Path) -> None:
    (tmp_path / "host-1.abcd.box").write_bytes(bytes([black_box.STEP]) + b"\xff" * 100)
    assert list(black_box.of_dead(tmp_path)) == [("step", None, None)]


def test_a_guard_that_moves_to_another_folder_leaves_the_first(tmp_path: Path) -> None:
    guard = Guard()
    guard.keep_words(tmp_path / "first")
    guard.reset(LevelInfo(LEVEL, 1), nothing)
    guard.step(abs)(0)
    guard.keep_words(tmp_path / "second")
    seen: list[Any] = []

    def look() -> None:
        seen.extend([doing_now(tmp_path / "first"), doing_now(tmp_path / "second")])

    guard.reset(LevelInfo(LEVEL, 2), look)
    guard.step(abs)(0)
    assert seen == [[], [("reset", 2, LEVEL)]]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS.keys())
def test_every_kind_of_level_is_read_as_it_was_drawn(
    tmp_path: Path, distribution: Distribution
) -> None:
    level = distribution.sample(np.random.default_rng(0))
    guard = Guard()
    guard.keep_words(tmp_path)
    seen: list[Any] = []
    guard.reset(LevelInfo(level, 0), lambda: seen.extend(doing_now(tmp_path)))
    assert seen == [("reset", 0, level)]


def test_slots_are_given_to_the_next_and_a_box_more_is_made(tmp_path: Path) -> None:
    slots = [black_box.claim(tmp_path) for _ in range(70)]
    assert len(list(tmp_path.glob("*.box"))) == 3
    assert len({(id(slot.memory), slot.at) for slot in slots}) == 70
    for slot in slots:
        slot.release()
        slot.release()
    again = [black_box.claim(tmp_path) for _ in range(90)]
    assert len({(id(slot.memory), slot.at) for slot in again}) == 90
    assert len(list(tmp_path.glob("*.box"))) == 3


def test_an_env_that_is_never_reset_makes_no_box(tmp_path: Path) -> None:
    env = LevelEnv(meter(ByMethod))
    env.keep_words(tmp_path)
    env.close()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_does_not_write_into_its_parents_boxes(tmp_path: Path) -> None:
    black_box.claim(tmp_path)
    child = os.fork()
    if child == 0:
        black_box.claim(tmp_path)
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.glob("*.box"))) == 2
