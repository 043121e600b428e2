"""Members as runs of TensorBoard: a folder of events each."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, BinaryIO

from ray.tune.logger import LoggerCallback
from ray.tune.result import TRAINING_ITERATION
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import RecordWriter

from callbacks.logged_member import LoggedMember

# What hyperparameters are compared by.
_COMPARED = ("score", "test_score", "training_return")


class TensorBoard(LoggerCallback):  # type: ignore[misc]
    """Numbers as scalars, by their own names, and sentences as texts, over training iterations.

    Tune's own logger prefixes every name and keeps a file, two threads and a pipe for each
    trial. Here a file is open while something is written to it, so that a population may have
    a thousand members. A process adds a file of its own to a member's folder, and tells
    TensorBoard to forget what earlier ones say of iterations that are done again.
    """

    def __init__(self) -> None:
        self._files: dict[LoggedMember, str] = {}
        self._newest: dict[LoggedMember, dict[str, float]] = {}

    def log_trial_start(self, trial: LoggedMember) -> None:
        name = f"events.out.tfevents.{time.time_ns() / 1e9:.6f}.{os.getpid()}"
        self._files[trial] = str(Path(trial.local_path, name))
        self._newest[trial] = {}
        self._write(
            trial,
            Event(file_version="brain.Event:2"),
            Event(step=trial.begun_at + 1, session_log=SessionLog(status=SessionLog.START)),
        )

    def log_trial_result(self, iteration: int, trial: LoggedMember, result: dict[str, Any]) -> None:
        step = result[TRAINING_ITERATION]
        values = {name: value for name, value in result.items() if name != TRAINING_ITERATION}
        numbers = {n: float(v) for n, v in values.items() if not isinstance(v, str)}
        self._newest[trial] |= numbers
        summaries = [
            summary.scalar(name, numbers[name])
            if name in numbers
            else summary.text(name, values[name])
            for name in values
        ]
        self._write(trial, *(Event(step=step, summary=each) for each in summaries))

    def log_trial_end(self, trial: LoggedMember, failed: bool = False) -> None:
        newest = self._newest.pop(trial)
        compared = {name: newest[name] for name in _COMPARED if name in newest}
        summaries = summary.hparams(dict(trial.config), compared)
        self._write(trial, *(Event(summary=each) for each in summaries))
        del self._files[trial]

    def _write(self, trial: LoggedMember, *events: Event) -> None:
        now = time.time()
        with open(self._files[trial], "ab") as file:
            records = _Appended(file)
            for event in events:
                event.wall_time = now
                records.write(event.SerializeToString())


class _Appended(RecordWriter):  # type: ignore[misc]
    """TensorBoard's framing of events, at the end of a file that is open already."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer = file
