"""``kind: alp_gmm``: levels where returns change most, found by mixtures of Gaussians.

Portelas et al., "Teacher algorithms for curriculum learning of Deep RL in continuously
parameterized environments" (2019); the defaults are those of its reference in TeachMyAgent.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from orchestrator.curricula.base import Curriculum, Move, Need, Outlook, Owner, Seen, Stand
from orchestrator.distributions import Distribution, EnvSpace, Gaussian, Mixture
from orchestrator.gaussian import numeric, position

Array = npt.NDArray[np.float64]
Weighted = list[tuple[float, Gaussian]]


@dataclass(frozen=True)
class ALPGMM(Curriculum):
    """Levels are drawn around those with the most absolute learning progress (ALP).

    The ALP of an episode is the absolute difference between its return and that of the nearest
    level played before, in the unit cube of the numeric knobs; of several as near, the latest.
    Returns are taken as they are. Mixtures of 2, 3, ... Gaussians are fitted to the latest
    (position, ALP) pairs, with ALP divided by the largest of them, so that the unit of the return
    does not matter. The one with the lowest Akaike criterion is drawn from, each Gaussian in
    proportion to its mean ALP. Other knobs are drawn from all that is legal.

    The state is the positions and returns of the levels played before, and the pairs since the
    last fit.

    Attributes:
        fit_every: episodes from one fit to the next; a fit is to as many, the latest.
        random_share: share of the levels that is drawn from all that is legal.
        most_gaussians: the largest mixture that is tried.
        history: levels played before that are remembered, the latest (the paper remembers all).
    """

    owner: ClassVar[Owner] = "member"

    fit_every: int = 250
    random_share: float = 0.2
    most_gaussians: int = 10
    history: int = 2000

    def __post_init__(self) -> None:
        for name, least in (("fit_every", 2), ("most_gaussians", 2), ("history", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name} >= {least}` must hold, but got {getattr(self, name)}")
        if not 0.0 <= self.random_share <= 1.0:
            raise ValueError(f"`0 <= random_share <= 1` must hold, but got {self.random_share}")

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({"episodes"})

    def begin(self, space: EnvSpace) -> Stand:
        """All that is legal, until the first fit.

        Raises:
            ValueError: if no numeric knob can vary.
            ImportError: if what fits the mixtures is not installed.
        """
        if find_spec("sklearn") is None:
            raise ImportError(
                "the curriculum alp_gmm needs the package scikit-learn: "
                "`pip install 'envolve[alp-gmm]'`"
            )
        if all(knob.low == knob.high for knob in numeric(space).values()):
            raise ValueError(
                "alp_gmm draws continuous and integer knobs, so the env space must have one that "
                f"can vary, but got the knobs {list(space.names)}"
            )
        return Stand(space.full(), {"positions": [], "returns": [], "pairs": []})

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        state, space = stand.state, stand.distribution.space
        played = [outcome for outcome in seen.outcomes if outcome.trained]
        positions = [*state["positions"], *(position(space, each.level) for each in played)]
        returns = [*state["returns"], *(each.total for each in played)]
        places, totals = np.array(positions), np.array(returns)
        pairs = list(state["pairs"])
        for latest in range(len(state["positions"]), len(positions)):
            known = slice(max(0, latest - self.history), latest + 1)
            pairs.append([*positions[latest], _progress(places[known], totals[known])])
        after = {
            "positions": positions[-self.history :],
            "returns": returns[-self.history :],
            "pairs": pairs[-self.fit_every :],
        }
        return Stand(stand.distribution, after)

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """A mixture that is fitted anew, after so many episodes."""
        pairs = stand.state["pairs"]
        if len(pairs) < self.fit_every:
            return None
        state = {**stand.state, "pairs": []}
        space = stand.distribution.space
        gaussians = self._fitted(space, np.array(pairs), rng)
        total = sum(weight for weight, _ in gaussians)
        if not total:
            return Move(Stand(space.full(), state), "no learning progress: all that is legal")
        rest = 1.0 - self.random_share
        parts: list[tuple[float, Distribution]] = [(self.random_share, space.full())]
        parts += [(rest * weight / total, gaussian) for weight, gaussian in gaussians]
        count = f"{len(gaussians)} Gaussian{'' if len(gaussians) == 1 else 's'}"
        return Move(
            Stand(Mixture(tuple(parts)), state),
            f"{count} fitted to {len(pairs)} episodes, mean learning progress "
            f"{np.mean([pair[-1] for pair in pairs]):.3g}",
        )

    def outlook(self, stand: Stand) -> Outlook:
        left = max(0, self.fit_every - len(stand.state["pairs"]))
        return Outlook(f"fits anew in {left} episode{'' if left == 1 else 's'}")

    def _fitted(self, space: EnvSpace, pairs: Array, rng: np.random.Generator) -> Weighted:
        """Gaussians with their mean ALP where that is above zero; none without any progress."""
        largest = pairs[:, -1].max()
        if largest == 0:
            return []
        pairs = pairs / np.append(np.ones(pairs.shape[1] - 1), largest)
        means, covariances = _best_mixture(pairs, self.most_gaussians, int(rng.integers(2**31)))
        return [
            (float(mean[-1]), _gaussian(space, mean[:-1], covariance[:-1, :-1]))
            for mean, covariance in zip(means, covariances, strict=True)
            if mean[-1] > 0
        ]


def _progress(places: Array, totals: Array) -> float:
    """ALP of the last of these episodes, against those before it; 0 for the very first one."""
    if len(places) == 1:
        return 0.0
    distances = np.square(places[:-1] - places[-1]).sum(axis=1)
    nearest = len(distances) - 1 - int(distances[::-1].argmin())
    return float(abs(totals[-1] - totals[nearest]))


def _best_mixture(pairs: Array, most: int, seed: int) -> tuple[Array, Array]:
    """Means and covariances of the mixture with the lowest Akaike criterion.

    No larger one is tried than there are different pairs.
    """
    # Slow to import, and few runs need it.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    different = len(np.unique(pairs, axis=0))
    sizes = range(2, min(most, different) + 1) if different > 1 else (1,)
    fitted = []
    # Sums over threads depend on how many there are.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for size in sizes:
            mixture = GaussianMixture(size, random_state=seed).fit(pairs)
            fitted.append((float(mixture.aic(pairs)), mixture))
    _, best = min(fitted, key=lambda pair: pair[0])
    return best.means_, best.covariances_


def _gaussian(space: EnvSpace, mean: Array, covariance: Array) -> Gaussian:
    center = np.clip(mean, 0.0, 1.0).tolist()
    return Gaussian(space, tuple(center), tuple(map(tuple, covariance.tolist())))
