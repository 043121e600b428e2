"""``envolve evaluate``: a checkpoint, or an exported policy, on a suite of levels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from callbacks.run_view import one_line
from experiments.chosen import COPY, borrowed
from experiments.env_source import EnvSource
from experiments.exporting import EXPORT
from experiments.journalled import refuse_untold, untold_of_playing
from experiments.loading import Loaded, dump, load, parse_experiment
from experiments.played import Played, print_played, to_json
from experiments.problems import BadInput, Problem
from experiments.resolving import resolve
from experiments.rules import select_suite, test_suite
from experiments.run_dir import RunDir
from experiments.spaces import to_space
from experiments.spec import Experiment
from experiments.suite_file import plays_of, read_suite
from orchestrator import checkpoints, records
from orchestrator.frozen import text, thaw
from orchestrator.levels import Play
from orchestrator.recovery import NothingToRestore
from orchestrator.suites import SELECT, TEST

if TYPE_CHECKING:
    from experiments.build import Config

FAULTS = "faults"


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a checkpoint of a run, or an exported folder.

    Attributes:
        title: what it is, in words.
        facts: the same as JSON values.
        loaded: its experiment, of its own arm alone.
        history: the journal of its run; nothing for an exported folder.
        play, what: the function that plays it in a worker, and by what names it is given what,
            besides ``blueprint`` and ``suite``.
    """

    title: str
    facts: Mapping[str, Any]
    loaded: Loaded
    history: Sequence[records.Record]
    play: Callable[..., tuple[float, ...]]
    what: Mapping[str, Any]

    @property
    def experiment(self) -> Experiment:
        """Its arm."""
        return next(iter(self.loaded.arms.values()))


def evaluate(name: str, suite: str, checkpoint: str | None, *, as_json: bool) -> int:
    """Play and print; returns the exit code, 1 if the env failed on a level.

    Nothing is written to the run, which may go on meanwhile.

    Args:
        suite: ``select``, ``test``, ``faults`` (levels of the journal's faults) or a file.

    Raises:
        BadInput: for an unknown checkpoint or suite, for problems of the suite's file, of
            RLlib's keys or the env.
        NotARun: if there is no run.
        NothingToRestore: if none of the checkpoints that are meant is whole.
    """
    with _subject(name, checkpoint) as subject:
        plays = suite_of(subject, suite)
        evaluation = subject.experiment.evaluation
        played = Played(
            title=subject.title,
            facts=subject.facts,
            suite=suite,
            aggregate=evaluation.aggregate,
            alpha=evaluation.alpha,
            plays=plays,
            outcomes=_outcomes(subject, plays),
        )
    if as_json:
        typer.echo(json.dumps(to_json(played), indent=1, ensure_ascii=False))
    else:
        print_played(played, Console())
    return 0 if played.whole else 1


def suite_of(subject: Subject, suite: str) -> tuple[Play, ...]:
    """The levels that ``suite`` means.

    Raises:
        BadInput: if there are none; with every problem of a file.
    """
    experiment = subject.experiment
    if suite == SELECT:
        return select_suite(experiment)
    if suite == TEST:
        plays = test_suite(experiment)
        if not plays:
            must = "must be a suite that has levels"
            hint = "Draw some by a file that says {levels: 64, seed: 1}"
            raise _refused(must, "test, where evaluation.test_levels is 0", hint)
        return plays
    if suite == FAULTS:
        return _fault_levels(subject)
    if not Path(suite).exists() and "." not in suite and "/" not in suite:
        raise _refused(f"must be {SELECT}, {TEST}, {FAULTS} or a file with levels", suite)
    return read_suite(Path(suite), to_space(experiment))


def _fault_levels(subject: Subject) -> tuple[Play, ...]:
    """Each level that the env failed on, once, in the order of the faults."""
    space = to_space(subject.experiment)
    found = {}
    for record in subject.history:
        if isinstance(record, records.Fault) and record.level is not None:
            level = thaw(record.level)
            try:
                found[text(level)] = space.cast(level)
            except ValueError:
                # Of an arm whose envs have other knobs.
                continue
    if not found:
        must = "must be a suite that has levels"
        raise _refused(must, f"{FAULTS}, where the journal names no level that caused one")
    return plays_of(list(found.values()), FAULTS)


def _refused(must: str, found: str, hint: str | None = None) -> BadInput:
    return BadInput([Problem.at("--suite", must, found, hint)])


