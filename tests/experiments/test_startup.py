"""What is, and what is not, started and imported on the way to an answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = """\
envolve: 1
name: broken
env: {id: CartPole}
stop: {iteration: 4}
"""
ANSWER = """\
import sys
from experiments import cli
try:
    cli.main()
finally:
    print(*sys.modules)
"""
SESSION = """\
import sys
from pathlib import Path
import psutil
from experiments.ray_session import ray_session
with ray_session(Path.cwd()):
    for process in psutil.Process().children(recursive=True):
        # A raylet's further arguments name the program of its workers.
        print(*process.cmdline()[:3])
"""


@pytest.mark.parametrize("as_driver", [False, True])
@pytest.mark.parametrize("command", ["validate", "run"])
def test_errors_of_a_files_schema_are_found_without_anything_heavy(
    tmp_path: Path, command: str, as_driver: bool
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(BROKEN)
    driver = "import os\nos.environ['ENVOLVE_DRIVER_OF'] = str(os.getppid())\n"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", (driver if as_driver else "") + ANSWER, command, file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert 'Did you mean "iterations"?' in ended.stderr
    modules = set(ended.stdout.split())
    assert not {"ray", "torch", "gymnasium", "numpy", "pandas", "optuna"} & modules
    # The parent in front of a run's driver leaves it to the driver to read the file.
    parent = command == "run" and not as_driver
    assert ("experiments.loading" in modules) is not parent


@pytest.mark.ray
def test_ray_starts_no_worker_before_one_is_asked_for() -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-c", SESSION], capture_output=True, text=True, check=True
    )
    assert "raylet" in ended.stdout
    assert "default_worker" not in ended.stdout
    assert "ray::IDLE" not in ended.stdout
