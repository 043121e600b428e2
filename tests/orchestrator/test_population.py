"""The state is a fold over the journal; whoever dies goes on as if nothing had been."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from distribution_catalogue import CARTPOLE, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_population import (
    ARM,
    SEED,
    Own,
    Run,
    apply_all,
    member_scores,
    replayed,
    resumed,
    rules,
    run_with_kills,
    saved,
    started,
    trained,
    who,
)

from orchestrator import decisions, population, records
from orchestrator.curricula import DomainRandomization, Evolving, Widen
from orchestrator.curricula.tally import Tally
from orchestrator.distributions import distribution_from_json
from orchestrator.exploit import NoExploit
from orchestrator.knobs import Range
from orchestrator.member_state import Rules
from orchestrator.population import Population
from orchestrator.seeding import generator
from orchestrator.stop import Stop

kill_points = st.lists(st.integers(1, 90), max_size=6)
stops = st.sampled_from(
    [Stop(iterations=7), Stop(iterations=8), Stop(env_steps=700), Stop(iterations=9, score=95.0)]
)


@st.composite
def populations(draw: st.DrawFn) -> Rules:
    changes = {} if draw(st.booleans()) else {"curriculum": Own()}
    size, interval = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return rules(size=size, interval=interval, stop=draw(stops), **changes)


def go_on(run: Run, now: Rules, turns: int) -> Run:
    """Resume an ended run in one more process, under other rules perhaps."""
    run.journal.kills.clear()
    return Run(now, run.journal, run.disk, turns).go()


# Lives, deaths and replays


@settings(max_examples=40)
@given(populations(), kill_points, seeds)
def test_a_killed_and_resumed_sync_run_ends_as_one_that_was_not(
    now: Rules, kills: list[int], turns: int
) -> None:
    whole, cut = Run(now).go(), run_with_kills(now, kills, turns, pauses=0.05)
    assert cut.end() == whole.end()
    assert cut.decisions() == whole.decisions()


@settings(max_examples=25)
@given(populations(), kill_points, seeds)
def test_retried_faults_leave_no_trace_in_a_sync_run(
    now: Rules, kills: list[int], turns: int
) -> None:
    whole, faulty = Run(now).go(), run_with_kills(now, kills, turns, faults=0.15)
    assert faulty.end() == whole.end()
    assert faulty.decisions() == whole.decisions()


@settings(max_examples=40)
@given(populations(), st.sampled_from(["sync", "async"]), kill_points, seeds)
def test_reading_the_journal_gives_what_living_through_it_gave(
    now: Rules, mode: Literal["sync", "async"], kills: list[int], turns: int
) -> None:
    now = replace(now, mode=mode)
    run = run_with_kills(now, kills, turns, faults=0.1, give_up=0.02, pauses=0.03)
    again = replayed(run)
    assert again.members == run.population.members
    assert again.restore_points() == run.population.restore_points()


@settings(max_examples=40)
@given(populations(), kill_points, seeds)
def test_every_async_member_reaches_its_end(now: Rules, kills: list[int], turns: int) -> None:
    run = run_with_kills(replace(now, mode="async"), kills, turns, faults=0.1, pauses=0.03)
    assert all(run.population.done(member) for member in range(now.size))
    assert not any(state.failed for state in run.population.members.values())


@settings(max_examples=40)
@given(populations(), kill_points, seeds)
def test_members_given_up_never_hold_up_the_others(
    now: Rules, kills: list[int], turns: int
) -> None:
    run = run_with_kills(now, kills, turns, give_up=0.1)
    # In a new process they get another chance, and catch up.
    again = go_on(run, now, turns)
    assert again.population.live() == []
    assert not any(state.failed for state in again.population.members.values())


@settings(max_examples=30)
@given(populations(), st.integers(1, 9), st.integers(0, 6), kill_points, seeds)
def test_an_extended_run_equals_one_that_was_longer_from_the_start(
    now: Rules, first: int, more: int, kills: list[int], turns: int
) -> None:
    short = replace(now, stop=Stop(iterations=first))
    long = replace(now, stop=Stop(iterations=first + more))
    begun = run_with_kills(short, kills, turns)
    extended = go_on(begun, long, turns)
    whole = Run(long).go()
    assert extended.end() == whole.end()
    assert extended.decisions() == whole.decisions()


@pytest.mark.parametrize("order", range(1, 6))
def test_the_order_of_turns_is_of_no_account_in_sync_mode(order: int) -> None:
    one, other = Run(rules()).go(), Run(rules(), turns=order).go()
    assert one.end() == other.end()
    assert one.decisions() == other.decisions()


def test_the_simulated_runs_are_eventful() -> None:
    kinds = {(type(r), getattr(r, "by", "")) for r in Run(rules()).go().decisions()}
    assert kinds == {
        (records.Exploit, ""),
        (records.Mutation, "scheduler"),
        (records.Mutation, "callback"),
        (records.Boundary, ""),
    }


def test_the_simulation_notices_one_changed_hyperparameter() -> None:
    run = Run(rules())
    plain = run.go().end()
    other = Run(rules())
    other.population.rules = replace(rules(), exploit=NoExploit())
    assert other.go().end() != plain


# Beginnings


def test_members_begin_untrained() -> None:
    state = started(rules(size=2)).members[1]
    assert state.key == (ARM, SEED, 1)
    assert (state.iteration, state.revision, state.env_steps, state.faults) == (0, 0, 0, 0)
    assert (state.restore_point, state.own, state.score) == (None, None, None)
    assert not state.failed


def test_plain_says_where_a_new_process_has_to_stand() -> None:
    group = started(rules(size=2))
    fresh = group.members[0].plain()
    assert fresh["checkpoint"] is fresh["digest"] is None
    group.apply(trained(0, 2))
    apply_all(group, saved(0, 2, 5.0))
    plain = json.loads(json.dumps(group.members[0].plain()))
    assert {**plain, "hyperparameters": 0, "distribution": 0} == {
        "arm": ARM,
        "seed": SEED,
        "member": 0,
        "iteration": 2,
        "env_steps": 200,
        "minutes": 0.1,
        "hyperparameters": 0,
        "distribution": 0,
        "revision": 0,
        "checkpoint": "m0/2",
        "digest": "d0-2",
    }
    there = distribution_from_json(group.rules.space, plain["distribution"])
    assert there == group.members[0].distribution


def test_records_of_other_populations_are_passed_over() -> None:
    group = started(rules())
    before = dict(group.members)
    for alien in ({"arm": "other"}, {"seed": 8}):
        group.apply(replace(trained(0, 1), **alien))
        boundary = records.Boundary(
            arm=ARM, seed=SEED, iteration=2, members=(0,), ranking=((0, 1.0),)
        )
        group.apply(replace(boundary, **alien))
    group.apply(records.RunEnded(status="finished"))
    assert group.members == before


def test_a_fault_of_nobody_is_passed_over() -> None:
    group = started(rules())
    before = dict(group.members)
    group.apply(records.Fault(**who(-1, 0), where="hook", error="!", action="retried"))
    assert group.members == before


def test_the_test_suite_is_never_seen() -> None:
    group = started(rules())
    group.apply(records.Score(**who(0, 2), score=1.0, suite="test", returns=(1.0,)))
    assert group.members[0].score is None


# Waiting, due, done


def test_sync_members_are_due_together() -> None:
    group = started(rules(size=3))
    member_scores(group, {0: 1.0, 2: 3.0}, 2)
    assert [group.waiting(member) for member in range(3)] == [True, False, True]
    assert group.due() == []
    member_scores(group, {1: 2.0}, 2)
    assert group.due() == [0, 1, 2]


def test_async_members_are_due_alone() -> None:
    group = started(rules(size=3, mode="async"))
    member_scores(group, {1: 2.0}, 2)
    assert group.due() == [1]
    apply_all(group, group.decide([1]))
    assert group.due() == []


def test_a_single_member_is_due_and_goes_on_as_it_is() -> None:
    group = started(rules(size=1))
    member_scores(group, {0: 1.0}, 2)
    assert group.due() == [0]
    (boundary,) = group.decide([0])
    assert isinstance(boundary, records.Boundary)
    apply_all(group, [boundary])
    assert not group.waiting(0)
    assert group.due() == []


def test_nobody_waits_between_boundaries() -> None:
    group = started(rules(size=1, interval=3))
    for iteration in (1, 2):
        group.apply(trained(0, iteration))
        apply_all(group, saved(0, iteration, 1.0))
        assert not group.waiting(0)


def test_a_failed_member_is_not_waited_for_nor_copied() -> None:
    group = started(rules(size=3))
    member_scores(group, {0: 1.0, 1: 2.0, 2: 99.0}, 2)
    group.apply(records.Fault(**who(2, 2), where="member", error="!", action="failed"))
    assert group.done(2)
    assert group.live() == group.due() == [0, 1]
    exploit, *_ = group.decide(group.due())
    assert isinstance(exploit, records.Exploit)
    assert (exploit.member, exploit.donor) == (0, 1)


def test_a_member_finished_by_its_score_is_not_waited_for_but_may_be_copied() -> None:
    group = started(rules(size=3, stop=Stop(iterations=20, score=100.0)))
    member_scores(group, {0: 1.0, 1: 2.0}, 2)
    assert group.due() == []
    member_scores(group, {2: 100.0}, 2)
    assert group.done(2)
    assert group.due() == [0, 1]
    exploits = [r for r in group.decide([0, 1]) if isinstance(r, records.Exploit)]
    assert [(r.member, r.donor) for r in exploits] == [(0, 2)]


@pytest.mark.parametrize(
    "stop", [Stop(iterations=2), Stop(env_steps=200), Stop(minutes=0.2), Stop(score=3.0)]
)
def test_done_members_have_nothing_left_to_do(stop: Stop) -> None:
    group = started(rules(size=1, stop=stop))
    group.apply(trained(0, 1))
    assert not group.done(0)
    member_scores(group, {0: 3.0}, 2)
    assert group.done(0)
    assert group.live() == group.due() == []
    assert not group.waiting(0)


def test_a_member_that_was_put_back_catches_up_alone() -> None:
    group = started(rules(size=3, stop=Stop(iterations=20)))
    group.apply(records.Fault(**who(0, 1), where="member", error="!", action="failed"))
    for iteration in (2, 4):
        member_scores(group, {1: 1.0, 2: 2.0}, iteration)
        apply_all(group, group.decide(group.due()))
    group.apply(resumed())
    assert group.live() == [0, 1, 2]
    member_scores(group, {1: 1.0, 2: 2.0}, 6)
    assert group.due() == []
    for iteration in (2, 4):
        member_scores(group, {0: 9.0}, iteration)
        assert group.due() == [0]
        apply_all(group, group.decide([0]))
    member_scores(group, {0: 9.0}, 6)
    assert group.due() == [0, 1, 2]


# Decisions


def test_the_bottom_becomes_a_changed_copy_of_the_top() -> None:
    group = started(rules())
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    top = group.members[1]
    before = group.members[2]
    exploit, *rest = group.decide([0, 1, 2, 3])
    assert isinstance(exploit, records.Exploit)
    assert (exploit.member, exploit.donor, exploit.iteration) == (2, 1, 2)
    assert (exploit.checkpoint, exploit.digest, exploit.saved) == ("m1/2", "d1-2", "m2/2")
    assert exploit.before == before.hyperparameters
    assert exploit.after != exploit.before
    assert all(knob.legal(exploit.after[name]) for name, knob in group.rules.search.items())
    boundary = rest[-1]
    assert isinstance(boundary, records.Boundary)
    assert boundary.ranking == ((1, 9.0), (3, 7.0), (0, 5.0), (2, 1.0))
    apply_all(group, [exploit, *rest])
    after = group.members[2]
    assert after.restore_point is not None
    assert after.restore_point.path == "m1/2"
    assert after.own == before.own
    assert after.hyperparameters == exploit.after
    assert (after.score, after.iteration, after.decided_at) == (None, 2, 2)
    assert group.members[1] == replace(top, decided_at=2, quiet=1)


def test_an_exploit_mutates_the_donors_distribution() -> None:
    group = started(rules())
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    _, mutation, _ = group.decide([0, 1, 2, 3])
    assert isinstance(mutation, records.Mutation)
    assert (mutation.member, mutation.revision, mutation.by) == (2, 1, "scheduler")
    assert mutation.why.endswith(" of m1's")
    assert mutation.before == group.members[2].distribution.to_json()
    apply_all(group, [mutation])
    assert group.members[2].revision == 1
    assert group.members[2].distribution.to_json() == mutation.after


def test_an_exploit_that_leaves_the_distribution_makes_no_revision() -> None:
    group = started(rules(curriculum=DomainRandomization()))
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    kinds = [type(record) for record in group.decide([0, 1, 2, 3])]
    assert kinds == [records.Exploit, records.Boundary]


def test_decisions_change_nothing_until_they_are_taken_in() -> None:
    group = started(rules())
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    before = dict(group.members)
    first = group.decide(group.due())
    assert group.members == before
    assert group.decide(group.due()) == first


def test_a_score_that_was_not_finite_ranks_last_and_is_journalled_as_none() -> None:
    group = started(rules())
    member_scores(group, {0: 5.0, 1: -math.inf, 2: 1.0, 3: 7.0}, 2)
    assert group.members[1].score == -math.inf
    decisions = group.decide([0, 1, 2, 3])
    exploit, boundary = decisions[0], decisions[-1]
    assert isinstance(exploit, records.Exploit)
    assert isinstance(boundary, records.Boundary)
    assert (exploit.member, exploit.donor) == (1, 3)
    assert boundary.ranking == ((3, 7.0), (0, 5.0), (2, 1.0), (1, None))
    json.dumps(records.to_json(boundary), allow_nan=False)


def test_async_members_due_at_different_iterations_are_each_decided_at_their_own() -> None:
    group = started(rules(size=2, mode="async"))
    member_scores(group, {0: 1.0}, 2)
    member_scores(group, {1: 1.0}, 4)
    apply_all(group, group.decide(group.due()))
    assert [state.decided_at for state in group.members.values()] == [2, 4]
    member_scores(group, {0: 1.0}, 4)
    assert group.due() == [0]


# Widening


def widening(above: float = 50.0) -> Population:
    curriculum = Evolving(widen=Widen(above=above, by=0.5, min_episodes=20))
    return started(rules(size=1, interval=1, curriculum=curriculum, stop=Stop(iterations=99)))


def tally(group: Population) -> Tally:
    return Tally.from_json(group.members[0].curriculum)


def widen_at(group: Population, iteration: int, mean: float) -> list[records.Mutation]:
    """One iteration of ten episodes, its boundary, and what the callback makes of it."""
    revision = group.members[0].revision
    group.apply(trained(0, iteration, mean, episodes=10, revision=revision))
    apply_all(group, saved(0, iteration, 1.0))
    assert group.moves() == []
    apply_all(group, group.decide(group.due()))
    found = group.moves()
    apply_all(group, found)
    assert group.moves() == []
    assert all(isinstance(record, records.Mutation) for record in found)
    return [record for record in found if isinstance(record, records.Mutation)]


def test_widening_is_earned_once_for_each_threshold_and_starts_anew() -> None:
    group = widening()
    assert widen_at(group, 1, 60.0) == []
    assert tally(group) == Tally(10, 60.0)
    (first,) = widen_at(group, 2, 40.0)
    assert (first.revision, first.by) == (1, "callback")
    assert first.why == "widen: return 50 of 50 over 20 of 20 episodes"
    assert tally(group) == Tally()
    assert group.members[0].revision == 1
    assert widen_at(group, 3, 90.0) == []
    (second,) = widen_at(group, 4, 90.0)
    assert second.revision == 2
    # Two steps of half the width: everything is legal, and no revision follows.
    assert widen_at(group, 5, 90.0) == widen_at(group, 6, 90.0) == widen_at(group, 7, 90.0) == []
    assert group.next_move(0) == "as wide as is legal"


def test_episodes_of_an_older_revision_earn_nothing() -> None:
    group = widening()
    group.apply(trained(0, 1, 90.0, episodes=50, revision=3))
    assert tally(group) == Tally()


def test_without_episodes_there_is_no_mean() -> None:
    group = widening()
    group.apply(trained(0, 1, 90.0, episodes=0))
    assert tally(group) == Tally()


def test_the_mean_weighs_episodes_equally() -> None:
    group = widening()
    group.apply(trained(0, 1, 10.0, episodes=1))
    group.apply(trained(0, 2, 20.0, episodes=3))
    assert tally(group) == Tally(4, 17.5)


# Curricula that members run by themselves


def moved(member: int, iteration: int, revision: int, low: float) -> records.Mutation:
    before, after = CARTPOLE.initial(), CARTPOLE.initial()
    after = replace(after, marginals={**after.marginals, "gravity": Range(low, 20.0)})
    return records.Mutation(
        **who(member, iteration), revision=revision, by="curriculum", why="its own",
        before=before.to_json(), after=after.to_json(),
    )  # fmt: skip


def test_a_members_own_move_holds_with_its_next_checkpoint() -> None:
    group = started(rules(size=1, curriculum=Own()))
    apply_all(group, [trained(0, 1), moved(0, 1, 1, 6.0)])
    assert group.members[0].revision == 1
    group.apply(records.Fault(**who(0, 1), where="member", error="!", action="retried"))
    assert (group.members[0].revision, group.members[0].iteration) == (0, 0)
    again = [trained(0, 1), moved(0, 1, 1, 6.0), trained(0, 2), *saved(0, 2, 5.0)]
    apply_all(group, [*again, trained(0, 3), moved(0, 3, 2, 7.0)])
    group.apply(records.Fault(**who(0, 3), where="member", error="!", action="retried"))
    assert (group.members[0].revision, group.members[0].iteration) == (1, 2)


def test_a_copy_takes_over_its_donors_distribution_and_curriculum() -> None:
    group = started(rules(curriculum=Own()))
    for member in range(4):
        apply_all(group, [trained(member, 1), moved(member, 1, 1, 6.0 + member)])
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    exploit, mutation, boundary = group.decide([0, 1, 2, 3])
    assert isinstance(mutation, records.Mutation)
    assert (mutation.member, mutation.revision, mutation.by) == (2, 2, "scheduler")
    assert mutation.why == "m1's"
    apply_all(group, [exploit, mutation, boundary])
    assert group.members[2].distribution == group.members[1].distribution
    assert group.moves() == []


def test_members_that_run_their_curriculum_say_how_far_the_next_move_is() -> None:
    group = started(rules(size=1, curriculum=Own(), interval=1, stop=Stop(iterations=99)))
    assert group.next_move(0) == "begins"
    for iteration in range(1, 5):
        seen = replace(trained(0, iteration), next_move="return 3 of 9", waits=True)
        apply_all(group, [seen, *saved(0, iteration, 1.0)])
        (boundary,) = group.decide([0])
        assert isinstance(boundary, records.Boundary)
        stalls = "" if iteration <= 3 else "stalls for 3 boundaries: "
        assert boundary.next_moves == (f"{stalls}return 3 of 9",)
        group.apply(boundary)
    apply_all(group, [trained(0, 5), moved(0, 5, 1, 6.0)])
    assert group.members[0].quiet == 0


# A reference, and regret


def test_the_reference_copies_nobody_and_keeps_its_distribution() -> None:
    group = started(rules(reference=2))
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    decided = group.decide([0, 1, 2, 3])
    assert [type(record) for record in decided] == [records.Boundary]
    widen = Evolving(widen=Widen(above=1.0, by=0.5, min_episodes=1))
    group = started(rules(size=2, reference=0, interval=1, curriculum=widen))
    for member in range(2):
        apply_all(group, [trained(member, 1, 50.0), *saved(member, 1, 1.0)])
    apply_all(group, group.decide(group.due()))
    assert [m.member for m in group.moves() if isinstance(m, records.Mutation)] == [1]


def test_regret_is_how_much_better_the_best_member_did_on_each_level() -> None:
    suite = tuple(CARTPOLE.full().sample(generator(n)) for n in range(3))
    group = started(rules(size=2, select=suite))
    for member, returns in enumerate([(1.0, 5.0, None), (3.0, 2.0, 7.0)]):
        score = records.Score(**who(member, 2), score=1.0, suite="select", returns=returns)
        group.apply(score)
    assert decisions.regrets(group, 0) == ((suite[0], 2.0), (suite[1], 0.0))
    assert decisions.regrets(group, 1) == ((suite[0], 0.0), (suite[1], 3.0), (suite[2], 0.0))


# Faults and new processes


def test_a_retried_member_stands_at_its_last_boundary() -> None:
    group = started(rules())
    member_scores(group, {0: 5.0, 1: 9.0, 2: 1.0, 3: 7.0}, 2)
    apply_all(group, group.decide(group.due()))
    there = group.members[2]
    group.apply(trained(2, 3))
    group.apply(records.Fault(**who(2, 3), where="member", error="!", action="retried"))
    assert group.members[2] == replace(there, faults=1)
    group.apply(records.Fault(**who(2, 3), where="member", error="!", action="retried"))
    assert group.members[2].faults == 2


def test_a_checkpoint_between_boundaries_is_where_an_async_run_goes_on() -> None:
    for mode, iteration in (("sync", 2), ("async", 3)):
        group = started(rules(mode=mode))
        member_scores(group, {0: 5.0}, 2)
        group.apply(trained(0, 3))
        group.apply(replace(saved(0, 3, None)[1]))
        group.apply(resumed())
        assert group.members[0].iteration == iteration


def test_a_new_process_forgives_faults_and_keeps_the_finished() -> None:
    group = started(rules(size=2, stop=Stop(iterations=3)))
    for iteration in (2, 3):
        member_scores(group, {0: 5.0}, iteration)
    group.apply(records.Fault(**who(1, 0), where="member", error="!", action="failed"))
    finished = group.members[0]
    group.apply(resumed())
    assert group.members[0] == finished
    assert group.members[1] == started(rules(size=2)).members[1]


def test_the_population_reads_no_clock_and_no_files() -> None:
    tree = ast.parse(Path(population.__file__).read_text())
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported <= {"math"}
