"""The JSON Schema of the experiment file, for editors that complete and check while one types.

It is a little wider than `experiments.loading.load`: what must hold between keys is not in it.
"""

from __future__ import annotations

from typing import Any

from experiments.arms import ARM_NAME
from experiments.spec import Experiment

_GRID = {
    "type": "object",
    "description": "One arm per value.",
    "properties": {"grid": {"type": "array", "minItems": 1}},
    "required": ["grid"],
    "additionalProperties": False,
}
_FIXED = ("envolve", "name", "seeds", "loggers", "kind")


def json_schema() -> dict[str, Any]:
    """The schema of a whole file, arms and grids included (JSON Schema, draft 2020-12)."""
    schema = Experiment.model_json_schema()
    definitions = schema["$defs"]
    for definition in [schema, *definitions.values()]:
        for name, value in definition.get("properties", {}).items():
            if name not in _FIXED:
                definition["properties"][name] = _or_grid(value)
    definitions["Grid"] = _GRID
    schema["properties"]["arms"] = {
        "type": ["object", "null"],
        "description": "Named variants: a name, and the keys that it changes.",
        "patternProperties": {ARM_NAME: {"type": ["object", "null"]}},
        "additionalProperties": False,
        "default": {},
    }
    # An arm may be the one to give a section that the base lacks.
    schema["required"] = ["envolve", "name"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "envolve experiment"
    return schema


def _or_grid(value: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        key: value[key] for key in ("default", "description", "title") if key in value
    }
    inner = {key: child for key, child in value.items() if key not in kept}
    return {**kept, "anyOf": [inner, {"$ref": "#/$defs/Grid"}]}
