"""What used to be here, for the modules that still look here."""

from __future__ import annotations

from real_runs import COMMAND, TINY, Ended, Envolve, RunOnDisk, results_of, wait_until

__all__ = ["COMMAND", "TINY", "Ended", "Envolve", "RunOnDisk", "results_of", "wait_until"]
