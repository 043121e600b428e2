"""One question to an Optuna sampler, given all that is known. Imports Optuna: import it late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.distributions import FloatDistribution

from orchestrator.optuna_space import Sampler, quiet

__all__ = ["STARTUP", "Told", "ask", "trial"]

STARTUP = 10
"""Completed trials below which every sampler draws at random."""


@dataclass(frozen=True)
class Told:
    """One trial.

    Attributes:
        params: a value for each parameter of the space.
        context: features that came with it and could not be chosen, by name.
        value: to be maximised; None while it runs.
        attributes: JSON values that no sampler looks at, for who reads the study.
    """

    params: Mapping[str, float]
    context: Mapping[str, float]
    value: float | None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@quiet()
def ask(
    name: Sampler,
    seed: int,
    space: Mapping[str, Any],
    told: Sequence[Told],
    now: Mapping[str, float],
) -> dict[str, Any]:
    """A value for each parameter of ``space``, a mapping to Optuna's distributions.

    Args:
        told: what is known, oldest first.
        now: the present context, as far as the sampler is to heed it; only ``gp`` can.
    """
    declared = dict(space)
    for key, here in now.items():
        values = [here, *(each.context[key] for each in told)]
        if min(values) < max(values):
            declared[_FEATURE + key] = FloatDistribution(min(values), max(values))
    trials = [trial(each, declared) for each in (_with_lies(told) if name == "gp" else told)]
    study = optuna.create_study(
        direction="maximize", sampler=_sampler(name, seed, trials, declared, now)
    )
    study.add_trials(trials)
    params: dict[str, Any] = study.ask(fixed_distributions=dict(space)).params
    return params


# Marks a parameter that is a feature of the context.
_FEATURE = "@"


def _with_lies(told: Sequence[Told]) -> Sequence[Told]:
    """Those that run told as ended with the mean of the others: the constant liar.

    (Ginsbourger et al. 2010.) Told of trials that run, Optuna's process estimates by sampling,
    and where no sample beats the best of all contexts it draws at random.
    """
    ended = [each.value for each in told if each.value is not None]
    if len(ended) < STARTUP:
        return told
    lie = sum(ended) / len(ended)
    return [each if each.value is not None else replace(each, value=lie) for each in told]


def trial(told: Told, declared: Mapping[str, Any]) -> Any:
    """Optuna's trial of ``told``, with the parameters that ``declared`` has distributions of."""
    params = {**told.params, **{_FEATURE + key: value for key, value in told.context.items()}}
    states = optuna.trial.TrialState
    return optuna.trial.create_trial(
        state=states.RUNNING if told.value is None else states.COMPLETE,
        value=told.value,
        params={key: params[key] for key in declared},
        distributions=dict(declared),
        user_attrs=dict(told.attributes),
    )


def _sampler(
    name: Sampler,
    seed: int,
    trials: Sequence[Any],
    declared: Mapping[str, Any],
    now: Mapping[str, float],
) -> Any:
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, multivariate=True)
    if name == "gp":
        return _ConditionalGP(seed, declared, now)
    # CMA-ES learns from generations that it asked for itself, and most members go on as they
    # were. So each question is the first of a warm start (Nomura et al. 2021): it is drawn from
    # a Gaussian around the best tenth.
    complete = [trial for trial in trials if trial.state.is_finished()]
    source = complete if len(complete) >= STARTUP else None
    return optuna.samplers.CmaEsSampler(
        seed=seed, n_startup_trials=STARTUP, source_trials=source, warn_independent_sampling=False
    )


class _ConditionalGP(optuna.samplers.GPSampler):  # type: ignore[misc]
    """Expected improvement in the present context, learnt from trials in all contexts.

    Only trials of the past have the context as parameters. To the search each is a grid of one
    point, in a cell as wide as the context varied: the process is fitted over all contexts, and
    searched in one. (`optuna.samplers.PartialFixedSampler` leaves a fixed parameter out of the
    model.)
    """

    def __init__(self, seed: int, declared: Mapping[str, Any], now: Mapping[str, float]) -> None:
        super().__init__(seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False)
        self._here = {}
        for key, here in now.items():
            if (range_ := declared.get(_FEATURE + key)) is not None:
                cell = FloatDistribution(here, here, step=range_.high - range_.low)
                self._here[_FEATURE + key] = cell

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """The parameters, and after them the context."""
        known = super().infer_relative_search_space(study, trial)
        free = {key: each for key, each in known.items() if key not in self._here}
        return {**free, **self._here} if free else {}

    def _optimize_acqf(self, acqf: Any, best_params: Any) -> Any:
        """Optuna's search, which begins from the best trial too: here put into the present."""
        if self._here:
            best_params = best_params.copy()
            best_params[:, -len(self._here) :] = 0.5  # The middle of the cell.
        return super()._optimize_acqf(acqf, best_params)
