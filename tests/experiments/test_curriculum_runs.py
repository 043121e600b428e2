"""Curricula in real runs of the command: they move, are copied and searched, and resume exactly."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from curriculum_files import ACCEL, ARMS, LAST, PAIRED
from real_runs import Ended, Envolve, RunOnDisk, results_of, wait_until

import analysis
from orchestrator.distributions import Distribution, EnvSpace, Mixture, distribution_from_json
from orchestrator.knobs import Continuous, Range
from orchestrator.sketch import journalled

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

FILES = {"accel": ACCEL, "paired": PAIRED, "arms": ARMS}
SPACE = EnvSpace(
    {"gravity": Continuous(5.0, 20.0), "length": Continuous(0.25, 2.0, "log")},
    {"length": Range(0.5, 1.0)},
)
Made = Callable[[str], tuple[RunOnDisk, Ended]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The undisturbed run of a file, made when it is first asked for."""
    runs: dict[str, tuple[RunOnDisk, Ended]] = {}
    commands = []

    def run_of(name: str) -> tuple[RunOnDisk, Ended]:
        if name not in runs:
            directory = tmp_path_factory.mktemp(name)
            (directory / "file.yaml").write_text(FILES[name])
            commands.append(Envolve(directory))
            ended = commands[-1]("run", "file.yaml", "--run-dir", "run", timeout=600)
            runs[name] = RunOnDisk(directory / "run"), ended
        return runs[name]

    yield run_of
    for command in commands:
        command.close()


def course(run: RunOnDisk, path: str) -> dict[str, Any]:
    """Where a member's own curriculum stood in a checkpoint."""
    found = json.loads((run.path / path / "curriculum.json").read_text())
    assert isinstance(found, dict)
    return found


def distribution(data: object) -> Distribution:
    return distribution_from_json(SPACE, data)


