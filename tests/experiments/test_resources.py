"""How members share a machine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import TEXT, loaded

from experiments.resources import Machine, Residency, TooSmall, share

ROOMY = Machine(cpus=8.0, gpus=0.0, memory=64.0)
TWO = Machine(cpus=2.0, gpus=0.0, memory=64.0)


def shared(
    machine: Machine, *overrides: str, text: str = TEXT, processes: Mapping[str, int] | None = None
) -> Residency:
    arms = loaded(text, *overrides).arms
    return share(arms, processes or dict.fromkeys(arms, 1), machine)


@pytest.mark.parametrize(
    ("machine", "size", "seats"),
    [
        (ROOMY, 4, 4),
        # One for each CPU, where their number comes out even ...
        (ROOMY, 16, 8),
        (TWO, 4, 2),
        (TWO, 12, 2),
        (Machine(1.0, 0.0, 64.0), 3, 1),
        # ... and as many as do not leave a CPU idle at a population's last member.
        (TWO, 3, 3),
        (TWO, 5, 3),
        (TWO, 7, 4),
        (ROOMY, 10, 10),
        (ROOMY, 17, 9),
        # As far as memory goes, of which a share is left to others.
        (Machine(8.0, 0.0, 4.0), 16, 4),
    ],
)
def test_members_that_are_resident_at_once(machine: Machine, size: int, seats: int) -> None:
    assert shared(machine, f"population.size={size}").seats == seats


@pytest.mark.parametrize(
    ("machine", "size", "seats"), [(TWO, 4, 2), (TWO, 2, 2), (ROOMY, 3, 9), (ROOMY, 8, 8)]
)
def test_populations_share_the_seats(machine: Machine, size: int, seats: int) -> None:
    assert shared(machine, f"population.size={size}", "seeds=[0, 1, 2, 3]").seats == seats


def test_a_limit_on_residents_is_kept() -> None:
    assert shared(ROOMY, "population.size=8", "resources.max_resident=3").seats == 3
    arms = TEXT + "arms: {a: {resources: {max_resident: 5}}, b: {population: {size: 8}}}\n"
    assert shared(ROOMY, text=arms).seats == 5


def test_cpus_are_divided_among_seats_and_their_processes() -> None:
    found = shared(TWO, "population.size=4", processes={"main": 3})
    assert found.cpus == {"main": 0.333}
    # A process can use one CPU and no more.
    assert shared(ROOMY, "population.size=2").cpus == {"main": 1.0}
    assert shared(ROOMY, "resources.cpus_per_member=0.5").cpus == {"main": 0.5}


def test_given_cpus_bound_the_seats() -> None:
    found = shared(ROOMY, "population.size=16", "resources.cpus_per_member=2")
    assert found.seats == 4


@pytest.mark.parametrize(
    ("override", "takes"),
    [
        ("resources.memory_per_member=100", "100 GiB of memory, of 64.0"),
        ("resources.cpus_per_member=9", "9 CPUs, of 8"),
        ("resources.gpus_per_member=0.5", "0.5 GPUs, of 0"),
    ],
)
def test_a_machine_too_small_for_one_member(override: str, takes: str) -> None:
    with pytest.raises(TooSmall) as small:
        shared(ROOMY, override)
    assert str(small.value) == f"a member of arm main must fit the machine, but it takes {takes}"


@given(
    cpus=st.integers(1, 64),
    memory=st.floats(4.0, 500.0),
    size=st.integers(2, 40),
    seeds=st.integers(1, 4),
    processes=st.integers(1, 3),
)
def test_nobody_takes_more_than_there_is(
    cpus: int, memory: float, size: int, seeds: int, processes: int
) -> None:
    machine = Machine(float(cpus), 0.0, memory)
    overrides = (f"population.size={size}", f"seeds={list(range(seeds))}")
    found = shared(machine, *overrides, processes={"main": processes})
    assert 1 <= found.seats <= size * seeds
    assert 0 < found.cpus["main"] <= 1.0
    assert found.seats * found.cpus["main"] * processes <= cpus
