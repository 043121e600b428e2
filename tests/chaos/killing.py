"""A run under random SIGKILLs: who dies, when, and what must hold on the disk afterwards."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from real_runs import COMMAND, Envolve, RunOnDisk, results_of

from orchestrator import checkpoints, crash_points

_PPO = """\
  training: {lr: 0.001, train_batch_size_per_learner: 128, minibatch_size: 64, num_epochs: 1}
  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}
  env_runners: {num_envs_per_env_runner: 4}
"""
_OFF_POLICY = """\
  env_runners: {num_envs_per_env_runner: 2, rollout_fragment_length: 4}
  reporting: {min_sample_timesteps_per_iteration: 40}
  search: {train_batch_size_per_learner: {low: 8, high: 32, integer: true}}
  training:
    num_steps_sampled_before_learning_starts: 48
    replay_buffer_config: {type: BUFFER, capacity: 400}
"""
_POLE = """\
env:
  id: CartPole
  knobs:
    gravity: {low: 5.0, high: 20.0}
    length: {low: 0.25, high: 2.0, scale: log, start: {low: 0.5, high: 0.5}}
"""
_SWING = """\
env:
  id: Pendulum
  knobs:
    g: {low: 5.0, high: 15.0}
"""
_FILE = """\
envolve: 1
name: chaos
{env}algorithm:
  name: {name}
  rl_module: {{model_config: {{fcnet_hiddens: [16]}}}}
{algorithm}curriculum: {curriculum}
population:
  size: 2
  interval: 2
  exploit: {{kind: truncation, fraction: 0.5}}
  max_faults: 1000
