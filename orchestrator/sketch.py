"""What a journal keeps of a distribution: all of it, or a sketch where it holds many levels.

A level buffer changes at every iteration and may hold thousands of levels. The whole of it is
in the member's checkpoints; a line of the journal says what a few hundred draws look like.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from orchestrator import seeding
from orchestrator.checks import JsonObject, fields
from orchestrator.distributions import (
    Distribution,
    EnvSpace,
    Levels,
    Mixture,
    Product,
    distribution_from_json,
)
from orchestrator.frozen import text
from orchestrator.knobs import Blend, Choice, Knob, Marginal, Range, Simplex, Weights

_DRAWS = 256
# Ends of a sketched range: few enough outliers that it is not always the legal one.
_TAILS = (0.05, 0.95)
_FEW = 16


@dataclass(frozen=True)
class Sketch:
    """What draws from a distribution look like, knob by knob.

    Attributes:
        levels: how many levels it holds that can be drawn.
        digest: SHA-256 of its JSON, so that two can be told apart.
        looks: the product whose ranges hold nine in ten draws of each knob.
    """

    kind: ClassVar[str] = "sketch"
    levels: int
    digest: str
    looks: Product

    @property
    def space(self) -> EnvSpace:
        """The space of what was sketched."""
        return self.looks.space

    def to_json(self) -> JsonObject:
        """This sketch as a JSON object with its ``kind``."""
        return {
            "kind": self.kind,
            "levels": self.levels,
            "digest": self.digest,
            "marginals": self.looks.to_json()["marginals"],
        }

    def picture(self) -> str:
        """One line of text for a terminal."""
        return f"{self.levels} levels · {self.looks.picture()}"


Journalled: TypeAlias = Distribution | Sketch


def journalled(distribution: Distribution) -> Journalled:
    """``distribution`` itself, or a sketch of it where it holds more than a few levels."""
    levels = _count(distribution)
    if levels <= _FEW:
        return distribution
    whole = json.dumps(distribution.to_json(), sort_keys=True)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    rng = seeding.generator("sketch")
    draws = [distribution.sample(rng) for _ in range(_DRAWS)]
    marginals = {
        name: _of_values(knob, [level[name] for level in draws])
        for name, knob in distribution.space.knobs.items()
    }
    return Sketch(levels, digest, Product(distribution.space, marginals))


def journalled_from_json(space: EnvSpace, data: object) -> Journalled:
    """What `journalled` returned, from its JSON.

    Raises:
        ValueError: if ``data`` is malformed.
    """
    if not isinstance(data, Mapping) or data.get("kind") != Sketch.kind:
        return distribution_from_json(space, data)
    found = fields("a sketch", data, ("kind", "levels", "digest", "marginals"))
    looks = Product.from_json(space, {"marginals": found["marginals"]})
    return Sketch(int(found["levels"]), str(found["digest"]), looks)


def _count(distribution: Distribution) -> int:
    if isinstance(distribution, Mixture):
        return sum(_count(part) for weight, part in distribution.parts if weight > 0)
    if isinstance(distribution, Levels):
        return sum(weight > 0 for weight in distribution.weights)
    return 0


def _of_values(knob: Knob, values: Sequence[Any]) -> Marginal:
    if isinstance(knob, Choice):
        texts = [text(value) for value in values]
        return Weights(tuple(float(texts.count(text(each))) for each in knob.values))
    if isinstance(knob, Simplex):
        mixes = np.array([[level[term] for term in knob.terms] for level in values])
        center = mixes.mean(axis=0)
        apart = float(np.abs(mixes - center).sum(axis=1).mean() / 2)
        # What that is for the whole simplex, whose weights are Beta(1, n - 1).
        most = (1 - 1 / len(knob.terms)) ** len(knob.terms)
        return Blend(tuple(float(each) for each in center), min(1.0, apart / most))
    sizes = [len(value) if isinstance(value, list) else value for value in values]
    low, high = np.quantile(np.array(sizes), _TAILS, method="nearest")
    return knob.fit(Range(low.item(), high.item()))
