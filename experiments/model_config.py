"""Keys of ``rl_module.model_config``, checked against RLlib's default model."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.annotations import Misfit, describe, fitted
from experiments.findings import Finding
from experiments.hints import nearest, show, value_hint

_KEY = ("algorithm", "rl_module", "model_config")


def model_findings(rl_module: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the model's keys; any key goes for a module of the user's own."""
    given = rl_module.get("model_config")
    if not isinstance(given, Mapping) or rl_module.get("rl_module_spec") is not None:
        return
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

    annotations = typing.get_type_hints(DefaultModelConfig)
    known = sorted(field.name for field in dataclasses.fields(DefaultModelConfig))
    for name, value in given.items():
        if name not in known:
            hint = nearest(name, known) or "A module of your own takes any: rl_module_spec"
            must = "must be a key of RLlib's default model"
            yield Finding((*_KEY, name), must, show(name), hint)
            continue
        try:
            fitted(annotations[name], value)
        except Misfit as error:
            must = f"must be {describe(annotations[name])}"
            yield Finding((*_KEY, name), must, show(value), error.hint or value_hint(value, must))