evaluation: {{levels: 4, test_levels: 0, max_steps: 50}}
checkpoint: {{keep_best: 2}}
resources: {{cpus_per_member: 0.5}}
stop: {{iterations: {last}}}
"""

_WIDEN = "{kind: population, widen: {above: 15, by: 0.1, min_episodes: 2}}"
_ON_THE_POLE = {"name": "PPO", "env": _POLE, "algorithm": _PPO, "curriculum": _WIDEN}

#: Experiment files of populations that are small enough to be killed often.
FILES = {
    "PPO": _ON_THE_POLE,
    "PPO with 2 env runners": {
        **_ON_THE_POLE,
        "algorithm": _PPO.replace("runner: 4}", "runner: 2, num_env_runners: 2}"),
    },
    "DQN": {
        **_ON_THE_POLE,
        "name": "DQN",
        "algorithm": _OFF_POLICY.replace("BUFFER", "PrioritizedEpisodeReplayBuffer"),
    },
    "SAC": {
        "name": "SAC",
        "env": _SWING,
        "algorithm": _OFF_POLICY.replace("BUFFER", "EpisodeReplayBuffer"),
        "curriculum": _WIDEN.replace("15", "-1700"),
    },
    "ACCEL": {
        **_ON_THE_POLE,
        "curriculum": "{kind: accel, capacity: 24, fill: 0.25, edits: 1}",
    },
    "PAIRED": {**_ON_THE_POLE, "curriculum": "{kind: paired}"},
}

DRIVER, MEMBER, RUNNER, RAYLET, GCS, PARENT, TREE = (
    "driver", "member", "env runner", "raylet", "gcs", "parent", "everything",
)  # fmt: skip
# How often each; those that end the whole run cost its start, and are rarer.
_TARGETS = {
    MEMBER: 0.4, RUNNER: 0.2, DRIVER: 0.1, PARENT: 0.1, TREE: 0.1, RAYLET: 0.05, GCS: 0.05,
}  # fmt: skip
# Parts of the names that Ray gives to its processes.
_NAMES = {MEMBER: "MemberTrial", RUNNER: "EnvRunner", RAYLET: "raylet/raylet", GCS: "gcs_server"}
_WHILE_TRAINING = [
    point for point in crash_points.POINTS if point not in ("run.recorded", "resume.recorded")
]
_LIFE = 120.0


def chaos_file(kind: str, last: int) -> str:
    """One of `FILES`, with members that train so many iterations."""
    return _FILE.format(**FILES[kind], last=last)


@dataclass
class Chaos:
    """Kills what one command started, again and again, until the run has had enough of it.

    Attributes:
        envolve: runs the command.
        run: the run that it is about.
        rng: draws who dies and when.
        killed: how often, by target or crash point.
    """

    envolve: Envolve
    run: RunOnDisk
    rng: np.random.Generator
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        """How many there were so far."""
        return sum(self.killed.values())

    def live(self, kills: int) -> int:
        """Start or resume the run and kill at it, ``kills`` times at most; returns its exit code.

        Returns as soon as the command has ended, whether by a kill or not.
        """
        armed = self.run.path.parent / "crash"
        before = self.kills
        beginning = self._arm_the_beginning(armed) if kills else None
        process = self.envolve.start(
            "run", "chaos.yaml", "--run-dir", self.run.path.name, "--resume", "auto",
            env={crash_points.VARIABLE: str(armed), "RAY_gcs_rpc_server_reconnect_timeout_s": "5"},
        )  # fmt: skip
        if beginning is not None:
            begun = results_of(self.run.path)
            _wait(lambda: not armed.exists() or results_of(self.run.path) > begun, process, _LIFE)
            self.killed[f"at {beginning}"] += not armed.exists()
        while process.poll() is None and self.kills - before < kills:
            self._kill_once(process, armed)
        self.run_out(process)
        armed.unlink(missing_ok=True)
        return int(process.returncode)

    def _arm_the_beginning(self, armed: Path) -> str | None:
        """Now and then the driver dies before anybody trains."""
        if self.rng.random() < 0.8:
            return None
        point = "resume.recorded" if (self.run.path / "journal.jsonl").exists() else "run.recorded"
        crash_points.arm(armed, point)
        return point

    def run_out(self, process: subprocess.Popen[str]) -> None:
        """Wait for the command's end; nothing that it started may outlive it for long.

        But for Ray's agents, which write nothing of ours: they look every now and then whether
        their raylet is still there.
        """
        tree = [one for one in _tree(process) if "Agent" not in _line(one)]
        process.communicate(timeout=_LIFE)
        _, alive = psutil.wait_procs(tree, timeout=30)
        assert not alive, f"outlived the command: {alive}"

    def _kill_once(self, process: subprocess.Popen[str], armed: Path) -> None:
        if self.rng.random() < 0.5:
            self._at_a_point(process, armed)
        else:
            self._at_a_moment(process)

    def _at_a_point(self, process: subprocess.Popen[str], armed: Path) -> None:
        """Some process dies at a named point of the code, at one of its next passes."""
        point = str(self.rng.choice(_WHILE_TRAINING))
        crash_points.arm(armed, point, int(self.rng.integers(1, 3)))
        if point == "signal.saved":
            self._wait_for_results(process)
            process.terminate()
        # Points that are rare are given up, before the run is over.
        if _wait(lambda: not armed.exists(), process, 2.0 if self._training(process) else 30.0):
            self.killed[f"at {point}"] += 1
        armed.unlink(missing_ok=True)

    def _training(self, process: subprocess.Popen[str]) -> bool:
        """Whether members train already."""
        return process.poll() is None and bool(_found(process, MEMBER))

    def _wait_for_results(self, process: subprocess.Popen[str]) -> None:
        begun = results_of(self.run.path)
        _wait(lambda: results_of(self.run.path) > begun, process, 30.0)

    def _at_a_moment(self, process: subprocess.Popen[str]) -> None:
        """A process dies at a random moment: while everything starts, or while members train."""
        target = str(self.rng.choice([*_TARGETS], p=[*_TARGETS.values()]))
        if self.rng.random() < 0.8:
            self._wait_for_results(process)
        time.sleep(float(self.rng.uniform(0.0, 0.5)))
        if target == TREE:
            self.envolve.kill_tree(process)
            self.killed[TREE] += 1
            return
        for one in self.rng.permutation(_found(process, target))[:1]:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
            self.killed[target] += 1
            if target not in (MEMBER, RUNNER):
                _wait(lambda: False, process, 60.0)


def check_disk(run: RunOnDisk) -> None:
    """Every checkpoint that the journal names and did not prune is whole; so are the best.

    A kill may have come between the pruning's record and the removal, but not before it.
    """
    if not (run.path / "journal.jsonl").exists():
        return
    pruned = {record["digest"] for record in run.of("prune")}
    saved = [record for record in run.of("checkpoint") if record["digest"] not in pruned]
    for record in saved:
        manifest = checkpoints.verify(run.path / record["path"], record["digest"])
        assert manifest["iteration"] == record["iteration"]
    known = {record["digest"] for record in run.of("checkpoint")}
    for place in (run.path / "best").glob("[!.]*"):
        checkpoints.verify(place)
        assert checkpoints.digest_of(place) in known


def check_lineage(run: RunOnDisk) -> None:
    """No member half exploited: what was trained after an exploit came from the donor."""
    for record in run.of("checkpoint"):
        place = run.path / record["path"]
        if not place.exists():
            continue
        parent = json.loads((place / "manifest.json").read_text())["parent"]
        exploits = [
            e
            for e in run.of("exploit", member=record["member"])
            if record["iteration"] - 2 <= e["iteration"] < record["iteration"]
        ]
        if exploits:
            assert parent["digest"] in {e["digest"] for e in exploits}, record


def _found(process: subprocess.Popen[str], target: str) -> list[psutil.Process]:
    tree = _tree(process)
    if target == PARENT:
        return tree[:1]
    if target == DRIVER:
        return [one for one in tree[1:] if COMMAND[-1] in _line(one)][:1]
    return [one for one in tree if _NAMES[target] in _line(one)]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _tree(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        root = psutil.Process(process.pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _wait(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether it came true before the time was over or the command ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
