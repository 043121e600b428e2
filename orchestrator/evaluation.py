"""Playing a checkpoint on a suite, outside of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator import checkpoints, rllib
from orchestrator.levels import Play
from orchestrator.member import Blueprint, Member
from orchestrator.rllib.exporting import load_policies

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig


def play_checkpoint(
    blueprint: Blueprint, run_dir: Path, path: str, digest: str, suite: Sequence[Play]
) -> tuple[float, ...]:
    """Returns of a checkpoint's deterministic policy on a suite, one per level.

    Args:
        path: relative to ``run_dir``; verified against ``digest`` before it is loaded.

    Raises:
        Damaged: if it is not the checkpoint that was journalled.
    """
    manifest = checkpoints.verify(run_dir / path, digest)
    state = {**manifest, "checkpoint": path, "digest": digest}
    member = Member(replace(blueprint, algorithm=_alone(blueprint)), run_dir, state)
    try:
        return member.play(suite)
    finally:
        member.close()


def play_exported(
    blueprint: Blueprint,
    folder: Path,
    digest: str,
    hyperparameters: Mapping[str, Any],
    suite: Sequence[Play],
) -> tuple[float, ...]:
    """As `play_checkpoint`, for a folder that was exported from a run of the same experiment.

    Args:
        hyperparameters: those that it was trained with, which may shape its network.

    Raises:
        Damaged: if a file of it is not what its manifest says.
    """
    checkpoints.verify(folder, digest)
    algorithm = rllib.build(_alone(blueprint), hyperparameters, "exported")
    try:
        load_policies(algorithm, folder)
        episodes, _ = rllib.play(algorithm, suite)
    finally:
        algorithm.stop()
    return tuple(episode.total(blueprint.agents) for episode in episodes)


def _alone(blueprint: Blueprint) -> AlgorithmConfig:
    """In one process, whatever it was trained in."""
    config = blueprint.algorithm.copy(copy_frozen=False)
    config.env_runners(num_env_runners=0)
    return config.learners(num_learners=0, num_gpus_per_learner=0)
