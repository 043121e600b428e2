"""An experiment's member and its stock counterpart, built as a run builds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import ray
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.tune.registry import register_env

from experiments.build import Arm, Config
from experiments.checking import check
from experiments.driver import wire
from experiments.envs.levels import Settable
from experiments.loading import load
from experiments.ray_session import ray_session
from experiments.rules import rules_of
from orchestrator import rllib
from orchestrator.distributions import Distribution, EnvSpace, Product
from orchestrator.marginals import Range
from orchestrator.member import Member
from orchestrator.member_state import MemberState, Saved
from orchestrator.pictures import counted
from orchestrator.report import Report

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs"
QUICKSTART = ROOT / "experiments" / "quickstart.yaml"
REMOTE_RUNNERS = (0, 2)
"""Numbers of remote env runners that members are measured with; 0: it samples by itself."""

_STOCK_ENV = "benchmarks-stock"


@dataclass(frozen=True)
class Setting:
    """What a member of an experiment is made of.

    Attributes:
        config: the file's RLlib config and env, before they were made ours.
        arm: the same, wired for a run.
        start: where a new member stands.
    """

    config: Config
    arm: Arm
    start: MemberState

    def stock(self, **training: float) -> AlgorithmConfig:
        """The same RLlib config and the same env without levels: what stock RLlib would run.

        Args:
            training: what the search would decide.
        """
        env = self.config.env
        register_env(_STOCK_ENV, lambda context: env({}))
        config = self.config.algorithm.copy(copy_frozen=False)
        config.environment(env=_STOCK_ENV)
        config.resources(num_cpus_for_main_process=self.arm.cpus)
        config.env_runners(num_cpus_per_env_runner=self.arm.cpus)
        return config.training(**training)

    def narrowed(self, settable: Mapping[str, Settable], **hyperparameters: float) -> Setting:
        """With a member that starts on next to nothing but the env's defaults, and with these."""
        distribution = narrow(self.arm.blueprint.space, settable)
        start = replace(self.start, hyperparameters=hyperparameters, distribution=distribution)
        return replace(self, start=start)


class SteppedMember(Member):
    """A member that can be asked for its first env steps alone."""

    def step(self) -> None:
        """One step of every sub-env of every env runner, the resets before it included."""
        step(self._algorithm)


def quickstart(remote_runners: int = 0) -> Setting:
    """The quickstart with two members; needs `session`."""
    runners = f"algorithm.env_runners.num_env_runners={remote_runners}"
    return setting_of(QUICKSTART, ["population.size=2", runners], {"lr": 1e-3})


def setting_of(
    file: Path, overrides: Sequence[str], hyperparameters: Mapping[str, float]
) -> Setting:
    """An experiment of one arm; needs `session`."""
    loaded = load(file, overrides)
    configs = check(loaded)
    [(name, arm)] = wire(loaded, configs).items()
    rules = rules_of(loaded.arms[name])
    start = MemberState(
        key=(name, 0, 0),
        hyperparameters=hyperparameters,
        distribution=rules.curriculum.begin(rules.space).distribution,
    )
    return Setting(configs[name], arm, start)


@contextmanager
def kept_folder(prefix: str) -> Iterator[Path]:
    """A directory on the disk that runs are kept on, for the time of the block."""
    RUNS.mkdir(exist_ok=True)
    # What was killed a moment ago may still be letting go of its files.
    with TemporaryDirectory(dir=RUNS, prefix=f".{prefix}-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def session() -> Iterator[None]:
    """Ray, with this package importable in its workers."""
    with ray_session(ROOT):
        yield


def in_worker(function: Callable[..., T], setting: Setting, *arguments: Any) -> T:
    """Call ``function(setting, ...)`` in a worker of Ray, where members and stock trials live.

    Not in this process: RLlib looks through the call stack whenever it builds a connector, and
    that takes three times as long below ``python -m``, whose frames have no source file.
    """
    task = ray.remote(num_cpus=setting.arm.cpus)(function)
    answer: T = ray.get(task.remote(setting, *arguments))
    return answer


def step(algorithm: Algorithm) -> None:
    """One step of every sub-env of every training runner."""
    rllib.each_runner(algorithm, lambda runner: len(runner.sample(num_timesteps=1)))


def interval(member: Member) -> list[Report]:
    """A member's reports up to its next boundary."""
    reports = [member.iterate()]
    while reports[-1].checkpoint is None:
        reports.append(member.iterate())
    return reports


def donated(member: Member, start: MemberState) -> MemberState:
    """Where another member stands after it copied ``member``, which is trained to its boundary."""
    report = interval(member)[-1]
    saved = Saved(str(report.checkpoint), str(report.digest), report.iteration)
    arm, seed, number = start.key
    return replace(
        start,
        key=(arm, seed, number + 1),
        iteration=report.iteration,
        env_steps=report.env_steps,
        restore_point=saved,
        revision=1,
    )


def narrow(space: EnvSpace, settable: Mapping[str, Settable]) -> Distribution:
    """Ranges so narrow that an env stays what it is by default, though every level is drawn."""
    usual = {name: settable[name].default for name in space.names}
    return Product(space, {name: Range(value, value * (1 + 1e-9)) for name, value in usual.items()})


def runners_text(remote: int) -> str:
    """How many env runners there are, in words."""
    return counted(remote, "remote env runner") if remote else "no remote env runner"
