"""Health records -> a page of a model, and the Markdown of the issue that an alarm opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.records.health import Aged, Cause, Check, Health, is_odd
from bot.records.numbers import count, counted, number
from bot.records.release import Release
from bot.report.blocks import Block, Cell, Chart, Column, Name, Part, Section, Series, Strong, Table, left, note, right
from bot.report.html import rendered
from bot.report.markdown_blocks import command, markdown, parts
from bot.words import Markdown, Plain

SHOWN = 12
PARAGRAPH = Markdown("\n\n")
TITLES: dict[Cause, str] = {
    "performance": "it does worse than on its test rows",
    "drift": "what it is asked has changed",
    "inputs": "its inputs are not what it was trained on",
    "skew": "it answers otherwise than in training",
    "traffic": "nobody asks it",
    "operation": "it fails or is slow",
}
MEANS: dict[Cause, str] = {
    "performance": "On rows whose outcome is known by now, the model does worse than on the test rows of its release.",
    "drift": "Inputs or answers differ from the test rows more than chance allows. That alone does not say that the "
    "model is wrong.",
    "inputs": "Requests hold values that the data contract or training does not know, or lack a column.",
    "skew": "The same inputs give another answer, or were worked out otherwise, than in training.",
    "traffic": "The log holds fewer rows than the policy expects.",
    "operation": "The server fails, or takes longer, than the policy allows.",
}
VERDICTS = {"healthy": "Healthy", "alarm": "Alarm", "unknown": "Not judged"}


def title_of(health: Health, cause: Cause) -> Plain:
    """The issue's title: the same as long as the cause is the same."""
    return Plain("{} in {}: {}").format(health.model, health.environment, TITLES[cause])


def sentence(health: Health) -> str:
    """One line."""
    what = " and ".join(TITLES[one] for one in health.causes) or {
        "healthy": "nothing alarms",
        "unknown": "there is too little to judge",
        "alarm": "an alarm",
    }.get(health.status, "")
    return (
        f"{health.model} {health.version} in {health.environment}, {_day(health.judged_at)}: {health.status}, {what}."
    )


def issue(health: Health, cause: Cause) -> Markdown:
    """What alarms, with its numbers; and what else was looked at."""
    first = _blocks_of(health, cause)
    others = [one for one in sections(health) if not one.id.startswith(cause)]
    told = [note(MEANS[cause]), note(*_window(health)), *first, note(*_promise(health))]
    lines = [markdown(one) for one in told]
    lines += [text for one in others for text in (_heading(one), *map(markdown, one.blocks))]
    lines.append(
        parts(("This is brought up to date by each look, and closed when the cause is gone. Closed by hand, it stays "
               "closed until the cause was gone once.",))
    )  # fmt: skip
    return PARAGRAPH.join(lines)


def summary(health: Health) -> Markdown:
    """The whole record as Markdown, for the summary of a run."""
    told = [parts((sentence(health),))]
    for one in sections(health):
        told += [_heading(one), *map(markdown, one.blocks)]
    return PARAGRAPH.join([*told, parts(tuple(_promise(health)))])


def _heading(one: Section) -> Markdown:
    return Markdown("### {}").format(parts((one.heading,)))


def page(records: Sequence[Health], releases: Sequence[Release] = ()) -> str:
    """One self-contained HTML page of a model in an environment; `records` oldest first, at least one.

    `releases` are every change of the model in any environment, oldest first.
    """
    now = records[-1]
    return rendered(
        verdict=VERDICTS[now.status],
        headline=(now.model, now.version or "", "in", now.environment or "", f"({_day(now.judged_at)})"),
        facts=tuple(_facts(now)),
        summary=(f"{counted(len(records), 'look')}, the last one on {_day(now.judged_at)}",),
        sections=(*sections(now), *history(records), *_released(now, releases)),
        closing=_promise(now),
    )


