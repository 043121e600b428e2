"""What test modules of several folders share: one local Ray, and whose warnings are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

# RLlib registers its env anew for each runner group, and gymnasium says so every time.
_NOT_OURS = "ignore:.*Overriding environment rllib-.* already in registry:UserWarning"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", _NOT_OURS)


@pytest.fixture(scope="session")
def ray_runtime() -> Iterator[None]:
    """A local Ray whose workers can import what lies in tests/orchestrator."""
    from experiments.ray_session import ray_session

    with ray_session(Path(__file__).parent / "orchestrator"):
        yield
