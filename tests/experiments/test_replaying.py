"""``envolve replay``: the schedule that it writes is the one that the weights saw."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lived import Lived, lives
from made_runs import loaded
from real_runs import Ended, Envolve, RunOnDisk, results_of, wait_until
from simulated_population import Run

from analysis import Ancestry, ancestry
from analysis.frames import run_of
from experiments import changes, yaml12
from experiments.curriculum_spec import Replay
from experiments.loading import dump, load, parse_experiment
from experiments.problems import BadInput
from experiments.replayed import Replayed, replayed
from experiments.replaying import Asked, replay
from experiments.rules import populations_of, rules_of
from experiments.run_dir import NotARun, RunDir
from experiments.spec import Experiment, NoExploit, Stop
from orchestrator import journal
from orchestrator.frozen import text
from orchestrator.journal import Journal
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    MemberStarted,
    Mutation,
    Record,
    Restored,
    Result,
    RunEnded,
    RunStarted,
    Score,
)

EVOLVED = """\
envolve: 1
name: evolved
env:
  id: CartPole
  knobs:
    gravity: {low: 5.0, high: 20.0, start: {low: 9.0, high: 10.0}}
    length: {low: 0.25, high: 2.0, scale: log}
algorithm:
  training: {lr: 0.001, train_batch_size_per_learner: 256, minibatch_size: 64}
  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}, num_epochs: {choices: [2, 4, 8]}}
curriculum: {kind: population, widen: {above: 30, by: 0.05, min_episodes: 2}}
population: {size: 4, interval: 2, exploit: {kind: tournament}, max_faults: 5}
evaluation: {levels: 4, aggregate: cvar, test_levels: 4}
checkpoint: {keep_best: 2}
stop: {iterations: 10}
resources: {cpus_per_member: 0.5}
seeds: [7]
"""


def written(path: Path, records: Sequence[Record], text: str = EVOLVED, **start: Any) -> RunDir:
    """A run of this file at `path`, whose journal has these records after its start."""
    experiment = loaded(text)
    place = RunDir(path.resolve())
    place.path.mkdir(parents=True)
    place.experiment.write_text(dump(experiment.resolved()))
    arms = changes.plain_arms(experiment.arms)
    with Journal(place.journal) as to:
        to.append(RunStarted(experiment.name, changes.digest(arms), arms, {}, (), **start))
        to.append(*records)
    return place


def simulated(path: Path, text: str = EVOLVED, turns: int = 0) -> RunDir:
    """A run of this file whose members were trained without Ray."""
    now = rules_of(loaded(text).arms["main"])
    records = Run(now, turns=turns).go().journal.records
    return written(path, [*records, RunEnded(status="finished")], text)


def past_of(place: RunDir, member: int, iteration: int) -> list[Lived]:
    """What the weights of a member of the run's first population had behind them."""
    population = populations_of(load(place.experiment).arms)[0]
    return lives(journal.read(place.journal), population)[member, iteration]


def scheduled(experiment: Experiment) -> list[tuple[str, str]]:
    """Distribution and hyperparameters of each iteration that a replay will train."""
    assert isinstance(experiment.curriculum, Replay)
    changes = {change.iteration: change for change in experiment.curriculum.schedule}
    assert experiment.stop.iterations is not None
    found, distribution, values = [], "", {}
    for iteration in range(experiment.stop.iterations):
        change = changes.get(iteration)
        if change is not None:
            values |= change.hyperparameters
            if change.distribution is not None:
                distribution = text(change.distribution)
        found.append((distribution, text(values)))
    return found


def saw(past: Sequence[Lived]) -> list[tuple[str, str]]:
    return [(each.distribution, each.hyperparameters) for each in past]


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def evolved(tmp_path: Path) -> RunDir:
    return simulated(tmp_path / "evolved-1")


