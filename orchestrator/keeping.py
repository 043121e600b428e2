"""Keeping what somebody's own training loop learns: ``with orchestrator.keep(algorithm, ...)``."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator import holding
from orchestrator.interrupts import Interrupts
from orchestrator.kept import JOURNAL, KeptRun, NotKept, arms_of
from orchestrator.member import NotSaved
from orchestrator.rllib.describing import describe

Result = Mapping[str, Any]
ScoreOf = Callable[[Result], float | None]


def training_return(result: Result) -> float | None:
    """RLlib's mean return of the latest training episodes; None before one has ended."""
    value = result.get("env_runners", {}).get("episode_return_mean")
    return None if value is None else float(value)


@contextmanager
def keep(
    algorithm: Algorithm,
    run_dir: str | Path,
    *,
    every: int = 10,
    best: int = 5,
    score: ScoreOf = training_return,
    resume: bool = False,
) -> Iterator[KeptRun]:
    """Keep what ``algorithm`` learns in the block, however the block ends.

    While it lasts, ``algorithm.train()`` also saves after every ``every``-th iteration. At its
    end, after an exception, SIGINT or SIGTERM, what is not saved yet is saved. The run
    directory is one that ``envolve show``, ``export``, ``evaluate`` and ``resume`` understand.

    A first signal lets the `train` that is under way end and saves; then KeyboardInterrupt or
    SystemExit(143) is raised. A second one does at once what it did before the block. An
    exception in `train` itself may leave the state half updated, so that what is saved then
    gets no score.

    Args:
        algorithm: an Algorithm of RLlib's new API stack.
        every: iterations between two checkpoints.
        best: how many of the best checkpoints are kept under ``best/``.
        score: what a checkpoint is worth, from the result of its iteration.
        resume: go on with the run that ``run_dir`` holds, if there is one: its newest whole
            checkpoint is loaded into ``algorithm``, and ``iteration`` of what the block is
            given goes on from there.

    Raises:
        ValueError: if an argument is not as said here.
        NotKept: if there is a run already and ``resume`` is not set; if something else is
            there, or a run of another kind.
        Busy: if another process holds the run.
        DamagedJournal, NothingToRestore: if the run cannot be taken up.
        NotSaved: at the end of the block, if what was learnt last could not be saved.
    """
    _check(algorithm, every, best)
    path = Path(run_dir).resolve()
    _refuse_foreign(path)
    path.mkdir(parents=True, exist_ok=True)
    with holding.held(path):
        run = _opened(path, algorithm, every, best, resume=resume)
        interrupts = Interrupts()
        loop = _Loop(algorithm, run, every, score, interrupts)
        with interrupts.installed():
            try:
                with loop.in_place():
                    yield run
            except BaseException as error:
                loop.end(error)
                raise
            loop.end(None)


