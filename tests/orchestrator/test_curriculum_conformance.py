"""What every curriculum keeps, in every space and every life of the catalogue."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from dataclasses import replace
from typing import get_args

import pytest
from curriculum_catalogue import (
    CURRICULA,
    LIVES,
    Life,
    Step,
    accepted,
    live,
    lives,
    refusal,
)
from distribution_catalogue import SPACES
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula.base import Curriculum, Need, Owner, Seen, Stand
from orchestrator.distributions import distribution_from_json
from orchestrator.seeding import generator

PLACES = [(name, place) for name, each in CURRICULA.items() for place in accepted(each)]
REFUSED = [
    (name, place)
    for name, place in itertools.product(CURRICULA, SPACES)
    if (name, place) not in PLACES
]

everyone = pytest.mark.parametrize("name", CURRICULA)
everywhere = pytest.mark.parametrize(("name", "place"), PLACES)


def begun(name: str, place: str) -> tuple[Curriculum, Stand]:
    return CURRICULA[name], CURRICULA[name].begin(SPACES[place])


def saved_and_read(stand: Stand) -> Stand:
    """As a checkpoint keeps it."""
    kept = json.dumps([stand.distribution.to_json(), stand.state], allow_nan=False)
    distribution, state = json.loads(kept)
    return Stand(distribution_from_json(stand.distribution.space, distribution), state)


def assert_legal(stand: Stand) -> None:
    """It can be saved, and drawn from."""
    again = saved_and_read(stand)
    assert again.distribution == stand.distribution
    assert again.state == stand.state
    level = stand.distribution.sample(generator(0))
    stand.distribution.space.check(level)
    assert stand.distribution.contains(level)


def assert_one_line(text: str) -> None:
    assert text
    assert text.isprintable()
    assert text == text.strip()


def assert_sound(curriculum: Curriculum, step: Step) -> None:
    """What holds of one iteration."""
    space = step.before.distribution.space
    for level in step.probes:
        space.check(level)
    assert step.observed.distribution == step.before.distribution
    assert_legal(step.observed)
    for stand in (step.before, step.observed, step.after):
        assert_one_line(curriculum.outlook(stand).text)
    if step.move is not None:
        assert step.move.stand != step.observed
        assert step.move.stand.distribution.space == space
        assert_legal(step.move.stand)
        assert_one_line(step.move.why)


@everywhere
def test_the_beginning_is_legal_and_always_the_same(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    assert_legal(stand)
    assert stand.distribution.space == SPACES[place]
    assert curriculum.begin(SPACES[place]) == stand
    assert curriculum.move(stand, generator(0)) is None


@pytest.mark.parametrize(("name", "place"), REFUSED)
def test_a_space_is_refused_in_one_line(name: str, place: str) -> None:
    assert_one_line(refusal(CURRICULA[name], SPACES[place]))


@everyone
def test_some_space_is_taken(name: str) -> None:
    assert accepted(CURRICULA[name])


@everywhere
def test_every_iteration_is_sound(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    for life in LIVES.values():
        for step in live(curriculum, stand, life):
            assert_sound(curriculum, step)


@everyone
@settings(max_examples=20)
@given(data=st.data(), life=lives)
def test_any_life_is_sound(name: str, data: st.DataObject, life: Life) -> None:
    curriculum = CURRICULA[name]
    place = data.draw(st.sampled_from(list(accepted(curriculum))))
    for step in live(curriculum, curriculum.begin(SPACES[place]), life):
        assert_sound(curriculum, step)


@everywhere
@pytest.mark.parametrize("name_of_life", ["in between", "up and down"])
def test_a_life_goes_on_from_what_was_saved(name: str, place: str, name_of_life: str) -> None:
    curriculum, stand = begun(name, place)
    life = LIVES[name_of_life]
    steps = list(live(curriculum, stand, life))
    for number in (1, len(life) // 2):
        saved = saved_and_read(steps[number].before)
        assert list(live(curriculum, saved, life[number:], number)) == steps[number:]


@everywhere
def test_what_goes_in_is_left_as_it_is(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    for step in live(curriculum, stand, LIVES["in between"]):
        for before in (step.before, step.observed):
            kept = copy.deepcopy((before, step.seen))
            curriculum.probes(before, generator(0))
            curriculum.observe(before, step.seen)
            curriculum.move(before, generator(0))
            curriculum.copied(before, generator(0))
            curriculum.outlook(before)
            assert (before, step.seen) == kept


@everywhere
def test_the_generator_decides(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    for step in live(curriculum, stand, LIVES["in between"]):
        for seed in range(2):
            again = [curriculum.move(step.observed, generator(seed)) for _ in range(2)]
            assert again[0] == again[1]
            probes = [curriculum.probes(step.observed, generator(seed)) for _ in range(2)]
            assert list(probes[0]) == list(probes[1])


@everywhere
def test_a_copy_is_legal_and_goes_on(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    for donor in list(live(curriculum, stand, LIVES["up and down"]))[::5]:
        copied = curriculum.copied(donor.after, generator("copied"))
        assert_legal(copied.stand)
        assert_one_line(copied.why)
        assert copied == curriculum.copied(donor.after, generator("copied"))
        if curriculum.owner == "member":
            # The journal has said that the distribution is the donor's.
            assert copied.stand.distribution == donor.after.distribution
        for step in live(curriculum, copied.stand, LIVES["up and down"][:4]):
            assert_sound(curriculum, step)


def of_use(seen: Seen, needs: frozenset[Need]) -> Seen:
    """`seen` without anything that a curriculum with these needs may not count on."""
    outcomes = seen.outcomes if "episodes" in needs else ()
    if "values" not in needs:
        outcomes = tuple(replace(each, scores={}) for each in outcomes)
    if "success" not in needs:
        outcomes = tuple(replace(each, success=None) for each in outcomes)
        seen = replace(seen, success_rate=None)
    if "score" not in needs:
        seen = replace(seen, score=None)
    if "regret" not in needs:
        seen = replace(seen, regrets=())
    return replace(seen, outcomes=outcomes)


@everywhere
def test_only_what_is_needed_is_looked_at(name: str, place: str) -> None:
    curriculum, stand = begun(name, place)
    assert curriculum.needs <= set(get_args(Need))
    for step in live(curriculum, stand, LIVES["in between"]):
        observed = curriculum.observe(step.before, of_use(step.seen, curriculum.needs))
        assert curriculum.move(observed, generator(0)) == curriculum.move(
            step.observed, generator(0)
        )
        assert curriculum.outlook(observed) == curriculum.outlook(step.observed)


@everyone
def test_a_curriculum_of_the_driver_needs_no_episodes(name: str) -> None:
    curriculum = CURRICULA[name]
    assert curriculum.owner in get_args(Owner)
    if curriculum.owner == "driver":
        assert not curriculum.needs & {"episodes", "values"}


@everyone
def test_a_curriculum_is_a_value(name: str) -> None:
    again = pickle.loads(pickle.dumps(CURRICULA[name]))
    assert again == CURRICULA[name]
    assert hash(again) == hash(CURRICULA[name])


STILL = {"fixed", "domain_randomization", "population", "stages-of-one", "generated"}


@pytest.mark.parametrize("name", [name for name in CURRICULA if name not in STILL])
def test_a_curriculum_moves_in_some_life(name: str) -> None:
    """Else the lives would show nothing of it."""
    curriculum = CURRICULA[name]
    assert any(
        step.move
        for space, life in itertools.product(accepted(curriculum).values(), LIVES.values())
        for step in live(curriculum, curriculum.begin(space), life)
    )
