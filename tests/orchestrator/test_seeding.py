"""Streams are derived from their key alone, the same everywhere."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from orchestrator.seeding import generator, seed

KEYS: list[tuple[str | int, ...]] = [
    (0,),
    (1,),
    ("1",),
    ("a", 1),
    (1, "a"),
    ("a1",),
    (7, "main", "m0", "levels", 12),
    ("ü", -5),
]


@pytest.mark.parametrize(
    ("key", "digest"),
    # First 4 bytes of what `printf '%s' JSON | sha256sum` prints.
    [
        ((0,), 0xD0BCA111),
        (("a", 1), 0x135F17A4),
        (("1",), 0x43DE3A41),
        (("ü", -5), 0x2BD9A0D5),
    ],
)
def test_seed_is_the_head_of_the_digest(key: tuple[str | int, ...], digest: int) -> None:
    assert seed(*key) == digest & 0x7FFF_FFFF


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ((0,), [3137247786294519080, 14940166359611572091]),
        ((7, "main", "m0", "levels", 12), [6261185115492216222, 6309176252056589447]),
        (("ü", -5), [9393664200986818520, 2306562424872714290]),
    ],
)
def test_streams_never_change(key: tuple[str | int, ...], raw: list[int]) -> None:
    assert generator(*key).bit_generator.random_raw(2).tolist() == raw


def test_the_generator_is_pcg64() -> None:
    assert isinstance(generator(0).bit_generator, np.random.PCG64)


def test_different_keys_give_different_streams() -> None:
    for one, other in itertools.combinations(KEYS, 2):
        assert seed(*one) != seed(*other)
        assert generator(*one).random() != generator(*other).random()


def test_another_process_draws_the_same() -> None:
    code = "from orchestrator.seeding import *; print(seed('m', 3), generator('m', 3).random())"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(seed("m", 3)), str(generator("m", 3).random())]


def test_numpy_integers_are_the_integers_they_hold() -> None:
    assert seed("m", np.int64(3)) == seed("m", 3)  # type: ignore[arg-type]


def test_drawing_from_one_leaves_a_second_alone() -> None:
    first, second = generator("x"), generator("x")
    first.random(10)
    assert second.random() == generator("x").random()


@pytest.mark.parametrize("part", [True, 1.5, None, ("a",), b"a"])
def test_other_parts_are_refused(part: object) -> None:
    with pytest.raises(ValueError, match="must be a string or a whole number"):
        seed("a", part)  # type: ignore[arg-type]


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        generator()
