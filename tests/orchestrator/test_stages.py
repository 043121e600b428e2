"""Stages: what each draws from, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from distribution_catalogue import CARTPOLE, FIXED

from orchestrator.curricula.base import Move, Outlook, Seen, Stand
from orchestrator.curricula.stages import Measure, Stage, Stages, Until
from orchestrator.distributions import Product
from orchestrator.knobs import Range
from orchestrator.seeding import generator

CALM, WINDY, ALL = Range(9.0, 10.0), Range(5.0, 15.0), Range(5.0, 20.0)


def three(first: Until, second: Until | None = None) -> Stages:
    return Stages(
        (
            Stage("calm", {"gravity": CALM}, first),
            Stage("windy", {"gravity": WINDY}, second or first),
            Stage("all", {"gravity": ALL}),
        )
    )


def after(rule: Stages, *seen: Seen, stand: Stand | None = None) -> Stand:
    """Where a member stands that has seen this, one iteration after the other."""
    stand = stand or rule.begin(CARTPOLE)
    for each in seen:
        stand = rule.observe(stand, each)
        move = rule.move(stand, generator(0))
        stand = stand if move is None else move.stand
    return stand


def gravity(stand: Stand) -> object:
    assert isinstance(stand.distribution, Product)
    return stand.distribution.marginals["gravity"]


def ends(rule: Stages, *seen: Seen) -> bool:
    """Whether the first stage has ended after these iterations."""
    return gravity(after(rule, *seen)) != CALM


def test_a_stage_draws_the_other_knobs_as_they_start() -> None:
    rule = three(Until("return", 100.0))
    assert rule.begin(CARTPOLE) == Stand(
        Product(CARTPOLE, {**CARTPOLE.initial().marginals, "gravity": CALM}),
        rule.begin(CARTPOLE).state,
    )


@pytest.mark.parametrize(
    ("seen", "ended"),
    [
        ([Seen(20, 100.0)], True),
        ([Seen(10, 80.0), Seen(30, 120.0)], True),
        ([Seen(19, 500.0)], False),
        ([Seen(20, 99.0), Seen(), Seen(20, 100.5)], False),
        ([Seen(0, None, None, score=500.0)], False),
    ],
)
def test_a_return_is_a_mean_over_enough_episodes(seen: list[Seen], ended: bool) -> None:
    assert ends(three(Until("return", 100.0)), *seen) is ended


@pytest.mark.parametrize(
    ("seen", "ended"),
    [
        ([Seen(20, 0.0, 0.5)], True),
        ([Seen(20, 500.0, 0.45)], False),
        ([Seen(20, 500.0, None)], False),
        ([Seen(15, 0.0, 1.0)], False),
    ],
)
def test_success_is_a_rate_over_enough_episodes(seen: list[Seen], ended: bool) -> None:
    assert ends(three(Until("success", 0.5)), *seen) is ended


@pytest.mark.parametrize(
    ("scores", "ended"),
    [([100.0], True), ([None, 99.0], False), ([99.0, 101.0], True), ([None], False)],
)
def test_a_score_counts_once_it_is_there(scores: list[float | None], ended: bool) -> None:
    assert ends(three(Until("score", 100.0)), *(Seen(score=each) for each in scores)) is ended


def test_of_scores_the_latest_counts() -> None:
    """A lucky one must not end the stage at a later iteration."""
    stand = three(Until("score", 100.0)).begin(CARTPOLE)
    rule = three(Until("score", 100.0))
    for score in (150.0, 50.0):
        stand = rule.observe(stand, Seen(score=score))
    assert rule.move(stand, generator(0)) is None


def test_iterations_count_within_the_stage() -> None:
    rule = three(Until("iterations", 2))
    # A member may begin long after the first iteration.
    seen = [Seen(iteration=n, env_steps=100 * n) for n in range(11, 16)]
    assert [gravity(after(rule, *seen[:count])) for count in range(5)] == [
        CALM, CALM, WINDY, WINDY, ALL
    ]  # fmt: skip


def test_env_steps_count_within_the_stage() -> None:
    rule = three(Until("env_steps", 250), Until("env_steps", 100))
    seen = [Seen(env_steps=steps) for steps in (100, 249, 251, 350, 351)]
    assert [gravity(after(rule, *seen[:count])) for count in range(6)] == [
        CALM, CALM, CALM, WINDY, WINDY, ALL
    ]  # fmt: skip


def test_one_stage_ends_at_a_time() -> None:
    rule = three(Until("score", 10.0))
    stand = rule.observe(rule.begin(CARTPOLE), Seen(score=99.0))
    move = rule.move(stand, generator(0))
    assert move is not None
    assert gravity(move.stand) == WINDY
    assert rule.move(move.stand, generator(0)) is None


@pytest.mark.parametrize("measure", ["return", "success", "score", "iterations", "env_steps"])
def test_what_was_reached_in_one_stage_counts_for_nothing_in_the_next(measure: Measure) -> None:
    rule = three(Until(measure, 1))
    seen = Seen(50, 9.0, 1.0, iteration=1, env_steps=1, score=9.0)
    windy = after(rule, seen)
    assert gravity(windy) == WINDY
    assert rule.move(windy, generator(0)) is None
    assert gravity(after(rule, Seen(0, None, env_steps=1), stand=windy)) == (
        ALL if measure == "iterations" else WINDY
    )


def test_the_last_stage_never_ends() -> None:
    rule = three(Until("score", 10.0))
    seen = [Seen(50, 99.0, 1.0, n, 100 * n, 99.0) for n in range(1, 9)]
    last = after(rule, *seen)
    assert gravity(last) == ALL
    assert rule.outlook(last) == Outlook("last stage (all)")


def test_a_move_names_both_stages_and_what_ended_the_first() -> None:
    rule = three(Until("return", 100.0))
    move = rule.move(rule.observe(rule.begin(CARTPOLE), Seen(25, 112.5)), generator(0))
    assert isinstance(move, Move)
    assert move.why == "calm to windy: return 112 of 100 over 25 of 20 episodes"


@pytest.mark.parametrize(
    ("until", "seen", "outlook"),
    [
        (
            Until("return", 400.0, 50),
            Seen(40, 312.0),
            Outlook("stage 1 of 3 (calm): return 312 of 400 over 40 of 50 episodes", waits=True),
        ),
        (
            Until("success", 0.8),
            Seen(),
            Outlook("stage 1 of 3 (calm): success – of 0.8 over 0 of 20 episodes", waits=True),
        ),
        (Until("score", 400.0), Seen(), Outlook("stage 1 of 3 (calm): score – of 400", waits=True)),
        (
            Until("score", 400.0),
            Seen(score=12.34),
            Outlook("stage 1 of 3 (calm): score 12.3 of 400", waits=True),
        ),
        # These come by themselves.
        (
            Until("env_steps", 5000),
            Seen(env_steps=1234),
            Outlook("stage 1 of 3 (calm): env steps 1234 of 5000"),
        ),
        (
            Until("iterations", 3),
            Seen(env_steps=1234),
            Outlook("stage 1 of 3 (calm): iterations 1 of 3"),
        ),
    ],
)
def test_the_outlook_says_how_far_the_next_stage_is(
    until: Until, seen: Seen, outlook: Outlook
) -> None:
    rule = three(until)
    assert rule.outlook(rule.observe(rule.begin(CARTPOLE), seen)) == outlook


def test_a_copy_goes_on_in_the_donors_stage_with_env_steps_of_its_own() -> None:
    rule = three(Until("env_steps", 100))
    donor = after(rule, Seen(env_steps=100), Seen(env_steps=160))
    copied = rule.copied(donor, generator(0))
    assert copied.why == "in stage windy"
    assert gravity(copied.stand) == WINDY
    # The member that copies was at 5000: that says nothing of how long the stage has been on.
    stand = after(rule, Seen(env_steps=5000), stand=copied.stand)
    assert rule.outlook(stand).text == "stage 2 of 3 (windy): env steps 60 of 100"
    assert gravity(after(rule, Seen(env_steps=5039), stand=stand)) == WINDY
    assert gravity(after(rule, Seen(env_steps=5040), stand=stand)) == ALL


@pytest.mark.parametrize(
    ("measures", "needs"),
    [
        (("return", "env_steps"), set()),
        (("score", "iterations"), {"score"}),
        (("success", "score"), {"success", "score"}),
    ],
)
def test_it_needs_what_it_measures(measures: tuple[Measure, Measure], needs: set[str]) -> None:
    assert three(Until(measures[0], 1), Until(measures[1], 1)).needs == needs


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Stages(()), "there must be at least one stage, but got none"),
        (
            lambda: Stages((Stage("a", {}, Until("score", 1)), Stage("a", {}))),
            "`stages` must be unique, but 'a' is there more than once",
        ),
        (
            lambda: Stages((Stage("a", {}), Stage("b", {}))),
            "each stage before the last must have an `until`, but 'a' has none",
        ),
        (
            lambda: Stages((Stage("a", {}, Until("score", 400)),)),
            "the last stage must have no `until`, .*, but 'a' has one: score 400",
        ),
        (lambda: Until("retrun", 1.0), r"`measure` is not known: 'retrun' .*'return'"),  # type: ignore[arg-type]
        (lambda: Until("score", float("nan")), "`above` must be a finite number, but got nan"),
        (lambda: Until("score", 1, 0), "`min_episodes >= 1` must hold, but got 0"),
        (
            lambda: three(Until("score", 1)).begin(FIXED),
            "stage 'calm': the marginal of knob 'gravity': `low` must be from 9.8 to 9.8",
        ),
        (
            lambda: Stages((Stage("a", {"gravty": CALM}),)).begin(CARTPOLE),
            r"stage 'a': .*'gravty' is not one of its keys \(did you mean 'gravity'\?\)",
        ),
    ],
)
def test_stages_that_could_not_work_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
