"""What the bot says about commands: the help, the hints and docs/commands.md, all made from the grammar.

No line of it starts with a slash, so that no bot, this one included, reads an answer as a command.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bot.chatops.grammar import FORMS, PLACEHOLDER, VERBS, Form, forms_of, lead, usage
from bot.records.command import Hint
from bot.words import Markdown, prose

MAX_HINTS = 5
_COMMAND = re.compile(rf"(?<![\w./\\-])/({'|'.join(sorted(VERBS, key=len, reverse=True))})(?![\w/-])")


def help_text(may: Collection[str], *, topic: str | None = None, prefix: str | None = None) -> Markdown:
    """Markdown for `/help`: the commands among `may` (verbs), or how the command `topic` is written."""
    forms = forms_of(topic) if topic else tuple(form for form in FORMS if form.verb in may)
    lines = [f"| `{usage(form, prefix)}` | {_sentence(form)} |" for form in forms]
    if topic:
        examples = [f"For example: `{lead(prefix)}{form.example}`" for form in forms]
        refusal = [] if topic in may else ["", "You may not use it here."]
        return _own(["| Write | To |", "| --- | --- |", *lines, "", *_spaced(examples), *refusal])
    more = f"One command a line, at its start. More on one: `{lead(prefix)}help approve`."
    return _own(["What you may do here:", "", "| Write | To |", "| --- | --- |", *lines, "", more])


def hint_text(hints: Iterable[Hint], *, evaluation: str | None = None) -> Markdown:
    """Markdown of one short reply: what is wrong with a comment, and what to write instead.

    `evaluation` is the live head's evaluation id, put where the grammar could only write a placeholder; None keeps it.
    """
    lines = []
    for hint in list(hints)[:MAX_HINTS]:
        instead = (hint.suggestion or "").replace(PLACEHOLDER, evaluation or PLACEHOLDER)
        said = hint.message + (f" Write `{instead}`." if instead else "")
        lines.append(Markdown("- Line {}: {}").format(hint.line, prose(said)))
    return Markdown("\n").join([Markdown("Nothing was done:\n"), *lines])


def with_prefix(text: str, prefix: str | None) -> str:
    """Commands in a text for people as they are written in this repository: `/retrain` becomes `/ml retrain`."""
    return text if prefix is None else _COMMAND.sub(rf"/{prefix} \1", text)


def _own(lines: Iterable[str]) -> Markdown:
    return Markdown("\n".join(lines))  # noqa: S704 - all of it is from the grammar and the policies


def docs_page() -> str:
    """docs/commands.md."""
    rows = [f"| `{usage(form)}` | {_sentence(form)} |" for form in FORMS]
    sections = [line for verb in dict.fromkeys(form.verb for form in FORMS) for line in _section(verb)]
    return "\n".join([*_HEAD, "| Write | To |", "| --- | --- |", *rows, "", *sections]).rstrip() + "\n"


def _section(verb: str) -> list[str]:
    lines = [f"## {verb}", ""]
    for form in forms_of(verb):
        lines += [f"`{usage(form)}`", "", f"{_sentence(form)}", "", f"For example `/{form.example}`.", ""]
    return lines


def _sentence(form: Form) -> str:
    return form.does[0].upper() + form.does[1:] + "."


def _spaced(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in (line, "")][:-1]


_HEAD = [
    "# Commands",
    "",
    "<!-- Made from bot/chatops/grammar.py by `mlbot chatops docs`; a test keeps them alike. -->",
    "",
    "Write a command in a comment on a pull request, at the start of a line, as plain text. Text in quotes, lists, "
    "headings, code, HTML or links is never a command, an edited comment never acts, and commands in the body of a "
    "review, a pull request or a commit mean nothing. Who may use which command says `policies/commands.yaml`; with "
    "`prefix: ml` there, commands are written `/ml approve`.",
    "",
    "- `E-id` is the name of an evaluation, as the report shows it (`E-` and 16 characters). A full commit id (40 "
    "digits) does as well; a short one does not, since somebody else can make a commit with the same start.",
    "- `MODEL` is a model's name or a pattern such as `delay-*`; without one, all models of the change are meant.",
    "- `ENV` is an environment of `policies/environments.yaml`.",
    "- `--reason` takes the rest of the line, in any script; characters that cannot be seen are refused, but for those "
    "that join letters or emoji.",
    "- A comment holds at most five commands of at most 200 characters. They run in order; when one of them is wrong, "
    "or two contradict each other (`/approve` and `/reject`, `/hold` and `/unhold`), none runs.",
    "- Each comment with commands gets one answer, after they were carried out: \N{THUMBS UP SIGN} on it where "
    "the bot's report shows all that was done, else one reply that says of each command what became of it, in "
    "GitHub's own words where GitHub refused it. Who holds no role and may not write here gets one answer a pull "
    "request and day. Where somebody locked the conversation, commands act all the same, and the answer stands in "
    "the summary of the run and in the status `mlbot/answer`.",
    "- A command that failed is not tried again by itself: write it again in a new comment. So is a comment that "
    "was edited before the bot had read it.",
    "- `/merge` takes a method that the repository's settings and the branch's rules allow: a merge commit, else "
    "a squash, else a rebase. Where a merge queue is required, it enters the queue as the team's own GitHub App; "
    "as `GITHUB_TOKEN` it does not, since no checks of the queue would start, and asks you to press *Merge when "
    "ready*.",
    "",
]
