"""Schedules that hold, and what is said of those that do not, each at its place in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import said

from experiments.checking import check
from experiments.curricula import needs_of, to_curriculum
from experiments.curriculum_spec import Replay, ScheduledChange
from experiments.loading import dump, parse_experiment
from experiments.replay_check import distribution_findings
from experiments.rules import beginnings, populations_of, rules_of
from experiments.spaces import to_space
from orchestrator.curricula import Scheduled
from orchestrator.distributions import Mixture, Product
from orchestrator.exploit import Itself
from orchestrator.explore import Prescribed
from orchestrator.knobs import Range

pytestmark = pytest.mark.usefixtures("alone")

CALM = "{length: {low: 0.5, high: 1.0}, gravity: {low: 9, high: 10}}"
HEAVY = "{length: {low: 0.5, high: 1.0}, gravity: {low: 9, high: 12}}"
HALF = "{weight: 1, distribution: {kind: product, marginals: " + CALM + "}}"
GOOD = f"""\
envolve: 1
name: x
env:
  id: CartPole
  knobs:
    length: {{low: 0.25, high: 2.0, scale: log}}
    gravity: {{low: 5, high: 20}}
algorithm: {{name: PPO}}
population: {{size: 1, interval: 2}}
stop: {{iterations: 8}}
curriculum:
  kind: replay
  schedule:
    - iteration: 0
      distribution: {{kind: product, marginals: {CALM}}}
      hyperparameters: {{lr: 0.001, gamma: 0.9}}
    - iteration: 3
      distribution: {{kind: mixture, parts: [{HALF}, {HALF.replace(CALM, HEAVY)}]}}
    - iteration: 4
      hyperparameters: {{lr: 0.002}}
