"""Written first, then taken in: the state is always the fold over the journal."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_population import ARM, SEED, member_scores, rules, saved, started, trained, who

from orchestrator.initial import draw_random
from orchestrator.journal import Journal, read
from orchestrator.ledger import Ledger
from orchestrator.population import Population
from orchestrator.records import Fault, Record, RunEnded

OTHER = ("other", 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as opened:
        yield opened


def populations() -> list[Population]:
    return [Population(ARM, SEED, rules(size=2)), Population(*OTHER, rules(size=1))]


def begin(ledger: Ledger) -> None:
    for (arm, seed), group in ledger.populations.items():
        now = group.rules
        drawn = draw_random(now.size, now.space, now.search, now.curriculum, seed, arm)
        ledger.record(*group.first(drawn, "random"))


def fault(arm: str = ARM, member: int = 0, action: str = "retried") -> Fault:
    return Fault(
        arm=arm, seed=SEED, member=member, iteration=0, where="x", error="!", action=action
    )


def test_records_are_written_and_taken_in(path: Path, journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    ledger.record(trained(1, 1), *saved(1, 1, 3.0))
    assert ledger.state((ARM, SEED, 1)).iteration == 1
    assert ledger.state((*OTHER, 0)).iteration == 0
    assert [state.key for state in ledger.states()] == [
        (ARM, SEED, 0), (ARM, SEED, 1), (*OTHER, 0)
    ]  # fmt: skip
    assert len(read(path)) == 6


def test_a_ledger_stands_where_its_journal_stands(path: Path, journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    for member in (0, 1):
        ledger.record(trained(member, 2), *saved(member, 2, float(member)))
    group = ledger.populations[ARM, SEED]
    ledger.record(*group.decide(group.due()))
    ledger.record(fault())
    with Journal(path) as again:
        other = Ledger(again, populations())
        assert other.states() == ledger.states()
        assert other.faults == ledger.faults
        assert len(other.faults) == 1


def test_what_cannot_be_written_is_not_taken_in(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    before = ledger.states()
    with pytest.raises(ValueError, match="JSON"):
        ledger.record(trained(0, 1), replace(trained(0, 2), training_return=float("nan")))
    assert ledger.states() == before


def test_listeners_hear_the_past_when_they_come_with_the_ledger(
    path: Path, journal: Journal
) -> None:
    begin(Ledger(journal, populations()))
    heard: list[Record] = []
    with Journal(path) as again:
        ledger = Ledger(again, populations(), [heard.append])
        assert heard == read(path)
        late: list[Record] = []
        ledger.listen(late.append)
        ledger.record(trained(0, 1))
        assert late == heard[-1:] == read(path)[-1:]


def test_listeners_hear_after_the_record_was_taken_in(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    seen: list[int] = []
    ledger.listen(lambda record: seen.append(ledger.state((ARM, SEED, 0)).iteration))
    ledger.record(trained(0, 5))
    assert seen == [5]


def test_faults_are_kept_in_order_whoever_they_are_of(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    before = ledger.state((ARM, SEED, 1))
    ledger.record(fault(arm="", member=-1, action="went on"))
    ledger.record(fault(member=0))
    assert [record.arm for record in ledger.faults] == ["", ARM]
    assert ledger.state((ARM, SEED, 0)).faults == 1
    assert ledger.state((ARM, SEED, 1)) == before


def test_records_of_the_run_are_nothing_to_members(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    before = ledger.states()
    ledger.record(RunEnded(status="finished"))
    ledger.record()
    assert ledger.states() == before


def test_a_key_finds_its_population(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    assert ledger.population((*OTHER, 0)).arm == "other"
    with pytest.raises(KeyError):
        ledger.population(("nobody", 0, 0))


def test_it_survives_tunes_pickling_without_its_file(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    assert isinstance(pickle.loads(pickle.dumps(ledger)), Ledger)


def test_a_population_alone_and_one_in_a_ledger_stand_alike(journal: Journal) -> None:
    ledger = Ledger(journal, populations())
    begin(ledger)
    alone = started(rules(size=2))
    member_scores(alone, {0: 1.0, 1: 2.0}, 2)
    for member in (0, 1):
        ledger.record(trained(member, 2), *saved(member, 2, member + 1.0))
    assert ledger.populations[ARM, SEED].members == alone.members
    assert who(0, 2)["member"] == 0
