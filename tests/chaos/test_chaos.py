"""Random SIGKILLs: no model is lost, nobody is half exploited, and the end is the same.

``make chaos`` runs this with ``--kills 200``.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from killing import FILES, Chaos, chaos_file, check_disk, check_lineage
from real_runs import Envolve, RunOnDisk

pytestmark = [pytest.mark.ray, pytest.mark.timeout(0)]

LAST = 40
# More would not fit between the beginning and the end of a run.
KILLS_OF_A_RUN = 20


def test_a_population_under_random_kills_ends_as_one_that_was_left_alone(
    tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    kills, seed = request.config.getoption("kills"), request.config.getoption("chaos_seed")
    killed: Counter[str] = Counter()
    alone: dict[str, RunOnDisk] = {}
    for number, kind in enumerate(itertools.cycle(FILES)):
        if killed.total() >= kills:
            break
        if kind not in alone:
            alone[kind] = _left_alone(tmp_path / f"alone{number}", kind)
        most = min(kills - killed.total(), KILLS_OF_A_RUN)
        killed += _killed_at(tmp_path / f"run{number}", kind, seed + number, most, alone[kind])
        with capsys.disabled():
            print(f"run {number + 1} ({kind}): {killed.total()} kills", flush=True)  # noqa: T201
    with capsys.disabled():
        for target, count in sorted(killed.items()):
            print(f"{count:5} {target}")  # noqa: T201


def _left_alone(place: Path, kind: str) -> RunOnDisk:
    envolve = _command(place, kind)
    try:
        ended = envolve("run", "chaos.yaml", "--run-dir", "run")
    finally:
        envolve.close()
    assert ended.code == 0, ended.err
    return RunOnDisk(place / "run")


def _killed_at(place: Path, kind: str, seed: int, most: int, expected: RunOnDisk) -> Counter[str]:
    """Kill at a run until it has had ``most`` of it or is at its end; it must end as expected."""
    envolve = _command(place, kind)
    chaos = Chaos(envolve, RunOnDisk(place / "run"), np.random.default_rng(seed))
    try:
        while chaos.live(most - chaos.kills) != 0:
            check_disk(chaos.run)
    finally:
        envolve.close()
    run = chaos.run
    check_disk(run)
    check_lineage(run)
    assert run.journal[-1]["status"] == "finished"
    assert run.weights(LAST) == expected.weights(LAST)
    assert run.decisions() == expected.decisions()
    assert len(list((run.path / "best").glob("[!.]*"))) == 2
    return chaos.killed


def _command(place: Path, kind: str) -> Envolve:
    place.mkdir()
    (place / "chaos.yaml").write_text(chaos_file(kind, LAST))
    return Envolve(place)
