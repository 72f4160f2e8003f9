"""Comments as people see them: GitHub's Markdown, near enough, as safe HTML."""

from __future__ import annotations

import functools
import re
from typing import Any

from bot.sandbox.pages.sanitise import sanitise

_ALERT = re.compile(r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:<br\s*/?>|\s)*", re.IGNORECASE)
_TASK = re.compile(r"<li>(\s*(?:<p>)?)\[([ xX])\] ")
_LOGIN, _NUMBER, _SHA = (
    r"@(?P<login>[a-z\d](?:[a-z\d-]{0,38}))(?![\w/-])",
    r"#(?P<number>\d+)\b",
    r"(?P<sha>\b[0-9a-f]{40}\b)",
)
_REFERENCE = re.compile(rf"(?<![\w/&#])(?:{_LOGIN}|{_NUMBER}|{_SHA})")
_CODE = re.compile(r"(<pre\b.*?</pre>|<code\b.*?</code>|<a\b.*?</a>|<[^>]+>)", re.DOTALL | re.IGNORECASE)
_EMOJI = {
    "white_check_mark": "✅",
    "x": "❌",
    "warning": "⚠️",
    "rocket": "🚀",
    "eyes": "👀",
    "hourglass": "⌛",
    "lock": "🔒",
}


@functools.cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def render(text: str, home: str = "") -> str:
    """Safe HTML. `home` is the repository's page, to which mentions, numbers and commits link."""
    html = sanitise(_parser().render(text))
    html = _ALERT.sub(lambda m: f'<blockquote class="alert {m[1].lower()}"><p><b>{m[1].capitalize()}</b><br>', html)
    html = _TASK.sub(_task, html)
    return "".join(part if index % 2 else _linked(part, home) for index, part in enumerate(_CODE.split(html)))


def _task(match: re.Match[str]) -> str:
    checked = " checked" if match[2] in "xX" else ""
    return f'<li class="task">{match[1]}<input type="checkbox" disabled{checked}> '


def _linked(text: str, home: str) -> str:
    def link(match: re.Match[str]) -> str:
        if match["login"]:
            return f'<b class="mention">{match[0]}</b>'
        if match["number"]:
            return f'<a href="{home}/pull/{match["number"]}">{match[0]}</a>'
        return f'<a href="{home}/commit/{match["sha"]}"><code>{match["sha"][:7]}</code></a>'

    linked = _REFERENCE.sub(link, text)
    return re.sub(r":(\w+):", lambda m: _EMOJI.get(m[1], m[0]), linked)
