"""What is wrong with something a user wrote, said once and in full.

A `Problem` is one mistake at one place; `BadInput` carries all the mistakes of a file at once, so
that nobody has to run the command again only to meet the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


def key_text(key: tuple[str | int, ...]) -> str:
    """A key path the way a user writes it: ``arms.slow.seeds[1]``; parts with dots are quoted."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        plain = part and "." not in part and part.isprintable()
        shown = part if plain else json.dumps(part)
        text += f".{shown}" if text else shown
    return text


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, what must hold there, what was found, and what would work.

    `where` is a file as the user named it, or a command-line option such as ``--set a.b=c``;
    `line` and `column` count from one and are absent where there is no file. `must` starts with
    "must" (the key comes before it); `found` follows "but got" and may be empty.
    """

    where: str | None
    line: int | None
    column: int | None
    key: tuple[str | int, ...]
    must: str
    found: str = ""
    hint: str | None = None

    @classmethod
    def at(cls, where: str | None, must: str, found: str = "", hint: str | None = None) -> Problem:
        """A mistake that stands in no file: an option, a run, a folder."""
        return cls(where, None, None, (), must, found, hint)

    def __str__(self) -> str:
        place = self.where or ""
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
            place += f":{self.column}" if self.column is not None else ""
        head = ": ".join(part for part in (place, key_text(self.key)) if part)
        said = f"{self.must}, but got {self.found}" if self.found else self.must
        text = f"{head}: {said}" if head else said
        return f"{text}. {self.hint}" if self.hint else text

    @property
    def position(self) -> tuple[str, int, int, str]:
        """Sorts problems the way they are met when reading."""
        return (self.where or "", self.line or 0, self.column or 0, key_text(self.key))


class BadInput(Exception):
    """What a user wrote cannot be used; `problems` lists every reason, sorted by position."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        unique = dict.fromkeys(problems)
        self.problems: tuple[Problem, ...] = tuple(sorted(unique, key=lambda p: p.position))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
