"""The promises, looked at after every step and when all is quiet."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pygit2

from bot.decide.decide import decide
from bot.decide.step import policy_files
from bot.records.decision import Decision
from bot.records.facts import Facts
from bot.records.ledger import (
    ENVIRONMENTS,
    LEDGER,
    Head,
    evaluation_id,
    evaluation_path,
    facts_path,
    head_path,
    revocation_path,
    told_path,
)
from bot.records.release import Release
from bot.sandbox.events import ZERO
from bot.sandbox.store import Issue, Pull
from bot.specs.pointer import read_pointer
from bot.specs.policies import read_policies
from bot.specs.policies.loader import policy_digest
from tests.reliability import oracle
from tests.reliability.actions import Ended, Going
from tests.reliability.stage import Stage

REWRITABLE = ("heads/", "plans/")
MOST_REPLAYS = 12  # a schedule
NOT_PROMOTED = re.compile(r"^- (\w+) was not promoted to (\w+)", re.MULTILINE)
REPORT, PROMOTION = "<!-- mlbot:report", "<!-- mlbot:promotion"


@dataclass(frozen=True)
class Violation:
    """A broken promise. `step` 0: at rest. `key` is what two violations of one kind have in common."""

    promise: int
    key: str
    detail: str
    step: int = 0

    @property
    def name(self) -> str:
        return f"{self.promise} {self.key}"

    def __str__(self) -> str:
        return f"promise {self.promise}, {self.key}: {self.detail}"


@dataclass
class Watch:
    """Listens to a stage and keeps what it promised."""

    stage: Stage
    violations: list[Violation] = field(default_factory=list)
    step: int = 0
    handlers: int = 0
    crashed: list[Ended] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    quiet: bool = False
    _told: int = 0
    _before_quiet: int = 0
    _writes_before: int = 0
    writes: list[str] = field(default_factory=list)
    _seen: int = 0
    _statuses: int = 0
    _known: set[str] = field(default_factory=set)
    _evaluated_before: dict[int, set[str]] = field(default_factory=dict)
    _trainings: int = 0

    def __post_init__(self) -> None:
        self.stage.actions.ended.append(self._ended)
        self.stage.actions.began.append(self._began)
        self.stage.git.pushed.append(self._pushed)

    def broken(self, promise: int, key: str, detail: str) -> None:
        """Note it once."""
        found = Violation(promise, key, detail, self.step)
        if (found.name, found.detail) not in {(one.name, one.detail) for one in self.violations}:
            self.violations.append(found)

    # --- what handlers do

    def _began(self, going: Going, key: str) -> None:
        if key == "plan":
            self._evaluated_before[going.item.run.id] = self._evaluations()

    def _evaluations(self) -> set[str]:
        """Inputs digests that the ledger holds an evaluation of."""
        return {path.split("/")[2] for path in self._paths(LEDGER) if path.startswith("evaluations/")}

    def _ended(self, one: Ended) -> None:
        self.handlers += 1
        self.ends.append(one)
        if one.code is None:
            self.crashed.append(one)
        if one.code == 3:
            last = [line for line in one.said.strip().splitlines() if line and "This is a bug" not in line]
            self.broken(0, f"bug in {one.job}: {(last or ['?'])[-1][:60]}", one.said[-700:])

    def _pushed(self, target: str, old: str, new: str) -> None:
        self.writes.append(f"push {target}{self._what(old, new) if self.quiet else ''}")
        if target == f"refs/heads/{LEDGER}":
            self._appended(old, new)
        elif target == f"refs/heads/{ENVIRONMENTS}":
            self._released(old, new)

    def _what(self, old: str, new: str) -> str:
        git = self.stage.hub.bare(self.stage.repo).git
        if ZERO in (old, new):
            return ""
        found = git[old].peel(pygit2.Tree).diff_to_tree(git[new].peel(pygit2.Tree)).deltas
        return ": " + " ".join(sorted({one.new_file.path.split("/")[0] for one in found}))

    def _appended(self, old: str, new: str) -> None:
        """Promise 4: the ledger only grows."""
        git = self.stage.hub.bare(self.stage.repo).git
        if old == ZERO:
            return
        if [str(one) for one in git[new].parent_ids] != [old]:
            self.broken(4, "the ledger did not grow from its tip", f"{old} {new}")
        for patch in git[old].tree.diff_to_tree(git[new].tree).deltas:
            path = patch.old_file.path
            if patch.status_char() != "A" and not path.startswith(REWRITABLE):
                self.broken(4, f"the ledger lost {path.split('/')[0]}", path)

    def _released(self, old: str, new: str) -> None:
        """Promises 1 and 5: what goes live was decided, and its bytes are those that were evaluated."""
        git = self.stage.hub.bare(self.stage.repo).git
        before = git[old].tree if old != ZERO else None
        for path, data in _files(git[new].tree):
            if not path.endswith("/release.json") or _at(before, path) == data:
                continue
            release = Release.parse(data, source=path)
            if release.action == "promote":
                self._is_decided(release)
            self._is_whole(release, _at(git[new].tree, path.replace("release.json", "artifact.dvc")))

    def _is_decided(self, release: Release) -> None:
        if self._one(LEDGER, revocation_path(release.artifact_digest)) is not None and not self._is_excused():
            self.broken(1, "a revoked artifact goes live", f"{release.model} {release.environment}")
        for one in self._decisions(release.pull_request or 0):
            digests = (release.inputs_digest, release.evaluation_digest, release.artifact_digest)
            if (
                one.subject == release.environment
                and one.status == "approved"
                and one.decided_at <= release.released_at
                and digests in {(m.inputs_digest, m.evaluation_digest, m.artifact_digest) for m in one.models}
            ):
                self._is_allowed(release, one)
                return
        self.broken(1, "a release without an approved decision", f"{release.model} {release.environment}")

    def _is_allowed(self, release: Release, decision: Decision) -> None:
        """What the oracle forbids does not go live, unless several people broke the glass."""
        found = self.stage.repo.issues.get(release.pull_request or 0)
        if found is None or found.pull is None or "break_glass" in decision.flags or self._is_excused():
            return
        why = oracle.forbidden(self._case(found, found.pull), is_merged=True)
        if why:
            self.broken(2, f"went live: {_kind(why[0])}", f"#{found.number} {release.environment}: {'; '.join(why)}")

    def _is_whole(self, release: Release, pointer: bytes | None) -> None:
        objects = self.stage.remote.objects
        listing = objects.get(read_pointer(pointer or b"", "x.dvc").md5) if pointer else None
        kept = [objects.get(one["md5"], b"") for one in json.loads(listing or b"[]")]
        if release.artifact_digest not in {"sha256:" + hashlib.sha256(one).hexdigest() for one in kept}:
            self.broken(5, "live bytes are not those of the release", f"{release.model} {release.environment}")

    # --- after each step

    def after_step(self, step: int, *, is_calm: bool = False) -> None:
        """`is_calm`: every run that anything started has ended."""
        self.step = step
        self._greens()
        if is_calm and self._is_sure():
            for found in self.stage.repo.issues.values():
                if found.pull is not None and found.pull.base_ref == self.stage.default:
                    self._still_green(found, found.pull)
        self._training()
        self._calls()
        for what, said in self.stage.in_clones:
            self.broken(8, what, said)

    def fresh_ends(self) -> list[Ended]:
        """Handlers that ended since this was asked last."""
        fresh, self._told = self.ends[self._told :], len(self.ends)
        return fresh

    def _is_sure(self) -> bool:
        """Nothing went wrong so far, and nothing happened that no event tells: what is green now, stays so."""
        deliveries = self.stage.actions.deliveries
        return (
            self.stage.is_announced
            and not any(fate != "repeated" for fate, _ in deliveries.log)
            and not self.stage.chaos.struck
            and not any(one.code for one in self.ends)
        )

    def _still_green(self, found: Issue, pull: Pull) -> None:
        if found.state == "open" and self._verdicts(pull.head_sha)[-1:] == ["success"]:
            self._never_green(pull.head_sha)

    def _verdicts(self, sha: str) -> list[str]:
        """Every state that the verdict of a commit had, oldest first."""
        return [one.state for one in self.stage.repo.statuses if (one.sha, one.context) == (sha, "mlbot/verdict")]

    def _is_excused(self) -> bool:
        """A handler that read something stale, or lost a race, could not know: only the state at rest counts then."""
        return bool({"api_stale", "push_race"} & set(self.stage.chaos.hit))

    def _greens(self) -> None:
        """Promise 2, when a status turns green; what a handler could not know is looked at when all is quiet."""
        fresh = self.stage.repo.statuses[self._statuses :]
        self._statuses = len(self.stage.repo.statuses)
        excused = {"api_stale", "push_race", "api_lost_answer", "api_lost_reset", "api_hangs"} & {
            kind for one in self.ends[self._seen :] for kind in one.hit
        }
        for status in fresh if not excused else ():
            if status.context == "mlbot/verdict" and status.state == "success":
                self._never_green(status.sha)

    def _never_green(self, sha: str) -> None:
        pulls = [
            (found, found.pull) for found in self.stage.repo.issues.values()
            if found.pull and found.state == "open"
            and (found.pull.head_sha, found.pull.base_ref) == (sha, self.stage.default)
        ]  # fmt: skip
        green = "green on a shared commit" if len(pulls) > 1 else "green"
        for found, pull in pulls:
            why = oracle.forbidden(self._case(found, pull))
            if why:
                self.broken(2, f"{green}: {_kind(why[0])}", f"#{found.number} at {sha[:8]}: {'; '.join(why)}")

    def _case(self, found: Issue, pull: Pull) -> oracle.Case:
        data = self._one(LEDGER, head_path(found.number, pull.head_sha))
        head = Head.parse(data, source="head") if data else None
        evaluated: dict[str, datetime | None] = {}
        for model, one in (head.models if head else {}).items():
            digest = one.evaluation_digest
            path = evaluation_path(model, one.inputs_digest, digest) if digest else None
            evaluated[model] = self._first(path) if path else None
        name = evaluation_id(head.models) if head else None
        return oracle.Case(
            self.stage.hub,
            self.stage.hub.bare(self.stage.repo),
            self.stage.repo,
            found,
            pull,
            self.stage.hub.clock(),
            evaluated,
            name,
        )

    def _first(self, path: str) -> datetime | None:
        """When a file of the ledger was first there."""
        bare = self.stage.hub.bare(self.stage.repo)
        git, at = bare.git, None
        one: Any = git.get(bare.branch(LEDGER))
        while one is not None and _at(one.tree, path) is not None:
            at = datetime.fromtimestamp(one.commit_time, UTC)
            one = git.get(one.parent_ids[0]) if one.parent_ids else None
        return at

    def _training(self) -> None:
        """Promise 6: what the ledger held when the run was planned is not trained again, unless somebody asked."""
        for digest, run in self.stage.trainer.log[self._trainings :]:
            going = self.stage.actions.by_id[run]
            asked = (going.item.start.payload.get("inputs") or {}).get("models")
            if digest.removeprefix("sha256:") in self._evaluated_before.get(run, set()) and not asked:
                self.broken(6, "trained twice", f"{digest[:20]} in run {run}")
        self._trainings = len(self.stage.trainer.log)

    def _calls(self) -> None:
        """Promise 8: nothing is said twice in the same words by one handler; promise 3: one report."""
        self._seen = len(self.ends)
        if "api_stale" not in self.stage.chaos.struck:
            self._one_comment_each()

    def _one_comment_each(self) -> None:
        """Promise 3. Who reads a list of yesterday posts a second one, and the next run removes it."""
        for found in self.stage.repo.issues.values():
            mine = [one for one in self.stage.repo.comments.values() if one.number == found.number and one.app]
            for mark in (REPORT, PROMOTION):
                firsts = Counter(one.body.splitlines()[0] for one in mine if one.body.startswith(mark))
                for first, count in firsts.items():
                    if count > 1:
                        self.broken(3, f"{count} comments {mark[5:]}", f"#{found.number} {first}")

    # --- at rest

    def at_rest(self) -> None:
        """No handler is left, no fault waits, and reconcile has run twice."""
        self.step = 0
        self.stage.chaos.hit.clear()
        for found in self.stage.repo.issues.values():
            if found.pull is not None:
                self._rest_of(found, found.pull)
        self._one_comment_each()
        self._deployed()
        self._replayed()
        self._present()
        self._answered()
        self._told_right()

    def _rest_of(self, found: Issue, pull: Pull) -> None:
        states = self._verdicts(pull.head_sha)
        if found.state == "open" and pull.base_ref == self.stage.default:
            if not states:
                self.broken(8, "no verdict", f"#{found.number}")
            elif states[-1] == "success":
                self._never_green(pull.head_sha)
        if pull.merged_at is not None and pull.base_ref == self.stage.default:
            self._promoted(found, pull)
        made = self._decisions(found.number)
        if any(one.reason_code == "revoked" and self._asked(one) == "rollback" for one in made):
            self.broken(8, "a rollback away from a revoked artifact is refused", f"#{found.number}")
        newest = max(made, key=_time, default=None)
        if found.state == "open" and newest is not None and newest.reason_code == "policy_invalid":
            self.broken(8, "good policies do not load", f"#{found.number} {newest.headline[:200]}")

    def _asked(self, one: Decision) -> str:
        facts = self._one(LEDGER, facts_path(one.number, one.facts_digest))
        return Facts.parse(facts, source="facts").asked.action if facts else ""

    def _promoted(self, found: Issue, pull: Pull) -> None:
        """Promise 3: what was merged with an approved decision is in staging, or a decision says why not."""
        number, made = found.number, self._decisions(found.number)
        merges = [one for one in made if (one.subject, one.head_sha) == ("merge", pull.head_sha)]
        before = [one for one in merges if pull.merged_at and _time(one) <= pull.merged_at]
        if not before or max(before, key=_time).status != "approved":
            return
        asked = sorted((one for one in made if one.subject == "staging"), key=_time)
        for model in max(before, key=_time).models:
            mine = [
                one for one in self._facts(model.model)
                if (one.environment, one.action, one.pull_request) == ("staging", "promote", number)
            ]  # fmt: skip
            if not mine and (not asked or asked[-1].status == "approved"):
                self.broken(3, "merged and never promoted", f"#{number} {model.model}")
            if not mine and asked and self._nothing_since(found.number, pull.merged_at):
                self.broken(3, f"merged and kept back: {asked[-1].reason_code}", f"#{number} {model.model}")
            if len([one for one in mine if one.trigger is None]) > 1:
                self.broken(3, "promoted twice", f"#{number} {model.model}")

    def _nothing_since(self, number: int, merged_at: datetime | None) -> bool:
        """Whether what was right at the merge must be right still: nobody said, left, locked or changed anything."""
        repo = self.stage.repo
        said = [one.created_at for one in repo.comments.values() if one.number == number and not one.app]
        said += [one.submitted_at for one in repo.reviews.values() if one.number == number and one.submitted_at]
        locks = any("/lock" in one.body for one in repo.comments.values() if not one.app)
        return bool(merged_at and self.stage.is_announced and not locks and all(at < merged_at for at in said))

    def _deployed(self) -> None:
        """Promise 3: a release has one deployment."""
        made = self.stage.repo.deployments.values()
        payloads = Counter(json.dumps([one.sha, one.environment, one.payload], sort_keys=True) for one in made)
        for payload, count in payloads.items():
            if count > 1:
                self.broken(3, "several deployments of one release", payload[:200])

    def _decisions(self, number: int) -> list[Decision]:
        return [Decision.parse(data, source=path) for path, data in self._read(LEDGER, f"decisions/{number}/")]

    def _facts(self, model: str) -> list[Release]:
        """What the ledger says of releases of a model, of all models for "": oldest first."""
        folder = f"promotions/{model}/" if model else "promotions/"
        return [Release.parse(data, source=path) for path, data in self._read(LEDGER, folder)]

    def _present(self) -> None:
        """Promise 4: the newest facts of the ledger are what the environments branch says; each has its tag."""
        facts = self._facts("")
        newest: dict[tuple[str, str], Release] = {}
        for one in sorted(facts, key=lambda one: one.counter):
            newest[one.environment, one.model] = one
        live = {
            (one.environment, one.model): one
            for path, data in self._read(ENVIRONMENTS, "")
            if path.endswith("/release.json")
            for one in [Release.parse(data, source=path)]
        }
        gone = {key for key, one in newest.items() if one.action == "withdraw"}
        for key in (newest.keys() | live.keys()) - gone:
            if newest.get(key) != live.get(key):
                self.broken(4, "the ledger does not say what is live", f"{key}")
        refs = self.stage.hub.bare(self.stage.repo).refs()
        for one in facts if self.stage.flavour.refuses != "tags" else ():
            if f"refs/tags/{one.model}#{one.environment}#{one.counter}" not in refs and one.action != "withdraw":
                self.broken(3, "a release without its tag", f"{one.model}#{one.environment}#{one.counter}")

    def _replayed(self) -> None:
        """Promise 4: every decision comes out again from its facts and the policies of its time."""
        bare = self.stage.hub.bare(self.stage.repo)
        known = self._policies()
        for path, data in list(self._read(LEDGER, "decisions/"))[-MOST_REPLAYS:]:
            stored = Decision.parse(data, source=path)
            facts = self._one(LEDGER, facts_path(stored.number, stored.facts_digest))
            if facts is None:
                self.broken(4, "a decision without its facts", path)
            elif stored.policy_digest in known and stored.reason_code != "policy_invalid":
                policies = read_policies(known[stored.policy_digest])
                again = decide(Facts.parse(facts, source=path), policies, datetime.fromisoformat(stored.decided_at))
                if again.digest() != stored.digest():
                    self.broken(4, "a decision that does not replay", path)
        assert bare is not None

    def _policies(self) -> dict[str, dict[str, bytes]]:
        from bot.adapters.git import LocalGit

        bare = self.stage.hub.bare(self.stage.repo)
        git = LocalGit(bare.path)
        found, one = {}, bare.git.get(bare.branch(self.stage.default))
        while one is not None:
            files = policy_files(git, str(one.id))
            found.setdefault(policy_digest(files), files)
            one = bare.git.get(one.parent_ids[0]) if one.parent_ids else None
        return found

    def _answered(self) -> None:
        """Promise 8: every command of somebody who may say something here has one answer."""
        seen: dict[int, Ended] = {}
        for end in self.ends:
            if end.job == "chatops":
                seen[self.stage.actions.by_id[end.run].item.start.payload["comment"]["id"]] = end
        for number, end in seen.items():
            comment = self.stage.repo.comments.get(number)
            if comment is None or comment.edits or not self._is_owed(comment.author, comment.body):
                continue
            answers = self._answers(comment.number, number)
            if len(answers) > 1:
                self.broken(8, "answered more than once", f"{comment.body[:40]!r}: {answers}")
            if not answers:
                how = "after a crash" if end.code is None else f"by a handler that ended with {end.code}"
                self.broken(8, f"a command without an answer {how}", f"{comment.body[:40]!r} {end.hit}")
        for (run, path, body), count in self.stage.wire.written.items():
            if count > 1 and path.endswith("/comments"):
                self.broken(8, "said twice", f"run {run} {path} {body[:80]!r}")

    def _is_owed(self, login: str, body: str) -> bool:
        is_command = any(line.startswith("/") for line in body.splitlines())
        return is_command and self.stage.hub.permission(self.stage.repo, login) in ("write", "maintain", "admin")

    def _answers(self, number: int, comment: int) -> list[str]:
        """What answers a comment: a reply that names it, a thumb, a status where nothing else is possible."""
        repo = self.stage.repo
        found = [one.body for one in repo.comments.values() if one.app and f"mlbot:answer {comment} " in one.body[:80]]
        found += [one.content for one in repo.reactions if one.comment == comment and one.content in ("+1", "-1")]
        is_told = self._one(LEDGER, told_path(number, comment)) is not None
        return found or (["status"] if is_told and any(one.context == "mlbot/answer" for one in repo.statuses) else [])

    def _told_right(self) -> None:
        """Promise 3: nobody reads that a model was not promoted that is live."""
        facts = {(one.model, one.environment, one.pull_request) for one in self._facts("")}
        for comment in self.stage.repo.comments.values():
            for model, environment in NOT_PROMOTED.findall(comment.body) if comment.app else ():
                if (model, environment, comment.number) in facts:
                    self.broken(3, "live, and told that it is not", f"#{comment.number} {model} {environment}")

    def of_the_server(self, lost: Sequence[str]) -> None:
        """Promise 5: no request was lost."""
        if lost:
            self.broken(5, "requests were lost", f"{len(lost)}, such as {lost[0]}")

    def begin_quiet(self) -> None:
        """From here on nothing may be written."""
        self.quiet, self._before_quiet, self._writes_before = True, len(self.ends), len(self.writes)

    def after_quiet(self) -> None:
        """Promise 7: one more reconcile within the hour writes nothing."""
        self.quiet = False
        runs = {one.run for one in self.ends[self._before_quiet :]}
        wrote = [f"{path} {body[:60]!r}" for run, path, body in self.stage.wire.written if run in runs]
        for one in [*wrote, *self.writes[self._writes_before :]]:
            self.broken(7, f"a quiet repository: {_kind(one)[:40]}", one)
        for end in self.ends[self._before_quiet :]:
            if end.code:
                last = end.said.strip().splitlines() or ["?"]
                self.broken(8, f"reconcile fails for ever: {_kind(last[-1])[:60]}", end.said[-500:])

    def recovered(self) -> int:
        """Crashed handlers after which the same job of some run about the same things ended well."""
        good = [(one.job, tuple(one.about)) for one in self.ends if one.code == 0]
        return sum((one.job, tuple(one.about)) in good for one in self.crashed)

    # --- reading

    def _tip(self, branch: str) -> Any | None:
        bare = self.stage.hub.bare(self.stage.repo)
        sha = bare.branch(branch)
        return bare.git[sha].tree if sha else None

    def _paths(self, branch: str) -> list[str]:
        tree = self._tip(branch)
        return [path for path, _ in _files(tree)] if tree is not None else []

    def _read(self, branch: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        tree = self._tip(branch)
        folder = prefix.rstrip("/")
        if tree is not None and (not folder or _entry(tree, folder) is not None):
            inner = tree if not folder else _entry(tree, folder)
            for path, data in _files(inner):
                yield (f"{folder}/{path}" if folder else path), data

    def _one(self, branch: str, path: str) -> bytes | None:
        return _at(self._tip(branch), path)


def _entry(tree: Any, path: str) -> Any | None:
    try:
        return tree[path]
    except KeyError:
        return None


def _at(tree: Any | None, path: str) -> bytes | None:
    found = _entry(tree, path) if tree is not None else None
    return bytes(found.data) if isinstance(found, pygit2.Blob) else None


def _files(tree: Any, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for one in tree:
        if one.type_str == "tree":
            yield from _files(one, f"{prefix}{one.name}/")
        else:
            yield f"{prefix}{one.name}", bytes(one.data)


def _time(one: Decision) -> datetime:
    return datetime.fromisoformat(one.decided_at)


def _kind(why: str) -> str:
    """The reason without names and numbers."""
    return " ".join(word for word in why.split(" (")[0].split() if not any(letter.isdigit() for letter in word))
