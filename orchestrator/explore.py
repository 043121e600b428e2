"""Explorers: how a copied member's hyperparameters differ from its donor's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from orchestrator.frozen import freeze, text, thaw
from orchestrator.knobs import Choice, Continuous, Integer, Knob

Search = Mapping[str, Knob]


@dataclass(frozen=True)
class Interval:
    """What one member's hyperparameters came to between two boundaries.

    Attributes:
        iteration: where it began.
        before: score at its beginning; -inf where the member had none.
        after: score at its end; None while it runs.
    """

    member: int
    iteration: int
    values: Mapping[str, Any]
    before: float
    after: float | None = None


@dataclass(frozen=True)
class Now:
    """Where the interval begins that hyperparameters are wanted for.

    Attributes:
        before: score of the model that it begins with: the donor's; -inf where it had none.
    """

    iteration: int
    before: float


class Explorer(Protocol):
    """Hyperparameters in, other hyperparameters out; always legal.

    An explorer keeps nothing: what it could learn from is handed to it.
    """

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        """Values for every key of ``search``, changed from ``values``.

        Args:
            history: the population's intervals so far, oldest first, those that run included.
            now: where the values will be used; None where that is not known.
        """
        ...


def draw(search: Search, rng: np.random.Generator) -> dict[str, Any]:
    """Every key anew from its whole legal range, in the order of their names."""
    return {name: knob.sample(knob.full(), rng) for name, knob in sorted(search.items())}


@dataclass(frozen=True)
class Resample:
    """Every key anew."""

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        """Values drawn from the legal ranges, whatever ``values`` were."""
        return draw(search, rng)


@dataclass(frozen=True)
class Perturb:
    """Each key is drawn anew with some probability, else moved a step up or down.

    A step multiplies or divides by ``factor`` (Jaderberg et al. 2017). Where zero or negative
    values are legal, multiplying would never leave zero, so the step is then the same share
    of the legal width; choices move to a neighbour in the list. Clipped and cast. A choice
    that is no longer in the list is drawn anew.

    Attributes:
        factor: above 1.
        resample: probability in [0, 1] of drawing a key anew.
    """

    factor: float = 1.2
    resample: float = 0.25

    def __post_init__(self) -> None:
        if self.factor <= 1.0:
            raise ValueError(f"`factor > 1` must hold, but got {self.factor}")
        if not 0.0 <= self.resample <= 1.0:
            raise ValueError(f"`0 <= resample <= 1` must hold, but got {self.resample}")

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        """Values near ``values``, each within its legal range."""
        changed = {}
        # By name: the order in a file must not change what is drawn.
        for name, knob in sorted(search.items()):
            if not _known(name, knob, values) or rng.random() < self.resample:
                changed[name] = knob.sample(knob.full(), rng)
            else:
                changed[name] = self._step(knob, values[name], up=bool(rng.random() < 0.5))
        return changed

    def _step(self, knob: Knob, value: Any, *, up: bool) -> Any:
        if isinstance(knob, Choice):
            # By text, which tells True, 1 and 1.0 apart.
            texts = [text(each) for each in knob.values]
            place = texts.index(text(value)) + (1 if up else -1)
            return knob.cast(knob.values[min(max(place, 0), len(texts) - 1)])
        if isinstance(knob, Continuous):
            return min(max(self._moved(knob, value, up=up), knob.low), knob.high)
        if isinstance(knob, Integer):
            moved = round(self._moved(knob, value, up=up))
            if moved == value:
                moved += 1 if up else -1
            return min(max(moved, knob.low), knob.high)
        raise TypeError(f"a hyperparameter cannot be a {type(knob).__name__}")

    def _moved(self, knob: Continuous | Integer, value: float, *, up: bool) -> float:
        if knob.low > 0:
            return value * self.factor if up else value / self.factor
        step = (self.factor - 1.0) * (knob.high - knob.low)
        return value + step if up else value - step


@dataclass(frozen=True)
class Prescribed:
    """Values by a schedule, whatever is searched.

    Attributes:
        schedule: (iteration, values) pairs in the order of their iterations: from there on these
            keys have these values; keys that are not named keep theirs.
    """

    schedule: tuple[tuple[int, Mapping[str, Any]], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", freeze(self.schedule))

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        """What is in force now; nothing where that is not known."""
        return {} if now is None else self.at(now.iteration)

    def at(self, iteration: int) -> dict[str, Any]:
        """What is in force from an iteration on."""
        due = (values for since, values in self.schedule if since <= iteration)
        return {name: thaw(value) for values in due for name, value in values.items()}


def _known(name: str, knob: Knob, values: Mapping[str, Any]) -> bool:
    """Whether there is a value to step from; numbers outside the legal range are clipped."""
    return name in values and (not isinstance(knob, Choice) or knob.legal(values[name]))
