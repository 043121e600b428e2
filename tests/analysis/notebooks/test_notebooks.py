"""The notebooks: clean as they are committed, and run from top to bottom on real runs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pytest
from made_runs import made_run
from real_runs import Envolve, results_of, wait_until

from orchestrator.journal import Journal
from orchestrator.records import Fault

NOTEBOOKS = Path(__file__).parents[3] / "analysis" / "notebooks"
NAMES = ("compare_curricula", "read_a_lineage", "watch_a_running_sweep", "your_own_env")

Execute = Callable[..., Any]

every_notebook = pytest.mark.parametrize("name", NAMES)

SMALL = """\
envolve: 1
name: small
env:
  id: CartPole
  knobs:
    gravity: {low: 5.0, high: 20.0}
    length: {low: 0.25, high: 2.0, scale: log, start: {low: 0.5, high: 0.5}}
algorithm:
  training: {lr: 0.001, train_batch_size_per_learner: 256, minibatch_size: 64, num_epochs: 2}
  env_runners: {num_envs_per_env_runner: 8}
  rl_module: {model_config: {fcnet_hiddens: [16]}}
  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}
population: {size: 2, interval: 2, exploit: {kind: truncation, fraction: 0.5}}
evaluation: {levels: 3, test_levels: 4, max_steps: 100}
checkpoint: {keep_best: 1}
stop: {iterations: 6}
seeds: [0, 1, 2]
arms:
  everything: {curriculum: {kind: domain_randomization}}
  widening: {curriculum: {kind: population, widen: {above: 15, by: 0.1, min_episodes: 2}}}
