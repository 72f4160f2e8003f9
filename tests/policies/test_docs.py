"""The page on policies lists every reason code and every lint rule, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import VERBS
from bot.cli.policy import command
from bot.decide.lint import RULES
from bot.decide.reasons import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()


def test_every_reason_code_is_explained() -> None:
    for code, meaning in REASONS.items():
        assert f"| `{code}` | {meaning} |" in PAGE, code


@pytest.mark.parametrize("rule", RULES)
def test_every_lint_rule_is_explained(rule: str) -> None:
    assert f"| `{rule}` |" in PAGE


def test_every_command_on_the_page_exists() -> None:
    for verb, word in re.findall(r"^\$ mlbot (\S+) (\S+)", PAGE, re.MULTILINE):
        assert verb in VERBS
        assert verb != "policy" or word in command.commands
