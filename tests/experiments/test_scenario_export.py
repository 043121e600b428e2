"""Runs in which a generator sets the levels: what is exported and evaluated is the protagonist."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_runs import TEXT, loaded
from real_runs import Ended, Envolve, RunOnDisk

from experiments.evaluating import Subject, suite_of
from experiments.exporting import export
from experiments.scenarios import scenario_of, scored_team
from orchestrator.records import Fault

PAIRED = """\
envolve: 1
name: paired
env:
  id: CartPole
  knobs:
    gravity: {low: 5.0, high: 20.0}
    length: {low: 0.25, high: 2.0, scale: log}
  condition: [length, gravity]
algorithm:
  training: {lr: 0.001, train_batch_size_per_learner: 512, minibatch_size: 128, num_epochs: 2}
  env_runners: {num_envs_per_env_runner: 8}
  rl_module: {model_config: {fcnet_hiddens: [16]}}
curriculum: {kind: paired}
population: {size: 2, interval: 2}
evaluation: {levels: 4, test_levels: 0, max_steps: 100}
stop: {iterations: 4}
"""

Run = tuple[RunOnDisk, Ended]


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A tiny run of a generator, a protagonist and an antagonist that observe the level."""
    command = Envolve(tmp_path_factory.mktemp("paired"))
    (command.cwd / "paired.yaml").write_text(PAIRED)
    ended = command("run", "paired.yaml", "--run-dir", "run")
    yield RunOnDisk(command.cwd / "run"), ended
    command.close()


@pytest.fixture(scope="module")
def exported(paired: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its best policy."""
    run, ended = paired
    assert ended.code == 0, ended.err
    folder = tmp_path_factory.mktemp("exported") / "policy"
    export(str(run.path), folder, None, as_json=False)
    return folder


def scored(run: RunOnDisk) -> dict[str, Any]:
    """What was journalled of the best checkpoint's score."""
    best = max(run.of("checkpoint"), key=lambda r: (r["score"], r["iteration"]))
    (score,) = run.of("score", member=best["member"], iteration=best["iteration"])
    return score


@pytest.mark.ray
def test_the_example_acts_as_it_was_scored_and_the_policy_needs_no_envolve(
    paired: Run, exported: Path, tmp_path: Path
) -> None:
    asked = (
        f"import runpy, sys; sys.path.insert(0, {str(exported)!r})\n"
        "from policy import Policy\n"
        "Policy()\n"
        "ours = {'orchestrator', 'callbacks', 'experiments'}.intersection(sys.modules)\n"
        f"runpy.run_path({str(exported / 'act.py')!r}, run_name='__main__')\n"
        "import ray; print(sorted(ours), ray.is_initialized())"
    )
    command = [sys.executable, "-P", "-W", "ignore", "-c", asked]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    played, imported_and_started = ended.stdout.splitlines()
    assert imported_and_started == "[] False"
    first = scored(paired[0])["returns"][0]
    assert played.startswith(f"return {first:g} on ")
    assert played.endswith(f"scored {first}")


@pytest.mark.ray
def test_the_folder_says_who_acts_and_what_it_observes(exported: Path) -> None:
    said = json.loads((exported / "export.json").read_text())
    assert (said["policies"], said["roles"]) == (["protagonist"], "protagonist")
    assert [knob["knob"] for knob in said["env"]["condition"]] == ["length", "gravity"]
    assert [place.name for place in (exported / "policies").iterdir()] == ["protagonist"]
    readme = (exported / "README.md").read_text()
    assert "It is the protagonist of a scenario" in readme
    assert "It observes of the level: length, gravity." in readme


@pytest.mark.ray
def test_the_run_and_the_exported_policy_are_played_as_they_were_scored(
    paired: Run, exported: Path, envolve: Envolve
) -> None:
    score = scored(paired[0])
    for name in (paired[0].path, exported):
        ended = envolve("evaluate", name, "--json")
        assert (ended.code, ended.err) == (0, "")
        said = json.loads(ended.out)
        assert said["score"] == score["score"]
        assert [level["return"] for level in said["levels"]] == score["returns"]


def test_levels_that_the_generator_set_and_the_env_failed_on_are_a_suite() -> None:
    level = {"gravity": 10.0, "length": 0.5}
    fault = Fault("main", 0, 0, 1, where="env", error="!", action="retried", level=level)
    one = Subject("", {}, loaded(PAIRED), (fault,), lambda **_: (), {})
    assert [play.level for play in suite_of(one, "faults")] == [level]


@pytest.mark.parametrize("kind", ["scenario", "minimax", "paired", "flexible_paired"])
def test_the_team_that_is_exported_is_the_first_of_the_scenario(kind: str) -> None:
    experiment = loaded(TEXT, f"curriculum={{kind: {kind}}}").arms["main"]
    scenario = scenario_of(experiment)
    assert scenario is not None
    assert scored_team(experiment) == scenario.names[0]


def test_where_levels_are_drawn_there_is_no_team() -> None:
    assert scored_team(loaded().arms["main"]) is None
