"""What is decided at boundaries: from what members are when they meet, and once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import CARTPOLE, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_population import (
    SEARCH,
    Own,
    Run,
    apply_all,
    member_scores,
    replayed,
    rules,
    run_with_kills,
    saved,
    started,
    trained,
    who,
)

from orchestrator import records
from orchestrator.curricula import PopulationRegret
from orchestrator.distributions import Level, Levels
from orchestrator.exploit import Itself, NoExploit, Tournament, Truncation
from orchestrator.explore import Interval, Now, Prescribed, Search
from orchestrator.member_state import Rules
from orchestrator.population import Population
from orchestrator.seeding import generator
from orchestrator.sketch import Sketch, journalled
from orchestrator.stop import Stop

SUITE: tuple[Level, ...] = tuple(CARTPOLE.full().sample(generator(n)) for n in range(3))
kill_points = st.lists(st.integers(1, 90), max_size=6)


def comparing(**changes: Any) -> Rules:
    return rules(curriculum=PopulationRegret(parts=2), select=SUITE, **changes)


def scored(population: Population, returns: Mapping[int, Sequence[float]], iteration: int) -> None:
    """Bring members to a boundary with these returns on the select suite."""
    for member, each in returns.items():
        score, checkpoint = saved(member, iteration, sum(each) / len(each))
        assert isinstance(score, records.Score)
        entry = [trained(member, iteration), replace(score, returns=tuple(each)), checkpoint]
        apply_all(population, entry)


def decided(population: Population) -> list[records.Record]:
    entry = population.decide(population.due())
    apply_all(population, entry)
    return entry


def boundary(entry: Sequence[records.Record]) -> records.Boundary:
    (found,) = [record for record in entry if isinstance(record, records.Boundary)]
    return found


# Regret


def test_regret_moves_members_towards_what_others_do_better() -> None:
    group = started(comparing(size=2, exploit=NoExploit()))
    scored(group, {0: (1.0, 9.0, 5.0), 1: (4.0, 2.0, 5.0)}, 2)
    entry = decided(group)
    first, second = group.moves()
    for move, level, regret in ((first, SUITE[0], 3.0), (second, SUITE[1], 7.0)):
        assert isinstance(move, records.Mutation)
        assert (move.by, move.revision) == ("callback", 1)
        assert move.state == {"regrets": [{"level": level, "regret": regret}]}
    # What the boundary says is what then happens.
    whys = [move.why for move in (first, second) if isinstance(move, records.Mutation)]
    assert list(boundary(entry).next_moves) == whys
    apply_all(group, [first, second])
    assert group.moves() == []


def test_a_member_that_is_the_best_everywhere_says_so() -> None:
    group = started(comparing(size=2, exploit=NoExploit()))
    scored(group, {0: (1.0, 1.0, 1.0), 1: (4.0, 4.0, 4.0)}, 2)
    stays = "stays: best member on every level"
    assert boundary(decided(group)).next_moves[1] == group.next_move(1) == stays
    apply_all(group, group.moves())
    scored(group, {0: (9.0, 9.0, 9.0), 1: (4.0, 4.0, 4.0)}, 4)
    assert boundary(decided(group)).next_moves[0] == group.next_move(0) == stays


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_what_a_member_scores_later_moves_nobody_who_still_stands_at_the_boundary_before(
    mode: Any,
) -> None:
    """Such a move would come while the other trains, and at another time in every run."""
    group = started(comparing(size=2, exploit=NoExploit(), interval=1, mode=mode))
    scored(group, {0: (1.0, 9.0, 5.0), 1: (4.0, 2.0, 5.0)}, 1)
    decided(group)
    apply_all(group, group.moves())
    scored(group, {0: (99.0, 99.0, 99.0)}, 2)
    if mode == "async":
        decided(group)
    assert [move for move in group.moves() if getattr(move, "member", None) == 1] == []


def test_a_copy_is_compared_at_its_next_boundary() -> None:
    group = started(comparing(size=4))
    scored(group, {m: (float(m), 9.0 - m, 1.0) for m in range(4)} | {0: (0.0, 0.0, 0.0)}, 2)
    entry = decided(group)
    (exploit,) = [record for record in entry if isinstance(record, records.Exploit)]
    moved = [move.member for move in group.moves() if isinstance(move, records.Mutation)]
    assert exploit.member == 0
    assert moved == [1, 2, 3]


def test_the_reference_is_compared_with_but_says_that_it_stays() -> None:
    group = started(comparing(size=2, exploit=NoExploit(), reference=1))
    scored(group, {0: (1.0, 1.0, 1.0), 1: (4.0, 1.0, 1.0)}, 2)
    assert boundary(decided(group)).next_moves[1] == "the reference stays as it is"
    assert [move.member for move in group.moves() if isinstance(move, records.Mutation)] == [0]


class Compared(Run):
    """A simulated run whose members have a return on every level of a suite."""

    def _returns(self, weights: str, score: float | None) -> tuple[float | None, ...]:
        drawn = generator("returns", weights).uniform(0, 99, len(SUITE))
        return tuple(float(each) for each in drawn)


@settings(max_examples=20)
@given(st.integers(1, 3), kill_points, seeds)
def test_members_that_are_compared_end_alike_however_often_the_run_is_killed(
    interval: int, kills: list[int], turns: int
) -> None:
    now = comparing(interval=interval, exploit=Tournament())
    whole = Compared(now).go()
    cut = run_with_kills(now, kills, turns, kind=Compared, faults=0.05)
    assert cut.end() == whole.end()
    assert cut.decisions() == whole.decisions()
    assert replayed(cut).members == cut.population.members
    assert [r.by for r in whole.decisions() if isinstance(r, records.Mutation)]


# Curricula that members run by themselves


def test_a_copy_of_a_donor_with_many_levels_has_its_sketch() -> None:
    group = started(rules(size=2, curriculum=Own()))
    many = [_many(seed) for seed in range(2)]
    for member, sketch in enumerate(many):
        move = records.Mutation(
            **who(member, 2), revision=1, by="curriculum", why="its own",
            before=CARTPOLE.initial().to_json(), after=sketch.to_json(),
        )  # fmt: skip
        apply_all(group, [trained(member, 2), move, *saved(member, 2, float(member))])
    exploit, mutation, _ = decided(group)
    assert isinstance(exploit, records.Exploit)
    assert isinstance(mutation, records.Mutation)
    assert (mutation.before, mutation.after) == (many[0].to_json(), many[1].to_json())
    assert (mutation.revision, mutation.by, mutation.state) == (2, "scheduler", {})
    assert group.members[0].distribution == group.members[1].distribution == many[1]


def _many(seed: int) -> Sketch:
    rng = generator("many", seed)
    levels = tuple(CARTPOLE.full().sample(rng) for _ in range(20))
    found = journalled(Levels(CARTPOLE, levels, (1.0,) * 20))
    assert isinstance(found, Sketch)
    return found


def test_an_async_copy_takes_what_its_donor_saved_not_what_it_has_moved_to_since() -> None:
    group = started(rules(size=2, mode="async", curriculum=Own()))
    member_scores(group, {1: 9.0}, 2)
    decided(group)
    at_the_checkpoint = group.members[1].distribution
    move = records.Mutation(
        **who(1, 3), revision=1, by="curriculum", why="its own",
        before=CARTPOLE.initial().to_json(), after=CARTPOLE.full().to_json(),
    )  # fmt: skip
    apply_all(group, [trained(1, 3), move])
    assert group.members[1].distribution == CARTPOLE.full() != at_the_checkpoint
    member_scores(group, {0: 1.0}, 2)
    exploit, _ = decided(group)
    assert isinstance(exploit, records.Exploit)
    assert exploit.checkpoint == "m1/2"
    assert group.members[0].distribution == at_the_checkpoint


@settings(max_examples=20)
@given(kill_points, seeds)
def test_async_members_with_curricula_of_their_own_go_on_after_every_kill(
    kills: list[int], turns: int
) -> None:
    now = rules(curriculum=Own(), mode="async")
    run = run_with_kills(now, kills, turns, faults=0.1, pauses=0.05)
    assert all(run.population.done(member) for member in range(now.size))
    for member, state in run.population.members.items():
        path = list(range(1, state.revision + 1))
        assert [move.revision for move in taken(run, member)] == path


def taken(run: Run, member: int) -> list[records.Mutation]:
    """A member's mutations, but for those of iterations that were lost and trained again."""
    moves: list[records.Mutation] = []
    for record in run.journal.records:
        if isinstance(record, records.Result) and record.member == member:
            moves = [move for move in moves if move.iteration < record.iteration]
        if isinstance(record, records.Mutation) and record.member == member:
            moves.append(record)
    return moves


