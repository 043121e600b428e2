"""An explorer that asks an Optuna sampler, and tells it how each interval has turned out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from orchestrator import optuna_space
from orchestrator.explore import Interval, Now, Search, draw
from orchestrator.frozen import thaw
from orchestrator.knobs import Choice, Knob, Numeric
from orchestrator.optuna_space import Sampler
from orchestrator.records import finite

if TYPE_CHECKING:
    from orchestrator.optuna_study import Told

# A Gaussian process costs the cube of what it is told: 0.6 s for 300 intervals, 8 s for 1000.
_GP_WINDOW = 300
# Intervals that one is compared with: too few are noise, too many are of another time.
_ABOUT = 30


@dataclass(frozen=True)
class OptunaExplorer:
    """Hyperparameters asked of a sampler that is told how much each interval has improved.

    An improvement is compared with those of the thirty intervals about it in time: all members
    improve less later on, and what was good at first would seem good for ever.

    The study is made anew from the history each time, so that nothing has to be saved. Intervals
    that run count too: ``tpe`` counts them among the poor ones, ``gp`` as average ones, so that
    both look elsewhere. ``gp`` predicts from the iteration and the score before as well, and asks
    at the present ones; ``tpe`` gives older intervals less weight; ``cmaes`` knows none of this.

    Attributes:
        sampler: each draws at random until ten intervals are complete.
        window: the newest intervals that count; ``gp`` counts 300 at most.

    Raises:
        ImportError: if the package that the sampler needs is not installed.
    """

    sampler: Sampler = "tpe"
    window: int = 1000

    def __post_init__(self) -> None:
        if self.sampler not in get_args(Sampler):
            raise ValueError(
                f"`sampler` must be one of {list(get_args(Sampler))}, but got {self.sampler!r}"
            )
        if self.window < 1:
            raise ValueError(f"`window >= 1` must hold, but got {self.window}")
        if self.sampler == "cmaes" and find_spec("cmaes") is None:
            raise ImportError("the sampler 'cmaes' needs the package cmaes: `pip install cmaes`")

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        """Values that promise the largest improvement, whatever ``values`` were."""
        chosen = draw(search, rng)
        seed = int(rng.integers(2**31 - 1))
        free = _free(search)
        if free:
            from orchestrator.optuna_study import ask

            params = ask(
                self.sampler, seed, space(search), self.told(search, history), self._here(now)
            )
            chosen |= {key: optuna_space.legal(knob, params[key]) for key, knob in free.items()}
        return chosen

    def told(self, search: Search, history: Sequence[Interval]) -> list[Told]:
        """What the sampler is told of ``history``: a trial for each interval that counts.

        Its value is how the interval's improvement compares with those about it, in [-1, 1].
        """
        from orchestrator.optuna_study import Told

        free = _free(search)
        known = _known(history, free)[-self._window() :]
        return [
            Told(
                {key: optuna_space.param(knob, each.values[key]) for key, knob in free.items()},
                {"iteration": each.iteration, "before": each.before},
                standing,
                _attributes(each, free),
            )
            for each, standing in zip(known, _standings(known), strict=True)
        ]

    def _here(self, now: Now | None) -> dict[str, float]:
        """The present, as far as the sampler heeds it."""
        if self.sampler != "gp" or now is None or not math.isfinite(now.before):
            return {}
        return {"iteration": now.iteration, "before": now.before}

    def _window(self) -> int:
        return min(self.window, _GP_WINDOW) if self.sampler == "gp" else self.window


def space(search: Search) -> dict[str, Any]:
    """Optuna's distributions of the hyperparameters that can vary, by name."""
    return {key: optuna_space.distribution(knob) for key, knob in _free(search).items()}


def _free(search: Search) -> dict[str, Knob]:
    return {name: knob for name, knob in sorted(search.items()) if _varies(knob)}


def _varies(knob: Knob) -> bool:
    if isinstance(knob, Choice):
        return len(knob.values) > 1
    return not isinstance(knob, Numeric) or knob.low < knob.high


def _known(history: Sequence[Interval], free: Search) -> list[Interval]:
    """The intervals that can be learnt from: legal values, and a score to improve on."""
    return [
        each
        for each in history
        if math.isfinite(each.before)
        and all(key in each.values and knob.legal(each.values[key]) for key, knob in free.items())
    ]


def _standings(known: Sequence[Interval]) -> list[float | None]:
    """How each interval compares with those about it, in [-1, 1]; None while it runs.

    The hyperbolic tangent of its improvement less their mean, in their standard deviations: so a
    single stroke of luck is no mark that nothing can be expected to beat. Without a score at its
    end it is -1.
    """
    gains = [None if each.after is None else each.after - each.before for each in known]
    finite = [gain for gain in gains if gain is not None and math.isfinite(gain)]
    found: list[float | None] = []
    place = 0
    for gain in gains:
        if gain is None or not math.isfinite(gain):
            found.append(None if gain is None else -1.0)
        else:
            first = max(0, min(place - _ABOUT // 2, len(finite) - _ABOUT))
            found.append(_standing(gain, finite[first : first + _ABOUT]))
            place += 1
    return found


def _standing(gain: float, others: Sequence[float]) -> float:
    spread = float(np.std(others))
    return math.tanh((gain - float(np.mean(others))) / spread) if spread > 0.0 else 0.0


def _attributes(interval: Interval, free: Search) -> dict[str, Any]:
    """Whose interval it was, and what its parameters stand for."""
    values = {f"hyperparameters.{key}": thaw(interval.values[key]) for key in free}
    return {
        "member": interval.member,
        "iteration": interval.iteration,
        "score_before": interval.before,
        "score_after": finite(interval.after),
        **values,
    }
