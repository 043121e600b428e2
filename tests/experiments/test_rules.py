"""From an experiment file to the rules of its populations."""

from __future__ import annotations

from typing import Any

import pytest
from made_runs import TEXT, loaded

from experiments import rules
from experiments.rules import beginnings, populations_of, rules_of, select_suite
from experiments.spec import Experiment
from orchestrator.curricula import (
    ADR,
    ALPGMM,
    PRESETS,
    DomainRandomization,
    Evolving,
    Fixed,
    Generated,
    LevelBuffer,
    PopulationRegret,
    Stage,
    Stages,
    Until,
    Widen,
)
from orchestrator.distributions import Product
from orchestrator.exploit import NoExploit, Tournament, Truncation
from orchestrator.explore import Perturb, Resample
from orchestrator.knobs import Continuous, Integer, Range
from orchestrator.optuna_explorer import OptunaExplorer
from orchestrator.stop import Stop


def arm(*overrides: str, text: str = TEXT) -> Experiment:
    return loaded(text, *overrides).arms["main"]


@pytest.mark.parametrize(
    ("overrides", "part", "expected"),
    [
        ((), "curriculum", Evolving()),
        (("curriculum={kind: fixed}",), "curriculum", Fixed()),
        (("curriculum={kind: domain_randomization}",), "curriculum", DomainRandomization()),
        (
            (
                (
                    "curriculum={kind: stages, stages: [{name: a, knobs: {gravity: "
                    "{low: 6, high: 7}}, until: {measure: score, above: 3}}, {name: b}]}"
                ),
            ),
            "curriculum",
            Stages(
                (
                    Stage("a", {"gravity": Range(6.0, 7.0)}, Until("score", 3.0)),
                    Stage("b", {}),
                )
            ),
        ),
        (("curriculum={kind: adr, above: 3, below: 1}",), "curriculum", ADR(3.0, 1.0)),
        (("curriculum={kind: alp_gmm, history: 9}",), "curriculum", ALPGMM(history=9)),
        (("curriculum={kind: plr}",), "curriculum", PRESETS["plr"]),
        (("curriculum={kind: plr_robust}",), "curriculum", PRESETS["plr_robust"]),
        (("curriculum={kind: accel}",), "curriculum", PRESETS["accel"]),
        (
            ("curriculum={kind: plr, score: l1, search: {fill: {low: 0.1, high: 1}}}",),
            "curriculum",
            LevelBuffer(score="l1", train_on_new=True),
        ),
        (("curriculum={kind: sfl}",), "curriculum", PRESETS["sfl"]),
        (
            ("curriculum={kind: population_regret, parts: 2}",),
            "curriculum",
            PopulationRegret(parts=2),
        ),
        *(
            ((f"curriculum={{kind: {kind}}}",), "curriculum", Generated())
            for kind in ("scenario", "minimax", "paired", "flexible_paired")
        ),
        (
            (
                "curriculum={kind: population, operators: [shift], amount: 0.3}",
                "curriculum.widen={above: 10, by: 0.2, min_episodes: 3}",
            ),
            "curriculum",
            Evolving(operators=("shift",), amount=0.3, widen=Widen(10.0, 0.2, 3)),
        ),
        ((), "exploit", Truncation(fraction=0.25, min_gap=0.0)),
        (
            ("population.exploit={kind: truncation, fraction: 0.5, min_gap: 2}",),
            "exploit",
            Truncation(fraction=0.5, min_gap=2.0),
        ),
        (
            ("population.exploit={kind: truncation, min_gap_share: 0.1}",),
            "exploit",
            Truncation(min_gap_share=0.1),
        ),
        (("population.exploit.kind=tournament",), "exploit", Tournament()),
        (
            ("population.exploit={kind: tournament, min_gap: 2, min_gap_share: 0.1}",),
            "exploit",
            Tournament(min_gap=2.0, min_gap_share=0.1),
        ),
        (("population.exploit={kind: none}",), "exploit", NoExploit()),
        ((), "explore", Perturb(factor=1.2, resample=0.25)),
        (
            ("population.explore={kind: perturb, factor: 2, resample: 0}",),
            "explore",
            Perturb(factor=2.0, resample=0.0),
        ),
        (("population.explore={kind: resample}",), "explore", Resample()),
        (("population.explore.kind=optuna",), "explore", OptunaExplorer()),
        (
            ("population.explore={kind: optuna, sampler: gp, window: 9}",),
            "explore",
            OptunaExplorer("gp", 9),
        ),
        ((), "reference", None),
        (("population.reference=true", "population.size=5"), "reference", 4),
        ((), "stop", Stop(iterations=8)),
        (
            ("stop.env_steps=1000", "stop.minutes=2", "stop.score=9"),
            "stop",
            Stop(iterations=8, env_steps=1000, minutes=2.0, score=9.0),
        ),
        ((), "search", {"lr": Continuous(1e-4, 3e-3, "log")}),
        (
            (
                "algorithm.search={}",
                "algorithm.policy_search={generator: {lr: {low: 1, high: 2}}}",
                "curriculum={kind: sfl, search: {keep: {low: 1, high: 2, integer: true}}}",
            ),
            "search",
            {"policy.generator.lr": Continuous(1.0, 2.0), "curriculum.keep": Integer(1, 2)},
        ),
        (("population.mode=async",), "mode", "async"),
        (("population.size=5",), "size", 5),
        (("population.interval=4",), "interval", 4),
    ],
)
def test_every_section_becomes_its_rule(
    overrides: tuple[str, ...], part: str, expected: Any
) -> None:
    assert getattr(rules_of(arm(*overrides)), part) == expected


