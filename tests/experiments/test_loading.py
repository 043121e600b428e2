from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from experiments.curriculum_spec import (
    ACCEL,
    ADR,
    PLR,
    SFL,
    Curriculum,
    PopulationCurriculum,
    RobustPLR,
    Stages,
    Widen,
)
from experiments.knob_spec import CellsKnob, ChoiceKnob, ContinuousKnob, IntegerKnob, SimplexKnob
from experiments.loading import Loaded, dump, json_schema, load, parse_experiment
from experiments.problems import BadInput, Problem, key_text
from experiments.spec import Experiment, Exploit, Explore, Perturb, Truncation
from experiments.yaml12 import parse

FULL = """\
envolve: 1
name: cartpole-robust
env:
  id: CartPole
  config: {render: no, sizes: [1, 2.5]}
  knobs:
    length: {low: 0.25, high: 2, scale: log}
    masspole: {low: 0.05, high: 0.5, start: {low: 0.1, high: 0.1}}
    lanes: {low: 1, high: 5, integer: true, start: {low: 1, high: 2}}
    map: {choices: [small, large, 3, 3.0, true], start: [3, 1, 0, 0, 0]}
    track: {choices: [[0, 1], [1, 0]]}
    reward: {simplex: [speed, safety], start: {center: {speed: 1, safety: 3}, spread: 0.1}}
    walls: {cells: 121, high: 60, start: {low: 0, high: 10}}
    holes: {cells: 9}
  apply: auto
algorithm:
  name: PPO
  training: {lr: 1e-3, train_batch_size_per_learner: 2048, minibatch_size: 256}
  env_runners: {num_envs_per_env_runner: 16}
  rl_module: {model_config: {fcnet_hiddens: [64, 64]}}
  search:
    lr: {low: 1e-4, high: 3e-3, scale: log}
    num_epochs: {low: 1, high: 8, integer: true}
    gamma: {choices: [0.9, 0.99]}
curriculum: {kind: population, widen: {above: 400}}
population:
  size: 4
  interval: 4
  exploit: {kind: truncation, fraction: 0.25}
  explore: {kind: perturb}
  initial: {kind: optuna, sampler: tpe}
evaluation: {levels: 16, aggregate: cvar, alpha: 0.5}
stop: {iterations: 40, minutes: 5}
seeds: [0, 1]
"""
ARMS = """\
arms:
  plain:
  fixed: {curriculum: {kind: fixed}, population: {exploit: {kind: none}}}
  big:
    population: {size: {grid: [8, 16]}}
    env: {config: {render: yes}, knobs: {masspole: {start: {low: 0.05, high: 0.05}}}}
"""
KNOBS = """\
envolve: 1
name: kinds
env:
  id: CartPole
  knobs:
    length: {low: 0.25, high: 2, scale: log}
    lanes: {low: 1, high: 5, integer: true}
    map: {choices: [small, large]}
    reward: {simplex: [speed, safety]}
    walls: {cells: 121, high: 60}
  condition: [length, map]
  success_above: 195
stop: {iterations: 8}
"""
#: Every kind of every section that has kinds.
CURRICULA = {
    "fixed": "{kind: fixed}",
    "domain_randomization": "{kind: domain_randomization}",
    "stages": """{kind: stages, stages: [
      {name: easy, knobs: {length: {low: 1, high: 1}, lanes: {low: 1, high: 2}, map: [1, 0],
                           reward: {center: {speed: 1, safety: 3}}, walls: {low: 0, high: 3}},
       until: {measure: success, above: 0.8, min_episodes: 5}},
      {name: hard, until: {measure: env_steps, above: 1000}},
      {name: all, knobs: {map: {weights: [1, 3]}}}]}""",
    "adr": "{kind: adr, above: 400, below: 100, search: {queue: {choices: [5, 10]}}}",
    "alp_gmm": "{kind: alp_gmm, search: {random_share: {low: 0.1, high: 0.4}}}",
    "plr": "{kind: plr, search: {score: {choices: [l1, maxmc]}, fresh: {choices: [full]}}}",
    "plr_robust": "{kind: plr_robust, search: {parents: {low: 1, high: 9, integer: true}}}",
    "accel": "{kind: accel, capacity: 40}",
    "sfl": "{kind: sfl, candidates: 64}",
    "population": "{kind: population, operators: [shift]}",
    "population_regret": "{kind: population_regret, parts: 2}",
    "scenario": "{kind: scenario, reward: 'package.module:function'}",
    "minimax": "{kind: minimax, noise: 0}",
    "paired": "{kind: paired, recent: 5}",
    "flexible_paired": "{kind: flexible_paired, entropy: 0}",
    "replay": """{kind: replay, schedule: [
      {iteration: 0, hyperparameters: {lr: 0.1}, distribution: {kind: gaussian, center: [0.5]}},
      {iteration: 2, distribution: {kind: product, marginals: {}}},
      {iteration: 4, hyperparameters: {lr: [[0, 0.1], [9, 0.2]], gamma: null}}]}""",
}
#: What a kind cannot do without, besides its own section.
BESIDES = {"replay": "population: {size: 1}"}


