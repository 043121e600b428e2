"""Every name of Ray that no document promises and that we use; fails by name when one moves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ray import tune as ray_tune
from ray.air._internal.mlflow import _MLflowLoggerUtil
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.air.integrations.wandb import WandbLoggerCallback
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn.dqn_learner import DQNLearner
from ray.rllib.algorithms.ppo.ppo_learner import PPOLearner
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.algorithms.sac.sac_learner import SACLearner
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.connectors.common.agent_to_module_mapping import AgentToModuleMapping
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.connectors.learner import (
    AddOneTsToEpisodesAndTruncate,
    GeneralAdvantageEstimation,
    LearnerConnectorPipeline,
)
from ray.rllib.core.learner.learner import Learner
from ray.rllib.core.learner.learner_group import LearnerGroup
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModule
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule
from ray.rllib.env.env_runner_group import EnvRunnerGroup
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.env.vector.sync_vector_multi_agent_env import SyncVectorMultiAgentEnv
from ray.rllib.utils.metrics.metrics_logger import MetricsLogger
from ray.rllib.utils.replay_buffers.episode_replay_buffer import EpisodeReplayBuffer
from ray.rllib.utils.schedules.scheduler import Scheduler
from ray.tune import Callback, Trainable
from ray.tune.execution.tune_controller import TrialRunnerWrapper, TuneController
from ray.tune.experiment import Trial
from ray.tune.experiment.trial import _TemporaryTrialState
from ray.tune.logger import LoggerCallback
from ray.tune.registry import ENV_CREATOR, _global_registry
from ray.tune.schedulers import TrialScheduler
from ray.tune.utils.callback import _create_default_callbacks
from rllib_catalogue import ByMethod, Pair, Told, configured, meter, tiny_ppo

from orchestrator import rllib, tune
from orchestrator.trial import STATE

RUNNERS = [SingleAgentEnvRunner, MultiAgentEnvRunner]

# Methods, with the arguments that we pass.
METHODS: list[tuple[type[Any], str, tuple[str, ...]]] = [
    (Algorithm, "save_to_path", ("path",)),
    (Algorithm, "restore_from_path", ("path",)),
    (AlgorithmConfig, "copy", ("copy_frozen",)),
    (AlgorithmConfig, "validate", ()),
    (AlgorithmConfig, "freeze", ()),
    (AlgorithmConfig, "build_learner_group", ("rl_module_spec",)),
    (AlgorithmConfig, "get_multi_rl_module_spec", ("spaces", "inference_only")),
    (
        AlgorithmConfig,
        "fault_tolerance",
        (
            "restart_failed_env_runners",
            "ignore_env_runner_failures",
            "restart_failed_sub_environments",
        ),
    ),
    (
        AlgorithmConfig,
        "evaluation",
        ("evaluation_interval", "evaluation_num_env_runners", "evaluation_config"),
    ),
    (EnvRunnerGroup, "foreach_env_runner", ("func", "local_env_runner", "healthy_only")),
    (EnvRunnerGroup, "num_remote_env_runners", ()),
    (LearnerGroup, "foreach_learner", ("func",)),
    (LearnerGroup, "get_state", ("components",)),
    (TorchRLModule, "get_state", ("inference_only",)),
    (MultiRLModule, "get_state", ("components",)),
    (LearnerGroup, "shutdown", ()),
    (
        AlgorithmConfig,
        "learners",
        ("learner_config_dict", "add_default_connectors_to_learner_pipeline"),
    ),
    (LearnerConnectorPipeline, "__call__", ("rl_module", "batch", "episodes", "shared_data")),
    (GeneralAdvantageEstimation, "__call__", ("rl_module", "batch", "episodes")),
    (ConnectorV2, "single_agent_episode_iterator", ("episodes", "agents_that_stepped_only")),
    (MultiRLModule, "foreach_module", ("func", "return_dict")),
    (Learner, "_set_optimizer_lr", ("optimizer", "lr")),
    (Scheduler, "update", ("timestep",)),
    (Scheduler, "get_current_value", ()),
    (MetricsLogger, "peek", ("key", "default")),
    (MetricsLogger, "get_state", ()),
    (MetricsLogger, "set_state", ("state",)),
    (EpisodeReplayBuffer, "get_state", ()),
    (EpisodeReplayBuffer, "set_state", ("state",)),
    *[(runner, "sample", ("num_timesteps", "explore")) for runner in RUNNERS],
    *[(runner, "get_state", ("not_components",)) for runner in RUNNERS],
    *[(runner, "set_state", ("state",)) for runner in RUNNERS],
    *[(runner, "get_metrics", ()) for runner in RUNNERS],
    *[(runner, "make_module", ()) for runner in RUNNERS],
    (RLlibCallback, "on_sample_end", ("env_runner",)),
    (AlgorithmConfig, "env_runners", ("sample_timeout_s", "max_requests_in_flight_per_env_runner")),
    *[(kind, "env_steps", ()) for kind in (SingleAgentEpisode, MultiAgentEpisode)],
    *[(kind, "get_infos", ("indices",)) for kind in (SingleAgentEpisode, MultiAgentEpisode)],
    *[(kind, "concat_episode", ("other",)) for kind in (SingleAgentEpisode, MultiAgentEpisode)],
    (SingleAgentEpisode, "get_return", ()),
    (SyncVectorMultiAgentEnv, "call", ("name", "args")),
    (Trainable, "setup", ("config",)),
    (Trainable, "reset_config", ("new_config",)),
    (Trainable, "step", ()),
    (Trainable, "save_checkpoint", ("checkpoint_dir",)),
    (Trainable, "load_checkpoint", ("checkpoint",)),
    (Trainable, "cleanup", ()),
    (Trainable, "get_current_ip_pid", ()),
    (Trial, "set_config", ("config",)),
    (TuneController, "_schedule_trial_train", ("trial",)),
    (TuneController, "_trial_task_failure", ("trial", "exception")),
    (TuneController, "stop_trial", ("trial",)),
    (TuneController, "request_stop_experiment", ()),
    (TuneController, "get_trials", ()),
    (Trial, "init_local_path", ()),
    (TrialScheduler, "on_trial_add", ("tune_controller", "trial")),
    (TrialScheduler, "on_trial_error", ("tune_controller", "trial")),
    (TrialScheduler, "on_trial_result", ("tune_controller", "trial", "result")),
    (TrialScheduler, "on_trial_complete", ("tune_controller", "trial", "result")),
    (TrialScheduler, "on_trial_remove", ("tune_controller", "trial")),
    (TrialScheduler, "choose_trial_to_run", ("tune_controller",)),
    (TrialScheduler, "debug_string", ()),
    (Callback, "on_trial_result", ("iteration", "trials", "trial", "result")),
    (Callback, "on_step_end", ("iteration", "trials")),
    (LoggerCallback, "setup", ()),
    (LoggerCallback, "log_trial_start", ("trial",)),
    (LoggerCallback, "log_trial_result", ("iteration", "trial", "result")),
    (LoggerCallback, "log_trial_end", ("trial", "failed")),
    (LoggerCallback, "on_experiment_end", ("trials",)),
    (WandbLoggerCallback, "_start_logging_actor", ("trial", "exclude_results")),
    (MLflowLoggerCallback, "__init__", ("tracking_uri", "experiment_name")),
    (_MLflowLoggerUtil, "_get_client", ()),
    (_MLflowLoggerUtil, "end_run", ("status", "run_id")),
]


@pytest.mark.parametrize(
    ("owner", "name", "arguments"), METHODS, ids=[f"{o.__name__}.{n}" for o, n, _ in METHODS]
)
def test_a_method_is_there_and_takes_what_we_pass(
    owner: type[Any], name: str, arguments: tuple[str, ...]
) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"{owner.__name__}.{name} is gone"
    # Some are wrapped with (*args, **kwargs), and tell their own names all the same.
    missing = set(arguments) - set(inspect.signature(method).parameters)
    assert not missing, f"{owner.__name__}.{name} takes no {missing}"


ATTRIBUTES = [
    "env_runner._seed",
    "env_runner._needs_initial_reset",
    "env_runner._ongoing_episodes",
    "env_runner._weights_seq_no",
    "env_runner.worker_index",
    "env_runner.config",
    "env_runner.metrics",
    "env_runner.module",
    "env_runner.env.unwrapped.envs",
    "eval_env_runner.env.unwrapped.envs",
    "env_runner_group",
    "learner_group._learner._named_optimizers",
    "learner_group._learner._optimizer_lr_schedules",
    "learner_group._learner._weights_seq_no",
    "learner_group._learner._learner_connector.connectors",
    "learner_group._learner.module",
    "learner_group._learner.entropy_coeff_schedulers_per_module",
    "local_replay_buffer",
    "metrics",
    "config.sync_filters_on_rollout_workers_timeout_s",
    *[
        f"config.{name}"
        for name in (
            "algo_class",
            "is_offline",
            "learner_class",
            "learner_config_dict",
            "add_default_connectors_to_learner_pipeline",
            "num_learners",
            "num_gpus_per_learner",
            "num_gpus_per_env_runner",
            "torch_compile_learner",
            "torch_compile_worker",
            "_learner_connector",
            "_torch_grad_scaler_class",
            "_torch_lr_scheduler_classes",
            "gym_env_vectorize_mode",
            "use_env_runner_state_server",
            "create_local_env_runner",
            "broadcast_env_runner_states",
            "merge_env_runner_states",
            "min_time_s_per_iteration",
        )
    ],
    "spaces",
]


def test_a_config_keeps_what_its_sections_are_given_where_we_look() -> None:
    """Its own name with an underscore, or without one, for a stock Algorithm to be described."""
    config = SACConfig().training(learner_connector=print, optimization_config={"lr": 1.0})
    config.env_runners(env_to_module_connector=print, module_to_env_connector=print)
    config.rl_module(model_config={"fcnet_hiddens": [1]}).learners(learner_class=SACLearner)
    kept = vars(config)
    assert kept["_learner_connector"] is kept["_env_to_module_connector"] is print
    assert kept["_module_to_env_connector"] is print
    assert (kept["_model_config"], kept["_learner_class"]) == ({"fcnet_hiddens": [1]}, SACLearner)
    assert kept["optimization"] == {"lr": 1.0}
    assert {"_rl_module_spec", "callbacks_on_train_result", "callbacks_class"} <= kept.keys()
    assert config.callbacks_class is RLlibCallback


def test_rllibs_registry_of_envs_lies_in_tune() -> None:
    ray_tune.register_env("contract", print)
    assert _global_registry.contains(ENV_CREATOR, "contract")
    assert _global_registry.get(ENV_CREATOR, "contract") is print


@pytest.fixture(scope="module", params=[ByMethod, Pair], ids=["one-agent", "agents"])
def algorithm(ray_runtime: None, request: pytest.FixtureRequest) -> Iterator[Algorithm]:
    built = rllib.build(configured(tiny_ppo(), meter(request.param)), {}, "contract")
    yield built
    built.stop()


@pytest.mark.ray
@pytest.mark.parametrize("path", ATTRIBUTES)
def test_an_attribute_is_there(algorithm: Algorithm, path: str) -> None:
    found: Any = algorithm
    for name in path.split("."):
        assert hasattr(found, name), f"{type(found).__name__}.{name} (of {path}) is gone"
        found = getattr(found, name)


# What the learners keep and their checkpoints leave out. On the day that RLlib saves one of
# these, it need no longer be saved by us.
@pytest.mark.parametrize(
    ("learner", "name"),
    [
        (PPOLearner, "curr_kl_coeffs_per_module"),
        (SACLearner, "curr_log_alpha"),
        (SACLearner, "last_update_ts_by_mid"),
        (DQNLearner, "last_update_ts_by_mid"),
    ],
)
def test_a_learner_keeps_what_its_checkpoints_leave_out(learner: type[Any], name: str) -> None:
    kept = [
        kind for kind in learner.__mro__ if "build" in vars(kind) and name in _names(kind.build)
    ]
    assert kept, f"{learner.__name__}.{name} is gone"
    saved = [kind for kind in learner.__mro__ if name in _names(vars(kind).get("get_state"))]
    assert not saved, f"{learner.__name__} saves its {name} itself now"


def _names(function: Any) -> tuple[str, ...]:
    return () if function is None else inspect.unwrap(function).__code__.co_names


def test_a_replay_buffer_with_episodes_keeps_them_at_set_state() -> None:
    """Why `restore` clears it first; and `rng` is what it draws from."""
    full, empty = EpisodeReplayBuffer(capacity=10), EpisodeReplayBuffer(capacity=10)
    full.add([_episode(3)])
    assert full.rng.bit_generator.state
    assert full.metrics.get_state()["stats"]
    full.set_state(empty.get_state())
    assert len(full.episodes) == 1
    full.episodes.clear()
    full.set_state(empty.get_state())
    assert len(full.episodes) == 0


def test_connectors_keep_what_an_export_replaces() -> None:
    """A filter's leave to learn on, and the function that maps agents to modules."""
    assert MeanStdFilter(update_stats=False)._update_stats is False
    table = {"a": "one"}.get
    piece = AgentToModuleMapping(rl_module_specs={}, agent_to_module_mapping_fn=table)
    assert piece._agent_to_module_mapping_fn is table
    episode = MultiAgentEpisode(agent_to_module_mapping_fn=table)
    assert episode.module_for("a") == "one"


