"""Reasons that people type."""

from __future__ import annotations

import pytest

from bot.chatops.parse import parse


@pytest.mark.parametrize(
    "reason",
    [
        "waiting for 👩‍🔬",
        "👨‍👩‍👧‍👦 comes first",
        "می‌خواهم صبر کنیم",
        "क्‍ष",
        "🫩",  # newer than the Unicode table of Python 3.11
        "❤️",
        "数据泄漏",
        "café",
    ],
)
@pytest.mark.parametrize("verb", ["hold", "reject"])
def test_a_reason_in_any_script_is_a_reason(verb: str, reason: str) -> None:
    parsed = parse(f"/{verb} --reason {reason}")
    assert [(one.verb, one.options.get("reason")) for one in parsed.commands] == [(verb, reason)], parsed.hints


@pytest.mark.parametrize("body", ["/ho\u200bld --reason x", "/hold\u202e --reason x", "/retrain ch\u200durn"])
def test_what_cannot_be_seen_is_still_refused_in_verbs_and_names(body: str) -> None:
    assert not parse(body).commands
