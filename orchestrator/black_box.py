"""What an env was playing when its process died: a small file per process that outlives it.

Every sub-env of a process has a slot: one byte that says whether it is inside ``reset`` or
``step`` now, and its episode's level, as `marshal` has it (four times as fast as JSON; unlike
pickle, reading it runs no code). The file is mapped into memory, so that writing costs what
a write to memory costs (a step: two bytes), and what was written is there after any death of the
process, a segmentation fault included. A process holds a lock on its file while it lives; who
finds the lock free knows that the process is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import mmap
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

Doing = Literal["reset", "step"]

IDLE, RESET, STEP = 0, 1, 2
_DOING: dict[int, Doing] = {RESET: "reset", STEP: "step"}
#: Bytes of a slot; a level that takes more is not kept.
SLOT = 2048
_SLOTS = 32
_SUFFIX = ".box"


class Slot:
    """One sub-env's part of a box.

    Attributes:
        memory, at: the box, and where the slot begins in it: the byte there is `IDLE`,
            `RESET` or `STEP`. Public, because a step has no time for a method call.
    """

    def __init__(self, memory: mmap.mmap | bytearray, at: int, free: list[int]) -> None:
        self.memory = memory
        self.at = at
        self._free = free
        self.memory[at] = IDLE

    @property
    def doing(self) -> Doing | None:
        """What the env is inside of now."""
        return _DOING.get(self.memory[self.at])

    def note(self, revision: int, level: Mapping[str, Any]) -> None:
        """Write down the episode that begins: its revision, and its level if that can be kept."""
        episode: Any = (revision, level)
        try:
            data = marshal.dumps(episode)
        except ValueError:
            data = marshal.dumps((revision, None))
        if len(data) >= SLOT:
            data = marshal.dumps((revision, None))
        begin = self.at + 1
        self.memory[begin : begin + len(data)] = data

    def release(self) -> None:
        """Give the slot to the next env of this process that claims one."""
        self.memory[self.at] = IDLE
        if self.at not in self._free:
            self._free.append(self.at)


class _Box:
    """One file of slots."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{process()}.{secrets.token_hex(4)}{_SUFFIX}"
        # Open as long as the process lives: closing it would give up the lock.
        self._file = path.open("x+b")
        try:
            # Written, not only made longer: on a full disk this raises; touching a hole would kill.
            self._file.write(bytes(SLOT * _SLOTS))
            self._file.flush()
            with contextlib.suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._memory = mmap.mmap(self._file.fileno(), SLOT * _SLOTS)
        except OSError:
            self._file.close()
            path.unlink()
            raise
        self.free = [SLOT * place for place in reversed(range(_SLOTS))]

    def slot(self) -> Slot:
        return Slot(self._memory, self.free.pop(), self.free)


_boxes: dict[Path, list[_Box]] = {}
# A forked child that wrote into its parent's boxes would speak for its parent.
os.register_at_fork(after_in_child=_boxes.clear)


def process() -> str:
    """A name for this process, on this machine and among those that share a run's storage."""
    return f"{socket.gethostname()}-{os.getpid()}"


def claim(folder: Path | None) -> Slot:
    """A slot of a box of this process in ``folder``.

    Without a folder, or where no file can be written, it is one that nobody will read: an env
    runs on without it.
    """
    if folder is not None:
        boxes = _boxes.setdefault(folder, [])
        try:
            if not any(box.free for box in boxes):
                boxes.append(_Box(folder))
            return next(box for box in boxes if box.free).slot()
        except OSError:
            pass
    return Slot(bytearray(SLOT), 0, [])


def of_dead(
    folder: Path, *, only: str | None = None, but: str | None = None
) -> Iterator[tuple[Doing, int | None, Mapping[str, Any] | None]]:
    """What envs were doing whose process died inside one; their revisions and levels, if known.

    Args:
        only: the one process to look at, as `process` names it.
        but: a process not to look at. A process must leave its own boxes out: to ask for one's
            own lock is to lose it.
    """
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        owner = path.name.rsplit(".", 2)[0]
        if owner == but or only not in (None, owner) or not _is_dead(path):
            continue
        data = path.read_bytes()
        for at in range(0, len(data), SLOT):
            doing = _DOING.get(data[at])
            if doing is not None:
                yield doing, *_episode(data[at + 1 : at + SLOT])


def _episode(data: bytes) -> tuple[int | None, Mapping[str, Any] | None]:
    try:
        revision, level = marshal.loads(data)
    except (ValueError, EOFError, TypeError):
        return None, None
    return revision, level


def _is_dead(path: Path) -> bool:
    try:
        with path.open("r+b") as file:
            _try_lock(file)
    except OSError:
        return False
    return True


def _try_lock(file: IO[bytes]) -> None:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
