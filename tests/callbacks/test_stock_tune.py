"""Somebody's own Tune script with RLlib's own trainable: env distributions change meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from rllib_catalogue import ByMethod, tiny_ppo

import orchestrator
from callbacks import EnvMutation
from orchestrator.curricula import Evolving, Widen
from orchestrator.distributions import EnvSpace
from orchestrator.knobs import Continuous, Integer, Range

# By the name of one, RLlib imports all of its algorithms; some of them warn.
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]

SPACE = EnvSpace(
    {"gain": Continuous(1.0, 11.0), "horizon": Integer(3, 9)},
    {"gain": Range(1.0, 1.0), "horizon": Range(3, 3)},
)


class Meter(ByMethod):
    """What an episode returns, its gain times its horizon, tells its level."""

    def __init__(self, config: Any) -> None: ...


class Interrupted(RLlibCallback):  # type: ignore[misc]
    """Fails the fourth iteration until the folder that the config names holds ``go``."""

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **kwargs: Any) -> None:
        folder = Path(algorithm.config.env_config["folder"])
        if result["training_iteration"] == 4 and not (folder / "go").exists():
            raise RuntimeError("interrupted")


@pytest.fixture(autouse=True)
def stock_loggers(ray_runtime: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune's own, which a session of ours switches off: the script is somebody else's."""
    monkeypatch.delenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", raising=False)


def script(config: PPOConfig, callback: EnvMutation, path: Path) -> tune.Tuner:
    """The lines that a user writes, but for the sizes."""
    return tune.Tuner(
        "PPO",
        param_space=config,
        run_config=tune.RunConfig(
            name="theirs",
            storage_path=str(path),
            callbacks=[callback],
            stop={"training_iteration": 6},
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1),
            verbose=0,
        ),
    )


def results_of(result: Any) -> list[dict[str, Any]]:
    """What Tune's own logger wrote of a trial."""
    lines = (Path(result.path) / "result.json").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_distributions_change_between_iterations_and_across_a_restore(
    ray_runtime: None, tmp_path: Path
) -> None:
    config = tiny_ppo(remote=1).environment(Meter, env_config={"folder": str(tmp_path)})
    config.training(lr=tune.grid_search([1e-3, 1e-4])).callbacks(Interrupted)
    config.resources(num_cpus_for_main_process=0.5).env_runners(num_cpus_per_env_runner=0.5)
    callback = EnvMutation(SPACE, Evolving(widen=Widen(above=0.0, by=0.1, min_episodes=1)))
    first = script(orchestrator.leveled(config, SPACE), callback, tmp_path).fit()
    assert [str(error).strip().splitlines()[-1] for error in first.errors] == [
        "RuntimeError: interrupted"
    ] * 2
    for result in first:
        results = results_of(result)
        assert [each["env_revision"] for each in results] == [0, 1, 2]
        pictures = [each["env_distribution"].split(" · ")[0] for each in results]
        assert pictures == ["gain 1", "gain 1…2", "gain 1…3"]
        # Stock metrics are there, and what only this callback reads is not.
        assert "envolve" not in results[-1]
        assert results[0]["env_runners"]["episode_return_mean"] == 3.0
        assert results[2]["env_runners"]["episode_return_max"] > 3.0
    assert callback.faults == []
    changes = {(each.trial_id, each.iteration, each.revision) for each in callback.mutations}
    assert len({trial for trial, _, _ in changes}) == 2
    assert {(iteration, revision) for _, iteration, revision in changes} == {
        (1, 1), (2, 2), (3, 3)
    }  # fmt: skip

    (tmp_path / "go").touch()
    restored = tune.Tuner.restore(str(tmp_path / "theirs"), "PPO", resume_errored=True)
    second = restored.fit()
    assert not second.errors
    for result in second:
        results = results_of(result)
        # What the fourth iteration would have been trained on before it failed, it was.
        assert [each["env_revision"] for each in results] == [0, 1, 2, 3, 4, 5]
        assert results[-1]["training_iteration"] == 6


def test_a_config_that_draws_no_levels_is_no_quiet_run(ray_runtime: None, tmp_path: Path) -> None:
    callback = EnvMutation(SPACE, Evolving())
    (result,) = script(tiny_ppo().environment(Meter), callback, tmp_path).fit()
    assert "make its config with orchestrator.leveled(config, space)" in str(result.error)
    assert result.metrics is None or "training_iteration" not in result.metrics