def arm(kind: str) -> str:
    """The keys of an arm with a curriculum of this kind."""
    own = [f"curriculum: {CURRICULA[kind]}", BESIDES.get(kind)]
    return f"{{{', '.join(filter(None, own))}}}"


OTHERS = [
    "population: {exploit: {kind: tournament, min_gap: 3}, explore: {kind: optuna}}",
    "population: {exploit: {kind: none}, explore: {kind: optuna, sampler: gp, window: 9}}",
    "population: {reference: true, explore: {kind: resample}}",
    (
        "algorithm: {search: {lr: {choices: [0.1, 0.2]}}, policy_search: {generator: "
        "{lr: {low: 0.1, high: 1, scale: log}, kl_target: {choices: [null, 0.1]}}}}"
    ),
    # Arms that differ in all that a section holds, and in half of it.
    "arms:\n" + "".join(f"  {kind}: {arm(kind)}\n" for kind in CURRICULA),
    """arms:
  one: {curriculum: {kind: adr, above: 4, below: 1, search: {step: {choices: [1, 2]}}}}
  two: {curriculum: {kind: adr, above: 5, below: 1, search: {step: {low: 0.1, high: 0.2}}}}
""",
    """arms:
  one: {curriculum: {kind: stages, stages: [{name: a}]}}
  two: {curriculum: {kind: stages, stages: [{name: b}]}}
  three: {population: {exploit: {kind: truncation, min_gap: 1}}}
""",
    """arms:
  one: {algorithm: {policy_search: {a: {lr: {low: 1, high: 2}}}}}
  two: {algorithm: {policy_search: {a: {lr: {low: 1, high: 3}}, b: {lr: {choices: [1]}}}}}
  three: {algorithm: {search: {lr: {low: 1, high: 2}}}, env: {success_above: null, condition: []}}
  four: {algorithm: {search: {lr: {low: 1, high: 3}}}}
""",
]
EVERY_KIND = [
    KNOBS + f"curriculum: {text}\n" + BESIDES.get(kind, "") for kind, text in CURRICULA.items()
]
EVERY_KIND += [KNOBS + text for text in OTHERS]
MINIMAL = "envolve: 1\nname: x\nenv: {id: CartPole}\nstop: {iterations: 8}\n"


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    """Checks a file against the schema for editors."""
    found = json_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def said(text: str, *overrides: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_experiment(text, "f.yaml", overrides)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_without_arms_has_the_arm_main() -> None:
    loaded = parse_experiment(FULL, "f.yaml")
    assert [*loaded.arms] == ["main"]
    assert loaded.name == "cartpole-robust"
    assert loaded.seeds == (0, 1)
    assert loaded.base["env"]["id"] == "CartPole"


def test_forms_of_knobs() -> None:
    knobs = parse_experiment(FULL, "f.yaml").arms["main"].env.knobs
    assert isinstance(knobs["length"], ContinuousKnob)
    assert (knobs["length"].high, knobs["length"].scale) == (2.0, "log")
    assert isinstance(knobs["lanes"], IntegerKnob)
    assert knobs["lanes"].start is not None
    assert knobs["lanes"].start.high == 2
    assert isinstance(knobs["map"], ChoiceKnob)
    assert knobs["map"].choices == ("small", "large", 3, 3.0, True)
    assert knobs["map"].start is not None
    assert knobs["map"].start.probabilities == (0.75, 0.25, 0.0, 0.0, 0.0)
    assert isinstance(knobs["reward"], SimplexKnob)
    assert knobs["reward"].start is not None
    assert knobs["reward"].start.weights(knobs["reward"].simplex) == (0.25, 0.75)
    assert isinstance(knobs["walls"], CellsKnob)
    assert (knobs["walls"].cells, knobs["walls"].low, knobs["walls"].high) == (121, 0, 60)
    assert knobs["walls"].start is not None
    assert knobs["walls"].start.high == 10
    assert isinstance(knobs["holes"], CellsKnob)
    assert knobs["holes"].high is None


def test_defaults() -> None:
    arm = parse_experiment(MINIMAL, "f.yaml").arms["main"]
    assert arm.algorithm.name == "PPO"
    assert arm.curriculum.kind == "fixed"
    assert (arm.population.size, arm.population.interval, arm.population.mode) == (4, 4, "sync")
    assert arm.population.exploit.model_dump() == {
        "kind": "truncation", "fraction": 0.25, "min_gap": 0.0, "min_gap_share": 0.0,
    }  # fmt: skip
    assert arm.evaluation.levels == 16
    assert arm.seeds == (0,)
    full = parse_experiment(FULL, "f.yaml").arms["main"]
    assert full.curriculum == PopulationCurriculum(widen=Widen(above=400, by=0.1, min_episodes=20))


def test_experiments_do_not_change() -> None:
    arm = parse_experiment(MINIMAL, "f.yaml").arms["main"]
    with pytest.raises(ValidationError):
        arm.name = "y"


def test_arms_lie_over_the_base() -> None:
    arms = parse_experiment(FULL + ARMS, "f.yaml").arms
    assert [*arms] == ["plain", "fixed", "big,size=8", "big,size=16"]
    assert arms["plain"] == parse_experiment(FULL, "f.yaml").arms["main"]
    assert arms["fixed"].curriculum.model_dump() == {"kind": "fixed"}
    assert arms["fixed"].population.exploit.model_dump() == {"kind": "none"}
    assert arms["fixed"].population.initial == arms["plain"].population.initial
    assert arms["big,size=16"].population.size == 16
    assert arms["big,size=8"].env.config == {"render": "yes", "sizes": [1, 2.5]}


def test_an_arm_may_give_what_the_base_lacks() -> None:
    text = MINIMAL.replace("stop: {iterations: 8}\n", "") + (
        "arms: {short: {stop: {iterations: 4}}, long: {stop: {minutes: 3}}}"
    )
    arms = parse_experiment(text, "f.yaml").arms
    assert arms["short"].stop.iterations == 4
    assert arms["long"].stop.iterations is None


def kinds_of(union: Any) -> list[str]:
    """The kinds that a section may have, by the models of it."""
    return [get_args(each)[0].model_fields["kind"].default for each in get_args(get_args(union)[0])]


def test_the_catalogue_has_every_curriculum() -> None:
    assert [*CURRICULA] == kinds_of(Curriculum)


def test_every_explorer_and_exploiter_is_in_the_catalogue() -> None:
    arms = [arm for text in EVERY_KIND for arm in parse_experiment(text, "f").arms.values()]
    found = {arm.population.exploit.kind for arm in arms}
    assert found == {*kinds_of(Exploit)}
    assert {arm.population.explore.kind for arm in arms} == {*kinds_of(Explore)}


def test_presets_differ_in_their_defaults_alone() -> None:
    assert (PLR().train_on_new, RobustPLR().train_on_new, ACCEL().train_on_new) == (1, 0, 0)
    assert (ACCEL().score, ACCEL().replay, ACCEL().fresh, ACCEL().edits) == (
        "pvl", 0.8, "start", 4,
    )  # fmt: skip
    assert [*PLR.model_fields] == [*RobustPLR.model_fields] == [*ACCEL.model_fields]
    assert PLR().model_dump(exclude={"kind", "train_on_new"}) == RobustPLR().model_dump(
        exclude={"kind", "train_on_new"}
    )


def test_forms_of_stages() -> None:
    given = parse_experiment(KNOBS + f"curriculum: {CURRICULA['stages']}\n", "f").arms["main"]
    assert isinstance(given.curriculum, Stages)
    easy, hard, last = given.curriculum.stages
    assert easy.until is not None
    assert (easy.until.measure, easy.until.above, easy.until.min_episodes) == ("success", 0.8, 5)
    assert {name: how.model_dump() for name, how in easy.knobs.items()} == {
        "length": {"low": 1.0, "high": 1.0},
        "lanes": {"low": 1.0, "high": 2.0},
        "map": {"weights": (1.0, 0.0)},
        "reward": {"center": {"speed": 1.0, "safety": 3.0}, "spread": 0.0},
        "walls": {"low": 0.0, "high": 3.0},
    }
    assert (hard.knobs, last.until) == ({}, None)


@pytest.mark.parametrize(
    "text", [MINIMAL, FULL, FULL + ARMS, FULL + "arms: {one: {}}", *EVERY_KIND]
)
def test_the_resolved_file_loads_as_the_same_arms(text: str) -> None:
    loaded = parse_experiment(text, "f.yaml")
    resolved = loaded.resolved()
    again = parse_experiment(dump(resolved), "r.yaml")
    assert again.arms == loaded.arms
    assert [*again.arms] == [*loaded.arms]
    assert again.resolved() == resolved
    assert json.loads(json.dumps(resolved)) == resolved


def test_the_resolved_file_writes_defaults_out() -> None:
    resolved = parse_experiment(MINIMAL, "f.yaml").resolved()
    assert resolved["population"]["explore"] == {
        "kind": "perturb", "factor": 1.2, "resample": 0.25,
    }  # fmt: skip
    assert resolved["stop"] == {
        "iterations": 8, "env_steps": None, "minutes": None, "score": None,
    }  # fmt: skip
    assert set(Experiment.model_fields) <= set(resolved)
    resolved = parse_experiment(KNOBS + "curriculum: {kind: paired}\n", "f").resolved()
    assert resolved["curriculum"] == {
        "kind": "paired", "reward": "regret", "noise": 8, "recent": 20, "entropy": 0.05,
    }  # fmt: skip
    assert next(iter(resolved["curriculum"])) == "kind"
    assert resolved["env"]["condition"] == ["length", "map"]


def test_the_resolved_file_says_what_is_shared_once() -> None:
    resolved = parse_experiment(FULL + ARMS, "f.yaml").resolved()
    assert "kind" not in resolved.get("curriculum", {})
    assert resolved["arms"]["fixed"]["curriculum"] == {"kind": "fixed"}
    assert resolved["arms"]["big,size=16"]["population"]["size"] == 16
    assert "evaluation" not in resolved["arms"]["plain"]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("stop.iterations=80", ("stop", "iterations"), 80),
        ("algorithm.training.lr=1e-4", ("algorithm", "training", "lr"), 1e-4),
        (
            "algorithm.training.new.deep=[1, no]",
            ("algorithm", "training", "new", "deep"),
            [1, "no"],
        ),
        ('env.config."a.b"=010', ("env", "config", "a.b"), 10),
        ("env.config.sizes[1]=7", ("env", "config", "sizes"), [1, 7]),
        ("env.config.x=", ("env", "config", "x"), None),
        ("env.config.x=a=b", ("env", "config", "x"), "a=b"),
        ("seeds=[5, 6]", ("seeds",), [5, 6]),
        ("stop={minutes: 3}", ("stop", "iterations"), None),
    ],
)
def test_overrides(override: str, path: tuple[str, ...], value: Any) -> None:
    data: Any = parse_experiment(FULL, "f.yaml", [override]).resolved()
    for part in path:
        data = data[part]
    assert data == value


