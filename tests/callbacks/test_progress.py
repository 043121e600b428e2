"""Displays of a run that goes on: what they say, and that they never take it down."""

from __future__ import annotations

import errno
import io
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from synthetic_run import ITERATIONS, SyntheticRun

from callbacks.live_picture import picture
from callbacks.progress import LiveProgress, PlainProgress, progress_on
from callbacks.run_view import RunView, duration, one_line, score_text
from orchestrator.curricula import Fixed
from orchestrator.records import Boundary
from orchestrator.stop import Stop

WIDTHS = (60, 100, 200)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SyntheticRun]:
    run = SyntheticRun(tmp_path)
    yield run
    run.journal.close()


@pytest.fixture
def many(tmp_path: Path) -> Iterator[SyntheticRun]:
    """200 members in four populations."""
    run = SyntheticRun(tmp_path, arms=("fixed", "population"), seeds=(0, 1), size=50)
    yield run
    run.journal.close()


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def viewed(run: SyntheticRun, clock: Clock | None = None) -> RunView:
    view = RunView(run.ledger, run.work, clock or Clock())
    run.ledger.listen(view.take)
    return view


def plain(run: SyntheticRun) -> tuple[PlainProgress, io.StringIO]:
    stream = io.StringIO()
    progress = PlainProgress(run.ledger, run.work, Console(file=stream, width=60))
    run.ledger.listen(progress.take)
    return progress, stream


def lines(stream: io.StringIO) -> list[str]:
    """What was printed, without the time of day that each line begins with."""
    found = stream.getvalue().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d \S", line) for line in found)
    return [line[9:] for line in found]


def shown(view: RunView, width: int, height: int = 30) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(picture(view, width, height))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


# Text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (59.6, "1m00s"), (80, "1m20s"), (7500, "2h05m"), (86400 * 3 + 4 * 3600, "3d04h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("score", "words"),
    [(None, "–"), (412.0, "412.0"), (0.01234, "0.0123"), (-95.04, "-95.0"), (0.0, "0"),
     (float("-inf"), "-inf"), (2.5e7, "2.5e+07")],
)  # fmt: skip
def test_scores(score: float | None, words: str) -> None:
    assert score_text(score) == words


def test_foreign_text_is_one_line_without_control_characters() -> None:
    assert one_line("a\n  b\x1b[31mc\x07") == "a b [31mc"
    assert one_line("x" * 400) == "x" * 299 + "…"


# The view


def test_share_and_time_left_follow_from_the_pace_of_this_process(run: SyntheticRun) -> None:
    clock = Clock()
    view = viewed(run, clock)
    clock.now = 100.0
    view.begin()
    run.begin()
    assert (view.share, view.seconds_left, view.work) == (0.0, None, "0% · – left")
    for iteration in range(1, 11):
        run.train(iteration)
    clock.now = 120.0
    # 40 of 160 iterations in 20 seconds.
    assert view.share == 0.25
    assert view.seconds_left == pytest.approx(60.0)
    assert view.work == "25% · 1m00s left"


def test_a_resumed_run_counts_only_its_own_iterations_for_the_pace(run: SyntheticRun) -> None:
    run.begin()
    for iteration in range(1, 21):
        run.train(iteration)
    clock = Clock()
    view = viewed(run, clock)
    assert view.work == "50% · – left"
    run.train(21)
    clock.now = 4.0
    assert view.seconds_left == pytest.approx(4 * 19.0)


