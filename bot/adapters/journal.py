"""The ledger in its second layout: one signed, append-only file a pull request, and the time in every signature.

A line is an event: a statement about files (their paths and SHA-256, when, why, of which repository and pull request,
the line's number and the digest of the line before) and their content. Where a ledger is signed, the statement is a
DSSE envelope. So a gap, a line of another pull request or repository and a changed time are seen, and who reads needs
no history. `tip.json` names the commit that the bot wrote on: what somebody else put on top, an older file put back
among it, is not read, and is undone by the bot's next commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.adapters.git import GitBranch
from bot.adapters.git_depth import unknown_past
from bot.adapters.signed_branch import PAYLOAD_TYPE
from bot.adapters.signing import invalid
from bot.errors import UserError, WorldError
from bot.ports import Signer
from bot.records.base import canonical_json, sha256
from bot.records.ledger import LAYOUT, OF_PULLS, PULLS, TIP, journal_path, pull_of

NEWEST = 2  # the layout that this version writes and the last that it knows
EVENT = "https://mlbot.dev/event/v2"  # identifiers: these files are about this pull request, at this line
FILE = "https://mlbot.dev/file/v2"  # this content belongs at this path of this branch of this repository
LAST = "https://mlbot.dev/tip/v2"  # the bot wrote this commit on that one
SUFFIX = ".sig"
ATTEMPTS = 8
REWRITTEN = frozenset(("heads", "plans"))  # evaluated again; the last line counts


@dataclass(frozen=True)
class Event:
    """What one commit wrote about a pull request: files by path, when (the bot's own time), and its message."""

    at: datetime
    message: str
    files: dict[str, bytes]


def stamp(at: datetime) -> str:
    """RFC 3339, UTC, whole seconds, as Git keeps a commit's date."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Seal:
    """Signs statements of a repository's branch; `signer` None leaves them unsigned."""

    signer: Signer | None
    branch: str
    repository: str

    def close(self, kind: str, files: Mapping[str, bytes], predicate: Mapping[str, Any]) -> dict[str, Any]:
        """A statement about files as JSON, in an envelope where there is a signer."""
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": path, "digest": {"sha256": sha256(data).removeprefix("sha256:")}}
                for path, data in sorted(files.items())
            ],
            "predicateType": kind,
            "predicate": {**predicate, "branch": self.branch, "repository": self.repository},
        }
        if self.signer is None:
            return statement
        envelope: dict[str, Any] = json.loads(self.signer.sign(PAYLOAD_TYPE, canonical_json(statement)))
        return envelope

    def open(self, kind: str, closed: Mapping[str, Any], files: Mapping[str, bytes], where: str) -> dict[str, Any]:
        """The predicate. Raises UserError (code `signature_invalid`) unless it is signed, and about exactly these."""
        if self.signer is None:
            statement = dict(closed)
        else:
            statement = json.loads(self.signer.verify(PAYLOAD_TYPE, canonical_json(closed)))
        predicate = statement.get("predicate", {})
        rest = {name: one for name, one in predicate.items() if name not in ("branch", "repository")}
        if statement != json.loads(canonical_json(replace_signer(self).close(kind, files, rest))):
            raise invalid(f"{self.branch}:{where} is signed for another place, repository or content")
        return rest


def replace_signer(seal: Seal) -> Seal:
    """The same without a signer: makes the bare statement."""
    return Seal(None, seal.branch, seal.repository)


def line_of(event: Event, number: int, seq: int, before: str, seal: Seal) -> bytes:
    """An event as the line `seq` (from 0) of a pull request's file, after a line with the digest `before`."""
    predicate = {
        "at": stamp(event.at), "message": event.message, "number": number, "seq": seq, "before": before,
    }  # fmt: skip
    texts = {path: data.decode() for path, data in event.files.items()}
    return canonical_json({"files": texts, "statement": seal.close(EVENT, event.files, predicate)})


def events_of(data: bytes, number: int, seal: Seal) -> list[Event]:
    """The events of a pull request's file. Raises UserError with the line that does not hold."""
    found, before, where = list[Event](), "", journal_path(number)
    for seq, line in enumerate(data.splitlines()):
        try:
            content = json.loads(line)
            files = {path: text.encode() for path, text in content["files"].items()}
            said = seal.open(EVENT, content["statement"], files, f"{where}:{seq + 1}")
            is_next = (said["number"], said["seq"], said["before"]) == (number, seq, before)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise invalid(f"{seal.branch}:{where}:{seq + 1} is no event: {error}") from None
        if not is_next or any(pull_of(path) != number for path in files):
            raise invalid(f"{seal.branch}:{where}:{seq + 1} does not follow the line before it")
        found.append(Event(datetime.fromisoformat(said["at"]), said["message"], files))
        before = sha256(line)
    return found