def test_the_piece_that_adds_a_step_to_each_chunk_numbers_their_ids() -> None:
    """How `LevelScores` finds an episode's own id, and which of its rows are no steps."""
    episodes = [_episode(3), _episode(2)]
    ids = [episode.id_ for episode in episodes]
    AddOneTsToEpisodesAndTruncate()(rl_module=None, batch={}, episodes=episodes, shared_data={})
    assert [episode.id_ for episode in episodes] == [f"{ids[0]}_0", f"{ids[1]}_1"]
    assert [len(episode) for episode in episodes] == [4, 3]
    assert not any("_" in name for name in ids)


@pytest.mark.ray
def test_gae_comes_last_and_asks_the_value_functions_by_the_multi_module(
    algorithm: Algorithm,
) -> None:
    """Where `LevelScores` stands, and what it listens to."""
    pieces = algorithm.learner_group._learner._learner_connector.connectors
    kinds = [isinstance(piece, GeneralAdvantageEstimation) for piece in pieces]
    assert kinds == [False] * (len(pieces) - 1) + [True]
    assert "foreach_module" in _names(GeneralAdvantageEstimation.__call__)


def _episode(length: int) -> SingleAgentEpisode:
    return SingleAgentEpisode(
        observations=[0] * (length + 1),
        actions=[0] * length,
        rewards=[1.0] * length,
        terminated=True,
        len_lookback_buffer=0,
    )