@pytest.mark.parametrize(
    "mode", ["sync", "async, exploit: {kind: truncation, fraction: 0.5}"], ids=["sync", "async"]
)
@pytest.mark.parametrize("turns", range(3))
def test_every_members_schedule_is_what_its_weights_saw(
    tmp_path: Path, mode: str, turns: int
) -> None:
    given = EVOLVED.replace("exploit: {kind: tournament}", f"mode: {mode}")
    run = simulated(tmp_path / "run", given, turns)
    changed = set()
    for member in range(4):
        replay(str(run.path), Asked(member=f"m{member}", to=Path(f"{member}.yaml")))
        found = scheduled(load(f"{member}.yaml").arms["main"])
        assert found == saw(past_of(run, member, 10))
        changed.add(len(set(found)))
    assert max(changed) > 2


def test_everything_else_is_the_arms(evolved: RunDir) -> None:
    replay(str(evolved.path), Asked())
    own, replays = load(evolved.experiment).arms["main"], load("evolved-replay.yaml").arms["main"]
    for section in ("env", "evaluation", "checkpoint", "resources"):
        assert getattr(replays, section) == getattr(own, section)
    assert replays.algorithm.search == {}
    assert replays.algorithm.training == own.algorithm.training
    assert replays.name == "evolved-replay"
    population = replays.population
    assert (population.size, population.interval, population.mode) == (1, 2, "sync")
    assert (population.exploit, population.max_faults) == (NoExploit(), 5)


