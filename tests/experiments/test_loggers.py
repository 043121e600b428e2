"""The key `loggers` of the experiment file, and a real run that is logged to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from event_files import accumulated, curve, wandb_runs
from made_runs import TEXT, loaded
from real_runs import TINY, Ended, Envolve, RunOnDisk

from experiments import loggers
from experiments.loading import dump
from experiments.problems import BadInput
from experiments.spec import MlflowLogger, WandbLogger

HERE = "made.yaml:17"


def given(text: str) -> tuple[Any, ...]:
    """The loggers of a file with this value."""
    return loaded(f"{TEXT}loggers: {text}\n").arms["main"].loggers


class TestTheKey:
    def test_a_kind_alone_stands_for_its_defaults(self) -> None:
        assert given("[wandb, mlflow]") == (WandbLogger(), MlflowLogger())
        assert given("[{kind: wandb}, {kind: mlflow}]") == given("[wandb, mlflow]")
        assert loaded().arms["main"].loggers == ()

    def test_settings_stand_beside_the_kind(self) -> None:
        found = given("[{kind: wandb, project: poles, mode: offline}, mlflow]")
        assert found == (WandbLogger(project="poles", mode="offline"), MlflowLogger())

    def test_a_file_written_out_says_the_same(self) -> None:
        file = loaded(f"{TEXT}loggers: [{{kind: mlflow, tracking_uri: 'file:here'}}, wandb]\n")
        again = loaded(dump(file.resolved()))
        assert again.arms == file.arms

    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("wandb", ':1: loggers: must be a list of loggers, but got "wandb". Write [wandb]'),
            (
                "[tensorboard]",
                (
                    ':11: loggers[0].kind: must be wandb or mlflow, but got "tensorboard". '
                    "TensorBoard reads every run as it is: tensorboard --logdir RUN"
                ),
            ),
            (
                "[wadb]",
                (
                    ':11: loggers[0].kind: must be wandb or mlflow, but got "wadb". '
                    'Did you mean "wandb"?'
                ),
            ),
            (
                "[{kind: w&b}]",
                (
                    ':12: loggers[0].kind: must be wandb or mlflow, but got "w&b". '
                    '"w&b" is called "wandb" here'
                ),
            ),
            (
                "[3]",
                (
                    ":11: loggers[0]: must be a mapping with a kind, but got 3. "
                    "For example {kind: wandb}"
                ),
            ),
            (
                "[{kind: mlflow, uri: x}]",
                (
                    ':26: loggers[0].uri: must be a key of loggers[0], but got "uri". '
                    '"uri" is called "tracking_uri" here: tracking_uri: "x"'
                ),
            ),
            (
                "[{kind: mlflow, project: x}]",
                (
                    ':26: loggers[0].project: must be a key of loggers[0], but got "project". '
                    "It is a key of kind: wandb"
                ),
            ),
            (
                "[{kind: wandb, mode: off}]",
                (
                    ":25: loggers[0].mode: must be online, or offline, or null, but got "
                    '"off". Did you mean "offline"?'
                ),
            ),
            (
                "[wandb, {kind: wandb, project: x}]",
                ':18: loggers[1]: must be of another kind than the others, but got "wandb"',
            ),
        ],
    )
    def test_a_mistake_is_answered_where_it_stands(self, text: str, answer: str) -> None:
        with pytest.raises(BadInput) as bad:
            given(text)
        assert str(bad.value) == HERE + answer

    def test_arms_are_logged_to_the_same_places(self) -> None:
        for text in ("arms: {a: {loggers: [wandb]}}", "loggers: {grid: [[], [wandb]]}"):
            with pytest.raises(BadInput, match="the arms of a run are logged to the same places"):
                loaded(f"{TEXT}{text}\n")

    def test_neighbours_words_lead_there(self) -> None:
        for word in ("wandb", "logger", "mlflow"):
            with pytest.raises(BadInput, match=r'is called "loggers" here: loggers: \['):
                loaded(f"{TEXT}{word}: x\n")


class TestWhatTheyNeed:
    @pytest.mark.parametrize("kind", ["wandb", "mlflow"])
    def test_a_missing_package_is_answered_with_the_extra(
        self, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loggers, "find_spec", lambda name: None)
        experiment = loaded(f"{TEXT}loggers: [{kind}]\n").arms["main"]
        (finding,) = loggers.logger_findings(experiment)
        assert finding.key == ("loggers", 0)
        assert finding.must == f"must be a logger whose package is installed, for kind: {kind}"
        assert finding.hint == f"`pip install 'envolve[{kind}]'`"

    def test_without_a_key_wandb_must_be_offline(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("WANDB_API_KEY", raising=False)
        monkeypatch.delenv("WANDB_MODE", raising=False)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        experiment = loaded(f"{TEXT}loggers: [wandb]\n").arms["main"]
        (finding,) = loggers.logger_findings(experiment)
        assert finding.hint == "Run `wandb login`, set WANDB_API_KEY, or write mode: offline"
        offline = loaded(f"{TEXT}loggers: [{{kind: wandb, mode: offline}}]\n").arms["main"]
        assert list(loggers.logger_findings(offline)) == []
        monkeypatch.setenv("WANDB_MODE", "offline")
        assert list(loggers.logger_findings(experiment)) == []


LOGGERS = """\
loggers:
  - {kind: wandb, project: poles, mode: offline}
  - {kind: mlflow, tracking_uri: 'sqlite:///store.db'}
