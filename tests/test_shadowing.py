"""A script in a folder with packages called like ours is told which shadows which."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("experiments.loading", "orchestrator"), ("experiments.loading", "callbacks"),
     ("callbacks.run_view", "orchestrator"), ("analysis", "orchestrator")],
)  # fmt: skip
def test_a_script_is_told_which_shadows_which(ours: str, theirs: str, tmp_path: Path) -> None:
    (tmp_path / theirs).mkdir()
    (tmp_path / theirs / "__init__.py").write_text("")
    (tmp_path / "script.py").write_text(f"import {ours}\n")
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert f"envolve's package `{theirs}`" in last
    assert f"hidden by {tmp_path.resolve() / theirs}" in last


def test_without_such_folders_all_is_well(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import analysis, callbacks, experiments, orchestrator\n")
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
