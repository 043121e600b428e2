"""What TensorBoard and Weights & Biases read from files that a run wrote."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2

Curve = list[tuple[int, float]]

_BLOCK, _HEADER = 32768, 7
_WHOLE, _LAST = 1, 4


def accumulated(folder: Path) -> EventAccumulator:
    """All that TensorBoard has to show of a folder."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def curve(events: EventAccumulator, name: str) -> Curve:
    """A scalar, by step."""
    return [(event.step, event.value) for event in events.Scalars(name)]


def texts(events: EventAccumulator, name: str) -> list[tuple[int, str]]:
    """A text, by step."""
    found = events.Tensors(f"{name}/text_summary")
    return [(event.step, event.tensor_proto.string_val[0].decode()) for event in found]


def hyperparameters(events: EventAccumulator) -> dict[str, Any]:
    """What TensorBoard's page of hyperparameters shows of a run."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    found = data.session_start_info.hparams.items()
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in found}


@dataclass
class WandbRun:
    """A run of W&B's, from what is to be uploaded of it."""

    name: str = ""
    group: str = ""
    project: str = ""
    id: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None

    def curve(self, name: str) -> Curve:
        """A metric, by step."""
        return [(row["_step"], row[name]) for row in self.history if name in row]


def wandb_runs(folder: Path) -> list[WandbRun]:
    """Every offline run in W&B's folder, by name."""
    found = [_wandb_run(file) for file in folder.glob("offline-run-*/*.wandb")]
    return sorted(found, key=lambda run: run.name)


def _wandb_run(file: Path) -> WandbRun:
    run = WandbRun()
    for record in map(wandb_internal_pb2.Record.FromString, _entries(file.read_bytes())):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.name, run.group = record.run.display_name, record.run.run_group
            run.project, run.id = record.run.project, record.run.run_id
            run.config = _values(record.run.config.update)
        elif kind == "history":
            run.history.append(_values(record.history.item))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _values(items: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def _entries(data: bytes) -> Iterator[bytes]:
    """LevelDB's log format, behind a header of W&B's own of the same length as an entry's."""
    assert data.startswith(b":W&B")
    at, entry = _HEADER, b""
    while at + _HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + _HEADER])
        at += _HEADER
        entry += data[at : at + length]
        at += length
        if kind in (_WHOLE, _LAST):
            yield entry
            entry = b""
