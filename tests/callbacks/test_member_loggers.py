"""Tune's loggers, told of members: TensorBoard, W&B without a server, MLflow in a real store."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest
from event_files import WandbRun, accumulated, curve, hyperparameters, texts, wandb_runs
from made_runs import TEXT, loaded
from mlflow import MlflowClient
from mlflow.entities import Run
from ray.tune.logger import (
    CSVLoggerCallback,
    JsonLoggerCallback,
    LoggerCallback,
    TBXLoggerCallback,
)

from callbacks.member_loggers import MemberLoggers
from callbacks.mlflow_runs import MlflowRuns
from callbacks.tensorboard import TensorBoard
from callbacks.wandb_runs import WandbRuns, may_log_in
from experiments.rules import beginnings, populations_of
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.records import Exploit, Fault, MemberStarted, Record, Result, Score
from orchestrator.suites import SELECT
from orchestrator.suites import TEST as TEST_SUITE

# MLflow's use of SQLAlchemy is no concern of ours.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

ABOUT = {"main": {"env": "CartPole"}}
LOSS = "learner/default_policy/policy_loss"


class Seat:
    """A Tune trial, which says nothing of the member in it."""

    trial_id = "seat"


class Life:
    """A ledger, and loggers that listen to it; three members that take turns in one seat."""

    def __init__(self, run_dir: Path, loggers: Mapping[str, LoggerCallback]) -> None:
        run_dir.mkdir(exist_ok=True)
        arms = loaded(TEXT, "population.size=3").arms
        self.journal = Journal(run_dir / "journal.jsonl")
        self.ledger = Ledger(self.journal, populations_of(arms))
        (population,) = self.ledger.populations.values()
        self.loggers = MemberLoggers(self.ledger, loggers, run_dir, "made", ABOUT)
        self.ledger.listen(self.loggers.take)
        if not population.members:
            self.ledger.record(*population.first(*beginnings(population, arms["main"])))

    def train(self, member: int, *iterations: int) -> None:
        """Iterations of a member, of which each second one is a boundary."""
        who: dict[str, Any] = {"arm": "main", "seed": 0, "member": member}
        for iteration in iterations:
            score = [Score(**who, iteration=iteration, score=iteration, suite=SELECT, returns=())]
            self.ledger.record(
                Result(
                    **who,
                    iteration=iteration,
                    training_return=10.0 * iteration,
                    env_steps=256 * iteration,
                    revisions={"0": {"episodes": 3, "return": 10.0 * iteration}},
                    seconds={"train": 0.5},
                ),
                *(score if iteration % 2 == 0 else []),
            )
            result = {**who, "training_iteration": iteration, LOSS: -0.5}
            self.loggers.on_trial_result(iteration, [], Seat(), result)
            self.loggers.on_step_end(iteration, [])

    def end(self) -> list[Fault]:
        """All is over; returns what went wrong."""
        self.loggers.close()
        self.journal.close()
        return self.ledger.faults


def exploit(member: int, donor: int, iteration: int) -> Record:
    return Exploit(
        "main", 0, member, iteration, donor=donor, checkpoint="there", digest="", saved="here",
        before={"lr": 0.001}, after={"lr": 0.0012},
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'store.db'}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, store: str) -> Path:
    """Three members in one seat; stopped when two were done, and resumed."""
    run_dir = tmp_path_factory.mktemp("runs") / "made-1"

    def loggers() -> dict[str, LoggerCallback]:
        return {
            "tensorboard": TensorBoard(),
            "wandb": WandbRuns(run_dir, project="made", mode="offline"),
            "mlflow": MlflowRuns(store, "made"),
        }

    first = Life(run_dir, loggers())
    for member in (0, 1, 2):
        first.train(member, 1, 2)
    first.ledger.record(exploit(2, 1, iteration=2))
    for member in (0, 1, 2):
        first.train(member, *range(3, 6 if member == 2 else 9))
    assert first.end() == []
    second = Life(run_dir, loggers())
    # Iteration 5 came after the last boundary, and is done again.
    second.train(2, 5, 6, 7, 8)
    test = Score("main", 0, 2, 6, score=42.0, suite=TEST_SUITE, returns=(42.0,))
    second.ledger.record(test)
    assert second.end() == []
    return run_dir


class TestTensorBoard:
    def test_a_member_has_one_curve_whatever_seats_and_processes_it_was_in(self, run: Path) -> None:
        members = sorted(path.name for path in (run / "tensorboard").iterdir())
        assert members == ["main-seed0-m0", "main-seed0-m1", "main-seed0-m2"]
        for member in members:
            events = accumulated(run / "tensorboard" / member)
            assert curve(events, "training_return") == [(n, 10.0 * n) for n in range(1, 9)]
            assert curve(events, "score") == [(n, n) for n in (2, 4, 6, 8)]
            assert [step for step, _ in curve(events, LOSS)] == [*range(1, 9)]

    def test_names_are_plain(self, run: Path) -> None:
        names = accumulated(run / "tensorboard" / "main-seed0-m0").Tags()["scalars"]
        assert sorted(names) == [
            "env_steps",
            "episodes",
            "hyperparameters/lr",
            "knobs/gravity/high",
            "knobs/gravity/low",
            "knobs/length/high",
            "knobs/length/low",
            LOSS,
            "revision",
            "score",
            "seconds/train",
            "training_return",
        ]

    def test_an_exploit_is_a_point_and_a_text(self, run: Path) -> None:
        events = accumulated(run / "tensorboard" / "main-seed0-m2")
        assert curve(events, "donor") == [(2, 1)]
        assert texts(events, "exploit") == [(2, "copies m1; lr 0.001 → 0.0012")]
        lr = [value for _, value in curve(events, "hyperparameters/lr")]
        assert lr[2:] == pytest.approx([0.0012] * 6)

    def test_the_test_score_stands_at_the_end(self, run: Path) -> None:
        assert curve(accumulated(run / "tensorboard" / "main-seed0-m2"), "test_score") == [(8, 42)]

    def test_hyperparameters_are_what_the_member_began_with(self, run: Path) -> None:
        found = hyperparameters(accumulated(run / "tensorboard" / "main-seed0-m1"))
        drawn = found.pop("hyperparameters/lr")
        assert 1e-4 <= drawn <= 3e-3
        assert found == {"arm": "main", "seed": 0, "member": 1, "env": "CartPole"}

    def test_no_file_stays_open(self, tmp_path: Path) -> None:
        """A process may have 1024 of them open, and a population a thousand members."""
        life, written = Life(tmp_path / "run", {"tensorboard": TensorBoard()}), Event()
        life.train(0, 1)
        life.loggers._loggers[0].thread.call(written.set)
        assert written.wait(10)
        opened = [file.path for file in psutil.Process().open_files()]
        assert [path for path in opened if path.startswith(str(tmp_path))] == [
            str(tmp_path / "run" / "journal.jsonl")
        ]
        life.end()


class TestWeightsAndBiases:
    @pytest.fixture
    def runs(self, run: Path) -> list[WandbRun]:
        return wandb_runs(run / "wandb")

    def test_a_member_is_a_run_by_one_id_in_every_process(self, runs: list[WandbRun]) -> None:
        names = [each.name for each in runs]
        assert names == ["main-seed0-m0", "main-seed0-m1", "main-seed0-m2", "main-seed0-m2"]
        assert len({each.id for each in runs}) == 3
        assert runs[2].id == runs[3].id
        assert {(each.project, each.group) for each in runs} == {("made", "made-1/main")}

    def test_steps_are_training_iterations(self, runs: list[WandbRun]) -> None:
        whole = runs[0]
        assert whole.curve("training_return") == [(n, 10.0 * n) for n in range(1, 9)]
        assert whole.curve("env_steps") == [(n, 256 * n) for n in range(1, 9)]
        # What is told of an iteration in two parts is one row.
        assert [row["_step"] for row in whole.history] == [*range(1, 9)]

    def test_exploits_and_the_test_score_are_there(self, runs: list[WandbRun]) -> None:
        first, second = sorted(runs[2:], key=lambda each: each.history[0]["_step"])
        assert first.curve("donor") == [(2, 1)]
        assert second.curve("test_score") == [(8, 42)]

    def test_the_config_is_what_the_member_is(self, runs: list[WandbRun]) -> None:
        config = runs[1].config
        assert (config["arm"], config["member"], config["env"]) == ("main", 1, "CartPole")
        assert 1e-4 <= config["hyperparameters/lr"] <= 3e-3

    def test_they_are_finished(self, runs: list[WandbRun]) -> None:
        assert {each.exit_code for each in runs} == {0}

    def test_files_go_nowhere_else(self, run: Path) -> None:
        assert sorted(path.name for path in run.iterdir()) == [
            "journal.jsonl", "tensorboard", "wandb",
        ]  # fmt: skip


class TestMlflow:
    @pytest.fixture
    def client(self, store: str) -> MlflowClient:
        return MlflowClient(store)

    @pytest.fixture
    def runs(self, run: Path, client: MlflowClient) -> list[Run]:
        experiment = client.get_experiment_by_name("made")
        assert experiment is not None
        found = client.search_runs([experiment.experiment_id])
        return sorted(found, key=lambda each: str(each.info.run_name))

    def test_a_member_is_one_run_though_it_was_resumed(self, runs: list[Run]) -> None:
        names = [each.info.run_name for each in runs]
        assert names == ["main-seed0-m0", "main-seed0-m1", "main-seed0-m2"]
        assert {each.data.tags["envolve.population"] for each in runs} == {"made-1/main"}

    def test_metrics_have_their_histories(self, runs: list[Run], client: MlflowClient) -> None:
        def steps(each: Run, name: str) -> Sequence[tuple[int, float]]:
            found = client.get_metric_history(each.info.run_id, name)
            return sorted({(metric.step, metric.value) for metric in found})

        for each in runs:
            assert steps(each, "training_return") == [(n, 10.0 * n) for n in range(1, 9)]
            assert steps(each, "score") == [(n, n) for n in (2, 4, 6, 8)]
        assert steps(runs[2], "donor") == [(2, 1)]
        assert steps(runs[2], "test_score") == [(8, 42)]

    def test_parameters_are_what_the_member_began_with(self, runs: list[Run]) -> None:
        """MLflow refuses another value for one, as after an exploit."""
        for member, each in enumerate(runs):
            params = dict(each.data.params)
            assert 1e-4 <= float(params.pop("hyperparameters/lr")) <= 3e-3
            assert params == {"arm": "main", "seed": "0", "member": f"{member}", "env": "CartPole"}

    def test_they_are_finished(self, runs: list[Run]) -> None:
        assert {each.info.status for each in runs} == {"FINISHED"}

    def test_a_member_that_ended_in_a_process_that_was_killed_is_called_so_after_a_resume(
        self, store: str, tmp_path: Path
    ) -> None:
        def statuses() -> dict[str, str]:
            client = MlflowClient(store)
            experiment = client.get_experiment_by_name("killed")
            assert experiment is not None
            runs = client.search_runs([experiment.experiment_id])
            return {str(run.info.run_name): run.info.status for run in runs}

        first = Life(tmp_path / "run", {"mlflow": MlflowRuns(store, "killed")})
        first.train(0, *range(1, 9))
        first.train(1, 1, 2)
        for logger in first.loggers._loggers:
            # What was asked for is done, but nobody brings it to its end.
            logger.thread.close()
            assert logger.thread.wait(60)
        first.journal.close()
        assert statuses() == {"main-seed0-m0": "RUNNING", "main-seed0-m1": "RUNNING"}
        second = Life(tmp_path / "run", {"mlflow": MlflowRuns(store, "killed")})
        second.train(1, *range(3, 9))
        assert second.end() == []
        assert statuses() == {"main-seed0-m0": "FINISHED", "main-seed0-m1": "FINISHED"}

    def test_a_member_that_failed_and_one_that_was_stopped_are_called_so(
        self, tmp_path: Path
    ) -> None:
        uri = f"sqlite:///{tmp_path / 'store.db'}"
        life = Life(tmp_path / "run", {"mlflow": MlflowRuns(uri, "ends")})
        life.train(0, 1)
        life.train(1, 1)
        life.ledger.record(Fault("main", 0, 1, 1, where="env", error="no", action="failed"))
        life.end()
        (experiment,) = [e for e in MlflowClient(uri).search_experiments() if e.name == "ends"]
        runs = MlflowClient(uri).search_runs([experiment.experiment_id])
        found = {each.info.run_name: each.info.status for each in runs}
        assert found == {"main-seed0-m0": "KILLED", "main-seed0-m1": "FAILED"}

    def test_what_the_environment_says_counts_where_the_file_says_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Tune's own logger makes MLflow forget it."""
        import mlflow

        uri = f"sqlite:///{tmp_path / 'mine.db'}"
        monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", None)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert MlflowRuns(None, "made").tracking_uri == uri


