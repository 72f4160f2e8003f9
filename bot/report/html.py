"""Report -> one self-contained HTML page: no network, no other file, text always escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.records.report import Report
from bot.report.blocks import Block, Break, Cell, Chart, Lines, Link, Name, Note, Part, Section, Strong, Table
from bot.report.details import Details, details
from bot.report.markdown_blocks import ADDRESS, CLOSING
from bot.report.overview import overview
from bot.report.status import plain
from bot.report.table import models_table
from bot.report.withhold import released
from bot.words import visible

# uPlot 1.6.32, MIT: https://github.com/leeoniya/uPlot
PARTS = {"style": ("uPlot.min.css", "page.css"), "script": ("uPlot.iife.min.js", "page.js")}
FOLDERS = ("templates", "vendor")
MANY = 10  # models, from which on a search saves time


def page(report: Report) -> str:
    """The page. Its own policy forbids every connection, and every script but the two that it carries."""
    report = released(report)
    seen, models = overview(report), models_table(report)
    facts = (
        ("Changed", seen.changed),
        ("Better?", seen.better),
        ("Worse for", seen.worse_for),
        ("Verdict", (*seen.flags, report.decision.headline) if report.decision else (seen.verdict,)),
        ("Approved by", seen.approved_by),
    )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=plain((f"{seen.verdict}:", *seen.headline)),
            verdict=seen.verdict,
            headline=parts(seen.headline),
            facts=[(label, parts(said)) for label, said in facts if any(said)],
            steps=seen.steps,
            blocked=[parts(line) for line in seen.blocked_by],
            models=table(models) if models else "",
            many=len(models.rows) > MANY if models else False,
            details=[_details(one, number) for number, one in enumerate(details(report))],
            evaluation_id=report.evaluation_id,
            head=report.plan.head_sha if report.plan else "",
            run=report.run,
            run_link=link(f"run {report.run.id}", report.run.url) if report.run else "",
            style=_inlined("style"),
            script=_inlined("script"),
            script_hashes=_hashes(),
        )
    )


def rendered(
    *,
    verdict: str,
    headline: tuple[Part, ...],
    facts: tuple[tuple[str, tuple[Part, ...]], ...],
    summary: tuple[Part, ...],
    sections: tuple[Section, ...],
    closing: tuple[Part, ...],
) -> str:
    """A page of the same make about something else than a pull request: facts, then sections."""
    shown = [(one.heading, [block(part) for part in one.blocks], one.id) for one in sections]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=plain((f"{verdict}:", *headline)), verdict=verdict, headline=parts(headline),
            facts=[(label, parts(said)) for label, said in facts if any(said)], steps=[], blocked=[], models="",
            many=False, details=[{"id": "all", "summary": parts(summary), "sections": shown}], evaluation_id="",
            head="", run=None, run_link=parts(closing), style=_inlined("style"), script=_inlined("script"),
            script_hashes=_hashes(),
        )
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = ChoiceLoader([PackageLoader("bot.report", folder) for folder in FOLDERS])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )


def _shown(value: Any) -> Any:
    return visible(value, keep="\n") if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=2)
def _inlined(kind: str) -> tuple[Markup, ...]:
    loader = _environment().loader
    assert loader is not None
    sources = (loader.get_source(_environment(), name)[0] for name in PARTS[kind])
    return tuple(Markup(source) for source in sources)  # noqa: S704 - our own files


@lru_cache(maxsize=1)
def _hashes() -> Markup:
    """The scripts as a Content-Security-Policy names them: https://www.w3.org/TR/CSP3/#framework-directive-source-list"""
    digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in _inlined("script"))
    return Markup(" ").join(Markup("'sha256-{}'").format(digest) for digest in digests)


def _details(one: Details, number: int) -> dict[str, Any]:
    sections = [(section.heading, [block(part) for part in section.blocks], section.id) for section in one.sections]
    return {
        "id": f"model-{number}",
        "summary": parts(one.summary),
        "sections": sections,
    }


def block(one: Block) -> Markup:
    """One block as HTML."""
    if isinstance(one, Table):
        return table(one)
    if isinstance(one, Chart):
        return chart(one)
    if isinstance(one, Lines):
        return Markup('<pre tabindex="0"><code>{}</code></pre>').format(visible(one.text, keep="\n"))
    return Markup("<p>{}</p>").format(parts(one.parts)) if isinstance(one, Note) else Markup()


def table(one: Table) -> Markup:
    """A table with its caption, scrollable by keyboard when it is wide."""
    heads = Markup().join(
        Markup('<th scope="col" class="{}">{}</th>').format(column.align, parts((column.heading,)))
        if column.heading
        else Markup("<td></td>")
        for column in one.columns
    )
    rows = Markup("\n").join(_row(one, row) for row in one.rows)
    return Markup(
        '<div class="scroll" role="group" tabindex="0" aria-label="{0}"><table><caption>{0}</caption>'
        "<thead><tr>{1}</tr></thead><tbody>\n{2}\n</tbody></table></div>"
    ).format(visible(one.caption) or "Table", heads, rows)


def _row(one: Table, row: tuple[Cell, ...]) -> Markup:
    cells = (
        Markup('<td class="{}">{}</td>').format(column.align, parts(cell if isinstance(cell, tuple) else (cell,)))
        for column, cell in zip(one.columns, row, strict=True)
    )
    return Markup("<tr>{}</tr>").format(Markup().join(cells))


def chart(one: Chart) -> Markup:
    """A figure whose numbers the script draws; the table beside it says the same to those who do not see it."""
    data = {
        "x": one.x,
        "xLabel": one.x_label,
        "yLabel": one.y_label,
        "series": [{"name": line.name, "values": line.values, "kind": line.kind} for line in one.series],
    }
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    return Markup(
        '<figure class="chart" role="img" aria-label="{0}: {1} over {2}; the numbers are in the table below">'
        '<script type="application/json">{3}</script></figure>'
    ).format(visible(one.title), visible(one.y_label), visible(one.x_label), Markup(text))  # noqa: S704


def parts(several: tuple[Part, ...]) -> Markup:
    """Parts set apart by a space, but not before a comma or a full stop."""
    out = Markup()
    for one in several:
        if one != "":
            joined = not out or (isinstance(one, str) and one.startswith(CLOSING))
            out += part(one) if joined else Markup(" ") + part(one)
    return out


def part(one: Part) -> Markup:
    """A part for its kind; `bdi` keeps letters written from right to left from reordering their neighbours."""
    if isinstance(one, Link):
        return link(one.label, one.url)
    if isinstance(one, Break):
        return Markup("<br>")
    text = visible(one if isinstance(one, str) else one.text)
    if isinstance(one, Name):
        return Markup("<code><bdi>{}</bdi></code>").format(text)
    return (
        Markup("<strong>{}</strong>").format(text) if isinstance(one, Strong) else Markup("<bdi>{}</bdi>").format(text)
    )


def link(label: str, url: str | None) -> Markup:
    """A link to a plain http(s) address; the label alone for anything else."""
    if url is None or not ADDRESS.fullmatch(url):
        return escape(visible(label))
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, visible(label))
