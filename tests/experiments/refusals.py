"""What an experiment file is answered with."""

from __future__ import annotations

import pytest

from experiments.checking import check
from experiments.loading import parse_experiment
from experiments.problems import BadInput


def said(text: str) -> list[str]:
    """All that a check of the file's text refuses it for."""
    with pytest.raises(BadInput) as caught:
        check(parse_experiment(text, "f.yaml"))
    return [str(problem) for problem in caught.value.problems]
