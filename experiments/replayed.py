"""From the ancestry of a member's weights to the experiment that trains a fresh agent likewise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.curriculum_spec import Replay
from experiments.spec import Algorithm, Experiment, NoExploit, Population, Stop
from orchestrator.frozen import text, thaw
from orchestrator.records import MemberRecord, MemberStarted, Mutation, Record, Restored
from orchestrator.searched import CURRICULUM
from orchestrator.sketch import Sketch

if TYPE_CHECKING:
    from analysis import Ancestry

__all__ = ["Replayed", "replayed"]

_SUFFIX = "-replay"
_LONGEST_NAME = 64

Change = dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """An experiment of one member that trains by somebody's schedule.

    Attributes:
        distributions: how many the schedule has.
        sketched: how many of them are what draws looked like, since the journal has no more.
    """

    experiment: Experiment
    distributions: int
    sketched: int


def replayed(
    experiment: Experiment, lineage: Ancestry, history: Sequence[Record], seeds: Sequence[int]
) -> Replayed:
    """The replay of an ancestry, everything else as in the arm that it is of.

    Hyperparameters of an asynchronous member may have changed off the boundaries that a replay
    has, whose interval is then the longest that meets all of these.

    Args:
        history: the run's journal, which has the distributions in full.
    """
    changes, sketched = _changes(lineage, history)
    searching = [change["iteration"] for change in changes[1:] if "hyperparameters" in change]
    population = experiment.population
    every = math.gcd(population.interval, *searching)
    own: dict[str, Any] = {
        "name": experiment.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX,
        "algorithm": _without_search(experiment.algorithm),
        "curriculum": Replay.model_validate({"kind": "replay", "schedule": changes}),
        "population": Population(
            size=1,
            interval=min(every, lineage.trained),
            mode=population.mode,
            exploit=NoExploit(),
            max_faults=population.max_faults,
        ),
        "stop": Stop(iterations=lineage.trained),
        "seeds": tuple(seeds),
    }
    distributions = sum("distribution" in change for change in changes)
    return Replayed(experiment.model_copy(update=own), distributions, sketched)


def _without_search(algorithm: Algorithm) -> Algorithm:
    return algorithm.model_copy(update={"search": {}, "policy_search": {}})


def _changes(lineage: Ancestry, history: Sequence[Record]) -> tuple[list[Change], int]:
    """What changes when, and how many distributions are sketches; what stays is left out."""
    changes: dict[int, Change] = {}
    sketched, present = 0, ""
    for iteration, distribution in _distributions(lineage, history):
        if text(distribution) != present:
            present = text(distribution)
            sketched += distribution["kind"] == Sketch.kind
            changes.setdefault(iteration, {})["distribution"] = _drawable(distribution)
    in_force: dict[str, Any] = {}
    for iteration, values in _hyperparameters(lineage):
        if text(in_force | values) != text(in_force):
            in_force |= values
            changes.setdefault(iteration, {})["hyperparameters"] = values
    schedule = [{"iteration": iteration, **changes[iteration]} for iteration in sorted(changes)]
    return schedule, sketched


def _drawable(distribution: Mapping[str, Any]) -> Any:
    """The distribution; of a sketch what its draws look like."""
    if distribution["kind"] == Sketch.kind:
        return {"kind": "product", "marginals": thaw(distribution["marginals"])}
    return thaw(distribution)


def _distributions(
    lineage: Ancestry, history: Sequence[Record]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """By iterations trained, as journalled."""
    journalled = {
        (record.member, revision): distribution
        for record in history
        if isinstance(record, MemberRecord)
        and (record.arm, record.seed) == (lineage.arm, lineage.seed)
        for revision, distribution in _revision(record)
    }
    seen = lineage.distributions.drop_duplicates("trained")
    if seen.empty:
        # Without knobs there is one distribution alone.
        yield 0, journalled[int(lineage.segments["member"].iloc[0]), 0]
    for trained, member, revision in seen[["trained", "member", "revision"]].to_numpy().tolist():
        yield trained, journalled[member, revision]


def _revision(record: Record) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if isinstance(record, MemberStarted):
        yield 0, record.distribution
    elif isinstance(record, Mutation):
        yield record.revision, record.after
    elif isinstance(record, Restored):
        yield record.revision, record.distribution


def _hyperparameters(lineage: Ancestry) -> Iterator[tuple[int, dict[str, Any]]]:
    """By iterations trained; what the curriculum's own parameters did, distributions tell."""
    found: dict[int, dict[str, Any]] = {}
    seen = (lineage.hyperparameters[name].to_list() for name in ("trained", "name", "value"))
    for trained, name, value in zip(*seen, strict=True):
        if not name.startswith(CURRICULUM):
            found.setdefault(trained, {})[name] = thaw(value)
    yield from found.items()
