"""What the commands of all benchmarks have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import results

_WIDTH = 160


def named(module: str, description: str | None, known: Collection[str]) -> list[str]:
    """The names on the command line of ``python -m <module> [NAME ...]``; exits with 2 if one
    is not ``known``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    given: list[str] = parser.parse_args().names
    refuse_unknown(parser, "NAME", given, known)
    return given


def refuse_unknown(
    parser: argparse.ArgumentParser, what: str, given: Collection[str], known: Collection[str]
) -> None:
    """Exit with 2 if something is given that is not known."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        parser.error(f"{what} must be one of {', '.join(known)}, but got {', '.join(unknown)}")


def begin(module: str, arguments: Sequence[str]) -> tuple[Console, Mapping[str, str]]:
    """A console, on which the circumstances stand already; and these."""
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    where = results.circumstances(["python", "-m", module, *arguments])
    for key, value in where.items():
        console.print(f"{key}: {value}", highlight=False, soft_wrap=True)
    return console, where


def say_written(console: Console, file: Path) -> None:
    """Say where something was written."""
    console.print(f"written: {file}", highlight=False, soft_wrap=True)