@pytest.mark.ray
def test_an_env_runner_ignores_weights_that_are_not_newer(algorithm: Algorithm) -> None:
    """Why `push_weights` leaves the sequence number out."""
    runner = algorithm.env_runner
    state = runner.get_state()
    before = rllib.weights_digest(algorithm)
    _zero(runner)
    runner._weights_seq_no = state["weights_seq_no"] = 5
    runner.set_state(state)
    with pytest.raises(rllib.RestoreFailed, match="env runner 0"):
        rllib.check_weights(algorithm)
    rllib.push_weights(algorithm)
    assert rllib.check_weights(algorithm) == before


def _zero(runner: Any) -> None:
    import torch

    with torch.no_grad():
        for parameter in _modules(runner.module):
            parameter.zero_()


def _modules(module: Any) -> Any:
    parts = module.values() if hasattr(module, "values") else [module]
    return [parameter for part in parts for parameter in part.parameters()]


@pytest.mark.ray
def test_a_seed_and_the_flag_start_every_env_anew(algorithm: Algorithm) -> None:
    runner = algorithm.env_runner
    seen = []
    for seed in (3, 4, 3):
        runner._seed, runner._needs_initial_reset = seed, True
        chunks = runner.sample(num_timesteps=1, explore=False)
        assert runner._needs_initial_reset is False
        seen.append([repr(chunk.get_observations(0)) for chunk in chunks])
    assert len(seen[0]) == len(set(seen[0])) == runner.num_envs
    assert seen[0] == seen[2] != seen[1]


