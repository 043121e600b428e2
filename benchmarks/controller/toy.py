"""A member that learns nothing: what `MemberTrial` reports and obeys, at next to no cost."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from orchestrator import checkpoints, results, seeding
from orchestrator.report import Report
from orchestrator.trial import BECOME, FLIGHT, READY, STATE

_STEPS = 2048
_EPISODES = 10
_LEVELS = 16
_BEST = 500.0
# Where each process leaves a file when it is up.
_UP = "up"
_PAUSE = 0.05


class Toy:
    """Reports iterations whose numbers follow from member and iteration alone.

    At each boundary it is scored and leaves a checkpoint, a directory with a manifest that names
    no file.

    Args:
        state: where the member stands, as `MemberState.plain`.
        run_dir: where checkpoints lie.
        interval: iterations between two boundaries.
        last: the iteration that the member ends with.
        greet: whether the first result is a handshake.
    """

    def __init__(
        self,
        state: Mapping[str, Any],
        run_dir: Path,
        interval: int,
        last: int,
        *,
        greet: bool = True,
    ) -> None:
        self._run_dir = run_dir
        self._interval = interval
        self._last = last
        self._directive: int | None = None
        self._revision = 0
        self._greet = greet
        self._become(state)

    def step(self) -> dict[str, Any]:
        """One iteration as a flat result; or the handshake."""
        who = {name: self._state[name] for name in ("arm", "seed", "member")}
        who["directive"] = self._directive
        if self._greet:
            self._greet = False
            return {**who, READY: True, FLIGHT: "", "training_iteration": self._iteration}
        self._iteration += 1
        return {**who, **results.flat(self._report())}

    def direct(self, directive: Mapping[str, Any]) -> None:
        """Carry out a directive."""
        self._directive = directive["id"]
        if directive["kind"] == BECOME:
            self._become(directive["state"])
        else:
            self._revision = directive["state"]["revision"]

    def _become(self, state: Mapping[str, Any]) -> None:
        self._state = state
        self._iteration: int = state["iteration"]
        self._revision = state["revision"]

    def _report(self) -> Report:
        rng = seeding.generator("toy", self._state["member"], self._iteration)
        mean, *returns = rng.uniform(0.0, _BEST, 1 + _LEVELS).tolist()
        scored: dict[str, Any] = {}
        if self._iteration % self._interval == 0 or self._iteration == self._last:
            path, digest = self._save()
            scored = {"score": sum(returns) / _LEVELS, "returns": tuple(returns)}
            scored |= {"checkpoint": path, "digest": digest}
        return Report(
            iteration=self._iteration,
            env_steps=_STEPS * self._iteration,
            revision=self._revision,
            training_return=mean,
            episodes=_EPISODES,
            revisions={self._revision: (_EPISODES, mean)},
            seconds={"train": 0.0, "score": 0.0, "save": 0.0},
            learner={},
            **scored,
        )

    def _save(self) -> tuple[str, str]:
        arm, seed, member = (self._state[name] for name in ("arm", "seed", "member"))
        path = checkpoints.directory(arm, seed, member, self._iteration)
        facts = {"v": checkpoints.VERSION, "member": member, "iteration": self._iteration}
        manifest = json.dumps({**facts, "files": {}}).encode()
        (self._run_dir / path).mkdir(parents=True, exist_ok=True)
        (self._run_dir / path / checkpoints.MANIFEST).write_bytes(manifest)
        return str(path), hashlib.sha256(manifest).hexdigest()


class ToyTrial(tune.Trainable):  # type: ignore[misc]
    """A toy in a process of its own, which is up once ``seats`` of them are."""

    def setup(
        self, config: Mapping[str, Any], run_dir: str, interval: int, last: int, seats: int
    ) -> None:
        self._rest = (Path(run_dir), interval, last)
        self._toy = Toy(config[STATE], *self._rest)
        # Processes that start beside others that run already would slow these down.
        up = Path(run_dir) / _UP
        up.mkdir(exist_ok=True)
        (up / str(os.getpid())).touch()
        while len(os.listdir(up)) < seats:
            time.sleep(_PAUSE)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        """Another trial's toy in this process, which has greeted before."""
        self._toy = Toy(new_config[STATE], *self._rest, greet=False)
        return True

    def step(self) -> dict[str, Any]:
        """One iteration of the toy."""
        return self._toy.step()

    def direct(self, directive: Mapping[str, Any]) -> None:
        """Carry out a directive."""
        self._toy.direct(directive)