# What explorers are told


@dataclass(frozen=True)
class Listening:
    """Keeps what it is told, and changes nothing."""

    told: list[tuple[Sequence[Interval], Now | None]] = field(default_factory=list)

    def explore(
        self,
        values: Mapping[str, Any],
        search: Search,
        rng: np.random.Generator,
        history: Sequence[Interval] = (),
        now: Now | None = None,
    ) -> dict[str, Any]:
        self.told.append((history, now))
        return {name: values[name] for name in search}


def test_an_explorer_is_told_what_it_begins_from() -> None:
    explorer = Listening()
    group = started(rules(size=2, explore=explorer))
    member_scores(group, {0: 5.0, 1: 9.0}, 2)
    decided(group)
    member_scores(group, {0: 7.0, 1: 8.0}, 4)
    decided(group)
    (begun, first), (intervals, second) = explorer.told
    assert (first, second) == (Now(2, 9.0), Now(4, 8.0))
    # The other one goes on with what it has.
    assert [(each.member, each.before, each.after) for each in begun] == [(1, 9.0, None)]
    # The loser began with its donor's score.
    assert [(each.member, each.before, each.after) for each in intervals] == [
        (0, 9.0, 7.0),
        (1, 9.0, 8.0),
        (1, 8.0, None),
    ]


