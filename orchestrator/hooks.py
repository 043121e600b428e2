"""Hooks in Ray's loop never raise: an error inside one becomes a fault in the journal."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from orchestrator.ledger import Ledger
from orchestrator.records import Fault

_log = logging.getLogger("envolve")
H = TypeVar("H", bound=Callable[..., Any])


class _HasLedger(Protocol):
    @property
    def ledger(self) -> Ledger: ...


def never_raises(instead: Any) -> Callable[[H], H]:
    """Make a hook method return ``instead`` and record a fault where it would raise.

    Ray ends the whole experiment, or loses the model it was about to register, when a hook
    raises.
    """

    def wrap(hook: H) -> H:
        @functools.wraps(hook)
        def guarded(self: _HasLedger, *args: Any, **kwargs: Any) -> Any:
            try:
                return hook(self, *args, **kwargs)
            except Exception as error:
                if error is self.ledger.unwritable:
                    # No fault of the hook's, and there is no journal to put one into.
                    return instead
                where = f"{type(self).__name__}.{hook.__name__}"
                _report(self.ledger, where, error)
                return instead

        return guarded  # type: ignore[return-value]

    return wrap


def _report(ledger: Ledger, where: str, error: Exception) -> None:
    _log.error("%s failed:\n%s", where, "".join(traceback.format_exception(error)))
    fault = Fault.of_run(where, f"{type(error).__name__}: {error}", "went on")
    try:
        ledger.record(fault)
    except Exception:
        _log.exception("the fault could not be journalled")
