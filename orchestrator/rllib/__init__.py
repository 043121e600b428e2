"""The one place that knows RLlib's insides: build, push, reseed, save and restore an Algorithm.

Names of RLlib that begin with an underscore, or that no document promises, appear in this
package (and, for Tune, in ``orchestrator/tune.py``) alone; the contract test,
``tests/orchestrator/test_ray_contract.py``, fails by name when a Ray release moves one.
"""

from __future__ import annotations

from orchestrator.rllib.building import ENV_NAME, as_member, build, configure, reconfigure
from orchestrator.rllib.last_words import keep_words
from orchestrator.rllib.level_scores import scores_levels
from orchestrator.rllib.probing import probe
from orchestrator.rllib.processes import each_learner, each_runner, reseed
from orchestrator.rllib.promises import exactness_gaps
from orchestrator.rllib.running import (
    drain_episodes,
    env_steps,
    learner_metrics,
    play,
    push_distribution,
)
from orchestrator.rllib.saving import effective_lr, restore, save
from orchestrator.rllib.weights import (
    RestoreFailed,
    check_weights,
    push_weights,
    weights_digest,
)

__all__ = [
    "ENV_NAME",
    "RestoreFailed",
    "as_member",
    "build",
    "check_weights",
    "configure",
    "drain_episodes",
    "each_learner",
    "each_runner",
    "effective_lr",
    "env_steps",
    "exactness_gaps",
    "keep_words",
    "learner_metrics",
    "play",
    "probe",
    "push_distribution",
    "push_weights",
    "reconfigure",
    "reseed",
    "restore",
    "save",
    "scores_levels",
    "weights_digest",
]
