"""Report -> Markdown: the sticky comment and the job summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Template

from bot.records.numbers import count, counted, listed, unbroken
from bot.records.report import Report
from bot.report.blocks import Name, Part, Section, Strong, Table
from bot.report.details import SKIPPED_OWNER, Details, details
from bot.report.environment import environment
from bot.report.fit import COMMENT_LIMIT, SUMMARY_LIMIT, Measure, Piece, first_that_fit, kept, units, utf8
from bot.report.markdown_blocks import command, link, markdown, parts, table
from bot.report.overview import Overview, Step, overview
from bot.report.table import models_table
from bot.report.withhold import released
from bot.words import Markdown

TEMPLATE = "comment.md.j2"
# What each template may use. Everything is finished Markdown, a list of it, or text that is escaped when it is written.
VARIABLES: dict[str, tuple[str, ...]] = {
    TEMPLATE: (
        "verdict",
        "headline",
        "facts",
        "models",
        "more_models",
        "more_models_summary",
        "rows_left_out",
        "unblock",
        "unblock_left_out",
        "blocked",
        "blocked_left_out",
        "left_out",
        "details",
        "more_details",
        "more_details_summary",
        "skipped",
        "elsewhere",
        "footer",
    ),
    "model.md.j2": ("one",),
}
NOT_USED = Markdown("\n> The team's own template could not be used; `mlbot validate` says why.\n")
# The hidden first line by which the comment is found again. Before, it ended in the repository's name, which changes.
MARKED = "<!-- mlbot:report:"
MARKER = Markdown("<!-- mlbot:report:mlbot -->")
SHRINK = (1.0, 0.5, 0.2, 0.05)  # of the limit, for what must be there; the first that fits
ROWS, STEPS, LINES = 0.4, 0.15, 0.2  # of that, for the table, what is missing, and what is in the way
RESERVE = 600  # for the sentence that says what was left out
OPEN = 80  # sections of at least this importance are seen as soon as the model is opened
SHOWN = 15  # models that are seen at once; the others are one click away
WRAPPER = 60  # `<details>` and what belongs to it


def comment(report: Report, *, limit: int = COMMENT_LIMIT, templates: Mapping[str, str] | None = None) -> Markdown:
    """The sticky comment, at most `limit` characters as GitHub counts. `templates` are a team's own, by file name."""
    first = MARKER + Markdown("\n")
    return first + _with_own(report, limit - len(first), units, templates)


def summary(report: Report, *, limit: int = SUMMARY_LIMIT, templates: Mapping[str, str] | None = None) -> Markdown:
    """The job summary, at most `limit` bytes: the same page with room for more."""
    return _with_own(report, limit, utf8, templates)


def render(report: Report, templates: Mapping[str, str]) -> Markdown:
    """The page by a team's own templates, without a way out: what they raise is raised."""
    return _fitted(report, COMMENT_LIMIT, units, templates)


def _with_own(report: Report, limit: int, measure: Measure, own: Mapping[str, str] | None) -> Markdown:
    """By the team's own templates, and by the bot's when those fail or write too much: a report there must be."""
    if not own:
        return _fitted(report, limit, measure, None)
    try:
        page = _fitted(report, limit, measure, own)
    except Exception:  # a template is a program; `mlbot validate` says what is wrong with it
        page = Markdown("")
    if page and measure(page) <= limit:
        return page
    return _fitted(report, limit - len(NOT_USED), measure, None) + NOT_USED


def _fitted(everything: Report, limit: int, measure: Measure, own: Mapping[str, str] | None) -> Markdown:
    report = released(everything)
    template = environment(own).get_template(TEMPLATE)
    drawn = [_drawn(one) for one in details(report)]
    page, room = _skeleton(template, report, limit, measure)
    chosen = kept([piece for one in drawn for piece in _pieces(one, measure)], room)
    shown = [one for one in (_chosen(one, chosen) for one in drawn) if one.sections]
    left_out = sum(len(one.sections) for one in drawn) - len(chosen)
    said = f"{counted(left_out, 'section')} did not fit into this page and can be read in" if left_out else ""
    page |= _arranged(shown) | {"left_out": said}
    return Markdown(template.render(page).strip() + "\n")  # noqa: S704 - `environment.finished` escapes


def _arranged(shown: list[Drawn]) -> dict[str, Any]:
    """The first models, then the others behind one line, then those that are not affected."""
    models = [one for one in shown if one.owner != SKIPPED_OWNER]
    skipped = [one for one in shown if one.owner == SKIPPED_OWNER]
    more = models[SHOWN:]
    said = f"Details of {counted(len(more), 'more model')}" if more else ""
    return {"details": models[:SHOWN], "more_details": more, "more_details_summary": said, "skipped": skipped}


@dataclass(frozen=True)
class Drawn:
    """Details as Markdown; `sections` are (id, importance, Markdown)."""

    owner: str
    summary: Markdown
    sections: tuple[tuple[str, int, Markdown], ...]


def _drawn(one: Details) -> Drawn:
    draw = _body if one.owner == SKIPPED_OWNER else _section
    sections = tuple((section.id, section.importance, draw(section)) for section in one.sections)
    return Drawn(one.owner, parts(one.summary), sections)


def _body(section: Section) -> Markdown:
    return Markdown("\n\n").join(map(markdown, section.blocks))