@pytest.mark.ray
def test_the_evaluation_runner_is_there_and_never_used(algorithm: Algorithm) -> None:
    assert algorithm.eval_env_runner is not None
    before = algorithm.eval_env_runner.num_env_steps_sampled_lifetime
    result = algorithm.train()
    assert "evaluation" not in result
    assert algorithm.eval_env_runner.num_env_steps_sampled_lifetime == before
    assert algorithm.env_runner.num_env_steps_sampled_lifetime >= 96


@pytest.mark.ray
def test_learner_results_come_by_module(algorithm: Algorithm) -> None:
    metrics = rllib.learner_metrics(algorithm.train())
    module = "shared" if algorithm.config.is_multi_agent else "default_policy"
    assert f"learner/{module}/policy_loss" in metrics
    assert all(type(value) is float for value in metrics.values())


# Tune


def test_schedulers_get_a_wrapper_around_the_controller() -> None:
    assert "TrialRunnerWrapper" in _names(TuneController._wrapped)
    controller = object()
    wrapper = TrialRunnerWrapper(controller, trial_executor=None)
    assert wrapper._tune_controller is controller


def test_a_trial_names_its_actor() -> None:
    assert _TemporaryTrialState().ray_actor is None
    assert "ray_actor" in inspect.unwrap(Trial.set_ray_actor).__code__.co_names


def test_a_trial_that_was_not_started_is_pending() -> None:
    assert Trial.PENDING == "PENDING"
    assert Trial("Told", stub=True).status == "PENDING"


