"""The one door for words that people read on GitHub. What passes is the bot's own, or is escaped here.

The ports take `Markdown` where GitHub renders it, and `Plain` where it does not: a `str` is refused by mypy, and
`Markdown(text)` of anything but a literal by ruff (S704). `Markdown("... {} ...").format(text)` escapes the text, so
do `+` and `join`.

Text that others wrote becomes the same text on the page, and nothing else: no element, link, mention or command.
Every character that Markdown or HTML could read as more than itself becomes a numeric character reference; that holds
in paragraphs, table cells, headings and HTML blocks alike. What GitHub looks for in the finished page (mentions, issue
numbers, commit ids, addresses, `:emoji:`, `$math$`) is put into `<code>`, where it does not look.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Self

from markupsafe import Markup

from bot.specs.invisible import JOINERS, is_hidden

MARKS = frozenset({"Mn", "Me"})
MAX_MARKS = 4  # on one letter; more would paint over the lines above and below
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
WHITE_SPACE = re.compile(r"[\t\n\v\f ]+")
DIGITS = frozenset("0123456789")
WORD = DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
HARMLESS_AFTER_A_LETTER = frozenset(".-,()%'/=+:;?!")  # at the start of a line some of them open a list or a heading

# Addresses are looked for in one text node at a time, also inside a `<code>` tag: the comment ends the node.
# https://github.github.com/gfm/#autolinks-extension-
SPLIT_AT = "&#64;<!-- -->"

# What GitHub turns into links or pictures after the Markdown has been read, looked for word by word.
LIVE = re.compile(
    r"[@#$]"  # mentions, issue numbers, math
    r"|://|www\.|mailto:|xmpp:"  # addresses
    r"|:[\w+-]+:"  # emoji
    r"|(?<![0-9a-z])[0-9a-f]{7,64}(?![0-9a-z])"  # commit ids
    r"|(?<![0-9a-z])[a-z][a-z0-9]*-\d",  # GH-1 and a repository's own autolink prefixes
    re.IGNORECASE,
)

# What GitHub acts on in a plain text, such as the message of a commit: mentions, issues (it may close them), addresses.
# https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
ACTED_ON = re.compile(r"[@#](?=[^\W_])|://|\bgh-(?=\d)", re.IGNORECASE)

OWN_COMMAND = re.compile(r"::(error|warning|notice)( |::)")
COMMAND = re.compile(r"^\s*::")


class Markdown(Markup):
    """Finished Markdown: the bot's own words, with those of others in it escaped."""

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        """The text as it is read, and nothing else; finished Markdown as it is."""
        return s if isinstance(s, cls) else cls(inline(str(s)))


class Plain(Markup):
    """Text that GitHub shows as it is: a status, a title, a message. In what others wrote it acts on nothing."""

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        """On one line, hidden characters written out, and a space in whatever GitHub would act on."""
        if isinstance(s, cls):
            return s
        return cls(ACTED_ON.sub(lambda match: f"{match[0]} ", one_line(str(s))))


def visible(text: str, *, keep: str = "") -> str:
    """The text with characters that hide, reorder or overprint written out, as `⟨U+202E⟩`, except those in `keep`."""
    shown, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in MARKS else 0
        hidden = is_hidden(char) and char not in JOINERS  # emoji and several scripts need these
        show = char in keep or not (hidden or marks > MAX_MARKS)
        shown.append(char if show else f"⟨U+{ord(char):04X}⟩")
    return "".join(shown)


def one_line(text: str) -> str:
    """`visible` on one line: runs of white space, line ends among them, become one space; none at the ends."""
    return visible(WHITE_SPACE.sub(" ", text.replace("\r", "\n"))).strip(" ")


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, the last one `…` when something is left out; a letter keeps its marks or goes."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (unicodedata.combining(text[end]) or text[end] in JOINERS or text[end] in "\ufe0e\ufe0f"):
        end -= 1
    return text[:end] + "…"


def shown(text: str, limit: int = 140) -> Plain:
    """What GitHub neither reads nor renders: the description of a status or of a deployment, on one line."""
    return Plain(clipped(one_line(text), limit))  # noqa: S704 - hidden characters are written out


