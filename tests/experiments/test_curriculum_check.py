"""What ``validate`` says of curricula that cannot begin, or cannot do what they are for."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from refusals import said

from experiments.checking import check
from experiments.curricula import needs_of
from experiments.curriculum_check import curriculum_findings
from experiments.loading import parse_experiment

pytestmark = pytest.mark.usefixtures("alone")

TEXT = """\
envolve: 1
name: x
env:
  id: CartPole
  success_above: 195
  knobs:
    length: {low: 0.25, high: 2.0, scale: log}
    gravity: {low: 5, high: 20}
curriculum: {kind: fixed}
algorithm: {name: PPO}
stop: {iterations: 8}
"""
FIXED = "{kind: fixed}"
KNOBS = "    length: {low: 0.25, high: 2.0, scale: log}\n    gravity: {low: 5, high: 20}\n"


def findings(curriculum: str) -> list[Any]:
    loaded = parse_experiment(TEXT.replace(FIXED, curriculum), "f.yaml")
    return curriculum_findings(loaded.arms["main"])


HOLD = [
    FIXED,
    "{kind: domain_randomization}",
    "{kind: stages, stages: [{name: a, until: {measure: success, above: 0.5}}, {name: b}]}",
    "{kind: adr, above: 3, below: 1, search: {step: {low: 0.1, high: 0.3}}}",
    "{kind: adr, above: 3, below: 1, search: {above: {low: 2, high: 3}, below: {choices: [0, 1]}}}",
    # No member has the pair that the file gives.
    "{kind: adr, above: 3, below: 1, search: {above: {choices: [9]}, below: {choices: [5]}}}",
    "{kind: alp_gmm, search: {fit_every: {low: 20, high: 40, integer: true}}}",
    "{kind: plr, search: {score: {choices: [maxmc, learnability]}, fill: {choices: [1]}}}",
    "{kind: plr_robust, search: {edits: {choices: [0, 4]}}}",
    "{kind: accel, search: {temperature: {low: 0.1, high: 1, scale: log}}}",
    "{kind: sfl, search: {keep: {low: 1, high: 128, integer: true}}}",
    "{kind: population}",
    "{kind: population_regret}",
    "{kind: paired}",
]


@pytest.mark.parametrize("curriculum", HOLD)
def test_curricula_that_hold(curriculum: str) -> None:
    assert findings(curriculum) == []


# Curriculum; key; what is said.
BROKEN = [
    ("{kind: sfl, keep: 300}", "keep", "must satisfy `1 <= keep <= candidates`, but got keep=300"),
    ("{kind: sfl, rollouts: 1}", "rollouts", "must satisfy `rollouts >= 2`, but got 1: after one"),
    ("{kind: adr, above: 3, below: 4}", "below", "must satisfy `below < above`, but got below=4"),
    ("{kind: alp_gmm, fit_every: 1}", "fit_every", "must satisfy `fit_every >= 2`, but got 1"),
    ("{kind: plr, search: {stalenes: {low: 0, high: 1}}}", "search.stalenes", '"staleness"?'),
    ("{kind: plr, search: {rho: {low: 0, high: 1}}}", "search.rho", 'called "staleness" here'),
    ("{kind: sfl, search: {zzz: {low: 0, high: 1}}}", "search.zzz", "It has candidates, rollouts"),
    (
        "{kind: plr, search: {capacity: {low: 10, high: 40}}}",
        "search.capacity",
        (
            "must have integer: true, for a parameter that takes whole numbers, but got a range of "
            "real numbers. Write {low: 10, high: 40, integer: true}"
        ),
    ),
    (
        "{kind: plr, search: {staleness: {low: 0, high: 4}}}",
        "search.staleness.high",
        "must be a number from 0 to 1, but got 4.0",
    ),
    (
        "{kind: plr, search: {score: {choices: [maxmc, max_mc]}}}",
        "search.score.choices[1]",
        'must be one of l1, pvl, maxmc and learnability, but got "max_mc"',
    ),
    (
        "{kind: adr, above: 3, below: 1, search: {above: {low: 0, high: 4}}}",
        "search.above",
        "must satisfy `below < above` at all ends, but got below=1.0, above=0.0 (with",
    ),
    (
        "{kind: sfl, search: {keep: {low: 1, high: 129, integer: true}}}",
        "search.keep",
        "must satisfy `1 <= keep <= candidates` at all ends, but got keep=129, candidates=128",
    ),
]


@pytest.mark.parametrize(("curriculum", "key", "holds"), BROKEN)
def test_curricula_that_do_not_hold(curriculum: str, key: str, holds: str) -> None:
    (problem,) = said(TEXT.replace(FIXED, curriculum))
    assert problem.startswith("f.yaml:9:")
    assert f" curriculum.{key}: must " in problem
    assert holds in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("kind", "knob"),
    [
        ("adr, above: 3, below: 1", "{choices: [1.0, 2.0]}"),
        ("alp_gmm", "{choices: [1.0, 2.0]}"),
        ("alp_gmm", "{low: 1, high: 1}"),
        ("population_regret", "{low: 1, high: 1}"),
    ],
)
def test_a_curriculum_that_can_do_nothing_with_the_knobs(kind: str, knob: str) -> None:
    text = TEXT.replace(FIXED, f"{{kind: {kind}}}").replace(KNOBS, f"    length: {knob}\n")
    (problem,) = said(text)
    assert problem.startswith("f.yaml:6:3: env.knobs: must be knobs for kind: ")
    assert "can vary" in problem


def test_a_curriculum_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "orchestrator.curricula.alp_gmm.find_spec",
        lambda name: None if name == "sklearn" else found(name),
    )
    (problem,) = said(TEXT.replace(FIXED, "{kind: alp_gmm}"))
    assert problem.startswith("f.yaml:9:14: curriculum.kind: must be a kind whose packages are in")
    assert "envolve[alp-gmm]" in problem


def test_an_explorer_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.optuna_explorer.find_spec", lambda name: None)
    text = TEXT + "population:\n  explore: {kind: optuna, sampler: cmaes}\n"
    (problem,) = said(text)
    assert problem.startswith("f.yaml:13:27: population.explore.sampler: must be a sampler whose")
    assert "cmaes" in problem


@pytest.mark.parametrize(
    ("curriculum", "wanted"),
    [
        ("{kind: sfl}", "curriculum.kind: sfl"),
        ("{kind: accel, score: learnability}", "score: learnability"),
        ("{kind: plr, search: {score: {choices: [pvl, learnability]}}}", "score: learnability"),
        ("{kind: adr, above: 0.9, below: 0.1, measure: success}", "curriculum.measure: success"),
        (
            "{kind: stages, stages: [{name: a, until: {measure: success, above: 1}}, {name: b}]}",
            "a stage with until: {measure: success}",
        ),
    ],
)
def test_a_curriculum_that_needs_success_of_an_env_that_does_not_say(
    curriculum: str, wanted: str
) -> None:
    text = TEXT.replace(FIXED, curriculum)
    check(parse_experiment(text, "f.yaml"))
    (problem,) = said(text.replace("  success_above: 195\n", ""))
    assert problem.startswith(
        f"f.yaml:3:1: env.success_above: must be given for {wanted}, since info has no is_success"
    )
    assert "success_above: 195" in problem


@pytest.mark.parametrize("name", ["DQN", "SAC", "APPO"])
@pytest.mark.parametrize("kind", ["plr", "accel"])
def test_level_scores_of_an_algorithm_without_a_value_function(name: str, kind: str) -> None:
    text = TEXT.replace(FIXED, f"{{kind: {kind}}}").replace("name: PPO", f"name: {name}")
    (problem,) = said(text)
    assert problem.startswith(
        f"f.yaml:10:13: algorithm.name: must be one that curriculum.kind: {kind} can score by, but"
        f' got "{name}". A value function'
    )
    check(parse_experiment(text.replace(kind, f"{kind}, score: learnability", 1), "f.yaml"))


@pytest.mark.parametrize(
    ("curriculum", "needs"),
    [
        ("{kind: fixed}", set()),
        ("{kind: plr}", {"episodes", "values"}),
        ("{kind: plr_robust}", {"episodes", "values", "rollouts"}),
        (
            "{kind: plr, search: {score: {choices: [pvl, learnability]}, edits: {choices: [1]}}}",
            {"episodes", "values", "success", "rollouts"},
        ),
        (
            "{kind: adr, above: 1, below: 0, search: {measure: {choices: [success]}}}",
            {"episodes", "success"},
        ),
        ("{kind: paired}", {"generator"}),
    ],
)
def test_needs_are_those_of_every_value_that_is_searched(curriculum: str, needs: set[str]) -> None:
    loaded = parse_experiment(TEXT.replace(FIXED, curriculum), "f.yaml")
    assert needs_of(loaded.arms["main"]) == needs