def test_another_kind_from_the_command_line_empties_its_section() -> None:
    loaded = parse_experiment(FULL, "f.yaml", ["curriculum.kind=fixed"])
    assert loaded.arms["main"].curriculum.model_dump() == {"kind": "fixed"}
    loaded = parse_experiment(
        FULL, "f.yaml", ["curriculum.kind=population", "curriculum.amount=0.2"]
    )
    assert loaded.arms["main"].curriculum == PopulationCurriculum(
        widen=Widen(above=400), amount=0.2
    )


@pytest.mark.parametrize("kind", CURRICULA)
def test_every_curriculum_can_be_chosen_from_the_command_line(kind: str) -> None:
    required = {
        "adr": ["curriculum.above=4", "curriculum.below=1"],
        "stages": ["curriculum.stages=[{name: a}]"],
        "replay": [
            "curriculum.schedule=[{iteration: 0, distribution: {kind: product}}]",
            "population.size=1",
            "algorithm.search={}",
        ],
    }
    options = [f"curriculum.kind={kind}", *required.get(kind, [])]
    for text in (FULL, KNOBS):
        assert parse_experiment(text, "f", options).arms["main"].curriculum.kind == kind
        # Whatever the order, no option is lost.
        assert parse_experiment(text, "f", options[::-1]).arms["main"].curriculum.kind == kind


