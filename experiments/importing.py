"""Importing what a user names as ``package.module:attribute``, and saying why it cannot be."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

#: Our own import packages; a user's package of the same name is hidden by them.
OURS = ("analysis", "callbacks", "experiments", "orchestrator")

_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class CannotImport(Exception):
    """Why a reference cannot be imported: what must hold, what was found, what would work."""

    def __init__(self, must: str, found: str, hint: str | None = None) -> None:
        super().__init__(f"{must}, but got {found}" + (f". {hint}" if hint else ""))
        self.must = must
        self.found = found
        self.hint = hint


def is_reference(text: str) -> bool:
    """Whether `text` has the form ``package.module:attribute``."""
    return _REFERENCE.fullmatch(text) is not None


def importable_from(directory: str | Path) -> None:
    """Make modules in `directory` importable, after everything else that is.

    After, because a user's folder may be called like one of our packages, or like a library.
    """
    # Our own place first: an editable install finds our packages only after all of the path.
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (home, os.path.abspath(directory)):
        # An empty entry means wherever the process stands at the moment, so it does not count.
        if place not in (os.path.abspath(entry) for entry in sys.path if entry):
            sys.path.append(place)


def import_reference(text: str) -> Any:
    """What ``package.module:attribute`` names; the attribute may have dots.

    Raises:
        CannotImport: if `text` is no such reference, or nothing is there.
    """
    if not is_reference(text):
        raise CannotImport("must be package.module:attribute", f'"{text}"')
    name, _, attributes = text.partition(":")
    found: Any = import_module(name)
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError:
            where = f"{getattr(found, '__name__', name)}"
            known = [each for each in dir(found) if not each.startswith("_")]
            raise CannotImport(
                f"must name something in {where}",
                f'"{attribute}", which is not there',
                _did_you_mean(attribute, known),
            ) from None
    return found


def import_module(name: str) -> ModuleType:
    """The module of this name.

    Raises:
        CannotImport: if there is none, it hides behind one of our packages, or it fails.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if missing == name or name.startswith(f"{missing}."):
            raise _not_there(name, missing) from None
        raise CannotImport(
            f"must be a module that can be imported, and {name} needs the module {missing}",
            "no such module",
            f"Install what provides it, for example: pip install {missing.partition('.')[0]}",
        ) from None
    # A module that exits, as scripts without a main guard do, must not end the command.
    except (Exception, SystemExit) as error:
        raise CannotImport(
            "must be a module that can be imported",
            f"{one_line(error)} while importing {name}{_place_of(error)}",
        ) from None


def require(extra: str, packages: Iterable[str]) -> None:
    """See that these packages are there, which envolve's `extra` installs.

    Raises:
        CannotImport: if one is missing; it names the first.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise CannotImport(
                "must be an env whose packages are installed",
                f"no package {package}",
                f"Install it: pip install 'envolve[{extra}]'",
            )


def one_line(error: BaseException) -> str:
    """An exception's type and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _not_there(name: str, missing: str) -> CannotImport:
    top = name.partition(".")[0]
    must = "must be in a module that can be imported"
    if top in OURS and missing != top:
        return CannotImport(
            must,
            f"no module {missing}: the package {top} is envolve's own",
            f"If you have a folder {top}, envolve's package hides it; give it another name",
        )
    folder, _, last = missing.rpartition(".")
    known = _modules_in(folder)
    return CannotImport(
        must,
        f"no module {missing}, neither in {Path.cwd()} nor installed",
        _did_you_mean(last, known, folder),
    )


def _modules_in(package: str) -> list[str]:
    paths = getattr(sys.modules.get(package), "__path__", None) if package else [os.getcwd()]
    return [] if paths is None else [module.name for module in pkgutil.iter_modules(list(paths))]


def _did_you_mean(word: str, known: list[str], package: str = "") -> str | None:
    close = difflib.get_close_matches(word, known, 1, 0.6)
    shown = [f"{package}.{each}" if package else each for each in close]
    return f'Did you mean "{shown[0]}"?' if shown else None


def _place_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return ""  # Its own text names file and line.
    frames = traceback.extract_tb(error.__traceback__)
    outside = [
        frame
        for frame in frames
        if not frame.filename.startswith("<frozen")
        and frame.filename != importlib.__file__
        and frame.filename != __file__
    ]
    return f" ({outside[-1].filename}:{outside[-1].lineno})" if outside else ""