"""


def committed(name: str) -> Any:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def code(name: str) -> list[tuple[str, str]]:
    """Ids and sources of the cells that hold Python."""
    cells = [each for each in committed(name).cells if each.cell_type == "code"]
    return [(each.id, each.source) for each in cells if not each.source.startswith("%%")]


# As they are committed


def test_these_are_all_notebooks() -> None:
    assert sorted(each.stem for each in NOTEBOOKS.iterdir() if each.suffix) == sorted(NAMES)


@every_notebook
def test_nothing_in_it_differs_from_run_to_run(name: str) -> None:
    notebook = committed(name)
    nbformat.validate(notebook)
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    assert text == nbformat.writes(notebook) + "\n"
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        assert cell.metadata == {}
        # Words that were chosen; an editor would have made them up anew.
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell.id)
        if cell.cell_type == "code":
            assert (cell.execution_count, cell.outputs) == (None, [])
    ids = [cell.id for cell in notebook.cells]
    assert len({*ids}) == len(ids)


@every_notebook
def test_it_is_short_and_says_what_it_is_about(name: str) -> None:
    first, *others = committed(name).cells
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    sources = [cell.source.splitlines() for cell in others if cell.cell_type == "code"]
    assert max(map(len, sources)) <= 40
    assert sum(map(len, sources)) <= 150


@every_notebook
def test_it_calls_public_functions_alone(name: str) -> None:
    for _, source in code(name):
        python = re.sub(r"^%.*$", "", source, flags=re.MULTILINE)
        for node in ast.walk(ast.parse(python)):
            if isinstance(node, ast.Import):
                roots = {each.name.split(".")[0] for each in node.names}
                assert not roots & {"orchestrator", "callbacks", "experiments"}
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in ("orchestrator", "experiments")
            elif isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_")


@every_notebook
def test_its_code_is_as_tidy_as_the_rest(name: str) -> None:
    # A notebook prints, and lies in a folder that is no package.
    for arguments in (["check", "--ignore", "INP001,T201"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache"]
        place = NOTEBOOKS / f"{name}.ipynb"
        ended = subprocess.run([*command, place], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "No Python files found" not in ended.stderr


# Run from top to bottom


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two arms, three seeds and two members of each, trained for real."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(SMALL)
    command = Envolve(folder)
    ended = command("run", "small.yaml", "--run-dir", "run")
    assert ended.code == 0, ended.err
    yield folder / "run"
    command.close()


@pytest.mark.ray
def test_compare_curricula(small_run: Path, execute: Execute) -> None:
    done = execute("compare_curricula", ENVOLVE_RUN=str(small_run))
    said = done.printed("load")
    assert said.startswith("small: finished\n")
    assert "everything" in said
    table = done.printed("by-how-much-table")
    assert "everything" in table
    assert "widening" in table
    assert " over " in done.printed("how-sure-pairs")
    drawn = ["by-how-much-curves", "why-levels", "why-knobs", "why-coverage"]
    assert done.pictures == drawn


@pytest.mark.ray
def test_read_a_lineage(small_run: Path, execute: Execute) -> None:
    done = execute("read_a_lineage", ENVOLVE_RUN=str(small_run))
    assert "('widening', 2)" in done.printed("load")
    assert re.search(r"best of widening, seed 2: m\d at iteration \d", done.printed("population"))
    assert "trained_before" in done.printed("population")
    assert "gravity" in done.printed("schedule-envs")
    assert "lr" in done.printed("schedule-hyperparameters")
    assert done.pictures == ["tree", "curve", "schedule-envs", "schedule-hyperparameters"]


@pytest.mark.ray
def test_a_sweep_is_watched_while_it_runs(
    envolve: Envolve, execute: Execute, tmp_path: Path
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    process = envolve.start(
        "run", "small.yaml", "--run-dir", "run", "-S", "stop.iterations=1000", "-S", "seeds=[0]"
    )
    run = tmp_path / "run"
    wait_until(lambda: results_of(run) > 0, process)
    looks = {"ENVOLVE_LOOKS": "3", "ENVOLVE_SECONDS": "0.2"}
    done = execute("watch_a_running_sweep", ENVOLVE_RUN=str(run), **looks)
    assert process.poll() is None
    said = done.printed("watch")
    # Each look has replaced the one before.
    assert said.count("small: running, ") == 1
    # The arm that trains first; the other one waits for its seats.
    assert "everything" in said
    assert done.pictures == ["picture"]


@pytest.mark.ray
def test_a_finished_sweep_is_looked_at_once(small_run: Path, execute: Execute) -> None:
    # It would not end in time if it went on looking.
    done = execute("watch_a_running_sweep", ENVOLVE_RUN=str(small_run), ENVOLVE_SECONDS="1000")
    said = done.printed("watch")
    assert said.startswith("small: finished, ")
    assert re.search(r"widening +0 +2 +6 +6 ", said)
    assert "Empty DataFrame" in done.printed("faults")


def test_a_run_that_has_only_begun_and_one_with_faults_can_be_watched(
    execute: Execute, tmp_path: Path
) -> None:
    begun = made_run(tmp_path / "begun")
    done = execute("watch_a_running_sweep", ENVOLVE_RUN=str(begun.path))
    assert done.printed("watch").startswith("made: killed, ")
    hurt = made_run(tmp_path / "hurt", trained=3)
    with closing(Journal(hurt.journal)) as journal:
        journal.append(
            Fault("main", 0, 1, 3, where="env", error="lost its way", action="retried"),
            Fault.of_run("best", "damaged", "taken again"),
        )
    done = execute("watch_a_running_sweep", ENVOLVE_RUN=str(hurt.path))
    assert re.search(r"main +0 +2 +3 +3 +1536 +NaN +0", done.printed("watch"))
    assert "damaged" in done.printed("faults")


@pytest.mark.ray
def test_your_own_env(execute: Execute, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    done = execute("your_own_env", ENVOLVE_FOLDER=str(folder))
    assert done.printed("validate").startswith("sled.yaml holds: sled, main (3 members)")
    # With colours between, in a notebook.
    assert re.search(r"sled\S*: finished", done.printed("run"))
    assert done.pictures == ["look-overview", "look-map"]
    played = re.search(r"return (\S+) on .*; scored (\S+)\n", done.printed("export-act"), re.DOTALL)
    assert played is not None
    assert float(played[1]) == pytest.approx(float(played[2]), rel=1e-4)
    (exported,) = folder.glob("policy-of-*")
    assert json.loads((exported / "export.json").read_text())["env"]["id"] == "sled:Sled"
