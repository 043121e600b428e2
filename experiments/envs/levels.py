"""Levels of the built-in envs: which knobs an env has, what is legal, and how a level is set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from types import MappingProxyType
from typing import Any, ClassVar

__all__ = ["NON_NEGATIVE", "POSITIVE", "Levelled", "Settable", "checked", "suggested"]

#: Legal range of masses, lengths, forces: wide, yet no step can overflow within it.
POSITIVE: tuple[float, float] = (1e-3, 1e3)
#: Legal range of what may also be absent, such as gravity.
NON_NEGATIVE: tuple[float, float] = (0.0, 1e3)


@dataclass(frozen=True)
class Settable:
    """One knob of a built-in env.

    `default` is gymnasium's value. `suggested` is a range in which every combination with the
    other knobs' ranges runs well. `legal` is what the env accepts at all. Both are inclusive and
    in the knob's own unit.
    """

    default: float
    suggested: tuple[float, float]
    legal: tuple[float, float]


def suggested(settable: Mapping[str, Settable]) -> Mapping[str, tuple[float, float]]:
    """Return the suggested range of each knob, read-only."""
    return MappingProxyType({name: knob.suggested for name, knob in settable.items()})


def checked(
    env: str, level: Mapping[str, Any], settable: Mapping[str, Settable]
) -> dict[str, float]:
    """Return `level` as plain floats.

    Raises ValueError that lists every unknown knob, with the nearest known one, and every value
    that is not a finite number within the knob's legal range.
    """
    if not isinstance(level, Mapping):
        raise ValueError(f"a level of {env} must be a mapping of knob to value, but got {level!r}")
    values: dict[str, float] = {}
    problems: list[str] = []
    for name, value in level.items():
        if name not in settable:
            problems.append(_unknown(env, name, settable))
            continue
        low, high = settable[name].legal
        number = _number(value)
        if low <= number <= high:
            values[name] = number
        else:
            usual = "{:g} to {:g}".format(*settable[name].suggested)
            problems.append(
                f"`{name}` must be a number from {low:g} to {high:g} (usual: {usual}), "
                f"but got {value!r}"
            )
    if problems:
        raise ValueError(f"illegal level for {env}: " + "; ".join(problems))
    return values


class Levelled:
    """What the built-in envs share: knobs that one method sets.

    To be mixed in before gymnasium's class. The env's constructor ends with `_fix`.
    """

    #: The env's knobs, by name.
    SETTABLE: ClassVar[Mapping[str, Settable]]
    #: Suggested range (low, high) of each knob.
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]]
    #: Steps after which gymnasium's registered env truncates; the class itself never does.
    max_episode_steps: ClassVar[int]

    _fixed: dict[str, float]
    _level: dict[str, float]

    @property
    def level(self) -> dict[str, float]:
        """Every knob's present value."""
        return dict(self._level)

    def set_level(self, level: Mapping[str, Any]) -> None:
        """Set the knobs that `level` names; to be called before `reset`.

        Knobs that it does not name return to their values in the constructor's config, so the env
        depends on this level alone and not on the ones before it. Raises ValueError, and changes
        nothing, if a knob is unknown or a value illegal.
        """
        values = self._fixed | checked(type(self).__name__, level, self.SETTABLE)
        self._apply(values)
        self._level = values

    def _fix(self, config: Mapping[str, Any] | None) -> None:
        """Take the constructor's config as the values that levels start from."""
        self._fixed = {name: knob.default for name, knob in self.SETTABLE.items()}
        self.set_level({} if config is None else config)
        self._fixed = self.level

    def _apply(self, values: Mapping[str, float]) -> None:
        """Write every knob's value into the attributes that the dynamics read.

        An env with derived values extends this. It must raise before it changes anything.
        """
        for name, value in values.items():
            setattr(self, name, value)


def _number(value: Any) -> float:
    """`value` as a plain float; NaN, which is in no range, for what is not a number.

    Plain, because a NumPy scalar would change the precision of gymnasium's float32 arithmetic.
    """
    if type(value) is float:
        # What a drawn level has; the checks below cost as much as all the rest of a reset.
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _unknown(env: str, name: Any, settable: Mapping[str, Settable]) -> str:
    lowered = {known.lower(): known for known in settable}
    near = get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.5)
    hint = f"the nearest is `{lowered[near[0]]}`, of " if near else ""
    return f"{env} has no knob {name!r}: {hint}" + ", ".join(settable)
