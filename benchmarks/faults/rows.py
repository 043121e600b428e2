"""The catalogue: ways in which stock Ray loses or corrupts a model, and what envolve owes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.faults import (
    checkpoints,
    env_runners,
    exploits,
    interrupting,
    resuming,
    retention,
    scheduling,
)
from benchmarks.faults.outcome import Scenario


@dataclass(frozen=True)
class Row:
    """One way.

    Attributes:
        number: what it is called by; tests of envolve's side are named after it.
        title: what happens.
        duty: what envolve does about it.
        scenario: the same on stock Ray, or None where it is not run.
        source: where it can be read instead.
    """

    number: str
    title: str
    duty: str
    scenario: Scenario | None = None
    source: str = ""


_ALL = (
    Row(
        "1",
        "PBT deletes a donor's checkpoint before the loser has loaded it (#8441, #9036, #9470)",
        "Tune deletes nothing; our own retention keeps what a donor gave",
        retention.donor_deleted,
    ),
    Row(
        "2",
        "keeping the best by a nested key keeps the latest instead",
        "a flat score, and a registry of the best checkpoints",
        retention.nested_score,
    ),
    Row(
        "3",
        "an exception in on_checkpoint loses the model, and the trial succeeds",
        "hooks never raise; the disk is compared with the journal",
        retention.checkpoint_hook_raises,
    ),
    Row(
        "4",
        "an exception in any other hook ends the whole experiment",
        "hooks never raise; what goes wrong in one is a fault on record",
        retention.other_hook_raises,
    ),
    Row(
        "5",
        "with a cut state file a resume starts afresh",
        "resuming never reads Tune's files",
        resuming.truncated_state,
    ),
    Row(
        "6",
        "with an empty tuner.pkl there is no resume (#58179)",
        "resuming never reads Tune's files",
        resuming.empty_tuner,
    ),
    Row(
        "7",
        "resumed, PBT has forgotten its scores and when it was due (#30838)",
        "a population is a fold over the journal",
        resuming.scores_forgotten,
    ),
    Row(
        "8",
        "resumed, synchronous PBT waits for ever (#48616)",
        "the barrier is rebuilt from the journal",
        resuming.barrier_deadlocks,
    ),
    Row(
        "9",
        "a trial that is retried is new to PBT",
        "state belongs to the member, not to Tune's trial",
        resuming.retry_forgotten,
    ),
    Row(
        "10",
        "one failed trial blocks the synchronous barrier (#12122, #23424)",
        "the barrier counts live members only",
        resuming.barrier_waits_for_dead,
    ),
    Row(
        "11",
        "after an exploit the run directory cannot be moved (#28082, #40585)",
        "paths are relative to the run",
        resuming.moved,
    ),
    Row(
        "12",
        "a resume goes on from older checkpoints than are on disk",
        "the newest checkpoint that verifies is taken up",
        interrupting.killed,
    ),
    Row(
        "13",
        "Ctrl-C and SIGTERM save no model (#16855)",
        "on either signal every member is saved, then the run stops",
        interrupting.signalled,
    ),
    Row(
        "14",
        "an exploit starts a new process and builds all anew",
        "the process stays, and takes the donor's state",
        exploits.restarted,
    ),
    Row(
        "15",
        "reuse_actors fails trials of RLlib's Algorithms (#5425, #38136)",
        "a trainable of our own, whose process takes any member",
        exploits.reused,
    ),
    Row(
        "16",
        "asynchronous PBT pauses healthy trials, and a slot may stand idle",
        "members stay resident; with fewer slots none is starved",
        scheduling.idle_slot,
    ),
    Row(
        "17",
        "after a restore the optimizer has the donor's learning rate",
        "effective hyperparameters are set and checked",
        checkpoints.learning_rate,
    ),
    Row(
        "18",
        "checkpoints leave out PPO's KL coefficient, SAC's temperature, replay buffers",
        "they are saved and restored",
        checkpoints.left_out,
    ),
    Row(
        "19",
        "a restore back in time leaves env runners on the newer weights",
        "weights are pushed to every runner, and compared",
        checkpoints.older_weights,
    ),
    Row(
        "19b",
        "a restore leaves remote env runners on their initial weights",
        "weights are pushed to every runner, and compared",
        checkpoints.initial_weights,
    ),
    Row(
        "20",
        "the task that envs were given is not in a checkpoint (#9012)",
        "distribution, revision and curriculum are",
        checkpoints.env_state,
    ),
    Row(
        "21",
        "an env runner that was restarted has its first task again",
        "a lost runner sends the member back to its last boundary",
        env_runners.reverted,
    ),
    Row(
        "22",
        "a call to all env runners misses one without a word (#3990)",
        "every runner has to answer",
        env_runners.missed,
    ),
    Row(
        "23",
        "losing a node that held only env runners fails the trial (#50187)",
        "the member goes on from its newest checkpoint",
        source="not run, needs two machines: see the issue",
    ),
    Row(
        "24",
        "an exploit is skipped for want of a checkpoint of the donor's (#27170)",
        "only a verified checkpoint can be a donor's; a skip is on record",
        retention.no_donor_checkpoint,
    ),
    Row(
        "25",
        "worker errors at the end of a run in which every trial ended well (#15862, #18325)",
        "success is judged by members and checkpoints",
        source="not run, does not happen every time: see the issues",
    ),
    Row(
        "26",
        "the model that an exploit replaces is dropped",
        "the loser is saved first",
        retention.loser_dropped,
    ),
    Row(
        "27",
        "explored values leave their ranges and types (#2201, #5035, #11936, #54755)",
        "knobs are typed: clipped, cast, in order",
        scheduling.out_of_range,
    ),
    Row(
        "28",
        "PBT draws from the global generator",
        "every draw takes a generator derived from the seed",
        scheduling.global_random,
    ),
    Row(
        "29",
        "unknown keywords of a scheduler are dropped silently",
        "unknown keys are errors",
        scheduling.unknown_keyword,
    ),
    Row(
        "30",
        "PBT refuses search algorithms",
        "Optuna works inside the population",
        scheduling.search_refused,
    ),
    Row(
        "31",
        "nothing is saved unless one asks for it",
        "saving is on unless the file turns it off",
        retention.nothing_saved,
    ),
)
ROWS: Mapping[str, Row] = {row.number: row for row in _ALL}
