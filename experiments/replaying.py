"""``envolve replay``: an experiment file of the schedule that made a member's weights."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from callbacks.run_view import who
from experiments import journalled
from experiments.curriculum_spec import Scenario
from experiments.hints import nearest, one_of
from experiments.loading import dump, parse_experiment
from experiments.problems import BadInput, Problem
from experiments.replacing import place_problems, replacing
from experiments.replayed import Replayed, replayed
from experiments.resolving import resolve
from experiments.run_dir import NotARun, RunDir, find_run
from experiments.spec import Experiment
from orchestrator import journal
from orchestrator.member_state import MemberKey
from orchestrator.pictures import counted
from orchestrator.records import MemberStarted
from orchestrator.suites import SELECT

if TYPE_CHECKING:
    from analysis import Ancestry, Run

__all__ = ["replay"]

_SCREEN = Path("-")
_ENDINGS = (".yaml", ".yml")
# Fewer seeds than that tell little about a schedule.
_FEWEST_SEEDS = 3
# Of the notes at the top of the file.
_WIDTH = 98


@dataclass(frozen=True)
class Asked:
    """What the command was asked for, in the words of its options; None: nothing."""

    member: str | None = None
    arm: str | None = None
    seed: int | None = None
    to: Path | None = None
    seeds: str | None = None


def replay(name: str, asked: Asked) -> None:
    """Write, or print, the replay of a run's best or named member, and say what it is.

    Raises:
        BadInput: if there is no such member, or no schedule can be told of it; if there is
            something where the file would be written.
        NotARun: if there is no run.
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the file cannot be written.
    """
    import analysis

    place = find_run(name)
    # In this order: of a run that goes on, what the frames tell of is in the history then.
    run = analysis.load(place.path)
    history = journal.read(place.journal)
    start = journalled.last_start(history)
    begun = [record.key for record in history if isinstance(record, MemberStarted)]
    if start is None or not begun:
        raise NotARun(f"{place.path}: a run must have members, but this one has none yet")
    journalled.refuse_untold(place.path, start.untold)
    key, iteration = _meant(run, begun, asked, place)
    arm, seed, member = key
    experiment = journalled.as_a_file(journalled.arms_of(start), history)[arm]
    _refuse_scenarios(experiment, place)
    try:
        lineage = analysis.ancestry(run, member, arm, seed, iteration)
    except ValueError as error:
        must = "must have an ancestry that can be told"
        raise BadInput([Problem.at("--member", must, f"{who(key)}: {error}")]) from None
    if lineage.trained == 0:
        must = "must have trained, to have a schedule"
        raise BadInput([Problem.at("--member", must, f"{who(key)}, which has not")])
    made = replayed(experiment, lineage, history, _seeds(asked.seeds, experiment.seeds))
    _put(made, lineage, place, asked.to)


def _put(made: Replayed, lineage: Ancestry, place: RunDir, to: Path | None) -> None:
    """Write the file, or print it, and say what it is."""
    to = Path(f"{made.experiment.name}.yaml") if to is None else to
    _refuse_place(to)
    text = _file(made, lineage, place, to)
    if to == _SCREEN:
        sys.stdout.write(text)
    else:
        with replacing(to) as beside:
            beside.write_text(text, encoding="utf-8")
        typer.echo(f"replay: {_said(lineage)}")
        typer.echo(f"to:     {to}; `envolve run {to}` trains it on {_listed(made.experiment)}")
    if made.sketched:
        typer.echo(f"note: {_sketches(made)}", err=True)


def _meant(
    run: Run, begun: Sequence[MemberKey], asked: Asked, place: RunDir
) -> tuple[MemberKey, int | None]:
    """Whose weights are meant, of all that have begun, and of which iteration; None: the newest."""
    populations = _populations(run, asked)
    if asked.member is None:
        return _best(run, populations, place)
    names = {who(key): key for key in begun if key[:2] in populations}
    if len(populations) == 1:
        names |= {f"m{key[2]}": key for key in names.values()}
    named = f"m{asked.member}" if asked.member.isdecimal() else asked.member
    if named in names:
        return names[named], None
    if len(populations) > 1:
        must = f"must be a member of one of {len(populations)} populations"
        hint = f"For example {next(iter(names))}; or say which population by --arm and --seed"
        raise BadInput([Problem.at("--member", must, asked.member, hint)])
    short = [each for each in names if "/" not in each]
    must = f"must be {one_of(short)}"
    raise BadInput([Problem.at("--member", must, asked.member, nearest(named, short))])


def _populations(run: Run, asked: Asked) -> list[tuple[str, int]]:
    """Those that the options leave."""
    arms = list(dict.fromkeys(arm for arm, _ in run.populations))
    seeds = sorted({seed for _, seed in run.populations})
    problems = []
    if asked.arm is not None and asked.arm not in arms:
        hint = nearest(asked.arm, arms)
        problems.append(Problem.at("--arm", f"must be {one_of(arms)}", asked.arm, hint))
    if asked.seed is not None and asked.seed not in seeds:
        must = f"must be {one_of([str(seed) for seed in seeds])}"
        problems.append(Problem.at("--seed", must, str(asked.seed)))
    if problems:
        raise BadInput(problems)
    return [
        (arm, seed)
        for arm, seed in run.populations
        if asked.arm in (None, arm) and asked.seed in (None, seed)
    ]


def _best(run: Run, populations: Sequence[tuple[str, int]], place: RunDir) -> tuple[MemberKey, int]:
    """The best member of these populations, when it was best."""
    import analysis

    played = run.scores[run.scores["suite"] == SELECT].dropna(subset="score")
    found = []
    for arm, seed in populations:
        own = played[(played["arm"] == arm) & (played["seed"] == seed)]
        if own.empty:
            continue
        member, iteration = analysis.best_member(run, arm, seed)
        at = own[(own["member"] == member) & (own["iteration"] == iteration)]
        found.append((float(at["score"].iloc[0]), ((arm, seed, member), iteration)))
    if not found:
        must = "must have a score, which says who is the best"
        hint = "Name a member by --member"
        raise BadInput([Problem.at(str(place.path), must, "none yet", hint)])
    return max(found, key=lambda one: one[0])[1]


def _refuse_scenarios(experiment: Experiment, place: RunDir) -> None:
    if isinstance(experiment.curriculum, Scenario):
        must = "must be a run whose levels are drawn from distributions"
        found = f"curriculum.kind: {experiment.curriculum.kind}, where a policy decides each level"
        hint = "If it has other arms, name one by --arm"
        raise BadInput([Problem.at(str(place.path), must, found, hint)])


def _seeds(given: str | None, own: Sequence[int]) -> list[int]:
    """Seeds that the run has not; as many as it has itself, unless they are given."""
    if given is None:
        first = max(own) + 1
        return list(range(first, first + max(_FEWEST_SEEDS, len(own))))
    parts = [part.strip() for part in given.split(",")]
    must = "must be different whole numbers of at least 0, with commas between them"
    if not all(part.isdecimal() for part in parts) or len(set(map(int, parts))) < len(parts):
        raise BadInput([Problem.at("--seeds", must, given, "For example --seeds 10,11,12")])
    seeds = [int(part) for part in parts]
    known = [str(seed) for seed in seeds if seed in own]
    if known:
        must = "must be seeds that the run has not been trained on"
        hint = f"It has {', '.join(map(str, own))}"
        raise BadInput([Problem.at("--seeds", must, ",".join(known), hint)])
    return seeds


def _refuse_place(to: Path) -> None:
    if to == _SCREEN:
        return
    problems = place_problems("--to", to, _ENDINGS)
    if to.exists() or to.is_symlink():
        must, hint = "must be a new file", "Nothing is overwritten"
        problems.append(Problem.at("--to", must, f"{to}, which is there already", hint))
    if problems:
        raise BadInput(problems)


def _file(made: Replayed, lineage: Ancestry, place: RunDir, to: Path) -> str:
    """The text of the file, which has been read back."""
    said = [f"Replays {_said(lineage)}, of the run {place.path.name}."]
    if made.sketched:
        said.append(f"{_sketches(made)}.")
    lines = [line for sentence in said for line in textwrap.wrap(sentence, _WIDTH)]
    notes = "".join(f"# {line}\n" for line in lines)
    text = notes + dump(resolve({"main": made.experiment}))
    try:
        parse_experiment(text, str(to))
    except BadInput as bad:
        must = "must have a schedule that an experiment file can hold"
        found = f"one of {counted(made.distributions, 'distribution')}: {bad.problems[0]}"
        raise BadInput([Problem.at(str(place.path), must, found)]) from None
    return text


def _said(lineage: Ancestry) -> str:
    """What is replayed, and by way of whom it came to be."""
    path = ", ".join(
        f"m{row.member} from {row.from_iteration} to {row.to_iteration}"
        for row in lineage.segments.itertuples()
    )
    trained = counted(lineage.trained, "iteration")
    name = who((lineage.arm, lineage.seed, lineage.member))
    return f"the {trained} that made {name} at iteration {lineage.iteration} ({path})"


def _sketches(made: Replayed) -> str:
    few = f"{made.sketched} of {counted(made.distributions, 'distribution')}"
    return (
        f"{few} held more levels than the journal keeps; what their draws looked like, knob by "
        "knob, stands in their place, and the replay is not exact there"
    )


def _listed(experiment: Experiment) -> str:
    several = "seeds" if len(experiment.seeds) > 1 else "seed"
    return f"{several} {', '.join(map(str, experiment.seeds))}"
