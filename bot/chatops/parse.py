"""A comment's Markdown -> commands, or hints about what is wrong with it; all or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from bot.chatops.arguments import Refused, read, split_reason
from bot.chatops.grammar import CONTRARY, VERBS, lead
from bot.chatops.lines import CLOSE, OPEN, Line, paragraph_lines
from bot.chatops.nearest import nearest
from bot.records.command import Command, Hint, Parsed
from bot.specs.invisible import hidden_in_prose, is_hidden, is_selector

MAX_COMMANDS = 5
MAX_CHARACTERS = 200
# What editors and copying leave at the ends of a line: soft hyphen, zero-width characters, marks of direction.
_ZERO_WIDTH = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
_EDGES = "\u00ad\u061c\u180e\ufeff" + "".join(map(chr, _ZERO_WIDTH))
_SLASHED = re.compile(rf"^[{_EDGES}]*/\S", re.MULTILINE)
_NEAR = re.compile(r"[a-z-]{2,20}[.,:;!?]?")  # what people mistype; paths and addresses are left alone
_SPACES = re.compile(r"[ \t\u00a0]+")


@lru_cache(maxsize=4096)  # a job reads the same comments for each thing that it judges
def parse(body: str, prefix: str | None = None) -> Parsed:
    """The commands of a comment, in order. With any hint no command is returned.

    `prefix` None means that commands are written `/approve`; `ml` means `/ml approve`, and `/approve` is left to
    other bots. Lines that only resemble a path or another bot's command are silently no commands.
    """
    found: list[tuple[int, Command]] = []
    hints: list[Hint] = []
    for line in _candidates(body):
        try:
            command = _command(line, prefix)
        except Refused as refused:
            hints.append(Hint(line=line.number, code=refused.code, message=refused.message, suggestion=refused.instead))
            continue
        found += [(line.number, command)] if command else []
    if len(found) + len(hints) > MAX_COMMANDS:
        message = f"A comment may hold at most {MAX_COMMANDS} commands."
        hints = [Hint(line=1, code="too_many_commands", message=message)]
    hints += _contradictions(found, prefix)
    return Parsed(hints=tuple(hints)) if hints else Parsed(commands=tuple(one for _, one in found))


def _contradictions(found: Sequence[tuple[int, Command]], prefix: str | None) -> Iterator[Hint]:
    """What cannot both be meant. Neither is done, whichever stands first."""
    for group in CONTRARY:
        said = {one.verb: line for line, one in reversed(found) if one.verb in group}
        if len(said) > 1:
            words = " and ".join(f"`{lead(prefix)}{verb}`" for verb in sorted(said))
            message = f"{words} in one comment contradict each other. Write the one that you mean in a new comment."
            yield Hint(line=max(said.values()), code="contradictory", message=message)


def _candidates(body: str) -> Iterator[Line]:
    """Lines that start with a slash, without invisible characters at their edges."""
    if not _SLASHED.search(body):  # reading Markdown is dear, and most comments hold no command
        return
    for line in paragraph_lines(body):
        text = _bare(line.text)
        if text.startswith("/"):
            yield Line(line.number, text)


def _bare(text: str) -> str:
    text = text.lstrip(_EDGES)
    while text and (text[-1].isspace() or text[-1] in _EDGES):
        text = text[:-1]
    return text


def _command(line: Line, prefix: str | None) -> Command | None:
    """None when the line is another bot's command, a path or prose."""
    words = _SPACES.sub(" ", line.text[1:])
    if prefix is not None:
        first, _, words = words.partition(" ")
        if first.lower() != prefix.lower():
            return None
    head, _, rest = words.partition(" ")
    verb = head.lower() if head.isascii() else head
    if verb not in VERBS:
        _suggest(verb, prefix)
        return None
    _check_text(line.text)
    return read(verb, rest, prefix)


def _suggest(verb: str, prefix: str | None) -> None:
    """Raise a hint when the word is nearly a verb, or when the prefix makes clear that we are meant."""
    hidden = [letter for letter in verb if is_hidden(letter) or is_selector(letter)]
    visible = "".join(letter for letter in verb if letter not in hidden)
    if hidden and visible in VERBS:
        raise Refused("invisible_character", _invisible_message(hidden), lead(prefix) + visible)
    close = nearest(verb, VERBS) if _NEAR.fullmatch(verb) else None
    if close is not None:
        message = f"There is no command `{lead(prefix)}{verb}`."
        raise Refused("unknown_verb", message, lead(prefix) + close)
    if prefix is not None:
        is_word = _NEAR.fullmatch(verb) is not None
        message = f"There is no command `{lead(prefix)}{verb}`." if is_word else "The command is missing."
        raise Refused("unknown_verb", message, lead(prefix) + "help")


def _check_text(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise Refused("too_long", f"A command may have at most {MAX_CHARACTERS} characters; this one has {len(text)}.")
    before, reason = split_reason(text.replace(OPEN, "").replace(CLOSE, ""))
    hidden = [one for one in before if is_hidden(one) or is_selector(one)] + list(hidden_in_prose(reason or ""))
    if hidden:
        raise Refused("invisible_character", _invisible_message(hidden))


def _invisible_message(hidden: Iterable[str]) -> str:
    names = sorted({f"U+{ord(letter):04X}" for letter in hidden})
    return f"The command holds characters that cannot be seen: {', '.join(names)}."