def sections(health: Health) -> list[Section]:
    """What was found in one window, in the order of what matters."""
    found = [
        Section("performance", "Performance", 90, tuple(_performance(health))),
        Section("families", "What may alarm", 85, tuple(_families(health))),
        Section("versions", "Versions on the same new rows", 80, tuple(_versions(health))),
        Section("drift", "Drift", 70, tuple(_drift(health))),
        Section("checks", "Inputs, skew, traffic, operation", 60, tuple(_checks(health.checks))),
        Section("notes", "Notes", 50, tuple(note(one.sentence) for one in health.notes)),
    ]
    return [one for one in found if one.blocks]


def _blocks_of(health: Health, cause: Cause) -> list[Block]:
    if cause == "performance":
        return list(_performance(health))
    if cause == "drift":
        return list(_drift(health))
    return list(_checks([one for one in health.checks if one.cause == cause]))


def _facts(health: Health) -> Iterator[tuple[str, tuple[Part, ...]]]:
    yield "Alarms", (", ".join(TITLES[one] for one in health.causes) or "none",)
    for one in health.performance:
        said = f"{number(one.current, 4)}, on the test rows {number(one.reference, 4)}"
        yield "Performance", (Name(one.metric), said, word(one.alarm, "performance", health))
    drifted = sorted({one.column for one in health.drift if one.alarm})
    yield "Drifted", (", ".join(drifted[:5]) or ("no column" if _has_inputs(health) else "inputs were not judged"),)
    labelled = f", {counted(health.labels.labelled, 'labelled row')}" if health.labels else ""
    yield "Rows", (f"{count(health.current.rows)} in this window{labelled}",)


def _performance(health: Health) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            Name(one.metric), number(one.reference, 4), number(one.current, 4),
            f"{number(one.worse, 4)} [{number(one.low, 4)}, {number(one.high, 4)}]",
            f"{count(one.n_current)} / {count(one.n_reference)}", word(one.alarm, "performance", health),
        )
        for one in health.performance
    ]  # fmt: skip
    columns = (*left("Metric"), *right("Test rows", "Now", "Worse by", "Rows now / then"), Column(""))
    if rows:
        yield Table(columns, tuple(rows), "Performance on labelled rows")
    for one in () if rows else health.estimated:
        reach = (
            f" [{number(one.low, 4)}, {number(one.high, 4)}]" if one.low is not None and one.high is not None else ""
        )
        yield note(
            "Estimated without labels:", Name(one.metric), f"{number(one.current, 4)}{reach}, on the test rows "
            f"{number(one.reference, 4)}. {one.assumption}", *(f"Wrong when {why}." for why in one.fails_when),
        )  # fmt: skip
    if health.labels is not None:
        kept = health.labels
        unused = {
            "late": kept.late,
            "repeated": kept.duplicates,
            "corrected": kept.corrected,
            "contradicting": kept.conflicting,
            "of no logged row": kept.orphans,
            "of an unknown class": kept.unknown_class,
        }
        rest = ", ".join(f"{count(n)} {word}" for word, n in unused.items() if n)
        yield note(f"{counted(kept.labelled, 'row')} with a label{'; other labels: ' + rest if rest else ''}.")


def _families(health: Health) -> Iterator[Block]:
    """Each p-value beside where it is odd, and how many windows were."""
    rule = health.persistence
    rows: list[tuple[Cell, ...]] = [
        (
            one.name, "not judged" if one.p_value is None else f"{one.p_value:.2g}", f"{one.level:.2g}",
            f"{one.raised} of {one.seen}", "ALARM" if one.alarm else "odd" if is_odd(one) else "",
        )
        for one in health.families
    ]  # fmt: skip
    if rows and rule is not None:
        needed = (
            "One odd window is an alarm" if rule.of == 1 else f"{rule.needed} odd of {rule.of} windows are an alarm"
        )
        columns = (*left("What"), *right("p of this window", "Odd at or under", "Odd windows"), Column(""))
        yield Table(columns, tuple(rows), needed)


