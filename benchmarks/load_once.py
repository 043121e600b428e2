"""``python -m benchmarks.load_once RUN``: how long `analysis.load` takes in a new process.

Prints the seconds, and the most memory that the process ever had, in MiB.
"""

from __future__ import annotations

import sys
from pathlib import Path

import analysis
from benchmarks.measure import seconds

_STATUS = Path("/proc/self/status")


def main() -> None:
    """Load the run and print what it took."""
    taken = seconds(lambda: analysis.load(sys.argv[1]))
    # Not getrusage(), which begins with the peak of the process that started this one.
    peak = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    print(taken, int(peak.split()[1]) / 1024)


if __name__ == "__main__":
    main()
