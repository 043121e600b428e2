"""``kind: stages``: named distributions, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from orchestrator.checks import naming, nearest, number, words
from orchestrator.curricula.base import Curriculum, Move, Need, Outlook, Owner, Seen, Stand
from orchestrator.curricula.tally import Tally
from orchestrator.distributions import EnvSpace, Product
from orchestrator.frozen import FrozenMap
from orchestrator.knobs import Marginal
from orchestrator.pictures import short

Measure = Literal["score", "return", "success", "env_steps", "iterations"]


@dataclass(frozen=True)
class Until:
    """When a stage ends: once ``measure`` is at least ``above``.

    Attributes:
        measure: ``return`` and ``success`` are means over all episodes of the stage, ``score``
            is the latest one in it; ``env_steps`` and ``iterations`` count from its beginning.
        above: what must be reached.
        min_episodes: for ``return`` and ``success``, episodes that must have been played.
    """

    measure: Measure
    above: float
    min_episodes: int = 20

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            hint = nearest(self.measure, get_args(Measure))
            raise ValueError(f"`measure` is not known: {self.measure!r}{hint}")
        object.__setattr__(self, "above", number("above", self.above))
        if self.min_episodes < 1:
            raise ValueError(f"`min_episodes >= 1` must hold, but got {self.min_episodes}")


@dataclass(frozen=True)
class Stage:
    """How levels are drawn for a while.

    Attributes:
        marginals: of some knobs; the others are drawn as at the start of the experiment.
        until: when it ends; None for the last one.
    """

    name: str
    marginals: Mapping[str, Marginal]
    until: Until | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "marginals", FrozenMap(self.marginals))

    def distribution(self, space: EnvSpace) -> Product:
        """What this stage draws from.

        Raises:
            ValueError: if a marginal is of an unknown knob, or outside its legal range.
        """
        with naming(f"stage {self.name!r}"):
            return Product(space, {**space.initial().marginals, **self.marginals})


@dataclass(frozen=True)
class _Progress:
    """What was seen of the present stage: a curriculum's state.

    Attributes:
        stage: its place in the list.
        tally: of the returns, or of the successes, in it.
        score: the latest one in it.
        iterations, env_steps: spent in it.
        total: env steps of the member when it was last seen; None just after a copy, since the
            donor's are not its own.
    """

    stage: int = 0
    tally: Tally = field(default_factory=Tally)
    score: float | None = None
    iterations: int = 0
    env_steps: int = 0
    total: int | None = 0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "tally": self.tally.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> _Progress:
        return cls(**{**data, "tally": Tally.from_json(data["tally"])})


@dataclass(frozen=True)
class Stages(Curriculum):
    """The stages in their order; a member is in one of them, and moves on by its own progress.

    One stage ends at a time, even where the next one's end is reached already.

    Raises:
        ValueError: if there are none, their names are not unique, or not exactly those before the
            last have an end.
    """

    owner: ClassVar[Owner] = "member"

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise ValueError("there must be at least one stage, but got none")
        words("stages", [stage.name for stage in self.stages], at_least=1)
        for stage in self.stages[:-1]:
            if stage.until is None:
                raise ValueError(
                    f"each stage before the last must have an `until`, but {stage.name!r} has none"
                )
        last = self.stages[-1]
        if last.until is not None:
            raise ValueError(
                f"the last stage must have no `until`, since nothing follows it, but {last.name!r} "
                f"has one: {last.until.measure} {short(last.until.above)}"
            )

    @property
    def needs(self) -> frozenset[Need]:
        measures = {stage.until.measure for stage in self.stages if stage.until is not None}
        asked: tuple[Need, ...] = ("score", "success")
        return frozenset(need for need in asked if need in measures)

    def begin(self, space: EnvSpace) -> Stand:
        everywhere = [stage.distribution(space) for stage in self.stages]
        return Stand(everywhere[0], _Progress().to_json())

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        before = _Progress.from_json(stand.state)
        until = self.stages[before.stage].until
        mean = seen.success_rate if _measures(until, "success") else seen.mean_return
        steps = 0 if before.total is None else seen.env_steps - before.total
        after = _Progress(
            before.stage,
            before.tally.plus(seen.episodes, mean),
            before.score if seen.score is None else seen.score,
            before.iterations + 1,
            before.env_steps + steps,
            seen.env_steps,
        )
        return Stand(stand.distribution, after.to_json())

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """The next stage, once the present one's end is reached."""
        del rng
        now = _Progress.from_json(stand.state)
        present = self.stages[now.stage]
        if present.until is None or not _reached(present.until, now):
            return None
        following = self.stages[now.stage + 1]
        next_stand = Stand(
            following.distribution(stand.distribution.space),
            _Progress(stage=now.stage + 1, total=now.total).to_json(),
        )
        return Move(
            next_stand, f"{present.name} to {following.name}: {_how_far(present.until, now)}"
        )

    def copied(self, donor: Stand, rng: np.random.Generator) -> Move:
        """In the donor's stage, as far as the donor had come."""
        del rng
        there = {**donor.state, "total": None}
        return Move(Stand(donor.distribution, there), f"in stage {self._at(donor).name}")

    def outlook(self, stand: Stand) -> Outlook:
        stage, now = self._at(stand), _Progress.from_json(stand.state)
        if stage.until is None:
            return Outlook(f"last stage ({stage.name})")
        place = f"stage {now.stage + 1} of {len(self.stages)} ({stage.name})"
        earned = stage.until.measure not in ("env_steps", "iterations")
        return Outlook(f"{place}: {_how_far(stage.until, now)}", waits=earned)

    def _at(self, stand: Stand) -> Stage:
        return self.stages[stand.state["stage"]]


def _measures(until: Until | None, measure: Measure) -> bool:
    return until is not None and until.measure == measure


def _reached(until: Until, now: _Progress) -> bool:
    if until.measure in ("return", "success"):
        return now.tally.reaches(until.above, until.min_episodes)
    found = _single(until, now)
    return found is not None and found >= until.above


def _how_far(until: Until, now: _Progress) -> str:
    if until.measure in ("return", "success"):
        return now.tally.of(until.measure, until.above, until.min_episodes)
    found = _single(until, now)
    shown = "–" if found is None else short(found)
    return f"{until.measure.replace('_', ' ')} {shown} of {short(until.above)}"


def _single(until: Until, now: _Progress) -> float | None:
    """The measure, where it is one number."""
    if until.measure == "score":
        return now.score
    return now.env_steps if until.measure == "env_steps" else now.iterations
