"""The command line: ``envolve run | resume | validate``, and those that read a run.

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

from experiments import cli_reading
from experiments.cli_reading import AsJson, RunName
from experiments.ray_session import collect_seldom
from experiments.supervise import follow_parent, is_driver, run_driver

if TYPE_CHECKING:
    from experiments.targets import Target

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_reading.app)


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
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-S", metavar="KEY=VALUE", help="Override a key: stop.iterations=80."),
]


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
    # At once, rather than when Ray has started.
    if target.where is not None and target.where.is_held():
        from experiments.run_dir import Busy

        raise Busy(f"{target.where.path}: another process is running this run")
    collect_seldom()
    from experiments import driver

    raise typer.Exit(driver.drive(target, sys.argv, as_json=as_json))


def main() -> NoReturn:
    """The `envolve` command: a user's mistakes are answered in words, without a traceback."""
    if is_driver():
        follow_parent()
    elif sys.argv[1:2] in (["run"], ["resume"]):
        # Before anything else, so that nothing is imported, read and checked twice.
        sys.exit(run_driver(sys.argv[1:]))
    try:
        app(prog_name="envolve")
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

    if isinstance(error, BadInput):
        # The others' modules take as long to import as it took to find this out.
        return Exit.BAD_INPUT
    from experiments.resources import TooSmall
    from experiments.run_dir import Busy, NotARun, NotWritable
    from orchestrator.journal import DamagedJournal, Unwritable
    from orchestrator.recovery import NothingToRestore

    if isinstance(error, NotARun | NotWritable | DamagedJournal | TooSmall):
        return Exit.BAD_INPUT
    if isinstance(error, Busy):
        return Exit.BUSY
    if isinstance(error, Unwritable):
        return Exit.FAILED
    return Exit.NOTHING_TO_RESTORE if isinstance(error, NothingToRestore) else None


if __name__ == "__main__":
    main()
