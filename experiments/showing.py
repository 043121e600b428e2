"""What a run came to, read from disk alone, as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from experiments import journalled
from experiments.loading import load
from experiments.rules import populations_of
from experiments.run_dir import RunDir, find_run
from experiments.run_facts import RunFacts
from experiments.run_facts import as_json as facts_as_json
from experiments.spec import Experiment
from experiments.tables import print_run
from orchestrator import journal, records
from orchestrator.retention import Shelf


def show(name: str, *, as_json: bool) -> None:
    """Print where a run stands.

    Raises:
        NotARun: if there is none.
        DamagedJournal: naming the line that cannot be read.
    """
    print_facts(facts_of(find_run(name)), as_json=as_json)


def facts_of(place: RunDir) -> RunFacts:
    """Read a run that has ended, goes on, or was killed."""
    history = journal.read(place.journal)
    name, arms = _experiment(place, history)
    start = journalled.last_start(history)
    if start is not None:
        # Of a kept run, whether anything is left to do is the script's to know.
        arms = journalled.arms_of(start)
        if journalled.is_finished(history):
            arms = journalled.as_trained(arms, history)
    populations = {(group.arm, group.seed): group for group in populations_of(arms)}
    shelf = Shelf(keep_best=max(arm.checkpoint.keep_best for arm in arms.values()))
    for record in history:
        shelf.apply(record)
        for population in populations.values():
            population.apply(record)
    return RunFacts(name, place.path, history, populations, shelf, held=place.is_held())


def _experiment(
    place: RunDir, history: Sequence[records.Record]
) -> tuple[str, Mapping[str, Experiment]]:
    """Name and arms, as journalled: the file may have been edited since."""
    start = journalled.last_start(history)
    if start is None:
        loaded = load(place.experiment)
        return loaded.name, loaded.arms
    arms = journalled.as_a_file(journalled.arms_of(start), history)
    return next(iter(arms.values())).name, arms


def print_facts(facts: RunFacts, *, as_json: bool) -> None:
    """Print tables, or one JSON object."""
    if as_json:
        typer.echo(json.dumps(facts_as_json(facts), indent=1, ensure_ascii=False))
    else:
        print_run(facts, Console())
