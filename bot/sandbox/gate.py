"""What a push is told: each of its refs is judged as GitHub judges it, in the words that `git push` prints."""

from __future__ import annotations

import json
import secrets
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bot.sandbox import rules
from bot.sandbox.hub import Hub
from bot.sandbox.rules import Judgement
from bot.sandbox.rulesets import Actor
from bot.sandbox.store import Repository
from bot.sandbox.violations import Change, Violation

ZERO = "0" * 40
_HOOK = Path(__file__).parent / "hooks/proc_receive.py"


@dataclass(frozen=True)
class Verdict:
    """`said` is printed for people, `refused` is the reason by ref; a ref that is not in it may move."""

    said: str
    refused: dict[str, str]


class Gate:
    """The pushes that are going on, each under a word that only its own hook knows; a door of its own, never TLS."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._pushes: dict[str, tuple[Repository, Actor, str]] = {}
        self._door: socketserver.ThreadingTCPServer | None = None

    @contextmanager
    def push(self, repository: Repository, actor: Actor, declined: str = "") -> Iterator[dict[str, str]]:
        """What git's environment must hold so that its hook asks here. The caller holds the hub's lock meanwhile.

        With `declined` a hook refuses everything with these words, as one that somebody else wrote might.
        """
        word = secrets.token_hex(16)
        self._pushes[word] = repository, actor, declined
        try:
            yield {
                "SANDBOX_PYTHON": sys.executable,
                "SANDBOX_HOOK": str(_HOOK),
                "SANDBOX_DOOR": str(self._open().server_address[1]),
                "SANDBOX_PUSH": word,
            }
        finally:
            del self._pushes[word]

    def _open(self) -> socketserver.ThreadingTCPServer:
        if self._door is None:
            gate = self

            class Asked(socketserver.StreamRequestHandler):
                def handle(self) -> None:
                    self.wfile.write(gate.answer(self.rfile.readline()))

            self._door = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Asked)
            self._door.daemon_threads = True
            threading.Thread(target=self._door.serve_forever, args=(0.05,), daemon=True).start()
        return self._door

    def close(self) -> None:
        if self._door is not None:
            self._door.shutdown()
            self._door.server_close()
            self._door = None

    def answer(self, line: bytes) -> bytes:
        """The verdict that the hook of a push asks for, as JSON; nothing for a push that is not going on."""
        asked = json.loads(line)
        known = self._pushes.get(asked["push"])
        if known is None:
            return b""
        repository, actor, declined = known
        if declined:
            refused = {ref: "pre-receive hook declined" for _, _, ref in asked["moves"]}
            verdict = Verdict(f"error: {declined}\n", refused)
        else:
            verdict = judge_push(self.hub, repository, actor, asked["moves"], atomic=asked["atomic"])
        return json.dumps({"said": verdict.said, "refused": verdict.refused}).encode()


def judge_push(hub: Hub, repository: Repository, actor: Actor, moves: list[list[str]], *, atomic: bool) -> Verdict:
    """`moves` are [old, new, ref], zeros for none. One ref that is refused leaves the others alone, unless `atomic`."""
    said, refused = [], {}
    for old, new, ref in moves:
        before, after = (None if sha == ZERO else sha for sha in (old, new))
        change = Change(hub, repository, ref, before, after)
        reason = _refusal(change, actor)
        if reason is None:
            judgement = rules.judge(change, actor)
            said.append(words(judgement, hub.links().page(repository)))
            if judgement.broken:
                reason = (
                    "protected branch hook declined"
                    if judgement.classic
                    else "push declined due to repository rule violations"
                )
        if reason is not None:
            refused[ref] = reason
    if atomic and refused:
        refused |= {ref: "atomic push failure" for _, _, ref in moves if ref not in refused}
    return Verdict("".join(said), refused)


def _refusal(change: Change, actor: Actor) -> str | None:
    """What GitHub refuses without any rule: to delete the default branch, to let an app write workflows."""
    if change.new is None and change.ref == f"refs/heads/{change.repository.default_branch}":
        return f"refusing to delete the current branch: {change.ref}"
    if actor.app is not None and change.new:
        return rules.workflow_refusal(change.paths)
    return None


def words(judgement: Judgement, page: str) -> str:
    """GH013 for rulesets, GH006 for branch protection, a note for who passed by; nothing for who broke nothing."""
    ref = judgement.change.ref
    if judgement.broken and judgement.classic:
        head = [f"error: GH006: Protected branch update failed for {ref}."]
        return "\n".join([*head, "", *_listed(judgement.broken)]).rstrip("\n") + "\n"
    if judgement.broken:
        head = [f"error: GH013: Repository rule violations found for {ref}."]
        head += [f"Review all repository rules at {page}/rules?ref={quote(ref, safe='')}"]
        return "\n".join([*head, "", *_listed(judgement.broken)]) + "\n"
    if judgement.bypassed:
        return "\n".join([f"Bypassed rule violations for {ref}:", "", *_listed(judgement.bypassed)]) + "\n"
    return ""


def _listed(violations: tuple[Violation, ...]) -> Iterator[str]:
    for one in violations:
        yield f"- {one.sentence}"
        if one.commits:
            yield f"  Found {len(one.commits)} violation{'s' if len(one.commits) > 1 else ''}:"
            yield ""
            yield from (f"  {sha}" for sha in one.commits)
        yield ""