class _Loop:
    """What stands in the place of ``algorithm.train`` and ``algorithm.stop``."""

    def __init__(
        self,
        algorithm: Algorithm,
        run: KeptRun,
        every: int,
        score: ScoreOf,
        interrupts: Interrupts,
    ) -> None:
        self._algorithm = algorithm
        self._run = run
        self._every = every
        self._score_of = score
        self._interrupts = interrupts
        self._train = algorithm.train
        self._stop = algorithm.stop
        self._score: float | None = None
        # The exception by which `train` ended, while nothing was trained since.
        self._broken: BaseException | None = None
        self._unsaved = False
        self._why: Exception | None = None
        self._warned: set[str] = set()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """For the time of the block ``algorithm.train()`` and ``stop()`` are ours."""
        own = vars(self._algorithm)
        ours = {"train": self.train, "stop": self.stop}
        before = {name: own[name] for name in ours if name in own}
        own.update(ours)
        try:
            yield
        finally:
            for name in ours:
                del own[name]
            own.update(before)

    def train(self) -> Any:
        """One iteration; after some of them a checkpoint."""
        with self._interrupts.held_back():
            begin = time.perf_counter()
            try:
                result = self._train()
            except BaseException as error:
                self._rescue(error)
                raise
            self._broken, self._unsaved, self._score = None, True, None
            with self._never_raising("journal"):
                self._run.trained(result, time.perf_counter() - begin)
            self._score = self._scored(result)
            if self._run.iteration % self._every == 0 or self._interrupts.number is not None:
                self._save("save")
        self._interrupts.raise_noted()
        return result

    def stop(self) -> None:
        """Stop the Algorithm, once it is saved: afterwards there would be nothing to save."""
        with self._interrupts.held_back():
            if self._unsaved:
                self._save("save")
            self._stop()
        self._interrupts.raise_noted()

    def end(self, error: BaseException | None) -> None:
        """Save what is not saved, note how it ended, close the journal.

        Raises:
            NotSaved: if that was not possible, and no other exception is under way.
        """
        with self._interrupts.held_back():
            if self._unsaved:
                self._save("save")
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            with self._never_raising("journal"):
                if error is not None and error is not self._broken and not stopped:
                    self._run.fault("script", error, self._what_stands())
                status = "finished" if error is None else "stopped" if stopped else "failed"
                self._run.end(status)
        if error is None and self._unsaved:
            raise NotSaved(
                f"{self._run.path}: iteration {self._run.iteration} must be saved, but: "
                f"{_said(self._why)}; {self._what_stands()}"
            ) from self._why
        if error is None:
            self._interrupts.raise_noted()

    def _scored(self, result: Result) -> float | None:
        score: float | None = None
        with self._never_raising("score"):
            score = self._score_of(result)
        return None if score is None or not math.isfinite(score) else float(score)

    def _save(self, where: str) -> None:
        """Save; should that fail the training goes on, and the end of the block tells of it."""
        self._why = None
        with self._never_raising(where):
            self._run.save(self._score)
            self._unsaved = False

    def _rescue(self, error: BaseException) -> None:
        """After an exception in `train`: whatever was learnt since the last checkpoint."""
        self._broken = error
        if self._unsaved:
            # Perhaps half updated: the last score is not that of these weights.
            self._score = None
            self._save("rescue")
        with self._never_raising("journal"):
            self._run.fault("train", error, self._what_stands())

    @contextmanager
    def _never_raising(self, where: str) -> Iterator[None]:
        """An exception in keeping is no reason to end a training: it is warned of once."""
        try:
            yield
        except Exception as error:
            if where != "score":
                self._why = error
            if where not in self._warned:
                self._warned.add(where)
                warnings.warn(f"{self._run.path}: {where}: {_said(error)}", stacklevel=5)
            # The disk that took no checkpoint may not take this either.
            with contextlib.suppress(Exception):
                self._run.fault(where, error, self._what_stands())

    def _what_stands(self) -> str:
        saved = self._run.saved
        if saved is None:
            return "there is no checkpoint yet"
        return f"the newest checkpoint is of iteration {saved}"


def _check(algorithm: Algorithm, every: int, best: int) -> None:
    for name, value in (("every", every), ("best", best)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number of at least 1, but got {value!r}")
    config = getattr(algorithm, "config", None)
    if not isinstance(algorithm, Algorithm) or config is None:
        kind = type(algorithm).__name__
        hint = "; build it first: config.build_algo()" if hasattr(algorithm, "build_algo") else ""
        raise ValueError(f"`algorithm` must be a built RLlib Algorithm, but got a {kind}{hint}")
    if not (config.enable_rl_module_and_learner and config.enable_env_runner_and_connector_v2):
        raise ValueError(
            "`algorithm` must be of RLlib's new API stack, but its config turns that off; leave "
            "api_stack(...) out of the config"
        )


def _refuse_foreign(path: Path) -> None:
    """Refuse a directory that holds something, but no run."""
    if not path.exists() or (path / JOURNAL).exists():
        return
    if not path.is_dir():
        raise NotKept(f"{path}: must be a directory, but is a file")
    found = [entry.name for entry in path.iterdir() if entry.name != holding.LOCK]
    if found:
        raise NotKept(
            f"{path}: must be a new or empty directory, or that of a run kept before, but holds "
            f"{min(found)}"
        )


def _opened(path: Path, algorithm: Algorithm, every: int, best: int, *, resume: bool) -> KeptRun:
    run = KeptRun(path, algorithm, every, best)
    try:
        if run.begun and not resume:
            raise NotKept(
                f"{path}: must hold no run yet, but does; keep(..., resume=True) goes on with it"
            )
        description = describe(algorithm.config, type(algorithm))
        if description.untold:
            warnings.warn(_untold(path, description.untold), stacklevel=4)
        arms = arms_of(path, description, every, best)
        if run.begun:
            run.take_up(arms, description)
        else:
            run.begin(arms, description)
    except BaseException:
        run.close()
        raise
    return run


def _untold(path: Path, untold: tuple[str, ...]) -> str:
    return (
        f"{path}: is kept, but `envolve resume` and `evaluate` cannot build its Algorithm from a "
        f"file ({'; '.join(untold)}). What is defined in a module of its own can be named in a "
        "file; this script itself can go on with it by keep(..., resume=True)"
    )


def _said(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"
