"""The main job, end to end: real runs of the command, real kills, real signals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from real_runs import TINY, Ended, Envolve, RunOnDisk, results_of, wait_until

pytestmark = pytest.mark.ray

LAST = 8
MEMBERS = {("main", 0, 0), ("main", 0, 1), ("main", 0, 2)}


class TestAnUndisturbedRun:
    def test_it_finishes_and_says_where_the_best_checkpoint_is(
        self, reference: tuple[RunOnDisk, Ended]
    ) -> None:
        run, ended = reference
        assert ended.code == 0, ended.err
        assert "Traceback" not in ended.err
        assert "tiny: finished" in ended.out
        line = ended.out.split("best verified checkpoint")[1].splitlines()[0]
        best = line.split(": ", 1)[1].strip()
        assert (Path(best) / "manifest.json").exists()
        assert f"report: {run.path / 'report.html'}" in ended.out
        assert "tiny" in (run.path / "report.html").read_text()
        assert run.of("end") == [run.journal[-1]]
        assert run.journal[-1]["status"] == "finished"

    def test_scheduler_and_callback_both_mutate_env_distributions(
        self, reference: tuple[RunOnDisk, Ended]
    ) -> None:
        run, _ = reference
        assert {record["by"] for record in run.of("mutation")} == {"scheduler", "callback"}
        for record in run.of("mutation"):
            assert record["from"] != record["to"]

    def test_revisions_count_up_and_episodes_come_from_them(
        self, reference: tuple[RunOnDisk, Ended]
    ) -> None:
        run, _ = reference
        for _, _, member in MEMBERS:
            revisions = [record["revision"] for record in run.of("mutation", member=member)]
            assert revisions == list(range(1, len(revisions) + 1))
            present = 0
            for record in run.journal:
                if record.get("member") != member:
                    continue
                if record["kind"] == "mutation":
                    present = record["revision"]
                elif record["kind"] == "result":
                    # Envs are reset at boundaries, and mutations happen nowhere else.
                    assert set(record["revisions"]) <= {str(present)}

    def test_the_test_suite_is_played_once_for_the_best_member(
        self, reference: tuple[RunOnDisk, Ended]
    ) -> None:
        run, _ = reference
        (score,) = run.of("score", suite="test")
        assert len(score["returns"]) == 4

    def test_the_disk_holds_what_retention_promises(
        self, reference: tuple[RunOnDisk, Ended]
    ) -> None:
        run, _ = reference
        on_disk = {str(p.parent.relative_to(run.path)) for p in run.path.rglob("manifest.json")}
        members = {path for path in on_disk if path.startswith("members")}
        journalled = {r["path"] for r in run.of("checkpoint")}
        assert members == journalled - {r["path"] for r in run.of("prune")}
        assert len([path for path in on_disk if path.startswith("best")]) == 2

    def test_show_reads_it_back(self, reference: tuple[RunOnDisk, Ended], envolve: Envolve) -> None:
        run, _ = reference
        ended = envolve("show", run.path, "--json")
        shown = json.loads(ended.out)
        assert (ended.code, shown["status"]) == (0, "finished")
        assert [member["iteration"] for member in shown["members"]] == [LAST] * 3


class TestResume:
    def test_a_damaged_checkpoint_is_passed_over_and_the_user_is_told(
        self, reference: tuple[RunOnDisk, Ended], envolve: Envolve
    ) -> None:
        source, _ = reference
        run = RunOnDisk(envolve.cwd / "run")
        shutil.copytree(source.path, run.path)
        (newest,) = run.of("checkpoint", member=1, iteration=LAST)
        victim = next((run.path / newest["path"]).rglob("module_state.pkl"))
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
        ended = envolve("resume", "run", "--set", "stop.iterations=10")
        assert ended.code == 0, ended.err
        (restored,) = run.of("restore")
        assert (restored["member"], restored["iteration"]) == (1, LAST - 2)
        assert "module_state.pkl" in ended.err
        assert {key[2] for key in run.weights(10)} == {0, 1, 2}

    def test_with_nothing_whole_left_it_says_so(
        self, reference: tuple[RunOnDisk, Ended], envolve: Envolve
    ) -> None:
        source, _ = reference
        run = RunOnDisk(envolve.cwd / "run")
        shutil.copytree(source.path, run.path)
        shutil.rmtree(run.path / "members")
        ended = envolve("resume", "run", "--set", "stop.iterations=10")
        assert ended.code == 4
        assert "Traceback" not in ended.err


class TestWhereTheUserStands:
    def test_folders_named_like_ours_and_an_env_of_their_own(self, envolve: Envolve) -> None:
        for name in ("analysis", "callbacks", "orchestrator", "experiments"):
            package = envolve.cwd / name
            package.mkdir()
            (package / "__init__.py").write_text(f"raise RuntimeError('the wrong {name}')\n")
        (envolve.cwd / "mine.py").write_text(MINE)
        (envolve.cwd / "mine.yaml").write_text(
            TINY.replace("id: CartPole", 'id: "mine:make"').replace("length:", "pole:")
        )
        run = RunOnDisk(envolve.cwd / "run")
        ended = envolve("run", "mine.yaml", "--run-dir", "run", "-S", "stop.iterations=2")
        assert ended.code == 0, ended.err
        assert run.journal[-1]["status"] == "finished"


class TestModesAndSweeps:
    def test_asynchronous_members_go_on_after_a_kill(self, envolve: Envolve) -> None:
        run = RunOnDisk(envolve.cwd / "run")
        batch = (
            "run", "tiny.yaml", "--run-dir", "run", "--resume", "auto",
            "-S", "population.mode=async",
        )  # fmt: skip
        process = envolve.start(*batch)

        def trained() -> dict[int, int]:
            if not results_of(run.path):
                return dict.fromkeys(range(3), 0)
            results = {member: run.of("result", member=member) for member in range(3)}
            return {m: max((r["iteration"] for r in of), default=0) for m, of in results.items()}

        wait_until(lambda: min(trained().values()) >= 3, process)
        envolve.kill_tree(process)
        before = trained()
        killed_at = len(run.journal)
        ended = envolve(*batch)
        assert ended.code == 0, ended.err
        after = [r for r in run.journal[killed_at:] if r["kind"] == "result"]
        for member, iteration in before.items():
            if iteration == LAST:
                continue
            first = min(r["iteration"] for r in after if r["member"] == member)
            assert first > iteration - 2, "more than an interval was lost"
        assert {key[2] for key in run.weights(LAST)} == {0, 1, 2}

    def test_arms_seeds_and_a_grid_run_in_one_go(self, envolve: Envolve) -> None:
        (envolve.cwd / "sweep.yaml").write_text(
            TINY.replace("lr: 0.001,", "gamma: {grid: [0.9, 0.99]}, lr: 0.001,").replace(
                "stop: {iterations: 8}", "stop: {iterations: 2}\nseeds: [0, 1]"
            )
        )
        run = RunOnDisk(envolve.cwd / "run")
        ended = envolve("run", "sweep.yaml", "--run-dir", "run", "-S", "population.size=2")
        assert ended.code == 0, ended.err
        finished = set(run.weights(2))
        assert finished == {
            (arm, seed, member)
            for arm in ("gamma=0.9", "gamma=0.99")
            for seed in (0, 1)
            for member in (0, 1)
        }


MINE = """\
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class Mine(CartPoleEnv):
    def set_level(self, level):
        self.gravity = level["gravity"]
        self.length = level["pole"]
        self.polemass_length = self.masspole * self.length

def make():
    return gymnasium.wrappers.TimeLimit(Mine(), 100)
"""