def test_keys_of_a_curriculum_from_the_command_line() -> None:
    options = ["curriculum.kind=adr", "curriculum.above=4", "curriculum.below=1"]
    options += ["curriculum.search.step={low: 0.1, high: 0.2}", "curriculum.search.step.high=0.3"]
    given = parse_experiment(KNOBS, "f", options).arms["main"].curriculum
    assert isinstance(given, ADR)
    assert given.search["step"].model_dump()["high"] == 0.3
    given = parse_experiment(
        KNOBS + f"curriculum: {CURRICULA['stages']}\n", "f",
        ["curriculum.stages[0].until.above=0.5", "curriculum.stages[2].knobs.map=[1, 1]"],
    ).arms["main"].curriculum  # fmt: skip
    assert isinstance(given, Stages)
    assert given.stages[0].until is not None
    assert given.stages[0].until.above == 0.5
    assert given.stages[2].knobs["map"].model_dump() == {"weights": (1.0, 1.0)}


def test_another_kind_from_the_command_line_keeps_what_the_command_line_says_too() -> None:
    for options in (["kind=sfl", "keep=9"], ["keep=9", "kind=sfl"]):
        texts = [f"curriculum.{option}" for option in options]
        assert parse_experiment(FULL, "f", texts).arms["main"].curriculum == SFL(keep=9)