def test_one_population_for_each_arm_and_seed() -> None:
    text = TEXT.replace("seeds: [0]", "seeds: [3, 5]") + "arms: {a: {}, b: {}}\n"
    groups = populations_of(loaded(text).arms)
    assert [(g.arm, g.seed) for g in groups] == [("a", 3), ("a", 5), ("b", 3), ("b", 5)]
    assert all(not group.members for group in groups)


@pytest.mark.parametrize(
    ("initial", "by"),
    [
        ("{kind: random}", "random"),
        ("{kind: optuna, sampler: qmc}", "optuna qmc"),
        ("{kind: optuna, sampler: random}", "optuna random"),
        ("{kind: optuna, sampler: tpe}", "optuna tpe"),
    ],
)
def test_beginnings_are_drawn_by_whom_the_file_says_the_same_each_time(
    initial: str, by: str
) -> None:
    experiment = arm(f"population.initial={initial}")
    (population,) = populations_of({"main": experiment})
    drawn, who = beginnings(population, experiment)
    assert who == by
    assert len(drawn) == 2
    assert drawn[0] != drawn[1]
    for hyperparameters, distribution in drawn:
        assert 1e-4 <= hyperparameters["lr"] <= 3e-3
        assert isinstance(distribution, Product)
    assert beginnings(population, experiment)[0] == drawn


def test_seeds_draw_other_beginnings() -> None:
    experiment = arm("seeds=[0, 1]")
    one, other = populations_of({"main": experiment})
    assert beginnings(one, experiment) != beginnings(other, experiment)


def test_suites_hold_for_all_arms_and_are_strangers_to_each_other() -> None:
    text = TEXT + "arms: {a: {curriculum: {kind: fixed}}, b: {algorithm: {training: {lr: 0.1}}}}\n"
    arms = loaded(text).arms
    assert select_suite(arms["a"]) == select_suite(arms["b"])
    select, test = select_suite(arms["a"]), rules.test_suite(arms["a"])
    assert [play.index for play in select] == [0, 1, 2, 3]
    assert {play.seed for play in select}.isdisjoint(play.seed for play in test)
    assert all(play.level not in [other.level for other in test] for play in select)
    assert select_suite(arm("evaluation.seed=1")) != select
    assert select_suite(arm("seeds=[7]")) == select
    assert rules.test_suite(arm("evaluation.test_levels=0")) == ()
