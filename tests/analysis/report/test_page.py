"""The page as a document: what is in it, that it is whole, and that nothing in it is live."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from analysis import report
from analysis.frames import Run
from analysis.report.page import labels
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Choice, Continuous
from orchestrator.records import Fault
from tests.analysis.report.recorded import HOSTILE, record

VOID = {"meta", "link", "input", "br", "rect"}
SECTIONS = ["verdict", "members", "populations", "faults", "checkpoints", "experiment", "reproduce"]
ODD = "\u2028\ud800"


class Document(HTMLParser):
    """A page, taken apart.

    Attributes:
        elements: tag and attributes of each.
        texts: of each element that holds text, by tag.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> str:
        return "".join(data for name, data in self.texts if name == tag)


@pytest.fixture
def hostile(tmp_path: Path) -> Run:
    """A run in which everything that comes from a user means harm."""
    fault = Fault(
        HOSTILE, 0, 1, 4,
        where=HOSTILE, error=HOSTILE + "\u2028", action=HOSTILE, level={HOSTILE: HOSTILE + ODD},
    )  # fmt: skip
    return record(
        tmp_path / "evil",
        name=HOSTILE,
        arms=(HOSTILE, "tame"),
        seeds=(0, 1, 2),
        env=HOSTILE,
        searched=HOSTILE,
        space=EnvSpace({HOSTILE: Continuous(1.0, 2.0), "c": Choice((HOSTILE, "b"))}),
        faults=[fault, Fault.of_run(HOSTILE, HOSTILE, HOSTILE)],
    )


def sections(document: Document) -> list[str | None]:
    return [each.get("id") for each in document.all("section") if each.get("id") is not None]


def running(document: Document) -> int:
    """How many scripts the page runs."""
    return sum(each.get("type") != "application/json" for each in document.all("script"))


def test_a_page_is_one_whole_document_with_every_section(tmp_path: Path) -> None:
    document = Document(report.html([record(tmp_path / "run")]))
    assert document.open == []
    assert [name for name in sections(document) if name in SECTIONS] == SECTIONS
    assert document.all("html") == [{"lang": "en"}]
    assert document.text("h1") == "made"
    linked = [each["href"] for each in document.all("a")]
    ids = {f"#{attributes['id']}" for _, attributes in document.elements if "id" in attributes}
    assert linked[0] == "#content"
    assert set(linked) <= ids


def test_ids_are_unique(tmp_path: Path) -> None:
    run = record(tmp_path / "run", arms=("a", "b"), seeds=(0, 1, 2))
    document = Document(report.html([run]))
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_headings_go_down_one_step_at_a_time(tmp_path: Path) -> None:
    run = record(tmp_path / "run", arms=("a", "b"), seeds=(0, 1, 2))
    document = Document(report.html([run]))
    steps = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert steps[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(steps))


def test_every_table_has_a_caption_and_every_head_a_scope(tmp_path: Path, hostile: Run) -> None:
    document = Document(report.html([hostile, record(tmp_path / "other", name="other")]))
    assert len(document.all("table")) == len(document.all("caption")) > 5
    assert {each.get("scope") for each in document.all("th")} == {"col", "row"}


def test_arms_are_compared(tmp_path: Path) -> None:
    run = record(tmp_path / "run", arms=("a", "b"), seeds=(0, 1, 2))
    document = Document(report.html([run]))
    assert "arms" in sections(document)
    assert "b is better than a" in document.text("p")
    options = [text for tag, text in document.texts if tag == "option"]
    assert options[:4] == ["a, seed 0", "a, seed 1", "a, seed 2", "b, seed 0"]


def test_a_single_population_needs_no_choice(tmp_path: Path) -> None:
    document = Document(report.html([record(tmp_path / "run")]))
    assert document.all("select") == []
    assert "arms" not in sections(document)