def _has_inputs(health: Health) -> bool:
    """Whether more was judged than the labels."""
    return any(one.role != "target" for one in health.drift)


def _versions(health: Health) -> Iterator[Block]:
    if len(health.versions) < 2:
        return
    rows = tuple(
        (
            one.version, _day(one.released_at), number(one.value, 4),
            f"[{number(one.low, 4)}, {number(one.high, 4)}]" if one.low is not None and one.high is not None else "",
            "live" if one.is_live else "better than what is live" if one.better_than_live else "",
        )
        for one in health.versions
    )  # fmt: skip
    heading = health.versions[0].metric
    yield Table(
        (*left("Version", "Released"), *right(heading, "95 % interval"), Column("")),
        rows,
        "Every version on the new rows",
    )


def _drift(health: Health) -> Iterator[Block]:
    rows = tuple(
        (
            Name(one.column), one.role, one.test, number(one.effect, 3), f"{one.p_adjusted:.3g}",
            word(one.alarm, "drift", health),
        )
        for one in health.drift[:SHOWN]
    )  # fmt: skip
    if rows:
        columns = (*left("Column", "Role", "Test"), *right("Difference", "p over all tests"), Column(""))
        yield Table(columns, rows, f"Smallest p of {counted(len(health.drift), 'test')}")
    joint = tuple(
        (one.test, number(one.effect, 3), f"{one.p_adjusted:.3g}", word(one.alarm, "drift", health))
        for one in health.joint
    )
    if joint:
        yield Table(
            (*left("All columns together"), *right("Difference", "p over all tests"), Column("")), joint, "Joint"
        )


def _checks(checks: Sequence[Check]) -> Iterator[Block]:
    rows = tuple(
        (one.cause, Name(one.column) if one.column else "", one.sentence, "ALARM" if one.alarm else "")
        for one in checks[: 2 * SHOWN]
    )
    if rows:
        yield Table((*left("About", "Column", "Found"), Column("")), rows, "What else was looked at")


def history(records: Sequence[Health]) -> list[Section]:
    """What was live when, and how the numbers went."""
    rows = tuple(
        (
            one.version or "", _day(one.judged_at), one.status,
            ", ".join(one.causes) or "odd, no alarm yet" * one.raised,
            number(one.performance[0].current, 4) if one.performance else "",
            f"{min((each.p_adjusted for each in one.drift), default=1.0):.3g}" if one.drift else "",
            count(one.current.rows),
        )
        for one in reversed(records)
    )  # fmt: skip
    columns = (*left("Version", "When", "Status", "Alarms"), *right("Performance", "Smallest p of drift", "Rows"))
    blocks: list[Block] = [*_charts(records), Table(columns, rows, "Every look, newest first")]
    return [Section("history", "History", 40, tuple(blocks))]


def _released(health: Health, releases: Sequence[Release]) -> list[Section]:
    """What was let out here, newest first."""
    rows = tuple(
        (
            one.version, one.action, _day(one.released_at), f"#{one.pull_request}" if one.pull_request else "",
            ", ".join(each.login for each in one.approved_by), one.reason,
        )
        for one in reversed(releases) if one.environment == health.environment
    )  # fmt: skip
    columns = left("Version", "What", "When", "By", "Approved by", "Why")
    return [Section("releases", "Releases", 30, (Table(columns, rows, "Every release here"),))] if rows else []


