"""``envolve export``: a checkpoint's policy as a folder that needs neither the run nor envolve."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from experiments.act_example import act_example
from experiments.chosen import COPY, Chosen, borrowed
from experiments.importing import importable_from
from experiments.lineage import lineage
from experiments.loading import dump
from experiments.problems import BadInput, Problem
from experiments.resolving import resolve
from experiments.rules import select_suite
from experiments.run_dir import NotWritable
from experiments.scenarios import scored_team
from experiments.spaces import to_space
from experiments.spec import Experiment
from orchestrator import checkpoints
from orchestrator.frozen import thaw
from orchestrator.records import Score, finite
from orchestrator.suites import SELECT, TEST

__all__ = ["EXPORT", "export", "write_folder"]

#: What the exported policy is and where it comes from; the file that makes a folder an export.
EXPORT = "export.json"
_FORMAT = 1
_PACKAGES = ("envolve", "ray", "torch", "gymnasium", "numpy")


def export(name: str, dest: Path, checkpoint: str | None, *, as_json: bool) -> None:
    """Export a checkpoint of a run, and say what was exported.

    Raises:
        BadInput: if there is something at ``dest``; if the run has no such checkpoint.
        NotARun: if there is no run.
        NothingToRestore: if none of the checkpoints that are meant is whole.
    """
    _free(dest)
    with borrowed(name, checkpoint) as chosen:
        for reason in chosen.passed_over:
            typer.echo(f"passed over: {reason}", err=True)
        digest = write_folder(chosen, dest)
        if as_json:
            typer.echo(json.dumps(_summary(chosen, dest, digest), indent=1, ensure_ascii=False))
        else:
            typer.echo(f"exported: {chosen.name} ({chosen.found_at})")
            typer.echo(f"to:       {dest}; `python {dest / 'act.py'}` acts with it")
            typer.echo(f"digest:   {digest}")


def write_folder(chosen: Chosen, dest: Path) -> str:
    """Write the folder in one step; returns the digest of its manifest."""
    from orchestrator.rllib.exporting import CannotExport, export_policies

    experiment = chosen.experiment
    importable_from(Path.cwd())

    def fill(into: Path) -> None:
        facts = _facts(chosen, experiment) | dataclasses.asdict(
            export_policies(chosen.folder / COPY, into, scored_team(experiment))
        )
        shutil.copyfile(Path(__file__).parent / "exported" / "policy.py", into / "policy.py")
        texts = {
            EXPORT: json.dumps(facts, indent=1),
            "experiment.yaml": dump(resolve({"main": experiment})),
            "act.py": act_example(experiment.env),
            "README.md": _readme(chosen, facts),
        }
        for name, text in texts.items():
            (into / name).write_text(text, encoding="utf-8")

    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        # Written beside its place and renamed into it, which an empty directory gives way to.
        with tempfile.TemporaryDirectory(prefix=f".{dest.name}.", dir=dest.parent) as beside:
            whole = Path(beside) / "export"
            checkpoints.write(whole, fill, {"kind": "envolve export"})
            digest = checkpoints.digest_of(whole)
            (whole / "manifest.sha256").write_text(f"{digest}  {checkpoints.MANIFEST}\n")
            whole.rename(dest)
    except CannotExport as error:
        must = "must be a checkpoint that can be exported"
        raise BadInput([Problem.at(chosen.found_at, must, str(error))]) from None
    except OSError as error:
        raise NotWritable(f"{dest}: must be a place that can be written, but {error}") from error
    return digest


def _facts(chosen: Chosen, experiment: Experiment) -> dict[str, Any]:
    record, manifest = chosen.record, chosen.manifest
    evaluation = experiment.evaluation
    select = _returns(chosen, SELECT)
    test = _returns(chosen, TEST)
    plays = [
        {"level": play.level, "seed": play.seed, "return": value}
        for play, value in _paired(select_suite(experiment), select)
    ]
    return {
        "format": _FORMAT,
        "name": experiment.name,
        **{name: getattr(record, name) for name in ("arm", "seed", "member", "iteration")},
        "checkpoint": {"path": record.path, "digest": record.digest},
        "algorithm": experiment.algorithm.name,
        "hyperparameters": manifest["hyperparameters"],
        "env": {
            "id": experiment.env.id,
            "config": experiment.env.config,
            "condition": _condition(experiment),
            "knobs": {
                name: knob.model_dump(exclude={"start"})
                for name, knob in experiment.env.knobs.items()
            },
            "distribution": manifest["distribution"],
            "revision": manifest["revision"],
        },
        "score": {
            "value": finite(record.score),
            "suite": None if select is None else SELECT,
            "aggregate": evaluation.aggregate,
            "alpha": evaluation.alpha if evaluation.aggregate == "cvar" else None,
            "agents": evaluation.agents,
        },
        "test": None if test is None else {"value": test.score, "returns": list(test.returns)},
        "plays": plays,
        "max_steps": evaluation.max_steps,
        "lineage": lineage(chosen.facts.records, record),
        "weights": manifest["weights"],
        "versions": {
            "python": sys.version.split()[0],
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
            "trained_with": thaw(manifest["versions"]),
        },
    }


def _condition(experiment: Experiment) -> list[dict[str, Any]]:
    """The knobs that policies observe, in that order, each with what its numbers depend on."""
    knobs = to_space(experiment).knobs
    return [{"knob": name, **knobs[name].to_json()} for name in experiment.env.condition]


def _paired(plays: Any, score: Score | None) -> list[tuple[Any, float | None]]:
    """Each level of the select suite with its return; of a run without a suite, with None."""
    returns = None if score is None or len(score.returns) != len(plays) else score.returns
    return [(play, None if returns is None else returns[place]) for place, play in enumerate(plays)]


def _returns(chosen: Chosen, suite: str) -> Score | None:
    """The score of these very weights on a suite, if they were journalled."""
    record, history = chosen.record, chosen.facts.records
    same = [
        each
        for each in history
        if isinstance(each, Score)
        and each.suite == suite
        and (each.key, each.iteration) == (record.key, record.iteration)
    ]
    if suite == TEST:
        return same[-1] if same else None
    # An iteration that was gone through again has a score for each time.
    scored = [each for each in same if each.score == finite(record.score)]
    return scored[-1] if scored else None


def _free(dest: Path) -> None:
    """Refuse a place that something would be overwritten at."""
    if dest.is_dir() and not any(dest.iterdir()):
        return
    if dest.exists() or dest.is_symlink():
        found = f"{dest}, which is there already" if dest.is_dir() else f"the file {dest}"
        must = "must be a new or an empty directory"
        raise BadInput([Problem.at("DEST", must, found, "Nothing is overwritten")])


def _summary(chosen: Chosen, dest: Path, digest: str) -> dict[str, Any]:
    record = chosen.record
    return {
        "exported": str(dest),
        "digest": digest,
        "run": str(chosen.run.path),
        "checkpoint": chosen.found_at,
        **{name: getattr(record, name) for name in ("arm", "seed", "member", "iteration")},
        "score": finite(record.score),
        "passed_over": list(chosen.passed_over),
    }


def _readme(chosen: Chosen, facts: Mapping[str, Any]) -> str:
    needed = ", ".join(
        f"{name} {facts['versions'][name]}" for name in ("ray", "torch", "gymnasium")
    )
    return f"""\
