"""What envolve does about each row, as its own tests say: ``tests/faults``."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults.isolation import ROOT

TESTS = ROOT / "tests" / "faults"
_ROW = re.compile(r"test_row_(\d+[a-z]?)_")
# Pytest's exit codes: all passed, some failed, none chosen.
_TESTS_RAN = (0, 1, 5)


@dataclass(frozen=True)
class Case:
    """One test of a row.

    Attributes:
        name: of the test's function.
        bad: it failed, or its fixtures did.
        skipped: it was not run.
    """

    name: str
    bad: bool
    skipped: bool


def verdicts(rows: Collection[str]) -> Mapping[str, str]:
    """For each row, whether its tests hold and what they say; runs them, which takes minutes."""
    cases = _cases(rows) if TESTS.is_dir() else {}
    says = _docstrings()
    return {row: _verdict(cases.get(row, []), says) for row in rows}


def read(report: str) -> dict[str, list[Case]]:
    """The cases of each row in pytest's report, which is JUnit's XML."""
    found: dict[str, list[Case]] = {}
    for element in ET.fromstring(report).iter("testcase"):
        name = element.get("name", "")
        if match := _ROW.match(name):
            bad = element.find("failure") is not None or element.find("error") is not None
            case = Case(name.partition("[")[0], bad, element.find("skipped") is not None)
            found.setdefault(match.group(1), []).append(case)
    return found


def _cases(rows: Collection[str]) -> dict[str, list[Case]]:
    wanted = " or ".join(f"test_row_{row}_" for row in rows)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", str(TESTS), "-q", f"--junitxml={report}"]
        done = subprocess.run(
            [*command, "-k", wanted], cwd=ROOT, capture_output=True, text=True, check=False
        )
        # A module that cannot be imported has no rows in the report: not the same as no test.
        if done.returncode not in _TESTS_RAN or not report.exists():
            said = (done.stdout + done.stderr)[-2000:]
            raise RuntimeError(f"pytest must run the tests, but exited {done.returncode}: {said}")
        return read(report.read_text(encoding="utf-8"))


def _verdict(cases: list[Case], says: Mapping[str, str]) -> str:
    run = [case for case in cases if not case.skipped]
    if not run:
        return "skipped" if cases else "no test"
    bad = sorted({case.name for case in run if case.bad})
    count = f"{len(run)} test" if len(run) == 1 else f"{len(run)} tests"
    if bad:
        return f"FAILED ({sum(case.bad for case in run)} of {count}): {', '.join(bad)}"
    texts = dict.fromkeys(says.get(case.name, "") for case in run)
    return " ".join([f"holds ({count}).", *filter(None, texts)])


def _docstrings() -> dict[str, str]:
    """The first line of each test's docstring."""
    found = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
                found[node.name] = text.splitlines()[0]
    return found
