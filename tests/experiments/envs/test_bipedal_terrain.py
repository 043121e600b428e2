from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import seeds
from hypothesis import given
from hypothesis import strategies as st

from experiments.envs.bipedal_terrain import (
    LENGTH,
    LEVEL,
    MIN_PIT,
    MIN_RISE,
    START,
    STEP,
    Block,
    Ground,
    Recipe,
    laid,
)

NOTHING: dict[str, Any] = {
    "roughness": 0.0,
    "pit": (0.0, 0.0),
    "stump": (0.0, 0.0),
    "stair": (0.0, 0.0),
    "stair_steps": 0,
}


def ground(seed: int = 0, **ingredients: Any) -> Ground:
    return laid(Recipe(**(NOTHING | ingredients)), np.random.default_rng(seed))


def left(block: Block) -> float:
    return min(x for x, _ in block) / STEP


def right(block: Block) -> float:
    return max(x for x, _ in block) / STEP


def top(block: Block) -> float:
    return max(y for _, y in block) / STEP


def bottom(block: Block) -> float:
    return min(y for _, y in block) / STEP


def between(top_value: float) -> st.SearchStrategy[tuple[float, float]]:
    ends = st.tuples(st.floats(0, top_value), st.floats(0, top_value))
    return ends.map(lambda pair: (min(pair), max(pair)))


RECIPES = st.builds(
    Recipe,
    roughness=st.floats(0, 10),
    pit=between(10),
    stump=between(5),
    stair=between(5),
    stair_steps=st.integers(0, 9),
)


def test_the_recipe_of_nothing_is_flat() -> None:
    assert ground() == Ground([(place * STEP, LEVEL) for place in range(LENGTH)], [])


@given(RECIPES, seeds)
def test_the_line_runs_from_left_to_right_and_starts_flat(recipe: Recipe, seed: int) -> None:
    line = laid(recipe, np.random.default_rng(seed)).line
    assert len(line) == LENGTH
    assert all(one < other for (one, _), (other, _) in pairwise(line))
    assert {y for _, y in line[: START + 1]} == {LEVEL}
    assert np.isfinite(line).all()


@given(RECIPES, seeds)
def test_ground_follows_from_recipe_and_generator(recipe: Recipe, seed: int) -> None:
    again = laid(recipe, np.random.default_rng(seed))
    assert laid(recipe, np.random.default_rng(seed)) == again


@given(RECIPES, seeds)
def test_box2d_could_make_each_block(recipe: Recipe, seed: int) -> None:
    for block in laid(recipe, np.random.default_rng(seed)).blocks:
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = block
        assert x1 == x4 < x2 == x3
        assert y4 == y3 < y1 == y2
        assert left(block) + 1e-9 >= START
        # Corners nearer than half of its 5 mm are one corner to it.
        assert y1 - y4 > 0.0025