@contextmanager
def _subject(name: str, checkpoint: str | None) -> Iterator[Subject]:
    folder = Path(name)
    if (folder / EXPORT).is_file() and not RunDir(folder).exists:
        if checkpoint is not None:
            found = f"{checkpoint}, although {name} is an exported policy"
            must = "must be left out where no run is named"
            raise BadInput([Problem.at("--checkpoint", must, found)])
        yield _exported(folder.resolve())
        return
    with borrowed(name, checkpoint) as chosen:
        refuse_untold(chosen.run.path, untold_of_playing(chosen.facts.records))
        for reason in chosen.passed_over:
            typer.echo(f"passed over: {reason}", err=True)
        record = chosen.record
        written = dump(resolve({record.arm: chosen.experiment}))
        yield Subject(
            title=f"{chosen.name} ({chosen.found_at})",
            facts={
                "run": str(chosen.run.path),
                "checkpoint": chosen.found_at,
                **{key: getattr(record, key) for key in ("arm", "seed", "member", "iteration")},
            },
            loaded=parse_experiment(written, f"{chosen.run.experiment} as journalled"),
            history=chosen.facts.records,
            play=_play_checkpoint,
            what={"run_dir": chosen.folder, "path": COPY, "digest": record.digest},
        )


def _exported(folder: Path) -> Subject:
    """An exported folder.

    Raises:
        NothingToRestore: if a file of it is missing or differs from its manifest.
    """
    try:
        checkpoints.verify(folder)
        digest = checkpoints.digest_of(folder)
    except (checkpoints.Damaged, OSError) as damage:
        raise NothingToRestore(
            f"{folder}: an exported policy must be whole, but {damage}"
        ) from None
    facts = json.loads((folder / EXPORT).read_text())
    who = {key: facts[key] for key in ("arm", "seed", "member", "iteration")}
    return Subject(
        title=f"{folder}, exported from m{who['member']} at iteration {who['iteration']}",
        facts={"exported": str(folder), **who},
        loaded=load(folder / "experiment.yaml"),
        history=(),
        play=_play_exported,
        what={
            "folder": folder,
            "digest": digest,
            "hyperparameters": facts["hyperparameters"],
        },
    )


def _outcomes(subject: Subject, plays: Sequence[Play]) -> list[float | str]:
    """Each level's return, or what the env raised on it.

    Played in a process of its own, which an env may take down with it. Should that happen, or
    should the env raise, each level is played by itself, to tell which of them it was.
    """
    from experiments import build
    from experiments.ray_session import ray_session
    from experiments.resources import Residency

    (arm,) = subject.loaded.arms
    given = _checked(subject.loaded, arm)
    one = Residency(seats=1, cpus={arm: 1.0}, processes={arm: 1})
    with ray_session(Path.cwd()):
        import ray

        blueprint = build.arm_of(arm, subject.experiment, given, one).blueprint
        # Tried once: what takes the process down would do so again.
        worker = ray.remote(_played).options(num_cpus=0, max_retries=0)

        def play(suite: Sequence[Play]) -> list[float | str]:
            named = {**subject.what, "blueprint": blueprint, "suite": suite}
            try:
                outcomes: list[float | str] = ray.get(worker.remote(subject.play, named))
            except ray.exceptions.WorkerCrashedError:
                return ["the process died while it was played"]
            except ray.exceptions.RayError as error:
                return [one_line(f"{type(error).__name__}: {error}")]
            return outcomes

        together = play(plays)
        if len(plays) == 1 or not isinstance(together[0], str):
            return together
        return [play([_alone(each)])[0] for each in plays]


def _checked(loaded: Loaded, arm: str) -> Config:
    """RLlib's config and the env's source of an arm.

    The env is not tried out, as before a run: what it fails on may be what is to be seen.

    Raises:
        BadInput: for problems with RLlib's keys; if there is no such env.
    """
    from experiments.algorithm import check_algorithms
    from experiments.build import Config
    from experiments.env_names import name_findings

    source = EnvSource.of(loaded.arms[arm].env)
    configs = check_algorithms(loaded)
    problems = [
        loaded.problem(arm, each.key, each.must, each.found, each.hint)
        for each in name_findings(source)
    ]
    if problems:
        raise BadInput(problems)
    return Config(configs[arm], source)


def _alone(play: Play) -> Play:
    return Play(index=0, level=play.level, seed=play.seed)


def _played(play: Callable[..., tuple[float, ...]], named: Mapping[str, Any]) -> list[float | str]:
    """The returns, or what was raised: its causes would not come through to another process."""
    try:
        return list(play(**named))
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        return [one_line(f"{type(cause).__name__}: {cause}")]


def _play_checkpoint(**named: Any) -> tuple[float, ...]:
    from orchestrator.evaluation import play_checkpoint

    return play_checkpoint(**named)


def _play_exported(**named: Any) -> tuple[float, ...]:
    from orchestrator.evaluation import play_exported

    return play_exported(**named)