def _section(section: Section) -> Markdown:
    body, heading = _body(section), parts((section.heading,))
    if section.importance >= OPEN:
        return Markdown("#### {}\n\n{}").format(heading, body)
    return Markdown("<details><summary>{}</summary>\n\n{}\n\n</details>").format(heading, body)


def _pieces(one: Drawn, measure: Measure) -> list[Piece]:
    wrapper = WRAPPER + measure(one.summary)
    found = [Piece(one.owner, name, importance, measure(text) + 2) for name, importance, text in one.sections]
    return [replace(piece, size=piece.size + (wrapper if number == 0 else 0)) for number, piece in enumerate(found)]


def _chosen(one: Drawn, chosen: set[tuple[str, str]]) -> Drawn:
    return replace(one, sections=tuple(section for section in one.sections if (one.owner, section[0]) in chosen))


def _skeleton(template: Template, report: Report, limit: int, measure: Measure) -> tuple[dict[str, Any], int]:
    """What must be there, shortened until it fits, and the room that is left."""
    for share in SHRINK:
        page = {"left_out": ""} | _arranged([]) | _must(report, limit * share, measure)
        room = limit - RESERVE - measure(template.render(page))
        if room >= 0:
            break
    return page, max(0, room)


def _must(report: Report, limit: float, measure: Measure) -> dict[str, Any]:
    seen = overview(report)
    tables, shown, rows_left_out = _rows(models_table(report), int(limit * ROWS), measure)
    steps = [_step(one) for one in seen.steps]
    some = first_that_fit(steps, int(limit * STEPS), lambda one: sum(measure(f"{part}") + 20 for part in one))
    lines = [parts(one) for one in seen.blocked_by]
    few = first_that_fit(lines, int(limit * LINES), lambda one: measure(one) + 3)
    return {
        "verdict": seen.verdict,
        "headline": parts(seen.headline),
        "facts": [(label, parts(said)) for label, said in _facts(seen, report)],
        "models": tables[:1],
        "more_models": tables[1:],
        "more_models_summary": f"{counted(shown - SHOWN, 'more model')}" if shown > SHOWN else "",
        "rows_left_out": rows_left_out,
        "unblock": some,
        "unblock_left_out": len(steps) - len(some),
        "blocked": few,
        "blocked_left_out": len(lines) - len(few),
        "elsewhere": _elsewhere(report),
        "footer": _footer(report),
    }


def _rows(found: Table | None, room: int, measure: Measure) -> tuple[list[Markdown], int, int]:
    """The table of the first models and that of the others; how many they hold, and how many did not fit."""
    if found is None:
        return [], 0, 0
    empty = replace(found, rows=())
    bare = measure(table(empty))
    rows = first_that_fit(found.rows, room, lambda row: measure(table(replace(empty, rows=(row,)))) - bare)
    halves = [tuple(rows[:SHOWN]), tuple(rows[SHOWN:])]
    return [table(replace(found, rows=half)) for half in halves if half], len(rows), len(found.rows) - len(rows)


def _step(one: Step) -> tuple[Markdown, Markdown]:
    """The people on a line each, and the command in its fence."""
    lines = (parts((Strong(who), f"· {action}")) for who, action in one.people)
    return Markdown("<br>").join(lines), command(one.command) if one.command else Markdown()


def _facts(seen: Overview, report: Report) -> list[tuple[str, tuple[Part, ...]]]:
    found = [
        ("Changed", seen.changed),
        ("Better?", seen.better),
        (unbroken("Worse for"), seen.worse_for),
        ("Verdict", _why(seen, report)),
        (unbroken("Approved by"), seen.approved_by),
        ("Next", _next(seen)),
    ]
    return [(label, said) for label, said in found if any(said)]


def _why(seen: Overview, report: Report) -> tuple[Part, ...]:
    first = seen.blocked_by[0] if seen.blocked_by else ()
    more = f"(and {count(len(seen.blocked_by) - 1)} more below)" if len(seen.blocked_by) > 1 else ""
    if report.decision:
        return (*seen.flags, report.decision.headline)
    return (seen.verdict + (":" if first else ""), *first, more)


def _next(seen: Overview) -> tuple[Part, ...]:
    if not seen.steps:
        return ()
    one = seen.steps[0]
    who = listed([who for who, _ in one.people], 3)
    more = f"(then {counted(len(seen.steps) - 1, 'more step')} below)" if len(seen.steps) > 1 else ""
    return who, "·", *((Name(one.command),) if one.command else (one.people[0][1],)), more


def _elsewhere(report: Report) -> Markdown:
    run = report.run
    if run is None:
        return Markdown("`mlbot report --format html`")
    whole = link("the HTML report", run.page_url) if run.page_url else None
    job = link("the job summary", run.url)
    return Markdown("{} and {}").format(whole, job) if whole else job


def _footer(report: Report) -> Markdown:
    head = report.plan.head_sha[:12] if report.plan else ""
    said: list[Part] = [
        *(("Evaluation", Name(report.evaluation_id), "·") if report.evaluation_id else ()),
        *(("head", Name(head), "·") if head else ()),
    ]
    facts = parts(said)
    if report.run is None:
        return facts + Markdown(" mlbot")
    attempt = f", attempt {report.run.attempt}" if report.run.attempt > 1 else ""
    return facts + Markdown(" ") + link(f"run {report.run.id}{attempt}", report.run.url)