def _charts(records: Sequence[Health]) -> Iterator[Block]:
    dated = [(datetime.fromisoformat(one.judged_at), one) for one in records if one.judged_at]
    for metric in dict.fromkeys(one.performance[0].metric for _, one in dated if one.performance):
        seen = [
            (at, one.performance[0]) for at, one in dated if one.performance and one.performance[0].metric == metric
        ]
        if len(seen) > 1:
            x = tuple((at - seen[0][0]).total_seconds() / 86_400 for at, _ in seen)
            series = (
                Series("now", tuple(one.current for _, one in seen)),
                Series("test rows", tuple(one.reference for _, one in seen)),
            )
            yield note(Strong(f"{metric} of the rows with a label, and of the test rows"))
            yield Chart("Performance", f"days since {seen[0][0]:%Y-%m-%d}", metric, x, series)
    drift = [(at, max(one.effect for one in health.drift)) for at, health in dated if _has_inputs(health)]
    if len(drift) > 1:
        x = tuple((at - drift[0][0]).total_seconds() / 86_400 for at, _ in drift)
        values = (Series("largest difference of a column", tuple(effect for _, effect in drift)),)
        yield note(Strong("The largest difference between a column and its test rows"))
        yield Chart("Drift", f"days since {drift[0][0]:%Y-%m-%d}", "difference, 0 to 1", x, values)


def _window(health: Health) -> tuple[Part, ...]:
    return (
        f"{count(health.current.rows)} rows of {health.version} from {_day(health.since)} to {_day(health.until)}, "
        f"against {count(health.reference.rows)} test rows.",
    )


def _promise(health: Health) -> tuple[Part, ...]:
    budget = health.budget
    return (
        f"While nothing is wrong, expect at most {budget.false_alarms_per_month:g} false alarms a month "
        f"({budget.per_window:.3g} a window, {budget.windows_per_month:g} windows).",
    )


def word(is_odd: bool, cause: Cause, health: Health) -> str:
    """What is odd in this window is an alarm when enough windows agree."""
    return "" if not is_odd else "ALARM" if cause in health.causes else "odd"


def _day(text: str | None) -> str:
    return f"{text.replace('T', ' ')[:16]} UTC" if text else ""


def retraining(health: Health, rows: int, path: str, moved: Sequence[tuple[str, str, str]]) -> tuple[Plain, Markdown]:
    """Title and body of a retraining pull request."""
    keys = tuple((Name(key), Name(old), Name(new)) for key, old, new in moved)
    told: list[Block] = [
        note(
            f"{counted(rows, 'labelled row')} of the log of {health.model} {health.version} in {health.environment} "
            "become rows of", Name(path), ".",
        ),
        note(
            "The report below compares the model that is trained with them with what is live. Its section Retrain or "
            "keep does so on those of the new rows that neither of the two was trained on. Merging needs the same "
            "approvals as any change; closing this keeps the model as it is.",
        ),
        note(f"Why: {'; '.join(TITLES[cause] for cause in health.causes)}."),
    ]  # fmt: skip
    if keys:
        told.append(Table(left("Moved", "From", "To"), keys, "The spec's window"))
    return (
        Plain("Retrain {} on {}").format(health.model, counted(rows, "new row")),
        PARAGRAPH.join(map(markdown, (*told, *_performance(health), note(*_promise(health))))),
    )


def rollback(health: Health, better: Aged, pull_request: int | None) -> tuple[Plain, Markdown]:
    """Title and body of a rollback proposal; `pull_request` is where the command can be given."""
    live = next(one for one in health.versions if one.is_live)
    line = f'/rollback {health.environment} {health.model} --reason "{better.version} does better on new rows"'
    where = (
        f"in pull request {pull_request}"
        if pull_request is not None
        else "in the pull request that brought the release"
    )
    told: list[Block] = [
        note(
            f"On {counted(better.n, 'new labelled row')} {better.version} has", Name(better.metric),
            f"{number(better.value, 4)}, and {live.version}, which is live, {number(live.value, 4)}; on the same rows "
            "that is more than chance.",
        ),
        note(f"Whoever may take the environment back writes {where}:"),
    ]  # fmt: skip
    title = Plain("{} in {}: {} does better than {}").format(
        health.model, health.environment, better.version, live.version
    )
    lines = [*map(markdown, told), command(line), *map(markdown, _versions(health))]
    return title, PARAGRAPH.join(lines)
