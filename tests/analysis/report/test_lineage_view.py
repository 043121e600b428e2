"""The lineage explorer in a real browser: what is seen, clicked, typed and read out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from synthetic_run import SyntheticRun

import analysis
from analysis.frames import Run
from analysis.report.cast import cast
from analysis.report.told_lineage import told_lineage
from tests.analysis.report.browser import OpenPage, inaccessible, wait_until

Begin = Callable[..., SyntheticRun]
Mount = Callable[..., Page]

STATIC = Path(analysis.__file__).parent / "report" / "static"
SCRIPTS = ("lineage_parts.js", "lineage_picture.js", "lineage_panel.js", "lineage.js")
HOSTILE = "</script><img src=x onerror=window.hurt=1>\"'&<b>bold</b>"
THEMES = """
:root { --fg: #1d1f22; --bg: #fdfdfc; --muted: #5b6067; --accent: #0b5a9e; --border: #dedfdb;
  --surface: #f5f5f2; }
@media (prefers-color-scheme: dark) { :root { --fg: #e4e6e8; --bg: #15171a; --muted: #a0a6ad;
  --accent: #7fbdf5; --border: #33373c; --surface: #1d2024; } }
body { margin: 1rem; background: var(--bg); color: var(--fg); font: 16px system-ui, sans-serif; }
"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>lineage</title>
<link rel="icon" href="data:,"><style>{themes}</style><style>{styles}</style></head>
<body><main><h1>A</h1><h2>B</h2><h3>C</h3><h4>Lineage</h4><div id="root"></div></main>
<script type="application/json" id="data">{data}</script><script>{script}</script>
<script>
const begun = performance.now();
envolve.lineage(document.getElementById("root"),
  JSON.parse(document.getElementById("data").textContent));
document.body.getBoundingClientRect();
window.took = performance.now() - begun;
</script></body></html>"""


def lineage_of(run: Run, among: int = 1) -> dict[str, Any]:
    return told_lineage(cast(run, among))


@pytest.fixture
def mount(tmp_path: Path, open_page: OpenPage) -> Mount:
    """A page with an explorer alone."""

    def mounted(data: dict[str, Any], **options: Any) -> Page:
        path = tmp_path / "lineage.html"
        path.write_text(
            PAGE.format(
                themes=THEMES,
                styles=(STATIC / "lineage.css").read_text(),
                script="".join((STATIC / name).read_text() for name in SCRIPTS),
                data=json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
            )
        )
        return open_page(path, **options)

    return mounted


@pytest.fixture
def told(played: SyntheticRun) -> dict[str, Any]:
    """Four members: m0 copied m3 at 4, m1 copied m3 at 8, m2 copied m1 at 12."""
    return lineage_of(analysis.load(played.folder))


def crowd(members: int, boundaries: int) -> dict[str, Any]:
    """So many members of which a quarter copies another at each boundary."""
    rng = random.Random(0)
    stops = list(range(1, boundaries + 1))
    made = [
        {
            "member": number,
            "end": boundaries,
            "scores": [rng.uniform(0, 500) for _ in stops],
            "copies": [
                [at, rng.randrange(members), at, 1.0] for at in stops if rng.random() < 0.25
            ],
            "values": [[0, [0.1]]],
            "draws": [[at, [[1.0, 2.0]]] for at in range(boundaries)],
            "moves": [[at, 0, 1] for at in stops],
            "faults": [],
        }
        for number in range(members)
    ]
    return {
        "arm": "main",
        "seed": 0,
        "best": [members - 1, boundaries],
        "range": [0, 500],
        "stops": stops,
        "knobs": [{"name": "length", "low": 0.5, "high": 4.0, "log": True}],
        "keys": ["lr"],
        "texts": ["scheduler", "shift"],
        "note": "",
        "members": made,
    }


def option(page: Page, member: int) -> Locator:
    return page.locator(f"[role=option][data-member='{member}']")


def panel(page: Page) -> str:
    return page.locator(".lineage-panel").inner_text()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.member ?? ''"))


def shown(page: Page) -> list[str]:
    return page.locator(".lineage-name").all_inner_texts()


def test_the_best_member_is_selected_at_first(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    assert shown(page) == ["m0", "m1", "m2", "m3"]
    assert option(page, 1).get_attribute("aria-selected") == "true"
    said = panel(page)
    assert "m1 at iteration 12" in said
    assert "score 70, 1st of 4" in said
    ways = page.locator(".lineage-way li").all_inner_texts()
    assert [" ".join(way.split()) for way in ways] == [
        "m3 trained them from 0 to 8",
        "m1 trained them from 8 to 12",
    ]
    assert page.evaluate("document.activeElement === document.body"), "it takes no focus"


def test_a_click_on_a_lane_selects_member_and_iteration(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    picture = page.locator(".lineage-picture")
    box = picture.bounding_box()
    assert box is not None
    # Lane of m2; just before iteration 8 of 12.
    picture.click(position={"x": box["width"] * 0.6, "y": 2.5 * 24})
    assert "m2 at iteration 8" in panel(page)
    assert "score 35, 3rd of 4" in panel(page)
    assert option(page, 2).get_attribute("aria-selected") == "true"
    assert focused(page) == "2"


def test_keys_walk_over_members_and_iterations(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    option(page, 1).focus()
    stops = [page.locator(f"[data-member='{m}']").get_attribute("tabindex") for m in range(4)]
    assert stops == ["-1", "0", "-1", "-1"], "one stop for the tab key"
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert focused(page) == "0"
    status = page.locator(".lineage-status").inner_text()
    assert status == "m0, iteration 4: score 10, 4th of 4; then copies m3"
    assert "m1 at iteration 12" in panel(page), "nothing is selected before Enter"
    page.keyboard.press("Enter")
    assert "m0 at iteration 4" in panel(page)
    assert "copies m3 as of 4 (score 40)" in panel(page)
    page.keyboard.press("End")
    assert focused(page) == "3"
    page.keyboard.press("Home")
    assert focused(page) == "0"
    page.keyboard.press("Escape")
    assert "Nothing is selected." in panel(page)
    assert page.locator("[aria-selected=true]").count() == 0


def test_the_focus_is_seen(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    page.locator("input[type=search]").focus()
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.role") == "option"
    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "3px" in outline
    assert "solid" in outline


def test_what_was_decided_is_told_with_its_reason(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    option(page, 0).click()
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    ((_, by, why),) = told["members"][0]["moves"]
    assert f"env distribution at 4, by the {told['texts'][by]}: {told['texts'][why]}" in panel(page)
    before, after = (values[0] for _, values in told["members"][0]["values"])
    assert f"lr\t{before} → " in panel(page)
    assert float(panel(page).split(f"{before} → ")[1].split()[0]) == pytest.approx(after, rel=0.01)
    assert "gravity" in panel(page)
    assert "legal: 5 to 20" in panel(page)


def test_an_ancestor_is_one_click_away(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    page.get_by_role("button", name="select m3 at 8").click()
    assert "m3 at iteration 8" in panel(page)
    assert focused(page) == "3"
    page.get_by_role("button", name="the best").click()
    assert "m1 at iteration 12" in panel(page)


def test_only_ancestors_are_shown_if_wanted(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    only = page.get_by_label("only ancestors of the selected")
    only.check()
    assert shown(page) == ["m1", "m3"]
    option(page, 3).focus()
    page.keyboard.press("Escape")
    assert shown(page) == ["m0", "m1", "m2", "m3"]
    assert only.is_disabled()


def test_members_are_found_and_ordered(mount: Mount) -> None:
    page = mount(crowd(30, 5))
    page.get_by_label("Find a member").fill("m12")
    assert shown(page) == ["m12"]
    page.get_by_label("Find a member").fill("2")
    assert shown(page) == ["m2", "m12", *(f"m{number}" for number in range(20, 30))]
    page.get_by_label("Find a member").fill("nobody")
    assert shown(page) == []
    assert page.locator(".lineage-nobody").inner_text() == "No member is called that."
    page.get_by_label("Find a member").fill("")
    page.get_by_label("Order by").select_option("score")
    scores = [float(score) for score in page.locator(".lineage-score").all_inner_texts()]
    assert len(scores) == 30
    assert scores == sorted(scores, reverse=True)


def test_zooming_makes_the_picture_wider(mount: Mount) -> None:
    page = mount(crowd(4, 100))
    width = "document.querySelector('.lineage-picture').getBoundingClientRect().width"
    before = page.evaluate(width)
    farther, closer = (page.get_by_role("button", name=f"zoom {way}") for way in ("out", "in"))
    assert farther.is_disabled()
    closer.click()
    assert page.evaluate(width) == pytest.approx(2 * before)
    option(page, 0).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('.lineage-scroll').scrollLeft") > 0
    farther.click()
    assert page.evaluate(width) == pytest.approx(before)


def test_colours_are_by_score(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    best, worst = (page.locator(f"path.lineage-shade-{shade}") for shade in (8, 0))
    assert best.get_attribute("d") or ""
    assert (worst.get_attribute("d") or "").count("M") == 2, "10 and 15, of 10 to 70"
    fills = [each.evaluate("(path) => getComputedStyle(path).fill") for each in (best, worst)]
    assert fills[0] != fills[1]


def test_two_hundred_members_are_drawn_in_a_reasonable_time(mount: Mount) -> None:
    page = mount(crowd(200, 200))
    assert page.evaluate("took") < 5_000
    assert page.locator("[role=option]").count() == 200
    assert page.locator("svg *").count() < 200, "lanes of one shade are one path"
    top = page.evaluate("document.querySelector('.lineage-scroll').scrollTop")
    assert top > 0, "the best member, which is the last one, is scrolled to"
    option(page, 199).focus()
    begun = page.evaluate("performance.now()")
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    assert page.evaluate("performance.now()") - begun < 5_000
    assert focused(page) == "179"


def test_names_are_text_whatever_they_hold(told: dict[str, Any], mount: Mount) -> None:
    told["keys"] = [HOSTILE]
    told["texts"] = [HOSTILE] * len(told["texts"])
    told["note"] = HOSTILE
    told["knobs"] = [
        *({**knob, "name": HOSTILE} for knob in told["knobs"][:2]),
        {"name": "map", "values": [HOSTILE]},
    ]
    for each in told["members"]:
        each["draws"] = [[at, [*drawn[:2], [1.0]]] for at, drawn in each["draws"]]
        each["values"] = [[at, [HOSTILE]] for at, _ in each["values"]]
        each["faults"] = [[4, HOSTILE]]
    page = mount(told)
    option(page, 0).click()
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("window.hurt") is None
    assert page.locator("#root img, #root b, #root script").count() == 0
    assert panel(page).count(HOSTILE) >= 6
    assert HOSTILE in page.locator(".lineage-legend").inner_text()


def test_without_scores_and_without_training_it_is_drawn_all_the_same(
    tmp_path: Path, begin: Begin, mount: Mount
) -> None:
    begun = begin(tmp_path / "begun")
    page = mount(lineage_of(analysis.load(begun.folder)))
    option(page, 0).click()
    page.keyboard.press("ArrowDown")
    assert focused(page) == "1"
    page.keyboard.press("Enter")
    assert "m1 at iteration 0" in panel(page)
    assert shown(page) == ["m0", "m1", "m2", "m3"]
    begun.train(2)
    page = mount(lineage_of(analysis.load(begun.folder)))
    option(page, 2).click()
    assert "m2 at iteration 2" in panel(page)
    assert "no score" in panel(page)


def test_it_is_drawn_once_it_is_shown(told: dict[str, Any], mount: Mount) -> None:
    page = mount(told)
    page.evaluate(
        """() => {
          const root = document.getElementById("root");
          root.hidden = true;
          envolve.lineage(root, JSON.parse(document.getElementById("data").textContent));
        }"""
    )
    lanes = "document.querySelectorAll('.lineage-picture path').length"
    assert page.evaluate(lanes) == 0
    page.evaluate("document.getElementById('root').hidden = false")
    wait_until(page, f"{lanes} > 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(told: dict[str, Any], mount: Mount, scheme: str, width: int) -> None:
    page = mount(told, scheme=scheme, width=width)
    option(page, 0).click()
    assert inaccessible(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
