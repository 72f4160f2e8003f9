"""What a report is made of, before it has a format: sections of tables, charts, notes and lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Name:
    """Text that is a name, a digest or a drawing: shown character by character, in a fixed-width font."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True)
class Link:
    """A label that leads to `url`; only the label when the address is not a plain http(s) one."""

    label: str
    url: str | None


@dataclass(frozen=True)
class Break:
    """A new line within a cell or a note."""


Part = str | Name | Strong | Link | Break
Cell = Part | tuple[Part, ...]  # the parts of a tuple are set apart by a space


@dataclass(frozen=True)
class Column:
    """A table's column; numbers stand at the right."""

    heading: str
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Table:
    """Rows of cells, as many as there are columns. `caption` names the table for those who do not see it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Series:
    """A line (or bars) over the chart's x values."""

    name: str
    values: tuple[float, ...]
    kind: Literal["line", "bar"] = "line"


@dataclass(frozen=True)
class Chart:
    """Numbers over numbers. `x` grows; every series has as many values."""

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Note:
    """A sentence or two."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Lines:
    """Lines to keep as they are: a log, a traceback, a command."""

    text: str


Block = Table | Chart | Note | Lines


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it. The higher `importance`, the longer it stays when space is short."""

    id: str
    heading: str
    importance: int
    blocks: tuple[Block, ...] = field(default_factory=tuple)


def left(*headings: str) -> tuple[Column, ...]:
    """Columns of text."""
    return tuple(Column(heading) for heading in headings)


def right(*headings: str) -> tuple[Column, ...]:
    """Columns of numbers."""
    return tuple(Column(heading, "right") for heading in headings)


def note(*parts: Part) -> Note:
    """A Note of these parts."""
    return Note(parts)
