"""Past decisions and a changed policy -> what would have come out otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.decide.decide import decide
from bot.decide.wording import listed
from bot.records.decision import Decision
from bot.records.facts import Facts
from bot.specs.policies import Policies
from bot.words import Markdown


@dataclass(frozen=True)
class Past:
    """A stored decision with the facts behind it; `digest` is the name that it is stored by, in hexadecimal."""

    decision: Decision
    facts: Facts
    digest: str = ""


@dataclass(frozen=True)
class Difference:
    """A pull request that the other policy judges otherwise."""

    past: Past
    decision: Decision


def newest(pasts: Iterable[Past], last: int) -> list[Past]:
    """The last word on each pull request and subject, newest first, of the last so many pull requests."""
    words: dict[tuple[int, str], Past] = {}
    for past in sorted(pasts, key=lambda one: one.decision.decided_at):
        words[(past.decision.number, past.decision.subject)] = past
    numbers = sorted({number for number, _ in words}, reverse=True)[:last]
    return [words[key] for key in sorted(words, key=lambda key: (-key[0], key[1])) if key[0] in numbers]


def differences(pasts: Iterable[Past], policies: Policies) -> list[Difference]:
    """Judged by other policies at the same time: those with another status or reason."""
    judged = [
        Difference(past, decide(past.facts, policies, datetime.fromisoformat(past.decision.decided_at)))
        for past in pasts
    ]
    return [
        one
        for one in judged
        if (one.decision.status, one.decision.reason_code) != (one.past.decision.status, one.past.decision.reason_code)
    ]


def as_markdown(found: list[Difference], n_judged: int) -> Markdown:
    """What a pull request that edits `policies/` shows. Codes and numbers only: no text of other people."""
    if not found:
        return Markdown("This policy gives the same verdict for the last {} decisions.\n").format(n_judged)
    lines = [
        f"This policy would have changed {len(found)} of the last {n_judged} decisions.",
        "",
        "| Pull request | Subject | Then | With this policy |",
        "| --- | --- | --- | --- |",
    ]
    for one in found:
        then, now = one.past.decision, one.decision
        verdicts = " | ".join(f"{each.status} (`{each.reason_code}`)" for each in (then, now))
        lines.append(f"| {then.number} | {then.subject} | {verdicts} |")
    looser = [str(one.decision.number) for one in found if one.decision.status == "approved"]
    if looser:
        lines += ["", f"**Looser** for {listed(looser)}: approved with this policy, not approved then."]
    return Markdown("\n".join(lines) + "\n")  # noqa: S704 - numbers and words of our own