def test_the_best_members_weights_are_meant_as_they_were_best(
    evolved: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = [each for each in journal.read(evolved.journal) if isinstance(each, Score)]
    best = max(scores, key=lambda each: each.score or 0.0)
    replay(str(evolved.path), Asked())
    experiment = load("evolved-replay.yaml").arms["main"]
    past = past_of(evolved, best.member, best.iteration)
    assert scheduled(experiment) == saw(past)
    assert experiment.stop == Stop(iterations=best.iteration)
    said = capsys.readouterr().out
    assert f"that made main/seed7/m{best.member} at iteration {best.iteration} (" in said
    assert f"m{best.member} from " in said
    assert "`envolve run evolved-replay.yaml` trains it on seeds 8, 9, 10" in said
    note = Path("evolved-replay.yaml").read_text().splitlines()[0]
    assert note.startswith(f"# Replays the {best.iteration} iterations that made main/seed7/m")
    assert len(note) <= 100


@pytest.mark.parametrize(
    ("own", "given", "seeds"),
    [
        ("[7]", None, (8, 9, 10)),
        ("[7, 2, 40, 1]", None, (41, 42, 43, 44)),
        ("[7]", "3", (3,)),
        ("[7]", "12, 0,5", (12, 0, 5)),
    ],
)
def test_seeds_are_new_ones(
    tmp_path: Path, own: str, given: str | None, seeds: tuple[int, ...]
) -> None:
    run = simulated(tmp_path / "run", EVOLVED.replace("seeds: [7]", f"seeds: {own}"))
    replay(str(run.path), Asked(seeds=given))
    assert load("evolved-replay.yaml").seeds == seeds


def test_it_is_printed_instead(
    evolved: RunDir, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replay(str(evolved.path), Asked(to=Path("-")))
    printed = capsys.readouterr().out
    assert parse_experiment(printed, "-").name == "evolved-replay"
    assert list(empty.iterdir()) == []


def test_a_replay_of_a_replay_is_the_same(evolved: RunDir, tmp_path: Path) -> None:
    replay(str(evolved.path), Asked(member="2"))
    first = load("evolved-replay.yaml").arms["main"]
    records = replayed_for_real(first)
    again = written(tmp_path / "again", records, Path("evolved-replay.yaml").read_text())
    replay(str(again.path), Asked(member="0"))
    second = load("evolved-replay-replay.yaml").arms["main"]
    assert scheduled(second) == scheduled(first)


def replayed_for_real(experiment: Experiment) -> list[Record]:
    """The records of the first seed of a replay, by the rules that it has."""
    rules = rules_of(experiment)
    (population, *_) = populations_of({"main": experiment})
    found: list[Record] = []

    def take(*records: Record) -> None:
        for record in records:
            found.append(record)
            population.apply(record)

    begin = rules.explore.at(0), rules.curriculum.begin(rules.space).distribution  # type: ignore[attr-defined]
    take(*population.first([begin], "schedule"))
    assert isinstance(experiment.curriculum, Replay)
    moves = {change.iteration: change.distribution for change in experiment.curriculum.schedule}
    for iteration in range(1, (rules.stop.iterations or 0) + 1):
        state = population.members[0]
        who = {**state.who(), "iteration": iteration}
        take(trained(who))
        after = moves.get(iteration)
        if after is not None:
            take(
                Mutation(
                    **who, revision=state.revision + 1, by="curriculum", why="as scheduled",
                    before=state.distribution.to_json(), after=after,
                )
            )  # fmt: skip
        if iteration % rules.interval == 0:
            take(*saved(who))
            take(*population.decide([0]))
    return found


def trained(who: Mapping[str, Any]) -> Result:
    return Result(
        **who,
        training_return=1.0,
        env_steps=10 * who["iteration"],
        revisions={},
        seconds={"train": 1.0},
    )


def saved(who: Mapping[str, Any]) -> list[Record]:
    place = f"m{who['member']}/{who['iteration']}"
    return [
        Score(**who, score=1.0, suite="select", returns=(1.0,) * 4),
        CheckpointSaved(**who, path=place, digest=place, score=1.0),
    ]


def who(member: int, iteration: int) -> dict[str, Any]:
    return {"arm": "main", "seed": 7, "member": member, "iteration": iteration}


START = {
    "kind": "product",
    "marginals": {"gravity": {"low": 9.0, "high": 10.0}, "length": {"low": 0.25, "high": 2.0}},
}


def begun(members: int = 2, **values: Any) -> list[Record]:
    values = values or {"lr": 0.001}
    return [
        MemberStarted(**who(m, 0), hyperparameters=values, distribution=START, by="random")
        for m in range(members)
    ]


def copied(member: int, iteration: int, donor: int, of: int, **after: Any) -> Exploit:
    place = f"m{donor}/{of}"
    return Exploit(
        **who(member, iteration), donor=donor, checkpoint=place, digest=place,
        saved=f"m{member}/{iteration}", before={}, after=after,
    )  # fmt: skip


def made_of(records: Sequence[Record], member: int, given: str = EVOLVED) -> Replayed:
    """The replay of a member with these records."""
    experiment = loaded(given).arms["main"]
    plain = changes.plain_arms({"main": experiment})
    run = run_of(Path("made"), [RunStarted("made", "", plain, {}, ()), *records])
    found: Ancestry = ancestry(run, member)
    return replayed(experiment, found, records, [8])


def test_off_the_boundaries_the_interval_is_one_that_meets_all_changes() -> None:
    """An asynchronous donor that ended at iteration 9 was copied at iteration 6, of six each."""
    given = EVOLVED.replace("interval: 2", "interval: 6, mode: async")
    records = [
        *begun(), *(trained(who(0, i)) for i in range(1, 10)), *saved(who(0, 9)),
        *(trained(who(1, i)) for i in range(1, 7)), *saved(who(1, 6)),
        copied(1, 6, 0, 9, lr=0.002), *(trained(who(1, i)) for i in range(7, 9)),
    ]  # fmt: skip
    made = made_of(records, 1, given).experiment
    assert made.stop == Stop(iterations=11)
    assert (made.population.interval, made.population.mode) == (3, "async")
    assert isinstance(made.curriculum, Replay)
    assert [(c.iteration, c.hyperparameters) for c in made.curriculum.schedule] == [
        (0, {"lr": 0.001}), (9, {"lr": 0.002})
    ]  # fmt: skip


def test_a_member_that_never_came_to_a_boundary_has_one_at_its_end() -> None:
    made = made_of([*begun(), trained(who(0, 1))], 0)
    assert (made.experiment.stop.iterations, made.experiment.population.interval) == (1, 1)


def test_parameters_of_a_curriculum_are_left_to_its_distributions() -> None:
    given = begun(**{"lr": 0.001, "curriculum.temperature": 0.3})
    made = made_of([*given, trained(who(0, 1)), trained(who(0, 2))], 0).experiment
    assert isinstance(made.curriculum, Replay)
    assert made.curriculum.schedule[0].hyperparameters == {"lr": 0.001}


def test_without_knobs_hyperparameters_are_the_schedule(tmp_path: Path) -> None:
    lines = [line for line in EVOLVED.splitlines() if not line.startswith("    ")]
    given = "\n".join(line for line in lines if line not in ("  knobs:",)) + "\n"
    given = given.replace(
        "{kind: population, widen: {above: 30, by: 0.05, min_episodes: 2}}", "{kind: fixed}"
    )
    run = simulated(tmp_path / "run", given)
    replay(str(run.path), Asked(member="m1"))
    made = load("evolved-replay.yaml").arms["main"]
    assert scheduled(made) == saw(past_of(run, 1, 10))
    assert len({values for _, values in scheduled(made)}) > 1


def test_a_long_name_is_cut() -> None:
    long = "n" * 64
    made = made_of([*begun(), trained(who(0, 1))], 0, EVOLVED.replace("evolved", long))
    assert made.experiment.name == "n" * 57 + "-replay"


SKETCH = {
    "kind": "sketch",
    "levels": 40,
    "digest": "d",
    "marginals": {"gravity": {"low": 6.0, "high": 7.0}, "length": {"low": 1.0, "high": 1.5}},
}


def with_sketches(path: Path) -> RunDir:
    moves = {
        1: {**SKETCH, "digest": "e"},
        2: {"kind": "levels", "levels": [{"gravity": 5.0, "length": 1.0}], "weights": [1.0]},
        3: SKETCH,
    }
    records: list[Record] = begun()
    before: Mapping[str, Any] = START
    for iteration in range(1, 5):
        records.append(trained(who(0, iteration)))
        if iteration in moves:
            records.append(
                Mutation(
                    **who(0, iteration), revision=iteration, by="curriculum", why="new levels",
                    before=before, after=moves[iteration],
                )
            )  # fmt: skip
            before = moves[iteration]
        if iteration % 2 == 0:
            records += saved(who(0, iteration))
    return written(path, records)


def test_what_the_journal_only_sketches_is_replayed_as_it_looked_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replay(str(with_sketches(tmp_path / "run").path), Asked(member="m0"))
    looks = text({"kind": "product", "marginals": SKETCH["marginals"]})
    made = load("evolved-replay.yaml").arms["main"]
    distributions = [distribution for distribution, _ in scheduled(made)]
    assert distributions[0] == text(START)
    assert (distributions[1], distributions[3]) == (looks, looks)
    assert '"kind":"levels"' in distributions[2]
    said = "2 of 4 distributions held more levels than the journal keeps"
    assert said in capsys.readouterr().err
    notes = [line for line in Path("evolved-replay.yaml").read_text().splitlines() if "#" in line]
    assert said in " ".join(line.removeprefix("# ") for line in notes)


# Refused


def refused(run: RunDir, **asked: Any) -> list[str]:
    before = sorted(Path().iterdir())
    with pytest.raises(BadInput) as caught:
        replay(str(run.path), Asked(**asked))
    assert sorted(Path().iterdir()) == before
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"member": "m9"}, ["--member: must be m0, m1, m2 or m3, but got m9"]),
        ({"member": "best"}, ["--member: must be m0, m1, m2 or m3, but got best"]),
        ({"arm": "mian"}, ['--arm: must be main, but got mian. Did you mean "main"?']),
        ({"arm": "x", "seed": 8}, ["--arm: must be main", "--seed: must be 7, but got 8"]),
        ({"seeds": "a"}, ["--seeds: must be different whole numbers of at least 0, with commas b"]),
        ({"seeds": "3,3"}, ["--seeds: must be different whole numbers"]),
        ({"seeds": "-1"}, ["--seeds: must be different whole numbers"]),
        ({"seeds": ""}, ["--seeds: must be different whole numbers"]),
        (
            {"seeds": "8,7"},
            ["--seeds: must be seeds that the run has not been trained on, but got"],
        ),
        ({"to": Path("x.txt")}, ["--to x.txt: must end in .yaml or .yml, but got .txt"]),
    ],
)
def test_what_cannot_be_meant(evolved: RunDir, asked: dict[str, Any], said: list[str]) -> None:
    for found, words in zip(refused(evolved, **asked), said, strict=True):
        assert found.startswith(words)