def test_members_that_are_over_need_no_more_time(run: SyntheticRun) -> None:
    clock = Clock()
    view = viewed(run, clock)
    run.begin()
    run.train(ITERATIONS // 2)
    run.fault(0, "ValueError: no", action="failed")
    assert view.share == (ITERATIONS + 3 * ITERATIONS / 2) / (4 * ITERATIONS)


def test_without_a_limit_of_iterations_the_end_is_unknown(tmp_path: Path) -> None:
    run = SyntheticRun(tmp_path, stop=Stop(minutes=5.0))
    clock = Clock()
    view = viewed(run, clock)
    run.begin()
    run.train(1)
    clock.now = 1.0
    assert (view.share, view.seconds_left, view.work) == (None, None, "4 iterations · – left")
    assert any("4 iterations" in line for line in shown(view, 60))
    run.journal.close()


def test_rows_are_the_movers_and_the_best_of_each_population(many: SyntheticRun) -> None:
    view = viewed(many)
    many.begin()
    many.train(4)
    for member in range(50):
        many.score(member, float(member), 4)
    many.mutate(7)
    rows, hidden = view.rows(6)
    assert [row.key for row in rows] == [
        ("fixed", 0, 49),
        ("fixed", 0, 48),
        ("fixed", 0, 7),
        ("fixed", 1, 0),
        ("population", 0, 0),
        ("population", 1, 0),
    ]
    assert hidden == 194
    assert (rows[2].revision, rows[2].score, rows[0].score) == (1, 7.0, 49.0)


def test_rows_say_how_far_the_next_move_is_or_that_it_is_over(run: SyntheticRun) -> None:
    view = viewed(run)
    run.begin()
    run.train(1)
    run.fault(2, "ValueError: no", action="failed")
    rows, hidden = view.rows(10)
    assert hidden == 0
    assert [row.next_move for row in rows] == [
        *[run.population.next_move(member) for member in (0, 1)],
        "failed",
        run.population.next_move(3),
    ]
    run.train(ITERATIONS)
    assert {row.next_move for row in view.rows(10)[0]} == {"finished", "failed"}


# The picture


@pytest.mark.parametrize("width", WIDTHS)
def test_the_picture_tells_members_and_moves_at_any_width(run: SyntheticRun, width: int) -> None:
    view = viewed(run)
    run.begin("cart[bold]pole")
    run.boundary(4, {0: 412.0, 1: 95.0, 2: 201.3, 3: 200.0})
    run.mutate(3, why="[red]shift[/red]")
    run.fault(2, "ValueError: [/nope]\nwrong")
    found = shown(view, width)
    text = "\n".join(found)
    assert max(map(len, found)) <= width
    assert re.search(r"^m0 +4 +412\.0 +0 +gravity", text, re.MULTILINE)
    assert "cart[bold]pole" in found[0]
    assert "m1 copies m0" in found
    assert "m3 revision 1 by callback: [red]shift[/red]" in found
    assert any(line.startswith("m2 fault in member: ValueError: [/nope] wrong") for line in found)
    assert "1 fault" in found[0]
    assert "10%" in found[0]
    assert "widens at return" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", [24, 50])
def test_a_large_population_fits_the_screen(many: SyntheticRun, width: int, height: int) -> None:
    view = viewed(many)
    many.begin()
    many.train(4)
    for member in range(5):
        many.mutate(member)
    found = shown(view, width, height)
    assert len(found) < height
    assert max(map(len, found)) <= width
    (more,) = [line for line in found if line.startswith("… and ")]
    members = [line for line in found if re.search(r"/seed\d/m\d+ +4 ", line)]
    assert more == f"… and {200 - len(members)} more"
    assert len(members) >= 6


def test_a_next_move_that_all_share_is_said_once(tmp_path: Path) -> None:
    run = SyntheticRun(tmp_path, curriculum=Fixed())
    view = viewed(run)
    run.begin()
    assert [line for line in shown(view, 100) if "fixed" in line] == ["next: fixed"]
    run.journal.close()


def test_the_picture_before_there_are_members(run: SyntheticRun) -> None:
    (only,) = shown(viewed(run), 60)
    assert only.startswith("run")
    assert only.endswith("0% · – left")


# Plain lines


def test_plain_lines_for_start_boundaries_faults_and_end(run: SyntheticRun) -> None:
    progress, stream = plain(run)
    progress.start()
    run.begin()
    run.boundary(4, {0: 412.0, 1: 95.0, 2: 201.3, 3: 200.0})
    run.fault(2, "ValueError: [red]\nwrong")
    run.end("failed")
    progress.stop()
    start, boundary, fault, end = lines(stream)
    assert start == "start: 4 members; 1 arm (main); 1 seed (0)"
    assert boundary.startswith(
        "main/seed0 iteration 4: best m0 412.0, median 200.7, worst m1 95.0; "
        "m1 copies m0; 1 mutation; 10% · "
    )
    assert boundary.endswith(" left")
    assert fault == "m2 fault in member: ValueError: [red] wrong; retried"
    assert end.startswith("end: failed; ")
    assert "; 1 fault; took " in end


def test_plain_lines_tell_populations_apart(many: SyntheticRun) -> None:
    progress, stream = plain(many)
    progress.start()
    many.begin()
    many.train(4)
    many.mutate(1)
    for arm in ("population", "fixed"):
        many.ledger.record(
            Boundary(arm=arm, seed=0, iteration=4, members=(1,), ranking=((1, None),))
        )
    many.fault(1, "ValueError: x")
    start, first, second, fault = lines(stream)
    assert start == "start: 200 members; 2 arms (fixed, population); 2 seeds (0, 1)"
    assert first.startswith("population/seed0 iteration 4: m1 -inf; 10%")
    assert second.startswith("fixed/seed0 iteration 4: m1 -inf; 1 mutation; 10%")
    assert fault.startswith("fixed/seed0/m1 fault in member")


def test_many_exploits_are_counted(many: SyntheticRun) -> None:
    _, stream = plain(many)
    many.begin()
    many.boundary(4, {member: float(member) for member in range(50)})
    (line,) = lines(stream)
    exploits = 12  # a quarter of 50
    assert len(re.findall(r"m\d+ copies m\d+", line)) == 3
    assert f", {exploits - 3} more copy; " in line


def test_a_resumed_run_says_from_where(run: SyntheticRun) -> None:
    run.begin()
    run.train(8)
    progress, stream = plain(run)
    progress.start()
    assert lines(stream) == ["goes on from iteration 8: 4 members; 1 arm (main); 1 seed (0)"]


def test_stop_says_so_only_where_the_run_did_not_end(run: SyntheticRun) -> None:
    progress, stream = plain(run)
    progress.stop()
    (line,) = lines(stream)
    assert line.startswith("progress ends here; ")


def test_a_stream_that_cannot_write_a_character_gets_another(run: SyntheticRun) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    progress = PlainProgress(run.ledger, run.work, Console(file=stream))
    run.ledger.listen(progress.take)
    run.begin()
    run.boundary(4, {0: 1.0})
    assert b"0% ? " in raw.getvalue()
    assert run.ledger.faults == []


# Errors in a display


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError("gone")


def test_a_broken_stream_is_one_fault_and_the_run_goes_on(
    run: SyntheticRun, caplog: pytest.LogCaptureFixture
) -> None:
    progress = PlainProgress(run.ledger, run.work, Console(file=Broken()))
    run.ledger.listen(progress.take)
    progress.start()
    run.begin()
    run.boundary(4, {0: 2.0, 1: 1.0})
    run.boundary(8, {0: 2.0, 1: 1.0})
    progress.stop()
    (fault,) = run.ledger.faults
    assert (fault.where, fault.error) == ("PlainProgress", "BrokenPipeError: gone")
    assert fault.action == "went on"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_fault_in_a_display_after_the_journal_closed_is_only_logged(
    run: SyntheticRun, caplog: pytest.LogCaptureFixture
) -> None:
    progress = PlainProgress(run.ledger, run.work, Console(file=Broken()))
    run.journal.close()
    progress.stop()
    assert run.ledger.faults == []
    assert "PlainProgress failed" in caplog.text


# Live


class Terminal(io.StringIO):
    """A terminal's stream, with an event for a text that is waited for."""

    def __init__(self, awaited: str) -> None:
        super().__init__()
        self._awaited = awaited
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._awaited in text:
            self.seen.set()
        return written


def terminal(stream: io.StringIO) -> Console:
    return Console(file=stream, force_terminal=True, width=100, height=30, _environ={})


def refresh_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if type(each).__name__ == "_RefreshThread"]


