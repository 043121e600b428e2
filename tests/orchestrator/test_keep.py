"""The bare loop: whatever ends it, what it learnt lies on disk, whole."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPOConfig
from rllib_catalogue import tiny_ppo

import orchestrator
from orchestrator import checkpoints, holding, journal, records, rllib
from orchestrator.holding import Busy
from orchestrator.journal import Journal, Unwritable
from orchestrator.kept import NotKept
from orchestrator.member import NotSaved
from orchestrator.recovery import NothingToRestore
from orchestrator.rllib.processes import each_learner

# ruff: noqa: PT012, PT031 - what a block raises at its end is what is tested
pytestmark = pytest.mark.ray


def built() -> Algorithm:
    """A stock Algorithm, as a user builds one."""
    return tiny_ppo().environment("CartPole-v1").build_algo()


@pytest.fixture(scope="module")
def algorithm(ray_runtime: None) -> Iterator[Algorithm]:
    """One for all tests, which it goes through trained ever further."""
    algorithm = built()
    yield algorithm
    algorithm.stop()


def last(run_dir: Path, kind: type[Any]) -> Any:
    """The newest record of a kind."""
    return [r for r in journal.read(run_dir / "journal.jsonl") if isinstance(r, kind)][-1]


def saved(run_dir: Path) -> list[records.CheckpointSaved]:
    history = journal.read(run_dir / "journal.jsonl")
    return [r for r in history if isinstance(r, records.CheckpointSaved)]


def newest_manifest(run_dir: Path) -> dict[str, Any]:
    """The manifest of the newest checkpoint, every byte of which is verified."""
    record = saved(run_dir)[-1]
    return checkpoints.verify(run_dir / record.path, record.digest)


class Scores:
    """Scores that are given one by one; None once there are no more."""

    def __init__(self, *scores: float) -> None:
        self._left = list(scores)

    def __call__(self, result: Mapping[str, Any]) -> float | None:
        return self._left.pop(0) if self._left else None


def test_it_saves_and_keeps_the_best(algorithm: Algorithm, tmp_path: Path) -> None:
    train, begun = algorithm.train, algorithm.iteration
    scores = Scores(1.0, 9.0, 2.0, 3.0, 4.0, 8.0, math.nan)
    with orchestrator.keep(algorithm, tmp_path / "run", every=2, best=2, score=scores) as run:
        for _ in range(7):
            result = algorithm.train()
    assert algorithm.train == train
    assert run.iteration == algorithm.iteration == result["training_iteration"]
    assert [(r.iteration - begun, r.score) for r in saved(run.path)] == [
        (2, 9.0), (4, 3.0), (6, 8.0), (7, None)
    ]  # fmt: skip
    assert last(run.path, records.RunEnded).status == "finished"
    # The two newest, and under best/ the two best of all.
    left = sorted(path.name for path in (run.path / "members/main/seed0/m0/checkpoints").iterdir())
    assert [int(name) - begun for name in left] == [2, 6, 7]
    best = sorted((run.path / "best").iterdir())
    assert sorted(json.loads((b / "manifest.json").read_text())["score"] for b in best) == [8, 9]
    manifest = newest_manifest(run.path)
    assert manifest["weights"] == rllib.weights_digest(algorithm)
    assert manifest["env_steps"] == rllib.env_steps(algorithm)
    assert manifest["parent"]["digest"] == saved(run.path)[-2].digest


def test_the_score_is_the_mean_training_return(algorithm: Algorithm, tmp_path: Path) -> None:
    with orchestrator.keep(algorithm, tmp_path / "run", every=1):
        result = algorithm.train()
    mean = result["env_runners"]["episode_return_mean"]
    assert last(tmp_path / "run", records.CheckpointSaved).score == mean
    assert last(tmp_path / "run", records.Result).training_return == mean


def test_an_exception_of_the_script_is_passed_on_and_nothing_is_lost(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        orchestrator.keep(algorithm, tmp_path / "run", score=Scores(5.0)) as run,
    ):
        algorithm.train()
        _ = 1 / 0
    assert newest_manifest(run.path)["weights"] == rllib.weights_digest(algorithm)
    assert saved(run.path)[-1].score == 5.0
    fault = last(run.path, records.Fault)
    assert (fault.where, fault.error) == ("script", "ZeroDivisionError: division by zero")
    assert last(run.path, records.RunEnded).status == "failed"


def test_an_exception_in_train_leaves_what_there_is(
    algorithm: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LookupError("the env broke")

    with (
        pytest.raises(LookupError, match="the env broke"),
        orchestrator.keep(algorithm, tmp_path / "run", every=1000, score=Scores(5.0)) as run,
    ):
        algorithm.train()
        monkeypatch.setattr(algorithm, "training_step", fail)
        algorithm.train()
    (record,) = saved(run.path)
    # It may be half updated, so that the score before is not its own.
    assert (record.iteration, record.score) == (run.iteration, None)
    assert newest_manifest(run.path)["weights"] == rllib.weights_digest(algorithm)
    fault = last(run.path, records.Fault)
    assert (fault.where, fault.error) == ("train", "LookupError: the env broke")
    assert fault.action == f"the newest checkpoint is of iteration {run.iteration}"


def test_a_script_may_go_on_after_an_exception(
    algorithm: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LookupError("once")

    with orchestrator.keep(algorithm, tmp_path / "run") as run:
        with monkeypatch.context() as patch:
            patch.setattr(algorithm, "training_step", fail)
            with pytest.raises(LookupError):
                algorithm.train()
        algorithm.train()
    assert last(run.path, records.RunEnded).status == "finished"
    assert newest_manifest(run.path)["iteration"] == run.iteration


def test_weights_that_are_no_numbers_never_displace_a_model(
    ray_runtime: None, tmp_path: Path
) -> None:
    algorithm = built()

    def spoil() -> None:
        each_learner(algorithm, _spoil)

    path = tmp_path / "run"
    with (
        pytest.raises(NotSaved, match="weights must be finite"),
        pytest.warns(UserWarning, match="weights must be finite"),
        orchestrator.keep(algorithm, path) as run,
    ):
        algorithm.train()
        run.save(1.0)
        good = rllib.weights_digest(algorithm)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(algorithm, "training_step", spoil)
            algorithm.train()
    algorithm.stop()
    assert newest_manifest(path)["weights"] == good
    assert last(path, records.Fault).where == "save"


def _spoil(learner: Any) -> None:
    with torch.no_grad():
        for parameter in learner.module["default_policy"].parameters():
            parameter.mul_(math.nan)


def test_a_full_disk_does_not_end_the_training(
    algorithm: Algorithm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise OSError(28, "No space left on device")

    path = tmp_path / "run"
    with monkeypatch.context() as full, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        with (
            pytest.raises(NotSaved, match=r"must be saved, but: OSError: .*No space left"),
            orchestrator.keep(algorithm, path, every=1),
        ):
            algorithm.train()
            full.setattr(checkpoints, "write", refuse)
            full.setattr(Journal, "append", _unwritable)
            algorithm.train()
            algorithm.train()
            full.setattr(Journal, "append", _APPEND)
    ours = [str(each.message) for each in said if str(path) in str(each.message)]
    assert sum("run: save: " in each for each in ours) == 1
    (good,) = saved(path)
    checkpoints.verify(path / good.path, good.digest)
    # What could not be journalled at the time was, when there was space again.
    results = [r for r in journal.read(path / "journal.jsonl") if isinstance(r, records.Result)]
    assert [r.iteration - good.iteration for r in results] == [0, 1, 2]
    assert last(path, records.Fault).action.endswith(f"of iteration {good.iteration}")


_APPEND = Journal.append


def _unwritable(*args: Any) -> Any:
    raise Unwritable("no space")


def test_it_is_saved_before_it_is_stopped(ray_runtime: None, tmp_path: Path) -> None:
    algorithm = built()
    with orchestrator.keep(algorithm, tmp_path / "run") as run:
        algorithm.train()
        digest = rllib.weights_digest(algorithm)
        algorithm.stop()
    assert newest_manifest(run.path)["weights"] == digest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_iteration(
    algorithm: Algorithm, tmp_path: Path, number: signal.Signals
) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    def interrupted(result: Mapping[str, Any]) -> float:
        os.kill(os.getpid(), number)
        return 7.0

    expected: type[BaseException] = KeyboardInterrupt if number == signal.SIGINT else SystemExit
    with (
        pytest.raises(expected) as raised,
        orchestrator.keep(algorithm, tmp_path / "run", score=interrupted) as run,
    ):
        algorithm.train()
        pytest.fail("the signal was lost")
    if isinstance(raised.value, SystemExit):
        assert raised.value.code == 143
    assert [(r.iteration, r.score) for r in saved(run.path)] == [(run.iteration, 7.0)]
    assert last(run.path, records.RunEnded).status == "stopped"
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_signal_is_not_waited_with(algorithm: Algorithm, tmp_path: Path) -> None:
    def interrupted(result: Mapping[str, Any]) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second signal was held back, too")

    with (
        pytest.raises(KeyboardInterrupt),
        orchestrator.keep(algorithm, tmp_path / "run", score=interrupted) as run,
    ):
        algorithm.train()
    assert last(run.path, records.RunEnded).status == "stopped"
    manifest = newest_manifest(run.path)
    assert manifest["iteration"] == run.iteration == algorithm.iteration
    assert manifest["weights"] == rllib.weights_digest(algorithm)


def test_between_two_iterations_a_signal_is_not_waited_with(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        orchestrator.keep(algorithm, tmp_path / "run") as run,
    ):
        algorithm.train()
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the signal was lost")
    assert newest_manifest(run.path)["iteration"] == run.iteration


def test_resumed_it_goes_on_from_the_newest_whole_checkpoint(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    with orchestrator.keep(algorithm, path, every=1) as run:
        for _ in range(3):
            algorithm.train()
    newest, digest = saved(path)[-1], newest_manifest(path)["weights"]
    steps = rllib.env_steps(algorithm)
    algorithm.train()
    with orchestrator.keep(algorithm, path, every=1, resume=True) as run:
        assert rllib.check_weights(algorithm) == digest
        assert run.iteration == algorithm.iteration == newest.iteration
        assert rllib.env_steps(algorithm) == steps
        algorithm.train()
    assert run.iteration == newest.iteration + 1
    assert newest_manifest(path)["parent"]["digest"] == newest.digest
    # The newest damaged: the one before it is taken, and the journal says so.
    (path / saved(path)[-1].path / "extras.pkl").write_bytes(b"damaged")
    with orchestrator.keep(algorithm, path, resume=True):
        assert rllib.check_weights(algorithm) == digest
    assert last(path, records.Restored).path == newest.path


def test_with_nothing_whole_it_says_so(algorithm: Algorithm, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with orchestrator.keep(algorithm, path):
        algorithm.train()
    (record,) = saved(path)
    (path / record.path / "extras.pkl").unlink()
    with (
        pytest.raises(NothingToRestore, match=r"extras\.pkl"),
        orchestrator.keep(algorithm, path, resume=True),
    ):
        pytest.fail("it began")
    # It let go of the run.
    with holding.held(path):
        pass


def test_a_run_is_not_overwritten(algorithm: Algorithm, tmp_path: Path) -> None:
    with (
        orchestrator.keep(algorithm, tmp_path / "run"),
        pytest.raises(Busy),
        orchestrator.keep(algorithm, tmp_path / "run", resume=True),
    ):
        pytest.fail("it began")
    with (
        pytest.raises(NotKept, match=r"keep\(\.\.\., resume=True\) goes on with it"),
        orchestrator.keep(algorithm, tmp_path / "run"),
    ):
        pytest.fail("it began")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.tex").touch()
    with (
        pytest.raises(NotKept, match=r"new or empty directory.*holds thesis\.tex"),
        orchestrator.keep(algorithm, tmp_path / "own"),
    ):
        pytest.fail("it began")
    assert [entry.name for entry in (tmp_path / "own").iterdir()] == ["thesis.tex"]


def test_a_population_is_not_gone_on_with(algorithm: Algorithm, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as other:
        who: dict[str, Any] = {"arm": "main", "seed": 0, "member": 1, "iteration": 0}
        other.append(records.MemberStarted(**who, hyperparameters={}, distribution={}, by="random"))
    with (
        pytest.raises(NotKept, match="holds a run of `envolve run`"),
        orchestrator.keep(algorithm, tmp_path, resume=True),
    ):
        pytest.fail("it began")


@pytest.mark.parametrize(
    ("make", "arguments", "said"),
    [
        (PPOConfig, {}, "got a PPOConfig; build it first: config.build_algo"),
        (None, {"every": 0}, "`every` must be a whole number of at least 1, but got 0"),
        (None, {"best": 1.5}, r"`best` must be a whole number of at least 1, but got 1\.5"),
    ],
)
def test_arguments_are_checked(
    algorithm: Algorithm,
    tmp_path: Path,
    make: Callable[[], Any] | None,
    arguments: dict[str, Any],
    said: str,
) -> None:
    given = algorithm if make is None else make()
    with (
        pytest.raises(ValueError, match=said),
        orchestrator.keep(given, tmp_path / "run", **arguments),
    ):
        pytest.fail("it began")
    assert not (tmp_path / "run").exists()


SCRIPT = """\
import sys

