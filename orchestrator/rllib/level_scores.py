"""Level scores: what the value function says of each episode, taken from RLlib's own GAE.

Prioritized Level Replay (Jiang et al. 2021) scores a level by the mean of |GAE| over an episode
on it (`l1`), or by that of GAE's positive part (`pvl`); MaxMC by the best return ever on the
level minus the mean of V(s) (`value`).

The batch holds none of these: its advantages are standardised over the batch, and the values
are dropped. So a connector piece stands in for RLlib's GAE piece in the learner's pipeline; it
has that piece do its work, hears what it is told by the value functions, and adds up raw GAE
(value targets minus values) and values for each episode. There is no second forward pass.

`sample()` cuts episodes into chunks, and GAE ends with each chunk: at the last step of one that
is not the end of its episode stands r + gamma * V(s') - V(s). It is what is trained on. The
sums of an episode's chunks are joined by its id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.ppo.ppo_learner import PPOLearner
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.connectors.learner import GeneralAdvantageEstimation
from ray.rllib.evaluation.postprocessing import Postprocessing
from ray.rllib.utils.numpy import convert_to_numpy
from ray.rllib.utils.postprocessing.zero_padding import unpad_data_if_necessary

from orchestrator.episodes import Episode

# Steps, and sums over them of |GAE|, max(GAE, 0) and V(s); shape (4,).
Sums = NDArray[np.float64]
_SCORES = ("l1", "pvl", "value")
_ASKED_FOR = "envolve_level_scores"


def scores_levels(config: AlgorithmConfig) -> str | None:
    """Why level scores cannot be had with this algorithm; None: they can."""
    learner = config.learner_class
    if not (isinstance(learner, type) and issubclass(learner, PPOLearner)):
        name = getattr(config.algo_class, "__name__", config.algo_class)
        return (
            f"a value function that is trained with GAE must be there, but {name} has none; "
            "`score: learnability` takes none, or use PPO"
        )
    if not config.add_default_connectors_to_learner_pipeline:
        return (
            "RLlib's GAE must be in the learner's pipeline, but "
            "`add_default_connectors_to_learner_pipeline` is false"
        )
    return None


def ask_for_scores(config: AlgorithmConfig) -> None:
    """Have the learners of this config score levels.

    Raises:
        ValueError: if they cannot.
    """
    obstacle = scores_levels(config)
    if obstacle is not None:
        raise ValueError(obstacle)
    config.learners(learner_config_dict={_ASKED_FOR: True})


def asked_for(config: AlgorithmConfig) -> bool:
    """Whether the learners of this config score levels."""
    return bool(config.learner_config_dict.get(_ASKED_FOR, False))


class LevelScores(ConnectorV2):  # type: ignore[misc]
    """RLlib's GAE piece, and sums of what it found by episode."""

    def __init__(self, gae: ConnectorV2) -> None:
        super().__init__()
        self._gae = gae
        self.sums: dict[str, Sums] = {}

    def __call__(self, *, rl_module: Any, batch: Any, episodes: Any, **kwargs: Any) -> Any:
        with _value_predictions(rl_module) as values:
            batch = self._gae(rl_module=rl_module, batch=batch, episodes=episodes, **kwargs)
        chunks = list(self._chunks(episodes))
        for module_id, predicted in values.items():
            if predicted is None:
                continue
            own = [chunk for chunk in chunks if chunk[0] in (None, module_id)]
            lengths = [length for _, _, length in own]
            value = _rows(predicted, lengths)
            gae = _rows(batch[module_id][Postprocessing.VALUE_TARGETS], lengths) - value
            for (_, name, _), sums in zip(own, sums_of(gae, value, lengths), strict=True):
                self.sums[name] = self.sums.get(name, 0.0) + sums
        return batch

    def _chunks(self, episodes: Sequence[Any]) -> Iterator[tuple[str | None, str, int]]:
        """Module, episode's id and length (extra step counted), in the order of the rows."""
        for episode in episodes:
            # RLlib's piece that adds the extra steps made it "<id>_<number>".
            name = episode.id_.rpartition("_")[0]
            parts = self.single_agent_episode_iterator([episode], agents_that_stepped_only=False)
            for part in parts:
                yield part.module_id, name, len(part)


def sums_of(
    gae: NDArray[np.float64], values: NDArray[np.float64], lengths: Sequence[int]
) -> NDArray[np.float64]:
    """What chunks of these lengths add to their episodes' sums; shape (chunks, 4).

    The last step of each chunk does not count: RLlib adds it for the value that GAE starts from.

    Args:
        gae, values: one after the other, the chunks' steps; shape (sum of lengths,).
    """
    ends = np.cumsum(lengths)
    numbers = np.stack([np.ones_like(gae), np.abs(gae), np.maximum(gae, 0.0), values])
    numbers[:, ends - 1] = 0.0
    return np.add.reduceat(numbers, (ends - lengths).tolist(), axis=1).T


def keep_scores(learner: Any) -> None:
    """Have a learner that was just built keep level scores (called in its own process)."""
    pieces = learner._learner_connector.connectors
    place = next(
        place for place, piece in enumerate(pieces) if isinstance(piece, GeneralAdvantageEstimation)
    )
    pieces[place] = LevelScores(pieces[place])


def take(learner: Any, names: Collection[str]) -> dict[str, Sums]:
    """Take the sums of the episodes with these ids off a learner, as far as it has any."""
    found = {}
    for piece in _pieces(learner):
        for name in names:
            if name in piece.sums:
                found[name] = piece.sums.pop(name)
    return found


def forget(learner: Any) -> None:
    """Drop all sums: of episodes that were cut off, there will never be the rest."""
    for piece in _pieces(learner):
        piece.sums.clear()


def scored(episodes: Iterable[Episode], answers: Sequence[Mapping[str, Sums]]) -> list[Episode]:
    """The episodes with their scores, from the sums of all learners, which may share an episode."""
    return [replace(episode, scores=_means(episode.id, answers)) for episode in episodes]


def _means(name: str, answers: Sequence[Mapping[str, Sums]]) -> dict[str, float]:
    found = [answer[name] for answer in answers if name in answer]
    if not found:
        return {}
    steps, *sums = np.sum(found, axis=0)
    return {score: float(each / steps) for score, each in zip(_SCORES, sums, strict=True)}


def _pieces(learner: Any) -> Iterator[LevelScores]:
    # None where the learners' pipelines run elsewhere.
    pipeline = learner._learner_connector
    for piece in [] if pipeline is None else pipeline.connectors:
        if isinstance(piece, LevelScores):
            yield piece


@contextmanager
def _value_predictions(rl_module: Any) -> Iterator[dict[str, Any]]:
    """By module, what the value functions answer while this lasts; None for one without."""
    heard: dict[str, Any] = {}
    ask = rl_module.foreach_module

    def listen(*args: Any, **kwargs: Any) -> Any:
        answers = ask(*args, **kwargs)
        heard.update(answers)
        return answers

    rl_module.foreach_module = listen
    try:
        yield heard
    finally:
        del rl_module.foreach_module


def _rows(data: Any, lengths: Sequence[int]) -> NDArray[np.float64]:
    """One number a step, in double precision; shape (sum of lengths,)."""
    rows = unpad_data_if_necessary(list(lengths), convert_to_numpy(data))
    return np.asarray(rows, np.float64)
