from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import pytest

from benchmarks.model import curves
from benchmarks.model.advice import INTERVALS, best
from benchmarks.model.costs import Costs, Timing
from benchmarks.model.curves import Case, Point, efficiency, lengthened
from benchmarks.model.pictures import draw

COSTS = Costs(train=Timing(1.0, 0.2), score=Timing(0.5), save=Timing(0.1))
"""An interval of 4 is 4 s of training and 0.6 s at the boundary."""

BARE = Costs(train=Timing(1.0))
"""Nothing costs anything but training."""


def rising(step: float, at_first: float) -> Iterator[float]:
    """Efficiencies of all intervals."""
    for place, _ in enumerate(INTERVALS):
        yield min(1.0, at_first + place * step)


def by_mode(sync: Iterator[float], other: Iterator[float]) -> dict[tuple[str, int], float]:
    modes = {"sync": sync, "async": other}
    return {
        (mode, interval): value
        for mode, values in modes.items()
        for interval, value in zip(INTERVALS, values, strict=True)
    }


def test_of_intervals_that_are_as_good_the_shortest_is_advised() -> None:
    found = best(by_mode(rising(0.03, 0.8), rising(0.0, 0.9)))
    # 0.80, 0.83, 0.86, 0.89, 0.92, 0.95: within 0.05 of the best from the fifth on.
    assert (found.mode, found.interval) == ("sync", 16)
    assert str(found) == "sync, 16: 0.92 (-0.02)"


def test_sync_is_advised_unless_async_is_well_ahead() -> None:
    assert best(by_mode(rising(0, 0.8), rising(0, 0.89))).mode == "sync"
    assert best(by_mode(rising(0, 0.8), rising(0, 0.91))).mode == "async"


def test_boundaries_alone_cost_anything_where_nothing_differs_and_nothing_fails() -> None:
    for mode in curves.MODES:
        # The iteration that is cut off at the end does not count.
        assert efficiency(Case(8, mode), COSTS) == pytest.approx(4.0 / 4.6, abs=0.01)


def test_stragglers_cost_sync_more_the_more_members_there_are() -> None:
    found = [efficiency(Case(size, "sync", slow_members=0.3), BARE) for size in (4, 32)]
    assert found[1] < found[0] < 0.9
    assert efficiency(Case(32, "async", slow_members=0.3), BARE) == pytest.approx(1.0, abs=0.02)


def test_a_longer_interval_evens_out_slow_iterations_but_not_slow_members() -> None:
    def gain(**stragglers: float) -> float:
        short, long = (
            efficiency(Case(16, "sync", interval, **stragglers), BARE)  # type: ignore[arg-type]
            for interval in (1, 16)
        )
        return long - short

    assert gain(slow_iterations=0.3) > 0.2
    assert gain(slow_members=0.3) < 0.05


def test_more_members_than_cores_keep_the_cores_busy_in_sync() -> None:
    one, four = (
        efficiency(Case(members, "sync", cores=16, slow_iterations=0.3), BARE)
        for members in (16, 64)
    )
    assert four > one + 0.05


def test_failures_cost_sync_more_than_async() -> None:
    costs = Costs(start=20.0, train=Timing(10.0))
    sync, other = (efficiency(Case(32, mode, failures=10.0), costs) for mode in curves.MODES)
    assert sync < other - 0.1
    assert other < 0.95


def test_lengthened_costs_keep_what_does_not_depend_on_the_agent() -> None:
    found = lengthened(Costs(3.0, 7.0, Timing(0.5, 0.1), Timing(0.25), Timing(0.05)), 10.0)
    assert found == Costs(3.0, 7.0, Timing(10.0, 0.1), Timing(5.0), Timing(0.05))


def test_each_figure_becomes_a_picture(tmp_path: Path) -> None:
    points = [
        Point(figure, panel, f"{mode}, 8 members", x, 0.5)
        for figure in ("size", "failures")
        for panel in ("one", "other")
        for mode in curves.MODES
        for x in (4.0, 8.0)
    ]
    files = draw(points, tmp_path)
    assert [file.name for file in files] == ["model_size.png", "model_failures.png"]
    for file in files:
        assert matplotlib.image.imread(file).std() > 0.01
