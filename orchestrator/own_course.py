"""A member's own course through its curriculum: begun, saved in its checkpoints, fed episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import searched, seeding
from orchestrator.course import Course
from orchestrator.curricula import Curriculum, Outcome
from orchestrator.distributions import EnvSpace
from orchestrator.episodes import Episode

_FILE = "curriculum.json"


def own_course(
    curriculum: Curriculum,
    space: EnvSpace,
    hyperparameters: Mapping[str, Any],
    key: tuple[str | int, ...],
) -> Course:
    """At its beginning, with the parameters that are searched set to the member's."""
    # A rule's parameters are the fields of a frozen dataclass.
    own = replace(curriculum, **searched.of_curriculum(hyperparameters))  # type: ignore[type-var]
    return Course.begun(own, space, key)


def save_course(course: Course, into: Path) -> None:
    """Write where it stands into a checkpoint that is being made."""
    (into / _FILE).write_text(json.dumps(course.to_json()))


def load_course(course: Course, checkpoint: Path) -> Course:
    """``course`` where `save_course` found it; the checkpoint must have been verified."""
    return course.loaded(json.loads((checkpoint / _FILE).read_text()))


def taken_over(course: Course, iteration: int) -> Course:
    """``course`` of a donor, as a member goes on with it that became its copy there.

    The journal has said already that the distribution is the donor's.
    """
    rng = seeding.generator(*course.key, "copied", iteration)
    stand = course.curriculum.copied(course.stand, rng).stand
    assert stand.distribution == course.distribution, "a member's own rule changes none in a copy"
    return replace(course, stand=stand)


def outcome_of(
    episode: Episode, agents: Sequence[str] | None, success_above: float | None, *, trained: bool
) -> Outcome:
    """An episode as curricula see it.

    Args:
        agents: those whose returns count; None: all agents'.
        success_above: the return from which on an episode counts as solved, where the env's
            ``info["is_success"]`` does not say.
    """
    total = episode.total(agents)
    success = episode.success
    if success is None and success_above is not None:
        success = total >= success_above
    return Outcome(
        level=dict(episode.level),
        total=total,
        length=episode.length,
        success=success,
        scores=episode.scores,
        trained=trained,
        revision=episode.revision,
    )
