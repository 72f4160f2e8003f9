"""The door for words: what an artifact, a library or a person says reaches GitHub as text, whoever passes it on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.chatops.answers import hint_text
from bot.decide.backtest import as_markdown
from bot.errors import UserError
from bot.pipeline.answer import failure, refusal
from bot.pipeline.commands import _block
from bot.records.command import Hint
from bot.words import Markdown, Plain, fenced, literal, logged, prose, shown
from tests.adversary.test_report_text import LIVE, TRICKS
from tests.adversary.test_report_text import shown as seen

ROOT = Path(__file__).parents[2]
BEACON = (
    "FileNotFoundError: '/nope/![x](https://evil.example/b.png) @acme/everyone closes #1 "
    "<img src=https://evil.example/b.png> **Approved** [click](https://evil.example) `/approve E-a`'"
)
TEXTS = [*TRICKS, BEACON, "a\n```\n\n<img src=x>\n\n@team", "x\n`````\n# y\n/approve"]
DOORS = {
    "a refusal": lambda text: refusal("promote", UserError(text, hint=text, code="refused"), "ml"),
    "a failure": lambda text: failure("promote", UserError(text)),
    "a hint": lambda text: hint_text([Hint(line=1, code="x", message=text, suggestion=None)]),
    "a sentence": prose,
    "a list": lambda text: Markdown("- {}\n- {}").format(text, prose(text)),
    "joined": lambda text: Markdown("\n\n").join([text, Markdown("") + text, text + Markdown("!")]),
    "in a fence": fenced,
    "the verdict tree": _block,
    "code": lambda text: Markdown("before\n\n{}").format(literal(text)),
}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("text", TEXTS)
def test_words_of_others_are_text_and_nothing_else(name: str, text: str) -> None:
    said = DOORS[name](text)
    assert isinstance(said, Markdown)
    read, elements = seen(said)
    tags = {one.tag for one in elements}
    assert tags <= {"DOCUMENT_FRAGMENT", "p", "ul", "li", "code", "pre", "span", "br"}, tags
    assert all(set(one.attrib) <= {"dir", "lang", "class"} for one in elements)
    outside = re.sub(r"<(code|pre)[ >].*?</\1>", "", said, flags=re.DOTALL)
    outside = re.sub(
        r"^(```+)text\n.*?^\1$|^    .*$|`[^`\n]*`|&#64;<!-- -->", "", outside, flags=re.DOTALL | re.MULTILINE
    )
    assert not LIVE.search(re.sub(r"&#\d+;", "", outside)), outside
    assert not any(line.startswith("/") for line in outside.splitlines())
    assert read or not text.strip()


@pytest.mark.parametrize("text", TEXTS)
def test_titles_and_messages_name_nobody_and_close_nothing(text: str) -> None:
    said = Plain("roll {} back").format(text)
    assert "\n" not in said and "\u202e" not in said
    assert not re.search(r"[@#]\w|://\S|\bgh-\d", said, re.IGNORECASE)
    assert len(shown(text)) <= 140 and "\n" not in shown(text)


def test_the_difference_of_a_policy_is_finished_text() -> None:
    assert isinstance(as_markdown([], 3), Markdown)


# What a caller could write by mistake -> which tool refuses it. A `str` reaches no port, and nothing but a literal is
# marked as the bot's own without a reason.
MISTAKES = {
    'talk.upsert_comment(7, "<!-- x -->", f"{error} happened")': "mypy",
    "talk.reply(7, str(error))": "mypy",
    'talk.set_status("sha", "x", "error", str(error), None)': "mypy",
    'talk.deployment("sha", "staging", {}, "success", str(error))': "mypy",
    'tracker.open_issue(str(error), Markdown("x"))': "mypy",
    'tracker.open_issue(Plain("x"), str(error))': "mypy",
    'tracker.edit(7, Plain("x"), str(error))': "mypy",
    "tracker.close(7, str(error))": "mypy",
    'tracker.open_pull_request("b", "c", {}, str(error), Plain("x"), Markdown("x"))': "mypy",
    "actions.add_summary(str(error))": "mypy",
    "talk.reply(7, Markdown(str(error)))": "ruff",
    'tracker.open_issue(Plain(f"{error}"), Markdown("x"))': "ruff",
}
USE = """from bot.adapters.actions import Actions
from bot.ports import Branch, Conversation, Git, Tracker
from bot.words import Markdown, Plain


def use(talk: Conversation, tracker: Tracker, actions: Actions, branch: Branch, git: Git, error: Exception) -> None:
"""


@pytest.mark.slow
def test_no_plain_string_passes_the_door(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(USE + "".join(f"    {one}\n" for one in MISTAKES))
    run = [sys.executable, "-m"]
    typed = subprocess.run(
        [*run, "mypy", "--config-file", "pyproject.toml", file], cwd=ROOT, capture_output=True, text=True
    )
    linted = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--config", "pyproject.toml", "--select", "S704",
         "--output-format", "concise", file],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    for line, (one, tool) in enumerate(MISTAKES.items(), USE.count("\n") + 1):
        said = typed.stdout if tool == "mypy" else linted.stdout
        assert re.search(rf"use\.py:{line}:", said), f"{tool} lets through: {one}\n{said}"


@pytest.mark.parametrize(
    "text", [*TEXTS, "x\n::set-env name=A::b", "x\n  ::add-mask::y", "::stop-commands::x", "x\n##[error]y"]
)
@pytest.mark.parametrize("lead", ["", "error: ", "::warning::", "::error file=a,line=1::"])
def test_no_line_of_the_log_is_a_command_but_the_bot_s_own_first(lead: str, text: str) -> None:
    """As the runner reads it: white space before does not count, and an older form is heard as well."""
    first, *rest = (line.strip() for line in logged(lead + text).split("\n"))
    assert not any(line.startswith("::") or "##[" in line for line in rest)
    assert "##[" not in first
    assert not first.startswith("::") or first.startswith(("::warning", "::error"))
