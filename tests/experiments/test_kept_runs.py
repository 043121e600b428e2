"""Runs that a script kept, as the command understands them."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig
from real_runs import Envolve, RunOnDisk
from rllib_catalogue import Pair, one_policy

import orchestrator
from experiments import build, journalled, targets
from experiments.algorithm import check_algorithms
from experiments.checking import check
from experiments.loading import load, parse_experiment
from experiments.problems import BadInput
from experiments.resources import Machine, share
from experiments.run_dir import RunDir, find_run
from experiments.showing import facts_of
from orchestrator import rllib
from orchestrator.journal import Journal
from orchestrator.kept import arms_of
from orchestrator.member import Member
from orchestrator.records import MemberStarted, Result, RunEnded, RunStarted
from orchestrator.rllib.describing import Description, describe


def text_of(description: Description) -> str:
    """The experiment file of a run that is kept of such an Algorithm."""
    start = RunStarted("kept", "", arms_of(Path("kept"), description, 10, 5), {}, ())
    text = journalled.file_text([start])
    assert text is not None
    return text


def _connector(env: Any, spaces: Any, device: Any) -> Any:
    from ray.rllib.connectors.env_to_module import MeanStdFilter

    return MeanStdFilter()


def _ppo() -> PPOConfig:
    config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=2)
    config.training(lr=[(0, 1e-3), (10_000, 1e-4)], train_batch_size=512, minibatch_size=64)
    config.training(grad_clip=np.float32(0.5), use_kl_loss=False)
    config.rl_module(model_config={"fcnet_hiddens": [8], "use_lstm": True, "max_seq_len": 4})
    return config.learners(num_learners=0).reporting(min_time_s_per_iteration=0)


def _dqn() -> DQNConfig:
    config = DQNConfig().environment("CartPole-v1", env_config={"max_episode_steps": 50})
    buffer = {"type": "PrioritizedEpisodeReplayBuffer", "capacity": 500, "alpha": 0.5, "beta": 0.5}
    return config.training(replay_buffer_config=buffer, epsilon=[(0, 1.0), (500, 0.05)], n_step=3)


def _agents() -> PPOConfig:
    config = PPOConfig().environment(Pair)
    return config.multi_agent(policies={"shared", "b"}, policy_mapping_fn=one_policy)


@pytest.mark.parametrize(
    "config",
    [_ppo(), _dqn(), SACConfig().environment("Pendulum-v1").training(tau=0.01), _agents()],
    ids=["PPO", "DQN", "SAC", "agents"],
)
def test_a_file_makes_the_config_that_it_was_made_from(config: AlgorithmConfig) -> None:
    told = describe(config, config.algo_class)
    assert told.untold == ()
    loaded = parse_experiment(text_of(told), "experiment.yaml")
    made = check_algorithms(loaded)["main"]
    again = describe(made.environment(config.env, env_config=config.env_config), config.algo_class)
    assert again == told


def test_a_connector_of_a_module_is_imported_again() -> None:
    config = PPOConfig().environment("CartPole-v1").env_runners(env_to_module_connector=_connector)
    told = describe(config, config.algo_class)
    made = check_algorithms(parse_experiment(text_of(told), "experiment.yaml"))["main"]
    assert vars(made)["_env_to_module_connector"] is _connector


def made(
    place: Path, *, status: str | None, untold: tuple[str, ...] = (), every: int = 2
) -> RunDir:
    """The journal of a kept run that trained five iterations."""
    description = describe(PPOConfig().environment("CartPole-v1"), PPOConfig().algo_class)
    place.mkdir()
    who: dict[str, Any] = {"arm": "main", "seed": 0, "member": 0}
    nothing = {"kind": "product", "marginals": {}}
    with Journal(place / "journal.jsonl") as written:
        written.append(
            RunStarted("kept", "", arms_of(place, description, every, 3), {}, (), untold),
            MemberStarted(**who, iteration=0, hyperparameters={}, distribution=nothing, by="keep"),
        )
        for iteration in range(1, 6):
            written.append(Result(**who, iteration=iteration, training_return=1.0,
                                  env_steps=iteration, revisions={}, seconds={}))  # fmt: skip
        if status is not None:
            written.append(RunEnded(status))
    return RunDir(place)


def test_its_file_says_how_far_it_came(tmp_path: Path) -> None:
    run = find_run(str(made(tmp_path / "kept", status="finished").path))
    (arm,) = load(run.experiment).arms.values()
    assert (arm.stop.iterations, arm.population.interval, arm.checkpoint.keep_best) == (5, 2, 3)
    assert arm.algorithm.env_runners == {"num_env_runners": 2}


def test_any_run_gets_its_file_back(reference: tuple[RunOnDisk, Any], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(reference[0].path, copy)
    before = load(copy / "experiment.yaml").arms
    (copy / "experiment.yaml").unlink()
    assert load(find_run(str(copy)).experiment).arms == before
    assert targets.existing(str(copy), []).finished


def test_it_may_have_ended_before_it_was_to_be_saved_first(tmp_path: Path) -> None:
    run = made(tmp_path / "kept", status="finished", every=10)
    (arm,) = load(find_run(str(run.path)).experiment).arms.values()
    assert arm.stop.iterations == 10
    facts = facts_of(run)
    assert facts.member_status(facts.states[0]) == "finished"
    assert targets.existing(str(run.path), []).finished


def test_whether_it_goes_on_is_the_scripts_to_know(tmp_path: Path) -> None:
    def status(run: RunDir) -> str:
        facts = facts_of(find_run(str(run.path)))
        return facts.member_status(facts.states[0])

    killed, finished = made(tmp_path / "a", status=None), made(tmp_path / "b", status="finished")
    assert (status(killed), status(finished)) == ("unfinished", "finished")
    assert targets.existing(str(finished.path), []).finished
    further = targets.existing(str(killed.path), ["stop.iterations=9"])
    assert further.differences == ("stop.iterations: 5 → 9",)
    with pytest.raises(BadInput, match=r"stop\.iterations: must be more than what the script"):
        targets.existing(str(killed.path), [])


def test_what_no_file_can_build_is_not_resumed(tmp_path: Path) -> None:
    run = made(tmp_path / "kept", status="stopped", untold=("env.id: Env is in the script",))
    with pytest.raises(BadInput, match=r"env\.id: Env is in the script\. Define it in a module"):
        targets.existing(str(run.path), ["stop.iterations=9"])
    assert facts_of(run).status == "stopped"


def test_what_only_trains_need_not_be_told_to_be_played() -> None:
    untold = ("callbacks: a file has none", "algorithm.training.lr: inf", "env.id: Env is here")
    start = RunStarted("kept", "", {}, {}, (), untold)
    assert journalled.untold_of_playing([start]) == ("env.id: Env is here",)


FILTERS = """\
from ray.rllib.connectors.env_to_module import MeanStdFilter