def test_an_explorer_is_told_what_it_gave_to_others_at_the_same_boundary() -> None:
    explorer = Listening()
    group = started(rules(size=4, explore=explorer, exploit=Truncation(0.5)))
    member_scores(group, {0: 1.0, 1: 2.0, 2: 8.0, 3: 9.0}, 2)
    exploits = [each for each in decided(group) if isinstance(each, records.Exploit)]
    (first, _), (second, _) = explorer.told
    assert [each.member for each in first] == [2, 3]
    assert [each.member for each in second] == [2, 3, 0]
    assert second[-1].values == exploits[0].after


def test_a_copy_of_a_member_that_copies_somebody_itself_begins_with_its_donors_score() -> None:
    group = started(rules(size=3, explore=Listening(), stop=Stop(iterations=99)))
    scores = {0: 5.0, 1: 3.0, 2: 1.0}
    member_scores(group, scores, 2)
    exploits = [
        records.Exploit(
            **who(loser, 2), donor=donor, checkpoint=f"m{donor}/2", digest=f"d{donor}-2",
            saved=f"m{loser}/2", before={}, after=group.members[donor].hyperparameters,
        )
        for loser, donor in ((1, 0), (2, 1))
    ]  # fmt: skip
    after = records.Boundary(
        arm=group.arm, seed=group.seed, iteration=2, members=(0, 1, 2), ranking=()
    )
    apply_all(group, [*exploits, after])
    began = {each.member: each.before for each in group.intervals.history()}
    assert began == {0: 5.0, 1: 5.0, 2: 3.0}
    assert SEARCH.keys() <= group.members[2].hyperparameters.keys()


# A member alone, by a schedule

LAYERS = [64, 64]
ALONE = rules(
    size=1,
    search={},
    curriculum=Own(),
    exploit=Itself(),
    explore=Prescribed(((0, {"lr": 0.1, "layers": LAYERS}), (4, {"lr": 0.2}), (5, {"lr": 0.3}))),
)


def test_a_member_copies_itself_where_its_hyperparameters_change() -> None:
    group = started(ALONE)
    found = {}
    for iteration in (2, 4, 6, 8):
        member_scores(group, {0: 1.0}, iteration)
        entry = decided(group)
        found[iteration] = [each for each in entry if not isinstance(each, records.Boundary)]
    ((first,), (second,), (third,), last) = found.values()
    assert last == []
    for iteration, each, lr in ((2, first, 0.1), (4, second, 0.2), (6, third, 0.3)):
        assert isinstance(each, records.Exploit)
        assert (each.member, each.donor, each.iteration) == (0, 0, iteration)
        assert each.checkpoint == each.saved == f"m0/{iteration}"
        assert each.after == {"lr": lr, "layers": LAYERS}
    assert group.members[0].hyperparameters["lr"] == 0.3


def test_what_it_has_already_is_no_change() -> None:
    group = started(ALONE)
    for record in group.first([({"lr": 0.1, "layers": LAYERS}, CARTPOLE.full())], "schedule"):
        apply_all(group, [record])
    member_scores(group, {0: 1.0}, 2)
    assert [type(each) for each in decided(group)] == [records.Boundary]


def test_a_member_without_a_score_keeps_to_its_schedule() -> None:
    group = started(ALONE)
    member_scores(group, {0: math.nan}, 4)
    exploit, _ = decided(group)
    assert isinstance(exploit, records.Exploit)
    assert exploit.after["lr"] == 0.2


@settings(max_examples=30)
@given(kills=kill_points, turns=seeds)
def test_a_schedule_that_was_killed_anywhere_ends_as_one_that_was_not(
    kills: list[int], turns: int
) -> None:
    whole = Run(ALONE).go()
    run = run_with_kills(ALONE, kills, turns)
    assert run.end() == whole.end()
    exploits = [each for each in run.decisions() if isinstance(each, records.Exploit)]
    assert [(each.iteration, each.after["lr"]) for each in exploits] == [
        (2, 0.1), (4, 0.2), (6, 0.3)
    ]  # fmt: skip
