"""A run's intervals as Optuna studies: what the explorer was told, in optuna-dashboard itself."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from lived_runs import lived_run
from made_runs import TEXT, made_run
from optuna.trial import TrialState

from experiments.problems import BadInput
from experiments.run_dir import NotARun, RunDir, find_run
from experiments.showing import facts_of
from experiments.study_export import export_study
from orchestrator.member_state import MemberState
from orchestrator.population import Population
from orchestrator.seeding import generator

ASKS = TEXT.replace("size: 2", "size: 4, explore: {kind: optuna}").replace(
    "  search: {", "  search: {use_critic: {choices: [true, false]}, gamma: {low: 1, high: 1}, "
)
BOUNDARIES = 6
MEMBERS = 4


def score(state: MemberState) -> float:
    """Best at a learning rate of 0.001, and better from boundary to boundary."""
    return state.iteration - abs(math.log10(state.hyperparameters["lr"]) + 3.0)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return lived_run(tmp_path / "run", ASKS, BOUNDARIES, score)


def population(run: RunDir) -> Population:
    (found,) = facts_of(find_run(str(run.path))).populations.values()
    return found


def studies(path: Path) -> dict[str, optuna.Study]:
    """Every study of a storage, by its name."""
    storage: Any = f"sqlite:///{path}"
    if path.suffix == ".log":
        backend = optuna.storages.journal.JournalFileBackend(str(path))
        storage = optuna.storages.JournalStorage(backend)
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage) for name in names}


# What is in a study


@pytest.mark.parametrize("ending", [".db", ".sqlite3", ".log"])
def test_the_study_is_what_the_sampler_was_asked_with(
    run: RunDir, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The explorer is asked for real, and the study that it makes for its sampler caught."""
    export_study(str(run.path), tmp_path / f"study{ending}", as_json=False)
    own = population(run)
    caught: list[optuna.Study] = []
    create = optuna.create_study
    monkeypatch.setattr(
        optuna, "create_study", lambda **given: caught.append(create(**given)) or caught[-1]
    )
    own.rules.explore.explore({}, own.rules.search, generator(0), own.intervals.history())
    # The last one is the question.
    *asked, _ = caught[0].trials

    (study,) = studies(tmp_path / f"study{ending}").values()
    assert len(study.trials) == MEMBERS * (BOUNDARIES - 1)
    for ours, theirs in zip(study.trials, asked, strict=True):
        assert ours.params == theirs.params
        assert ours.distributions == theirs.distributions
        assert (ours.state, ours.values) == (theirs.state, theirs.values)
        assert ours.user_attrs == theirs.user_attrs
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE


def test_parameters_are_positions_and_attributes_say_what_they_stand_for(
    run: RunDir, tmp_path: Path
) -> None:
    export_study(str(run.path), tmp_path / "study.log", as_json=False)
    own = population(run)
    (study,) = studies(tmp_path / "study.log").values()
    for trial, each in zip(study.trials, own.intervals.history(), strict=True):
        # gamma cannot vary, and so is not searched.
        assert set(trial.params) == {"lr", "use_critic"}
        position = math.log(each.values["lr"] / 1e-4) / math.log(3e-3 / 1e-4)
        assert trial.params["lr"] == pytest.approx(position)
        assert trial.params["use_critic"] == [True, False].index(each.values["use_critic"])
        assert trial.user_attrs == {
            "member": each.member,
            "iteration": each.iteration,
            "score_before": each.before,
            "score_after": each.after,
            "hyperparameters.lr": each.values["lr"],
            "hyperparameters.use_critic": each.values["use_critic"],
        }
        assert -1.0 <= trial.value <= 1.0
    assert study.user_attrs["explorer"] == "optuna tpe"
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}


def test_intervals_that_run_are_trials_that_run(tmp_path: Path) -> None:
    """The first boundary was decided, the second one is not reached yet."""
    run = lived_run(tmp_path / "run", ASKS, 2, score)
    journal = run.journal.read_text().splitlines(keepends=True)
    decided = next(place for place, line in enumerate(journal) if '"kind":"boundary"' in line)
    run.journal.write_text("".join(journal[: decided + 1]))
    export_study(str(run.path), tmp_path / "study.log", as_json=False)
    (study,) = studies(tmp_path / "study.log").values()
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING] * MEMBERS
    assert [trial.user_attrs["iteration"] for trial in study.trials] == [2] * MEMBERS
    assert [trial.user_attrs["score_after"] for trial in study.trials] == [None] * MEMBERS


def test_the_window_of_the_explorer_is_kept(tmp_path: Path) -> None:
    text = ASKS.replace("kind: optuna", "kind: optuna, window: 6")
    run = lived_run(tmp_path / "run", text, BOUNDARIES, score)
    export_study(str(run.path), tmp_path / "study.log", as_json=False)
    (study,) = studies(tmp_path / "study.log").values()
    assert len(study.trials) == 6
    assert {trial.user_attrs["iteration"] for trial in study.trials} == {8, 10}