def test_live_shows_from_its_own_thread_and_leaves_the_terminal_clean(run: SyntheticRun) -> None:
    stream = Terminal("copies m0")
    progress = LiveProgress(run.ledger, run.work, terminal(stream))
    run.ledger.listen(progress.take)
    progress.start()
    run.begin()
    run.boundary(4, {0: 412.0, 1: 95.0, 2: 201.3, 3: 200.0})
    assert stream.seen.wait(60)
    (thread,) = refresh_threads()
    run.end("finished")
    progress.stop()
    thread.join(60)
    assert refresh_threads() == []
    assert "412.0" in stream.getvalue()
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
    assert run.ledger.faults == []


def test_live_survives_an_error_in_its_own_thread(
    run: SyntheticRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def broken(member: int) -> str:
        failed.set()
        raise RuntimeError("no picture")

    monkeypatch.setattr(run.population, "next_move", broken)
    stream = Terminal("the run goes on")
    progress = LiveProgress(run.ledger, run.work, terminal(stream))
    run.ledger.listen(progress.take)
    progress.start()
    run.begin()
    assert failed.wait(60)
    assert stream.seen.wait(60)
    # Journalled on this thread, with the next record.
    assert run.ledger.faults == []
    run.train(1)
    progress.stop()
    (fault,) = run.ledger.faults
    assert (fault.where, fault.error) == ("LiveProgress", "RuntimeError: no picture")


def test_live_survives_a_terminal_that_is_gone(run: SyntheticRun) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    progress = LiveProgress(run.ledger, run.work, terminal(Gone()))
    run.ledger.listen(progress.take)
    progress.start()
    run.begin()
    run.boundary(4, {0: 2.0, 1: 1.0})
    progress.stop()
    (fault,) = run.ledger.faults
    assert fault.where == "LiveProgress"
    assert "Input/output error" in fault.error
    assert len(run.population.members) == 4


def test_stop_without_start_does_nothing(run: SyntheticRun) -> None:
    stream = io.StringIO()
    LiveProgress(run.ledger, run.work, terminal(stream)).stop()
    assert stream.getvalue() == ""


def test_taking_a_record_costs_little_however_many_members(many: SyntheticRun) -> None:
    progress = LiveProgress(many.ledger, many.work, terminal(io.StringIO()))
    many.begin()
    records = [many.mutate(member) for member in range(50)]
    calls: list[int] = []
    for population in many.ledger.populations.values():
        population.next_move = calls.append  # type: ignore[method-assign, assignment]
    for record in records:
        progress.take(record)
    assert calls == []


def test_the_display_suits_the_console(run: SyntheticRun) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    live = progress_on(Console(file=Tty(), _environ={"TERM": "xterm"}), run.ledger, {})
    dumb = progress_on(Console(file=Tty(), _environ={"TERM": "dumb"}), run.ledger, {})
    piped = progress_on(Console(file=io.StringIO(), _environ={}), run.ledger, {})
    # Colours may be forced upon a pipe; that makes it no screen.
    coloured = progress_on(
        Console(file=io.StringIO(), _environ={"FORCE_COLOR": "1"}), run.ledger, {}
    )
    assert isinstance(live, LiveProgress)
    assert all(isinstance(each, PlainProgress) for each in (dumb, piped, coloured))
