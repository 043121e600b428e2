"""A member at work, without Tune: what it reports, saves, and becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rllib_catalogue import POLE, Roaming, blueprint, member_state, tiny_ppo

from orchestrator import checkpoints, scoring
from orchestrator.curricula import Outlook, Stage, Stages, Until
from orchestrator.evaluation import play_checkpoint
from orchestrator.member import Blueprint, Member, Report
from orchestrator.stop import Stop
from orchestrator.suites import draw_suite

pytestmark = pytest.mark.ray


@contextmanager
def seated(plan: Blueprint, run_dir: Path, state: Any) -> Iterator[Member]:
    member = Member(plan, run_dir, state)
    try:
        yield member
    finally:
        member.close()


def weights(member: Member) -> str:
    """The digest that a checkpoint of now would carry."""
    path, digest = member.save()
    return str(checkpoints.verify(member.run_dir / path, digest)["weights"])


def test_a_boundary_brings_score_and_checkpoint(ray_runtime: None, tmp_path: Path) -> None:
    plan = blueprint(interval=2)
    with seated(plan, tmp_path, member_state()) as member:
        between, boundary, after = [member.iterate() for _ in range(3)]
    assert (between.iteration, boundary.iteration, after.iteration) == (1, 2, 3)
    for report in (between, after):
        assert (report.score, report.returns, report.checkpoint, report.digest) == (None,) * 4
        assert set(report.seconds) == {"train"}
    assert boundary.returns is not None
    assert len(boundary.returns) == len(plan.select)
    assert boundary.score == scoring.aggregate(boundary.returns, "cvar", 0.5)
    assert set(boundary.seconds) == {"train", "score", "save"}
    assert boundary.checkpoint == "members/main/seed0/m1/checkpoints/000002"
    manifest = checkpoints.verify(tmp_path / boundary.checkpoint, boundary.digest)
    expected = {
        "arm": "main",
        "seed": 0,
        "member": 1,
        "iteration": 2,
        "env_steps": boundary.env_steps,
        "hyperparameters": {"lr": 1e-3},
        "distribution": POLE.full().to_json(),
        "revision": 0,
        "parent": {"checkpoint": None, "digest": None},
        "score": boundary.score,
    }
    assert {name: manifest[name] for name in expected} == expected
    assert 0.0 < manifest["minutes"] < 1.0
    assert set(manifest["versions"]) == {"ray", "torch", "gymnasium"}


def test_a_report_tells_of_the_episodes(ray_runtime: None, tmp_path: Path) -> None:
    with seated(blueprint(interval=9), tmp_path, member_state()) as member:
        first = member.iterate()
        member.set_distribution(POLE.initial().to_json(), 1)
        second, third = member.iterate(), member.iterate()
    assert set(first.revisions) == {0}
    assert set(second.revisions) <= {0, 1}
    assert 1 in third.revisions
    assert (first.revision, second.revision, third.revision) == (0, 1, 1)
    for report in (first, second, third):
        counts = report.revisions.values()
        assert report.episodes == sum(episodes for episodes, _ in counts) > 0
        assert report.training_return == pytest.approx(
            sum(episodes * mean for episodes, mean in counts) / report.episodes
        )
        assert any(name.startswith("learner/default_policy/") for name in report.learner)


def test_env_steps_count_the_suites(ray_runtime: None, tmp_path: Path) -> None:
    with seated(blueprint(interval=2), tmp_path, member_state()) as member:
        first, second, third = [member.iterate() for _ in range(3)]
    # An iteration samples the train batch; a sub-env that resets makes it a few steps longer.
    assert 96 <= first.env_steps < 104
    assert 96 <= third.env_steps - second.env_steps < 104
    assert second.returns is not None
    assert second.env_steps - first.env_steps >= 96 + sum(second.returns)


@pytest.mark.parametrize(
    ("stop", "last"), [(Stop(iterations=3), 3), (Stop(env_steps=280), 3), (Stop(minutes=1e-9), 1)]
)
def test_the_last_iteration_is_a_boundary_wherever_it_falls(
    ray_runtime: None, tmp_path: Path, stop: Stop, last: int
) -> None:
    plan = replace(blueprint(interval=10), stop=stop)
    with seated(plan, tmp_path, member_state()) as member:
        reports = [member.iterate() for _ in range(last)]
    assert [report.score is not None for report in reports] == [False] * (last - 1) + [True]
    assert reports[-1].checkpoint == f"members/main/seed0/m1/checkpoints/{last:06d}"
    checkpoints.verify(tmp_path / reports[-1].checkpoint, reports[-1].digest)


def told(reports: list[Report]) -> list[Any]:
    """The reports without what differs from run to run, and without the checkpoint's place."""
    plain = [replace(report, seconds={}, checkpoint=None, digest=None) for report in reports]
    return [
        replace(r, learner={k: v for k, v in r.learner.items() if not _timing(k)}) for r in plain
    ]


