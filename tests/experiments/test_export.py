"""`envolve export`: which checkpoint, what is in the folder, and that it acts as it was scored."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_runs import made_run
from real_runs import Ended, Envolve, RunOnDisk

from experiments.chosen import borrowed
from experiments.cli import _exit_code
from experiments.exporting import export
from experiments.problems import BadInput
from experiments.run_dir import NotARun
from orchestrator import checkpoints
from orchestrator.recovery import NothingToRestore

pytestmark = pytest.mark.ray

Run = tuple[RunOnDisk, Ended]


@pytest.fixture
def moved(reference: Run, tmp_path: Path) -> RunOnDisk:
    """A copy of the tiny run, under another name."""
    return RunOnDisk(Path(shutil.copytree(reference[0].path, tmp_path / "another name")))


@pytest.fixture(scope="module")
def exported(reference: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best of the tiny run."""
    folder = tmp_path_factory.mktemp("exported") / "policy"
    export(str(reference[0].path), folder, None, as_json=False)
    return folder


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "export.json").read_text())
    return found


def best_record(run: RunOnDisk) -> dict[str, Any]:
    return max(run.of("checkpoint"), key=lambda r: (r["score"], r["iteration"]))


def flip(file: Path) -> None:
    """Other bytes, in a file of its own: a hard link's others keep theirs."""
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def copies(run: RunOnDisk, record: dict[str, Any]) -> list[Path]:
    """Where a checkpoint lies in the run."""
    best = [place for place in (run.path / "best").iterdir() if record["digest"][:8] in place.name]
    return [place for place in [*best, run.path / record["path"]] if place.exists()]


# What is in the folder


def test_it_says_what_it_is_and_where_it_comes_from(reference: Run, exported: Path) -> None:
    run, _ = reference
    said, record = facts(exported), best_record(run)
    assert said["checkpoint"] == {"path": record["path"], "digest": record["digest"]}
    assert (said["score"]["value"], said["score"]["suite"]) == (record["score"], "select")
    (test,) = run.of("score", suite="test")
    assert said["test"] == {"value": test["score"], "returns": test["returns"]}
    assert said["env"]["id"] == "CartPole"
    assert set(said["env"]["distribution"]["marginals"]) == {"gravity", "length"}
    last = said["lineage"][-1]
    assert (last["member"], last["to_iteration"]) == (record["member"], record["iteration"])
    assert said["lineage"][0]["from_iteration"] == 0
    assert {"python", "envolve", "ray", "torch", "gymnasium"} <= set(said["versions"])
    resolved = (run.path / "experiment.yaml").read_text()
    assert (exported / "experiment.yaml").read_text() == resolved


def test_every_file_is_in_the_manifest_and_the_digest_covers_it(exported: Path) -> None:
    manifest = checkpoints.verify(exported)
    files = {file.relative_to(exported).as_posix() for file in exported.rglob("*.*")}
    files = {name for name in files if (exported / name).is_file()}
    assert files - set(manifest["files"]) == {"manifest.json", "manifest.sha256"}
    digest, name = (exported / "manifest.sha256").read_text().split()
    assert (checkpoints.digest_of(exported), "manifest.json") == (digest, name)
    assert [entry.name for entry in exported.parent.iterdir()] == ["policy"]
    assert "runs code" in (exported / "README.md").read_text()


def test_the_example_acts_as_it_was_scored_with_no_ray(exported: Path, tmp_path: Path) -> None:
    example = exported / "act.py"
    lines = [line for line in example.read_text().splitlines() if line and line[0] not in '"N']
    assert len(lines) <= 18
    asked = (
        f"import runpy, sys; sys.path.insert(0, {str(exported)!r}); "
        f"runpy.run_path({str(example)!r}, run_name='__main__'); "
        "import ray; print(ray.is_initialized())"
    )
    command = [sys.executable, "-P", "-W", "ignore", "-c", asked]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    played, started = ended.stdout.splitlines()
    first = facts(exported)["plays"][0]
    assert started == "False"
    assert played.startswith(f"return {first['return']:g} on ")
    assert played.endswith(f"seed {first['seed']}; scored {first['return']}")


def test_it_returns_on_every_level_what_was_journalled(exported: Path) -> None:
    from gymnasium.wrappers import TimeLimit

    from experiments.envs.cartpole import CartPole
    from experiments.exported.policy import Policy

    policy = Policy(exported)
    assert len(policy.facts["plays"]) == 4
    for play in policy.facts["plays"]:
        env = TimeLimit(CartPole(play["level"]), policy.facts["max_steps"])
        policy.begin(*env.reset(seed=play["seed"]))
        while not policy.done:
            policy.saw(*env.step(policy.act()))
        env.close()
        assert policy.total == play["return"]


def test_a_file_that_is_missing_or_differs_is_noticed(exported: Path, tmp_path: Path) -> None:
    from experiments.exported.policy import verify

    folder = Path(shutil.copytree(exported, tmp_path / "copy"))
    assert verify(folder)["name"] == "tiny"
    state = folder / "policies" / "default_policy" / "module_state.pkl"
    flip(state)
    with pytest.raises(ValueError, match=r"module_state\.pkl: its bytes are not those"):
        verify(folder)
    state.unlink()
    with pytest.raises(ValueError, match=r"module_state\.pkl: must be there"):
        verify(folder)


