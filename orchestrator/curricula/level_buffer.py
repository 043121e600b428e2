"""Levels worth coming back to: PLR, robust PLR and ACCEL, by their parameters.

=============  =======================================================================
`plr`          Jiang et al. 2021a, arXiv 2010.03934: new levels are trained on too
`plr_robust`   Jiang et al. 2021b, arXiv 2110.02439: replayed levels alone are trained on
`accel`        Parker-Holder et al. 2022, arXiv 2203.01302: robust, and edits of replayed levels
=============  =======================================================================

See `orchestrator.curricula.presets` for the parameters of each, `replay` for how likely a level
is to be replayed, `level_scores` for what its score is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from orchestrator.checks import nearest
from orchestrator.curricula.base import Curriculum, Move, Need, Outlook, Seen, Stand, State
from orchestrator.curricula.buffer import Buffer, Entry, Visit, visits
from orchestrator.curricula.level_scores import RULES
from orchestrator.curricula.replay import Floats, replay_weights
from orchestrator.distributions import Distribution, EnvSpace, Level, Levels, Mixture
from orchestrator.edits import edit

__all__ = ["LevelBuffer"]

_MOST_FRESH = 256
"""New levels that are probed at most in one iteration."""

_LACKING: Mapping[Need, str] = {
    "values": "had a value function's scores",
    "success": "said whether it succeeded",
}


@dataclass(frozen=True)
class LevelBuffer(Curriculum):
    """Keeps the levels that score highest, and replays them by rank and staleness.

    Until the buffer is filled far enough, members train on new levels, which fill it: where the
    papers roll out without gradient for as long, an iteration here always trains. A level enters
    while there is room; then in the place of the one that is least likely to be replayed, if it
    scores at least as high as that one. The newcomers of one iteration do not replace each other.
    A level is the same as another if their JSON is.

    The state: ``buffer`` (see `Buffer`), ``trained`` (episodes that were trained on in the last
    iteration), ``entered`` (levels that entered in it), ``unscored`` (episodes since the last one
    that could be scored), ``parents`` (levels to be edited next).

    Attributes:
        score: the rule for how much there is to learn from a level; see `level_scores`.
        capacity: levels that are kept at most.
        temperature: how flat the replay is over ranks; above 0.
        staleness: share of the replay that goes to levels which were not played for long.
        replay: share of the episodes that are replays once the buffer is filled, among those and
            the ones on new levels; above 0.
        fill: share of the buffer that must be full before anything is replayed; above 0.
        train_on_new: whether new levels are trained on; else they are rolled out without
            gradient, in the same share of all episodes.
        fresh: where new levels come from: the ``full`` legal range, or the knobs' ``start``, for
            levels that are easy and become harder by edits alone.
        edits: edited copies of each parent, rolled out without gradient; 0 for none.
        parents: how many of the levels that were just trained on are edited: the easiest, which
            are those with the highest return - score.
        edit_steps: moves of one knob in each edited copy.
    """

    score: str = "maxmc"
    capacity: int = 4000
    temperature: float = 0.3
    staleness: float = 0.3
    replay: float = 0.5
    fill: float = 0.5
    train_on_new: bool = False
    fresh: Literal["full", "start"] = "full"
    edits: int = 0
    parents: int = 4
    edit_steps: int = 5

    def __post_init__(self) -> None:
        if self.score not in RULES:
            raise ValueError(
                f"`score` must be one of {list(RULES)}, but got {self.score!r}"
                f"{nearest(self.score, RULES)}"
            )
        if self.fresh not in ("full", "start"):
            raise ValueError(f"`fresh` must be 'full' or 'start', but got {self.fresh!r}")
        for name in ("capacity", "parents", "edit_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name} >= 1` must hold, but got {getattr(self, name)}")
        if self.edits < 0:
            raise ValueError(f"`edits >= 0` must hold, but got {self.edits}")
        if not self.temperature > 0:
            raise ValueError(f"`temperature > 0` must hold, but got {self.temperature}")
        if not 0 <= self.staleness <= 1:
            raise ValueError(f"`0 <= staleness <= 1` must hold, but got {self.staleness}")
        for name in ("replay", "fill"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"`0 < {name} <= 1` must hold, but got {getattr(self, name)}")

    @property
    def needs(self) -> frozenset[Need]:
        rollouts: tuple[Need, ...] = () if self.train_on_new and not self.edits else ("rollouts",)
        return frozenset({"episodes", RULES[self.score].need, *rollouts})

    def begin(self, space: EnvSpace) -> Stand:
        state = {
            "buffer": Buffer().to_json(),
            "trained": 0,
            "entered": 0,
            "unscored": 0,
            "parents": [],
        }
        return Stand(self._new_levels(space), state)

    def probes(self, stand: Stand, rng: np.random.Generator) -> Sequence[Level]:
        """New levels once the buffer is filled, and edited copies of the parents."""
        space, state = stand.distribution.space, stand.state
        new_levels = self._new_levels(space)
        levels = [new_levels.sample(rng) for _ in range(self._fresh_probes(state))]
        for parent in (json.loads(each) for each in state["parents"]):
            levels += [edit(parent, space, rng, self.edit_steps) for _ in range(self.edits)]
        return levels

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        """Levels in the buffer scored anew, then the others offered in the order they came."""
        rule, buffer = RULES[self.score], Buffer.from_json(stand.state["buffer"])
        unscored = stand.state["unscored"]
        seen_levels = visits(stand.distribution.space, seen.outcomes)
        places, newcomers = buffer.places(), []
        for visit in seen_levels:
            place = places.get(visit.level)
            before = () if place is None else buffer.memories[place]
            memory = rule.remembered(before, visit.outcomes)
            score = rule.score(memory, visit.outcomes)
            unscored = unscored + len(visit.outcomes) if score is None else 0
            played = buffer.clock + visit.ended
            if place is not None:
                kept = buffer.scores[place] if score is None else score
                buffer.put(place, Entry(visit.level, kept, memory, played))
            elif score is not None:
                newcomers.append(Entry(visit.level, score, memory, played))
        buffer.clock += len(seen.outcomes)
        entered = self._take_in(buffer, newcomers)
        state = {
            "buffer": buffer.to_json(),
            "trained": sum(each.trained for each in seen.outcomes),
            "entered": entered,
            "unscored": unscored,
            "parents": self._parents(buffer, seen_levels) if self.edits else [],
        }
        return Stand(stand.distribution, state)

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """The buffer with its present weights, beside new levels if those are trained on."""
        del rng
        if not self._filled(stand.state):
            return None
        buffer = Buffer.from_json(stand.state["buffer"])
        replayed = self._replayed(buffer, stand.distribution)
        following: Distribution = replayed
        if self.train_on_new and self.replay < 1:
            new_levels = self._new_levels(replayed.space)
            following = Mixture(((1 - self.replay, new_levels), (self.replay, replayed)))
        if following == stand.distribution:
            return None
        why = (
            f"buffer {len(buffer)} of {self.capacity}, {stand.state['entered']} new, "
            f"best score {max(buffer.scores):.3g}"
        )
        return Move(Stand(following, stand.state), why)

    def outlook(self, stand: Stand) -> Outlook:
        """How far the buffer is filled; once nothing enters any more, on what that waits."""
        scores = stand.state["buffer"]["scores"]
        if self._filled(stand.state):
            return Outlook(f"replays {len(scores)} levels, best score {max(scores):.3g}")
        text = f"buffer {len(scores)} of {self._needed} until levels are replayed"
        if stand.state["entered"] or stand.state["buffer"]["clock"] == 0:
            return Outlook(text)
        unscored = stand.state["unscored"]
        if unscored:
            lacking = _LACKING[RULES[self.score].need]
            return Outlook(f"{text}: none of the last {unscored} episodes {lacking}", waits=True)
        return Outlook(f"{text}: no new level came up in the last iteration", waits=True)

    @property
    def _needed(self) -> int:
        """Levels that must be there before any is replayed."""
        # Less a rounding, so that a tenth of 30 is 3.
        return math.ceil(self.fill * self.capacity - 1e-9)

    def _filled(self, state: State) -> bool:
        return len(state["buffer"]["levels"]) >= self._needed

    def _new_levels(self, space: EnvSpace) -> Distribution:
        return space.full() if self.fresh == "full" else space.initial()

    def _fresh_probes(self, state: State) -> int:
        """As many new levels as make `replay` the share of what is trained on."""
        if self.train_on_new or self.replay == 1 or not self._filled(state):
            return 0
        wanted: int = round(state["trained"] * (1 - self.replay) / self.replay)
        return min(max(wanted, 1), _MOST_FRESH)

    def _take_in(self, buffer: Buffer, newcomers: Sequence[Entry]) -> int:
        """How many of these levels, none of which is in the buffer, enter it."""
        room = max(0, self.capacity - len(buffer))
        for newcomer in newcomers[:room]:
            buffer.append(newcomer)
        rest = newcomers[room:]
        places = np.argsort(self._weights(buffer), kind="stable") if rest else ()
        replaced = 0
        for newcomer in rest:
            if replaced == len(places):
                break
            least = int(places[replaced])
            if newcomer.score >= buffer.scores[least]:
                buffer.put(least, newcomer)
                replaced += 1
        return len(newcomers) - len(rest) + replaced

    def _weights(self, buffer: Buffer) -> Floats:
        return replay_weights(
            buffer.scores,
            buffer.played,
            buffer.clock,
            temperature=self.temperature,
            staleness=self.staleness,
        )

    def _replayed(self, buffer: Buffer, present: Distribution) -> Levels:
        """The buffer as a distribution; levels that are in the present one are taken over."""
        parts = [part for _, part in present.parts] if isinstance(present, Mixture) else [present]
        known = next((part for part in parts if isinstance(part, Levels)), None)
        checked = {} if known is None else known.by_text()
        levels = tuple(
            checked[each] if each in checked else json.loads(each) for each in buffer.levels
        )
        return Levels(present.space, levels, tuple(self._weights(buffer).tolist()), known=known)

    def _parents(self, buffer: Buffer, seen_levels: Sequence[Visit]) -> list[str]:
        """Of the levels in the buffer that were just trained on, the easiest."""
        places = buffer.places()
        ease: dict[str, float] = {}
        for visit in seen_levels:
            returns = [each.total for each in visit.outcomes if each.trained]
            if returns and visit.level in places:
                regret = buffer.scores[places[visit.level]]
                ease[visit.level] = sum(returns) / len(returns) - regret
        return sorted(ease, key=lambda level: -ease[level])[: self.parents]
