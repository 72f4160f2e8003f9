"""Numbers have the digits that their interval supports, and their unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.records.numbers import (
    counted,
    decimals,
    decimals_of_difference,
    duration,
    listed,
    number,
    share,
    signed,
    size,
    with_unit,
)


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.91234, 0.903, 0.921, "0.912"),  # half-width 0.009: one digit of it
        (0.91234, 0.892, 0.932, "0.912"),  # 0.02: two digits
        (0.91234, 0.862, 0.962, "0.91"),  # 0.05: one digit
        (0.91234, 0.81, 1.0, "0.91"),  # 0.095: one digit
        (0.91234, 0.812, 1.006, "0.91"),  # 0.097 is 0.10
        (1234.5, 1034.0, 1434.0, "1,230"),  # 200: two digits
        (1234567.0, 1204567.0, 1264567.0, "1,235,000"),
        (0.00001234, 0.00001134, 0.00001334, "0.0000123"),
        (12.3456, None, None, "12.35"),
        (0.0, None, None, "0"),
        (5.0, 5.0, 5.0, "5.000"),
    ],
)
def test_a_value_shows_what_its_interval_supports(
    value: float, low: float | None, high: float | None, shown: str
) -> None:
    assert number(value, decimals(low, high, value)) == shown


def test_a_bound_beside_zero_never_looks_like_zero() -> None:
    digits = decimals_of_difference(-0.0123, -0.0003, -0.0063)
    assert signed(-0.0003, digits) == "−0.0003"


def test_signs_are_true_minus_and_zero_has_none() -> None:
    assert [signed(value, 3) for value in (0.0142, -0.0142, 0.0001, -0.0001)] == ["+0.014", "−0.014", "0.000", "0.000"]


@pytest.mark.parametrize(
    ("text", "unit", "shown"),
    [("4.1", "min", "4.1 min"), ("12", "%", "12%"), ("3.50", "€", "€3.50"), ("0.9", "", "0.9")],
)
def test_units_stand_where_people_write_them(text: str, unit: str, shown: str) -> None:
    assert with_unit(text, unit) == shown


def test_words_for_sizes_times_shares_and_lists() -> None:
    assert [size(n) for n in (0, 999, 48_123, 999_600, 5.12e8)] == ["0 bytes", "999 bytes", "48.1 kB", "1 MB", "512 MB"]
    assert [duration(s) for s in (0.21, 28.9, 119, 300, 9000)] == ["0.21 s", "29 s", "119 s", "5 min", "2.5 h"]
    assert [share(*pair) for pair in ((0, 0), (0, 9), (1, 16), (1, 2))] == ["–", "0%", "6.2%", "50%"]
    assert [counted(n, "model") for n in (0, 1, 2000)] == ["0 models", "1 model", "2,000 models"]
    assert listed(list("abcdefg"), 3) == "a, b and 5 more"
    assert listed(["a"]) == "a"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e12))
def test_no_number_breaks_the_page(value: float, half: float) -> None:
    shown = number(value, decimals(value - half, value + half, value))
    assert len(shown) < 340
    assert "nan" not in shown
