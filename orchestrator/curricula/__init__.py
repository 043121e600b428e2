"""Curricula: what decides a member's next env distribution. See `orchestrator.curricula.base`."""

from __future__ import annotations

from orchestrator.curricula.adr import ADR
from orchestrator.curricula.alp_gmm import ALPGMM
from orchestrator.curricula.base import (
    Curriculum,
    Move,
    Need,
    Outcome,
    Outlook,
    Owner,
    Seen,
    Stand,
    State,
)
from orchestrator.curricula.evolving import Evolving, Widen
from orchestrator.curricula.fixed import DomainRandomization, Fixed
from orchestrator.curricula.generated import Generated
from orchestrator.curricula.learnability import Learnability
from orchestrator.curricula.level_buffer import LevelBuffer
from orchestrator.curricula.population_regret import PopulationRegret
from orchestrator.curricula.presets import PRESETS
from orchestrator.curricula.scheduled import Scheduled
from orchestrator.curricula.stages import Stage, Stages, Until

__all__ = [
    "ADR",
    "ALPGMM",
    "PRESETS",
    "Curriculum",
    "DomainRandomization",
    "Evolving",
    "Fixed",
    "Generated",
    "Learnability",
    "LevelBuffer",
    "Move",
    "Need",
    "Outcome",
    "Outlook",
    "Owner",
    "PopulationRegret",
    "Scheduled",
    "Seen",
    "Stage",
    "Stages",
    "Stand",
    "State",
    "Until",
    "Widen",
]
