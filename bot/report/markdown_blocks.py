"""Blocks -> GitHub-flavoured Markdown. Everything here escapes; templates only arrange what comes from here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import escape

from bot.report.blocks import Block, Break, Cell, Chart, Lines, Link, Name, Note, Part, Strong, Table
from bot.report.charts import mermaid
from bot.words import Markdown, block, code, fenced, inline, one_line

ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d+)?(/[A-Za-z0-9._~/%=&?#+:,;@-]*)?")
CLOSING = (",", ".", ";", ":", ")", "…")
MAX_COMMAND = 300


def markdown(one: Block) -> Markdown:
    """One block, without empty lines around it."""
    if isinstance(one, Table):
        return table(one)
    if isinstance(one, Chart):
        return Markdown(f"```mermaid\n{mermaid(one)}\n```")  # noqa: S704 - numbers and `charts.label`
    return block(one.text) if isinstance(one, Lines) else parts(one.parts)


def table(one: Table) -> Markdown:
    """A table; a cell holds neither a line end nor a live `|`, so rows cannot break."""
    heading = "|".join(f" {inline(column.heading)} " for column in one.columns)
    rule = "|".join(" --: " if column.align == "right" else " :-- " for column in one.columns)
    return Markdown("\n").join(Markdown(f"|{line}|") for line in (heading, rule, *map(_row, one.rows)))  # noqa: S704


def _row(cells: tuple[Cell, ...]) -> str:
    return "|".join(f" {cell(one)} " for one in cells)


def cell(one: Cell) -> Markdown:
    """One part or several."""
    return parts(one) if isinstance(one, tuple) else part(one)


def parts(several: Iterable[Part]) -> Markdown:
    """Parts set apart by a space, but not before a comma or a full stop."""
    out = Markdown()
    for one in several:
        if one != "":
            joined = not out or (isinstance(one, str) and one.startswith(CLOSING))
            out += part(one) if joined else Markdown(" ") + part(one)
    return out


def part(one: Part) -> Markdown:
    """A part, escaped for its kind."""
    if isinstance(one, Name):
        return code(one.text)
    if isinstance(one, Break):
        return Markdown("<br>")
    if isinstance(one, Strong):
        return Markdown("<strong>{}</strong>").format(inline(one.text))
    return link(one.label, one.url) if isinstance(one, Link) else inline(one)


def link(label: str, url: str | None) -> Markdown:
    """A link to a plain http(s) address; the label alone for anything else."""
    if url is None or not ADDRESS.fullmatch(url):
        return inline(label)
    return Markdown(f'<a href="{escape(url)}">{inline(label)}</a>')  # noqa: S704 - a plain address


def command(text: str) -> Markdown:
    """A command to paste, in a fence that nothing in it can close; on one line."""
    return fenced(one_line(text)[:MAX_COMMAND])


def note(*several: Part) -> Markdown:
    """A Note as Markdown."""
    return markdown(Note(several))
