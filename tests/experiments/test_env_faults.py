"""Envs that raise, pay or show what is no number, hang or die: one run, an arm of each kind."""

from __future__ import annotations

from typing import Any

import pytest
from real_runs import TINY, Ended, Envolve, RunOnDisk

pytestmark = pytest.mark.ray

LAST = 2
# What breaks, and what its fault must say.
BROKEN = {
    "step": "ValueError: the pole broke (in step(), on a level of revision 0)",
    "reset": "ValueError: no pole (in reset(), on a level of revision 0)",
    "reward": "NotFinite: the reward at step",
    "observation": "NotFinite: the observation at step",
    "hang": "hangs for more than 1 s, at brittle.py:",
    "exit": "the process died or was killed (in step(), on a level of revision 0)",
    "remote": "the process died or was killed (in step(), on a level of revision 0)",
    "parallel": "the process died or was killed (in step(), on a level of revision 0)",
}

BRITTLE = """\
import os
import time

import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

class Brittle(CartPoleEnv):
    \"\"\"Breaks where gravity is strong, and not before the run has checked it.\"\"\"

    def __init__(self, how="sound"):
        super().__init__()
        self.how, self.steps, self.resets = how, 0, 0

    def set_level(self, level):
        self.gravity = level["gravity"]
        self.length = level["length"]

    def breaks(self):
        return self.gravity > 14 and self.steps > 20

    def reset(self, **how):
        if self.breaks() and self.how == "reset":
            raise ValueError("no pole")
        return super().reset(**how)

    def step(self, action):
        self.steps += 1
        observation, reward, *rest = super().step(action)
        if self.breaks():
            match self.how:
                case "step":
                    raise ValueError("the pole broke")
                case "reward":
                    reward = float("nan")
                case "observation":
                    observation = np.full_like(observation, np.nan)
                case "hang":
                    while True:
                        time.sleep(0.01)
                case "exit":
                    os._exit(1)
        return observation, reward, *rest
"""

ARMS = """\
arms:
  sound: {}
  step: {env: {config: {how: step}}, population: {max_faults: 1}}
  reset: {env: {config: {how: reset}}}
  reward: {env: {config: {how: reward}}}
  observation: {env: {config: {how: observation}}}
  hang: {env: {timeout: 1, config: {how: hang}}}
  exit: {env: {config: {how: exit}}}
  remote: {env: {config: {how: exit}}, algorithm: {env_runners: {num_env_runners: 1}}}
  parallel:
    env: {config: {how: exit}}
    algorithm: {env_runners: {gym_env_vectorize_mode: async, num_envs_per_env_runner: 2}}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunOnDisk, Ended]:
    directory = tmp_path_factory.mktemp("broken")
    (directory / "brittle.py").write_text(BRITTLE)
    text = TINY.replace("id: CartPole", "id: 'brittle:Brittle'")
    # A file's arms go on top of it, and the command line on top of those.
    text = text.replace("population: {size: 3,", "population: {size: 1, max_faults: 0,")
    (directory / "brittle.yaml").write_text(text + ARMS)
    command = Envolve(directory)
    try:
        done = command(
            "run", "brittle.yaml", "--run-dir", "run",
            "-S", "curriculum.kind=fixed", "-S", f"stop.iterations={LAST}",
        )  # fmt: skip
    finally:
        command.close()
    return RunOnDisk(directory / "run"), done


def fault_of(run: RunOnDisk, arm: str) -> dict[str, Any]:
    """The last fault of an arm."""
    return run.of("fault", arm=arm)[-1]


@pytest.mark.parametrize("arm", BROKEN)
def test_the_fault_names_the_level_that_caused_it(ended: tuple[RunOnDisk, Ended], arm: str) -> None:
    run, _ = ended
    fault = fault_of(run, arm)
    assert fault["where"] == "env"
    assert fault["error"].startswith(BROKEN[arm])
    assert fault["level"].keys() == {"gravity", "length"}
    assert fault["level"]["gravity"] > 14


def test_a_member_is_given_up_after_the_faults_that_its_arm_allows(
    ended: tuple[RunOnDisk, Ended],
) -> None:
    run, _ = ended
    for arm in BROKEN:
        allowed = 1 if arm == "step" else 0
        actions = [fault["action"] for fault in run.of("fault", arm=arm)]
        assert actions == ["retried"] * allowed + ["failed"]


def test_the_others_are_untouched_and_the_user_is_told(ended: tuple[RunOnDisk, Ended]) -> None:
    run, done = ended
    assert done.code == 1, done.err
    assert "the pole broke" in done.out
    assert "Traceback" not in done.out + done.err
    assert not run.of("fault", arm="sound")
    assert set(run.weights(LAST)) == {("sound", 0, 0)}


def test_nothing_is_left_over(ended: tuple[RunOnDisk, Ended]) -> None:
    run, _ = ended
    assert not (run.path / "flight").exists()


def test_the_level_breaks_the_env_again(
    ended: tuple[RunOnDisk, Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = ended
    level = fault_of(run, "step")["level"]
    names: dict[str, Any] = {}
    exec(compile((run.path.parent / "brittle.py").read_text(), "brittle.py", "exec"), names)
    env = names["Brittle"]("step")
    env.set_level(level)
    env.steps = 20
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the pole broke"):
        env.step(0)
