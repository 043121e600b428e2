"""``python -m benchmarks.faults.one ROW FOLDER``: one scenario, in a process of its own."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

from benchmarks.faults.rows import ROWS

OUTCOME = "outcome.json"


def main() -> None:
    """Run it and leave what was seen in FOLDER."""
    number, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    scenario = ROWS[number].scenario
    if scenario is None:
        raise ValueError(f"ROW must have a scenario, but {number} has none")
    scenario(folder).write(folder / OUTCOME)
    # Ray is not asked to shut down, which it could not in a run that hangs: whoever started
    # this process ends all that it has started.
    os._exit(0)


if __name__ == "__main__":
    main()
