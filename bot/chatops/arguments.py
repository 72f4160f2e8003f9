"""The words after a verb -> a Command, by the rows of the grammar, or a refusal with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.chatops.grammar import (
    ARTIFACT_DIGEST,
    DIGEST,
    ENVIRONMENT,
    EVALUATION_ID,
    LOGIN,
    PATTERN,
    SHORT_DIGEST,
    TICKET,
    VERBS,
    Form,
    Option,
    forms_of,
    lead,
    usage,
)
from bot.chatops.lines import CLOSE, OPEN
from bot.chatops.nearest import nearest
from bot.records.command import Command

_OPTION = re.compile(r"(\+?[A-Za-z][A-Za-z-]*)=(.*)", re.DOTALL)
# a capital letter is meant as an id, whatever follows; `e-commerce` is a model
_NAMES_TARGET = re.compile(rf"[EB]-.*|sha256:.*|{EVALUATION_ID.pattern}|{TICKET.pattern.pattern}")
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_REASON = re.compile(r"(?:^| )--reason(?= |$)")
_RULE = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class Refused(Exception):  # noqa: N818, a value on its way to a hint, no error of the program
    """A line that is no command. `instead` is what to write, None when nothing can be suggested."""

    def __init__(self, code: str, message: str, instead: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.instead = code, message, instead


def read(verb: str, rest: str, prefix: str | None) -> Command:
    """The command that `rest` makes of the verb. Raises Refused."""
    before, reason = split_reason(rest)
    if OPEN in before or CLOSE in before:
        message = "Write the arguments as plain text, without code, links or other markup."
        raise Refused("markup_in_command", message, usage(forms_of(verb)[0], prefix))
    form, words = _form(verb, _words(before), prefix)
    draft = _Draft(form, prefix)
    for word in words:
        draft.take(word)
    return draft.finish(reason)


def split_reason(rest: str) -> tuple[str, str | None]:
    """What stands before `--reason`, and the reason; None when there is none. Markup in a reason is its text."""
    found = _REASON.search(rest)
    if found is None:
        return rest, None
    return rest[: found.start()], rest[found.end() :].replace(OPEN, "").replace(CLOSE, "").strip()


def _words(text: str) -> Iterator[str]:
    position = 0
    for word in _WORD.finditer(text):
        if text[position : word.start()].strip():
            break
        yield word.group().replace('"', "")
        position = word.end()
    if text[position:].strip():
        raise Refused("quote_open", "A double quote is not closed.")


def _form(verb: str, words: Iterator[str], prefix: str | None) -> tuple[Form, list[str]]:
    forms, given = forms_of(verb), list(words)
    if len(forms) == 1:
        return forms[0], given
    second = given[0].lower() if given else ""
    for form in forms:
        if form.words[1] == second:
            return form, given[1:]
    message = f"{lead(prefix)}{verb} must be followed by {' or '.join(form.words[1] for form in forms)}."
    raise Refused("argument_missing", message, usage(forms[0], prefix))


class _Draft:
    """A command while its words are read, from the left."""

    def __init__(self, form: Form, prefix: str | None) -> None:
        self._form, self._prefix = form, prefix
        self._target: str | None = None
        self._environment: str | None = None
        self._models: list[str] = []
        self._options: dict[str, str] = {}
        self._awaits_environment = False

    def take(self, word: str) -> None:
        """One word; the first reading that its look allows is the only one."""
        option = _OPTION.fullmatch(word)
        if self._awaits_environment:
            self._name_environment(word)
        elif word.lower() == "to" and self._form.environment in ("to", "must_to"):
            self._awaits_environment = True
        elif word.startswith("--"):
            raise self._refuse("unknown_argument", f"{word[:40]} is not an argument; only --reason starts with dashes.")
        elif option:
            self._name_option(option[1].lower(), option[2])
        elif word.startswith("@"):
            self._name_user(word)
        elif _NAMES_TARGET.fullmatch(word) or DIGEST.fullmatch(word) or SHORT_DIGEST.fullmatch(word):
            self._name_target(word)
        else:
            self._name_other(word)

    def finish(self, reason: str | None) -> Command:
        """The command. Raises Refused when something is missing."""
        form = self._form
        self._check_reason(reason)
        missing = [
            (form.confirm and "confirm" not in self._options, "request_missing", "Name the request to confirm, B-…"),
            (form.user == "must" and "user" not in self._options, "user_missing", "Name a person, as @login."),
            (self._awaits_environment, "environment_missing", "Name an environment after `to`."),
            (
                form.environment in ("first", "must_to") and self._environment is None,
                "environment_missing",
                "Name an environment.",
            ),
            (form.target == "must" and self._target is None, "target_missing", "Name the evaluation, E-…"),
            (form.artifact and self._target is None, "target_missing", "Name the artifact by its digest."),
        ]
        for is_missing, code, message in missing:
            if is_missing:
                raise self._refuse(code, message)
        for option in form.options:
            if option.required and option.name not in self._options:
                raise self._refuse("argument_missing", f"{option.key}={option.example} is missing.")
        return Command(
            verb=form.verb,
            target=self._target,
            models=tuple(self._models),
            environment=self._environment,
            options=self._options,
        )

    def _check_reason(self, reason: str | None) -> None:
        if reason is not None and self._form.reason == "no":
            raise self._refuse("unknown_argument", "This command takes no reason.")
        if self._form.reason == "must" and not reason:
            raise self._refuse("reason_missing", "Say why: --reason and the rest of the line.")
        if reason is not None and not reason:
            raise self._refuse("reason_missing", "The reason after --reason is empty.")
        if len(self._form.words) > 1 and not self._form.confirm:
            self._options["action"] = self._form.words[1]
        if reason:
            self._options["reason"] = reason

    def _name_environment(self, word: str) -> None:
        name = word.lower()
        if not ENVIRONMENT.fullmatch(name):
            raise self._refuse("environment_malformed", f"{_short(word)} cannot be the name of an environment.")
        if self._environment is not None:
            raise self._refuse("argument_repeated", "Name one environment.")
        self._environment, self._awaits_environment = name, False

    def _name_option(self, key: str, value: str) -> None:
        option = next((one for one in self._form.options if one.key == key), None)
        if option is None:
            close = nearest(key, [one.key for one in self._form.options])
            instead = f" Did you mean {close}=?" if close else ""
            raise self._refuse("unknown_argument", f"This command has no {_short(key)}=.{instead}")
        if not option.pattern.fullmatch(value):
            raise self._refuse("argument_malformed", f"{key}= must be {option.expected}, not {_short(value)}.")
        self._put(option, _canonical(option, value))

    def _put(self, option: Option, value: str) -> None:
        before = self._options.get(option.name)
        if before is not None and not option.repeated:
            raise self._refuse("argument_repeated", f"{option.key}= is written twice.")
        self._options[option.name] = f"{before},{value}" if before is not None else value

    def _name_user(self, word: str) -> None:
        if self._form.user == "no":
            raise self._refuse("unknown_argument", f"This command takes no person, not {_short(word)}.")
        if not LOGIN.fullmatch(word):
            raise self._refuse("argument_malformed", f"{_short(word)} cannot be a login.")
        if "user" in self._options:
            raise self._refuse("argument_repeated", "Name one person.")
        self._options["user"] = word[1:]

    def _name_target(self, word: str) -> None:
        if self._form.confirm and TICKET.pattern.fullmatch(word):
            self._put(TICKET, "B-" + word[2:].lower())
            return
        if self._form.artifact:
            self._put_target(self._artifact(word))
            return
        if self._form.target == "no":
            raise self._refuse("unknown_argument", f"This command takes no evaluation or commit, not {_short(word)}.")
        if EVALUATION_ID.fullmatch(word):
            target = "E-" + word[2:].lower()
        elif DIGEST.fullmatch(word):
            target = word.lower()
        else:
            code = "target_short" if SHORT_DIGEST.fullmatch(word) else "target_malformed"
            message = f"{_short(word)} is not a full name: write the evaluation id, E-…, or all 40 or 64 digits."
            raise self._refuse(code, message)
        self._put_target(target)

    def _artifact(self, word: str) -> str:
        if not ARTIFACT_DIGEST.fullmatch(word):
            code = "target_short" if SHORT_DIGEST.fullmatch(word.removeprefix("sha256:")) else "target_malformed"
            raise self._refuse(code, f"{_short(word)} is not an artifact's digest: write all 64 digits.")
        return word.removeprefix("sha256:").lower()

    def _put_target(self, target: str) -> None:
        if self._target is not None:
            raise self._refuse("argument_repeated", "Name one of them.")
        self._target = target

    def _name_other(self, word: str) -> None:
        """A word without a mark of its own: an environment, a topic or a model, as the form has it."""
        if self._form.environment == "first" and self._environment is None:
            self._name_environment(word)
        elif self._form.topic and "topic" not in self._options:
            self._options["topic"] = self._topic(word)
        elif self._form.models == "no":
            raise self._refuse("unknown_argument", f"{_short(word)} is one argument too many.")
        elif not PATTERN.fullmatch(word):
            raise self._refuse("model_malformed", f"{_short(word)} cannot be the name or pattern of a model.")
        else:
            self._models.append(word)

    def _topic(self, word: str) -> str:
        name = word.lower().removeprefix("/")
        if self._form.topic == "verb" and name not in VERBS:
            close = nearest(name, VERBS)
            raise self._refuse(
                "unknown_verb", f"There is no command {_short(name)}.", f"help {close}" if close else None
            )
        if not _RULE.fullmatch(name):
            raise self._refuse("argument_malformed", f"{_short(word)} cannot be the name of a {self._form.topic}.")
        return name

    def _refuse(self, code: str, message: str, instead: str | None = None) -> Refused:
        return Refused(code, message, lead(self._prefix) + (instead or self._form.example))


def _canonical(option: Option, value: str) -> str:
    return value.removeprefix("@") if option.pattern is LOGIN else value.lower() if option.name == "to" else value


def _short(text: str) -> str:
    # messages are shown in Markdown: nothing of a person's text may be live there
    return "`" + "".join(letter for letter in text[:40] if letter.isprintable() and letter not in "`|<>@") + "`"
