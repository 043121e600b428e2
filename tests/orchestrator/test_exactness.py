"""Conformance: a member that was killed and built anew is the member that never was."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from rllib_catalogue import (
    Pair,
    blueprint,
    configured,
    filtered,
    member_state,
    meter,
    pole,
    swing,
    tiny_dqn,
    tiny_ppo,
    tiny_sac,
    with_kl,
)

from orchestrator import rllib
from orchestrator.curricula import PRESETS, Curriculum, Learnability
from orchestrator.distributions import EnvSpace
from orchestrator.member import Blueprint, Member
from orchestrator.report import Report
from orchestrator.rllib.promises import exactness_gaps
from orchestrator.scenario import Scenario
from orchestrator.suites import SELECT, draw_suite

pytestmark = pytest.mark.ray

INTERVAL, LAST = 2, 6


def scheduled() -> AlgorithmConfig:
    config = with_kl(tiny_ppo())
    schedules: Any = {
        "lr": [[0, 1e-3], [2000, 1e-4]],
        "entropy_coeff": [[0, 0.05], [1000, 0.0]],
    }
    return configured(config.training(**schedules), pole())


def late_dqn() -> AlgorithmConfig:
    """Its first boundary comes before its first update, which still has the first rate."""
    config = tiny_dqn().training(
        num_steps_sampled_before_learning_starts=120, lr=[[0, 1e-2], [200, 1e-4]]
    )
    return configured(config, pole())


CONFIGS: dict[str, Callable[[], AlgorithmConfig]] = {
    "ppo": lambda: configured(with_kl(tiny_ppo()), pole()),
    "ppo-agents": lambda: configured(with_kl(tiny_ppo()), meter(Pair)),
    "ppo-filter": lambda: configured(filtered(with_kl(tiny_ppo())), pole()),
    "ppo-schedules": scheduled,
    "dqn": lambda: configured(tiny_dqn(), pole()),
    "dqn-late": late_dqn,
    "sac": lambda: configured(tiny_sac(), swing()),
    "ppo-2-remote": lambda: configured(with_kl(tiny_ppo(2, 2)), pole()),
    "ppo-filter-2-remote": lambda: configured(filtered(with_kl(tiny_ppo(2, 2))), pole()),
    "dqn-2-remote": lambda: configured(tiny_dqn(2), pole()),
    "sac-2-remote": lambda: configured(tiny_sac(2), swing()),
    "ppo-accel": lambda: configured(with_kl(tiny_ppo()), pole(), level_scores=True),
    "ppo-accel-2-remote": lambda: configured(with_kl(tiny_ppo(2, 2)), pole(), level_scores=True),
    "ppo-sfl": lambda: configured(with_kl(tiny_ppo()), pole()),
    "ppo-paired": lambda: configured(
        with_kl(tiny_ppo()), replace(pole(), scenario=Scenario(2, "regret"))
    ),
}

_ACCEL = replace(PRESETS["accel"], capacity=12, fill=0.25, edits=1, parents=2)  # type: ignore[type-var]
# Of members that each run a curriculum by themselves.
CURRICULA: dict[str, Curriculum] = {
    "ppo-accel": _ACCEL,
    "ppo-accel-2-remote": _ACCEL,
    "ppo-sfl": Learnability(candidates=6, rollouts=2, keep=3, every=2),
}


# What can be told of a member


# Times, what is made of them, and counts since a process began.
_CLOCK = re.compile(
    r"(?<!life)time(?!step)|throughput|duration|_date|/date|/sample$|--sample/|since_restore"
    r"|/perf/|/pid$|node_ip|hostname|trial_id|in_flight|outstanding"
)
_EPISODE_ID = re.compile(r"[0-9a-f]{32}")


def told(value: Any) -> dict[str, Any]:
    """Everything in a nested value by its path, times left out, as values that compare.

    RLlib draws the names of episodes from the system; here they are numbered.
    """
    names: dict[str, str] = {}

    def leaves(path: str, node: Any) -> Iterator[tuple[str, Any]]:
        if _CLOCK.search(path):
            return
        if isinstance(node, Mapping):
            for key, each in node.items():
                yield from leaves(f"{path}/{leaf(key)}", each)
        elif isinstance(node, list | tuple) or hasattr(node, "popleft"):
            yield f"{path}/length", len(node)
            for place, each in enumerate(node):
                yield from leaves(f"{path}/{place}", each)
        else:
            yield path, leaf(node)

    def leaf(node: Any) -> Any:
        if isinstance(node, torch.Tensor):
            node = node.detach().numpy()
        if isinstance(node, np.ndarray | np.generic):
            return (str(node.dtype), node.shape, node.tobytes())
        if isinstance(node, float):
            return repr(node)
        if isinstance(node, str):
            return names.setdefault(node, f"#{len(names)}") if _EPISODE_ID.fullmatch(node) else node
        assert isinstance(node, bool | int | bytes | type(None) | type) or callable(node), (
            f"{type(node)} cannot be compared"
        )
        return node

    return dict(leaves("", value))


def payload(place: Path) -> dict[str, Any]:
    """All that a checkpoint holds, but for the configs that RLlib keeps beside it."""
    found: dict[str, Any] = {
        file.name: json.loads(file.read_text()) for file in place.glob("curriculum.json")
    }
    for file in sorted(place.rglob("*.pkl")):
        if file.name != "class_and_ctor_args.pkl":
            found[file.relative_to(place).as_posix()] = pickle.loads(file.read_bytes())
    return told(found)


def told_of(report: Report) -> dict[str, Any]:
    """A report as plain values; its times are in a manifest, so in its digest too.

    A place that is taken already is another's.
    """
    values = {**vars(report), "seconds": {}, "checkpoint": None, "digest": None}
    if report.move is not None:
        stand = report.move.stand
        values["move"] = [report.move.why, stand.distribution.to_json(), dict(stand.state)]
    if report.outlook is not None:
        values["outlook"] = vars(report.outlook)
    return told(values)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    missing = object()
    paths = sorted(one.keys() | other.keys())
    return [path for path in paths if one.get(path, missing) != other.get(path, missing)][:20]


@dataclass(frozen=True)
class Iteration:
    """What one iteration of a member left: reports, weights, at a boundary the checkpoint."""

    report: dict[str, Any]
    result: dict[str, Any]
    place: str | None
    weights: str
    checkpoint: dict[str, Any]


def live(member: Member) -> dict[int, Iteration]:
    """Iterate up to the last boundary."""
    algorithm = member._algorithm
    train = algorithm.train
    results: list[dict[str, Any]] = []

    def train_and_tell() -> dict[str, Any]:
        results.append(train())
        return results[-1]

    algorithm.train = train_and_tell
    life = {}
    while member.iteration < LAST:
        report = member.iterate()
        result = {name: value for name, value in results.pop().items() if name != "config"}
        life[member.iteration] = Iteration(
            report=told_of(report),
            result=told(result),
            place=report.checkpoint,
            weights=rllib.weights_digest(algorithm),
            checkpoint=payload(member.run_dir / report.checkpoint) if report.checkpoint else {},
        )
    algorithm.train = train
    return life


def assert_goes_on(member: Member, life: Mapping[int, Iteration]) -> None:
    """The member lives the rest of a life to the bit, in all that can be told of it."""
    rest = live(member)
    assert rest.keys() == {iteration for iteration in life if iteration > LAST - len(rest)}
    for iteration, found in rest.items():
        expected = life[iteration]
        assert not differing(expected.result, found.result), iteration
        assert not differing(expected.report, found.report), iteration
        assert expected.weights == found.weights, iteration
        assert not differing(expected.checkpoint, found.checkpoint), iteration


# Lives


@dataclass(frozen=True)
class Lived:
    """A member that went on over three boundaries, and its life."""

    name: str
    member: Member
    life: dict[int, Iteration]

    def at(self, boundary: int) -> dict[str, Any]:
        return standing(self.name, self.member.run_dir, self.life[boundary].place)


def plan(name: str) -> Blueprint:
    config = CONFIGS[name]()
    space = _space(config)
    return replace(
        blueprint(INTERVAL),
        algorithm=config,
        space=space,
        select=draw_suite(space, SELECT, 3, 0),
        curriculum=CURRICULA.get(name),
        success_above=20.0,
    )


def standing(name: str, run_dir: Path, place: str | None = None) -> dict[str, Any]:
    """The state of a member at its beginning, or at a checkpoint of its own."""
    start = {"hyperparameters": {}, "distribution": _space(CONFIGS[name]()).full().to_json()}
    if place is None:
        return member_state(**start)
    manifest = json.loads((run_dir / place / "manifest.json").read_text())
    facts = {each: manifest[each] for each in ("iteration", "env_steps", "minutes", "revision")}
    return member_state(**start, **facts, checkpoint=place)


def _space(config: AlgorithmConfig) -> EnvSpace:
    space = config.env_config["setup"].distribution.space
    assert isinstance(space, EnvSpace)
    return space


@pytest.fixture(scope="module", params=CONFIGS)
def lived(
    ray_runtime: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    name, run_dir = request.param, tmp_path_factory.mktemp("run")
    member = Member(plan(name), run_dir, standing(name, run_dir))
    yield Lived(name, member, live(member))
    member.close()


def test_no_life_is_the_same_twice(lived: Lived) -> None:
    """What the other tests compare does move, and their configs are promised to be exact."""
    assert exactness_gaps(CONFIGS[lived.name]()) == []
    assert len({iteration.weights for iteration in lived.life.values()}) >= LAST - 1
    if lived.name in CURRICULA:
        assert lived.life[LAST].report["/revision"] >= 2
    boundaries = [each.checkpoint for each in lived.life.values() if each.checkpoint]
    assert len(boundaries) == LAST // INTERVAL
    assert len(differing(*boundaries[-2:])) == 20


# The member that is compared with was reseeded at each boundary, and never restored.
@pytest.mark.parametrize("boundary", [INTERVAL, 2 * INTERVAL])
def test_a_member_that_is_built_anew_goes_on_to_the_bit(
    lived: Lived, boundary: int, tmp_path: Path
) -> None:
    state = lived.at(boundary)
    shutil.copytree(lived.member.run_dir / state["checkpoint"], tmp_path / state["checkpoint"])
    member = Member(plan(lived.name), tmp_path, state)
    try:
        assert_goes_on(member, lived.life)
    finally:
        member.close()


def test_a_member_that_goes_back_in_place_goes_on_to_the_bit(lived: Lived) -> None:
    lived.member.become(lived.at(INTERVAL))
    assert_goes_on(lived.member, lived.life)
