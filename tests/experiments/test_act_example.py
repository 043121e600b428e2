"""The example in an exported folder makes the env as training did, whatever kind of env it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.act_example import act_example
from experiments.spec import Env

ENVS = """\
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

class ByMethod(CartPoleEnv):
    def __init__(self, length=0.5):
        super().__init__()
        self.length = length
    def set_level(self, level):
        self.got = level

class Demanding(ByMethod):
    def __init__(self, gravity, masscart=1.0):
        super().__init__()
        self.first, self.masscart = gravity, masscart

class ByConfig(CartPoleEnv):
    def __init__(self, config):
        super().__init__()
        self.gravity, self.length = config["gravity"], config["length"]

class ByOptions(CartPoleEnv):
    def reset(self, *, seed=None, options=None):
        self.got = options
        return super().reset(seed=seed)
"""
KNOBS = {"gravity": {"low": 5.0, "high": 20.0}}
LEVEL = {"gravity": 7.0}


class Acting:
    """Stands in for the exported policy."""

    done = True
    total = 1.0
    steps = 0

    def __init__(self) -> None:
        play = {"level": LEVEL, "seed": 3, "return": 1.0}
        self.facts: dict[str, Any] = {"env": {"config": CONFIG}, "plays": [play], "max_steps": 5}

    def begin(self, *reset: Any, level: Any = None) -> None:
        assert len(reset) == 2
        self.told = level


CONFIG: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's module with envs, and the folder's policy."""
    (tmp_path / "players_envs.py").write_text(ENVS)
    monkeypatch.syspath_prepend(tmp_path)
    policy = type(sys)("policy")
    policy.Policy = Acting  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "policy", policy)
    monkeypatch.delitem(sys.modules, "players_envs", raising=False)


def acting(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], **env: Any) -> dict[str, Any]:
    """The names that the example leaves behind, after it has run."""
    monkeypatch.setitem(globals(), "CONFIG", config)
    spec = Env.model_validate({"config": config, "knobs": KNOBS, **env})
    names: dict[str, Any] = {}
    exec(compile(act_example(spec), "act.py", "exec"), names)
    return names


def acted(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], **env: Any) -> Any:
    """The env that the example made, after it has run."""
    return acting(monkeypatch, config, **env)["env"].unwrapped


def test_a_built_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    env = acted(monkeypatch, {"length": 1.5}, id="CartPole")
    assert (env.gravity, env.length) == (7.0, 1.5)
    assert capsys.readouterr().out == "return 1 on {'gravity': 7.0}, seed 3; scored 1.0\n"


def test_gymnasiums_own_by_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    env = acted(monkeypatch, {"sutton_barto_reward": True}, id="CartPole-v1")
    assert (env.gravity, env._sutton_barto_reward) == (7.0, True)


def test_a_method(monkeypatch: pytest.MonkeyPatch) -> None:
    env = acted(monkeypatch, {"length": 0.9}, id="players_envs:ByMethod")
    assert (env.got, env.length) == (LEVEL, 0.9)


def test_a_method_and_a_constructor_that_wants_a_knob(monkeypatch: pytest.MonkeyPatch) -> None:
    env = acted(monkeypatch, {"masscart": 2.0}, id="players_envs:Demanding")
    assert (env.got, env.first, env.masscart) == (LEVEL, 7.0, 2.0)


def test_a_config_dict(monkeypatch: pytest.MonkeyPatch) -> None:
    env = acted(monkeypatch, {"length": 0.7}, id="players_envs:ByConfig")
    assert (env.gravity, env.length) == (7.0, 0.7)


def test_reset_options(monkeypatch: pytest.MonkeyPatch) -> None:
    env = acted(monkeypatch, {}, id="players_envs:ByOptions", apply="options")
    assert env.got == LEVEL


@pytest.mark.parametrize(("condition", "told"), [((), None), (("gravity",), LEVEL)])
def test_a_level_that_is_observed_is_told(
    condition: tuple[str, ...], told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert acting(monkeypatch, {}, id="CartPole-v1", condition=condition)["policy"].told == told


def test_no_knobs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert acted(monkeypatch, {}, id="CartPole-v1", knobs={}).gravity == 9.8


def test_an_env_that_is_not_here_is_left_to_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="Make your env here"):
        acted(monkeypatch, {}, id="elsewhere:Env")
