"""The process that runs a run: begins or takes it up, trains, plays the test suite, ends it."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import ray
from rich.console import Console

from callbacks.member_loggers import MemberLoggers
from callbacks.population_mutation import PopulationMutation
from callbacks.progress import Progress, progress_on
from callbacks.retention import Retention
from experiments import build, changes, showing
from experiments.checking import check
from experiments.loading import Loaded, dump
from experiments.loggers import member_loggers
from experiments.ray_session import ray_session
from experiments.reporting import write_report
from experiments.resources import share
from experiments.rules import beginnings, populations_of, test_suite
from experiments.run_dir import RunDir, note_latest, write_atomically
from experiments.targets import Target
from orchestrator import crash_points, env_faults, records, scoring
from orchestrator.evaluation import play_checkpoint
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.recovery import adopt, put_back, tidy
from orchestrator.retention import Shelf
from orchestrator.scheduler import PopulationScheduler
from orchestrator.seats import Seats
from orchestrator.suites import TEST
from orchestrator.tuning import population_tuner

_VERSIONS = ("ray", "torch", "gymnasium", "numpy", "optuna")


@dataclass
class Run:
    """A run that this process holds: what is on disk, and the state that follows from it."""

    place: RunDir
    loaded: Loaded
    ledger: Ledger
    shelf: Shelf
    scheduler: PopulationScheduler | None = None
    stopped_by: int | None = None
    broken: bool = False


def begin(loaded: Loaded, place: RunDir, command: Sequence[str]) -> Run:
    """Bring a new run and its members into being; the run directory must hold none."""
    run = _open(loaded, place)
    run.ledger.record(records.RunStarted(name=loaded.name, **_circumstances(loaded, command)))
    crash_points.reached("run.recorded")
    _begin_members(run)
    return run


def take_up(
    loaded: Loaded, place: RunDir, command: Sequence[str], differences: Sequence[str]
) -> Run:
    """Go on with a run: members stand where the journal says."""
    run = _open(loaded, place)
    run.ledger.record(
        records.RunResumed(changes=tuple(differences), **_circumstances(loaded, command))
    )
    crash_points.reached("resume.recorded")
    put_back(run.ledger, run.shelf, place.path)
    adopt(run.ledger, run.shelf, place.path)
    tidy(run.shelf, place.path)
    _begin_members(run)
    return run


def drive(target: Target, command: Sequence[str], *, as_json: bool) -> int:
    """Run a target to its end, print what came of it; returns the exit code.

    Raises:
        BadInput: for problems with RLlib's keys or the env; nothing was written then.
        Busy: if another process holds the run.
        Unwritable: if the journal could not be written (any more); the run can be resumed.
    """
    configs = check(target.loaded)
    place = target.place
    with place.held(), ray_session(Path.cwd()):
        arms = wire(target.loaded, configs)
        for line in target.differences:
            sys.stderr.write(f"changed: {line}\n")
        for note in build.exactness_notes(target.loaded.arms, configs):
            sys.stderr.write(f"note: {note}\n")
        if target.begun:
            run = take_up(target.loaded, place, command, target.differences)
        else:
            run = begin(target.loaded, place, command)
        for fault in run.ledger.faults_since_start:
            sys.stderr.write(f"m{fault.member}: {fault.error}; {fault.action}\n")
        note_latest(place)
        console = Console(stderr=as_json)
        console.print(f"run: {place.path}", highlight=False, soft_wrap=True)
        loggers = member_loggers(target.loaded.arms, place, run.ledger)
        _finish(run, arms, progress_on(console, run.ledger, _work(run)), loggers)
    facts = showing.facts_of(place)
    showing.print_facts(facts, as_json=as_json)
    if run.stopped_by is not None:
        return 128 + run.stopped_by
    _report(place, console)
    return 0 if facts.status == "finished" else 1


def _report(place: RunDir, console: Console) -> None:
    """Write the run's report; one that cannot be written changes nothing of how the run went."""
    try:
        path = write_report(place)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"no report was written: {what}; `envolve report` tries it again\n")
    else:
        console.print(f"report: {path}", highlight=False, soft_wrap=True)


def _finish(
    run: Run, arms: Mapping[str, build.Arm], progress: Progress, loggers: MemberLoggers
) -> None:
    """Train every member to its end, play the test suite, and write down how it went."""
    run.ledger.listen(progress.take)
    run.ledger.listen(loggers.take)
    progress.start()
    try:
        with _signals(run), closing(loggers):
            _train(run, arms, loggers)
            if run.stopped_by is None:
                _play_test(run, arms)
    except SystemExit:
        # Between two steps that have members to save: nothing is lost.
        pass
    except Exception as error:
        run.broken = True
        what = f"{type(error).__name__}: {error}"
        if run.ledger.unwritable is None:
            run.ledger.record(records.Fault.of_run("driver", what, "the run was ended"))
            traceback.print_exc(file=sys.stderr)
    finally:
        progress.stop()
        if run.ledger.unwritable is None:
            run.ledger.record(records.RunEnded(status=_status(run)))
    if run.ledger.unwritable is not None:
        raise run.ledger.unwritable


