"""A comment's Markdown -> the lines of it that are plain paragraph text, as people see them, from the first column on.

GitHub's Markdown is CommonMark with tables; see https://github.github.com/gfm/. Quotes, lists, headings, code, HTML
(also what stands between an opening and a closing tag), links, images, footnotes and struck text never hold a command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from bot.chatops.aside import aside

VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
# Marks the pieces of a line that are not plain text; neither character is legal in a line that is taken.
OPEN, CLOSE = "\x0e", "\x0f"
CONTAINERS = ("blockquote_", "bullet_list_", "ordered_list_", "table_")


@dataclass(frozen=True)
class Line:
    """A line of a top-level paragraph. `number` counts from 1; markup is kept between OPEN and CLOSE as its text."""

    number: int
    text: str


@cache
def _markdown() -> MarkdownIt:
    # Emphasis and entities stay as written, since patterns hold asterisks and `&#47;` is not a slash that was typed.
    # text_join would turn `\/` into a slash.
    parser = MarkdownIt("commonmark").enable("table").disable(["emphasis", "entity", "text_join"])
    parser.inline.ruler.at("newline", _newline)
    parser.inline.ruler.before("escape", "backslash_newline", _backslash_newline)
    return parser


def _newline(state: StateInline, silent: bool) -> bool:
    """markdown-it's own rule, but the token says where the next line starts and whether it is indented."""
    if state.src[state.pos] != "\n":
        return False
    end = state.pos + 1
    while end < state.posMax and state.src[end] in " \t":
        end += 1
    if not silent:
        state.push("softbreak", "br", 0).meta = {"start": state.pos + 1, "indented": end > state.pos + 1}
    state.pos = end
    return True


def _backslash_newline(state: StateInline, silent: bool) -> bool:
    """A backslash before a line break is text here, so that one rule makes all line breaks."""
    if not state.src.startswith("\\\n", state.pos):
        return False
    if not silent:
        state.pending += "\\"
    state.pos += 1
    return True


class _Tags(HTMLParser):
    """HTML elements that are open. An element that nobody closes stays open: fail closed."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    @property
    def are_open(self) -> bool:
        # an unfinished tag waits in rawdata
        return bool(self._open) or "<" in self.rawdata

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002, html.parser's signature
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML knows no `<b/>`: browsers leave the element open
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass


def paragraph_lines(body: str) -> list[Line]:
    """The lines that a command may stand on, in order."""
    tags, source = _Tags(), body.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    is_aside = aside(source.split("\n"))
    found: list[Line] = []
    before, containers = "", 0
    for token in _markdown().parse(source):
        containers += token.nesting if token.type.startswith(CONTAINERS) else 0
        if containers == 0 and token.type == "html_block":
            tags.feed(token.content)
        elif containers == 0 and token.type == "inline":
            first = (token.map or [0])[0]
            lines = list(_lines(token, first, is_aside, tags))
            found += lines if before == "paragraph_open" else []
        before = token.type
    return found


def _lines(token: Token, first: int, is_aside: Sequence[bool], tags: _Tags) -> Iterator[Line]:
    number, text, hidden, depth = first, "", is_aside[first] or tags.are_open, 0
    for child in token.children or []:
        depth += child.nesting
        if child.type == "softbreak" and depth == 0:
            if not hidden:
                yield Line(number + 1, text)
            number = first + token.content.count("\n", 0, child.meta["start"])
            text, hidden = "", tags.are_open or child.meta["indented"] or is_aside[number]
        else:
            text += _piece(child, depth, tags)
    if not hidden:
        yield Line(number + 1, text)


def _piece(child: Token, depth: int, tags: _Tags) -> str:
    if child.type == "html_inline":
        tags.feed(child.content)
    is_plain = child.type == "text" and depth == 0
    return child.content if is_plain else f"{OPEN}{child.content}{CLOSE}"
