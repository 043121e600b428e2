"""A run of one member whose Algorithm somebody else trains: what is on disk of it."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator import checkpoints, records, rllib
from orchestrator.curricula import Fixed
from orchestrator.env_space import EnvSpace
from orchestrator.exploit import NoExploit
from orchestrator.explore import Resample
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.member import NotSaved, versions
from orchestrator.member_state import MemberState, Rules
from orchestrator.population import Population
from orchestrator.recovery import adopt, put_back, tidy
from orchestrator.retention import Shelf
from orchestrator.rllib.describing import Description
from orchestrator.rllib.finite import finite_weights
from orchestrator.stop import Stop
from orchestrator.sweeping import mend, sweep

JOURNAL = "journal.jsonl"
ARM = "main"
_KEY = (ARM, 0, 0)
_WHO: Mapping[str, Any] = {"arm": ARM, "seed": 0, "member": 0}


class NotKept(ValueError):
    """A run cannot be kept in that directory, or not so."""


class KeptRun:
    """The run directory, journal and checkpoints of an Algorithm.

    Attributes:
        path: the run directory.
        iteration: training iterations that the Algorithm has behind it.
        saved: the iteration of the newest checkpoint; None before the first.
    """

    def __init__(self, path: Path, algorithm: Algorithm, every: int, best: int) -> None:
        """Open the journal, or begin one; the directory must be held.

        Raises:
            DamagedJournal: if it cannot be read.
            NotKept: if it is that of a population.
        """
        self.path = path
        self._algorithm = algorithm
        self._shelf = Shelf(keep_best=best)
        journal = Journal(path / JOURNAL)
        _refuse_population(path, journal)
        population = Population(ARM, 0, _rules(every))
        self._ledger = Ledger(journal, [population], [self._shelf.apply])
        self._journal = journal
        self._unwritten: list[records.Record] = []
        self.iteration = int(algorithm.iteration)
        self.saved: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the journal tells of a member already."""
        return bool(self._ledger.states())

    @property
    def _state(self) -> MemberState:
        return self._ledger.state(_KEY)

    def begin(self, arms: Mapping[str, Any], description: Description) -> None:
        """Journal a new run."""
        self._forget_file()
        self._ledger.record(
            records.RunStarted(name=arms[ARM]["name"], **_circumstances(arms, description))
        )
        self._begin_member()

    def take_up(self, arms: Mapping[str, Any], description: Description) -> None:
        """Load the newest whole checkpoint into the Algorithm and go on from there.

        Raises:
            NothingToRestore: if there are checkpoints, and none is whole.
            RestoreFailed: if the Algorithm does not hold the checkpoint's weights afterwards.
        """
        self._forget_file()
        self._ledger.record(records.RunResumed(**_circumstances(arms, description)))
        put_back(self._ledger, self._shelf, self.path)
        adopt(self._ledger, self._shelf, self.path)
        tidy(self._shelf, self.path)
        mend(self._ledger, self._shelf, self.path)
        if not self.begun:
            self._begin_member()
        point = self._state.restore_point
        if point is not None:
            place = self.path / point.path
            checkpoints.verify(place, point.digest)
            rllib.restore(self._algorithm, place)
            self.iteration = self.saved = self._state.iteration
        sweep(self._ledger, self._shelf, self.path)

    def trained(self, result: Mapping[str, Any], seconds: float) -> None:
        """Note an iteration; should the disk not take it, it is written with the next record."""
        self.iteration += 1
        sampled = result.get("env_runners", {})
        mean = records.finite(sampled.get("episode_return_mean"))
        # RLlib says NaN where none ended.
        episodes = int(records.finite(sampled.get("num_episodes")) or 0)
        revisions = {"0": {"episodes": episodes, "return": float(mean)}} if mean is not None else {}
        self._unwritten.append(
            records.Result(
                **_WHO,
                iteration=self.iteration,
                training_return=None if mean is None else float(mean),
                env_steps=rllib.env_steps(self._algorithm),
                revisions=revisions if episodes else {},
                seconds={"train": seconds},
            )
        )
        self._record()

    def fault(self, where: str, error: BaseException, action: str) -> None:
        """Note what went wrong, and what was done about it."""
        said = f"{type(error).__name__}: {error}"
        fault = records.Fault(
            **_WHO, iteration=self.iteration, where=where, error=said, action=action
        )
        self._unwritten.append(fault)
        self._record()

    def save(self, score: float | None) -> None:
        """Write a checkpoint, verify it, journal it, and keep the best ones.

        Raises:
            NotSaved: if the weights are not finite.
            OSError: if the disk does not take it. Whatever RLlib raises, too.
        """
        if not finite_weights(self._algorithm):
            raise NotSaved(
                f"{self.path}: weights must be finite to be saved, but after iteration "
                f"{self.iteration} they are not"
            )
        # What could not be written before may be written now.
        self._record()
        state = self._state
        score = records.finite(score)
        facts = {
            **_WHO,
            "iteration": self.iteration,
            "env_steps": rllib.env_steps(self._algorithm),
            "minutes": state.minutes,
            "hyperparameters": dict(state.hyperparameters),
            "distribution": state.distribution.to_json(),
            "revision": state.revision,
            "parent": _parent(state),
            "score": score,
            "weights": rllib.weights_digest(self._algorithm),
            "versions": versions(),
        }
        path = checkpoints.directory(**_WHO, iteration=self.iteration)
        taken, digest = checkpoints.write(
            self.path / path, lambda into: rllib.save(self._algorithm, into), facts
        )
        checkpoints.verify(taken, digest)
        path = path.with_name(taken.name)
        self._ledger.record(
            records.CheckpointSaved(
                **_WHO, iteration=self.iteration, path=str(path), digest=digest, score=score
            )
        )
        self.saved = self.iteration
        sweep(self._ledger, self._shelf, self.path)

    def end(self, status: str) -> None:
        """Note the end (``finished``, ``stopped`` or ``failed``) and close the journal."""
        try:
            self._unwritten.append(records.RunEnded(status=status))
            self._record()
            self._forget_file()
        finally:
            self._journal.close()

    def close(self) -> None:
        """Close the journal as it is."""
        self._journal.close()

    def _forget_file(self) -> None:
        """Whoever needs the experiment file writes it from the journal: it says how far we came."""
        (self.path / "experiment.yaml").unlink(missing_ok=True)

    def _begin_member(self) -> None:
        population = self._ledger.populations[ARM, 0]
        distribution = population.rules.space.full()
        self._ledger.record(*population.first([({}, distribution)], "keep"))

    def _record(self) -> None:
        """Write what is not written yet.

        Raises:
            Unwritable: if the disk does not take it; the next call tries again.
        """
        self._ledger.record(*self._unwritten)
        self._unwritten = []