"""


def test_a_schedule_that_holds() -> None:
    loaded = parse_experiment(GOOD, "f.yaml")
    check(loaded)
    assert needs_of(loaded.arms["main"]) == frozenset()
    again = parse_experiment(dump(loaded.resolved()), "f.yaml")
    assert again.arms == loaded.arms


def test_a_schedule_is_a_curriculum_and_hyperparameters_of_a_member_alone() -> None:
    experiment = parse_experiment(GOOD, "f.yaml").arms["main"]
    space = to_space(experiment)
    calm = Product(space, {"length": Range(0.5, 1.0), "gravity": Range(9, 10)})
    heavy = Product(space, {"length": Range(0.5, 1.0), "gravity": Range(9, 12)})
    assert to_curriculum(experiment) == Scheduled(
        ((0, calm), (3, Mixture(((1.0, calm), (1.0, heavy)))))
    )
    rules = rules_of(experiment)
    assert (rules.exploit, rules.search) == (Itself(), {})
    assert isinstance(rules.explore, Prescribed)
    assert rules.explore.at(3) == {"lr": 0.001, "gamma": 0.9}
    assert rules.explore.at(4) == {"lr": 0.002, "gamma": 0.9}
    (population,) = populations_of({"main": experiment})
    assert beginnings(population, experiment) == ([({"lr": 0.001, "gamma": 0.9}, calm)], "schedule")


def test_without_knobs_hyperparameters_alone_are_replayed() -> None:
    text = re.sub(r"  knobs:\n.*\n.*\n", "", GOOD)
    text = re.sub(r"\{kind: (product|mixture).*\}", "{kind: product, marginals: {}}", text)
    check(parse_experiment(text, "f.yaml"))


LR = "hyperparameters: {lr: 0.002}"
PARTS = "curriculum.schedule[1].distribution.parts"
# What stands in the file, what instead; the line; what is said.
BROKEN = [
    ("size: 1, ", "", 9, "population.size: must be 1 for curriculum.kind: replay, which trains"),
    ("size: 1", "size: 2", 9, "population.size: must be 1 for curriculum.kind: replay"),
    (
        "{name: PPO}",
        "{search: {lr: {low: 0.1, high: 1}}}",
        8,
        "algorithm.search: must be left out for curriculum.kind: replay, whose schedule says",
    ),
    (
        "{name: PPO}",
        "{policy_search: {a: {lr: {low: 0.1, high: 1}}}}",
        8,
        "algorithm.policy_search: must be left out for curriculum.kind: replay",
    ),
    (
        "  schedule:",
        "  steps:",
        13,
        'curriculum.steps: must be a key of curriculum, but got "steps". "steps" is called "sch',
    ),
    ("kind: replay", "kind: schedule", 12, "curriculum.kind: must be", '"replay" here'),
    (
        "- iteration: 0",
        "- iteration: 1",
        14,
        "curriculum.schedule[0].iteration: must be 0 where the schedule begins, but got 1",
    ),
    (
        f"      distribution: {{kind: product, marginals: {CALM}}}\n",
        "",
        14,
        "curriculum.schedule[0].distribution: must be given where the schedule begins, but got n",
    ),
    (
        "- iteration: 3",
        "- iteration: 0",
        17,
        "curriculum.schedule[1].iteration: must be above that of the change before it (0), but g",
    ),
    (
        "- iteration: 3",
        "- iteration: 9",
        19,
        "curriculum.schedule[2].iteration: must be above that of the change before it (9), but g",
    ),
    (
        "- iteration: 3",
        "- iteration: three",
        17,
        'curriculum.schedule[1].iteration: must be a whole number of at least 0, but got "three"',
    ),
    (
        "- iteration: 4",
        "- iteration: 5",
        19,
        (
            "curriculum.schedule[2].iteration: must be a multiple of population.interval (2) where "
            "hyperparameters change, but got 5. Nearest: 4"
        ),
    ),
    (
        "size: 1, interval: 2}",
        "size: 1, interval: 8}",
        19,
        "must be a multiple of population.interval (8)",
        "Nearest: 8",
    ),
    (
        f"      {LR}\n",
        "",
        19,
        "curriculum.schedule[2]: must hold a distribution, hyperparameters or both, but got neit",
    ),
    (f"{LR}\n", "lr: 0.002\n", 20, "curriculum.schedule[2].lr: must be "),
    (
        "high: 12",
        "high: 25",
        18,
        (
            f"{PARTS}[1].distribution.marginals.gravity: must be how the knob is drawn, within its "
            'legal range, but got {"low": 9, "high": 25}. `high` must be from 5.0 to 20.0, but got'
        ),
    ),
    (
        "gravity: {low: 9, high: 12}",
        "gravty: {low: 9, high: 12}",
        18,
        f"{PARTS}[1].distribution.marginals.gravty: must be one of the knobs",
        'Did you mean "gravity"?',
    ),
    (
        ", gravity: {low: 9, high: 12}",
        "",
        18,
        "curriculum.schedule[1].distribution",
        "must be a distribution over the knobs",
        "`gravity` is missing",
    ),
    (
        "kind: mixture",
        "kind: mixtur",
        18,
        "curriculum.schedule[1].distribution: must be a distribution over the knobs",
        "(did you mean 'mixture'?)",
    ),
    ("kind: product, marginals: {length", "kind: sketch, marginals: {length", 15, "not known"),
    (
        LR,
        "hyperparameters: {lrr: 0.002}",
        20,
        "curriculum.schedule[2].hyperparameters.lrr: must be a key of algorithm.training, but go",
        'Did you mean "lr"?',
    ),
    (
        LR,
        "hyperparameters: {lr: fast}",
        20,
        "curriculum.schedule[2].hyperparameters.lr: must be a number, a schedule like",
    ),
    (
        LR,
        "hyperparameters: {lr: [[0, 0.1], [9, .inf]]}",
        20,
        "curriculum.schedule[2].hyperparameters.lr: must be finite, since a journal",
    ),
    (
        LR,
        "hyperparameters: {use_kl_loss: false}",
        20,
        "curriculum.schedule[2].hyperparameters.use_kl_loss: must be a key that can change when",
    ),
    (
        LR,
        "hyperparameters: {curriculum.temperature: 0.3}",
        20,
        'curriculum.schedule[2].hyperparameters."curriculum.temperature": must be a key of algor',
    ),
    (
        LR,
        "hyperparameters: {policy.a.lr: 0.3}",
        20,
        "hyperparameters: must be a key of algorithm.training, where there is one policy alone, ",
        '"policy.a.lr"',
    ),
    (
        LR,
        "hyperparameters: {minibatch_size: 100000}",
        20,
        "curriculum.schedule[2].hyperparameters: must pass RLlib's own checks, but got `minibatc",
        '"gamma": 0.9',
        "from iteration 4 on",
    ),
]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: f"{row[0].strip()} - {row[1].strip()}")
def test_schedules_that_do_not_hold(row: tuple[str, str, int, str]) -> None:
    old, new, line, *fragments = row
    text = GOOD.replace(old, new, 1) if old.startswith("kind: product") else GOOD.replace(old, new)
    assert text != GOOD
    (problem,) = said(text)
    assert problem.startswith(f"f.yaml:{line}:")
    for fragment in fragments:
        assert fragment in problem
    assert "\n" not in problem


def test_hyperparameters_of_policies(tmp_path: Path) -> None:
    (tmp_path / "pair_of_poles.py").write_text(PAIR)
    text = GOOD.replace("id: CartPole", "id: 'pair_of_poles:Pair'").replace(
        "{name: PPO}", "{multi_agent: {policies: [a, b]}}"
    )
    text = text.replace(LR, "hyperparameters: {policy.a.lr: 0.002, policy.b.lr: 0.1}")
    check(parse_experiment(text, "f.yaml"))
    (problem,) = said(text.replace("policy.b.lr", "policy.c.lr"))
    assert problem.startswith("f.yaml:20:")
    assert '"policy.c.lr": must be one of the policies a, b' in problem
    (problem,) = said(text.replace("policy.b.lr", "policy.b.gamma"))
    assert '"policy.b.gamma": must be a key that RLlib reads for each policy' in problem


PAIR = """\
import gymnasium
from ray.rllib.env.multi_agent_env import MultiAgentEnv

