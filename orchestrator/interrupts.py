"""SIGINT and SIGTERM while something must not be cut off in the middle."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Holds the first signal back while work is under way; the next one does what it used to.

    Attributes:
        number: the signal that came and was held back, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._at_work = False
        self._before: dict[int, Any] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle signals for the time of the block; nothing outside of the main thread.

        One that is ignored (by nohup, or in a shell's background) stays ignored.
        """
        if threading.current_thread() is threading.main_thread():
            for number in _NUMBERS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        try:
            yield
        finally:
            self._put_back()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """A signal that comes in this block is only noted."""
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False

    def raise_noted(self) -> None:
        """Raise what the signal that came would have raised; nothing if none came.

        Raises:
            KeyboardInterrupt: for SIGINT.
            SystemExit: with code 143, for SIGTERM.
        """
        # Once: whoever catches it and goes on is not stopped again by the same signal.
        number, self.number = self.number, None
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if number is not None:
            raise SystemExit(128 + number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._put_back()
        if not self._at_work:
            self.raise_noted()

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            # None: one that was not installed from Python, which nobody can put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}
