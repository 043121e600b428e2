"""Envs that raise, hang or die, and the level that made them: the last words of a member's envs.

Whatever happens to an env, the driver has to learn which level caused it, so that it can be
replayed; but an exception loses the level on its way through vector envs, pipes and actors, and
a process that dies says nothing at all. So each process of a member writes into a folder that
the driver reads when the member has failed: last words as a JSON file, or, where there was no
time for them, what is left in the process's `black_box`.

The folder is for the driver that is running alone; no resume reads it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

from orchestrator import black_box
from orchestrator.black_box import IDLE, RESET, STEP
from orchestrator.levels import LevelInfo

T = TypeVar("T")

#: Of a run's directory, while it runs.
FOLDER = "flight"
_WORDS = "words.json"
_LONGEST = 2000


@dataclass(frozen=True)
class LastWords:
    """Why an env could not go on.

    Attributes:
        where: ``reset`` or ``step``, whichever it was in.
        error: in one line.
        level: knob values of the episode; None if they are not known.
        revision: of the distribution that they were drawn from.
    """

    where: str
    error: str
    level: Mapping[str, Any] | None
    revision: int | None

    def __str__(self) -> str:
        at = "" if self.revision is None else f", on a level of revision {self.revision}"
        return f"{self.error} (in {self.where}(){at})"


class Guard:
    """Stands around a sub-env's ``reset`` and ``step``.

    Costs a step 0.05 microseconds and a reset 1.5.

    Attributes:
        timeout: seconds that one call may take; None: any time. `watchdog` sees to it.
        level: that of the episode under way.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.level: LevelInfo | None = None
        self._folder: Path | None = None
        self._slot: black_box.Slot | None = None
        self._step: Callable[[Any], Any] | None = None
        self._guarded: Callable[[Any], Any] | None = None

    def keep_words(self, folder: Path) -> None:
        """Leave last words in ``folder``, from the next reset on; at first they go nowhere."""
        self.close()
        self._folder = folder

    @property
    def doing(self) -> str:
        """``reset`` or ``step``, whichever the env is inside of."""
        return (self._slot and self._slot.doing) or "step"

    def reset(self, level: LevelInfo, call: Callable[..., T], *arguments: Any) -> T:
        """What ``call(*arguments)`` returns, which resets the env to ``level``."""
        slot = self._slot
        if slot is None:
            # Not before: envs that are built to be looked at are never reset.
            slot = self._slot = black_box.claim(self._folder)
        self.level = level
        slot.note(level.revision, level.plain())
        slot.memory[slot.at] = RESET
        try:
            result = call(*arguments)
        except Exception as error:
            self.failed("reset", in_one_line(error))
            raise
        slot.memory[slot.at] = IDLE
        return result

    def step(self, step: Callable[[Any], T]) -> Callable[[Any], T]:
        """The env's ``step``, guarded; after a `reset`, and until the next."""
        if self._guarded is None or step != self._step:
            self._step, self._guarded = step, self._around(step)
        return self._guarded

    def _around(self, step: Callable[[Any], T]) -> Callable[[Any], T]:
        assert self._slot is not None
        memory, at = self._slot.memory, self._slot.at

        def guarded(action: Any) -> T:
            memory[at] = STEP
            try:
                result = step(action)
            except Exception as error:
                self.failed("step", in_one_line(error))
                raise
            memory[at] = IDLE
            return result

        return guarded

    def failed(self, where: str, error: str) -> None:
        """Leave last words, and the call."""
        if self._slot is not None:
            self._slot.memory[self._slot.at] = IDLE
        if self._folder is not None:
            level = self.level
            plain, revision = (None, None) if level is None else (level.plain(), level.revision)
            speak(self._folder, LastWords(where, error, plain, revision))

    def close(self) -> None:
        """Give up its place in the black box, until the next reset."""
        if self._slot is not None:
            self._slot.release()
            self._slot = self._guarded = None


def _codes() -> frozenset[CodeType]:
    nested = (code for code in Guard._around.__code__.co_consts if isinstance(code, CodeType))
    return frozenset({Guard.reset.__code__, *nested})


_GUARDED = _codes()


def guard_of(frame: FrameType) -> Guard | None:
    """Whose call a frame of the interpreter is; None if it is no guard's."""
    if frame.f_code not in _GUARDED:
        return None
    guard: Guard | None = frame.f_locals.get("self")
    return guard


@contextlib.contextmanager
def flights(run_dir: Path) -> Iterator[None]:
    """While a run's members work: begins and ends without anybody's folder."""
    shutil.rmtree(run_dir / FOLDER, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(run_dir / FOLDER, ignore_errors=True)


def new_folder(run_dir: Path) -> Path:
    """A name for the folder of a process and its env runners; made when it is first needed."""
    return run_dir / FOLDER / secrets.token_hex(8)


def trace(folder: Path) -> str:
    """Where to look should this process fail: its folder and, in it, its own black boxes."""
    return str(folder / black_box.process())


def last_words(trace: str) -> LastWords | None:
    """Why an env of the process that left this `trace` could not go on; None if none was in it.

    A process that lives, or that died outside of its envs' calls, was not ended by an env.
    """
    folder, process = Path(trace).parent, Path(trace).name
    return spoken(folder) or found_dead(folder, only=process)


def remove(folder: Path) -> None:
    """Remove a process's folder, unless there are last words that nobody has read."""
    if not (folder / _WORDS).exists():
        shutil.rmtree(folder, ignore_errors=True)


def speak(folder: Path, words: LastWords) -> None:
    """Write down last words, whole or not at all; the first ones stand, and it never raises."""
    path = folder / _WORDS
    temporary = folder / f".{_WORDS}.{secrets.token_hex(4)}"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(_encode(dataclasses.asdict(words)))
            temporary.replace(path)
    except OSError:
        # Without them the fault is recorded all the same, only without its level.
        return


def spoken(folder: Path) -> LastWords | None:
    """The last words in ``folder``."""
    try:
        return LastWords(**json.loads((folder / _WORDS).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def post_mortem(folder: Path) -> None:
    """Have last words in ``folder`` for a process other than this one that died without any."""
    if spoken(folder) is None:
        words = found_dead(folder, but=black_box.process())
        if words is not None:
            speak(folder, words)


def found_dead(
    folder: Path, *, only: str | None = None, but: str | None = None
) -> LastWords | None:
    """What is known of a process that died while one of its envs was in a call.

    Args:
        only, but: which processes, as `black_box.of_dead` has it.
    """
    for doing, revision, level in black_box.of_dead(folder, only=only, but=but):
        # One that was killed from outside leaves the same.
        return LastWords(doing, "the process died or was killed", level, revision)
    return None


def in_one_line(error: BaseException) -> str:
    """Kind and message of an error."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST]


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's; what JSON lacks as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


_encode = json.JSONEncoder(default=_plain, separators=(",", ":")).encode