class Pair(MultiAgentEnv):
    def __init__(self, config=None):
        super().__init__()
        self.possible_agents = self.agents = ["a", "b"]
        box, two = gymnasium.spaces.Box(0, 1, (2,)), gymnasium.spaces.Discrete(2)
        self.observation_spaces = dict.fromkeys(self.agents, box)
        self.action_spaces = dict.fromkeys(self.agents, two)
        self.length = self.gravity = 1.0

    def set_level(self, level):
        self.length, self.gravity = level["length"], level["gravity"]

    def reset(self, *, seed=None, options=None):
        return {a: self.observation_spaces[a].sample() for a in self.agents}, {}

    def step(self, actions):
        done = dict.fromkeys([*self.agents, "__all__"], True)
        observed = {a: self.observation_spaces[a].sample() for a in self.agents}
        return observed, dict.fromkeys(self.agents, 0.0), done, dict(done), {}
"""


def test_every_wrong_distribution_is_told_at_once() -> None:
    text = GOOD.replace("gravity: {low: 9, high: 1", "gravity: {low: 1, high: 1")
    assert [problem.split(": ")[1] for problem in said(text)] == [
        "curriculum.schedule[0].distribution.marginals.gravity",
        "curriculum.schedule[1].distribution.parts[0].distribution.marginals.gravity",
        "curriculum.schedule[1].distribution.parts[1].distribution.marginals.gravity",
    ]


_KEYS = [
    *("kind", "marginals", "parts", "weight", "distribution", "levels", "weights", "low", "high"),
    *("length", "gravity", "center", "covariance"),
]
_JUNK = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1.5, -1, "", "product", "mixture", "levels"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(_KEYS[:6]), _JUNK))
def test_whatever_stands_for_a_distribution_is_answered(data: dict[str, object]) -> None:
    schedule = (ScheduledChange(iteration=0, distribution=data),)
    experiment = parse_experiment(GOOD, "f.yaml").arms["main"]
    given = experiment.model_copy(update={"curriculum": Replay(schedule=schedule)})
    found = distribution_findings(given)
    for each in found:
        assert each.must.startswith("must ")
        assert f"{each.must}{each.found}{each.hint}".isprintable()
    if not found:
        assert to_curriculum(given).begin(to_space(given))
