"""Runs on disk whose members no process trained, but whose boundaries were decided for real."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from made_runs import loaded, made_run

from experiments.rules import populations_of
from experiments.run_dir import RunDir
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.member_state import MemberState
from orchestrator.records import CheckpointSaved, Result, Score


def lived_run(
    path: Path, text: str, boundaries: int, score: Callable[[MemberState], float]
) -> RunDir:
    """A run of ``text`` whose members are scored by ``score`` so often; the last is not decided."""
    place = made_run(path, text=text)
    with closing(Journal(place.journal)) as journal:
        ledger = Ledger(journal, populations_of(loaded(text).arms))
        for boundary in range(1, boundaries + 1):
            for population in ledger.populations.values():
                iteration = boundary * population.rules.interval
                for state in list(population.members.values()):
                    ledger.record(*_scored(state, iteration, score(state)))
                if boundary < boundaries:
                    ledger.record(*population.decide(list(population.members)))
    return place


def _scored(state: MemberState, iteration: int, score: float) -> list[Any]:
    arm, seed, member = state.key
    who: dict[str, Any] = {"arm": arm, "seed": seed, "member": member, "iteration": iteration}
    place = f"members/{arm}/seed{seed}/m{member}/checkpoints/{iteration:06d}"
    seconds = {"train": 1.5, "score": 0.25}
    return [
        Result(**who, training_return=score, env_steps=iteration, revisions={}, seconds=seconds),
        Score(**who, score=score, suite="select", returns=(score, None, score, score)),
        CheckpointSaved(**who, path=place, digest="0" * 64, score=score),
    ]