def test_nothing_is_overwritten(evolved: RunDir) -> None:
    Path("evolved-replay.yaml").write_text("mine")
    (problem,) = refused(evolved)
    assert "must be a new file, but got evolved-replay.yaml, which is there already" in problem
    assert Path("evolved-replay.yaml").read_text() == "mine"


def test_a_member_of_several_populations_has_to_be_told_apart(tmp_path: Path) -> None:
    given = EVOLVED.replace("seeds: [7]", "seeds: [7, 8]")
    arms = [*begun(), *(replace(each, seed=8) for each in begun())]
    run = written(tmp_path / "run", [*arms, trained(who(1, 1)), trained(who(1, 2))], given)
    (problem,) = refused(run, member="m1")
    assert problem.startswith("--member: must be a member of one of 2 populations, but got m1")
    assert problem.endswith(
        "For example main/seed7/m0; or say which population by --arm and --seed"
    )
    replay(str(run.path), Asked(member="m1", seed=7))
    replay(str(run.path), Asked(member="main/seed7/m1", to=Path("named.yaml")))
    assert load("evolved-replay.yaml").arms == load("named.yaml").arms
    assert load("named.yaml").arms["main"].stop.iterations == 2


def test_of_several_populations_the_best_is_that_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = EVOLVED.replace("seeds: [7]", "seeds: [7, 8]")
    records: list[Record] = []
    for seed, score in ((7, 3.0), (8, 9.0)):
        own = [*begun(), *itertools.chain.from_iterable([trained(who(0, i))] for i in (1, 2))]
        own += [replace(each, score=score) for each in saved(who(0, 2))]  # type: ignore[type-var]
        records += [replace(each, seed=seed) for each in own]  # type: ignore[type-var]
    run = written(tmp_path / "run", records, given)
    replay(str(run.path), Asked())
    assert "main/seed8/m0 at iteration 2" in capsys.readouterr().out
    replay(str(run.path), Asked(seed=7, to=Path("seven.yaml")))
    assert "main/seed7/m0 at iteration 2" in capsys.readouterr().out


