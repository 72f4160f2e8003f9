"""What the bot says about commands is right, complete and never a command itself."""

from pathlib import Path

import pytest

from bot.chatops.answers import docs_page, help_text, hint_text, with_prefix
from bot.chatops.grammar import VERBS
from bot.chatops.parse import parse
from bot.records.command import Hint

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_commands_is_up_to_date() -> None:
    """`mlbot chatops docs > docs/commands.md` after a change of the grammar."""
    assert (ROOT / "docs/commands.md").read_text() == docs_page()


def test_help_lists_what_you_may() -> None:
    text = help_text({"status", "break-glass"})
    assert "`/status`" in text and "/break-glass confirm" in text and "/merge" not in text


def test_help_on_one_command_shows_an_example_and_says_when_you_may_not() -> None:
    assert "For example: `/ml retrain churn seed=7`" in help_text(VERBS, topic="retrain", prefix="ml")
    assert "may not" in help_text({"status"}, topic="retrain")


def test_a_hint_ends_with_the_line_to_paste() -> None:
    hints = parse("/promote to production").hints
    assert "`/promote E-abcdefghijklmnop to production`" in hint_text(hints, evaluation="E-abcdefghijklmnop")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Write /retrain.", "Write /ml retrain."),
        ('{"command":"/approve E-x"}', '{"command":"/ml approve E-x"}'),
        ("    /break-glass confirm B-x", "    /ml break-glass confirm B-x"),
        ("`/promote`", "`/ml promote`"),
        ("/ml approve", "/ml approve"),
        ("see https://example.org/status and models/plan/x, a/merge, /planning, /plan/x", None),
    ],
)
def test_commands_are_shown_as_they_are_written_here(text: str, written: str | None) -> None:
    assert with_prefix(text, "ml") == (written or text)
    assert with_prefix(text, None) == text


ANSWERS = [
    docs_page(),
    help_text(VERBS),
    *(help_text(VERBS, topic=verb, prefix=prefix) for verb in VERBS for prefix in (None, "ml")),
    hint_text(parse("/aprove\n/approve abc1234\n/retrain `x`").hints),
    hint_text([Hint(line=1, code="x", message="m", suggestion="/approve")]),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_holds_a_command(answer: str) -> None:
    """Neither for this parser nor for a bot that only looks at the start of lines."""
    for prefix in (None, "ml"):
        assert parse(answer, prefix).commands == () and parse(answer, prefix).hints == ()
    assert not any(line.lstrip(" \t>*-").startswith("/") for line in answer.splitlines())