def connector(env, spaces, device):
    return MeanStdFilter()
"""


@pytest.fixture(scope="module")
def kept(ray_runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that was kept of a stock Algorithm with a filter, in the two lines of the forum."""
    path = tmp_path_factory.mktemp("kept") / "mine"
    (path.parent / "kept_filters.py").write_text(FILTERS)
    sys.path.append(str(path.parent))
    connector = importlib.import_module("kept_filters").connector
    config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=0)
    config.training(train_batch_size_per_learner=96, minibatch_size=48, num_epochs=1)
    config.env_runners(env_to_module_connector=connector).rl_module(
        model_config={"fcnet_hiddens": [8]}
    )
    algorithm = config.build_algo()
    with orchestrator.keep(algorithm, path, every=2, best=2):
        for _ in range(3):
            algorithm.train()
    algorithm.stop()
    yield path
    sys.path.remove(str(path.parent))


@pytest.mark.ray
def test_a_member_stands_where_the_script_stood(kept: Path, tmp_path: Path) -> None:
    run = tmp_path / "moved"
    shutil.copytree(kept, run)
    loaded = load(find_run(str(run)).experiment)
    configs = check(loaded)
    machine = Machine(cpus=2.0, gpus=0.0, memory=8.0)
    arm = build.arm_of("main", loaded.arms["main"], configs["main"],
                       share(loaded.arms, {"main": 1}, machine))  # fmt: skip
    (state,) = facts_of(RunDir(run)).states
    member = Member(arm.blueprint, run, state.plain())
    try:
        manifest = json.loads((run / state.plain()["checkpoint"] / "manifest.json").read_text())
        assert rllib.check_weights(member._algorithm) == manifest["weights"]
        assert member.iteration == 3
        member.iterate()
    finally:
        member.close()


def test_the_command_shows_it_and_goes_on_with_it(kept: Path, envolve: Envolve) -> None:
    run = envolve.cwd / "moved"
    shutil.copytree(kept, run)
    shutil.copy(kept.parent / "kept_filters.py", envolve.cwd)
    shown = json.loads(envolve("show", run, "--json").out)
    (best, *_others) = shown["best"]
    assert shown["status"] == "finished"
    assert best["checkpoint"].startswith("best/")
    ended = envolve("resume", run, "-S", "stop.iterations=4")
    assert ended.code == 0, ended.err
    history = RunOnDisk(run)
    assert history.of("result")[-1]["iteration"] == 4
    newest = history.manifest(history.of("checkpoint")[-1])
    assert newest["parent"]["digest"] == history.of("checkpoint")[-2]["digest"]
    assert [record["status"] for record in history.of("end")] == ["finished", "finished"]