def wire(loaded: Loaded, configs: Mapping[str, build.Config]) -> dict[str, build.Arm]:
    """Blueprints and seats of every arm, for the machine that Ray runs on."""
    processes = {name: build.processes_of(config.algorithm) for name, config in configs.items()}
    residency = share(loaded.arms, processes, build.machine())
    return {
        name: build.arm_of(name, experiment, configs[name], residency)
        for name, experiment in loaded.arms.items()
    }


def _open(loaded: Loaded, place: RunDir) -> Run:
    """Write the resolved file, and open the journal with what it says already."""
    write_atomically(place.experiment, dump(loaded.resolved()))
    shelf = Shelf(keep_best=max(arm.checkpoint.keep_best for arm in loaded.arms.values()))
    ledger = Ledger(Journal(place.journal), populations_of(loaded.arms), [shelf.apply])
    return Run(place, loaded, ledger, shelf)


def _begin_members(run: Run) -> None:
    """Members of populations that have none yet (of all of them, in a new run)."""
    for population in run.ledger.populations.values():
        if not population.members:
            experiment = run.loaded.arms[population.arm]
            run.ledger.record(*population.first(*beginnings(population, experiment)))


def _train(run: Run, arms: Mapping[str, build.Arm], loggers: MemberLoggers) -> None:
    if not any(population.live() for population in run.ledger.populations.values()):
        return
    seats = Seats()
    max_faults = {name: arm.population.max_faults for name, arm in run.loaded.arms.items()}
    scheduler = PopulationScheduler(run.ledger, seats, max_faults)
    callbacks = [
        PopulationMutation(run.ledger, seats),
        Retention(run.ledger, run.shelf, run.place.path),
        loggers,
    ]
    tuner = population_tuner(
        scheduler,
        {name: arm.blueprint for name, arm in arms.items()},
        run.place.path,
        callbacks=callbacks,
        seats=next(iter(arms.values())).residency.seats,
        name=f"leg-{run.place.next_leg()}",
    )
    run.scheduler = scheduler
    try:
        with env_faults.flights(run.place.path):
            tuner.fit()
    finally:
        run.scheduler = None


@contextmanager
def _signals(run: Run) -> Iterator[None]:
    """SIGINT and SIGTERM save every member, then stop; a second one stops at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if run.stopped_by is not None:
            os._exit(128 + number)
        run.stopped_by = number
        if run.scheduler is None:
            raise SystemExit(128 + number)
        run.scheduler.request_stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _play_test(run: Run, arms: Mapping[str, build.Arm]) -> None:
    """The best checkpoint of each population on the test suite, once."""
    remote = ray.remote(play_checkpoint)
    pending = {}
    for population in run.ledger.populations.values():
        best = run.shelf.best_of(population)
        suite = test_suite(run.loaded.arms[population.arm])
        if best is not None and suite:
            arm = arms[population.arm]
            pending[best] = remote.options(num_cpus=min(1.0, arm.cpus)).remote(
                arm.blueprint, run.place.path, best.path, best.digest, suite
            )
    for best, reference in pending.items():
        evaluation = run.loaded.arms[best.arm].evaluation
        who: dict[str, Any] = {"arm": best.arm, "seed": best.seed, "member": best.member}
        try:
            returns = ray.get(reference)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            run.ledger.record(
                records.Fault(
                    **who,
                    iteration=best.iteration,
                    where="test suite",
                    error=fault,
                    action="not scored",
                )
            )
            continue
        score = scoring.aggregate(returns, evaluation.aggregate, evaluation.alpha)
        run.ledger.record(
            records.Score(
                **who,
                iteration=best.iteration,
                score=records.finite(score),
                suite=TEST,
                returns=tuple(records.finite(value) for value in returns),
            )
        )


def _status(run: Run) -> str:
    if run.stopped_by is not None:
        return "stopped"
    groups = run.ledger.populations.values()
    everyone = all(group.done(member) for group in groups for member in group.members)
    nobody_failed = not any(state.failed for state in run.ledger.states())
    # Members may be done where what follows them failed: the test suite was not played.
    return "finished" if everyone and nobody_failed and not run.broken else "failed"


def _work(run: Run) -> dict[tuple[str, int], int | None]:
    """Iterations that each member of a population has to do, where that is known."""
    groups = run.ledger.populations.items()
    return {key: population.rules.stop.iterations for key, population in groups}


def _circumstances(loaded: Loaded, command: Sequence[str]) -> dict[str, Any]:
    """What the records of a start and of a resume both say."""
    arms = changes.plain_arms(loaded.arms)
    versions = {name: importlib.metadata.version(name) for name in _VERSIONS}
    return {
        "experiment": changes.digest(arms),
        "arms": arms,
        "versions": {"python": sys.version.split()[0], **versions},
        "command": tuple(command),
    }