def test_a_section_that_is_left_out_is_of_its_default_kind() -> None:
    loaded = parse_experiment(MINIMAL, "f", ["population.exploit.fraction=0.5"])
    assert loaded.arms["main"].population.exploit == Truncation(fraction=0.5)
    loaded = parse_experiment(MINIMAL, "f", ["population.explore.factor=2"])
    assert loaded.arms["main"].population.explore == Perturb(factor=2.0)
    (problem,) = said(MINIMAL, "population.exploit.fracton=1")
    assert (
        'population.exploit.fracton: must be a key of population.exploit, but got "fra' in problem
    )
    assert problem.endswith('Did you mean "fraction"?')
    (problem,) = said(MINIMAL, "curriculum.amount=0.2")
    assert problem.endswith("It is a key of kind: population")


def test_what_an_option_leaves_out_is_said_at_its_section() -> None:
    assert said(KNOBS, "curriculum.kind=stages") == [
        (
            "--set curriculum.kind=stages: curriculum.stages: must be given, but got nothing. "
            "For example stages: [{name: easy, until: {...}}, {name: hard, knobs: {...}}]"
        )
    ]
    (problem,) = said(MINIMAL, "env.knobs.length.low=1")
    assert "env.knobs.length.high: must be given" in problem


def test_the_command_line_has_the_last_word_over_arms() -> None:
    loaded = parse_experiment(FULL + ARMS, "f.yaml", ["population.size=3"])
    assert {arm.population.size for arm in loaded.arms.values()} == {3}
    loaded = parse_experiment(FULL + ARMS, "f.yaml", ["arms.plain.population.size=3"])
    assert loaded.arms["plain"].population.size == 3
    assert loaded.arms["big,size=8"].population.size == 8