def arms_of(path: Path, description: Description, every: int, best: int) -> dict[str, Any]:
    """The run as the one arm of an experiment file, defaults left out and nothing to stop it."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).lstrip("._-")[:64]
    return {
        ARM: {
            "envolve": 1,
            "name": name or "kept",
            "env": dict(description.env),
            "algorithm": dict(description.algorithm),
            "curriculum": {"kind": "fixed"},
            # Asynchronous: nobody reseeds it at boundaries, so that it cannot resume exactly.
            "population": {
                "size": 1,
                "interval": every,
                "mode": "async",
                "exploit": {"kind": "none"},
            },
            "checkpoint": {"keep_best": best},
            "stop": {},
        }
    }


def _rules(every: int) -> Rules:
    return Rules(
        size=1,
        interval=every,
        mode="async",
        space=EnvSpace({}),
        search={},
        curriculum=Fixed(),
        exploit=NoExploit(),
        explore=Resample(),
        stop=Stop(),
    )


def _refuse_population(path: Path, journal: Journal) -> None:
    for record in journal.records:
        if isinstance(record, records.MemberStarted) and (
            record.key != _KEY or record.hyperparameters or record.distribution != _NO_KNOBS
        ):
            journal.close()
            raise NotKept(
                f"{path}: must be a new or empty directory, or that of a run kept before, but "
                f"holds a run of `envolve run`; `envolve resume {path}` goes on with it"
            )


def _parent(state: MemberState) -> dict[str, str | None]:
    point = state.restore_point
    if point is None:
        return {"checkpoint": None, "digest": None}
    return {"checkpoint": point.path, "digest": point.digest}


def _circumstances(arms: Mapping[str, Any], description: Description) -> dict[str, Any]:
    text = json.dumps(arms, sort_keys=True)
    return {
        "experiment": hashlib.sha256(text.encode()).hexdigest(),
        "arms": arms,
        "versions": {"python": sys.version.split()[0], **versions()},
        "command": tuple(sys.argv),
        "untold": description.untold,
    }


_NO_KNOBS = EnvSpace({}).full().to_json()