import gymnasium
import orchestrator
import ray
from ray.rllib.algorithms.ppo import PPOConfig


class Env(gymnasium.Wrapper):
    def __init__(self, config):
        super().__init__(gymnasium.make("CartPole-v1"))


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
runners = int(sys.argv[1])
config = PPOConfig().environment(Env).env_runners(num_env_runners=runners)
config.training(train_batch_size_per_learner=128, minibatch_size=64, num_epochs=1)
algorithm = config.build_algo()

with orchestrator.keep(algorithm, "runs/mine", every=1000, resume=True):
    for _ in range(100_000): algorithm.train()
"""


def _start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    root = str(Path(orchestrator.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "script.py", *arguments],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        # As a terminal does it: Ctrl-C reaches all that the script has started.
        start_new_session=True,
    )


def _trained(run_dir: Path, iterations: int, process: subprocess.Popen[str]) -> None:
    """Wait until the script has trained so often, counted over all of its processes."""
    path, deadline = run_dir / "journal.jsonl", time.monotonic() + 120
    while not path.exists() or path.read_text().count('"kind":"result"') < iterations:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never came to that point"
        time.sleep(0.05)


def test_a_users_script_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    run = tmp_path / "runs" / "mine"
    started = []
    try:
        # Ctrl-C in a terminal.
        started.append(_start(tmp_path, "0"))
        _trained(run, 2, started[0])
        with pytest.raises(Busy, match="another process"), holding.held(run):
            pytest.fail("two processes hold one run")
        os.killpg(started[0].pid, signal.SIGINT)
        _, said = started[0].communicate(timeout=60)
        assert started[0].returncode != 0
        assert "KeyboardInterrupt" in said
        assert "Env is defined in the script itself" in said
        done = newest_manifest(run)["iteration"]
        assert done == last(run, records.Result).iteration >= 2
        # `kill`, after it was taken up with an env runner of its own.
        started.append(_start(tmp_path, "1"))
        _trained(run, done + 2, started[1])
        started[1].terminate()
        started[1].communicate(timeout=60)
        assert started[1].returncode == 143
        manifest = newest_manifest(run)
        assert manifest["iteration"] == last(run, records.Result).iteration >= done + 2
        assert manifest["parent"]["digest"] == saved(run)[0].digest
    finally:
        for process in started:
            if process.poll() is None:
                for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                    one.kill()
                process.communicate()