class Broken(LoggerCallback):  # type: ignore[misc]
    """Takes two results, and then no more."""

    def __init__(self) -> None:
        self.taken = 0

    def log_trial_result(self, iteration: int, trial: Any, result: dict[str, Any]) -> None:
        self.taken += 1
        if self.taken > 2:
            raise RuntimeError("no space left")


def test_a_logger_that_fails_is_one_fault_and_the_others_go_on(tmp_path: Path) -> None:
    broken = Broken()
    life = Life(tmp_path / "run", {"broken": broken, "tensorboard": TensorBoard()})
    life.train(0, 1, 2, 3, 4)
    (fault,) = life.end()
    assert (fault.where, fault.error) == ("loggers: broken", "RuntimeError: no space left")
    assert fault.action == "nothing more is logged there; the run went on"
    assert broken.taken == 3
    events = accumulated(tmp_path / "run" / "tensorboard" / "main-seed0-m0")
    assert [step for step, _ in curve(events, "env_steps")] == [1, 2, 3, 4]


def test_a_server_that_is_not_there_is_one_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    life = Life(tmp_path / "run", {"mlflow": MlflowRuns("http://127.0.0.1:9", "made")})
    life.train(0, 1, 2)
    (fault,) = life.end()
    assert fault.where == "loggers: mlflow"
    assert "http://127.0.0.1:9" in fault.error
    assert [record.kind for record in life.ledger.faults] == ["fault"]


def test_nobody_is_asked_for_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not may_log_in()


def test_tunes_own_loggers_take_a_member_for_a_trial(tmp_path: Path) -> None:
    """So that anybody's logger for Tune can be told of members."""
    own = {"json": JsonLoggerCallback(), "csv": CSVLoggerCallback(), "tbx": TBXLoggerCallback()}
    life = Life(tmp_path / "run", own)
    life.train(0, 1, 2)
    assert life.end() == []
    folder = tmp_path / "run" / "tensorboard" / "main-seed0-m0"
    assert {path.name.split(".")[0] for path in folder.iterdir()} >= {
        "events", "params", "progress", "result",
    }  # fmt: skip


def test_tune_may_pickle_them(tmp_path: Path) -> None:
    life = Life(tmp_path / "run", {"tensorboard": TensorBoard()})
    assert isinstance(pickle.loads(pickle.dumps(life.loggers)), MemberLoggers)
    life.end()


def test_of_who_never_trained_there_is_nothing(tmp_path: Path) -> None:
    life = Life(tmp_path / "run", {"tensorboard": TensorBoard()})
    assert all(isinstance(each, MemberStarted) for each in life.journal.records)
    assert life.end() == []
    assert not (tmp_path / "run" / "tensorboard").exists()