def by_member(records: list[dict[str, Any]]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault((record["arm"], record["member"]), []).append(record)
    return found


@pytest.mark.parametrize("name", FILES)
class TestEveryRun:
    def test_it_finishes_without_a_fault(self, made: Made, name: str) -> None:
        run, ended = made(name)
        assert ended.code == 0, ended.err
        assert "Traceback" not in ended.err
        assert f"{name}: finished" in ended.out
        assert run.of("fault") == []
        assert len(run.of("score", suite="test")) == len({r["arm"] for r in run.of("member")})

    def test_revisions_count_every_change_of_a_distribution(self, made: Made, name: str) -> None:
        run, _ = made(name)
        for changes in by_member(run.of("mutation")).values():
            assert [each["revision"] for each in changes] == list(range(1, len(changes) + 1))
            for each in changes:
                assert each["from"] != each["to"]
            for before, after in itertools.pairwise(changes):
                assert before["to"] == after["from"]

    def test_episodes_come_from_revisions_that_were_journalled_before(
        self, made: Made, name: str
    ) -> None:
        run, _ = made(name)
        known: dict[tuple[str, int], int] = {}
        for record in run.journal:
            who = (record.get("arm", ""), record.get("member", -1))
            if record["kind"] == "mutation":
                known[who] = record["revision"]
            elif record["kind"] == "result":
                assert {int(revision) for revision in record["revisions"]} <= set(
                    range(known.get(who, 0) + 1)
                )

    def test_boundaries_say_how_far_the_next_moves_are(self, made: Made, name: str) -> None:
        run, _ = made(name)
        for record in run.of("boundary"):
            assert len(record["next_moves"]) == len(record["members"])
            assert all(record["next_moves"])

    def test_it_is_shown(self, made: Made, name: str, envolve: Envolve) -> None:
        run, _ = made(name)
        shown, printed = envolve("show", run.path, "--json"), envolve("show", run.path)
        assert (shown.code, printed.code) == (0, 0), shown.err + printed.err
        facts = json.loads(shown.out)
        assert facts["status"] == "finished"
        for member in facts["members"]:
            assert member["iteration"] == LAST
            changes = run.of("mutation", arm=member["arm"], member=member["member"])
            assert member["revision"] == len(changes)
            if changes:
                assert member["distribution"] == changes[-1]["to"]

    def test_it_is_analysed(self, made: Made, name: str) -> None:
        run, _ = made(name)
        frames = analysis.load(run.path)
        assert len(frames.results) == len(run.of("result"))
        assert len(frames.mutations) == len(run.of("mutation"))
        # Each revision of each member, the first included, has a row for each knob.
        revisions = len(run.of("mutation")) + len(run.of("member"))
        assert len(frames.distributions) == 2 * revisions
        for knob, legal in SPACE.knobs.items():
            assert isinstance(legal, Continuous)
            rows = frames.distributions[frames.distributions["knob"] == knob]
            assert (rows["low"] >= legal.low - 1e-9).all()
            assert (rows["high"] <= legal.high + 1e-9).all()
            assert (rows["low"] <= rows["high"]).all()


class TestLevelsOfTheirOwn:
    """Members that each run accel."""

    def test_the_members_curricula_and_the_scheduler_change_distributions(self, made: Made) -> None:
        run, _ = made("accel")
        assert {record["by"] for record in run.of("mutation")} == {"curriculum", "scheduler"}
        assert {record["to"]["kind"] for record in run.of("mutation")} >= {"sketch"}

    def test_results_say_how_far_the_next_move_is(self, made: Made) -> None:
        run, _ = made("accel")
        for record in run.of("result"):
            assert "buffer" in record["next_move"] or "replays" in record["next_move"]
        for boundary in run.of("boundary"):
            for member, words in zip(boundary["members"], boundary["next_moves"], strict=True):
                (own,) = run.of("result", member=member, iteration=boundary["iteration"])
                assert words == own["next_move"]

    def test_probes_count_as_env_steps(self, made: Made) -> None:
        run, _ = made("accel")
        for results in by_member(run.of("result")).values():
            assert "probe" in results[-1]["seconds"]
            for before, after in itertools.pairwise(results):
                steps = after["env_steps"] - before["env_steps"]
                # A train batch of 256, and four evaluation envs for 32 steps at the least.
                assert steps >= 256 + (128 if "probe" in after["seconds"] else 0)

    def test_members_have_parameters_of_their_own_and_a_copy_explores_them(
        self, made: Made
    ) -> None:
        run, _ = made("accel")
        searched = "curriculum.temperature"
        first = [record["hyperparameters"][searched] for record in run.of("member")]
        assert len(set(first)) == 2
        present = dict(enumerate(first))
        assert run.of("exploit")
        for exploit in run.of("exploit"):
            before, after = exploit["before"][searched], exploit["after"][searched]
            assert before == present[exploit["member"]]
            assert after != present[exploit["donor"]]
            assert 0.05 <= after <= 1.0
            present[exploit["member"]] = after

    def test_a_copy_goes_on_with_its_donors_levels(self, made: Made) -> None:
        run, _ = made("accel")
        exploit = run.of("exploit")[-1]
        loser, iteration = exploit["member"], exploit["iteration"]
        taken = course(run, exploit["checkpoint"])
        (mutation,) = run.of("mutation", member=loser, iteration=iteration, by="scheduler")
        assert mutation["to"] == journalled(distribution(taken["distribution"])).to_json()
        own = course(run, exploit["saved"])
        (saved,) = run.of("checkpoint", member=loser, iteration=LAST)
        later = course(run, saved["path"])
        donors, before, after = (
            set(each["state"]["buffer"]["levels"]) for each in (taken, own, later)
        )
        assert donors & after
        assert not (before - donors) & after
        assert later["state"]["buffer"]["clock"] > taken["state"]["buffer"]["clock"]
        # Nothing else changed in the meantime but by the member's own moves.
        since = run.of("mutation", member=loser, by="curriculum")
        assert later["revision"] == mutation["revision"] + sum(
            each["iteration"] > iteration for each in since
        )

    def test_a_checkpoint_holds_the_whole_of_what_the_journal_sketches(self, made: Made) -> None:
        run, _ = made("accel")
        for saved in run.of("checkpoint", iteration=LAST):
            stood = course(run, saved["path"])
            manifest = run.manifest(saved)
            sketch = journalled(distribution(stood["distribution"])).to_json()
            assert manifest["distribution"] == sketch
            assert manifest["revision"] == stood["revision"]
            (moved,) = run.of("mutation", member=saved["member"], iteration=LAST)
            assert moved["to"] == sketch


class TestAGenerator:
    """Members with a generator, a protagonist and an antagonist."""

    def test_distributions_stay_since_the_generator_decides(self, made: Made) -> None:
        run, _ = made("paired")
        assert run.of("mutation") == []
        words = {each for record in run.of("boundary") for each in record["next_moves"]}
        assert words == {"the generator decides each level"}

    def test_a_copy_takes_all_policies_and_explores_the_generators_rate(self, made: Made) -> None:
        run, _ = made("paired")
        searched = "policy.generator.lr"
        present = {each["member"]: each["hyperparameters"] for each in run.of("member")}
        for exploit in run.of("exploit"):
            assert exploit["before"] == present[exploit["member"]]
            assert exploit["after"].keys() == {searched}
            assert exploit["after"] != present[exploit["donor"]]
            present[exploit["member"]] = exploit["after"]
        (saved,) = run.of("checkpoint", member=exploit["member"], iteration=LAST)
        modules = run.path / saved["path"] / "algorithm/learner_group/learner/rl_module"
        assert {"generator", "protagonist", "antagonist"} <= {p.name for p in modules.iterdir()}
        assert run.manifest(saved)["parent"]["digest"] == exploit["digest"]

    def test_the_protagonist_alone_is_scored(self, made: Made) -> None:
        run, _ = made("paired")
        for record in run.of("score"):
            # A step of CartPole pays one, and the suite is cut after 60.
            assert all(1 <= each <= 60 for each in record["returns"])


class TestTheOtherKinds:
    """An arm for each."""

    def moves(self, made: Made, arm: str, by: str = "curriculum") -> list[dict[str, Any]]:
        run, _ = made("arms")
        found = run.of("mutation", arm=arm, by=by)
        assert found
        return found

    def test_stages_follow_each_other(self, made: Made) -> None:
        run, _ = made("arms")
        for changes in by_member(self.moves(made, "stages")).values():
            assert [(each["iteration"], each["why"].split(":")[0]) for each in changes] == [
                (1, "light to heavy"),
                (2, "heavy to all"),
            ]
        for record in run.of("result", arm="stages", iteration=LAST):
            assert record["next_move"] == "last stage (all)"

    def test_adr_moves_bounds_by_what_was_seen_at_them(self, made: Made) -> None:
        for changes in by_member(self.moves(made, "adr")).values():
            first = distribution(changes[0]["from"])
            assert isinstance(first, Mixture)
            assert first != distribution(changes[0]["to"])
            assert "(return " in changes[0]["why"]

    def test_alp_gmm_fits_gaussians(self, made: Made) -> None:
        for each in self.moves(made, "alp_gmm"):
            kinds = {part["distribution"]["kind"] for part in each["to"]["parts"]}
            assert kinds == {"product", "gaussian"}

    def test_sfl_keeps_levels_that_are_solved_now_and_then(self, made: Made) -> None:
        run, _ = made("arms")
        assert self.moves(made, "sfl")
        for results in by_member(run.of("result", arm="sfl")).values():
            probed = [each["iteration"] for each in results if "probe" in each["seconds"]]
            assert probed[0] == 1
            assert len(probed) == 2

    def test_regret_moves_members_but_not_the_reference(self, made: Made) -> None:
        run, _ = made("arms")
        moved = self.moves(made, "regret", by="callback")
        assert all(each["why"].startswith("regret ") for each in moved)
        reference = 3
        assert run.of("mutation", arm="regret", member=reference) == []
        assert run.of("exploit", arm="regret", member=reference) == []
        for boundary in run.of("boundary", arm="regret"):
            assert boundary["next_moves"][reference] == "the reference stays as it is"
        for saved in run.of("checkpoint", arm="regret", member=reference, iteration=LAST):
            assert run.manifest(saved)["revision"] == 0

    def test_optuna_explores_within_the_legal_range(self, made: Made) -> None:
        run, _ = made("arms")
        exploits = run.of("exploit", arm="regret")
        assert exploits
        rates = [each["after"]["lr"] for each in exploits]
        assert all(1e-4 <= rate <= 3e-3 for rate in rates)
        assert len(set(rates)) == len(rates)


class TestResume:
    @pytest.mark.parametrize("name", ["accel", "paired"])
    def test_a_run_whose_processes_were_all_killed_ends_to_the_bit_as_one_that_was_not(
        self, made: Made, name: str, envolve: Envolve
    ) -> None:
        whole, _ = made(name)
        (envolve.cwd / "file.yaml").write_text(FILES[name])
        run = RunOnDisk(envolve.cwd / "run")
        process = envolve.start("run", "file.yaml", "--run-dir", "run")
        wait_until(lambda: results_of(run.path) >= 5 and bool(run.of("exploit")), process)
        envolve.kill_tree(process)
        assert results_of(run.path) < 2 * LAST
        ended = envolve("resume", "run")
        assert ended.code == 0, ended.err
        assert run.weights(LAST) == whole.weights(LAST)
        assert run.decisions() == whole.decisions()
        assert lived(run) == lived(whole)
        for iteration in (LAST - 2, LAST):
            assert courses(run, iteration) == courses(whole, iteration)


def lived(run: RunOnDisk) -> dict[tuple[int, int], Mapping[str, Any]]:
    """Each member's iterations, but for times and numbers of directives."""
    told = ("training_return", "env_steps", "revisions", "next_move", "waits")
    return {
        (each["member"], each["iteration"]): {name: each[name] for name in told}
        for each in run.of("result")
    }


def courses(run: RunOnDisk, iteration: int) -> list[tuple[int, str]]:
    """The members' own curricula in their checkpoints of an iteration, as text."""
    found = []
    for saved in run.of("checkpoint", iteration=iteration):
        place = run.path / saved["path"] / "curriculum.json"
        found.append((saved["member"], place.read_text() if place.exists() else ""))
    return sorted(set(found))


def test_the_files_are_what_they_are_called(tmp_path: Path) -> None:
    from experiments.loading import load

    for name, text in FILES.items():
        (tmp_path / "file.yaml").write_text(text)
        loaded = load(tmp_path / "file.yaml")
        assert loaded.name == name
        assert all(arm.stop.iterations == LAST for arm in loaded.arms.values())