def test_a_trial_names_the_file_of_its_error() -> None:
    assert isinstance(inspect.getattr_static(Trial, "error_file"), property)


def test_loggers_keep_what_we_look_up() -> None:
    """MLflow's run of each trial, and its experiment; W&B's begins where ours do."""
    assert "_start_logging_actor" in _names(WandbLoggerCallback.log_trial_start)
    assert {"_trial_runs", "tags"} <= {*_names(MLflowLoggerCallback.log_trial_start)}
    assert "mlflow_util" in _names(MLflowLoggerCallback.setup)
    assert "experiment_id" in _names(_MLflowLoggerUtil.setup_mlflow)


def test_tune_writes_no_logs_of_trials_where_it_is_told_so() -> None:
    """By a variable, which `experiments.ray_session` sets."""
    source = inspect.getsource(_create_default_callbacks)
    assert 'os.environ.get("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"' in source


class Holder(TrialScheduler):  # type: ignore[misc]
    """Holds a trial back by NOOP, asks it for a sign of life, tells it something, lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[dict[str, Any]] = []
        self.held: Any = None
        self.ping: Any = None
        self.released = False
        self.errors: list[str] = []

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        # A trial that failed is added again.
        tune.set_state(trial, {"member": 1 + len(self.errors)})

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        self.results.append(result)
        if len(self.results) == 1:
            self.held = trial
            return str(TrialScheduler.NOOP)
        return str(TrialScheduler.NOOP if len(self.results) == 2 else TrialScheduler.STOP)

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        if self.held is None:
            return
        if len(self.results) == 2:
            trial, self.held = self.held, None
            tune.fail(tune_controller, trial, RuntimeError("on purpose"))
            return
        if self.ping is None:
            self.ping = tune.ping(self.held)
        elif not self.released and tune.answered(self.ping):
            self.released = True
            assert tune.death(self.ping) is None
            assert tune.state_of(self.held) == {"member": 1}
            assert tune.send(self.held, "first")
            assert tune.send(self.held, "second")
            tune.train(tune_controller, self.held)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        self.errors.append(tune.error_of(trial))

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: Any) -> None:
        """Nothing to do."""

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Nothing to do."""

    def debug_string(self) -> str:
        return ""


@pytest.mark.ray
def test_a_trial_is_held_back_told_let_go_and_failed(ray_runtime: None, tmp_path: Path) -> None:
    scheduler = Holder()
    tuner = ray_tune.Tuner(
        Told,
        param_space={STATE: {"member": 0}},
        tune_config=ray_tune.TuneConfig(scheduler=scheduler),
        run_config=ray_tune.RunConfig(
            storage_path=str(tmp_path),
            failure_config=ray_tune.FailureConfig(max_failures=1),
            checkpoint_config=ray_tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    tuner.fit()
    before, after, retried = scheduler.results
    assert (before["told"], after["told"], retried["told"]) == ([], ["first", "second"], [])
    assert before["process"] == after["process"] != retried["process"]
    assert scheduler.errors == ["on purpose"]
    # The one that was failed began again, where its config said.
    began = [result[f"config/{STATE}/member"] for result in scheduler.results]
    assert began == [1, 1, 2]


class Ender(Holder):
    """Ends the second trial as soon as there is one, by itself or with the whole run."""

    def __init__(self, end: Callable[[Any, Any], None]) -> None:
        super().__init__()
        self.end = end
        self.added: list[Any] = []

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        self.added.append(trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        self.results.append(result)
        return str(TrialScheduler.STOP)

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        for trial in self.added[1:]:
            if trial.status == Trial.PENDING:
                self.end(tune_controller, trial)


@pytest.mark.ray
@pytest.mark.parametrize(
    "end", [tune.stop, lambda controller, trial: tune.stop_all(controller)], ids=["one", "all"]
)
def test_a_run_comes_to_its_end_with_a_trial_that_never_started(
    ray_runtime: None, tmp_path: Path, end: Callable[[Any, Any], None]
) -> None:
    scheduler = Ender(end)
    tuner = ray_tune.Tuner(
        Told,
        param_space={STATE: ray_tune.grid_search([{"member": 0}, {"member": 1}])},
        tune_config=ray_tune.TuneConfig(scheduler=scheduler, max_concurrent_trials=1),
        run_config=ray_tune.RunConfig(
            storage_path=str(tmp_path),
            checkpoint_config=ray_tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    assert len(tuner.fit()) == len(scheduler.added) == 2
    assert len(scheduler.results) == 1
