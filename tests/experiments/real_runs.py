"""Real runs of the `envolve` command, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

COMMAND = (sys.executable, "-P", "-m", "experiments.cli")

TINY = """\
envolve: 1
name: tiny
env:
  id: CartPole
  knobs:
    gravity: {low: 5.0, high: 20.0}
    length: {low: 0.25, high: 2.0, scale: log, start: {low: 0.5, high: 0.5}}
algorithm:
  training: {lr: 0.001, train_batch_size_per_learner: 256, minibatch_size: 64, num_epochs: 2}
  env_runners: {num_envs_per_env_runner: 8}
  rl_module: {model_config: {fcnet_hiddens: [16]}}
  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}
curriculum: {kind: population, widen: {above: 15, by: 0.1, min_episodes: 2}}
population: {size: 3, interval: 2}
evaluation: {levels: 4, test_levels: 0, max_steps: 100}
checkpoint: {keep_best: 2}
stop: {iterations: 8}
"""

_AGAIN = re.compile(r"(/checkpoints/\d{6})-\d+")


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class RunOnDisk:
    """What a run left behind."""

    path: Path

    @property
    def journal(self) -> list[dict[str, Any]]:
        """All records, as plain dicts (a half-written last line left out)."""
        text = (self.path / "journal.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def of(self, kind: str, **values: Any) -> list[dict[str, Any]]:
        """Records of a kind in which these values stand."""
        return [
            record
            for record in self.journal
            if record["kind"] == kind and all(record[k] == v for k, v in values.items())
        ]

    def manifest(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest of a journalled checkpoint."""
        text = (self.path / record["path"] / "manifest.json").read_text()
        manifest: dict[str, Any] = json.loads(text)
        return manifest

    def weights(self, iteration: int) -> dict[tuple[str, int, int], str]:
        """Each member's weights digest in its checkpoint of an iteration."""
        saved = self.of("checkpoint", iteration=iteration)
        return {(r["arm"], r["seed"], r["member"]): self.manifest(r)["weights"] for r in saved}

    def decisions(self) -> list[tuple[Any, ...]]:
        """All that was decided and scored, in an order that does not depend on timing.

        What was done again after a kill counts once if it came out the same. A checkpoint
        that was saved again may have a number behind its name.
        """
        kept = ("exploit", "mutation", "boundary", "score")
        dropped = {"v", "time", "digest", "crc", "more"}
        found = {
            (
                r["arm"], r["seed"], r["iteration"], r["kind"], r.get("member", -1),
                _AGAIN.sub(r"\1", json.dumps(_without(r, dropped), sort_keys=True)),
            )
            for r in self.journal
            if r["kind"] in kept and r.get("suite") != "test"
        }  # fmt: skip
        return sorted(found)


class Envolve:
    """Runs the command in a directory, and kills what it started in whatever way is asked."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self._started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str | Path, timeout: float = 240) -> Ended:
        """Run to the end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out, err)

    def start(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start in the background, with ``env`` on top of this process's environment."""
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "100", **(env or {})},
        )
        self._started.append(process)
        return process

    def kill_tree(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL the command and everything that it started, Ray's processes included."""
        try:
            root = psutil.Process(process.pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            tree = []
        for one in tree:
            try:
                one.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        process.communicate()
        psutil.wait_procs(tree, timeout=20)

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self._started:
            if process.poll() is None:
                self.kill_tree(process)


def _without(record: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something that the run is to do; fail if it ends before."""
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the run never came to that point"
        time.sleep(0.02)


def results_of(path: Path) -> int:
    """Training iterations that a run's journal tells of."""
    journal = path / "journal.jsonl"
    return journal.read_text().count('"kind":"result"') if journal.exists() else 0