"""
CUT = (
    "-S",
    "stop.iterations=4",
    "-S",
    "evaluation.test_levels=4",
    "-S",
    "resources.max_resident=2",
)
GONE = "loggers=[{kind: mlflow, tracking_uri: http://127.0.0.1:9}]"


@dataclass(frozen=True)
class Logged:
    """A run to iteration 4, and how it went on to 6 with a server that is not there."""

    run: RunOnDisk
    first: Ended
    second: Ended


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    directory = tmp_path_factory.mktemp("logged")
    (directory / "tiny.yaml").write_text(TINY + LOGGERS)
    envolve = Envolve(directory)
    first = envolve("run", "tiny.yaml", "--run-dir", "run", *CUT)
    second = envolve("resume", "run", "-S", "stop.iterations=6", "-S", GONE)
    yield Logged(RunOnDisk(directory / "run"), first, second)
    envolve.close()


@pytest.mark.ray
class TestARealRun:
    """Three members in two seats."""

    NAMES = ("main-seed0-m0", "main-seed0-m1", "main-seed0-m2")

    def test_it_finishes_without_a_word_of_the_loggers(self, logged: Logged) -> None:
        assert logged.first.code == 0, logged.first.err
        assert logged.first.err == ""
        for word in ("wandb", "mlflow", "fault"):
            assert word not in logged.first.out.lower().replace("0 faults", "")

    def test_a_server_that_is_not_there_does_not_end_it(self, logged: Logged) -> None:
        assert logged.second.code == 0, logged.second.err
        (fault,) = logged.run.of("fault")
        assert fault["where"] == "loggers: mlflow"
        assert fault["action"] == "nothing more is logged there; the run went on"
        assert "127.0.0.1:9" in fault["error"]
        assert "loggers: mlflow" in logged.second.out
        assert "changed: loggers" in logged.second.err
        assert len(logged.run.of("result", iteration=6)) == 3

    @pytest.mark.parametrize("name", NAMES)
    def test_tensorboard_shows_each_member_over_both_processes(
        self, logged: Logged, name: str
    ) -> None:
        events = accumulated(logged.run.path / "tensorboard" / name)
        results = logged.run.of("result", member=int(name[-1]))
        returns = [(r["iteration"], pytest.approx(r["training_return"])) for r in results]
        assert [step for step, _ in returns] == [1, 2, 3, 4, 5, 6]
        assert curve(events, "training_return") == returns
        scores = logged.run.of("score", member=int(name[-1]), suite="select")
        expected = [(r["iteration"], pytest.approx(r["score"])) for r in scores]
        assert curve(events, "score") == expected
        loss = curve(events, "learner/default_policy/policy_loss")
        assert [step for step, _ in loss] == [1, 2, 3, 4, 5, 6]
        copied = [(r["iteration"], r["donor"]) for r in logged.run.of("exploit")
                  if r["member"] == int(name[-1])]  # fmt: skip
        found = curve(events, "donor") if copied else []
        assert found == copied

    def test_tune_writes_no_logs_of_seats(self, logged: Logged) -> None:
        assert not list((logged.run.path / "tune").rglob("events.out.tfevents*"))
        assert not list((logged.run.path / "tune").rglob("result.json"))

    def test_wandb_has_a_run_for_each_member_in_the_runs_directory(self, logged: Logged) -> None:
        runs = wandb_runs(logged.run.path / "wandb")
        assert tuple(run.name for run in runs) == self.NAMES
        assert {(run.project, run.group, run.exit_code) for run in runs} == {
            ("poles", "run/main", 0)
        }
        for run in runs:
            assert [row["_step"] for row in run.history] == [1, 2, 3, 4]
        # One of them was the best.
        tested = [run for run in runs if run.curve("test_score")]
        (test,) = logged.run.of("score", suite="test", member=tested[0].config["member"])[:1]
        assert [value for _, value in tested[0].curve("test_score")] == [test["score"]]
        assert not (logged.run.path.parent / "wandb").exists()

    @pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
    def test_mlflow_has_a_run_for_each_member(self, logged: Logged) -> None:
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{logged.run.path.parent / 'store.db'}")
        experiment = client.get_experiment_by_name("tiny")
        assert experiment is not None
        runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
        assert set(runs) == set(self.NAMES)
        for name, run in runs.items():
            assert run.info.status == "FINISHED"
            params = run.data.params
            began = logged.run.of("member", member=int(name[-1]))[0]["hyperparameters"]
            assert float(params["hyperparameters/lr"]) == began["lr"]
            assert (params["env"], params["algorithm"]) == ("CartPole", "PPO")
            assert params["training/minibatch_size"] == "64"
            # It is searched.
            assert "training/lr" not in params
            found = client.get_metric_history(run.info.run_id, "training_return")
            results = logged.run.of("result", member=int(name[-1]))[:4]
            assert sorted((metric.step, metric.value) for metric in found) == [
                (r["iteration"], r["training_return"]) for r in results
            ]
