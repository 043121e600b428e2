"""Ways in which stock Ray loses models, on real runs: each test is one row of ``make faults``."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from typing import Any

import pytest
from hurt_runs import LAST, TakenUp
from real_runs import Ended, RunOnDisk

from orchestrator import checkpoints

pytestmark = pytest.mark.ray

Hurt = tuple[RunOnDisk, Ended]


def ends_alike(run: RunOnDisk, reference: Hurt) -> None:
    """Weights, scores and decisions are those of the run that was left alone."""
    expected, _ = reference
    assert run.weights(LAST) == expected.weights(LAST)
    assert run.decisions() == expected.decisions()


def kept(run: RunOnDisk) -> list[dict[str, Any]]:
    """Journalled checkpoints that were not pruned."""
    pruned = {record["digest"] for record in run.of("prune")}
    return [record for record in run.of("checkpoint") if record["digest"] not in pruned]


def all_verify(run: RunOnDisk, records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        checkpoints.verify(run.path / record["path"], record["digest"])


def test_row_1_a_donors_checkpoint_is_there_for_whoever_copies_it(reference: Hurt) -> None:
    """The loser's next checkpoint descends from the donor's; nobody failed to load one."""
    run, ended = reference
    assert ended.code == 0
    assert run.of("exploit")
    assert not run.of("fault")
    for exploit in run.of("exploit"):
        after = run.of("checkpoint", member=exploit["member"], iteration=exploit["iteration"] + 2)
        for record in after:
            if (run.path / record["path"]).exists():
                assert run.manifest(record)["parent"]["digest"] == exploit["digest"]


def test_row_3_a_hook_that_raises_loses_no_model(raising_hooks: Hurt) -> None:
    """Every member's checkpoints of every boundary are journalled and whole."""
    run, ended = raising_hooks
    assert ended.code == 0, ended.err
    assert len(kept(run)) == 3 * LAST / 2
    all_verify(run, kept(run))


def test_row_4_a_hook_that_raises_does_not_end_the_run_and_does_not_hide(
    raising_hooks: Hurt,
) -> None:
    """The run finishes; the fault is in the journal and on the screen."""
    run, ended = raising_hooks
    assert run.journal[-1]["status"] == "finished"
    assert {fault["error"] for fault in run.of("fault")} == {"ValueError: a bug in a hook"}
    assert {fault["where"] for fault in run.of("fault")} >= {"PopulationMutation.on_trial_result"}
    assert "a bug in a hook" in ended.out


def test_row_5_truncated_state_files_of_tunes_change_nothing(
    taken_up: TakenUp, reference: Hurt
) -> None:
    """Resumed, the same members go on; nothing starts anew."""
    assert taken_up.ended.code == 0, taken_up.ended.err
    assert len(taken_up.run.of("run")) == len(taken_up.run.of("resume")) == 1
    assert len(taken_up.run.of("member")) == 3
    ends_alike(taken_up.run, reference)


def test_row_6_missing_state_files_of_tunes_change_nothing(taken_up: TakenUp) -> None:
    """Some were deleted, a trial's whole folder among them."""
    assert not list((taken_up.run.path / "tune" / "leg-1").glob("main-seed0-m0"))
    assert taken_up.ended.code == 0


def test_row_7_a_resumed_population_remembers(taken_up: TakenUp, reference: Hurt) -> None:
    """Scores, cadence and who copied whom are those of a run that was never killed."""
    expected, _ = reference
    for kind in ("boundary", "exploit", "mutation"):
        seen = {(r["iteration"], r.get("member")) for r in taken_up.run.of(kind)}
        assert seen == {(r["iteration"], r.get("member")) for r in expected.of(kind)}


def test_row_8_a_synchronous_population_resumes(taken_up: TakenUp) -> None:
    """It passes every later boundary, all members together."""
    after = taken_up.run.journal[taken_up.killed_at :]
    boundaries = [r for r in after if r["kind"] == "boundary"]
    assert boundaries[-1]["iteration"] == LAST - 2
    assert all(record["members"] == [0, 1, 2] for record in boundaries)


def test_row_9_a_retried_member_keeps_its_place(wounded: Hurt, reference: Hurt) -> None:
    """Killed and put back, it competes with the score and history that it had."""
    run, ended = wounded
    assert ended.code == 0, ended.err
    assert [fault["action"] for fault in run.of("fault")] == ["retried"]
    ends_alike(run, reference)


def test_row_10_a_crashed_member_does_not_block_the_others(wounded: Hurt) -> None:
    """Every boundary was decided, for all members."""
    run, _ = wounded
    assert [record["iteration"] for record in run.of("boundary")] == [2, 4, 6]


def test_row_11_a_moved_run_goes_on_after_an_exploit(
    taken_up: TakenUp, reference: Hurt, place: Any
) -> None:
    """Another directory, another name; `show` and `evaluate` read it too."""
    assert taken_up.run.of("exploit")
    for record in taken_up.run.journal:
        if record["kind"] in ("checkpoint", "exploit", "prune"):
            assert record.get("path", record.get("checkpoint")).startswith("members/")
    ends_alike(taken_up.run, reference)
    shown = place("reader")("show", taken_up.run.path)
    assert shown.code == 0
    assert str(taken_up.run.path) in shown.out


