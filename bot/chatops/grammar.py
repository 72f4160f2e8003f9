"""The grammar of commands, one row a form: the parser, the printer, the help and docs/commands.md are made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.records.command import Command, Verb
from bot.records.event import LOGIN_PATTERN

Need = Literal["no", "may", "must"]

EVALUATION_ID = re.compile(r"[Ee]-[A-Za-z2-7]{16}")
DIGEST = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
# A short commit id is not an identity: a chosen 7-digit prefix takes minutes to find (attack A04). A model's name has
# other letters, or no digit, or fewer characters.
SHORT_DIGEST = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{7,}", re.IGNORECASE)
PATTERN = re.compile(r"[a-z0-9*?][a-z0-9._/*?-]{0,99}")
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,62}")
LOGIN = re.compile(rf"@?{LOGIN_PATTERN}")
ARTIFACT_DIGEST = re.compile(r"(?:sha256:)?[0-9A-Fa-f]{64}")
PLACEHOLDER = "E-…"
ARTIFACT = "sha256:" + "ab12" * 16


@dataclass(frozen=True)
class Option:
    """A `key=value` argument. `name` is its key in Command.options, `example` a value that is legal."""

    key: str
    pattern: re.Pattern[str]
    expected: str
    example: str
    required: bool = False
    repeated: bool = False

    @property
    def name(self) -> str:
        return self.key.removeprefix("+")


@dataclass(frozen=True)
class Form:
    """How a command is written. `words` are the verb and, for break-glass, the word that must follow it."""

    words: tuple[str, ...]
    does: str
    example: str  # without the slash
    target: Need = "no"
    models: Need = "no"
    environment: Literal["no", "to", "must_to", "first"] = "no"
    artifact: bool = False  # the target is an artifact's digest, and must be there
    options: tuple[Option, ...] = ()
    reason: Need = "no"
    user: Need = "no"
    topic: str | None = None  # what the one free word names, None when there is none
    confirm: bool = False

    @property
    def verb(self) -> Verb:
        return self.words[0]  # type: ignore[return-value]


SEED = Option("seed", re.compile(r"0|[1-9][0-9]{0,8}"), "a whole number of at most 9 digits", "7")
ROLE = Option(
    "role", re.compile(r"[a-z][a-z0-9-]{0,62}"), "a role of policies/roles.yaml", "model-owner", required=True
)
ANY_ROLE = Option("role", ROLE.pattern, ROLE.expected, ROLE.example)
FOR = Option("for", re.compile(r"[1-9][0-9]{0,2}[mhdw]"), "a duration such as 36h or 14d", "14d", required=True)
TO_DIGEST = Option("to", re.compile(r"[0-9A-Fa-f]{64}"), "an artifact digest of 64 digits", "ab12" * 16)
BASE = Option("base", re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"), "a branch", "main")
AS_IF = Option("+approve", LOGIN, "a login", "@rev", repeated=True)
TICKET = Option("confirm", re.compile(r"[Bb]-[A-Za-z2-7]{10}"), "the request's B-id", "B-abcdefghij", required=True)

FORMS: tuple[Form, ...] = (
    Form(("help",), "what you may do here, or how one command is written", "help approve", topic="verb"),
    Form(("status",), "the decision as a tree: what is met, what is missing, who can unblock it", "status"),
    Form(("explain",), "why one rule, or everything, is as it is", "explain peer-review", topic="rule"),
    Form(("plan",), "work out again which models this change affects", "plan"),
    Form(
        ("retrain",),
        "train and evaluate; a fork's head must be named by its full commit id, and `seed=` makes it a trial beside "
        "the report",
        "retrain churn seed=7",
        target="may",
        models="may",
        options=(SEED,),
    ),
    Form(
        ("reproduce",),
        "train what was evaluated again, in a fresh run on another runner, and compare",
        "reproduce churn",
        models="may",
    ),
    Form(("cancel",), "stop this pull request's training, of all its models", "cancel"),
    Form(
        ("approve",),
        "approve what was evaluated, for the merge or for one environment",
        f"approve {PLACEHOLDER} churn to production",
        target="may",
        models="may",
        environment="to",
    ),
    Form(
        ("unapprove",),
        "take your approval, your rejection or your break-glass confirmation back",
        "unapprove",
        reason="may",
    ),
    Form(("reject",), "veto until you take it back", "reject --reason the test set leaks", reason="must"),
    Form(("hold",), "block merge and promotion", "hold --reason until the audit is over", reason="must"),
    Form(("unhold",), "lift a hold", "unhold", reason="may"),
    Form(
        ("delegate",),
        "lend your role to somebody for a time",
        "delegate @rev role=model-owner for=14d --reason holidays",
        user="must",
        options=(ROLE, FOR),
        reason="must",
    ),
    Form(("undelegate",), "end a delegation", "undelegate @rev", user="must", options=(ANY_ROLE,), reason="may"),
    Form(
        ("promote",),
        "bring what was evaluated into an environment",
        f"promote {PLACEHOLDER} to production",
        target="must",
        models="may",
        environment="must_to",
        reason="may",
    ),
    Form(
        ("rollback",),
        "take an environment back to the last known good, or to a digest that was live there",
        "rollback production churn --reason too many false alarms",
        models="may",
        environment="first",
        options=(TO_DIGEST,),
        reason="must",
    ),
    Form(
        ("revoke",),
        "forbid an artifact everywhere, for good: nothing promotes it and no server answers with it",
        f"revoke {ARTIFACT} --reason trained on leaked labels",
        artifact=True,
        reason="must",
    ),
    Form(
        ("lock",),
        "stop promotions to an environment",
        "lock production --reason incident 12",
        environment="first",
        reason="must",
    ),
    Form(("unlock",), "allow promotions again", "unlock production", environment="first", reason="may"),
    Form(
        ("break-glass", "promote"),
        "ask for a promotion past the policy; a second person must confirm it",
        f"break-glass promote {PLACEHOLDER} to production --reason outage",
        target="must",
        models="may",
        environment="must_to",
        reason="must",
    ),
    Form(
        ("break-glass", "confirm"), "confirm another person's request", "break-glass confirm B-abcdefghij", confirm=True
    ),
    Form(
        ("simulate",),
        "what the decision would be, as if; changes nothing",
        "simulate +approve=@rev base=main",
        options=(AS_IF, BASE),
    ),
    Form(("merge",), "merge when the decision allows it", f"merge {PLACEHOLDER}", target="may"),
)

# Words of which one person means at most one at a time.
CONTRARY: tuple[tuple[Verb, ...], ...] = (("approve", "unapprove", "reject"), ("hold", "unhold"))

VERBS: tuple[str, ...] = tuple(dict.fromkeys(form.verb for form in FORMS))


def forms_of(verb: str) -> tuple[Form, ...]:
    """The forms of a verb, in the order of the table."""
    return tuple(form for form in FORMS if form.verb == verb)


def form_of(command: Command) -> Form:
    """The form in which a command was written."""
    forms = forms_of(command.verb)
    return next((form for form in forms if len(forms) == 1 or form.words[1] in (_second(command),)), forms[0])


def _second(command: Command) -> str:
    return "confirm" if "confirm" in command.options else command.options.get("action", "")


def usage(form: Form, prefix: str | None = None) -> str:
    """The form as a line of help: brackets mark what may be left out."""
    return " ".join((lead(prefix) + " ".join(form.words), *_parts(form)))


def lead(prefix: str | None) -> str:
    """What stands before the verb."""
    return f"/{prefix} " if prefix else "/"


def _parts(form: Form) -> Iterator[str]:
    if form.confirm:
        yield "B-id"
    if form.topic:
        yield f"[{form.topic}]"
    if form.user != "no":
        yield "@user"
    if form.environment == "first":
        yield "ENV"
    if form.artifact:
        yield "DIGEST"
    if form.target != "no":
        yield "E-id" if form.target == "must" else "[E-id]"
    if form.models != "no":
        yield "[MODEL ...]"
    if form.environment in ("to", "must_to"):
        yield "to ENV" if form.environment == "must_to" else "[to ENV]"
    for option in form.options:
        text = f"{option.key}={option.example if len(option.example) < 20 else 'DIGEST'}"
        yield text if option.required else f"[{text}]"
    if form.reason != "no":
        yield "--reason TEXT" if form.reason == "must" else "[--reason TEXT]"


def print_command(command: Command, prefix: str | None = None) -> str:
    """The canonical line of a command: parsing it gives the command back."""
    form, options = form_of(command), command.options
    words = [*form.words]
    words += [options["confirm"]] if form.confirm else []
    words += [options["topic"]] if "topic" in options else []
    words += [f"@{options['user']}"] if "user" in options else []
    words += [command.environment] if form.environment == "first" and command.environment else []
    words += [f"sha256:{command.target}" if form.artifact else command.target] if command.target else []
    words += command.models
    words += ["to", command.environment] if form.environment in ("to", "must_to") and command.environment else []
    for option in form.options:
        values = options[option.name].split(",") if option.name in options else []
        words += [f"{option.key}={value}" for value in values]
    words += ["--reason", options["reason"]] if "reason" in options else []
    return lead(prefix) + " ".join(words)
