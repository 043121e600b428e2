"""Calls that may take long, made one after the other on a thread of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any


class InBackground:
    """Makes calls in order, away from the thread that asks for them; the first that raises is
    the last.

    Attributes:
        failure: what that one raised; None while all went well.
    """

    def __init__(self, name: str) -> None:
        self.failure: Exception | None = None
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        # One that hangs must not keep the process from ending.
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have ``function(*arguments)`` called after what was asked for before."""
        if self.failure is None:
            self._calls.put(functools.partial(function, *arguments))

    def close(self) -> None:
        """Nothing more will be asked for."""
        self._calls.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait, after `close`, until everything was done, at most so long; whether it was."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if self.failure is not None:
                continue
            try:
                call()
            except Exception as error:
                self.failure = error