def test_a_run_without_a_score_has_no_best(tmp_path: Path) -> None:
    run = written(tmp_path / "run", [*begun(), trained(who(0, 1))])
    (problem,) = refused(run)
    assert "must have a score, which says who is the best, but got none yet. Name a" in problem
    replay(str(run.path), Asked(member="m0"))


def test_a_member_that_has_not_trained_has_no_schedule(tmp_path: Path) -> None:
    run = written(tmp_path / "run", [*begun(), trained(who(0, 1))])
    (problem,) = refused(run, member="m1")
    assert problem.startswith("--member: must have trained, to have a schedule, but got ")
    assert problem.endswith("main/seed7/m1, which has not")


def test_levels_that_a_policy_decided_have_no_schedule(tmp_path: Path) -> None:
    given = EVOLVED.replace(
        "{kind: population, widen: {above: 30, by: 0.05, min_episodes: 2}}", "{kind: paired}"
    )
    (problem,) = refused(written(tmp_path / "run", begun(), given), member="m0")
    assert "must be a run whose levels are drawn from distributions" in problem
    assert "curriculum.kind: paired, where a policy decides each level" in problem


def test_a_kept_run_that_no_file_can_say(tmp_path: Path) -> None:
    run = written(tmp_path / "run", begun(), untold=("env.id: a lambda",))
    (problem,) = refused(run, member="m0")
    assert "must be a run whose env and algorithm a file can name" in problem


