"""A ledger of the first layout, written anew in the second: the same facts at the same times, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from bot.adapters.git import GitBranch
from bot.adapters.journal import LAST, NEWEST, SUFFIX, Event, Seal, line_of, plain
from bot.adapters.signed_branch import SignedBranch
from bot.errors import UserError
from bot.records.base import canonical_json, sha256
from bot.records.ledger import LAYOUT, TIP, journal_path, pull_of

Versions = Iterator[tuple[str, datetime, str, dict[str, bytes]]]


def upgrade(
    branch: GitBranch, old: SignedBranch | None, seal: Seal, more: dict[str, tuple[bytes, datetime]]
) -> tuple[str | None, list[str]]:
    """The commit, and the paths that were left out since they are not as the bot wrote them.

    `old` checks signatures, None where nothing is signed. `more` are files to add, with their times. Raises UserError
    when the ledger moved meanwhile.
    """
    tip = branch.head()
    journals, times = dict[int, list[Event]](), dict[str, datetime]()
    for _, at, message, files in versions(branch, lambda path, data, sig: old is None or old.holds(path, data, sig)):
        for path in files:
            times.setdefault(path, at)
        for number in {one for path in files if (one := pull_of(path)) is not None}:
            mine = {path: data for path, data in files.items() if pull_of(path) == number}
            journals.setdefault(number, []).append(Event(at, message, mine))
    written, left_out = dict[str, bytes | None](), list[str]()
    for path in branch.paths():
        data = branch.get(path) or b""
        about = pull_of(path)
        if path.endswith(SUFFIX):
            if about is not None:
                written[path] = None
        elif path not in times or (old is not None and not old.holds(path, data, branch.get(path + SUFFIX))):
            left_out.append(path)
            written |= {path: None, path + SUFFIX: None}
        elif about is not None:
            written[path] = None
        else:
            written |= plain(path, data, times[path], "", seal)
    for number, events in journals.items():
        written[journal_path(number)] = lines(events, number, seal)
    for path, (data, at) in more.items():
        written |= plain(path, data, at, "", seal)
    now = max(times.values())
    written |= plain(LAYOUT, canonical_json({"layout": NEWEST}), now, "", seal)
    written[TIP] = canonical_json(seal.close(LAST, {}, {"parent": tip or ""}))
    return branch.commit(written, f"layout {NEWEST}", expect={LAYOUT: None, TIP: None}), left_out


def lines(events: list[Event], number: int, seal: Seal) -> bytes:
    """The file of a pull request."""
    found, before = list[bytes](), ""
    for seq, event in enumerate(events):
        found.append(line_of(event, number, seq, before, seal))
        before = sha256(found[-1])
    return b"\n".join(found) + b"\n"


def versions(branch: GitBranch, holds: Callable[[str, bytes, bytes | None], bool]) -> Versions:
    """(commit, time, message, files that it wrote and that hold) of every commit, the oldest first."""
    git, before = branch.git, None
    for sha, at, message in reversed(branch.log()):
        tree: Any = git.tree(sha)
        changed = [one.path for one in git._differences(before, tree, b"") if one.new is not None]
        files = dict[str, bytes]()
        for path in changed:
            data = git.read(sha, path)
            if path.endswith(SUFFIX) or data is None:
                continue
            if holds(path, data, git.read(sha, path + SUFFIX)):
                files[path] = data
        yield sha, at, message, files
        before = tree


def not_upgraded(layout: int) -> UserError:
    """The error of a ledger that has the newest layout already."""
    return UserError(f"the ledger has layout {layout} already", hint="There is nothing to do.", code="not_needed")
