"""Why a text is no YAML, in the words of somebody who looks at the text."""

from __future__ import annotations

import yaml

from experiments.problems import Problem

# PyYAML's own sentences speak of tokens; these say what to look for.
_PLAIN: tuple[tuple[str, str], ...] = (
    ("cannot start any token", "a character that cannot start a value"),
    ("mapping values are not allowed", 'a second ": " in one line, or a line indented too far'),
    ("expected <block end>", "a line whose indentation fits nothing above it"),
    ("could not find expected ':'", 'a line without ": " after its key'),
    ("expected ',' or", "a bracket or brace that is never closed, or a missing comma"),
    ("found unexpected end of stream", "a quote that is never closed"),
    ("found undefined alias", "an alias of an anchor that does not exist"),
    ("but found another document", "a second document (a line of ---)"),
    ("unknown escape character", "an unknown escape inside double quotes"),
    ("duplicate anchor", "an anchor given twice"),
    ("expected the node content", "a bracket or brace that is never closed, or a missing value"),
    ("found unknown directive", "an unknown % line"),
)


def syntax_problem(error: yaml.MarkedYAMLError, name: str, text: str) -> Problem:
    """What is wrong with the YAML, and where, in plain words."""
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "could not find expected ':'" in str(error.problem):
        # It is missed only at the next line; the line that lacks it is the one before.
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = " ".join(part for part in (error.problem, error.context) if part)
    found = next((plain for words, plain in _PLAIN if words in said), said)
    hint = None
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())] or here[column - 1 : column] == "\t":
        found, hint = "a tab", "Indent with spaces"
    elif here[column - 1 : column] in ("@", "`", "%"):
        found = f"a value that starts with {here[column - 1]}"
        hint = "Put it in quotes"
    elif "never closed" in found and error.context_mark is not None:
        started = error.context_mark
        hint = f"What is open was opened at {started.line + 1}:{started.column + 1}"
    return Problem(name, line, column, (), "must be valid YAML", found, hint)


def unreadable_problem(error: yaml.reader.ReaderError, name: str, text: str) -> Problem:
    """Which character cannot stand in a YAML file, and where."""
    before = text[: error.position]
    line = before.count("\n") + 1
    column = error.position - (before.rfind("\n") + 1) + 1
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return Problem(
        name, line, column, (), "must be readable text", f"the control character U+{code:04X}"
    )
