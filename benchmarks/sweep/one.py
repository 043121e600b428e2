"""``python -m benchmarks.sweep.one NAME WORK FOLDER``: one contender, in a process of its own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.sweep import bare, stock, strong
from benchmarks.sweep.done import Done
from benchmarks.sweep.work import Work

TRAIN: Mapping[str, Callable[[Work, Path], Done]] = {
    "bare": bare.train,
    "stock": stock.train,
    "stock_reusing": stock.train_reusing,
    "strong": strong.train,
}


def main() -> None:
    """Train the work, and leave what came of it in FOLDER."""
    name, work, folder = sys.argv[1], Work.of_text(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    TRAIN[name](work, folder).write(folder)


if __name__ == "__main__":
    main()
