"""Short text for terminals."""

from __future__ import annotations

import pytest

from orchestrator.pictures import copied, counted, label, percent, rounded, short, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (9.8, "9.8"),
        (5.0, "5"),
        (0.123456, "0.123"),
        (-1234.5, "-1230"),
        (99_999.0, "100000"),
        (0.000123456, "0.000123"),
        (0.00123456, "0.00123"),
        (1.23456e-5, "1.23e-05"),
        (1234, "1234"),
        (-7, "-7"),
        (12_345_678, "1.23e+07"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    assert short(value) == text


def test_a_point_is_one_number() -> None:
    assert (span(1.0, 2.0), span(2.0, 2.0)) == ("1…2", "2")


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (1, "100%"), (0.256, "26%"), (0.001, "<1%"), (0.006, "1%")]
)
def test_shares_are_whole_per_cent(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("easy", "easy"),
        ("two\nlines", "two lines"),
        (None, "null"),
        ([1, [True, "a"]], '[1,[true,"a"]]'),
        ("a" * 17, "a" * 15 + "…"),
        ("a" * 16, "a" * 16),
    ],
)
def test_labels_are_short_and_on_one_line(value: object, text: str) -> None:
    assert label(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (9.994, "9.99"), (10.0, "10.0"), (-412.34, "-412.3"), (2e6, "2e+06")],
)
def test_scores_have_one_decimal_from_ten_on(value: float, text: str) -> None:
    assert rounded(value) == text


def test_one_of_a_thing_is_no_plural() -> None:
    assert [counted(number, "fault") for number in (0, 1, 2)] == ["0 faults", "1 fault", "2 faults"]


def test_a_member_that_copies_itself_copies_nobody() -> None:
    assert copied(1, 3) == "copies m3"
    assert copied(2, 2) == "goes on with other hyperparameters"
