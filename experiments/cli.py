"""The command line: ``envolve run | resume | validate | show | compare | report | ...``.

What a command needs is imported when it is called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from experiments.supervise import follow_parent, is_driver, run_driver

if TYPE_CHECKING:
    from experiments.targets import Target

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Exit(IntEnum):
    """What the exit codes mean; 128 + n: stopped by signal n after saving."""

    FINISHED = 0
    FAILED = 1
    BAD_INPUT = 2
    BUSY = 3
    NOTHING_TO_RESTORE = 4


class Resume(StrEnum):
    """What `run --run-dir` does where there is a run already."""

    NEVER = "never"
    AUTO = "auto"
    MUST = "must"


File = Annotated[Path, typer.Argument(help="An experiment file (YAML).", metavar="FILE")]
RunName = Annotated[
    str, typer.Argument(help="A run's directory, its name under runs/, or latest.", metavar="RUN")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-S", metavar="KEY=VALUE", help="Override a key: stop.iterations=80."),
]
CheckpointName = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        metavar="CHECKPOINT",
        help="best (the default), a member (m2, arm/seed0/m2: its newest), or a checkpoint's "
        "directory.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"envolve {importlib.metadata.version('envolve')}")
        raise typer.Exit


@app.callback()
def envolve(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Train populations of RLlib agents whose environments evolve with them."""


@app.command()
def run(
    file: File,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Where the run is kept (default: a new folder under runs/)."),
    ] = None,
    resume: Annotated[
        Resume,
        typer.Option(
            help="With --run-dir. auto: start, go on, or say that it is finished; must: go on."
        ),
    ] = Resume.NEVER,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and the resolved file; write nothing.")
    ] = False,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Train what an experiment file says."""
    from experiments import targets

    if resume is not Resume.NEVER and run_dir is None:
        raise typer.BadParameter("--resume needs --run-dir, to say which run is meant")
    target = targets.named(file, run_dir, set_ or [], resume.value)
    if dry_run:
        from experiments import plan

        for line in target.differences:
            typer.echo(f"changed: {line}", err=True)
        raise typer.Exit(plan.show(target.loaded, as_json=as_json))
    _drive(target, as_json=as_json)


@app.command()
def resume(name: RunName, set_: Set = None, as_json: AsJson = False) -> None:
    """Go on with a run, from its experiment file, journal and checkpoints."""
    from experiments import targets

    _drive(targets.existing(name, set_ or []), as_json=as_json)


@app.command()
def validate(file: File, set_: Set = None, as_json: AsJson = False) -> None:
    """Check an experiment file, RLlib's keys and the env included; all problems at once."""
    from experiments.targets import load_file

    loaded = load_file(file, set_ or [])
    # Only now: a file with errors is answered without waiting for Ray's import.
    from experiments.build import exactness_notes
    from experiments.checking import check

    notes = exactness_notes(loaded.arms, check(loaded))
    arms = {name: len(loaded.seeds) * arm.population.size for name, arm in loaded.arms.items()}
    if as_json:
        said = {"valid": True, "name": loaded.name, "members": arms, "notes": notes}
        typer.echo(json.dumps(said))
    else:
        listed = ", ".join(f"{arm} ({members} members)" for arm, members in arms.items())
        typer.echo(f"{file} holds: {loaded.name}, {listed}")
        for note in notes:
            typer.echo(f"note: {note}")


