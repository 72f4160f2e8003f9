"""What `mlbot evaluate` prints."""

from __future__ import annotations

from bot.evaluate.terminal import table, tables
from bot.evaluate.words import interval, plain, show, signed
from tests.builders import a_comparison, a_gate, an_evaluation


def test_a_blocked_evaluation_says_why_and_what_next() -> None:
    gate = a_gate(verdict="fail", sentence="roc_auc fell by 0.05.", next_step="Look at the rows that changed.")
    text = tables(an_evaluation(gates=[gate], comparisons=(a_comparison(-0.05),)))
    assert "churn: FAIL" in text and "roc_auc fell by 0.05." in text
    assert "Next:\n  not_worse: Look at the rows that changed." in text


def test_a_gate_that_does_not_block_asks_for_nothing() -> None:
    gate = a_gate(verdict="inconclusive", blocks=False, reason_code="contract_missing")
    text = tables(an_evaluation(gates=[gate]))
    assert "cannot tell (does not block)" in text and "Next:" not in text


def test_digits_follow_the_interval() -> None:
    assert interval(0.91234, 0.90321, 0.92111) == "0.912 (0.903 to 0.921)"
    assert interval(1234.5, 1100.0, 1400.0, "USD") == "1,230 USD (1,100 to 1,400)"
    assert (show(0.5), show(float("nan")), signed(0.0123, 0.005), signed(-3.0)) == ("0.5", "undefined", "+0.012", "−3")
    assert (plain(357508.0), plain(24.1178)) == ("357,508", "24.12")


def test_columns_align_and_control_characters_are_written_out() -> None:
    lines = table(("name", "n"), [("a", "1"), ("b\x1b[31m\n", "22")]).splitlines()
    assert lines[0].index("n", 4) == lines[2].index("1") == lines[3].index("22")
    assert "\x1b" not in lines[3] and "\\x1b[31m\\n" in lines[3]