def _timing(name: str) -> bool:
    return any(word in name for word in ("time", "throughput", "timer"))


@pytest.mark.parametrize("remote", [0, 2])
def test_a_member_that_is_resumed_is_one_that_was_not_interrupted(
    ray_runtime: None, tmp_path: Path, remote: int
) -> None:
    plan = blueprint(interval=2, algorithm=tiny_ppo(remote, envs=2))
    with seated(plan, tmp_path, member_state()) as member:
        reports = [member.iterate() for _ in range(2)]
        saved = reports[-1]
        member.set_distribution(POLE.initial().to_json(), 1)
        goes_on = [member.iterate() for _ in range(4)]
        last = weights(member)
        where = {
            "iteration": 2,
            "env_steps": saved.env_steps,
            "checkpoint": saved.checkpoint,
            "digest": saved.digest,
            "distribution": POLE.initial().to_json(),
            "revision": 1,
        }
        state = member_state(**where)
        # In place, back in time.
        member.become(state)
        assert told([member.iterate() for _ in range(4)]) == told(goes_on)
        assert weights(member) == last
    with seated(plan, tmp_path, state) as member:
        assert told([member.iterate() for _ in range(4)]) == told(goes_on)
        assert weights(member) == last


def test_a_copy_is_the_donors_weights_with_its_own_levels(
    ray_runtime: None, tmp_path: Path
) -> None:
    plan = blueprint(interval=2)
    with seated(plan, tmp_path, member_state()) as donor:
        saved = [donor.iterate() for _ in range(2)][-1]
        expected = weights(donor)
        saved_again = donor.save()
        state = member_state(
            member=2,
            iteration=2,
            env_steps=77,
            hyperparameters={"lr": 5e-3},
            checkpoint=saved_again[0],
            digest=saved_again[1],
            revision=4,
        )
        with seated(plan, tmp_path, member_state(member=2)) as loser:
            assert weights(loser) != expected
            loser.iterate()
            loser.become(state)
            assert weights(loser) == expected
            assert (loser.iteration, loser.env_steps, loser.revision) == (2, 77, 4)
            assert loser.parent["checkpoint"] == "members/main/seed0/m2/checkpoints/000002"
            copied = [loser.iterate() for _ in range(2)]
            grown = weights(loser)
        assert {number for report in copied for number in report.revisions} == {4}
        with seated(plan, tmp_path, state) as fresh:
            assert told([fresh.iterate() for _ in range(2)]) == told(copied)
            assert weights(fresh) == grown
        for _ in range(2):
            donor.iterate()
        assert weights(donor) not in (grown, expected)
    assert saved_again[0].startswith(f"{saved.checkpoint}-")


def test_only_the_journalled_checkpoint_is_loaded(ray_runtime: None, tmp_path: Path) -> None:
    with seated(blueprint(), tmp_path, member_state()) as member:
        path, digest = member.save()
        with pytest.raises(checkpoints.Damaged, match="must have the journal's digest"):
            member.become(member_state(checkpoint=path, digest="0" * 64))
        payload = max((tmp_path / path).rglob("*.pkl"), key=lambda file: file.stat().st_size)
        payload.write_bytes(payload.read_bytes()[:-1])
        with pytest.raises(checkpoints.Damaged, match=payload.name):
            member.become(member_state(checkpoint=path, digest=digest))


def test_members_begin_with_weights_of_their_own(ray_runtime: None, tmp_path: Path) -> None:
    seen = []
    for member, seed in ((1, 0), (2, 0), (1, 1), (1, 0)):
        with seated(blueprint(), tmp_path, member_state(member=member, seed=seed)) as one:
            seen.append(weights(one))
    assert seen[0] == seen[3]
    assert len(set(seen)) == 3


def test_a_checkpoint_plays_any_suite(ray_runtime: None, tmp_path: Path) -> None:
    plan = blueprint(interval=2)
    with seated(plan, tmp_path, member_state()) as member:
        saved = [member.iterate() for _ in range(2)][-1]
    assert saved.checkpoint is not None
    assert saved.digest is not None
    select, other = plan.select, draw_suite(POLE, "test", 7, 0)
    played = [
        play_checkpoint(plan, tmp_path, saved.checkpoint, saved.digest, suite)
        for suite in (select, other)
    ]
    assert played[0] == saved.returns
    assert len(played[1]) == 7
    with pytest.raises(checkpoints.Damaged):
        play_checkpoint(plan, tmp_path, saved.checkpoint, "0" * 64, select)