class JournalBranch:
    """The port Branch over the ledger's branch in its second layout; paths are those of the first."""

    def __init__(self, branch: GitBranch, seal: Seal, now: Callable[[], datetime]) -> None:
        self._branch, self._seal, self._now = branch, seal, now
        self._events: dict[tuple[int, bytes], list[Event]] = {}
        self._strange: dict[str, dict[str, bytes | None]] = {}

    def refresh(self) -> None:
        """Fetch the tip."""
        self._branch.refresh()

    def head(self) -> str | None:
        """See the port."""
        return self._branch.head()

    def get(self, path: str) -> bytes | None:
        """See the port. Raises UserError (code `signature_invalid`) when it is not as the bot wrote it."""
        number = pull_of(path)
        if number is None:
            content = self._branch.get(self._known(path))
            if content is not None:
                self._signed_at(path, content)
            return content
        return next((event.files[path] for event in reversed(self._journal(number)) if path in event.files), None)

    def paths(self, prefix: str = "") -> list[str]:
        """See the port; where a prefix names no pull request, every file of one is read."""
        folder, slash, _ = prefix.partition("/")
        found = set[str]()
        if folder in OF_PULLS or not slash:
            number = pull_of(prefix)
            numbers = [number] if number is not None else self._numbers()
            found |= {path for one in numbers for event in self._journal(one) for path in event.files}
        if folder not in OF_PULLS:
            found |= {path for path in self._branch.paths(prefix) if not path.endswith(SUFFIX)}
            found |= {path for path, data in self._strangers().items() if data is not None}
            found -= {LAYOUT, TIP}
        return sorted(path for path in found if path.startswith(prefix) and not path.startswith(PULLS))

    def prefetch(self, paths: Sequence[str]) -> None:
        """See the port."""
        numbers = {one for path in paths if (one := pull_of(path)) is not None}
        alone = [path for path in paths if pull_of(path) is None]
        self._branch.prefetch([*map(journal_path, numbers), *alone, *(path + SUFFIX for path in alone)])

    def log(self, path: str = "") -> list[tuple[str, datetime, str]]:
        """See the port. Of a file the times are the signed ones, and the commit is not told ("")."""
        number = pull_of(path)
        if number is not None:
            events = [event for event in self._journal(number) if path in event.files]
            return [("", event.at, event.message) for event in reversed(events)]
        content = self.get(path) if path else None
        return self._branch.log(path) if content is None else [("", *self._signed_at(path, content))]

    def written(self, prefix: str) -> dict[str, datetime]:
        """See the port."""
        return {path: min(at for _, at, _ in self.log(path)) for path in self.paths(prefix)}

    def commit(
        self, files: Mapping[str, bytes | None], message: str, *, expect: Mapping[str, bytes | None] | None = None
    ) -> str | None:
        """See the port. What somebody else put on the bot's last commit is undone in the same commit."""
        for _ in range(ATTEMPTS):
            for path, data in (expect or {}).items():
                if self.get(path) != data:
                    raise UserError(f"{path} was changed by somebody else meanwhile", code="branch_moved")
            tip, new = self.head(), self._changed(files)
            if not new:
                return None
            written, before = self._written(new, message), self._branch.get(TIP)
            written |= {path: data for path, data in self._strangers().items() if path not in written}
            written[TIP] = canonical_json(self._seal.close(LAST, {}, {"parent": tip or ""}))
            try:
                return self._branch.commit(written, message, expect={TIP: before})
            except UserError as error:
                if error.code != "branch_moved":
                    raise
        raise WorldError(f"branch {self._seal.branch} kept moving while it was written", hint="Run this again.")

    def unsigned(self, prefix: str = "") -> list[str]:
        """Paths of files that are not as the bot wrote them."""
        return [path for path in self.paths(prefix) if not self._is_signed(path)]

    def _is_signed(self, path: str) -> bool:
        try:
            self.get(path)
        except UserError:
            return False
        return True

    def _changed(self, files: Mapping[str, bytes | None]) -> dict[str, bytes]:
        """What is to be written. Raises UserError (code `ledger_conflict`) for another content of what is there."""
        new = dict[str, bytes]()
        for path, data in files.items():
            there = self.get(path)
            if there == data:
                continue
            if data is None or (there is not None and path.partition("/")[0] not in REWRITTEN):
                said = f"{self._seal.branch}: {path} is there already and differs"
                raise UserError(said, code="ledger_conflict")
            new[path] = data
        return new

    def _written(self, files: Mapping[str, bytes], message: str) -> dict[str, bytes | None]:
        """The files of the branch that hold these: each is what was there, and more."""
        now, found = self._now(), dict[str, bytes | None]()
        for number in sorted({one for path in files if (one := pull_of(path)) is not None}):
            mine = {path: data for path, data in files.items() if pull_of(path) == number}
            events, path = self._journal(number), journal_path(number)
            there = self._branch.get(path) or b""
            before = sha256(there.splitlines()[-1]) if events else ""
            found[path] = there + line_of(Event(now, message, mine), number, len(events), before, self._seal) + b"\n"
        for path, data in files.items():
            if pull_of(path) is None:
                found |= plain(path, data, now, message, self._seal)
        return found

    def _numbers(self) -> list[int]:
        names = [path.rpartition("/")[2] for path in self._branch.paths(PULLS)]
        return sorted(int(name.removesuffix(".jsonl")) for name in names)

    def _journal(self, number: int) -> list[Event]:
        data = self._branch.get(self._known(journal_path(number))) or b""
        if (number, data) not in self._events:
            self._events[number, data] = events_of(data, number, self._seal)
        return self._events[number, data]

    def _signed_at(self, path: str, content: bytes) -> tuple[datetime, str]:
        signature = self._branch.get(self._known(path + SUFFIX))
        if signature is None:
            raise invalid(f"{self._seal.branch}:{path} is not signed")
        try:
            said = self._seal.open(FILE, json.loads(signature), {path: content}, path)
            return datetime.fromisoformat(said["at"]), said["message"]
        except (ValueError, KeyError, TypeError) as error:
            raise invalid(f"{self._seal.branch}:{path}{SUFFIX} is no signature: {error}") from None

    def _known(self, path: str) -> str:
        """The path. Raises UserError (code `signature_invalid`) when somebody else than the bot changed it last."""
        if path in self._strangers():
            raise invalid(f"{self._seal.branch}:{path} was changed by somebody else than the bot")
        return path

    def _strangers(self) -> dict[str, bytes | None]:
        """Files that somebody else changed since the bot's last commit, and what they were (None: not there)."""
        tip = self.head()
        if tip is None or self._seal.signer is None:
            return {}
        if tip not in self._strange:
            self._strange[tip] = changed_since(self._last_own(tip), tip, self._branch)
        return self._strange[tip]

    def _last_own(self, tip: str) -> str:
        sha = tip
        while True:
            parents = parents_of(self._branch, sha)
            if parents is None:
                raise unknown_past(f"who wrote {self._seal.branch} before {tip[:12]}")
            if self._is_own(sha, parents[0] if parents else ""):
                return sha
            if not parents:
                raise invalid(f"no commit of {self._seal.branch} is the bot's")
            sha = parents[0]

    def _is_own(self, sha: str, parent: str) -> bool:
        data = self._branch.git.read(sha, TIP)
        try:
            return data is not None and self._seal.open(LAST, json.loads(data), {}, TIP) == {"parent": parent}
        except (UserError, ValueError):
            return False


def parents_of(branch: GitBranch, sha: str) -> list[str] | None:
    """The commits that a commit itself names, also where a shallow clone ends; None when it is not here."""
    if sha not in branch.git.repository:
        return None
    lines = branch.git.repository[sha].read_raw().partition(b"\n\n")[0].split(b"\n")
    return [line[7:].decode() for line in lines if line.startswith(b"parent ")]


def plain(path: str, data: bytes, at: datetime, message: str, seal: Seal) -> dict[str, bytes | None]:
    """A file that is about no pull request, and beside it when it was first written and that the bot did."""
    said = {"at": stamp(at), "message": message}
    return {path: data, path + SUFFIX: canonical_json(seal.close(FILE, {path: data}, said))}


def changed_since(old: str, new: str, branch: GitBranch) -> dict[str, bytes | None]:
    """Paths that differ between two commits, with their content in the old one."""
    changes = branch.git.changes(old, new) if old != new else []
    return {one.path: branch.git.read(old, one.path) for one in changes}
