"""The population's first hyperparameters and distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from orchestrator import optuna_space, seeding
from orchestrator.curricula import Curriculum
from orchestrator.distributions import Distribution, EnvSpace, Product
from orchestrator.explore import Search, draw
from orchestrator.knobs import Continuous, Integer
from orchestrator.marginals import Range
from orchestrator.operators import resample

Beginning = tuple[dict[str, Any], Distribution]
Sampler = Literal["qmc", "random", "tpe"]


def draw_random(
    size: int, space: EnvSpace, search: Search, curriculum: Curriculum, *key: str | int
) -> list[Beginning]:
    """Beginnings drawn independently.

    Knobs with a start range begin there; the others, where the curriculum lets members begin
    differently, with a range drawn within the legal one.
    """
    beginnings = []
    for member in range(size):
        rng = seeding.generator(*key, "initial", member)
        start = curriculum.begin(space).distribution
        if curriculum.draws_start and isinstance(start, Product):
            start = _with_starts(space, resample(start, rng))
        beginnings.append((draw(search, rng), start))
    return beginnings


@optuna_space.quiet()
def draw_with_optuna(
    size: int,
    space: EnvSpace,
    search: Search,
    curriculum: Curriculum,
    sampler: Sampler,
    *key: str | int,
) -> list[Beginning]:
    """Beginnings asked of an Optuna sampler, seeded, in one study.

    The study has a parameter for each hyperparameter, and two (the ends of the first range,
    as positions in the legal one) for each numeric knob without a start range. Members have
    no values yet, so ``tpe`` draws as it does before its first observation: independently.

    Raises:
        ImportError: if optuna is not installed.
    """
    import optuna

    study = optuna.create_study(sampler=_sampler(sampler, seeding.seed(*key, "optuna")))
    evolves = curriculum.draws_start
    free = {
        name: knob
        for name, knob in space.knobs.items()
        if evolves and name not in space.start and isinstance(knob, Continuous | Integer)
    }
    asked = {name: optuna_space.distribution(knob) for name, knob in sorted(search.items())}
    for name in free:
        for end in ("low", "high"):
            asked[f"{name}.{end}"] = optuna.distributions.FloatDistribution(0.0, 1.0)
    if sampler == "qmc":
        # It draws over all parameters at once only if a completed trial shows what they are.
        shown = {name: each.low for name, each in asked.items()}
        study.add_trial(optuna.trial.create_trial(params=shown, distributions=asked, value=0.0))
    beginnings = []
    for member in range(size):
        trial = study.ask(fixed_distributions=asked)
        values = {
            name: optuna_space.legal(knob, trial.params[name])
            for name, knob in sorted(search.items())
        }
        start = curriculum.begin(space).distribution
        if evolves and isinstance(start, Product):
            rng = seeding.generator(*key, "initial", member)
            drawn = _with_starts(space, resample(start, rng))
            ranges = {name: _range(knob, trial.params, name) for name, knob in free.items()}
            start = Product(space, {**drawn.marginals, **ranges})
        beginnings.append((values, start))
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return beginnings


def _with_starts(space: EnvSpace, drawn: Distribution) -> Product:
    assert isinstance(drawn, Product)
    return Product(space, {**drawn.marginals, **space.start})


def _range(knob: Continuous | Integer, params: Mapping[str, float], name: str) -> Range:
    low, high = sorted((params[f"{name}.low"], params[f"{name}.high"]))
    return knob.fit(Range(knob.from_unit(low), knob.from_unit(high)))


def _sampler(name: Sampler, seed: int) -> Any:
    from optuna import samplers

    if name == "random":
        return samplers.RandomSampler(seed=seed)
    if name == "tpe":
        return samplers.TPESampler(seed=seed, multivariate=True)
    return samplers.QMCSampler(
        seed=seed, scramble=True, warn_asynchronous_seeding=False, warn_independent_sampling=False
    )