def test_a_grid_from_the_command_line() -> None:
    loaded = parse_experiment(MINIMAL, "f.yaml", ["population.size={grid: [2, 3]}"])
    assert [*loaded.arms] == ["size=2", "size=3"]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("stop", '--set stop: must be a key, an equals sign and a value, but got "stop"'),
        ("=3", "must be a key, an equals sign and a value"),
        ("stop.iterations=four", "--set stop.iterations=four: stop.iterations: must be a whole"),
        ("stop.iteration=4", 'stop.iteration: must be a key of stop, but got "iteration". Did you'),
        ("num_workers=4", "algorithm.env_runners.num_env_runners"),
        ("name.x=4", "--set name.x=4: name: must hold keys, to set one of them, but got one value"),
        ("seeds.x=4", "Give the whole list"),
        ("stop.iterations=[1", "--set stop.iterations=[1: stop.iterations: must be valid YAML"),
        ("env.config={a: 1, a: 2}", "env.config.a: must be given once"),
        ("arms.a.seeds=[1]", "must not be changed by an arm"),
    ],
)
def test_overrides_that_are_wrong(override: str, expected: str) -> None:
    (problem,) = said(FULL, override)
    assert expected in problem


def test_problems_of_later_phases_are_placed() -> None:
    loaded = parse_experiment(FULL + ARMS, "f.yaml", ["stop.iterations=80"])

    def problem(arm: str, *key: str) -> str:
        return str(loaded.problem(arm, key, "must hold", "that", "Try this"))

    assert problem("plain", "algorithm", "training", "lr") == (
        "f.yaml:18:14: algorithm.training.lr: must hold, but got that. Try this"
    )
    assert problem("fixed", "curriculum", "kind").startswith("f.yaml:37:24: arms.fixed.curriculum")
    assert problem("big,size=16", "population", "size").startswith(
        "f.yaml:39:35: arms.big.population.size.grid[1]: "
    )
    assert problem("fixed", "stop", "iterations").startswith(
        "--set stop.iterations=80: stop.iterations: "
    )
    assert problem("plain", "evaluation", "seed").startswith("f.yaml:32:1: evaluation.seed: ")


def test_what_a_problem_says() -> None:
    problem = Problem("f.yaml", 3, 5, ("seeds", 1), "must be a number", '"x"', "Write 1")
    assert str(problem) == 'f.yaml:3:5: seeds[1]: must be a number, but got "x". Write 1'
    assert str(Problem(None, None, None, (), "must hold")) == "must hold"
    assert key_text(("env", "knobs", "body.mass", "low")) == 'env.knobs."body.mass".low'


def test_problems_are_sorted_and_said_once() -> None:
    later = Problem("f.yaml", 10, 1, (), "must b")
    sooner = Problem("f.yaml", 9, 1, (), "must a")
    bad = BadInput([later, sooner, later])
    assert bad.problems == (sooner, later)
    assert str(bad) == "f.yaml:9:1: must a\nf.yaml:10:1: must b"


