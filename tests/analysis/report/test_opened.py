"""The report in a real browser, from disk and without a network.

That nothing is on the console, no policy is violated and nothing is requested is checked by
`open_page` when each test is over.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from analysis import report
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Choice, Continuous
from orchestrator.records import Fault
from tests.analysis.report.browser import OpenPage, inaccessible, reload_until, wait_until
from tests.analysis.report.recorded import HOSTILE, record


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of one population."""
    folder = tmp_path_factory.mktemp("one")
    fault = Fault("main", 0, 1, 4, where="env", error="boom", action="retried")
    return report.write([record(folder / "run", faults=[fault])], folder / "report.html")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two arms on three seeds."""
    folder = tmp_path_factory.mktemp("compared")
    run = record(folder / "run", arms=("a", "b"), seeds=(0, 1, 2))
    return report.write([run], folder / "report.html")


def scroll_through(page: Page) -> None:
    """Let everything be seen once."""
    plots = page.locator(".plot:visible")
    for place in range(plots.count()):
        plots.nth(place).scroll_into_view_if_needed()
        # Not by frames: a browser that is starved of time may draw none for long.
        wait_until(
            page,
            f"""!![...document.querySelectorAll(".plot")]
                .filter((plot) => plot.offsetParent)[{place}]
                .querySelector("svg.main-svg[role=img]")""",
        )


@pytest.mark.parametrize(
    ("which", "width", "scheme"),
    [
        ("one", 1280, "light"),
        ("one", 380, "dark"),
        ("compared", 1280, "dark"),
        ("compared", 380, "light"),
    ],
)
def test_it_is_accessible_and_fits(
    request: pytest.FixtureRequest, open_page: OpenPage, which: str, width: int, scheme: str
) -> None:
    page = open_page(request.getfixturevalue(which), width=width, scheme=scheme)
    scroll_through(page)
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    assert inaccessible(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_are_drawn_when_they_come_into_view(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    assert page.locator("figure.chart").count() > 4
    assert page.locator("figure.chart:last-child svg.main-svg").count() == 0
    scroll_through(page)
    assert page.locator("figure.chart").count() == page.locator("svg.main-svg[role=img]").count()
    assert (
        page.locator("svg.main-svg[role=img]").first.get_attribute("aria-label") == "Chart: Scores"
    )


def test_the_data_of_a_chart_is_there_as_a_table(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    figure = page.locator("figure.chart").first
    assert figure.locator("table").count() == 0
    figure.locator("summary").click()
    figure.locator("table").wait_for()
    assert figure.locator("tbody tr").count() > 1
    assert figure.locator("figcaption").inner_text()
    figure.locator("summary").click()
    figure.locator("summary").click()
    assert figure.locator("table").count() == 1


def test_a_theme_can_be_chosen_and_is_remembered(one: Path, open_page: OpenPage) -> None:
    page = open_page(one, scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    tick = "getComputedStyle(document.querySelector('.xtick text')).fill"
    page.locator(".plot svg.main-svg[role=img]").first.wait_for()
    light = [page.evaluate(paper), page.evaluate(tick)]
    page.get_by_role("button", name="Dark theme").click()
    wait_until(page, f"{tick} !== '{light[1]}'")
    assert page.evaluate(paper) != light[0]
    reload_until(page, "document.documentElement.dataset.theme === 'dark'")
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(paper) == light[0]


def test_the_theme_is_the_systems_until_one_is_chosen(one: Path, open_page: OpenPage) -> None:
    page = open_page(one, scheme="dark")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.emulate_media(color_scheme="light")
    wait_until(page, f"{theme} === 'light'")


def test_one_population_is_shown_at_a_time(compared: Path, open_page: OpenPage) -> None:
    page = open_page(compared)
    shown = page.locator(".population:visible")
    # The one with the best score, at first.
    assert shown.locator("h3").inner_text().startswith("b, ")
    assert page.locator(".population figure.chart").count() == shown.locator("figure.chart").count()
    page.get_by_label("Population", exact=True).select_option("a, seed 2")
    assert shown.count() == 1
    assert shown.locator("h3").inner_text() == "a, seed 2"
    scroll_through(page)
    assert shown.locator("svg.main-svg[role=img]").count() > 4
    assert shown.locator(".lineage *").count() > 0


def names(page: Page) -> list[str]:
    return page.locator("table.members tbody tr:visible th").all_inner_texts()


def test_members_are_sorted_by_a_click_on_a_column(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    head = page.locator("table.members th", has_text="Score")
    cells = page.locator("table.members tbody tr td:nth-child(5)")
    head.get_by_role("button").click()
    scores = [float(each) for each in cells.all_inner_texts()]
    assert scores == sorted(scores)
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert [float(each) for each in cells.all_inner_texts()] == sorted(scores, reverse=True)
    page.locator("table.members th", has_text="Test").get_by_role("button").click()
    # One member played the test suite; those that did not come after it.
    tests = page.locator("table.members tbody tr td:nth-child(6)").all_inner_texts()
    assert tests[0] != "–"
    assert tests[1:] == ["–"] * 3
    assert head.get_attribute("aria-sort") is None
    page.locator("table.members th", has_text="Member").get_by_role("button").click()
    assert names(page) == ["m0", "m1", "m2", "m3"]


def test_members_are_filtered_by_words(compared: Path, open_page: OpenPage) -> None:
    page = open_page(compared)
    page.get_by_label("Filter").fill("finished  M2")
    assert names(page) == ["m2"] * 6
    assert page.locator("#filtered").inner_text() == "6 of 24 members"
    page.get_by_label("Filter").fill("nobody")
    assert names(page) == []


def test_the_keyboard_reaches_everything(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    wait_until(page, "document.querySelectorAll('.lineage *').length > 0 || scrollTo(0, 1500)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = page.evaluate("[document.activeElement.outerHTML.slice(0, 80)]")
    for _ in range(300):
        page.keyboard.press("Tab")
        element = "document.activeElement"
        if page.evaluate(f"{element} === document.body"):
            break
        outlined = page.evaluate(
            f"getComputedStyle({element}).outlineStyle !== 'none' || {element}.matches('main')"
        )
        reached.append(page.evaluate(f"{element}.outerHTML.slice(0, 80)"))
        assert outlined, f"the focus is not seen on {reached[-1]}"
    said = "\n".join(reached)
    for part in (
        'id="theme"',
        'href="#reproduce"',
        'id="filter"',
        'class="sort"',
        "<summary",
        'class="copy"',
        "<pre",
    ):
        assert part in said, part


def test_the_skip_link_leads_to_the_content(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_nothing_is_offered_that_would_send_data_away(one: Path, open_page: OpenPage) -> None:
    page = open_page(one)
    scroll_through(page)
    titles = page.locator(".modebar-btn").evaluate_all(
        "all => all.map((each) => each.dataset.title)"
    )
    assert titles
    assert not [title for title in titles if "cloud" in title.lower() or "plotly" in title.lower()]
    assert page.locator("a[href^=http]").count() == 0


def test_hostile_texts_stay_texts(tmp_path: Path, open_page: OpenPage) -> None:
    space = EnvSpace({HOSTILE: Continuous(1.0, 2.0), "c": Choice((HOSTILE, "b"))})
    fault = Fault(
        HOSTILE, 0, 1, 4, where=HOSTILE, error=HOSTILE, action=HOSTILE, level={"c": HOSTILE}
    )
    run = record(
        tmp_path / "run", name=HOSTILE, arms=(HOSTILE, "b"), seeds=(0, 1, 2), env=HOSTILE,
        searched=HOSTILE, space=space, faults=[fault],
    )  # fmt: skip
    page = open_page(report.write([run], tmp_path / "report.html"))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    scroll_through(page)
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    assert page.inner_text("h1") == HOSTILE
    assert page.locator("figure b, figure script, main b:has-text('$x$')").count() == 0
    assert inaccessible(page) == []


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 200 members."""
    folder = tmp_path_factory.mktemp("big")
    return report.write([record(folder / "run", size=200)], folder / "report.html")


def test_200_members_are_shown(big: Path, open_page: OpenPage) -> None:
    page = open_page(big)
    assert page.locator("table.members tbody tr").count() == 200
    page.get_by_label("Filter").fill("m199")
    assert names(page) == ["m199"]
    scroll_through(page)
    assert inaccessible(page) == []


def test_it_prints_on_white_with_every_chart(one: Path, open_page: OpenPage) -> None:
    page = open_page(one, scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    charts = page.locator("figure.chart").count()
    wait_until(page, f"document.querySelectorAll('svg.main-svg[role=img]').length === {charts}")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not page.locator("nav.contents").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_without_scripts_the_facts_are_there(one: Path, open_page: OpenPage) -> None:
    page = open_page(one, java_script_enabled=False)
    assert page.locator("table.members tbody tr").count() == 4
    assert page.locator("noscript").inner_text().startswith("Charts, lineage and sorting need")
    assert not page.locator("#theme").is_visible()


def test_commands_can_be_copied(one: Path, open_page: OpenPage) -> None:
    page = open_page(one, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#reproduce").get_by_role("button", name="Copy").click()
    page.locator("#reproduce").get_by_text("Copied").wait_for()
