"""What weights lived through, carried along a journal: an oracle for whoever looks back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.frozen import text
from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Exploit, MemberRecord, Record, Result


@dataclass(frozen=True)
class Lived:
    """An iteration that somebody's weights were trained.

    Attributes:
        member, iteration: who trained them, and in which iteration of its own.
        distribution, hyperparameters: what it trained on, as canonical JSON.
        env_steps: what it cost.
    """

    member: int
    iteration: int
    revision: int
    distribution: str
    hyperparameters: str
    env_steps: int


def lives(records: Sequence[Record], population: Population) -> dict[tuple[int, int], list[Lived]]:
    """All that the weights had behind them that each member had after an iteration.

    Args:
        population: one without members yet, whose records these are; others are passed over.
    """
    after: dict[tuple[int, int], list[Lived]] = {}
    goes_on: dict[tuple[int, int], list[Lived]] = {}
    kept: dict[str, list[Lived]] = {}
    whose = (population.arm, population.seed)
    for record in records:
        if isinstance(record, MemberRecord) and (record.arm, record.seed) == whose:
            place = (record.member, record.iteration)
            if isinstance(record, Result):
                before = goes_on.get((record.member, record.iteration - 1), [])
                after[place] = goes_on[place] = [*before, _lived(record, population)]
            elif isinstance(record, CheckpointSaved):
                kept[record.path] = after[place]
            elif isinstance(record, Exploit):
                goes_on[place] = kept[record.checkpoint]
        population.apply(record)
    return after


def _lived(record: Result, population: Population) -> Lived:
    state = population.members[record.member]
    return Lived(
        record.member,
        record.iteration,
        state.revision,
        text(state.distribution.to_json()),
        text(state.hyperparameters),
        record.env_steps - state.env_steps,
    )