def logged(text: str) -> str:
    """Lines for the log of a run: only the first can be a workflow command, one of our own, and then it is all of it.

    The runner looks for commands in every line of both streams, whatever space stands before them.
    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    first, *rest = visible(text.replace("\r\n", "\n"), keep="\n\t").replace("##[", "## [").split("\n")
    if OWN_COMMAND.match(first):
        return "%0A".join([first, *rest])
    return "\n".join(COMMAND.sub(": :", line) for line in [first, *rest])


def inline(text: str, limit: int = 600) -> Markdown:
    """A sentence: on one line, and every word that GitHub would act on as code."""
    shown = clipped(one_line(text), limit)
    words, started = [], False
    for word in shown.split(" "):
        words.append(_code(word) if LIVE.search(word) else referenced(word, started))
        started = started or any(char.isalpha() for char in word)
    return Markdown(_isolated(shown, " ".join(words)))  # noqa: S704 - every character was escaped above


def code(text: str, limit: int = 120) -> Markdown:
    """A name: exactly its characters, in `<code>`."""
    shown = clipped(visible(text), limit)
    return Markdown(_isolated(shown, _code(shown)))  # noqa: S704 - every character was escaped above


def block(text: str, limit: int = 4000) -> Markdown:
    """Lines as they are, in `<pre><code>`; an HTML block, so it needs an empty line before and after it."""
    shown = clipped(visible(text.replace("\r\n", "\n"), keep="\n"), limit)
    lines = "\n".join(referenced(line) for line in shown.split("\n"))
    return Markdown(f"<pre><code>{lines}</code></pre>")  # noqa: S704 - every character was escaped above


def prose(text: str, limit: int = 4000) -> Markdown:
    """A sentence in which names and commands stand between backquotes: those as code, the rest as `inline`.

    Finished Markdown stays as it is.
    Not for the cell of a table, which a `|` between backquotes would end.
    """
    if isinstance(text, Markdown):
        return text
    parts = clipped(one_line(text), limit).split("`")
    if len(parts) % 2 == 0:
        return inline(text, limit)
    pieces = [_span(part) if index % 2 else _spaced(part) for index, part in enumerate(parts) if part]
    return Markdown("").join(pieces)


def _span(text: str) -> Markdown:
    return Markdown(f"`{text}`")  # noqa: S704 - one line without a backquote: all of it is code


def _spaced(text: str) -> Markdown:
    """`inline`, with one space where the text has some at its ends."""
    bare = text.strip(" ")
    before, after = text[: len(text) - len(text.lstrip(" "))][:1], text[len(text.rstrip(" ")) :][:1] if bare else ""
    return Markdown(f"{before}{inline(bare, len(text))}{after}")  # noqa: S704 - spaces, and what was escaped


def fenced(text: str, limit: int = 4000) -> Markdown:
    """Lines as they are, in a fence that nothing in them can close."""
    lines = clipped(visible(text.replace("\r\n", "\n"), keep="\n"), limit)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", lines)), default=0))
    return Markdown(f"{fence}text\n{lines.rstrip()}\n{fence}")  # noqa: S704 - what a fence holds is code


def literal(text: str) -> Markdown:
    """Lines as they are, as an indented block of code: no fence in it can be closed. An empty line stands before it."""
    lines = visible(text.replace("\r\n", "\n"), keep="\n").split("\n")
    return Markdown("\n".join(f"    {line}" for line in lines))  # noqa: S704 - each line is code


def referenced(text: str, started: bool = False) -> str:
    """Each character that could mean something to Markdown or HTML as a numeric character reference.

    `started` says that a letter stands before the text on its line, so that nothing in it can open a list or a heading.
    """
    out: list[str] = []
    for place, char in enumerate(text):
        if char == "@":
            out.append(SPLIT_AT)
        else:
            plain = char.isalnum() or char > "\x7f" or _is_harmless(text, place, started)
            out.append(char if plain else f"&#{ord(char)};")
        started = started or char.isalpha()
    return "".join(out)


def _is_harmless(text: str, place: int, started: bool) -> bool:
    before, char, after = text[place - 1 : place] or " ", text[place], text[place + 1 : place + 2] or " "
    if char == " ":
        return before != " " and after != " "
    if char == "_":  # inside a word it is no emphasis: https://spec.commonmark.org/0.31.2/#emphasis-and-strong-emphasis
        return before in WORD and after in WORD
    if char in ",%" or (char == "(" and before != "]"):
        return True
    if after in DIGITS and char in ".+-" and not started:
        return True
    opens_link = (char == ":" and after == "/") or (char == "." and text[max(0, place - 3) : place].lower() == "www")
    return started and char in HARMLESS_AFTER_A_LETTER and not opens_link


def _code(text: str) -> str:
    return f"<code>{referenced(text)}</code>"


def _isolated(text: str, markup: str) -> str:
    """Letters written from right to left cannot reorder what stands beside them: `dir` isolates."""
    if any(unicodedata.bidirectional(char) in RIGHT_TO_LEFT for char in text):
        return f'<span dir="auto">{markup}</span>'
    return markup
