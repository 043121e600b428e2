"""Generator and students in real Algorithms of RLlib: what is trained on, scored and restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core.columns import Columns
from ray.rllib.evaluation.postprocessing import Postprocessing
from rllib_catalogue import POLE, Make, Pair, pole, tiny_ppo
from scenario_catalogue import ALL_KINDS, ONE, TWO, Walk, make_walk, scenario

from orchestrator import rllib
from orchestrator.env_faults import spoken
from orchestrator.env_setup import EnvSetup
from orchestrator.flaws import NotFinite
from orchestrator.generator_actions import GeneratorActions
from orchestrator.scenario import Scenario, policy_of
from orchestrator.seeding import generator
from orchestrator.suites import draw_suite

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_runtime")]

CORNERS = {bound for knob in POLE.knobs.values() for bound in (knob.low, knob.high)}
PAIRED = replace(pole(), scenario=Scenario(2, "regret"))


def configured(config: PPOConfig, setup: EnvSetup) -> Any:
    assert setup.scenario is not None
    policies = {"generator", *setup.scenario.names}
    config.multi_agent(policies=policies, policy_mapping_fn=policy_of)
    entropy = PPOConfig.overrides(entropy_coeff=0.05)
    config.rl_module(algorithm_config_overrides_per_module={"generator": entropy})
    return rllib.configure(config, setup, multi_agent=True, evaluation_envs=2)


@contextmanager
def built(config: PPOConfig, setup: EnvSetup, *key: str) -> Iterator[Algorithm]:
    algorithm = rllib.build(configured(config, setup), {}, "test", *key)
    rllib.reseed(algorithm, "test")
    try:
        yield algorithm
    finally:
        algorithm.stop()


def weights_of(algorithm: Algorithm) -> dict[str, np.ndarray[Any, Any]]:
    """Of each policy, all its weights in a row."""
    state = algorithm.env_runner.module.get_state()
    return {
        policy: np.concatenate([np.ravel(part) for part in parts.values()])
        for policy, parts in state.items()
    }


# Trained


def test_generator_protagonist_and_antagonist_learn_together() -> None:
    with built(tiny_ppo(), PAIRED) as algorithm:
        before = weights_of(algorithm)
        episodes = []
        for _ in range(3):
            metrics = rllib.learner_metrics(algorithm.train())
            episodes += rllib.drain_episodes(algorithm)
        after = weights_of(algorithm)
    assert before.keys() == {"generator", "protagonist", "antagonist"}
    for policy, weights in before.items():
        assert not np.array_equal(weights, after[policy])
        assert metrics[f"learner/{policy}/num_module_steps_trained"] > 0
    assert metrics["learner/generator/curr_entropy_coeff"] == 0.05
    assert metrics["learner/protagonist/curr_entropy_coeff"] == 0.0
    assert len(episodes) > 5
    levels = [tuple(episode.level.values()) for episode in episodes]
    # What lies outside the space is clipped: there two may meet, in a corner and nowhere else.
    free = [level for level in levels if not CORNERS.issuperset(level)]
    assert len(set(free)) == len(free) > len(levels) / 2
    for episode in episodes:
        POLE.check(episode.level)
        returns = episode.returns
        assert returns.keys() == {"generator", "protagonist", "antagonist"}
        # A step of CartPole pays one.
        assert episode.length == max(returns["protagonist"], returns["antagonist"])
        assert returns["generator"] == returns["antagonist"] - returns["protagonist"]
        assert episode.play is None


def test_one_centralised_policy_acts_for_every_agent() -> None:
    with built(tiny_ppo(steps=48), scenario(Make(Pair), ONE)) as algorithm:
        before = weights_of(algorithm)
        assert before.keys() == {"generator", "student"}
        algorithm.train()
        episodes = rllib.drain_episodes(algorithm)
        assert not np.array_equal(before["student"], weights_of(algorithm)["student"])
    for episode in episodes:
        gain, horizon = episode.level["gain"], episode.level["horizon"]
        assert episode.length == horizon
        paid = {"a": gain * horizon, "b": -gain * horizon / 2}
        assert episode.returns == pytest.approx(paid | {"generator": -paid["a"] / 2})
        assert episode.success is True


class Taped(PPOTorchLearner):
    """Keeps what the generator's loss is computed from."""

    tape: ClassVar[list[dict[str, Any]]] = []

    def compute_loss_for_module(
        self, *, module_id: str, config: Any, batch: Any, fwd_out: Any
    ) -> Any:
        if module_id == "generator":
            kind = self.module[module_id].unwrapped().get_train_action_dist_cls()
            drawn = kind.from_logits(fwd_out[Columns.ACTION_DIST_INPUTS])
            kept = {
                "ratio": (drawn.logp(batch[Columns.ACTIONS]) - batch[Columns.ACTION_LOGP]).exp(),
                "target": batch[Postprocessing.VALUE_TARGETS],
                "real": batch[Columns.LOSS_MASK],
            }
            action = {name: each.numpy() for name, each in batch[Columns.ACTIONS].items()}
            kept = {name: each.detach().numpy() for name, each in kept.items()}
            self.tape.append({**kept, "action": action})
        return super().compute_loss_for_module(
            module_id=module_id, config=config, batch=batch, fwd_out=fwd_out
        )


SHORT = EnvSetup(make_walk, "method", ALL_KINDS.full(), scenario=TWO)


