"""Random SIGKILLs: no model is lost, nobody is half exploited, and the end is the same.

``make chaos`` runs this with ``--kills 200``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from killing import Chaos, chaos_file, check_disk, check_lineage
from real_runs import Envolve, RunOnDisk

pytestmark = [pytest.mark.ray, pytest.mark.timeout(0)]

LAST = 12
KILLS_A_ROUND = 10
MEMBERS = 2


def test_a_population_under_random_kills_ends_as_one_that_was_left_alone(
    tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    kills, seed = request.config.getoption("kills"), request.config.getoption("chaos_seed")
    killed: Counter[str] = Counter()
    number = 0
    while killed.total() < kills:
        chaos = _round(tmp_path / f"round{number}", seed + number, kills - killed.total())
        killed += chaos.killed
        number += 1
        with capsys.disabled():
            print(f"round {number}: {killed.total()} kills so far")  # noqa: T201
    with capsys.disabled():
        for target, count in sorted(killed.items()):
            print(f"{count:5} {target}")  # noqa: T201


def _round(place: Path, seed: int, most: int) -> Chaos:
    place.mkdir()
    rng = np.random.default_rng(seed)
    runners = int(seed % 2)
    (place / "chaos.yaml").write_text(chaos_file(MEMBERS, runners, LAST))
    envolve = Envolve(place)
    try:
        expected = RunOnDisk(place / "alone")
        ended = envolve("run", "chaos.yaml", "--run-dir", "alone")
        assert ended.code == 0, ended.err
        chaos = Chaos(envolve, RunOnDisk(place / "run"), rng)
        code = -1
        while code != 0:
            code = chaos.live(min(most, KILLS_A_ROUND) - chaos.kills)
            check_disk(chaos.run)
        run = chaos.run
        assert run.journal[-1]["status"] == "finished"
        assert run.weights(LAST) == expected.weights(LAST)
        assert run.decisions() == expected.decisions()
        check_lineage(run)
        assert len(list((run.path / "best").glob("[!.]*"))) == 2
    finally:
        envolve.close()
    return chaos