# {facts["name"]}: an exported policy

{chosen.name}; {facts["algorithm"]} on {facts["env"]["id"]}.
{_who_acts(facts)}
    pip install "ray[rllib]=={facts["versions"]["ray"]}" torch gymnasium
    python act.py

`act.py` verifies and loads this folder and plays an episode, without a Ray cluster. It was
exported with {needed}. The package that the env is in is
needed too; if that is a module of your own folder, put the folder on PYTHONPATH. `policy.py` is
all the code that acting takes.

**This folder holds pickles: loading it runs code.** Load it only if you trust whoever gave it to
you. `manifest.json` has the SHA-256 of every file, and `sha256sum -c manifest.sha256` checks the
manifest itself; compare its digest with the one that `envolve export` printed.

- `export.json`: env, config, knobs and the distribution it ended with; spaces; scores and the
  returns on each level; the lineage of its weights; versions
- `experiment.yaml`: the experiment, with every default written out (that of its own arm)
- `policies/`, `env_to_module_connector/`, `module_to_env_connector/`: RLlib's modules (weights
  for acting alone) and connectors with their state
"""


def _who_acts(facts: Mapping[str, Any]) -> str:
    """Which policy acts for whom, and what it has to be told; empty where that goes unsaid."""
    agents, roles = facts["agents"], facts["roles"]
    if isinstance(roles, str):
        who = f"It is the {roles} of a scenario, and acts without the others.\n"
    elif agents is None:
        who = ""
    else:
        own = agents if roles is None else {name: agents[role] for name, role in roles.items()}
        who = f"Agents and their policies: {own}.\n"
    observed = ", ".join(knob["knob"] for knob in facts["env"]["condition"])
    return who + (f"It observes of the level: {observed}.\n" if observed else "")
