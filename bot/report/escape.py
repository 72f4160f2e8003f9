"""Text that others wrote -> the same text on the page, and nothing else: no element, link, mention or command.

Every character that Markdown or HTML could read as more than itself becomes a numeric character reference; that holds
in paragraphs, table cells, headings and HTML blocks alike. What GitHub looks for in the finished page (mentions, issue
numbers, commit ids, addresses, `:emoji:`, `$math$`) is put into `<code>`, where it does not look.
"""

from __future__ import annotations

import re
import unicodedata

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


def inline(text: str, limit: int = 600) -> Markup:
    """A sentence: on one line, and every word that GitHub would act on as code."""
    shown = clipped(one_line(text), limit)
    words, started = [], False
    for word in shown.split(" "):
        words.append(_code(word) if LIVE.search(word) else referenced(word, started))
        started = started or any(char.isalpha() for char in word)
    return Markup(_isolated(shown, " ".join(words)))  # noqa: S704 - every character was escaped above


def code(text: str, limit: int = 120) -> Markup:
    """A name: exactly its characters, in `<code>`."""
    shown = clipped(visible(text), limit)
    return Markup(_isolated(shown, _code(shown)))  # noqa: S704 - every character was escaped above


def block(text: str, limit: int = 4000) -> Markup:
    """Lines as they are, in `<pre><code>`; an HTML block, so it needs an empty line before and after it."""
    shown = clipped(visible(text.replace("\r\n", "\n"), keep="\n"), limit)
    lines = "\n".join(referenced(line) for line in shown.split("\n"))
    return Markup(f"<pre><code>{lines}</code></pre>")  # noqa: S704 - every character was escaped above


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
