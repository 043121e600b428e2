"""What test modules of several folders share: one local Ray, and whose warnings are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_runs import TINY, Ended, Envolve, RunOnDisk

# RLlib registers its env anew for each runner group, and gymnasium says so every time.
_NOT_OURS = "ignore:.*Overriding environment rllib-.* already in registry:UserWarning"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=10, help="how many SIGKILLs the chaos test sends")
    parser.addoption("--chaos-seed", type=int, default=0, help="who is killed, and when")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", _NOT_OURS)


@pytest.fixture(scope="session")
def ray_runtime() -> Iterator[None]:
    """A local Ray whose workers can import what lies in tests/orchestrator."""
    from experiments.ray_session import ray_session

    with ray_session(Path(__file__).parent / "orchestrator"):
        yield


@pytest.fixture
def envolve(tmp_path: Path) -> Iterator[Envolve]:
    """The command, run in an empty directory that has `tiny.yaml`."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    command = Envolve(tmp_path)
    yield command
    command.close()


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunOnDisk, Ended]]:
    """The tiny run, never disturbed."""
    directory = tmp_path_factory.mktemp("reference")
    (directory / "tiny.yaml").write_text(TINY)
    command = Envolve(directory)
    # Alone in playing the test suite, which takes a process of its own.
    ended = command("run", "tiny.yaml", "--run-dir", "run", "-S", "evaluation.test_levels=4")
    yield RunOnDisk(directory / "run"), ended
    command.close()
