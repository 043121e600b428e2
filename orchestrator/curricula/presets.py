"""Published curricula by name, with the parameters of their reference implementations.

The capacity and the candidates are for millions of episodes; take less of them for less.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.curricula.base import Curriculum
from orchestrator.curricula.learnability import Learnability
from orchestrator.curricula.level_buffer import LevelBuffer

__all__ = ["PRESETS"]

PRESETS: Mapping[str, Curriculum] = {
    "plr": LevelBuffer(train_on_new=True),
    "plr_robust": LevelBuffer(),
    "accel": LevelBuffer(score="pvl", replay=0.8, fresh="start", edits=4),
    "sfl": Learnability(),
}
