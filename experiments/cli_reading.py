"""The commands that read a run: show, export, evaluate, replay, compare and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

RunName = Annotated[
    str, typer.Argument(help="A run's directory, its name under runs/, or latest.", metavar="RUN")
]
RunNames = Annotated[
    list[str],
    typer.Argument(
        help="Runs: their directories, their names under runs/, or latest.", metavar="RUN..."
    ),
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
    names: RunNames,
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
    names: RunNames,
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
