"""Runs for reports: journals of made-up populations, of any number of arms, seeds and members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.frames import Run, load
from orchestrator.env_space import EnvSpace
from orchestrator.journal import Journal
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Knob, Numeric
from orchestrator.operators import shift
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberStarted,
    Mutation,
    Record,
    Result,
    RunEnded,
    RunStarted,
    Score,
)

HOSTILE = "</script><script>alert(1)</script>\"'&amp;<!--<b>$x$"
"""A name that must not be taken for anything but text."""
SPACE = EnvSpace({"gravity": Continuous(5.0, 20.0), "length": Continuous(0.25, 2.0, "log")})
INTERVAL = 4
LEVELS = 8


def record(
    folder: Path,
    *,
    name: str = "made",
    arms: Sequence[str] = ("main",),
    seeds: Sequence[int] = (0,),
    size: int = 4,
    boundaries: int = 3,
    space: EnvSpace = SPACE,
    status: str | None = "finished",
    tested: bool = True,
    scored: bool = True,
    faults: Sequence[Fault] = (),
    env: str = "CartPole",
    searched: str = "lr",
) -> Run:
    """A run at ``folder``: written down, and read.

    The later an arm, the better it is. The worst member copies the best at each boundary.

    Args:
        status: what its last record says; None: it was killed.
    """
    folder.mkdir(parents=True)
    plain = {arm: _arm(name, env, space, size, boundaries, seeds) for arm in arms}
    versions = {"python": "3.11.7", "ray": "2.60.0"}
    command = ("/opt/experiments/cli.py", "run", f"{name}.yaml")
    with Journal(folder / "journal.jsonl") as journal:
        journal.append(RunStarted(name, "0", plain, versions, command))
        for place, arm in enumerate(arms):
            for seed in seeds:
                rng = np.random.default_rng((place, seed))
                population = _Population(arm, seed, size, space, searched, 10.0 * place)
                for batch in population.history(boundaries, rng, tested=tested, scored=scored):
                    journal.append(*batch)
        journal.append(*faults)
        if status is not None:
            journal.append(RunEnded(status))
    (folder / "experiment.yaml").write_text(f"envolve: 1\nname: {name!r}\n", encoding="utf-8")
    return load(folder)


def _arm(
    name: str, env: str, space: EnvSpace, size: int, boundaries: int, seeds: Sequence[int]
) -> dict[str, Any]:
    return {
        "envolve": 1,
        "name": name,
        "env": {"id": env, "config": {}, "knobs": {k: _knob(v) for k, v in space.knobs.items()}},
        "algorithm": {"name": "PPO"},
        "curriculum": {"kind": "population"},
        "population": {"size": size, "interval": INTERVAL},
        "evaluation": {
            "levels": LEVELS,
            "aggregate": "mean",
            "alpha": 0.25,
            "test_levels": LEVELS,
            "agents": None,
            "max_steps": 1000,
            "seed": 0,
        },
        "stop": {"iterations": INTERVAL * boundaries},
        "seeds": list(seeds),
    }


def _knob(knob: Knob) -> Mapping[str, Any]:
    if isinstance(knob, Choice):
        return {"choices": list(knob.values), "start": None}
    if isinstance(knob, Cells):
        return {"cells": knob.size, "low": knob.low, "high": knob.high, "start": None}
    assert isinstance(knob, Numeric)
    ends = {"low": knob.low, "high": knob.high, "integer": isinstance(knob, Integer)}
    return ends | {"scale": knob.scale, "start": None}


class _Population:
    def __init__(
        self, arm: str, seed: int, size: int, space: EnvSpace, searched: str, ahead: float
    ) -> None:
        self.arm, self.seed, self.size, self.space = arm, seed, size, space
        self.searched, self.ahead = searched, ahead
        self.drawn = [space.initial() for _ in range(size)]
        self.revisions = [0] * size

    def who(self, member: int, iteration: int) -> dict[str, Any]:
        return {"arm": self.arm, "seed": self.seed, "member": member, "iteration": iteration}

    def values(self, member: int) -> dict[str, float]:
        return {self.searched: 0.001 * (1 + member)}

    def history(
        self, boundaries: int, rng: np.random.Generator, *, tested: bool, scored: bool
    ) -> Iterator[list[Record]]:
        yield [
            MemberStarted(
                **self.who(m, 0),
                hyperparameters=self.values(m),
                distribution=self.drawn[m].to_json(),
                by="test",
            )
            for m in range(self.size)
        ]
        best, end = 0, INTERVAL * boundaries
        for boundary in range(1, boundaries + 1):
            end = INTERVAL * boundary
            yield [
                self.result(m, iteration)
                for m in range(self.size)
                for iteration in range(end - INTERVAL + 1, end + 1)
            ]
            if not scored:
                continue
            levels = rng.normal(100 + 20 * boundary + self.ahead, 5, (self.size, LEVELS))
            means = levels.mean(axis=1)
            best, worst = int(means.argmax()), int(means.argmin())
            yield [each for m in range(self.size) for each in self.saved(m, end, levels[m])]
            if self.size > 1:
                yield self.copied(worst, best, end, rng)
        if tested:
            returns = tuple(rng.normal(150 + self.ahead, 5, LEVELS))
            yield [
                Score(
                    **self.who(best, end),
                    score=sum(returns) / LEVELS,
                    suite="test",
                    returns=returns,
                )
            ]

    def result(self, member: int, iteration: int) -> Result:
        return Result(
            **self.who(member, iteration),
            training_return=float(iteration),
            env_steps=1000 * iteration,
            revisions={},
            seconds={"train": 1.0, "save": 0.1},
        )

    def saved(self, member: int, iteration: int, returns: Any) -> list[Record]:
        who = self.who(member, iteration)
        score = float(returns.mean())
        return [
            Score(**who, score=score, suite="select", returns=tuple(returns.tolist())),
            CheckpointSaved(**who, path=self.path(member, iteration), digest="d" * 64, score=score),
        ]

    def path(self, member: int, iteration: int) -> str:
        return f"members/{self.seed}/m{member}/{iteration}"

    def copied(
        self, loser: int, donor: int, iteration: int, rng: np.random.Generator
    ) -> list[Record]:
        before = self.drawn[loser]
        self.drawn[loser] = shift(self.drawn[donor], rng, 0.2)
        self.revisions[loser] += 1
        who = self.who(loser, iteration)
        return [
            Exploit(
                **who,
                donor=donor,
                checkpoint=self.path(donor, iteration),
                digest="d" * 64,
                saved=self.path(loser, iteration),
                before=self.values(loser),
                after=self.values(donor),
            ),
            Mutation(
                **who,
                revision=self.revisions[loser],
                by="scheduler",
                why="shift",
                before=before.to_json(),
                after=self.drawn[loser].to_json(),
            ),
        ]
