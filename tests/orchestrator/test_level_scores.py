"""Level scores: what RLlib trains on, summed up by episode."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from gae_by_hand import Track, assert_scored, tracks_of
from hypothesis import given
from hypothesis import strategies as st
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.appo import APPOConfig
from ray.rllib.algorithms.bc import BCConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.algorithms.sac import SACConfig
from rllib_catalogue import ByMethod, Pair, Turns, configured, filtered, meter, pole, tiny_ppo

from orchestrator import rllib
from orchestrator.episodes import Episode
from orchestrator.rllib.level_scores import LevelScores, scored, sums_of
from orchestrator.rllib.promises import exactness_gaps

# Sums by chunk, and scores by episode


def test_the_steps_that_rllib_adds_do_not_count() -> None:
    gae = np.array([1.0, -3.0, 100.0, 2.0, 100.0])
    values = np.array([5.0, 6.0, 100.0, 7.0, 100.0])
    sums = sums_of(gae, values, [3, 2])
    assert sums.tolist() == [[2.0, 4.0, 1.0, 11.0], [1.0, 2.0, 2.0, 7.0]]


def test_a_chunk_of_no_steps_adds_nothing() -> None:
    sums = sums_of(np.array([9.0, 1.0, 9.0]), np.array([9.0, 2.0, 9.0]), [1, 2])
    assert sums.tolist() == [[0.0] * 4, [1.0, 1.0, 1.0, 2.0]]


def an_episode(name: str) -> Episode:
    return Episode({}, 0, None, {"": 0.0}, 4, None, id=name)


def test_scores_are_means_over_the_steps_that_all_learners_saw() -> None:
    one = {"a": np.array([3.0, 6.0, 3.0, -9.0]), "b": np.array([1.0, 1.0, 1.0, 1.0])}
    other = {"a": np.array([1.0, 2.0, 1.0, 1.0])}
    first, second = scored([an_episode("a"), an_episode("b")], [one, other])
    assert first.scores == {"l1": 2.0, "pvl": 1.0, "value": -2.0}
    assert second.scores == {"l1": 1.0, "pvl": 1.0, "value": 1.0}


def test_an_episode_that_no_learner_saw_has_no_scores() -> None:
    assert scored([an_episode("a")], [{}, {"b": np.ones(4)}])[0].scores == {}


numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.data())
def test_where_an_episode_is_cut_does_not_show_in_the_mean(
    steps: list[tuple[float, float]], data: st.DataObject
) -> None:
    lengths, left = [], len(steps)
    while left:
        lengths.append(data.draw(st.integers(1, left)))
        left -= lengths[-1]
    rows: list[tuple[float, float]] = []
    at = 0
    for length in lengths:
        rows += [*steps[at : at + length], (1e9, 1e9)]
        at += length
    gae, values = (np.array(column) for column in zip(*rows, strict=True))
    total = sums_of(gae, values, [length + 1 for length in lengths]).sum(axis=0)
    found = scored([an_episode("a")], [{"a": total}])[0].scores
    true_gae, true_values = (np.array(column) for column in zip(*steps, strict=True))
    assert found["l1"] == pytest.approx(np.abs(true_gae).mean())
    assert found["pvl"] == pytest.approx(np.maximum(true_gae, 0.0).mean())
    assert found["value"] == pytest.approx(true_values.mean(), abs=1e-9)


# Which algorithms


class OwnLearner(PPOTorchLearner):  # type: ignore[misc]
    """Somebody's own learner, which is PPO's all the same."""


@pytest.mark.parametrize("learner", [None, OwnLearner])
def test_ppo_scores_levels_and_keeps_its_learner(learner: type[Any] | None) -> None:
    config = PPOConfig()
    if learner is not None:
        config.learners(learner_class=learner)
    assert rllib.scores_levels(config) is None
    scoring = configured(config, pole(), level_scores=True)
    assert scoring.learner_class is config.learner_class
    assert exactness_gaps(scoring) == exactness_gaps(config)


@pytest.mark.parametrize("config", [DQNConfig, SACConfig, APPOConfig, IMPALAConfig, BCConfig])
def test_others_say_why_they_cannot_and_what_would_do(config: type[AlgorithmConfig]) -> None:
    name = config.__name__.removesuffix("Config")
    reason = rllib.scores_levels(config())
    assert reason is not None
    assert f"but {name} has none; `score: learnability` takes none, or use PPO" in reason
    with pytest.raises(ValueError, match=f"GAE must be there, but {name} has none"):
        configured(config(), pole(), level_scores=True)


def test_a_pipeline_without_rllibs_pieces_cannot_score() -> None:
    config = PPOConfig().learners(add_default_connectors_to_learner_pipeline=False)
    assert "`add_default_connectors_to_learner_pipeline` is false" in str(
        rllib.scores_levels(config)
    )


# For real


@contextmanager
def built(config: AlgorithmConfig) -> Iterator[Algorithm]:
    algorithm = rllib.build(config, {}, "test")
    try:
        rllib.reseed(algorithm, "level scores")
        yield algorithm
    finally:
        algorithm.stop()


def train(algorithm: Algorithm) -> tuple[list[Episode], list[Track]]:
    """One iteration: the episodes that ended in it, and what its learner was given."""
    given: list[Track] = []
    group = algorithm.learner_group
    update = group.update

    def record(*, episodes: Sequence[Any], **kwargs: Any) -> Any:
        given.extend(tracks_of(algorithm, episodes))
        return update(episodes=episodes, **kwargs)

    group.update = record
    try:
        algorithm.train()
    finally:
        group.update = update
    return rllib.drain_episodes(algorithm), given


def sums_kept(algorithm: Algorithm) -> list[int]:
    """How many episodes each learner has sums of."""

    def count(learner: Any) -> int:
        pieces = learner._learner_connector.connectors
        return sum(len(piece.sums) for piece in pieces if isinstance(piece, LevelScores))

    return rllib.each_learner(algorithm, count)


SCORING: Mapping[str, Callable[[], AlgorithmConfig]] = {
    "pole": lambda: configured(tiny_ppo(), pole(), level_scores=True),
    "pole-filter": lambda: configured(filtered(tiny_ppo()), pole(), level_scores=True),
    "pole-lambda-1": lambda: configured(
        tiny_ppo().training(lambda_=1.0, gamma=0.9), pole(), level_scores=True
    ),
    "agents": lambda: configured(tiny_ppo(), meter(Pair), level_scores=True),
    "turns": lambda: configured(tiny_ppo(), meter(Turns), level_scores=True),
}


@pytest.mark.ray
@pytest.mark.parametrize("name", SCORING)
def test_scores_are_those_of_gae_by_the_textbook_over_what_was_trained_on(
    ray_runtime: None, name: str
) -> None:
    with built(SCORING[name]()) as algorithm:
        tracks: list[Track] = []
        cut = False
        for _ in range(3):
            episodes, given = train(algorithm)
            tracks += given
            assert_scored(algorithm, episodes, tracks)
            chunks = Counter(track.episode for track in tracks if track.agent in ("", "a"))
            cut = cut or any(chunks[episode.id] > 1 for episode in episodes)
        assert cut, "no episode was cut"


@pytest.mark.ray
def test_an_episode_that_was_not_cut_has_the_gae_of_the_whole_episode(ray_runtime: None) -> None:
    config = tiny_ppo().env_runners(batch_mode="complete_episodes")
    with built(configured(config, pole(), level_scores=True)) as algorithm:
        episodes, tracks = train(algorithm)
        whole = {track.episode: len(track.rewards) for track in tracks}
        assert [whole[episode.id] for episode in episodes] == [each.length for each in episodes]
        assert_scored(algorithm, episodes, tracks)


@pytest.mark.ray
def test_padded_rows_of_a_recurrent_net_are_told_from_steps(ray_runtime: None) -> None:
    config = tiny_ppo().rl_module(
        model_config={"fcnet_hiddens": [8], "use_lstm": True, "lstm_cell_size": 4, "max_seq_len": 5}
    )
    with built(configured(config, meter(ByMethod), level_scores=True)) as algorithm:
        learner = algorithm.learner_group._learner
        piece = learner._learner_connector.connectors[-1]
        gae = piece._gae
        steps: dict[str, list[Any]] = defaultdict(list)

        def look(*, batch: Any, episodes: Any, **kwargs: Any) -> Any:
            batch = gae(batch=batch, episodes=episodes, **kwargs)
            own = batch["default_policy"]
            assert own["loss_mask"].shape[1] == 5
            with torch.no_grad():
                values = learner.module["default_policy"].compute_values(own)
            # RLlib's own word on which places are steps that were played.
            kept = torch.stack([own["value_targets"] - values, values], dim=-1)[own["loss_mask"]]
            lengths = [len(episode) - 1 for episode in episodes]
            for episode, rows in zip(episodes, kept.split(lengths), strict=True):
                steps[episode.id_.partition("_")[0]].append(rows)
            return batch

        piece._gae = look
        for _ in range(2):
            algorithm.train()
        for episode in rllib.drain_episodes(algorithm):
            advantages, values = torch.cat(steps[episode.id]).numpy().T
            assert len(values) == episode.length
            assert episode.scores == pytest.approx(
                {
                    "l1": np.abs(advantages).mean(),
                    "pvl": np.maximum(advantages, 0.0).mean(),
                    "value": values.mean(),
                },
                rel=1e-4,
                abs=1e-5,
            )


@pytest.mark.ray
def test_training_is_the_same_with_and_without_scores(ray_runtime: None) -> None:
    lives = []
    for level_scores in (False, True):
        with built(configured(tiny_ppo(), pole(), level_scores=level_scores)) as algorithm:
            for _ in range(3):
                algorithm.train()
            episodes = rllib.drain_episodes(algorithm)
            assert all(bool(episode.scores) == level_scores for episode in episodes)
            lives.append(rllib.weights_digest(algorithm))
    assert lives[0] == lives[1]


@pytest.mark.ray
def test_sums_are_kept_of_episodes_under_way_alone(ray_runtime: None) -> None:
    with built(SCORING["pole"]()) as algorithm:
        for _ in range(4):
            algorithm.train()
            assert all(episode.scores for episode in rllib.drain_episodes(algorithm))
            # A slot each.
            assert 0 < sums_kept(algorithm)[0] <= 4
        # Those that are cut off never end.
        rllib.reseed(algorithm, "again")
        assert sums_kept(algorithm) == [0]
        algorithm.train()
        assert all(episode.scores for episode in rllib.drain_episodes(algorithm))


@pytest.mark.ray
def test_an_algorithm_that_became_another_still_scores(ray_runtime: None) -> None:
    config = SCORING["pole"]()
    with built(config) as algorithm:
        rllib.reconfigure(algorithm, config, {"gamma": 0.5})
        rllib.push_weights(algorithm)
        rllib.reseed(algorithm, "became")
        episodes, tracks = train(algorithm)
        assert algorithm.config.gamma == 0.5
        assert_scored(algorithm, episodes, tracks)


# Ray's own, when it starts a learner's process.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")
@pytest.mark.ray
def test_learners_and_runners_in_processes_of_their_own_score_too(ray_runtime: None) -> None:
    config = tiny_ppo(remote=1).learners(num_learners=1, num_cpus_per_learner=0)
    with built(configured(config, meter(ByMethod), level_scores=True)) as algorithm:
        for _ in range(2):
            algorithm.train()
            episodes = rllib.drain_episodes(algorithm)
            assert len(episodes) >= 9
            for episode in episodes:
                assert episode.scores["l1"] >= episode.scores["pvl"] > 0.0
            assert sums_kept(algorithm)[0] <= 4
        levels = [dict(episode.level) for episode in episodes[:3]]
        probed, _ = rllib.probe(algorithm, levels, "remote")
        assert [dict(episode.level) for episode in probed] == levels
        assert all(episode.scores["l1"] > 0.0 for episode in probed)
        rllib.reseed(algorithm, "again")
        assert sums_kept(algorithm) == [0]