def test_files_are_read_from_disk(tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(file).name == "x"
    assert load(str(file), ["name=y"]).name == "y"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("goood.yaml", "goood.yaml: must be an existing file, but got no such file. Did you mean"),
        ("nowhere/good.yaml", "There is no folder"),
        ("folder", "must be a file, but got a directory. In it: inner.yaml"),
        ("latin.yaml", "latin.yaml:2:8: must be UTF-8 text, but got the byte 0xe9"),
        ("large.yaml", "must be at most 1048576 bytes long"),
        ("empty.yaml", "empty.yaml:1:1: must be a mapping that starts with envolve: 1"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "good.yaml").write_text(MINIMAL)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.yaml").write_text(MINIMAL)
    (tmp_path / "latin.yaml").write_bytes(b"envolve: 1\nname: x\xe9\n")
    (tmp_path / "large.yaml").write_text("#" * (2 << 20))
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    with pytest.raises(BadInput) as caught:
        load(tmp_path / name)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", [MINIMAL, FULL, FULL + ARMS, *EVERY_KIND])
def test_the_json_schema_takes_what_loads(
    text: str, schema: jsonschema.Draft202012Validator
) -> None:
    schema.validate(parse(text, "f").data)
    schema.validate(parse_experiment(text, "f").resolved())


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "seed: 3\n",
        MINIMAL + "population: {size: 0}\n",
        MINIMAL + "curriculum: {kind: fixed, amount: 1}\n",
        MINIMAL.replace("name: x", "name: a b"),
        MINIMAL + "curriculum: {kind: adr, above: 3}\n",
        MINIMAL + "curriculum: {kind: plr, score: max_mc}\n",
        MINIMAL + "curriculum: {kind: stages, stages: [{name: a, until: {above: 1}}]}\n",
    ],
)
def test_the_json_schema_refuses_what_does_not_load(
    text: str, schema: jsonschema.Draft202012Validator
) -> None:
    said(text)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(parse(text, "f").data)


def test_loading_imports_nothing_heavy() -> None:
    code = "import sys, experiments.loading; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"ray", "torch", "gymnasium", "numpy", "pandas", "rich"} & set(modules)


_JUNK = st.recursive(
    st.sampled_from([None, True, 0, 1, -1, 0.5, 1e9, "", "x", "population", "log", "mean"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "grid", "low", "high", "choices", "simplex", "cells", "start", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def _paths(data: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(data, list):
        return [at, *(path for key, child in enumerate(data) for path in _paths(child, (*at, key)))]
    if not isinstance(data, dict):
        return [at]
    return [at, *(path for key, child in data.items() for path in _paths(child, (*at, key)))]


_PATHS = {
    text: [path for path in _paths(parse(text, "f").data) if path]
    for text in [FULL + ARMS, *EVERY_KIND]
}
_CHANGED = st.sampled_from([*_PATHS]).flatmap(
    lambda text: st.tuples(
        st.just(text),
        st.lists(st.tuples(st.sampled_from(_PATHS[text]), _JUNK), min_size=1, max_size=4),
    )
)


@settings(deadline=None)
@given(_CHANGED)
def test_whatever_a_key_holds_there_is_an_answer(case: tuple[str, list[tuple[Any, Any]]]) -> None:
    text, changes = case
    data = parse(text, "f").data
    for path, junk in changes:
        parent: Any = data
        for part in path[:-1]:
            parent = parent[part] if _holds(parent, part) else {}
        if isinstance(parent, dict) or _holds(parent, path[-1]):
            parent[path[-1]] = junk
    answer = _answer(dump(data))
    if isinstance(answer, BadInput):
        assert answer.problems
        assert all(problem.must.startswith("must") for problem in answer.problems)
    else:
        assert parse_experiment(dump(answer.resolved()), "r.yaml").arms == answer.arms


def _holds(parent: Any, part: str | int) -> bool:
    if isinstance(parent, list):
        return isinstance(part, int) and part < len(parent)
    return isinstance(parent, dict) and part in parent


def _answer(text: str) -> Loaded | BadInput:
    try:
        return parse_experiment(text, "f.yaml")
    except BadInput as bad:
        return bad
