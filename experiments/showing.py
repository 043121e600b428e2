"""What a run came to, read from disk alone, as tables or JSON."""

from __future__ import annotations

import json

from filelock import FileLock, Timeout
from rich.console import Console

from experiments.loading import load
from experiments.rules import populations_of
from experiments.run_dir import RunDir, find_run
from experiments.run_facts import RunFacts, as_json as facts_as_json
from experiments.tables import print_run
from orchestrator import journal
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
    loaded = load(place.experiment)
    history = journal.read(place.journal)
    populations = {(group.arm, group.seed): group for group in populations_of(loaded.arms)}
    shelf = Shelf(keep_best=max(arm.checkpoint.keep_best for arm in loaded.arms.values()))
    for record in history:
        shelf.apply(record)
        for population in populations.values():
            population.apply(record)
    return RunFacts(loaded.name, place.path, history, populations, shelf, held=is_held(place))


def print_facts(facts: RunFacts, *, as_json: bool) -> None:
    """Print tables, or one JSON object."""
    if as_json:
        print(json.dumps(facts_as_json(facts), indent=1, ensure_ascii=False))
    else:
        print_run(facts, Console())


def is_held(place: RunDir) -> bool:
    """Whether some process is running the run now."""
    lock = FileLock(place.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        # A run that we may only read: nobody's, as far as can be told.
        return False
    lock.release()
    return False