def test_runs_that_cannot_be_compared_are_shown_with_the_reasons(tmp_path: Path) -> None:
    runs = [record(tmp_path / env, name=env, env=env) for env in ("CartPole", "Maze")]
    document = Document(report.html(runs))
    assert "No verdict: these runs cannot be compared." in document.text("p")
    assert "env.id" in document.text("li")
    assert "arms" not in sections(document)
    assert {text for tag, text in document.texts if tag == "option"} == {
        "CartPole: main, seed 0",
        "Maze: main, seed 0",
    }


@pytest.mark.parametrize("what", [{"boundaries": 0}, {"boundaries": 1}])
def test_a_run_without_scores_has_a_report(tmp_path: Path, what: dict[str, Any]) -> None:
    run = record(tmp_path / "run", scored=False, tested=False, status=None, **what)
    document = Document(report.html([run]))
    assert "No member has a score: the run was killed before its end." in document.text("p")
    assert "killed" in document.text("span")


def test_a_run_without_members_has_a_report(tmp_path: Path) -> None:
    run = record(tmp_path / "run", size=0, boundaries=0, scored=False, tested=False, status=None)
    document = Document(report.html([run]))
    assert "No member was started yet." in document.text("p")
    assert "populations" not in sections(document)


def test_faults_are_told_with_their_levels(tmp_path: Path) -> None:
    fault = Fault("main", 0, 1, 4, where="env", error="boom", action="retried", level={"g": 9.81})
    run = record(tmp_path / "run", faults=[fault, Fault.of_run("report", "no room", "skipped")])
    document = Document(report.html([run]))
    cells = document.text("td") + document.text("th") + document.text("span")
    for said in ("main/seed0/m1", "boom", "retried", "g 9.81", "the run", "no room"):
        assert said in cells


def test_what_users_write_stays_text(hostile: Run) -> None:
    page = report.html([hostile])
    document = Document(page)
    assert document.open == []
    assert not re.search(r"<script>alert|<b>\$x", page)
    quiet = Document(report.html([record(hostile.path.parent / "quiet")]))
    assert running(document) == running(quiet)
    assert document.text("title").startswith(HOSTILE)
    assert document.text("h1") == HOSTILE
    said = {text.strip() for _, text in document.texts}
    assert HOSTILE in said


def test_no_element_has_what_could_run_or_load(hostile: Run) -> None:
    document = Document(report.html([hostile]))
    for tag, attributes in document.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"], tag
        assert str(attributes.get("href", "#")).startswith(("#", "data:"))
    assert not {tag for tag, _ in document.elements} & {"iframe", "object", "embed", "img", "form"}


def test_data_of_every_population_can_be_read(hostile: Run) -> None:
    document = Document(report.html([hostile]))
    blocks = [text for tag, text in document.texts if tag == "script" and text.startswith('{"')]
    # One of the comparison, and one of each population.
    assert len(blocks) == 1 + 6
    known = [json.loads(block) for block in blocks]
    ids = [chart["id"] for each in known for chart in each["charts"]]
    assert len(ids) == len(set(ids))
    for each in known[1:]:
        assert each["lineage"]["members"]
        for chart in each["charts"]:
            assert {"title", "caption", "figure", "table"} <= set(chart)
            width = len(chart["table"]["columns"])
            assert all(len(row) == width for row in chart["table"]["rows"])


def test_a_page_is_text_that_can_be_written(hostile: Run, tmp_path: Path) -> None:
    path = report.write([hostile], tmp_path / "page.html")
    assert path == tmp_path / "page.html"
    assert path.read_text(encoding="utf-8") == report.html([hostile])
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["page.html"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    with pytest.raises(OSError, match="No such file"):
        report.write([run], tmp_path / "nowhere" / "page.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        report.write([run], tmp_path / "folder")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "run"]


def test_a_report_needs_a_run() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        report.html([])


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [record(tmp_path / where) for where in ("here/run", "there/run", "other")]
    assert labels(runs) == ["here/run", "there/run", "other"]


def test_how_it_was_run_is_said_as_a_shell_takes_it(tmp_path: Path) -> None:
    run = record(tmp_path / "my run", name="two words")
    document = Document(report.html([run]))
    code = document.text("code")
    assert "envolve run 'two words.yaml'" in code
    assert "envolve resume 'my run'\n" in code