def test_a_checkpoint_names_no_place(ray_runtime: None, tmp_path: Path) -> None:
    with seated(blueprint(interval=1), tmp_path, member_state()) as member:
        report = member.iterate()
    assert report.checkpoint is not None
    files = [file for file in (tmp_path / report.checkpoint).rglob("*") if file.is_file()]
    assert len(files) > 6
    assert not [file for file in files if str(tmp_path).encode() in file.read_bytes()]


# A curriculum of its own


def roaming(interval: int = 9, *, solved: float | None = None, **parameters: int) -> Blueprint:
    """What members have in common that each run a curriculum by themselves."""
    return replace(blueprint(interval), curriculum=Roaming(**parameters), success_above=solved)


def held(member: Member) -> set[int]:
    """Revisions that the sub-envs draw their next levels from."""
    return set(member._algorithm.env_runner.env.unwrapped.call("held_revision"))


def saved_course(run_dir: Path, report: Report) -> dict[str, Any]:
    assert report.checkpoint is not None
    found = json.loads((run_dir / report.checkpoint / "curriculum.json").read_text())
    assert isinstance(found, dict)
    return found


def test_its_move_reaches_the_envs_before_the_next_iteration_and_not_earlier(
    ray_runtime: None, tmp_path: Path
) -> None:
    with seated(roaming(), tmp_path, member_state()) as member:
        assert (member.revision, held(member)) == (0, {0})
        for revision in range(1, 4):
            report = member.iterate()
            # The move is the result's to tell; it is not trained on before that is journalled.
            assert held(member) == {revision - 1}
            assert max(report.revisions) <= revision - 1
            assert report.revision == member.revision == revision
            assert report.move is not None
            assert report.move.why.startswith("gravity from ")
            assert member.distribution == report.move.stand.distribution


def test_an_iteration_without_a_move_tells_how_far_the_next_one_is(
    ray_runtime: None, tmp_path: Path
) -> None:
    with seated(roaming(every=2), tmp_path, member_state()) as member:
        first, second = member.iterate(), member.iterate()
    assert (first.move, first.revision) == (None, 0)
    assert (first.outlook, second.outlook) == (Outlook("1 of 2", True), Outlook("0 of 2", True))
    assert second.move is not None
    assert second.revision == 1


def test_a_member_whose_curriculum_the_driver_runs_tells_of_no_move(
    ray_runtime: None, tmp_path: Path
) -> None:
    with seated(blueprint(interval=1), tmp_path, member_state()) as member:
        report = member.iterate()
    assert (report.move, report.outlook, report.revision) == (None, None, 0)
    assert report.checkpoint is not None
    assert not (tmp_path / report.checkpoint / "curriculum.json").exists()


def test_a_checkpoint_holds_the_move_that_its_iteration_made(
    ray_runtime: None, tmp_path: Path
) -> None:
    with seated(roaming(interval=2), tmp_path, member_state()) as member:
        boundary = [member.iterate() for _ in range(2)][-1]
        assert boundary.move is not None
        there = {
            "distribution": boundary.move.stand.distribution.to_json(),
            "state": boundary.move.stand.state,
            "revision": 2,
        }
        assert saved_course(tmp_path, boundary) == there
        manifest = checkpoints.verify(tmp_path / str(boundary.checkpoint), boundary.digest)
        assert (manifest["revision"], manifest["distribution"]) == (2, there["distribution"])
        # The course is told of the boundary's score, too.
        assert boundary.move.stand.state["last"]["score"] == boundary.score is not None


def test_it_is_told_of_every_episode(ray_runtime: None, tmp_path: Path) -> None:
    plan = roaming(every=2, probing=3, solved=20.0)
    with seated(plan, tmp_path, member_state()) as member:
        reports, told_of = [], []
        for _ in range(3):
            reports.append(member.iterate())
            told_of.append(member._course.stand.state["last"])  # type: ignore[union-attr]
    for report, last in zip(reports, told_of, strict=True):
        assert last["trained"] == report.episodes > 0
        assert len(last["probed"]) == 3
        assert len(last["solved"]) == report.episodes + 3
        assert last["env_steps"] == report.env_steps
    assert {each for last in told_of for each in last["solved"]} == {True, False}
    # Episodes on levels of the distribution before count for nothing on this one.
    assert told_of[2]["present"] == reports[2].revisions.get(1, (0, 0.0))[0] < told_of[2]["trained"]


