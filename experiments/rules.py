"""From an arm of an experiment file to the rules by which its population competes."""

from __future__ import annotations

from collections.abc import Mapping

from experiments import curriculum_spec
from experiments.curricula import to_curriculum
from experiments.findings import Finding
from experiments.spaces import to_search, to_space
from experiments.spec import Experiment
from orchestrator.exploit import Exploiter, Itself, NoExploit, Tournament, Truncation
from orchestrator.explore import Explorer, Perturb, Prescribed, Resample
from orchestrator.initial import Beginning, draw_random, draw_with_optuna
from orchestrator.levels import Play
from orchestrator.member_state import Rules
from orchestrator.optuna_explorer import OptunaExplorer
from orchestrator.population import Population
from orchestrator.stop import Stop
from orchestrator.suites import SELECT, TEST, draw_suite


def rules_of(experiment: Experiment) -> Rules:
    """The rules of an arm; needs no Ray."""
    population = experiment.population
    return Rules(
        size=population.size,
        interval=population.interval,
        mode=population.mode,
        space=to_space(experiment),
        search=to_search(experiment),
        curriculum=to_curriculum(experiment),
        exploit=_exploiter(experiment),
        explore=_explorer(experiment),
        stop=Stop(**experiment.stop.model_dump()),
        reference=population.size - 1 if population.reference else None,
        select=tuple(play.level for play in select_suite(experiment)),
    )


def populations_of(arms: Mapping[str, Experiment]) -> list[Population]:
    """One population for each arm and seed, without members yet."""
    return [
        Population(arm, seed, rules)
        for arm, experiment in arms.items()
        for rules in [rules_of(experiment)]
        for seed in experiment.seeds
    ]


def beginnings(population: Population, experiment: Experiment) -> tuple[list[Beginning], str]:
    """The members' first hyperparameters and distributions, and who drew them."""
    rules = population.rules
    if isinstance(rules.explore, Prescribed):
        start = rules.curriculum.begin(rules.space).distribution
        return [(rules.explore.at(0), start)] * rules.size, "schedule"
    drawn = (rules.size, rules.space, rules.search, rules.curriculum)
    initial = experiment.population.initial
    if initial.kind == "optuna":
        key = (population.seed, population.arm)
        return draw_with_optuna(*drawn, initial.sampler, *key), f"optuna {initial.sampler}"
    return draw_random(*drawn, population.seed, population.arm), "random"


def select_suite(experiment: Experiment) -> tuple[Play, ...]:
    """The suite that ranks members; the same for every arm and seed of a file."""
    evaluation = experiment.evaluation
    return draw_suite(to_space(experiment), SELECT, evaluation.levels, evaluation.seed)


def test_suite(experiment: Experiment) -> tuple[Play, ...]:
    """The suite for reports; no scheduler ever sees it."""
    evaluation = experiment.evaluation
    return draw_suite(to_space(experiment), TEST, evaluation.test_levels, evaluation.seed)


def explorer_findings(experiment: Experiment) -> list[Finding]:
    """Whether what an explorer needs is installed."""
    try:
        _explorer(experiment)
    except ImportError as error:
        key = ("population", "explore", "sampler")
        return [Finding(key, "must be a sampler whose packages are installed", str(error))]
    return []


def _exploiter(experiment: Experiment) -> Exploiter:
    if isinstance(experiment.curriculum, curriculum_spec.Replay):
        return Itself()
    given = experiment.population.exploit
    if given.kind == "none":
        return NoExploit()
    rule = Truncation if given.kind == "truncation" else Tournament
    return rule(**given.model_dump(exclude={"kind"}))


def _explorer(experiment: Experiment) -> Explorer:
    curriculum = experiment.curriculum
    if isinstance(curriculum, curriculum_spec.Replay):
        changes = curriculum.schedule
        return Prescribed(tuple((each.iteration, each.hyperparameters) for each in changes))
    given = experiment.population.explore
    if given.kind == "resample":
        return Resample()
    if given.kind == "optuna":
        return OptunaExplorer(given.sampler, given.window)
    return Perturb(factor=given.factor, resample=given.resample)
