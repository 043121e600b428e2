"""What is exported acts as what was scored, for every kind of policy."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.utils.serialization import space_from_dict
from rllib_catalogue import METER, Pair, Turns, member_state, meter, pole, tiny_ppo
from scenario_catalogue import ONE, TWO, make_duo

from experiments.envs.pendulum import Pendulum
from experiments.exported.policy import Policy
from orchestrator import checkpoints, rllib
from orchestrator.distributions import EnvSpace
from orchestrator.evaluation import play_checkpoint, play_exported
from orchestrator.knobs import Continuous
from orchestrator.level_env import EnvSetup
from orchestrator.member import Blueprint, Member
from orchestrator.rllib.exporting import CannotExport, Exported, export_policies
from orchestrator.scenario import Scenario, own_name, policy_of
from orchestrator.stop import Stop
from orchestrator.suites import SELECT, draw_suite

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_runtime")]

SWING = EnvSpace({"g": Continuous(5.0, 15.0)})


def make_swing(level: Any) -> Any:
    return gymnasium.wrappers.TimeLimit(Pendulum(dict(level)), 20)


def _filtered(env: Any, spaces: Any, device: Any) -> Any:
    return MeanStdFilter()


def remembering() -> AlgorithmConfig:
    config = tiny_ppo()
    net = {"fcnet_hiddens": [8], "use_lstm": True, "lstm_cell_size": 4, "max_seq_len": 8}
    return config.rl_module(model_config=net)


def off_policy(config: AlgorithmConfig) -> AlgorithmConfig:
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=4)
    config.training(
        train_batch_size=32,
        num_steps_sampled_before_learning_starts=32,
        replay_buffer_config={"type": "EpisodeReplayBuffer", "capacity": 500},
    )
    config.reporting(min_sample_timesteps_per_iteration=64)
    return config.rl_module(model_config={"fcnet_hiddens": [8]})


def by_name(agent_id: Any, *args: Any, **kwargs: Any) -> str:
    return str(agent_id)


def by_episode(agent_id: Any, episode: Any, **kwargs: Any) -> str:
    return "a" if episode.env_t >= 0 else "b"


def blueprint(
    config: AlgorithmConfig,
    setup: EnvSetup,
    *,
    several: bool,
    agents: tuple[str, ...] | None = None,
) -> Blueprint:
    space = setup.distribution.space
    return Blueprint(
        algorithm=rllib.configure(config, setup, multi_agent=several, evaluation_envs=4),
        space=space,
        select=draw_suite(space, SELECT, 3, 0),
        aggregate="mean",
        alpha=0.5,
        agents=agents,
        interval=1,
        exact=True,
        stop=Stop(),
    )


def two_policies(mapping: Callable[..., str]) -> AlgorithmConfig:
    return tiny_ppo().multi_agent(policies={"a", "b"}, policy_mapping_fn=mapping)


class CutShort(Turns):
    """Ends by a truncation, while one of the two waits for its turn."""

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        seen, rewards, ended, _, infos = super().step(action_dict)
        return seen, rewards, {"__all__": False}, ended, infos


def played_by(players: Scenario, setup: EnvSetup, agents: tuple[str, ...]) -> Blueprint:
    """A generator and its students; the levels are observed, the last knob first."""
    config = tiny_ppo()
    config.multi_agent(policies={"generator", *players.names}, policy_mapping_fn=policy_of)
    names = tuple(reversed(setup.distribution.space.names))
    setup = replace(setup, scenario=players, condition=names)
    return blueprint(config, setup, several=True, agents=agents)


CASES: dict[str, Callable[[], Blueprint]] = {
    "lstm": lambda: blueprint(remembering(), pole(), several=False),
    "filter": lambda: blueprint(
        tiny_ppo().env_runners(env_to_module_connector=_filtered), pole(), several=False
    ),
    "dqn": lambda: blueprint(off_policy(DQNConfig()), pole(), several=False),
    "sac": lambda: blueprint(
        off_policy(SACConfig()), EnvSetup(make_swing, "method", SWING.full(), 0, 40), several=False
    ),
    "agents in turn": lambda: blueprint(
        tiny_ppo().multi_agent(policies={"one"}, policy_mapping_fn=lambda *_, **__: "one"),
        meter(Turns),
        several=True,
    ),
    "two policies": lambda: blueprint(two_policies(by_name), meter(Pair), several=True),
    "condition": lambda: blueprint(
        tiny_ppo(), replace(pole(), condition=("length", "gravity")), several=False
    ),
    "minimax": lambda: played_by(ONE, meter(CutShort), ("a", "b")),
    "paired": lambda: played_by(TWO, pole(), ("protagonist",)),
    "paired duos": lambda: played_by(
        TWO, EnvSetup(make_duo, "method", METER.full()), ("protagonist/b",)
    ),
}
TEAMS = {"minimax": "student", "paired": "protagonist", "paired duos": "protagonist"}


def trained(given: Blueprint, run_dir: Path) -> tuple[str, str, tuple[float, ...]]:
    """A checkpoint: path, digest, and the returns that it was scored with."""
    first = given.algorithm.env_config["setup"].distribution.to_json()
    member = Member(given, run_dir, member_state(distribution=first, hyperparameters={}))
    try:
        report = member.iterate()
    finally:
        member.close()
    assert report.checkpoint is not None
    assert report.digest is not None
    assert report.returns is not None
    return report.checkpoint, report.digest, report.returns


def written(
    given: Blueprint, checkpoint: Path, folder: Path, team: str | None
) -> tuple[Exported, str]:
    """An exported folder as far as a `Policy` needs it, and its digest."""
    found: list[Exported] = []
    knobs, shown = given.space.knobs, given.algorithm.env_config["setup"].condition
    counted = None if given.agents is None else [own_name(agent) for agent in given.agents]

    def fill(into: Path) -> None:
        found.append(export_policies(checkpoint, into, team))
        facts = {
            **asdict(found[0]),
            "env": {"condition": [{"knob": name, **knobs[name].to_json()} for name in shown]},
            "score": {"agents": counted},
        }
        (into / "export.json").write_text(json.dumps(facts))

    _, digest = checkpoints.write(folder, fill, {})
    return found[0], digest


def acted(policy: Policy, given: Blueprint) -> tuple[float, ...]:
    """The returns of the policy on the select suite, in the user's own env, levels by hand."""
    setup = given.algorithm.env_config["setup"]
    returns = []
    for play in given.select:
        env = setup.make({})
        env.get_wrapper_attr("set_level")(play.level)
        policy.begin(*env.reset(seed=play.seed), level=play.level)
        while not policy.done and policy.steps < setup.max_steps:
            policy.saw(*env.step(policy.act()))
        env.close()
        returns.append(policy.total)
    return tuple(returns)