# Where it is written


def test_nothing_is_overwritten(moved: RunOnDisk, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    for dest, found in ((tmp_path / "mine", "which is there"), (tmp_path / "a.txt", "the file")):
        (tmp_path / "a.txt").write_text("")
        with pytest.raises(BadInput, match="DEST: must be a new or an empty directory") as bad:
            export(str(moved.path), dest, None, as_json=False)
        assert found in str(bad.value)
        assert _exit_code(bad.value) == 2


def test_the_command_takes_an_empty_directory_and_a_moved_run(
    moved: RunOnDisk, envolve: Envolve
) -> None:
    (envolve.cwd / "out").mkdir()
    ended = envolve("export", moved.path, "out", "--checkpoint", "m1", "--json")
    assert (ended.code, ended.err) == (0, "")
    said = json.loads(ended.out)
    assert (said["member"], said["iteration"]) == (1, 8)
    assert said["digest"] == checkpoints.digest_of(envolve.cwd / "out")
    ended = envolve("export", "nothing", "out2")
    assert ended.code == 2
    assert "nothing: must be a run's directory" in ended.err
    assert not (envolve.cwd / "out2").exists()


# Which checkpoint


def taken(name: str | Path, checkpoint: str | None = None) -> tuple[Any, tuple[str, ...]]:
    """(digest, what was passed over) of what is chosen."""
    with borrowed(str(name), checkpoint) as chosen:
        assert checkpoints.digest_of(chosen.folder / "checkpoint") == chosen.record.digest
        return chosen.record.digest, chosen.passed_over


def test_every_name_of_a_checkpoint(
    moved: RunOnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    best = best_record(moved)["digest"]
    (newest,) = moved.of("checkpoint", member=0, iteration=8)
    own = moved.path / newest["path"]
    for name, checkpoint, digest in (
        (moved.path, None, best),
        (moved.path, "best", best),
        (moved.path / "best", None, best),
        (moved.path / "best" / copies(moved, best_record(moved))[0].name, None, best),
        (moved.path, "m0", newest["digest"]),
        (moved.path, "main/seed0/m0", newest["digest"]),
        (own.parent.parent, None, newest["digest"]),
        (own, None, newest["digest"]),
        (own.relative_to(tmp_path), None, newest["digest"]),
        (moved.path, newest["path"], newest["digest"]),
        (moved.path, str(own), newest["digest"]),
    ):
        assert taken(name, checkpoint) == (digest, ())
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").write_text(f"{moved.path}\n")
    assert taken("latest") == taken("best") == (best, ())


def test_what_is_no_checkpoint_is_answered_with_what_would_be(moved: RunOnDisk) -> None:
    for wanted in ("m7", "000016", str(moved.path / "tune")):
        with pytest.raises(BadInput, match=r"--checkpoint: must be best, a member \(m0, m1, m2\)"):
            taken(moved.path, wanted)
    with pytest.raises(NotARun):
        taken(moved.path / "nowhere")


def test_a_damaged_one_gives_way_to_its_copy_then_to_the_next(moved: RunOnDisk) -> None:
    first, second = sorted(moved.of("checkpoint"), key=lambda r: (-r["score"], -r["iteration"]))[:2]
    for place in copies(moved, first):
        flip(place / "algorithm" / "learner_group" / "learner" / "state.pkl")
    digest, passed_over = taken(moved.path)
    assert digest == second["digest"]
    assert len(passed_over) == 1
    assert "its bytes are not those that were saved" in passed_over[0]


def test_none_that_is_whole_is_exit_code_4(moved: RunOnDisk, tmp_path: Path) -> None:
    for record in moved.of("checkpoint"):
        for place in copies(moved, record):
            shutil.rmtree(place)
    with pytest.raises(NothingToRestore, match="a checkpoint must be whole, but none is") as none:
        export(str(moved.path), tmp_path / "out", None, as_json=False)
    assert _exit_code(none.value) == 4
    assert not (tmp_path / "out").exists()
    with pytest.raises(NothingToRestore, match="but none was saved yet"):
        taken(made_run(tmp_path / "untrained").path)


class Bomb:
    """Says that it was unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return (Path.touch, (self.file,))


def test_nothing_is_unpickled_that_the_journal_does_not_vouch_for(
    moved: RunOnDisk, tmp_path: Path
) -> None:
    """A checkpoint that was replaced by one that agrees with its own manifest."""
    went_off = tmp_path / "went off"
    best = best_record(moved)
    for place in copies(moved, best):
        name = "algorithm/learner_group/learner/rl_module/default_policy/module_state.pkl"
        forged = pickle.dumps(Bomb(went_off))
        (place / name).unlink()
        (place / name).write_bytes(forged)
        manifest = json.loads((place / "manifest.json").read_text())
        manifest["files"][name] = {
            "sha256": hashlib.sha256(forged).hexdigest(), "bytes": len(forged)
        }  # fmt: skip
        (place / "manifest.json").unlink()
        (place / "manifest.json").write_text(json.dumps(manifest))
        checkpoints.verify(place)
    export(str(moved.path), tmp_path / "out", None, as_json=True)
    assert facts(tmp_path / "out")["checkpoint"]["digest"] != best["digest"]
    assert not went_off.exists()