@given(st.floats(0, 10), seeds)
def test_roughness_scales_every_height(roughness: float, seed: int) -> None:
    usual = np.array(ground(seed, roughness=1.0).line)[:, 1] - LEVEL
    assert np.abs(usual).max() > 0.05
    scaled = np.array(ground(seed, roughness=roughness).line)[:, 1] - LEVEL
    if roughness > 1e-6:  # Less is lost beside the level, which decides where the ground tends.
        assert scaled == pytest.approx(roughness * usual, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("gap", [0.8, 3.0, 4.25, 10.0])
def test_a_pit_is_a_gap_between_two_blocks(gap: float) -> None:
    made = ground(pit=(gap, gap))
    assert len(made.blocks) >= 12
    for before, after in zip(made.blocks[::2], made.blocks[1::2], strict=True):
        assert left(after) - right(before) == pytest.approx(gap)
        for block in (before, after):
            assert right(block) - left(block) == pytest.approx(1)
            assert top(block) == pytest.approx(LEVEL / STEP)
            assert bottom(block) == pytest.approx(LEVEL / STEP - 4)
    # Between them the line runs along the bottom, and comes up behind the second.
    before, after = made.blocks[:2]
    points = [
        (x / STEP, y / STEP) for x, y in made.line if left(before) < x / STEP - 1e-9 < right(after)
    ]
    assert [y for _, y in points[:-1]] == pytest.approx([LEVEL / STEP - 4] * (len(points) - 1))
    assert points[-1] == pytest.approx((right(after), LEVEL / STEP))


@pytest.mark.parametrize("height", [0.2, 1.0, 5.0])
def test_a_stump_stands_on_the_ground(height: float) -> None:
    made = ground(stump=(height, height))
    assert len(made.blocks) >= 12
    for block in made.blocks:
        assert right(block) - left(block) == pytest.approx(1)
        assert bottom(block) == pytest.approx(LEVEL / STEP)
        assert top(block) - bottom(block) == pytest.approx(height)


@pytest.mark.parametrize("steps", [1, 3, 9])
@pytest.mark.parametrize("rise", [0.2, 1.5])
def test_a_flight_goes_up_or_down_by_all_its_steps(steps: int, rise: float) -> None:
    ways = set()
    for seed in range(8):
        made = ground(seed, stair=(rise, rise), stair_steps=steps)
        flight = made.blocks[:steps]
        first, last = round(left(flight[0])), round(right(flight[-1]))
        assert last - first == 4 * steps
        assert [right(block) - left(block) for block in flight] == pytest.approx([4.0] * steps)
        assert [top(block) - bottom(block) for block in flight] == pytest.approx([rise] * steps)
        start, end = made.line[first][1] / STEP, made.line[last][1] / STEP
        up = end > start
        ways.add(up)
        assert end - start == pytest.approx(steps * rise if up else -steps * rise)
        treads = [start + rise * ((step + 1) if up else -step) for step in range(steps)]
        assert [top(block) for block in flight] == pytest.approx(treads)
    assert ways == {True, False}


@given(st.integers(1, 9), st.floats(MIN_RISE, 5), seeds)
def test_the_line_is_hidden_in_a_flight(steps: int, rise: float, seed: int) -> None:
    made = ground(seed, stair=(rise, rise), stair_steps=steps)
    for block in made.blocks:
        inside = [y for x, y in made.line if left(block) + 0.5 < x / STEP < right(block) + 0.5]
        assert all(bottom(block) - 1e-6 < y / STEP < top(block) + 1e-6 for y in inside)


@pytest.mark.parametrize(
    ("ingredients", "there"),
    [
        ({"pit": (0.0, MIN_PIT)}, True),
        ({"pit": (0.0, 0.79)}, False),
        ({"stump": (0.1, MIN_RISE)}, True),
        ({"stump": (0.1, 0.19)}, False),
        ({"stair": (0.1, MIN_RISE), "stair_steps": 1}, True),
        ({"stair": (0.1, 0.19), "stair_steps": 1}, False),
        ({"stair": (5.0, 5.0), "stair_steps": 0}, False),
    ],
    ids=str,
)
def test_slight_obstacles_are_left_out(ingredients: dict[str, Any], there: bool) -> None:
    assert bool(ground(**ingredients).blocks) is there


def test_a_kind_that_is_left_out_takes_no_turns() -> None:
    pits = ground(pit=(3.0, 3.0))
    assert ground(pit=(3.0, 3.0), stair=(5.0, 5.0), stair_steps=0) == pits
    assert ground(pit=(3.0, 3.0), stair=(0.1, 0.1), stair_steps=9) == pits
    assert ground(pit=(3.0, 3.0), stump=(0.1, 0.1)) == pits


def test_a_stump_too_low_for_box2d_is_none() -> None:
    heights = [
        top(block) - bottom(block)
        for seed in range(30)
        for block in ground(seed, stump=(0.0, MIN_RISE)).blocks
    ]
    assert 0.01 <= min(heights) < 0.02


def test_widths_and_heights_fill_their_ranges() -> None:
    pits, stumps, rises = [], [], []
    for seed in range(40):
        blocks = ground(seed, pit=(2.0, 6.0)).blocks
        pits += [left(b) - right(a) for a, b in zip(blocks[::2], blocks[1::2], strict=True)]
        stumps += [top(block) - bottom(block) for block in ground(seed, stump=(1.0, 3.0)).blocks]
        flights = ground(seed, stair=(0.5, 2.0), stair_steps=1).blocks
        rises += [top(block) - bottom(block) for block in flights]
    for found, (low, high) in ((pits, (2, 6)), (stumps, (1, 3)), (rises, (0.5, 2))):
        width = high - low
        assert low <= min(found) < low + 0.05 * width
        assert high - 0.05 * width < max(found) <= high
        assert np.mean(found) == pytest.approx((low + high) / 2, abs=0.1 * width)


def test_every_kind_that_the_recipe_has_comes_up() -> None:
    made = ground(pit=(3.0, 3.0), stump=(2.0, 2.0), stair=(1.0, 1.0), stair_steps=2)
    sizes = {
        (round(right(block) - left(block)), round(top(block) - bottom(block)))
        for block in made.blocks
    }
    assert sizes == {(1, 4), (1, 2), (4, 1)}
