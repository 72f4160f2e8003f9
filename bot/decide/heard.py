"""Which comments are read: all of whoever may have a say here, and of others what is quickly read.

Reading a comment's Markdown takes up to seconds, and anybody may write 65,536 characters as often as GitHub lets them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.decide.roles import at_least
from bot.records.event import Account
from bot.records.pull_request import Comment
from bot.specs.policies import Policies
from bot.specs.policies.words import PERMISSIONS

LONG, LINES = 4000, 60  # characters and lines of what is quickly read; a command has at most 200 characters


def is_slow(body: str) -> bool:
    """Whether a comment that may hold a command takes long to read."""
    return "/" in body and (len(body) > LONG or body.count("\n") > LINES)


def doubtful(comments: Sequence[Comment], author: Account, policies: Policies) -> list[Account]:
    """Who wrote what is slow to read, and is neither the author nor named by a role: GitHub must be asked."""
    named = {account.id for role in policies.roles.roles.values() for account in role.accounts} | {author.id}
    slow = {one.author.id: one.author for one in comments if one.author.kind == "User" and is_slow(one.body)}
    return [one for one in slow.values() if one.id not in named]


def strangers(people: Sequence[Account], permissions: Mapping[int, str], policies: Policies) -> list[Account]:
    """Those whose permission gives them no say, as far as GitHub says it; a team may still."""
    least = _least(policies)
    return [one for one in people if _is_below(permissions.get(one.id), least)]


def heard(comments: Sequence[Comment], silent: Collection[int]) -> list[Comment]:
    """Without what is slow to read and by those accounts."""
    return [one for one in comments if not (one.author.id in silent and is_slow(one.body))]


def _is_below(permission: str | None, least: str) -> bool:
    return permission in PERMISSIONS and at_least(permission, least) is False


def _least(policies: Policies) -> str:
    """The least permission that gives anybody a say; who may only take back what they said has said nothing."""
    rules = [(verb, rule) for verb, rule in policies.commands.commands.items() if verb != "unapprove"]
    asked = [rule.permission for _, rule in rules if rule.permission is not None]
    asked += [one.permission for one in policies.roles.roles.values() if one.permission is not None]
    return min(asked, key=PERMISSIONS.index, default="write")
