"""Full disks, deleted files of Tune's, moved directories: what a run survives on its storage."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_runs import Ended, Envolve, RunOnDisk, results_of, wait_until

pytestmark = pytest.mark.ray

LAST = 8


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with ten megabytes: a run, and its report."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system takes rights that this user does not have")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Take all of a file system but so many bytes."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (shutil.disk_usage(disk).free - leave))
    return ballast


@pytest.mark.parametrize("leave", [20_000, 0], ids=["for the journal alone", "for nothing"])
def test_a_full_disk_stops_the_run_and_loses_nothing(
    leave: int, small_disk: Path, reference: tuple[RunOnDisk, Ended], envolve: Envolve
) -> None:
    run = RunOnDisk(small_disk / "run")
    process = envolve.start("run", "tiny.yaml", "--run-dir", run.path)
    wait_until(lambda: results_of(run.path) >= 7, process)
    ballast = fill(small_disk, leave)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "No space left on device" in out + err
    assert "Traceback" not in out + err
    if leave:
        assert "save" in {fault["where"] for fault in run.of("fault")}
        assert run.journal[-1]["status"] == "failed"
    ballast.unlink()
    ended = envolve("resume", run.path)
    assert ended.code == 0, ended.err
    expected, _ = reference
    assert run.weights(LAST) == expected.weights(LAST)
    assert run.decisions() == expected.decisions()