@dataclass(frozen=True)
class Made:
    """A member that was trained, scored, saved and exported."""

    given: Blueprint
    run_dir: Path
    path: str
    digest: str
    scored: tuple[float, ...]
    exported: Exported
    folder_digest: str

    @property
    def policy(self) -> Policy:
        return Policy(self.run_dir / "out")


@pytest.fixture(scope="module")
def made(ray_runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Makes a case, once."""

    @functools.cache
    def make(case: str) -> Made:
        run_dir = tmp_path_factory.mktemp("exporting")
        given = CASES[case]()
        path, digest, scored = trained(given, run_dir)
        exported, folder_digest = written(given, run_dir / path, run_dir / "out", TEAMS.get(case))
        return Made(given, run_dir, path, digest, scored, exported, folder_digest)

    return make


@pytest.mark.parametrize("case", CASES)
def test_what_is_exported_acts_as_what_was_scored(case: str, made: Callable[[str], Made]) -> None:
    one = made(case)
    # One level at a time here, several at once there: sums in another order.
    assert acted(one.policy, one.given) == pytest.approx(one.scored, rel=1e-5)


@pytest.mark.parametrize("case", ["lstm", "two policies", "paired", "paired duos"])
def test_an_exported_folder_is_played_as_its_checkpoint(
    case: str, made: Callable[[str], Made]
) -> None:
    one = made(case)
    suite = one.given.select
    assert play_checkpoint(one.given, one.run_dir, one.path, one.digest, suite) == one.scored
    folder = one.run_dir / "out"
    assert play_exported(one.given, folder, one.folder_digest, {}, suite) == one.scored


def test_it_says_which_policy_acts_for_whom_and_where(made: Callable[[str], Made]) -> None:
    one, two = made("agents in turn").exported, made("two policies").exported
    assert (one.policies, one.agents) == (("one",), {"a": "one", "b": "one"})
    assert (two.policies, two.agents) == (("a", "b"), {"a": "a", "b": "b"})
    alone = made("lstm").exported
    assert (alone.policies, alone.agents) == (("default_policy",), None)
    for exported, kind in ((two, "dict"), (alone, "box")):
        assert exported.observation_space["space"]["space"] == kind
        assert space_from_dict(dict(exported.action_space)) is not None


def test_of_a_scenario_it_exports_the_team_that_is_scored(made: Callable[[str], Made]) -> None:
    minimax, paired, duos = (made(case).exported for case in TEAMS)
    assert [each.policies for each in (minimax, paired, duos)] == [
        ("student",), ("protagonist",), ("protagonist",)
    ]  # fmt: skip
    assert minimax.agents == {"a": "student", "b": "student"}
    assert minimax.roles == {"a": "a", "b": "b"}
    assert (paired.agents, paired.roles) == ({"protagonist": "protagonist"}, "protagonist")
    roles = {"a": "protagonist/a", "b": "protagonist/b"}
    assert (duos.agents, duos.roles) == (dict.fromkeys(roles.values(), "protagonist"), roles)
    assert space_from_dict(dict(paired.observation_space)).shape == (6,)
    assert space_from_dict(dict(duos.observation_space)).spaces.keys() == {"a", "b"}
    assert space_from_dict(dict(duos.action_space)).spaces.keys() == {"a", "b"}


def test_a_level_that_is_observed_has_to_be_told(made: Callable[[str], Made]) -> None:
    policy, seen = made("paired").policy, np.zeros(4, np.float32)
    for level, message in (
        (None, r"level\['length'\] must be given"),
        ({"length": 0.5, "gravity": 21.0}, r"level\['gravity'\] must be from 5.0 to 20.0"),
    ):
        with pytest.raises(ValueError, match=message):
            policy.begin(seen, {}, level)


def test_only_what_acting_needs_is_exported(made: Callable[[str], Made]) -> None:
    names = {name.partition(".")[0] for name in made("sac").policy._module.get_state()}
    assert names == {"pi_encoder", "pi"}


def test_a_filters_statistics_are_those_of_training_and_stay(made: Callable[[str], Made]) -> None:
    one = made("filter")
    policy = one.policy

    def seen() -> Any:
        (state,) = (s for s in policy._to_module.get_state().values() if s)
        return state[None]["running_stats"][0]

    before = json.dumps(seen(), default=str)
    assert seen()["num_pushes"] >= 96
    acted(policy, one.given)
    assert json.dumps(seen(), default=str) == before


def test_a_mapping_that_looks_at_the_episode_cannot_be_exported(tmp_path: Path) -> None:
    given = blueprint(two_policies(by_episode), meter(Pair), several=True)
    path, _, _ = trained(given, tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(CannotExport, match="by its name alone"):
        export_policies(tmp_path / path, tmp_path / "out")
