"""``envolve show RUN --study``: what an Optuna explorer was told, for optuna-dashboard.

A study for each population, made by the code that the explorer asks its sampler with, so that
parameters are positions in the legal ranges; attributes have the values that they stand for. A
population that asks another explorer has the same intervals: its study says that Optuna was not
asked. As explorers do, a study leaves out the oldest intervals of a long run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from callbacks.run_view import one_line
from experiments.problems import BadInput, Problem
from experiments.replacing import place_problems, replacing
from experiments.run_dir import find_run
from experiments.run_facts import RunFacts
from experiments.showing import facts_of
from orchestrator import optuna_explorer, optuna_space
from orchestrator.explore import Explorer
from orchestrator.optuna_explorer import OptunaExplorer
from orchestrator.pictures import counted
from orchestrator.population import Population

__all__ = ["export_study", "write_studies"]

_SQLITE = (".db", ".sqlite3")
_JOURNAL = ".log"
_ENDINGS = (*_SQLITE, _JOURNAL)

_LEGEND = {
    "value": "how an interval's improvement compares with those about it in time, in [-1, 1]",
    "parameters": "positions in the legal ranges; user attributes have the values",
}


def export_study(name: str, path: Path, *, as_json: bool) -> None:
    """Write the studies of a run, and say how they are opened.

    Raises:
        BadInput: if the file's ending is not one of a storage's; if nothing is searched.
        NotARun: if there is no run.
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the file cannot be written.
    """
    problems = place_problems("--study", path, _ENDINGS)
    if problems:
        raise BadInput(problems)
    facts = facts_of(find_run(name))
    studies = write_studies(facts, path)
    opened = f"optuna-dashboard {path if path.suffix == _JOURNAL else f'sqlite:///{path}'}"
    if as_json:
        said = {"path": str(path), "open": opened, "studies": studies}
        typer.echo(json.dumps(said, indent=1, ensure_ascii=False))
        return
    for each in studies:
        trials = f"{counted(each['trials'], 'trial')}, {each['running']} of them running"
        typer.echo(f"{one_line(each['name'])}: {trials}; explorer: {each['explorer']}")
    typer.echo(f"written to {path}; `{opened}` shows it")


def write_studies(facts: RunFacts, path: Path) -> list[dict[str, Any]]:
    """Write a study for each population that searches hyperparameters, atomically.

    Returns:
        For each study its name, arm, seed, explorer, and how many trials it has and run.

    Raises:
        BadInput: if none searches any.
        NotWritable: if the file cannot be written.
    """
    searching = [each for each in facts.populations.values() if _space(each)]
    if not searching:
        must = "must be a run that searches hyperparameters"
        hint = "What an explorer may change goes under algorithm.search"
        raise BadInput([Problem.at(str(facts.run_dir), must, hint=hint)])
    # Where no path has characters that mean something in a URL, and nothing else is left behind.
    with replacing(path) as place, tempfile.TemporaryDirectory(prefix="envolve-") as folder:
        whole = Path(folder) / f"study{path.suffix}"
        with optuna_space.quiet(), _storage(whole) as storage:
            studies = [_write(storage, facts.name, each) for each in searching]
        shutil.copyfile(whole, place)
    return studies


def _write(storage: Any, run: str, population: Population) -> dict[str, Any]:
    import optuna

    from orchestrator.optuna_study import trial

    explorer = population.rules.explore
    asked = explorer if isinstance(explorer, OptunaExplorer) else OptunaExplorer()
    told = asked.told(population.rules.search, population.intervals.history())
    facts = {
        "name": f"{run}/{population.arm}/seed{population.seed}",
        "arm": population.arm,
        "seed": population.seed,
        "explorer": _words(explorer),
    }
    study = optuna.create_study(study_name=facts["name"], storage=storage, direction="maximize")
    for key, value in {**facts, **_LEGEND}.items():
        study.set_user_attr(key, value)
    space = _space(population)
    study.add_trials([trial(each, space) for each in told])
    running = sum(each.value is None for each in told)
    return {**facts, "trials": len(told), "running": running}


def _space(population: Population) -> Mapping[str, Any]:
    return optuna_explorer.space(population.rules.search)


def _words(explorer: Explorer) -> str:
    if isinstance(explorer, OptunaExplorer):
        return f"optuna {explorer.sampler}"
    return f"{type(explorer).__name__.lower()}, so that Optuna was not asked"


@contextmanager
def _storage(path: Path) -> Iterator[Any]:
    """An Optuna storage in a new file."""
    from optuna import storages

    if path.suffix == _JOURNAL:
        yield storages.JournalStorage(storages.journal.JournalFileBackend(str(path)))
        return
    storage = storages.RDBStorage(f"sqlite:///{path}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()
