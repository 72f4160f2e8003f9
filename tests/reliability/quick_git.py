"""`git fetch`, `push` and `log` of a runner's clone, in this process: the same refs, refusals and words as git's.

A runner's clone shares its objects with the server, so only refs move. Anything else is left to git itself.
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from unittest import mock

import pygit2

from bot.adapters.git import LocalGit
from bot.sandbox import events
from bot.sandbox.events import ZERO
from bot.sandbox.gate import judge_push
from bot.sandbox.hub import Hub
from bot.sandbox.rulesets import actor_of
from bot.sandbox.server import Api
from bot.sandbox.store import Repository, Token
from tests.reliability.chaos import Chaos

Done = subprocess.CompletedProcess[str]
GONE = "fatal: the remote end hung up unexpectedly\n"
RESET = f"error: RPC failed; curl 56 Recv failure: Connection reset by peer\n{GONE}"
LOST = f"error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\n{GONE}"
HOOK = (
    "remote: error: GH006: Protected branch update failed for {}.\n"
    " ! [remote rejected] {} -> {} (protected branch hook declined)"
)


def _done(code: int = 0, stderr: str = "", stdout: str = "") -> Done:
    return subprocess.CompletedProcess([], code, stdout, stderr)


class QuickGit:
    """Stands in for `LocalGit.run`. `real` counts the commands that were left to git."""

    def __init__(self, api: Api, repository: str, chaos: Chaos) -> None:
        self.api = api
        self.name = repository
        self.chaos = chaos
        self.real: list[str] = []
        self.clones: set[Path] = set()  # in which git itself works
        self.pushed: list[Callable[[str, str, str], None]] = []  # told of every ref that a handler moved
        self._really = LocalGit.run

    @property
    def hub(self) -> Hub:
        return self.api.hub

    @property
    def repo(self) -> Repository:
        return self.hub.repository(self.name)

    @contextmanager
    def plugged(self) -> Iterator[None]:
        quick = self

        def run(git: LocalGit, *arguments: str, **more: Any) -> Done:
            return quick._really(git, *arguments, **more) if git.path in quick.clones else quick.run(git, arguments)

        with mock.patch.object(LocalGit, "run", run):
            yield

    def run(self, git: LocalGit, arguments: tuple[str, ...]) -> Done:
        words = [one for one in arguments if not one.startswith("--") or one.startswith("--force-with-lease=")]
        verb = next(one for one in words if not one.startswith("-"))
        if verb == "fetch":
            return self._fetch(git, words[words.index("origin") + 1 :], arguments)
        if verb == "push":
            return self._push(git, words[1:])
        if verb == "log":
            return self._log(git, arguments)
        self.real.append(verb)
        return self._really(git, *arguments)

    # --- fetch

    def _fetch(self, git: LocalGit, refspecs: list[str], arguments: tuple[str, ...]) -> Done:
        fault = self.chaos.take("git.fetch")
        if fault is not None:
            return _done(128, "fatal: unable to access 'http://github.invalid/': The requested URL returned error: 500")
        there = self.hub.bare(self.repo).refs()
        problems = ""
        for spec in refspecs:
            found = self._matching(spec, there, git)
            if found is None:
                return _done(128, f"fatal: couldn't find remote ref {spec.lstrip('+').partition(':')[0]}")
            for target, sha in found:
                problems += self._point(git, target, sha, forced=spec.startswith("+"))
        return _done(1 if problems else 0, problems)

    def _matching(self, spec: str, there: dict[str, str], git: LocalGit) -> list[tuple[str, str]] | None:
        source, _, target = spec.lstrip("+").partition(":")
        if re.fullmatch("[0-9a-f]{40}", source):
            return [] if source in git.repository else None
        if "*" in source:
            before, _, after = source.partition("*")
            names = [name for name in there if fnmatchcase(name, source)]
            return [
                (target.replace("*", name[len(before) : len(name) - len(after)]), there[name])
                for name in names
                if target
            ]
        full = next((one for one in (source, f"refs/heads/{source}", f"refs/tags/{source}") if one in there), None)
        if full is None:
            return None
        return [(target, there[full])] if target else []

    def _point(self, git: LocalGit, target: str, sha: str, *, forced: bool) -> str:
        old = git.repository.references.get(target)
        if old is not None and str(old.target) == sha:
            return ""
        if old is not None and not forced and target.startswith("refs/tags/"):
            name = target.removeprefix("refs/tags/")
            return f" ! [rejected]        {name} -> {name}  (would clobber existing tag)\n"
        git.repository.references.create(target, sha, force=True)
        return ""

    # --- push

    def _push(self, git: LocalGit, words: list[str]) -> Done:
        lease = next((one.partition("=")[2] for one in words if one.startswith("--force-with-lease=")), None)
        source, _, target = words[-1].partition(":")
        fault = self.chaos.take("git.push")
        kind = fault.kind if fault is not None else ""
        if kind == "push_race" and self.chaos.race is not None:
            self.chaos.race()
        if kind == "push_reset":
            return _done(128, RESET)
        token = self.api.token(git.environ.get("GIT_CONFIG_VALUE_0", "").partition(": ")[2] or None)
        if token is None or (token.permissions or {}).get("contents") != "write":
            return _done(128, "fatal: unable to access: The requested URL returned error: 403")
        bare = self.hub.bare(self.repo)
        before = bare.refs()
        old, new = before.get(target, ZERO), str(git.repository.revparse_single(source).id)
        said = self._refusal(bare, target, old, new, lease, token)
        if not said and kind == "push_refused":
            said = HOOK.format(target, source, target.removeprefix("refs/heads/"))
        if said:
            return _done(1, f"{said}\nerror: failed to push some refs to 'http://github.invalid/{self.name}.git'\n")
        if old != new:
            bare.set_ref(target, new)
            for each in self.pushed:
                each(target, old, new)
            events.refs_moved(self.hub, self.repo, before, token.login, token.run is not None)
        self.chaos.done(fault)
        if kind == "push_lost_answer":
            return _done(128, LOST)
        return _done()

    def _refusal(self, bare: Any, target: str, old: str, new: str, lease: str | None, token: Token) -> str:
        """What git prints of a push that moves nothing, empty for one that does: its own checks, then the server's."""
        short = target.removeprefix("refs/heads/").removeprefix("refs/tags/")
        if lease is not None:
            expected = lease.rpartition(":")[2] or ZERO
            if expected != old:
                return f" ! [rejected]        {new} -> {short} (stale info)"
        elif old not in (ZERO, new) and target.startswith("refs/tags/"):
            return f" ! [rejected]        {short} -> {short} (already exists)"
        elif old not in (ZERO, new) and bare.merge_base(old, new) != old:
            return f" ! [rejected]        {short} -> {short} (non-fast-forward)"
        actor = actor_of(self.hub, self.repo, token)
        verdict = judge_push(self.hub, self.repo, actor, [[old, new, target]], atomic=False)
        reason = verdict.refused.get(target)
        if reason is None:
            return ""
        said = "".join(f"remote: {line}\n" for line in verdict.said.splitlines())
        return f"{said} ! [remote rejected] {new} -> {short} ({reason})"

    # --- log

    def _log(self, git: LocalGit, arguments: tuple[str, ...]) -> Done:
        """`log --format=%H%x1f%ct%x1f%B%x1e TIP [-- PATH]`, of a branch without merges."""
        if arguments[1] != "--format=%H%x1f%ct%x1f%B%x1e" or len(arguments) not in (3, 5):
            self.real.append("log")
            return self._really(git, *arguments)
        path, out = arguments[4] if len(arguments) == 5 else "", []
        one: Any = git.repository.get(arguments[2])
        while one is not None:
            parent = git.repository.get(one.parent_ids[0]) if one.parent_ids else None
            if not path or _entry(one, path) != (_entry(parent, path) if parent is not None else None):
                out.append(f"{one.id}\x1f{one.commit_time}\x1f{one.message}\x1e")
            one = parent
        return _done(0, "", "\n".join(out))


def _entry(commit: Any, path: str) -> str | None:
    try:
        return str(commit.tree[path].id)
    except KeyError:
        return None


def basic(token: str) -> str:
    """The header that git sends for a token."""
    return f"basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}"


class TimedSignature:
    """`pygit2.Signature` whose time is the sandbox's, where none is given."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self._signature = pygit2.Signature

    def __call__(self, name: str, email: str, time: int | None = None, offset: int = 0, *rest: Any) -> Any:
        return self._signature(name, email, self.now() if time is None else time, offset, *rest)
