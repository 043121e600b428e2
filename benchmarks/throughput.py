"""How much of a bare ``algorithm.train()`` loop's speed a member keeps; what boundaries cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Aim, Measurement, alternated
from benchmarks.setting import Setting, in_worker, interval, quickstart, session, setting_of
from experiments.envs.cartpole import CartPole
from experiments.envs.pendulum import Pendulum
from orchestrator import rllib
from orchestrator.member import Member
from orchestrator.report import Report
from orchestrator.stop import Stop

SAC = Path(__file__).parent / "sac.yaml"

_AIM = Aim(0.97, below=False)
_PAIRS = 50
_INTERVALS = 6
# The policies must not move apart: CartPole's episodes would differ in length, and with it the
# number of resets. Pendulum's are all equally long.
_NO_LEARNING = 1e-9
# SAC learns nothing before.
_WARM_UP = 4


def measure() -> Iterator[Measurement]:
    """Between boundaries against stock RLlib, in one process; then whole intervals."""
    with session(), TemporaryDirectory() as folder:
        setting = quickstart()
        ppo = setting.narrowed(CartPole.SETTABLE, lr=_NO_LEARNING)
        yield from in_worker(_between_boundaries, ppo, "PPO", Path(folder) / "ppo")
        sac = setting_of(SAC, [], {}).narrowed(Pendulum.SETTABLE, actor_lr=3e-5)
        yield from in_worker(_between_boundaries, sac, "SAC", Path(folder) / "sac")
        yield from in_worker(_at_boundaries, setting, Path(folder) / "at")


def _between_boundaries(setting: Setting, name: str, run_dir: Path) -> list[Measurement]:
    """The same policies on (nearly) the same dynamics, with as many resets.

    The member draws and applies a level at each reset, from ranges so narrow that the env is
    the stock one's.
    """
    # Its end would be a boundary too.
    never = Stop(iterations=10**9)
    blueprint = replace(setting.arm.blueprint, interval=10**9, stop=never)
    member = Member(blueprint, run_dir, setting.start.plain())
    algorithm = setting.stock(**setting.start.hyperparameters).build_algo()
    for _ in range(_WARM_UP):
        algorithm.train()
        member.iterate()
    pairs = tuple(alternated(algorithm.train, member.iterate, _PAIRS))
    iterations = _WARM_UP + 1 + len(pairs)
    stock_steps = rllib.env_steps(algorithm) / iterations
    member_steps = member.env_steps / iterations
    member.close()
    algorithm.stop()
    stock = tuple(stock_steps / own for own, _ in pairs)
    ours = tuple(member_steps / own for _, own in pairs)
    ratios = tuple(own / other for own, other in zip(ours, stock, strict=True))
    between = "Member.iterate between boundaries"
    return [
        Measurement(f"stock: {name}, env steps per second of algorithm.train()", "1/s", stock),
        Measurement(f"{name}, env steps per second of {between}", "1/s", ours),
        Measurement(f"{name}, share of stock throughput, pair by pair", "", ratios, _AIM),
    ]


def _at_boundaries(setting: Setting, run_dir: Path) -> list[Measurement]:
    """Parts of the intervals of a member that learns, from one boundary to the next."""
    member = Member(setting.arm.blueprint, run_dir, setting.start.plain())
    intervals = [interval(member) for _ in range(_INTERVALS)]
    member.close()
    # The first interval warms up.
    return [
        Measurement(
            f"share of an interval spent on {part}",
            "",
            tuple(_share(part, reports) for reports in intervals[1:]),
        )
        for part in ("score", "save")
    ]


def _share(part: str, reports: Sequence[Report]) -> float:
    whole = sum(sum(report.seconds.values()) for report in reports)
    return sum(report.seconds.get(part, 0.0) for report in reports) / whole
