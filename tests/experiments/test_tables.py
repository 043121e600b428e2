"""Tables and JSON of what a run came to: finished, running and killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distribution_catalogue import MAZE
from rich.console import Console, RenderableType
from synthetic_run import ITERATIONS, SyntheticRun

from experiments import tables
from experiments.run_facts import best_member, changes, starts, verified_place
from experiments.tables import RunFacts, as_json, best_line, print_run
from orchestrator import checkpoints
from orchestrator.distributions import Levels
from orchestrator.records import RunResumed, Score
from orchestrator.seeding import generator

WIDTHS = (60, 100, 200)
SCORES = {0: 412.0, 1: 95.0, 2: 201.3, 3: 200.0}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SyntheticRun]:
    run = SyntheticRun(tmp_path)
    yield run
    run.journal.close()


def facts(run: SyntheticRun, name: str = "synthetic", **others: Any) -> RunFacts:
    return RunFacts(name, run.folder, tuple(run.taken), run.ledger.populations, run.shelf, **others)


def printed(what: RunFacts | RenderableType, width: int) -> list[str]:
    console = Console(record=True, width=width, color_system=None, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        if isinstance(what, RunFacts):
            print_run(what, console)
        else:
            console.print(what)
    return [line.rstrip() for line in console.export_text().splitlines()]


# Status


def test_status_of_a_run(run: SyntheticRun) -> None:
    assert facts(run).status == "killed"
    run.begin()
    assert facts(run).status == "killed"
    assert facts(run, held=True).status == "running"
    run.end("stopped")
    assert facts(run).status == "stopped"
    run.ledger.record(RunResumed(experiment="0", arms={}, versions={}, command=()))
    assert facts(run, held=True).status == "running"
    assert facts(run).status == "killed"
    run.end("finished")
    assert facts(run).status == "finished"


def test_status_of_members(run: SyntheticRun) -> None:
    run.begin()
    run.train(1)
    run.fault(1, "ValueError: no", action="failed")
    state = run.population.members
    assert facts(run, held=True).member_status(state[0]) == "training"
    assert facts(run).member_status(state[0]) == "unfinished"
    assert facts(run).member_status(state[1]) == "failed"
    run.train(ITERATIONS)
    assert facts(run).member_status(run.population.members[0]) == "finished"


# Which member, which checkpoint


def test_the_best_member_is_the_best_scored_one_that_has_not_failed(run: SyntheticRun) -> None:
    assert best_member(run.population) is None
    run.begin()
    best = best_member(run.population)
    assert best is not None
    assert best.member == 0
    for member, score in {1: -5.0, 2: 3.0, 3: 2.0}.items():
        run.score(member, score, 0)
    run.fault(2, "ValueError: no", action="failed")
    best = best_member(run.population)
    assert best is not None
    assert best.member == 3


def test_how_a_member_began_is_followed_through_exploits(run: SyntheticRun) -> None:
    run.begin()
    run.train(1)
    run.exploit(1, donor=0)
    run.exploit(2, donor=1)
    run.exploit(1, donor=3)
    began = {key[2]: record.member for key, record in starts(run.taken).items()}
    assert began == {0: 0, 1: 3, 2: 0, 3: 3}


def test_a_checkpoint_is_shown_where_it_is_whole(run: SyntheticRun) -> None:
    run.begin()
    run.boundary(4, SCORES)
    best, second, *_ = run.shelf.best()
    assert verified_place(run.folder, best) == best.path
    checkpoints.link(run.folder / best.path, run.folder / "best" / "whatever")
    assert verified_place(run.folder, best) == "best/whatever"
    assert verified_place(run.folder, second) == second.path
    checkpoints.remove(run.folder / best.path)
    assert str(run.folder / "best/whatever") in best_line(facts(run))
    # A hard link shares its bytes; this damages a copy of its own.
    (run.folder / "best" / "whatever" / "weights").unlink()
    assert verified_place(run.folder, best) is None
    assert best_line(facts(run)) == (
        "best verified checkpoint (main/seed0/m2 at iteration 4, score 201.3): "
        f"{run.folder / second.path}"
    )
    assert as_json(facts(run))["best"][0]["checkpoint"] is None


def test_without_a_checkpoint_that_is_said(run: SyntheticRun) -> None:
    assert best_line(facts(run)) == "best verified checkpoint: none yet"


# JSON


def test_json_has_exactly_the_documented_keys_and_plain_values(run: SyntheticRun) -> None:
    run.begin()
    run.boundary(4, SCORES)
    run.fault(2, "ValueError: x")
    run.end("finished")
    data = as_json(facts(run, "cartpole"))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert list(data) == ["name", "status", "members", "best", "faults"]
    assert (data["name"], data["status"]) == ("cartpole", "finished")
    keys = "arm seed member iteration score revision hyperparameters distribution checkpoint"
    assert [list(member) for member in data["members"]] == [keys.split()] * 4
    assert [member["member"] for member in data["members"]] == [0, 1, 2, 3]
    first, copy = data["members"][:2]
    assert (first["iteration"], first["score"], first["revision"]) == (4, 412.0, 0)
    assert first["hyperparameters"] == {"lr": 0.001}
    assert first["distribution"] == run.population.members[0].distribution.to_json()
    # It copied the best: it has its weights, and no score of its own yet.
    assert (copy["checkpoint"], copy["score"]) == (first["checkpoint"], None)
    assert [(each["member"], each["score"]) for each in data["best"]] == [
        (0, 412.0),
        (2, 201.3),
        (3, 200.0),
    ]
    assert data["best"][0]["checkpoint"] == first["checkpoint"]
    (fault,) = data["faults"]
    assert (fault["member"], fault["error"], fault["action"]) == (2, "ValueError: x", "retried")


def test_json_of_a_score_that_is_not_finite(run: SyntheticRun) -> None:
    run.begin()
    run.score(0, None, 0)
    data = as_json(facts(run))
    assert data["members"][0]["score"] is None
    json.dumps(data, allow_nan=False)


def test_json_of_a_run_that_has_no_members_yet(run: SyntheticRun) -> None:
    assert as_json(facts(run)) == {
        "name": "synthetic",
        "status": "killed",
        "members": [],
        "best": [],
        "faults": [],
    }


# Tables


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_is_told_at_any_width(run: SyntheticRun, width: int) -> None:
    run.begin()
    run.boundary(4, SCORES)
    run.mutate(0)
    run.fault(2, "ValueError: [b]no[/u]")
    who = run.who(("main", 0, 0), 4)
    run.ledger.record(Score(**who, score=33.0, suite="test", returns=(11.0, None, 55.0)))
    run.end("finished")
    found = printed(facts(run, "a[bold]b"), width)
    text = "\n".join(found)
    *most, path = found
    assert max(map(len, most)) <= width
    assert found[0] == "a[bold]b: finished"
    for title in ("Members", "What the environments evolved into", "Test suite", "Faults"):
        assert title in found
    for member in range(4):
        assert any(line.startswith(f"main/seed0/m{member} ") for line in found)
    assert "[b]no[/u]" in text
    assert path.endswith(str(run.folder / run.shelf.best()[0].path))
    (test,) = [line for line in found if "55.0" in line]
    assert test.split() == ["main/seed0/m0", "4", "33.0", "-inf", "55.0", "3"]


@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_wrap_between_knobs(run: SyntheticRun, width: int) -> None:
    run.begin()
    text = "\n".join(printed(tables.members_table(facts(run), width), width))
    for knob in ("gravity 5…20", "length 0.25…2", "masspole 0.1", "lr 0.001"):
        assert knob in text


def test_a_table_of_four_members_fits_100_columns_unbroken(run: SyntheticRun) -> None:
    run.begin()
    run.boundary(4, SCORES)
    found = printed(tables.members_table(facts(run), 100), 100)
    assert max(map(len, found)) <= 100
    header = "member iteration score revision hyperparameters environments status"
    assert found[0].split() == header.split()
    (first,) = [line for line in found if line.startswith("main/seed0/m0")]
    assert first.split()[:6] == ["main/seed0/m0", "4", "412.0", "0", "lr", "0.001"]
    assert first.endswith("unfinished")


def test_a_part_that_is_too_long_by_itself_is_folded(tmp_path: Path) -> None:
    run = SyntheticRun(tmp_path, space=MAZE)
    run.begin()
    for width in WIDTHS:
        found = printed(facts(run), width)
        assert max(map(len, found[:-1])) <= width
    run.journal.close()


def test_evolution_shows_start_and_now_of_the_best(run: SyntheticRun) -> None:
    run.begin()
    run.train(4)
    run.score(1, 7.0, 4)
    run.exploit(2, donor=1)
    run.mutate(2)
    run.score(2, 9.0, 4)
    found = printed(tables.evolution_table(facts(run)), 100)
    start = run.population.rules.curriculum.begin(run.population.rules.space).distribution
    now = run.population.members[2].distribution
    assert found[0].split() == ["best", "member", "knob", "start", "now"]
    assert found[1].startswith("main/seed0/m2")
    assert found[2] == "(began as m1)"
    rows = [tuple(line[15:].split()) for line in found[1:] if line[15:].strip()]
    assert rows == [tuple(part.split()[0] for part in change) for change in changes(start, now)]
    assert any(before != after for _, before, after in changes(start, now))


def test_evolution_into_a_buffer_of_levels_is_one_row() -> None:
    rng = generator("tables")
    levels = Levels(MAZE, tuple(MAZE.full().sample(rng) for _ in range(3)), (1, 1, 1))
    assert changes(MAZE.initial(), levels) == [
        ("all", MAZE.initial().picture(), levels.picture()),
    ]


def test_each_population_has_a_best_member(tmp_path: Path) -> None:
    run = SyntheticRun(tmp_path, arms=("a", "b"), seeds=(0, 1))
    run.begin()
    text = "\n".join(printed(tables.evolution_table(facts(run)), 100))
    assert all(f"{arm}/seed{seed}/m0" in text for arm in "ab" for seed in (0, 1))
    run.journal.close()


def test_only_the_last_faults_are_listed(run: SyntheticRun) -> None:
    run.begin()
    for number in range(12):
        run.fault(0, f"ValueError: number{number}.")
    found = printed(facts(run), 100)
    assert "Faults: the last 10 of 12" in found
    text = "\n".join(found)
    assert "number1." not in text
    assert all(f"number{number}." in text for number in range(2, 12))


def test_there_is_no_test_table_without_test_scores(run: SyntheticRun) -> None:
    run.begin()
    run.score(0, 1.0, 0)
    assert tables.suite_table(facts(run)) is None
    assert "Test suite" not in printed(facts(run), 100)


def test_a_run_without_members_is_told(run: SyntheticRun) -> None:
    assert printed(facts(run), 60) == [
        "synthetic: killed",
        "no members yet",
        "",
        "best verified checkpoint: none yet",
    ]
