"""What an env runner is told about the envs that it is to build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.apply import ApplyKind
from orchestrator.distributions import Distribution
from orchestrator.scenario import Scenario


@dataclass(frozen=True)
class EnvSetup:
    """What a worker needs to build its sub-envs.

    Attributes:
        make: builds an env with these knob values on top of its fixed config; an empty
            mapping builds it with the config alone. May carry ``entry_point()``, which
            returns the constructor, for ``apply: auto`` to look at.
        apply: how a level reaches a live env.
        distribution: what levels are drawn from until another is pushed.
        revision: revision of that distribution.
        max_steps: length at which an episode of a suite is cut.
        timeout: seconds that one ``reset`` or ``step`` may take; None: any time.
        condition: the knobs whose values every observation of the env's agents ends with.
        scenario: who plays against whom where a policy sets the levels; None: nobody does,
            they are drawn.
    """

    make: Callable[[Mapping[str, Any]], Any]
    apply: ApplyKind
    distribution: Distribution
    revision: int = 0
    max_steps: int = 10_000
    timeout: float | None = None
    condition: tuple[str, ...] = ()
    scenario: Scenario | None = None