def test_every_population_has_a_study_of_its_own(tmp_path: Path) -> None:
    text = ASKS.replace("seeds: [0]", "seeds: [0, 1]") + (
        "arms:\n  asked: {}\n  moved: {population: {explore: {kind: perturb}}}\n"
    )
    run = lived_run(tmp_path / "run", text, 3, score)
    export_study(str(run.path), tmp_path / "study.log", as_json=False)
    found = studies(tmp_path / "study.log")
    explorers = {name: study.user_attrs["explorer"] for name, study in found.items()}
    not_asked = "perturb, so that Optuna was not asked"
    assert explorers == {
        "made/asked/seed0": "optuna tpe",
        "made/asked/seed1": "optuna tpe",
        "made/moved/seed0": not_asked,
        "made/moved/seed1": not_asked,
    }
    assert {len(study.trials) for study in found.values()} == {2 * MEMBERS}


def test_a_run_before_its_first_boundary_has_a_study_without_trials(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", text=ASKS)
    export_study(str(run.path), tmp_path / "study.db", as_json=False)
    (study,) = studies(tmp_path / "study.db").values()
    assert study.trials == []


# What is said


def test_it_says_what_was_written_and_how_it_is_opened(
    run: RunDir, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export_study("run", Path("study.db"), as_json=False)
    assert capsys.readouterr().out == (
        "made/main/seed0: 20 trials, 0 of them running; explorer: optuna tpe\n"
        "written to study.db; `optuna-dashboard sqlite:///study.db` shows it\n"
    )
    # Once more, over the old one.
    export_study("run", Path("study.log"), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["open"] == "optuna-dashboard study.log"
    (study,) = said["studies"]
    assert (study["name"], study["trials"], study["running"]) == ("made/main/seed0", 20, 0)
    assert {each.name for each in tmp_path.iterdir()} == {"run", "study.db", "study.log"}


def test_it_is_replaced_whole(run: RunDir, tmp_path: Path) -> None:
    for _ in range(2):
        export_study(str(run.path), tmp_path / "study.db", as_json=False)
    (study,) = studies(tmp_path / "study.db").values()
    assert len(study.trials) == 20


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("study.bd", 'must end in .db, .sqlite3 or .log, but got .bd. Did you mean ".db"?'),
        ("run/study.db", "must lie outside of every run"),
        ("run/journal.log", "must lie outside of every run"),
    ],
)
def test_a_place_where_no_study_can_be(run: RunDir, tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        export_study(str(run.path), tmp_path / path, as_json=False)
    assert said in str(caught.value)
    assert not (tmp_path / path).exists()


def test_a_run_that_searches_nothing(tmp_path: Path) -> None:
    text = TEXT.replace("  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}\n", "")
    run = made_run(tmp_path / "run", text=text)
    with pytest.raises(BadInput, match="must be a run that searches hyperparameters"):
        export_study(str(run.path), tmp_path / "study.db", as_json=False)
    assert not (tmp_path / "study.db").exists()
    with pytest.raises(NotARun):
        export_study(str(tmp_path / "rum"), tmp_path / "study.db", as_json=False)


# optuna-dashboard


@contextmanager
def dashboard(storage: str) -> Iterator[str]:
    """A server of the installed optuna-dashboard; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("optuna-dashboard"), storage),
            *("--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    with server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert server.poll() is None, server.stderr and server.stderr.read()
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def got(address: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("ending", [".db", ".log"])
def test_optuna_dashboard_shows_it(
    run: RunDir, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    export_study(str(run.path), tmp_path / f"study{ending}", as_json=True)
    storage = json.loads(capsys.readouterr().out)["open"].removeprefix("optuna-dashboard ")
    with dashboard(storage) as server:
        (listed,) = got(f"{server}/api/studies")["study_summaries"]
        assert listed["study_name"] == "made/main/seed0"
        assert listed["directions"] == ["maximize"]
        shown = got(f"{server}/api/studies/{listed['study_id']}")
    assert len(shown["trials"]) == MEMBERS * (BOUNDARIES - 1)
    (study,) = studies(tmp_path / f"study{ending}").values()
    for theirs, ours in zip(shown["trials"], study.trials, strict=True):
        assert theirs["state"] == "Complete"
        assert theirs["values"] == ours.values
        params = {each["name"]: each["param_internal_value"] for each in theirs["params"]}
        assert params == ours.params
        attributes = {each["key"]: each["value"] for each in theirs["user_attrs"]}
        assert json.loads(attributes["member"]) == ours.user_attrs["member"]
    assert {each["name"] for each in shown["union_search_space"]} == {"lr", "use_critic"}
