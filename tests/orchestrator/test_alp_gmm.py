"""ALP-GMM: what counts as learning progress, and that levels are drawn where it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import FIXED, MAZE
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula import alp_gmm
from orchestrator.curricula.alp_gmm import ALPGMM
from orchestrator.curricula.base import Move, Outcome, Outlook, Seen, Stand
from orchestrator.distributions import EnvSpace, Gaussian, Mixture
from orchestrator.gaussian import position
from orchestrator.knobs import Choice, Continuous, Integer
from orchestrator.seeding import generator

LINE = EnvSpace({"x": Continuous(0, 10)})
PLANE = EnvSpace({"x": Continuous(0, 10), "y": Continuous(1, 100, "log"), "c": Choice((1, 2))})
RULE = ALPGMM(fit_every=60, most_gaussians=4)


def shown(rule: ALPGMM, stand: Stand, played: Iterable[tuple[dict[str, Any], float]]) -> Stand:
    """After one iteration of these levels and returns."""
    outcomes = tuple(Outcome(level, total, 10) for level, total in played)
    return rule.observe(stand, Seen(outcomes=outcomes))


def on_line(rule: ALPGMM, *played: tuple[float, float]) -> Stand:
    return shown(rule, rule.begin(LINE), [({"x": x}, total) for x, total in played])


def progress(stand: Stand) -> list[float]:
    return [pair[-1] for pair in stand.state["pairs"]]


def learning_at(where: float, rule: ALPGMM = RULE) -> Stand:
    """Of a member whose returns rise around one place of the plane, and nowhere else."""
    rng = generator("learning", int(10 * where))
    stand = rule.begin(PLANE)
    for iteration in range(6):
        levels = [PLANE.full().sample(rng) for _ in range(rule.fit_every // 3)]
        here = [position(PLANE, level)[0] for level in levels]
        totals = [100.0 * iteration * (abs(x - where) < 0.15) for x in here]
        stand = shown(rule, stand, zip(levels, totals, strict=True))
    return stand


def fitted(rule: ALPGMM, stand: Stand) -> Move:
    move = rule.move(stand, generator(0))
    assert move is not None
    return move


def center(part: object) -> float:
    assert isinstance(part, Gaussian)
    return part.center[0]


# Learning progress


def test_progress_is_against_the_nearest_level_before() -> None:
    stand = on_line(RULE, (1.0, 10.0), (9.0, 50.0), (2.0, 13.0), (8.0, 20.0), (1.9, 13.5))
    assert progress(stand) == [0.0, 40.0, 3.0, 30.0, 0.5]
    assert stand.state["positions"] == [[0.1], [0.9], [0.2], [0.8], [0.19]]


def test_of_several_as_near_the_latest_counts() -> None:
    assert progress(on_line(RULE, (5.0, 10.0), (5.0, 30.0), (5.0, 31.0))) == [0.0, 20.0, 1.0]


def test_levels_are_compared_across_iterations() -> None:
    stand = on_line(RULE, (1.0, 10.0), (9.0, 50.0))
    stand = shown(RULE, stand, [({"x": 8.0}, 51.0)])
    assert progress(stand) == [0.0, 40.0, 1.0]


def test_distances_are_in_the_unit_cube_of_the_numeric_knobs() -> None:
    near_in_log = {"x": 0.0, "y": 10.0, "c": 1}
    near_in_plain = {"x": 2.0, "y": 99.0, "c": 2}
    now = {"x": 0.0, "y": 50.0, "c": 2}
    stand = shown(RULE, RULE.begin(PLANE), [(near_in_log, 1.0), (near_in_plain, 5.0), (now, 7.0)])
    # Unit distances: 0.35 to the first, 0.25 to the second.
    assert progress(stand)[-1] == 2.0


def test_what_is_beyond_the_history_is_forgotten() -> None:
    rule = replace(RULE, history=2)
    stand = on_line(rule, (1.0, 10.0), (9.0, 50.0), (8.0, 51.0), (1.0, 10.0))
    # The first level is gone: the nearest is the one at 8.
    assert progress(stand) == [0.0, 40.0, 1.0, 41.0]
    assert stand.state["positions"] == [[0.8], [0.1]]
    assert stand.state["returns"] == [51.0, 10.0]


def test_a_rollout_without_gradient_is_no_progress() -> None:
    outcome = Outcome({"x": 1.0}, 10.0, 5, trained=False)
    stand = RULE.begin(LINE)
    assert RULE.observe(stand, Seen(outcomes=(outcome,))) == stand


# Fits


def test_everything_is_drawn_before_the_first_fit() -> None:
    stand = RULE.begin(MAZE)
    assert stand.distribution == MAZE.full()


def test_it_fits_after_so_many_episodes_and_counts_anew() -> None:
    rule = replace(RULE, fit_every=5)
    stand = on_line(rule, *[(float(n), float(n * n)) for n in range(4)])
    assert rule.move(stand, generator(0)) is None
    assert rule.outlook(stand) == Outlook("fits anew in 1 episode")
    after = fitted(rule, shown(rule, stand, [({"x": 4.0}, 16.0)])).stand
    assert rule.outlook(after) == Outlook("fits anew in 5 episodes")
    assert rule.move(after, generator(0)) is None
    assert len(after.state["positions"]) == 5


def test_a_fit_is_to_the_latest_episodes() -> None:
    rule = replace(RULE, fit_every=3)
    stand = on_line(rule, *[(float(n), float(n * n)) for n in range(6)])
    assert stand.state["pairs"] == [[0.3, 5.0], [0.4, 7.0], [0.5, 9.0]]


@pytest.mark.parametrize("where", [0.2, 0.8])
def test_levels_are_drawn_where_returns_change(where: float) -> None:
    distribution = fitted(RULE, learning_at(where)).stand.distribution
    rng = generator("drawn")
    drawn = [position(PLANE, distribution.sample(rng))[0] for _ in range(2000)]
    near = np.mean([abs(x - where) < 0.2 for x in drawn])
    # 20 % of all levels lie anywhere, of which 40 % are as near.
    assert near > 0.7


def test_gaussians_are_drawn_in_proportion_to_their_progress() -> None:
    """Two clusters, at 2 and at 8, with a mean progress of 1 and of 3."""
    rng = generator("clusters")
    pairs = [[0.2 + 0.01 * rng.normal(), 1.0 + 0.01 * rng.normal()] for _ in range(30)]
    pairs += [[0.8 + 0.01 * rng.normal(), 3.0 + 0.01 * rng.normal()] for _ in range(30)]
    rule = replace(RULE, most_gaussians=2)
    state = {**rule.begin(LINE).state, "pairs": pairs}
    distribution = fitted(rule, Stand(LINE.full(), state)).stand.distribution
    assert isinstance(distribution, Mixture)
    (share, everything), *gaussians = distribution.parts
    assert (share, everything) == (pytest.approx(0.2), LINE.full())
    found = sorted((center(part), weight) for weight, part in gaussians)
    assert [place for place, _ in found] == pytest.approx([0.2, 0.8], abs=0.01)
    assert [weight for _, weight in found] == pytest.approx([0.2, 0.6], abs=0.01)


def test_the_unit_of_the_return_does_not_matter() -> None:
    stand = learning_at(0.3)
    scaled = [[*pair[:-1], 1024 * pair[-1]] for pair in stand.state["pairs"]]
    other = Stand(stand.distribution, {**stand.state, "pairs": scaled})
    assert fitted(RULE, other).stand.distribution == fitted(RULE, stand).stand.distribution


def test_the_criterion_chooses_how_many_gaussians() -> None:
    rng = generator("three clusters")
    pairs = [
        [place + 0.01 * rng.normal(), 1.0 + place + 0.01 * rng.normal()]
        for place in (0.1, 0.5, 0.9)
        for _ in range(60)
    ]
    rule = replace(RULE, fit_every=180, most_gaussians=5)
    state = {**rule.begin(LINE).state, "pairs": pairs}
    move = fitted(rule, Stand(LINE.full(), state))
    assert move.why.startswith("3 Gaussians fitted to 180 episodes, mean learning progress 1.5")


def test_a_fit_says_what_it_is_of() -> None:
    rule = replace(RULE, fit_every=2)
    move = fitted(rule, on_line(rule, (1.0, 0.0), (2.0, 3.0)))
    assert move.why == "1 Gaussian fitted to 2 episodes, mean learning progress 1.5"


@pytest.mark.parametrize(
    "played",
    [
        [(5.0, 7.0)] * 60,
        [(float(n % 10), 7.0) for n in range(60)],
    ],
)
def test_without_any_progress_everything_is_drawn(played: list[tuple[float, float]]) -> None:
    move = fitted(RULE, on_line(RULE, *played))
    assert move.stand.distribution == LINE.full()
    assert move.why == "no learning progress: all that is legal"
    assert move.stand.state["pairs"] == []


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0, 5.0, 10.0]) | st.floats(0, 10),
            st.sampled_from([0.0, 1.0, 1e-9, 1e9]) | st.floats(-1e3, 1e3),
        ),
        min_size=8,
        max_size=8,
    )
)
def test_few_different_episodes_are_fitted_all_the_same(played: list[tuple[float, float]]) -> None:
    """No warning escapes either: in the tests it would be an error."""
    rule = ALPGMM(fit_every=8)
    move = fitted(rule, on_line(rule, *played))
    LINE.check(move.stand.distribution.sample(generator(0)))


def test_a_share_of_one_draws_everything() -> None:
    rule = replace(RULE, random_share=1.0)
    distribution = fitted(rule, learning_at(0.5, rule)).stand.distribution
    assert isinstance(distribution, Mixture)
    assert [weight for weight, _ in distribution.parts] == [1.0] + [0.0] * (
        len(distribution.parts) - 1
    )


# Refusals


@pytest.mark.parametrize("space", [FIXED, EnvSpace({}), EnvSpace({"map": Choice((1, 2))})])
def test_a_space_without_a_numeric_knob_that_varies_is_refused(space: EnvSpace) -> None:
    with pytest.raises(ValueError, match="must have one that can vary, but got the knobs"):
        RULE.begin(space)


def test_without_scikit_learn_it_does_not_even_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after the first 250 episodes."""
    monkeypatch.setattr(alp_gmm, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs the package scikit-learn: `pip install"):
        RULE.begin(LINE)


def test_integers_are_enough() -> None:
    assert RULE.begin(EnvSpace({"n": Integer(0, 3)})).state["pairs"] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fit_every": 1}, "`fit_every >= 2` must hold, but got 1"),
        ({"most_gaussians": 1}, "`most_gaussians >= 2` must hold, but got 1"),
        ({"history": 0}, "`history >= 1` must hold, but got 0"),
        ({"random_share": 1.5}, "`0 <= random_share <= 1` must hold, but got 1.5"),
    ],
)
def test_parameters_that_could_not_work_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ALPGMM(**values)
