"""What RLlib itself says about a whole config, at the values that are searched as well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.findings import Finding
from experiments.hints import show
from experiments.rllib_keys import SECTIONS
from experiments.searched import combinations, ends_of
from experiments.spec import Algorithm

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig


def validation_findings(config: AlgorithmConfig, algorithm: Algorithm) -> list[Finding]:
    """RLlib's first complaint: about the config itself, or at the ends of what is searched."""
    ends = {name: ends_of(knob) for name, knob in algorithm.search.items()}
    for searched in combinations(ends):
        said = complaint(config, searched)
        if said is not None:
            key = _key_of(said, algorithm)
            found = f"{said} (with {show(searched)})" if searched else said
            return [Finding(key, "must pass RLlib's own checks", found)]
    return []


def complaint(config: AlgorithmConfig, searched: Mapping[str, Any]) -> str | None:
    """What RLlib says of a config with these values, in one sentence; None if nothing."""
    trial = config.copy(copy_frozen=False)
    try:
        if searched:
            trial.training(**searched)
        trial.validate()
    except Exception as error:
        return _first_sentence(error)
    return None


def _first_sentence(error: Exception) -> str:
    text = str(error).partition("\nTo suppress all validation errors")[0]
    text = " ".join(text.split())
    if not isinstance(error, ValueError):
        return f"{type(error).__name__}: {text}"
    sentence = re.match(r".+?[.!](?= [A-Z`])", text)
    return (sentence.group() if sentence else text).rstrip(".")


def _key_of(said: str, algorithm: Algorithm) -> tuple[str, ...]:
    """The first key of the file that RLlib's sentence names."""
    words = re.findall(r"\w+", said)
    for word in words:
        if word in algorithm.search:
            return ("algorithm", "search", word)
        for section in SECTIONS:
            if word in getattr(algorithm, section):
                return ("algorithm", section, word)
    return ("algorithm",)
