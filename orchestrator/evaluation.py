"""Playing a checkpoint on a suite, outside of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator import checkpoints
from orchestrator.levels import Play
from orchestrator.member import Blueprint, Member


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
    alone = blueprint.algorithm.copy(copy_frozen=False).env_runners(num_env_runners=0)
    member = Member(replace(blueprint, algorithm=alone), run_dir, state)
    try:
        return member.play(suite)
    finally:
        member.close()
