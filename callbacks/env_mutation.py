"""The Tune callback that mutates the env distributions of stock RLlib trials."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ray.tune import Callback

from orchestrator import tune
from orchestrator.course import Course
from orchestrator.curricula import Curriculum, Move, Need, Seen
from orchestrator.distributions import EnvSpace
from orchestrator.rllib import stock
from orchestrator.sketch import Journalled, journalled, journalled_from_json

_log = logging.getLogger("envolve")
H = TypeVar("H", bound=Callable[..., Any])


_LACKS: Mapping[Need, str] = {
    "values": "scores that take a value function",
    "score": "the score on a select suite",
    "regret": "the returns of other members",
    "rollouts": "rollouts without gradient",
    "generator": "a policy that decides the levels",
}


class NotForTrials(ValueError):
    """A curriculum that needs more than the episodes of a stock trial."""


@dataclass(frozen=True)
class TrialMutation:
    """A trial's env distribution changed.

    Attributes:
        iteration: training iterations that the trial had behind it.
        revision: of the new distribution; a trial begins at 0.
        distribution: the new one; a sketch where it holds many levels.
    """

    trial_id: str
    iteration: int
    revision: int
    why: str
    distribution: Journalled


def _never_raises(hook: H) -> H:
    """Log an exception of a hook instead of raising it: Tune would end the whole experiment."""

    @functools.wraps(hook)
    def guarded(self: EnvMutation, *args: Any, **kwargs: Any) -> None:
        try:
            hook(self, *args, **kwargs)
        except Exception as error:
            where = f"EnvMutation.{hook.__name__}"
            self.faults.append(f"{where}: {type(error).__name__}: {error}")
            _log.exception("%s failed; env distributions stay as they are", where)

    return guarded  # type: ignore[return-value]


class EnvMutation(Callback):  # type: ignore[misc]
    """Changes what the envs of each trial draw levels from, while stock RLlib trains it.

    For trials whose config `orchestrator.leveled` has made. Each trial stands in the
    curriculum by itself. A change reaches every sub-env of every training env runner before
    the trial's next iteration; every result says which revision the iteration was trained on
    (``env_revision``, and ``env_distribution`` in one line of text). A trial whose envs do not
    hold what they have to hold fails with `NotTold`; it never trains on quietly.

    A trial that Tune restarts, or that `Tuner.restore` goes on with, gets the distribution
    that it had. Where it restarts from an older checkpoint, it keeps the newer distribution;
    and where Tune's own PBT copies a model, the trial's distribution is not copied with it.

    Attributes:
        mutations: every change so far, in order.
        faults: what went wrong in this callback itself; also logged, as it happens.
    """

    def __init__(self, space: EnvSpace, curriculum: Curriculum, *, seed: int = 0) -> None:
        """Check that the curriculum suits.

        Raises:
            NotForTrials: if it needs more than the episodes of a trial.
            ValueError: if it can do nothing with this space.
        """
        _check(curriculum)
        self._begun = Course.begun(curriculum, space, (seed,))
        self._courses: dict[str, Course] = {}
        self.mutations: list[TrialMutation] = []
        self.faults: list[str] = []

    @_never_raises
    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """The trial's actor is up, for the first time or again; it has not trained yet."""
        self._tell(trial)

    @_never_raises
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        course = self._course(trial)
        # Loggers come after this callback.
        played: stock.Played | None = result.pop(stock.PLAYED, None)
        if played is None or played.revision != course.revision:
            self._fail(trial, course, played)
            return
        result["env_revision"] = played.revision
        result["env_distribution"] = course.distribution.picture()
        seen = Seen.of(
            played.outcomes,
            played.revision,
            iteration=result["training_iteration"],
            env_steps=played.env_steps,
        )
        moved, move = course.after(seen)
        self._courses[trial.trial_id] = moved
        if move is not None:
            self._note(trial, moved, move, seen.iteration)
            self._tell(trial)

    def get_state(self) -> dict[str, Any]:
        """Where each trial stands, as JSON; Tune saves it with the experiment."""
        return {
            "courses": {
                name: {"number": course.key[1], **course.to_json()}
                for name, course in self._courses.items()
            },
            "mutations": [
                {**vars(each), "distribution": each.distribution.to_json()}
                for each in self.mutations
            ],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        space = self._begun.distribution.space
        self._courses = {
            name: self._numbered(data["number"]).loaded(data)
            for name, data in state["courses"].items()
        }
        self.mutations = [
            TrialMutation(
                **{**data, "distribution": journalled_from_json(space, data["distribution"])}
            )
            for data in state["mutations"]
        ]

    def _course(self, trial: Any) -> Course:
        if trial.trial_id not in self._courses:
            self._courses[trial.trial_id] = self._numbered(len(self._courses))
        return self._courses[trial.trial_id]

    def _numbered(self, number: int) -> Course:
        """The beginning, for the trial of this number: ids differ from run to run."""
        return replace(self._begun, key=(*self._begun.key, number))

    def _tell(self, trial: Any) -> None:
        course = self._course(trial)
        tune.call(trial, stock.tell, course.distribution, course.revision)

    def _note(self, trial: Any, course: Course, move: Move, iteration: int) -> None:
        mutation = TrialMutation(
            trial.trial_id, iteration, course.revision, move.why, journalled(course.distribution)
        )
        self.mutations.append(mutation)
        _log.info(
            "%s: revision %d after iteration %d (%s): %s",
            trial,
            mutation.revision,
            iteration,
            mutation.why,
            mutation.distribution.picture(),
        )

    def _fail(self, trial: Any, course: Course, played: stock.Played | None) -> None:
        found = "says nothing of one" if played is None else f"was of {played.revision}"
        why = f"an iteration must be of revision {course.revision}, but {found}"
        _log.error("%s: %s; the trial is failed", trial, why)
        tune.call(trial, stock.refuse, why)


def _check(curriculum: Curriculum) -> None:
    lacking = [what for need, what in _LACKS.items() if need in curriculum.needs]
    if lacking:
        raise NotForTrials(
            "the curriculum of a stock trial must do with the episodes that it trains on, but "
            f"{type(curriculum).__name__} needs {' and '.join(lacking)}; the members of "
            "`envolve run` have that"
        )