@app.command()
def show(
    name: RunName = "latest",
    table: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="A frame of the run instead: results, scores, mutations, lineage, checkpoints, "
            "faults, distributions, hyperparameters, seconds or levels.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --table: write it, by the ending .csv, .parquet, .feather, .json or .jsonl.",
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what an Optuna explorer was told, for optuna-dashboard: a .db or a .log.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show where a run stands: members, distributions, best checkpoints, faults."""
    if to is not None and table is None:
        raise typer.BadParameter("--to needs --table, to say which frame is written")
    if study is not None and table is not None:
        raise typer.BadParameter("--study and --table are asked for one at a time")
    if study is not None:
        from experiments import study_export

        study_export.export_study(name, study, as_json=as_json)
    elif table is not None:
        from experiments import table_export

        table_export.show_table(name, table, to, as_json=as_json)
    else:
        from experiments import showing

        showing.show(name, as_json=as_json)


@app.command()
def export(
    name: RunName,
    dest: Annotated[
        Path, typer.Argument(help="A new or an empty directory to write.", metavar="DEST")
    ],
    checkpoint: CheckpointName = None,
    as_json: AsJson = False,
) -> None:
    """Write a checkpoint's policy as a folder that acts without the run, and without Ray."""
    from experiments import exporting

    exporting.export(name, dest, checkpoint, as_json=as_json)


@app.command()
def evaluate(
    name: Annotated[
        str,
        typer.Argument(
            help="A run (its directory, its name under runs/, or latest), best (of the latest), "
            "a checkpoint's directory or an exported folder.",
            metavar="RUN|CHECKPOINT",
        ),
    ],
    suite: Annotated[
        str,
        typer.Option(
            help="select, test, faults (levels that the env failed on), or a YAML file with a "
            "list of levels or {levels: 16, seed: 0}.",
            metavar="SUITE",
        ),
    ] = "select",
    checkpoint: CheckpointName = None,
    as_json: AsJson = False,
) -> None:
    """Play a checkpoint on a suite of levels, without exploring; nothing is written."""
    from experiments import evaluating

    raise typer.Exit(evaluating.evaluate(name, suite, checkpoint, as_json=as_json))


@app.command()
def replay(
    name: RunName,
    member: Annotated[
        str | None,
        typer.Option(metavar="M", help="Whose weights: m2. The best member's if not given."),
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm that is meant.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed that is meant.")] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to (default: NAME-replay.yaml); - prints it."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Seeds to train on: 10,11,12. New ones if not given."),
    ] = None,
) -> None:
    """Write an experiment that trains a fresh agent by the schedule that a member's weights saw."""
    from experiments import replaying

    replaying.replay(name, replaying.Asked(member, arm, seed, to, seeds))


@app.command()
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Runs: their directories, their names under runs/, or latest.", metavar="RUN..."
        ),
    ],
    suite: Annotated[
        str,
        typer.Option(
            metavar="SUITE",
            help="test (played at a run's end), or select (on which members are picked).",
        ),
    ] = "test",
    arms: Annotated[
        str | None, typer.Option(metavar="A,B", help="The arms that are compared (default: all).")
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="ARM", help="Compare each other arm with this one alone."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="0,1,2", help="The seeds that count (default: all).")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(metavar="SCORE", help="Say how many env steps it took to score this."),
    ] = None,
    alpha: Annotated[
        float, typer.Option(help="Share of the worst levels whose mean is the CVaR.")
    ] = 0.25,
    bootstrap_seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every figure as a row, too; - prints them."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which arm is better, by how much, and how sure that is."""
    from experiments import comparing

    asked = comparing.Asked(suite, arms, baseline, seeds, threshold, alpha, bootstrap_seed, csv)
    comparing.compare(names, asked, as_json=as_json)


@app.command()
def report(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Runs: their directories, their names under runs/, or latest.", metavar="RUN..."
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to (default: RUN/report.html; of several runs comparison.html).",
        ),
    ] = None,
) -> None:
    """Write one HTML file about a run, or about several compared; it opens offline."""
    from experiments import reporting

    reporting.report(names, to)


def _drive(target: Target, *, as_json: bool) -> NoReturn:
    if target.finished:
        from experiments import showing

        typer.echo(
            f"{target.place.path} is finished; `envolve resume {target.place.path} "
            "--set stop.iterations=N` trains it further",
            err=True,
        )
        showing.show(str(target.place.path), as_json=as_json)
        raise typer.Exit(Exit.FINISHED)
    if not is_driver():
        # At once, rather than when Ray has started.
        if target.where is not None and target.where.is_held():
            from experiments.run_dir import Busy

            raise Busy(f"{target.where.path}: another process is running this run")
        raise typer.Exit(run_driver(sys.argv[1:]))
    from experiments import driver

    raise typer.Exit(driver.drive(target, sys.argv, as_json=as_json))


def main() -> NoReturn:
    """The `envolve` command: a user's mistakes are answered in words, without a traceback."""
    if is_driver():
        follow_parent()
    try:
        app()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        typer.echo(str(error), err=True)
        sys.exit(code)
    raise AssertionError("app() exits")


def _exit_code(error: Exception) -> Exit | None:
    """What to end with after a mistake of the user's, or None for one of ours."""
    from experiments.problems import BadInput
    from experiments.resources import TooSmall
    from experiments.run_dir import Busy, NotARun, NotWritable
    from orchestrator.journal import DamagedJournal, Unwritable
    from orchestrator.recovery import NothingToRestore

    if isinstance(error, BadInput | NotARun | NotWritable | DamagedJournal | TooSmall):
        return Exit.BAD_INPUT
    if isinstance(error, Busy):
        return Exit.BUSY
    if isinstance(error, Unwritable):
        return Exit.FAILED
    return Exit.NOTHING_TO_RESTORE if isinstance(error, NothingToRestore) else None


if __name__ == "__main__":
    main()