def test_a_schedule_that_is_too_long_for_a_file(
    evolved: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml12, "MAX_NODES", 150)
    (problem,) = refused(evolved)
    assert "must have a schedule that an experiment file can hold" in problem
    assert "must hold at most 150 values" in problem


@pytest.mark.parametrize("kept", [0, 1], ids=["nothing", "no members"])
def test_a_run_that_has_not_begun(tmp_path: Path, kept: int) -> None:
    run = written(tmp_path / "run", begun())
    lines = run.journal.read_text().splitlines(keepends=True)
    run.journal.write_text("".join(lines[:kept]))
    with pytest.raises(NotARun, match="a run must have members, but this one has none yet"):
        replay(str(run.path), Asked())


def test_a_member_whose_ancestry_cannot_be_told(tmp_path: Path) -> None:
    back = Restored(
        **who(0, 1), path="m0/1", digest="m0/1", score=1.0, env_steps=10, minutes=0.0,
        hyperparameters={"lr": 0.1}, distribution=START, revision=1,
    )  # fmt: skip
    run = written(
        tmp_path / "run",
        [
            *begun(), *itertools.chain.from_iterable(
                [trained(who(m, i)), *saved(who(m, i))] for m in (0, 1) for i in (1, 2)
            ),
            copied(1, 1, 0, 2, lr=0.2), trained(who(1, 2)), *saved(who(1, 2)), back,
            copied(0, 1, 1, 2, lr=0.3), trained(who(0, 2)), *saved(who(0, 2)),
        ],
    )  # fmt: skip
    (problem,) = refused(run, member="m0")
    assert problem.startswith("--member: must have an ancestry that can be told, but got main/see")
    assert "was put back on an older checkpoint" in problem


# For real

LAST = 8


@pytest.mark.ray
def test_a_replay_is_trained_on_what_was_seen_and_resumes_exactly(
    reference: tuple[RunOnDisk, Ended], envolve: Envolve
) -> None:
    original = RunDir(reference[0].path)
    loser = [each for each in reference[0].of("exploit") if each["iteration"] < LAST][-1]["member"]
    made = envolve("replay", original.path, "--member", f"m{loser}", "--seeds", "11")
    assert (made.code, made.err) == (0, "")
    whole, killed = RunOnDisk(envolve.cwd / "whole"), RunOnDisk(envolve.cwd / "killed")
    ended = envolve("run", "tiny-replay.yaml", "--run-dir", "whole")
    assert ended.code == 0, ended.err
    seen = saw(past_of(original, loser, LAST))
    assert len({values for _, values in seen}) > 1
    assert len({distribution for distribution, _ in seen}) > 1
    assert saw(past_of(RunDir(whole.path), 0, LAST)) == seen
    assert whole.of("fault") == []
    process = envolve.start("run", "tiny-replay.yaml", "--run-dir", "killed")
    wait_until(lambda: results_of(killed.path) >= LAST // 2, process)
    envolve.kill_tree(process)
    assert results_of(killed.path) < LAST
    ended = envolve("resume", "killed")
    assert ended.code == 0, ended.err
    assert killed.weights(LAST) == whole.weights(LAST)
    assert killed.decisions() == whole.decisions()
