"""``envolve compare``: arms of runs side by side, with a verdict; tables, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from rich.console import Console

import analysis
from experiments.comparison_tables import print_comparison
from experiments.hints import nearest
from experiments.problems import BadInput, Problem
from experiments.replacing import place_problems, replacing
from experiments.run_dir import find_run
from orchestrator.suites import SELECT, TEST

__all__ = ["Asked", "compare"]

_SUITES = (TEST, SELECT)
_STDOUT = "-"


@dataclass(frozen=True)
class Asked:
    """What the options of the command say, as they were typed."""

    suite: str
    arms: str | None
    baseline: str | None
    seeds: str | None
    threshold: float | None
    alpha: float
    bootstrap_seed: int
    csv: Path | None


def compare(names: Sequence[str], asked: Asked, *, as_json: bool) -> None:
    """Print the comparison; with ``csv`` write it too, or print it as that if it is ``-``.

    Raises:
        BadInput: with every reason why these cannot be compared.
        NotARun: if there is no such run.
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the CSV cannot be written.
    """
    problems = [*_problems(asked, as_json=as_json)]
    if problems:
        raise BadInput(problems)
    runs = [analysis.load(find_run(name).path) for name in names]
    try:
        found = analysis.compare(
            runs,
            arms=None if asked.arms is None else _words(asked.arms),
            suite=asked.suite,
            seeds=None if asked.seeds is None else [int(each) for each in _words(asked.seeds)],
            baseline=asked.baseline,
            threshold=asked.threshold,
            alpha=asked.alpha,
            rng=np.random.default_rng(asked.bootstrap_seed),
        )
    except analysis.NotComparable as error:
        raise BadInput([Problem.at(None, each) for each in error.reasons]) from None
    _write(found, asked.csv, as_json=as_json)


def _write(found: analysis.Comparison, csv: Path | None, *, as_json: bool) -> None:
    if csv is not None:
        rows = found.tidy().to_csv(index=False, lineterminator="\n")
        if str(csv) == _STDOUT:
            typer.echo(rows, nl=False)
            return
        with replacing(csv) as place:
            place.write_text(rows, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print_comparison(found, Console())


def _problems(asked: Asked, *, as_json: bool) -> Iterator[Problem]:
    if asked.suite not in _SUITES:
        hint = nearest(asked.suite, _SUITES)
        yield Problem.at("--suite", f"must be {TEST} or {SELECT}", asked.suite, hint)
    if not 0 < asked.alpha <= 1:
        yield Problem.at("--alpha", "must be a share above 0, and at most 1", str(asked.alpha))
    if asked.bootstrap_seed < 0:
        yield Problem.at("--bootstrap-seed", "must be at least 0", str(asked.bootstrap_seed))
    if asked.seeds is not None and not all(each.isdecimal() for each in _words(asked.seeds)):
        must = "must be whole numbers of at least 0"
        yield Problem.at("--seeds", must, asked.seeds, "For example --seeds 0,1,2")
    if asked.csv is None:
        return
    if str(asked.csv) != _STDOUT:
        yield from place_problems("--csv", asked.csv, (".csv",))
    elif as_json:
        yield Problem.at("--csv", "must be a file with --json, which is printed", _STDOUT)


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]
