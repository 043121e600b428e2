"""A journal such as a long run leaves behind, without the run: made-up members of the quickstart.

Per member and boundary it has what a run writes: the results since the last one, a score, a
checkpoint, the pruning of an old one. A quarter of the members copies one of the best, with
other hyperparameters and another distribution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.setting import QUICKSTART
from experiments.changes import digest, plain_arms
from experiments.loading import load
from experiments.rules import rules_of
from orchestrator import checkpoints, journal, records, seeding
from orchestrator.distributions import Distribution
from orchestrator.member_state import Rules
from orchestrator.operators import shift

_ARM, _SEED = "main", 0
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_SHARE = 0.25

Entry = Sequence[records.Record]


def write(path: Path, members: int, boundaries: int, results: int) -> None:
    """Write the journal of a run that has ended, with so many ``results`` between boundaries."""
    with open(path, "wb") as file:
        for number, entry in enumerate(_entries(members, boundaries, results)):
            time = (_BEGAN + timedelta(seconds=number)).isoformat(timespec="milliseconds")
            file.writelines(journal.lines_of(entry, time))


def _entries(members: int, boundaries: int, results: int) -> Iterator[Entry]:
    overrides = [f"population.size={max(members, 2)}", f"population.interval={results}"]
    experiment = load(QUICKSTART, overrides)
    arms = plain_arms(experiment.arms)
    yield [records.RunStarted(experiment.name, digest(arms), arms, {"envolve": "0"}, ("envolve",))]
    rules = rules_of(experiment.arms[_ARM])
    made = _Made(rules, members, results)
    yield made.begin()
    for _ in range(boundaries):
        yield from made.boundary()
    yield [records.RunEnded("finished")]


class _Made:
    """Members that are at the same boundary."""

    def __init__(self, rules: Rules, members: int, results: int) -> None:
        self._rules = rules
        self._results = results
        self._rng = seeding.generator("made journal")
        self._iteration = 0
        self._values: list[dict[str, Any]] = [
            {name: knob.sample(knob.full(), self._rng) for name, knob in rules.search.items()}
            for _ in range(members)
        ]
        self._distributions: list[Distribution] = [rules.space.initial()] * members
        self._revisions = [0] * members

    def begin(self) -> Entry:
        """All members' first records."""
        return [
            records.MemberStarted(
                **_who(member, 0), hyperparameters=values, distribution=start.to_json(), by="random"
            )
            for member, (values, start) in enumerate(
                zip(self._values, self._distributions, strict=True)
            )
        ]

    def boundary(self) -> Iterator[Entry]:
        """What is written from one boundary to the next."""
        for _ in range(self._results - 1):
            self._iteration += 1
            yield from ([self._result(member)] for member in range(len(self._values)))
        self._iteration += 1
        scores = np.round(self._rng.uniform(0.0, 500.0, len(self._values)), 3).tolist()
        for member, score in enumerate(scores):
            yield [self._result(member), self._score(member, score), self._saved(member, score)]
        yield self._decided(scores)
        if self._iteration > self._results:
            for member in range(len(self._values)):
                yield [records.Pruned.of(self._saved(member, 0.0, self._results))]

    def _result(self, member: int) -> records.Record:
        mean = round(float(self._rng.uniform(0.0, 500.0)), 12)
        return records.Result(
            **_who(member, self._iteration),
            training_return=mean,
            env_steps=2049 * self._iteration,
            revisions={str(self._revisions[member]): {"episodes": 35, "return": mean}},
            seconds={part: self._rng.random() for part in ("train", "score", "save")},
        )

    def _score(self, member: int, score: float) -> records.Record:
        levels = len(self._rules.select)
        returns = tuple(np.round(self._rng.uniform(0.0, 500.0, levels), 1).tolist())
        return records.Score(
            **_who(member, self._iteration), score=score, suite="select", returns=returns
        )

    def _saved(self, member: int, score: float, before: int = 0) -> records.CheckpointSaved:
        iteration = self._iteration - before
        path = str(checkpoints.directory(_ARM, _SEED, member, iteration))
        sha = hashlib.sha256(path.encode()).hexdigest()
        who = _who(member, iteration)
        return records.CheckpointSaved(**who, path=path, digest=sha, score=score)

    def _decided(self, scores: Sequence[float]) -> Entry:
        ranked = sorted(range(len(scores)), key=lambda member: -scores[member])
        count = int(_SHARE * len(ranked))
        decided: list[records.Record] = []
        for loser in ranked[len(ranked) - count :]:
            donor = ranked[int(self._rng.integers(count))]
            decided += self._copied(loser, donor, scores[donor])
        boundary = records.Boundary(
            arm=_ARM,
            seed=_SEED,
            iteration=self._iteration,
            members=tuple(range(len(scores))),
            ranking=tuple((member, scores[member]) for member in ranked),
            next_moves=("widens at return 44.5 of 250 over 170 of 20 episodes",) * len(scores),
        )
        return [*decided, boundary]

    def _copied(self, loser: int, donor: int, score: float) -> Entry:
        source = self._saved(donor, score)
        values = self._rules.explore.explore(self._values[donor], self._rules.search, self._rng)
        exploit = records.Exploit(
            **_who(loser, self._iteration),
            donor=donor,
            checkpoint=source.path,
            digest=source.digest,
            saved=self._saved(loser, 0.0).path,
            before=self._values[loser],
            after=values,
        )
        before, after = (
            self._distributions[loser],
            shift(self._distributions[donor], self._rng, 0.1),
        )
        self._values[loser] = values
        self._distributions[loser] = after
        self._revisions[loser] += 1
        mutation = records.Mutation(
            **_who(loser, self._iteration),
            revision=self._revisions[loser],
            by="scheduler",
            why=f"shift of m{donor}'s",
            before=before.to_json(),
            after=after.to_json(),
        )
        return [exploit, mutation]


def _who(member: int, iteration: int) -> dict[str, Any]:
    return {"arm": _ARM, "seed": _SEED, "member": member, "iteration": iteration}
