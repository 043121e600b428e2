"""Notebooks executed by a kernel of this interpreter that knows nothing of the user's settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[3] / "analysis" / "notebooks"

# Whatever a cell does that warns is to fail; the kernel's own affairs are not.
_STARTUP = """\
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module=r"ipykernel\\.")
"""


class Executed:
    """A notebook that was run from top to bottom."""

    def __init__(self, notebook: Any) -> None:
        self._outputs = {cell.id: cell.get("outputs", []) for cell in notebook.cells}

    def printed(self, cell: str) -> str:
        """What a cell has put out as text."""
        return "".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "")
            for output in self._outputs[cell]
        )

    @property
    def pictures(self) -> list[str]:
        """The cells that drew something, once for each picture."""
        return [
            cell
            for cell, outputs in self._outputs.items()
            for output in outputs
            if "image/png" in output.get("data", {})
        ]


@pytest.fixture
def execute(tmp_path: Path) -> Callable[..., Executed]:
    """Runs a notebook by its name, with what else is given as environment variables.

    A cell that raises or warns fails the test, with its traceback.
    """
    scratch = tmp_path / "jupyter"
    startup = scratch / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-warnings.py").write_text(_STARTUP)
    places = {
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
    }

    def executed(name: str, **given: str) -> Executed:
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        client = NotebookClient(
            notebook,
            timeout=300,
            startup_timeout=120,
            kernel_name="python3",
            # Jupyter has a kernel stand where its notebook lies.
            resources={"metadata": {"path": str(NOTEBOOKS)}},
        )
        own = {variable: str(scratch / place) for variable, place in places.items()}
        client.execute(env={**os.environ, **own, **given})
        return Executed(notebook)

    return executed