@pytest.mark.parametrize("fragment", [2, 5, 24])
def test_the_generator_learns_from_each_of_its_actions_with_the_reward_that_came_of_it(
    fragment: int,
) -> None:
    """Also where `sample` cuts its episode, once or many times, between the two."""
    config = tiny_ppo(envs=3, steps=3 * fragment * (24 // fragment))
    config.env_runners(rollout_fragment_length=fragment)
    # One minibatch, which RLlib fills with what the generator brings by going round and round.
    config.training(num_epochs=1, minibatch_size=config.train_batch_size_per_learner)
    config.learners(learner_class=Taped)
    with built(config, SHORT) as algorithm:
        for iteration in range(4):
            Taped.tape.clear()
            algorithm.train()
            (batch,) = Taped.tape
            learnt = _learnt(batch)
            episodes = rllib.drain_episodes(algorithm)
            assert len(episodes) >= 3
            ended = [_row(episode.level, episode.returns["generator"]) for episode in episodes]
            assert learnt == [pytest.approx(row, rel=1e-4) for row in sorted(ended)]
            if iteration == 0:
                # Nothing was learnt yet: an action is as likely as when it was drawn.
                assert batch["ratio"][batch["real"]] == pytest.approx(1.0, abs=1e-4)


def _learnt(batch: Any) -> list[tuple[float, ...]]:
    """The generator's different steps in a batch: what it did and what it was paid, in order."""
    actions = GeneratorActions(ALL_KINDS)
    rows = set()
    for place in np.flatnonzero(batch["real"]):
        action = {name: part[place] for name, part in batch["action"].items()}
        level = actions.level(action, generator("taped"))
        rows.add(_row(level, float(batch["target"][place])))
    return sorted(rows)


def _row(level: Any, reward: float) -> tuple[float, ...]:
    # Not its cells: which of too many are set is drawn in the env.
    layout = ["open", [1, 2], None].index(level["layout"])
    return (level["gain"], reward, level["horizon"], layout, level["reward"]["speed"])


def test_an_iteration_in_which_no_episode_ends_trains_the_students_alone() -> None:
    config = tiny_ppo(envs=2, steps=4)
    with built(config, scenario(make_walk, ONE)) as algorithm:
        before = weights_of(algorithm)
        algorithm.train()
        episodes = rllib.drain_episodes(algorithm)
        after = weights_of(algorithm)
    assert episodes == []
    assert np.array_equal(before["generator"], after["generator"])
    assert not np.array_equal(before["student"], after["student"])


# Scored


def test_suites_are_played_by_the_protagonist_alone() -> None:
    suite = draw_suite(POLE, "select", 5, 0)
    with built(tiny_ppo(), PAIRED) as algorithm:
        algorithm.train()
        first, steps = rllib.play(algorithm, suite)
        again, same = rllib.play(algorithm, suite)
    assert first == again
    assert steps == same
    for episode, play in zip(first, suite, strict=True):
        assert dict(episode.level) == play.level
        assert episode.play == play.index
        assert episode.returns == {"protagonist": episode.length}


def test_probes_bring_their_levels_without_the_generator() -> None:
    levels = [{"gravity": 9.0, "length": 0.5}, {"gravity": 11.0, "length": 1.0}]
    with built(tiny_ppo(), PAIRED) as algorithm:
        episodes, _ = rllib.probe(algorithm, levels, "test")
    assert [dict(episode.level) for episode in episodes] == levels
    assert [episode.returns.keys() for episode in episodes] == [{"protagonist"}] * 2


# Saved, restored, pushed to


def test_a_restored_scenario_goes_on_to_the_bit(tmp_path: Path) -> None:
    lives = []
    with built(tiny_ppo(steps=48), PAIRED) as algorithm:
        algorithm.train()
        rllib.save(algorithm, tmp_path)
        # What the generator remembers of its students ends with a reseed.
        lives.append(_go_on(algorithm))
    with built(tiny_ppo(steps=48), PAIRED, "other") as algorithm:
        rllib.restore(algorithm, tmp_path)
        lives.append(_go_on(algorithm))
    assert lives[0] == lives[1]
    assert len(set(lives[0][0])) == 2


def _go_on(algorithm: Algorithm) -> tuple[list[str], list[Any]]:
    rllib.reseed(algorithm, "on")
    digests, episodes = [], []
    for _ in range(2):
        algorithm.train()
        digests.append(rllib.weights_digest(algorithm))
        episodes += rllib.drain_episodes(algorithm)
    return digests, episodes


def test_a_pushed_revision_is_held_and_told() -> None:
    with built(tiny_ppo(steps=48), PAIRED) as algorithm:
        assert rllib.push_distribution(algorithm, POLE.full(), 5) == (5,) * 4
        rllib.reseed(algorithm, "pushed")
        for _ in range(3):
            algorithm.train()
        episodes = rllib.drain_episodes(algorithm)
    assert {episode.revision for episode in episodes} == {5}


class Bad(Walk):
    """Pays something that is no number from its second step on."""

    def step(self, action: Any) -> Any:
        seen, _, *rest = super().step(action)
        return seen, float("nan") if self._steps > 1 else 0.0, *rest


def test_last_words_about_a_reward_that_is_no_number_tell_the_generators_level(
    tmp_path: Path,
) -> None:
    config = tiny_ppo(envs=1, steps=30).env_runners(rollout_fragment_length=3)
    with built(config, scenario(Make(Bad), ONE)) as algorithm:
        rllib.keep_words(algorithm, tmp_path)
        with pytest.raises(NotFinite, match="reward of student"):
            _train(algorithm, 20)
    words = spoken(tmp_path)
    assert words is not None
    assert words.level is not None
    assert words.level.keys() == {"gain", "horizon"}
    assert words.revision == 0


def _train(algorithm: Algorithm, iterations: int) -> None:
    for _ in range(iterations):
        algorithm.train()
