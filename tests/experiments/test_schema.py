"""The JSON Schema that is published for editors."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import experiments
from experiments.loading import load
from experiments.schema import json_schema

FOLDER = Path(experiments.__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))


def test_the_published_schema_is_the_models() -> None:
    published = (FOLDER / "experiment.schema.json").read_text()
    expected = json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"
    assert published == expected, "write json_schema() to experiments/experiment.schema.json again"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_shipped_files_hold_and_agree_with_it(file: Path) -> None:
    loaded = load(file)
    jsonschema.validate(loaded.base, json_schema())
    jsonschema.validate(loaded.resolved(), json_schema())


def test_there_are_shipped_files() -> None:
    assert {file.stem for file in FILES} >= {"quickstart", "compare", "remote_runners", "own_env"}