def test_row_12_a_hard_kill_costs_no_finished_interval(taken_up: TakenUp) -> None:
    """Each member goes on from its newest journalled boundary on disk."""
    before = taken_up.run.journal[: taken_up.killed_at]
    after = taken_up.run.journal[taken_up.killed_at :]
    for member in range(3):
        saved = max((r["iteration"] for r in before if _is(r, "checkpoint", member)), default=0)
        results = [r["iteration"] for r in after if _is(r, "result", member)]
        assert min(results) == saved + 1


def test_row_13_signals_save_every_member(
    interrupted: tuple[RunOnDisk, list[Ended]], reference: Hurt
) -> None:
    """SIGTERM, SIGINT: saved, exit code 143, 130; a second one: at once; resumable each time."""
    run, ends = interrupted
    term, interrupt, both, end = (ended.code for ended in ends)
    assert (term, interrupt, end) == (128 + signal.SIGTERM, 128 + signal.SIGINT, 0)
    assert both in (term, interrupt)
    stops = [place for place, record in enumerate(run.journal) if record["kind"] == "end"]
    assert [run.journal[stop]["status"] for stop in stops] == ["stopped", "stopped", "finished"]
    for stop in stops[:2]:
        leg = run.journal[:stop]
        for member in range(3):
            trained = [r["iteration"] for r in leg if _is(r, "result", member)]
            saved = [r["iteration"] for r in leg if _is(r, "checkpoint", member)]
            # A member that had not begun has nothing to save.
            assert not trained or max(trained) in saved
    ends_alike(run, reference)


def test_row_15_a_process_takes_another_member_in(two_seats: Hurt, reference: Hurt) -> None:
    """Three members in two processes: nobody ends in an error, the end is the same."""
    run, ended = two_seats
    assert ended.code == 0, ended.err
    assert not run.of("fault")
    ends_alike(run, reference)


def test_row_16_no_member_is_starved_by_others_that_wait(two_seats: Hurt) -> None:
    """No member ever leads another by more than an interval."""
    run, _ = two_seats
    standing = dict.fromkeys(range(3), 0)
    for record in run.of("result"):
        standing[record["member"]] = record["iteration"]
        assert max(standing.values()) - min(standing.values()) <= 2


def test_row_20_an_envs_distribution_is_part_of_the_checkpoint(reference: Hurt) -> None:
    """Distribution and revision of the member, as the journal has them at that time."""
    run, _ = reference
    for record in kept(run):
        manifest = run.manifest(record)
        earlier = run.journal[: run.journal.index(record)]
        changes = [r for r in earlier if _is(r, "mutation", record["member"])]
        assert manifest["revision"] == len(changes)
        if changes:
            assert manifest["distribution"] == changes[-1]["to"]


def test_row_21_no_env_runner_trains_on_with_an_older_distribution(lost_runner: Hurt) -> None:
    """One was killed: the member went back to its boundary; episodes tell their revision."""
    run, ended = lost_runner
    assert ended.code == 0, ended.err
    present = {0: 0, 1: 0}
    for record in run.journal:
        if record["kind"] == "mutation":
            present[record["member"]] = record["revision"]
        elif record["kind"] == "result":
            assert set(record["revisions"]) <= {str(present[record["member"]])}


def test_row_23_members_survive_the_loss_of_their_env_runners(lost_runner: Hurt) -> None:
    """The member recovered from its newest checkpoint; both finished."""
    run, _ = lost_runner
    assert {fault["action"] for fault in run.of("fault")} == {"retried"}
    assert set(run.weights(6)) == {("main", 0, 0), ("main", 0, 1)}


def test_row_25_success_is_judged_by_members_and_checkpoints(reference: Hurt) -> None:
    """Exit code 0, every member at its last iteration, every checkpoint whole."""
    run, ended = reference
    assert ended.code == 0
    assert {record["member"] for record in run.of("checkpoint", iteration=LAST)} == {0, 1, 2}
    all_verify(run, kept(run))


def test_row_26_a_loser_is_saved_before_it_is_displaced(reference: Hurt) -> None:
    """Its own last checkpoint precedes the exploit in the journal."""
    run, _ = reference
    for exploit in run.of("exploit"):
        earlier = run.journal[: run.journal.index(exploit)]
        saved = [r for r in earlier if _is(r, "checkpoint", exploit["member"])]
        assert saved[-1]["path"] == exploit["saved"]
        assert saved[-1]["iteration"] == exploit["iteration"]


def test_row_31_saving_is_on_without_a_word_in_the_file(reference: Hurt) -> None:
    """Every member at every boundary."""
    run, _ = reference
    for iteration in range(2, LAST + 1, 2):
        saved = run.of("checkpoint", iteration=iteration)
        assert {record["member"] for record in saved} == {0, 1, 2}


def test_a_second_process_on_the_same_run_is_refused_and_does_no_harm(
    taken_up: TakenUp,
) -> None:
    assert taken_up.second.code == 3
    assert "another process is running this run" in taken_up.second.err
    assert "Traceback" not in taken_up.second.err


def test_nothing_listens_on_an_outside_address(taken_up: TakenUp) -> None:
    loopback = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert taken_up.listening
    assert taken_up.listening <= loopback


def _is(record: dict[str, Any], kind: str, member: int) -> bool:
    return record["kind"] == kind and record["member"] == member
