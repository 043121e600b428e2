"""The journal's records, sorted into columns as they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from analysis.columns import Codes, Columns
from analysis.drawn import drawn, knob_of
from analysis.suite_levels import as_number
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Knob
from orchestrator.lines import Line, to_record
from orchestrator.member_state import MemberKey
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberRecord,
    MemberStarted,
    Mutation,
    Pruned,
    Record,
    Restored,
    Result,
    RunEnded,
    RunResumed,
    RunStarted,
    Score,
)

_WHEN = {"member": int, "place": int, "iteration": int}

_Places = Sequence[int]


class History:
    """What happened to every member, whether or not it still stands.

    In all columns ``member`` is the code of a member's key, ``place`` the number of the record in
    the journal, a text its code in ``texts``. Where a record has several values, ``parts`` says
    how many: they lie one behind the other in columns of their own.

    Attributes:
        arms: each arm of the newest experiment file.
        space: the knobs of each arm.
        populations: every (arm, seed), in the order they began.
        count: of all records.
    """

    def __init__(self) -> None:
        self.arms: dict[str, Mapping[str, Any]] = {}
        self.space: dict[str, EnvSpace] = {}
        self.populations: dict[tuple[str, int], None] = {}
        self.count = 0
        self._knobs: dict[str, dict[str, Knob]] = {}
        self._landmarks: dict[int, Record] = {}
        self.members: Codes[MemberKey] = Codes()
        self.texts: Codes[str] = Codes()
        self.results = Columns(
            **_WHEN, training_return=float, env_steps=int, seconds=float, parts=int
        )
        self.seconds = Columns(part=int, seconds=float)
        self.scores = Columns(**_WHEN, suite=int, score=float, parts=int)
        self.returns = Columns(**{"return": float})
        self.mutations = Columns(**_WHEN, revision=int, by=int, why=int)
        self.distributions = Columns(**_WHEN, revision=int, parts=int)
        self.draws = Columns(knob=int, low=float, high=float, weights=object, spread=float)
        self.exploits = Columns(**_WHEN, donor=int, path=int)
        self.hyperparameters = Columns(**_WHEN, parts=int)
        self.values = Columns(name=int, value=object, number=float)
        self.saves = Columns(**_WHEN, path=int, digest=object, score=float)
        self.prunes = Columns(place=int, path=int)
        self.restores = Columns(**_WHEN)
        self.faults = Columns(**_WHEN, where=int, error=int, action=int, level=object)
        self._takers: Mapping[str, Callable[[_Places, Sequence[Any]], None]] = {
            RunStarted.kind: self._start,
            RunResumed.kind: self._start,
            RunEnded.kind: self._note,
            MemberStarted.kind: self._begin,
            Result.kind: self._train,
            Score.kind: self._score,
            Mutation.kind: self._mutate,
            Exploit.kind: self._exploit,
            CheckpointSaved.kind: self._save,
            Pruned.kind: self._prune,
            Restored.kind: self._restore,
            Fault.kind: self._fault,
        }

    def take(self, lines: Iterable[Line]) -> None:
        """Take in the journal's next lines."""
        of_kind: dict[str, tuple[list[int], list[Line]]] = defaultdict(lambda: ([], []))
        for place, line in enumerate(lines, self.count):
            places, those = of_kind[line.kind]
            places.append(place)
            those.append(line)
        for kind, (places, those) in of_kind.items():
            self.count += len(those)
            if kind in self._takers:
                self._takers[kind](places, those)

    @property
    def landmarks(self) -> list[Record]:
        """All starts, resumes and ends of the run, in order."""
        return [record for _, record in sorted(self._landmarks.items())]

    # Lines have the attributes of the records that are named here but never made.

    def _start(self, places: _Places, records: Sequence[RunStarted | RunResumed]) -> None:
        self._note(places, records)
        for each in records:
            self.arms |= each.arms
        self.space = {arm: _space(plain) for arm, plain in self.arms.items()}
        # Dicts, which are much faster.
        self._knobs = {arm: dict(space.knobs) for arm, space in self.space.items()}

    def _note(self, places: _Places, lines: Sequence[Line]) -> None:
        self._landmarks |= zip(places, map(to_record, lines), strict=True)

    def _begin(self, places: _Places, records: Sequence[MemberStarted]) -> None:
        self.populations |= dict.fromkeys((each.arm, each.seed) for each in records)
        self._set(places, records, [each.hyperparameters for each in records])
        self._draw(places, records, [0] * len(records), [each.distribution for each in records])

    def _train(self, places: _Places, records: Sequence[Result]) -> None:
        spent = [each.seconds for each in records]
        self.results.extend(
            **self._when(places, records),
            training_return=[each.training_return for each in records],
            env_steps=[each.env_steps for each in records],
            seconds=[sum(each.values()) for each in spent],
            parts=[len(each) for each in spent],
        )
        self.seconds.extend(
            part=self.texts.of(chain.from_iterable(spent)),
            seconds=[seconds for each in spent for seconds in each.values()],
        )

    def _score(self, places: _Places, records: Sequence[Score]) -> None:
        played = [each.returns for each in records]
        self.scores.extend(
            **self._when(places, records),
            suite=[self.texts[each.suite] for each in records],
            score=[each.score for each in records],
            parts=[len(each) for each in played],
        )
        self.returns.extend(**{"return": chain.from_iterable(played)})

    def _mutate(self, places: _Places, records: Sequence[Mutation]) -> None:
        revisions = [each.revision for each in records]
        self.mutations.extend(
            **self._when(places, records),
            revision=revisions,
            by=[self.texts[each.by] for each in records],
            why=[self.texts[each.why] for each in records],
        )
        self._draw(places, records, revisions, [each.after for each in records])

    def _exploit(self, places: _Places, records: Sequence[Exploit]) -> None:
        self.exploits.extend(
            **self._when(places, records),
            donor=[each.donor for each in records],
            path=[self.texts[each.checkpoint] for each in records],
        )
        self._set(places, records, [each.after for each in records])

    def _save(self, places: _Places, records: Sequence[CheckpointSaved]) -> None:
        self.saves.extend(
            **self._when(places, records),
            path=[self.texts[each.path] for each in records],
            digest=[each.digest for each in records],
            score=[each.score for each in records],
        )

    def _prune(self, places: _Places, records: Sequence[Pruned]) -> None:
        self.prunes.extend(place=places, path=[self.texts[each.path] for each in records])

    def _restore(self, places: _Places, records: Sequence[Restored]) -> None:
        self.restores.extend(**self._when(places, records))
        self._set(places, records, [each.hyperparameters for each in records])
        revisions = [each.revision for each in records]
        self._draw(places, records, revisions, [each.distribution for each in records])

    def _fault(self, places: _Places, records: Sequence[Fault]) -> None:
        self.faults.extend(
            **self._when(places, records),
            where=[self.texts[each.where] for each in records],
            error=[self.texts[each.error] for each in records],
            action=[self.texts[each.action] for each in records],
            level=[each.level for each in records],
        )

    def _set(
        self,
        places: _Places,
        records: Sequence[MemberRecord],
        hyperparameters: Sequence[Mapping[str, Any]],
    ) -> None:
        self.hyperparameters.extend(
            **self._when(places, records), parts=[len(each) for each in hyperparameters]
        )
        values = [value for each in hyperparameters for value in each.values()]
        self.values.extend(
            name=self.texts.of(chain.from_iterable(hyperparameters)),
            value=values,
            number=[as_number(value) for value in values],
        )

    def _draw(
        self,
        places: _Places,
        records: Sequence[MemberRecord],
        revisions: Sequence[int],
        distributions: Sequence[Mapping[str, Any]],
    ) -> None:
        found = [
            drawn(distribution, self._knobs_of(record.arm))
            for record, distribution in zip(records, distributions, strict=True)
        ]
        self.distributions.extend(
            **self._when(places, records), revision=revisions, parts=[len(each) for each in found]
        )
        draws = [draw for each in found for draw in each.values()]
        self.draws.extend(
            knob=self.texts.of(chain.from_iterable(found)),
            low=[draw.low for draw in draws],
            high=[draw.high for draw in draws],
            weights=[draw.weights for draw in draws],
            spread=[draw.spread for draw in draws],
        )

    def _when(self, places: _Places, records: Sequence[MemberRecord]) -> dict[str, Sequence[int]]:
        return {
            "member": [self.members[each.arm, each.seed, each.member] for each in records],
            "place": places,
            "iteration": [each.iteration for each in records],
        }

    def _knobs_of(self, arm: str) -> Mapping[str, Knob]:
        if arm not in self._knobs:
            raise ValueError(
                f"an arm must be one that the run began with ({', '.join(self._knobs)}), "
                f"but its journal has a member of {arm!r}"
            )
        return self._knobs[arm]


def _space(arm: Mapping[str, Any]) -> EnvSpace:
    """The env space of one arm of a resolved experiment file."""
    return EnvSpace({name: knob_of(given) for name, given in arm["env"].get("knobs", {}).items()})
