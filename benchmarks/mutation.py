"""How long it takes until every sub-env of a member holds another distribution."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Aim, Measurement, repeated
from benchmarks.setting import (
    Setting,
    SteppedMember,
    in_worker,
    quickstart,
    runners_text,
    session,
    step,
)

_LOCAL, _REMOTE = Aim(5.0), Aim(30.0)
_RUNNERS = (0, 1, 4, 8)
# Stock's grows with the processes that it starts, and takes its time.
_STOCK_RUNNERS = (0, 1)
_REPEATS = 100
_STOCK_REPEATS = 3
_ENVS = 16


def measure() -> Iterator[Measurement]:
    """By a directive; and as stock RLlib does it, with another Algorithm."""
    with session(), TemporaryDirectory() as folder:
        for remote in _RUNNERS:
            setting = quickstart(remote)
            taken = in_worker(_push, setting, Path(folder))
            what = f"every one of {_ENVS} sub-envs a runner acknowledged, {runners_text(remote)}"
            yield Measurement(what, "ms", _milliseconds(taken), _REMOTE if remote else _LOCAL)
            if remote not in _STOCK_RUNNERS:
                continue
            taken = in_worker(_rebuild, setting, Path(folder) / f"stock{remote}")
            what = "stock: save, stop, build with another env config, restore, "
            yield Measurement(what + runners_text(remote), "ms", _milliseconds(taken))


def _push(setting: Setting, run_dir: Path) -> tuple[float, ...]:
    member = SteppedMember(setting.arm.blueprint, run_dir, setting.start.plain())
    member.step()
    space = setting.arm.blueprint.space
    distributions = itertools.cycle([space.full().to_json(), space.initial().to_json()])
    revisions = itertools.count(1)

    def mutate() -> None:
        # Raises unless every sub-env answers that it holds the revision.
        member.set_distribution(next(distributions), next(revisions))

    taken = repeated(mutate, _REPEATS)
    member.close()
    return taken


def _rebuild(setting: Setting, checkpoint: Path) -> tuple[float, ...]:
    algorithm = setting.stock(lr=1e-3).build_algo()
    step(algorithm)

    def rebuild() -> None:
        nonlocal algorithm
        algorithm.save_to_path(str(checkpoint))
        algorithm.stop()
        algorithm = setting.stock(lr=1e-3).build_algo()
        algorithm.restore_from_path(str(checkpoint))

    taken = repeated(rebuild, _STOCK_REPEATS)
    algorithm.stop()
    return taken


def _milliseconds(taken: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(each * 1e3 for each in taken)
