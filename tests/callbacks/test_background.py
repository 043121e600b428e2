"""Calls on a thread of their own."""

from __future__ import annotations

import threading

from callbacks.background import InBackground


def fail(what: str) -> None:
    raise OSError(what)


def done(thread: InBackground) -> bool:
    thread.close()
    return thread.wait(10)


def test_calls_are_made_in_order_and_elsewhere() -> None:
    thread, seen = InBackground("made-here"), []
    for number in range(3):
        thread.call(lambda number: seen.append((number, threading.current_thread().name)), number)
    assert done(thread)
    assert seen == [(0, "made-here"), (1, "made-here"), (2, "made-here")]
    assert thread.failure is None


def test_the_first_that_raises_is_the_last() -> None:
    thread, seen, held = InBackground("made-here"), [], threading.Event()
    thread.call(held.wait, 10)
    thread.call(fail, "the disk is full")
    thread.call(seen.append, 1)
    held.set()
    assert done(thread)
    assert repr(thread.failure) == "OSError('the disk is full')"
    assert seen == []
    thread.call(seen.append, 2)
    assert seen == []


def test_one_that_hangs_is_waited_for_only_so_long() -> None:
    thread, held = InBackground("made-here"), threading.Event()
    thread.call(held.wait, 10)
    thread.close()
    assert not thread.wait(0.01)
    held.set()
    assert thread.wait(10)