def test_probes_count_as_env_steps_and_train_nobody(ray_runtime: None, tmp_path: Path) -> None:
    lives = []
    for probing in (0, 4):
        with seated(roaming(probing=probing), tmp_path / str(probing), member_state()) as member:
            reports = [member.iterate() for _ in range(3)]
            lives.append((reports, weights(member)))
    (plain, without), (probed, with_probes) = lives
    assert without == with_probes
    assert [set(report.seconds) for report in plain] == [{"train"}] * 3
    assert [set(report.seconds) for report in probed] == [{"probe", "train"}] * 3
    for one, other in zip(told(plain), told(probed), strict=True):
        assert one.env_steps < other.env_steps
        assert replace(one, env_steps=0, move=None) == replace(other, env_steps=0, move=None)
        assert one.move.stand.distribution == other.move.stand.distribution
    spent = [report.env_steps for report in probed]
    extra = [both - one.env_steps for both, one in zip(spent, plain, strict=True)]
    # At least a step for each probed level, at every iteration anew.
    assert all(after - before >= 4 for before, after in zip([0, *extra], extra, strict=False))


def test_a_copy_goes_on_in_its_donors_course_with_revisions_of_its_own(
    ray_runtime: None, tmp_path: Path
) -> None:
    plan = roaming(interval=2, every=1)
    with seated(plan, tmp_path, member_state()) as donor:
        saved = [donor.iterate() for _ in range(2)][-1]
        there = donor.distribution
    assert saved.move is not None
    state = member_state(
        member=2,
        iteration=2,
        hyperparameters={"lr": 5e-3, "curriculum.every": 3},
        checkpoint=saved.checkpoint,
        digest=saved.digest,
        revision=7,
        # What the journal says is no more than a sketch, where there are many levels.
        distribution={"kind": "sketch"},
    )
    with seated(plan, tmp_path, member_state(member=2)) as loser:
        loser.iterate()
        loser.become(state)
        assert loser.distribution == there
        assert (loser.revision, held(loser)) == (7, {7})
        assert loser._course is not None
        assert loser._course.curriculum == Roaming(every=3)
        # It goes on from what the rule makes of the donor's stand.
        assert loser._course.stand.state == {**saved.move.stand.state, "copies": 1}
        third, fourth = loser.iterate(), loser.iterate()
        assert {number for report in (third, fourth) for number in report.revisions} <= {7, 8}
        assert third.move is not None
        assert third.move.stand.state["iterations"] == 3
        assert (third.revision, fourth.move, fourth.revision) == (8, None, 8)
        grown = weights(loser)
    with seated(plan, tmp_path, state) as fresh:
        again = [fresh.iterate() for _ in range(2)]
        assert told(again) == told([third, fourth])
        assert weights(fresh) == grown
    # From then on it is its own.
    where = {"checkpoint": fourth.checkpoint, "digest": fourth.digest, "revision": 8}
    with seated(plan, tmp_path, {**state, **where, "iteration": 4}) as later:
        assert later._course is not None
        assert later._course.stand.state["copies"] == 1
        assert later.distribution == third.move.stand.distribution


def test_a_copy_counts_its_own_env_steps_in_the_donors_stage(
    ray_runtime: None, tmp_path: Path
) -> None:
    stages = Stages((Stage("first", {}, Until("env_steps", 150)), Stage("last", {})))
    plan = replace(blueprint(interval=1), curriculum=stages)
    with seated(plan, tmp_path, member_state()) as donor:
        saved = donor.iterate()
    state = member_state(
        member=2,
        iteration=1,
        env_steps=10_000,
        checkpoint=saved.checkpoint,
        digest=saved.digest,
    )
    with seated(plan, tmp_path, state) as copy:
        report = copy.iterate()
        assert report.move is None
        assert copy._course is not None
        # Its own total is not the donor's: what it has trained in the stage begins with a copy.
        assert copy._course.stand.state["total"] == report.env_steps
        assert copy._course.stand.state["env_steps"] < 150


def test_a_member_that_is_resumed_goes_on_in_its_course(ray_runtime: None, tmp_path: Path) -> None:
    plan = roaming(interval=2, every=3, probing=2)
    with seated(plan, tmp_path, member_state()) as member:
        saved = [member.iterate() for _ in range(2)][-1]
        goes_on = [member.iterate() for _ in range(4)]
        last = weights(member)
    state = member_state(
        iteration=2,
        env_steps=saved.env_steps,
        checkpoint=saved.checkpoint,
        digest=saved.digest,
        revision=saved.revision,
    )
    with seated(plan, tmp_path, state) as member:
        assert told([member.iterate() for _ in range(4)]) == told(goes_on)
        assert weights(member) == last
    assert [report.move is not None for report in goes_on] == [True, False, False, True]
