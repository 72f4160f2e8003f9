"""Words that several policies use: durations, accounts, teams, names, permissions."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from bot.records.event import LOGIN_PATTERN, TEAM_PATTERN
from bot.specs.base import wrong

Permission = Literal["read", "triage", "write", "maintain", "admin"]
PERMISSIONS: tuple[str, ...] = ("none", "read", "triage", "write", "maintain", "admin")
ChangeKind = Literal[
    "spec", "data", "schema", "docs", "code", "evaluator", "policy", "workflow", "data_remote", "other"
]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(0|[1-9][0-9]{0,5})([smhdw])")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LOGIN = re.compile(rf"{LOGIN_PATTERN}(?:\[bot\])?")
_ID = re.compile(r"[1-9][0-9]{0,18}")
_EMAIL = re.compile(r"[^\s@<>A-Z]{1,200}@[a-z0-9.-]{1,200}")
TOOL = "tool"
_TEAM = re.compile(TEAM_PATTERN)


class AccountRef(NamedTuple):
    """An account as a policy names it. The id decides; the login is for people who read the policy."""

    login: str
    id: int


def seconds(duration: str) -> int:
    """Seconds of a checked duration such as `90m`, `24h` or `7d`."""
    match = _DURATION.fullmatch(duration)
    assert match, duration
    return int(match[1]) * _UNITS[match[2]]


def account(text: str) -> AccountRef:
    """The parts of a checked `login#id`."""
    login, _, number = text.rpartition("#")
    return AccountRef(login, int(number))


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise wrong(f"{text!r} is not a duration", "Write a number and a unit: 45s, 15m, 24h, 7d or 2w.")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise wrong(f"{text!r} is not a name", "Lower-case letters, digits and inner `-`, at most 63.")
    return text


def _account(text: str) -> str:
    login, _, number = text.rpartition("#")
    if _LOGIN.fullmatch(login) and _ID.fullmatch(number):
        return text
    is_named = _LOGIN.fullmatch(text) is not None or _LOGIN.fullmatch(login) is not None
    asked = (login or text).split(":")[0] if is_named else "LOGIN"
    hint = f"Write login#id, since logins can be taken over: `gh api users/{asked} --jq .id` prints the id."
    raise wrong(f"{text!r} has no account id" if is_named else f"{text!r} names no account", hint)


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise wrong(f"{text!r} is not an e-mail address", "Write name@host in small letters.")
    return text


def _holder(text: str) -> str:
    return text if text == TOOL else _account(text)


def _team(text: str) -> str:
    if not _TEAM.fullmatch(text):
        raise wrong(f"{text!r} is not a team", "Write organization/team-slug.")
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Name = Annotated[str, AfterValidator(_name)]
AccountText = Annotated[str, AfterValidator(_account)]
EmailText = Annotated[str, AfterValidator(_email)]
HolderText = Annotated[str, AfterValidator(_holder)]
TeamText = Annotated[str, AfterValidator(_team)]
DEFAULT_BRANCH = "~default"  # a pattern of branches: the default branch, whatever it is called
Glob = Annotated[str, Field(min_length=1, max_length=200)]
