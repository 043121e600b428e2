"""Runs to compare, whose journals say what each seed of each arm scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from made_runs import TEXT, loaded

from experiments import changes
from orchestrator.journal import Journal
from orchestrator.records import MemberStarted, Record, Result, RunEnded, RunStarted, Score

Returns = Sequence[float | None] | None
"""Of one seed on the test suite; None if it was not played."""

STEPS = 100
"""Env steps that a member takes in an iteration; it is scored after the second and the fourth."""


def compared_run(
    path: Path,
    arms: Mapping[str, Mapping[int, Returns]],
    *overrides: str,
    status: str | None = "finished",
    changed: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """A run at ``path`` with one member for each arm and seed.

    Its score on the select suite of two levels is half of its test score at first, then all of it.

    Args:
        arms: what each seed returned on each level of the test suite.
        overrides: of the experiment file, as ``--set`` takes them.
        status: what its end record says; None if there is none.
        changed: sections of single arms, as plain data, in place of the file's.
    """
    path.mkdir(parents=True)
    (path / "experiment.yaml").write_text("envolve: 1\n")
    [base] = changes.plain_arms(loaded(TEXT, *overrides).arms).values()
    plain = {
        arm: {**base, "seeds": list(seeds), **(changed or {}).get(arm, {})}
        for arm, seeds in arms.items()
    }
    with Journal(path / "journal.jsonl") as journal:
        journal.append(RunStarted(path.name, changes.digest(plain), plain, {}, ()))
        for arm, seeds in arms.items():
            for seed, returns in seeds.items():
                who = {"arm": arm, "seed": seed, "member": 0}
                journal.append(*_population(who, returns, plain[arm]["env"]["knobs"]))
        if status is not None:
            journal.append(RunEnded(status))
    return path


def _population(
    who: dict[str, Any], returns: Returns, knobs: Mapping[str, Any]
) -> Iterator[Record]:
    points = {name: {"low": knob["low"], "high": knob["low"]} for name, knob in knobs.items()}
    start = {"kind": "product", "marginals": points}
    yield MemberStarted(**who, iteration=0, hyperparameters={}, distribution=start, by="test")
    for iteration in range(1, 5):
        yield Result(
            **who,
            iteration=iteration,
            training_return=1.0,
            env_steps=STEPS * iteration,
            revisions={},
            seconds={"train": 1.0},
        )
        if iteration % 2 == 0 and returns is not None:
            finite = [each for each in returns if each is not None]
            score = sum(finite) / len(finite) * iteration / 4
            yield Score(
                **who, iteration=iteration, score=score, suite="select", returns=(score, score)
            )
    if returns is not None:
        yield Score(**who, iteration=4, score=None, suite="test", returns=tuple(returns))
