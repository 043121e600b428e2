"""A stock Algorithm whose envs draw levels: it is told from outside which, and says what it played.

`tell` and `refuse` are called in the Algorithm's own process, before its next iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ray.rllib.utils import force_list

from orchestrator.curricula import Outcome
from orchestrator.distributions import Distribution
from orchestrator.episodes import Episode, EpisodeLog, drain
from orchestrator.own_course import outcome_of
from orchestrator.rllib.running import env_steps
from orchestrator.stock_env import LEVELED, Leveling

PLAYED = "envolve"
"""Where an iteration's `Played` stands in its result."""

_HELD = "envolve_held"
T = TypeVar("T")


class NotTold(RuntimeError):
    """Envs do not draw from the distribution that they have to draw from."""


@dataclass(frozen=True)
class Played:
    """What an iteration was trained on; one opaque object, so that no logger takes it apart.

    Attributes:
        revision: of the distribution that every training env held.
        env_steps: sampled over the Algorithm's lifetime.
        outcomes: the episodes that ended.
    """

    revision: int
    env_steps: int
    outcomes: tuple[Outcome, ...]


def tell(algorithm: Any, distribution: Distribution, revision: int) -> None:
    """Have every training env draw from ``distribution``, from its next reset on.

    An error would stay unseen in an object reference, so the next iteration raises it.
    """
    try:
        _check_leveled(algorithm, distribution)
        setattr(algorithm, _HELD, (distribution, revision))
        _push(algorithm)
    except Exception as error:
        refuse(algorithm, f"{type(error).__name__}: {error}")


def refuse(algorithm: Any, why: str) -> None:
    """Have the Algorithm train no more: its next iteration raises `NotTold`."""

    def step() -> None:
        raise NotTold(why)

    # The first reason is the one to tell of: later ones may only follow from it.
    vars(algorithm).setdefault("step", step)


class StockLevels(EpisodeLog):
    """Looks after the levels of a stock Algorithm that `tell` was called for.

    An env runner that RLlib restarted gets its distribution again before it samples. After
    each iteration every runner is asked what its envs hold: a wrong answer fails the trial.
    """

    def on_episode_end(self, *, env_runner: Any, **kwargs: Any) -> None:
        # Nobody would drain the log of RLlib's own evaluation.
        if not env_runner.config.in_evaluation:
            super().on_episode_end(env_runner=env_runner, **kwargs)

    def on_env_runners_recreated(
        self, *, algorithm: Any, env_runner_indices: list[int], is_evaluation: bool, **kwargs: Any
    ) -> None:
        if not is_evaluation and hasattr(algorithm, _HELD):
            _push(algorithm, env_runner_indices)

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **kwargs: Any) -> None:
        answers = _in_runners(algorithm, _report)
        if not hasattr(algorithm, _HELD):
            return
        _, revision = getattr(algorithm, _HELD)
        _check_held(revision, (held for held, _ in answers))
        result[PLAYED] = Played(
            revision,
            env_steps(algorithm),
            tuple(outcome_of(each, None, None, trained=True) for _, log in answers for each in log),
        )


def _push(algorithm: Any, runners: Sequence[int] | None = None) -> None:
    distribution, revision = getattr(algorithm, _HELD)

    def hold(runner: Any) -> Any:
        return _asked(runner, "set_distribution", distribution, revision)

    _check_held(revision, _in_runners(algorithm, hold, runners))


def _report(runner: Any) -> tuple[Any, list[Episode]]:
    return _asked(runner, "held_revision"), drain(runner)


def _asked(runner: Any, method: str, *arguments: Any) -> Any:
    """What each sub-env answers; an error as text, since RLlib drops the runners that raise."""
    try:
        return list(runner.env.unwrapped.call(method, *arguments))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _in_runners(
    algorithm: Any, function: Callable[[Any], T], runners: Sequence[int] | None = None
) -> list[T]:
    """Answers of the training runners that RLlib counts on now.

    One that it does not, because it died, comes back by `on_env_runners_recreated`.
    """
    group = algorithm.env_runner_group
    answers: list[T] = group.foreach_env_runner(
        function,
        local_env_runner=group.num_remote_env_runners() == 0,
        remote_worker_ids=runners,
    )
    return answers


def _check_held(revision: int, answers: Iterable[Any]) -> None:
    for held in answers:
        if isinstance(held, str) or set(held) != {revision}:
            raise NotTold(f"every sub-env must hold revision {revision}, but: {held}")


def _check_leveled(algorithm: Any, distribution: Distribution) -> None:
    leveling = getattr(algorithm.config, "env_config", {}).get(LEVELED)
    if not isinstance(leveling, Leveling):
        raise NotTold(
            "the envs of this trial must draw levels, but they are stock; make its config with "
            "orchestrator.leveled(config, space)"
        )
    if not any(isinstance(each, StockLevels) for each in force_list(algorithm.callbacks)):
        raise NotTold(
            "the config must keep the callbacks that orchestrator.leveled(...) gave it, but "
            "config.callbacks(...) has replaced them; call leveled last"
        )
    if leveling.space.knobs != distribution.space.knobs:
        raise NotTold(
            f"distributions must be over the knobs of the envs {list(leveling.space.knobs)}, but "
            f"this one is over {list(distribution.space.knobs)}, or over other ranges; give "
            "EnvMutation and orchestrator.leveled the same space"
        )
