"""What may never be green, by docs/policies.md alone: the reasons why a pull request must not be merged or promoted.

It speaks only where it is certain. What was deleted or dismissed, a loan of a role, words that could be read in two
ways: there it forbids nothing. It reads GitHub as it is, the default branch, and when the bot wrote an evaluation down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.sandbox.bare import Bare
from bot.sandbox.hub import Hub
from bot.sandbox.store import Comment, Issue, Pull, Repository

SPECS = re.compile(r"models/([^/]+)/model\.yaml")
TARGET = re.compile(r"\b(E-[a-z2-7]{16}|[0-9a-f]{40})\b")
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
VERBS = {"approve": "approve", "unapprove": "take back", "reject": "object", "hold": "hold", "unhold": "release"}
RANKS = ("none", "read", "triage", "write", "maintain", "admin")
WRITERS = RANKS[3:]


@dataclass(frozen=True)
class Word:
    """What a person said: `what` is approve, object, hold, release, take back or unclear; `target` what it names."""

    who: int
    what: str
    at: datetime
    order: int
    target: str = ""


@dataclass(frozen=True)
class Policy:
    """What the default branch says."""

    roles: Mapping[str, set[int]]
    least: Mapping[str, str]
    floor: float
    valid_for: timedelta


@dataclass(frozen=True)
class Case:
    """One pull request, as it is at `now`. `evaluated` is when the present evaluation of each model was first known."""

    hub: Hub
    bare: Bare
    repository: Repository
    issue: Issue
    pull: Pull
    now: datetime
    evaluated: Mapping[str, datetime | None]
    evaluation_id: str | None


def _members(role: Mapping[str, Any], hub: Hub) -> Iterator[int]:
    yield from (int(one.split("#")[1]) for one in role.get("users", ()))
    for team in role.get("teams", ()):
        yield from (hub.person(login).id for login in hub.data.teams[team.split("/")[1]].members)


def policy_of(hub: Hub, bare: Bare, branch: str) -> Policy | None:
    """The policies of a branch; None when they are none."""
    read: dict[str, Any] = {}
    for name in ("roles", "approvals", "gates"):
        read[name] = yaml.safe_load(bare.read(branch, f"policies/{name}.yaml") or b"") or {}
    if read["approvals"].get("kind") != "ApprovalPolicy":
        return None
    roles = read["roles"]["roles"]
    ids = {name: set(_members(role, hub)) for name, role in roles.items()}
    least = {name: role.get("permission", "read") for name, role in roles.items()}
    length, floors = str(read["approvals"]["defaults"]["valid_for"]), [one["value"] for one in read["gates"]["gates"]]
    return Policy(ids, least, max(floors), timedelta(seconds=int(length[:-1]) * UNITS[length[-1]]))


def forbidden(case: Case, *, is_merged: bool = False) -> list[str]:
    """Why it may not be green; nothing when the oracle does not know. `is_merged` asks about a promotion."""
    policy = policy_of(case.hub, case.bare, case.repository.default_branch)
    if policy is None:
        return ["the policies do not load"]
    base = case.pull.base_sha if is_merged else str(case.bare.branch(case.pull.base_ref))
    fork = case.bare.merge_base(base, case.pull.head_sha) or base
    paths = case.bare.paths_changed(fork, case.pull.head_sha)
    models = sorted({found[1] for path in paths if (found := SPECS.fullmatch(path))})
    words = _words(case)
    return [
        *(_frozen(case) if is_merged else _now(case, fork, base, models)), *_evaluation(case, policy, models),
        *_objections(case, policy, words), *_missing(case, policy, words, fork, paths, models),
    ]  # fmt: skip


def _frozen(case: Case) -> Iterator[str]:
    """The first occurrence of a freeze of whole days, which ends by the wall clock."""
    text = case.bare.read(case.repository.default_branch, "policies/environments.yaml") or b""
    for window in yaml.safe_load(text).get("freeze_windows") or ():
        start, days = datetime.fromisoformat(window["dtstart"]), int(window["duration"].removesuffix("d"))
        local = case.now.astimezone(ZoneInfo(window["time_zone"])).replace(tzinfo=None)
        if start <= local < start + timedelta(days=days):
            yield f"{window['name']} is on"


def _now(case: Case, fork: str, base: str, models: list[str]) -> Iterator[str]:
    if case.pull.draft:
        yield "it is a draft"
    for model in models:
        path = f"models/{model}/model.yaml"
        if case.bare.read(base, path) not in (case.bare.read(fork, path), case.bare.read(case.pull.head_sha, path)):
            yield f"the base changed {model}"


def _evaluation(case: Case, policy: Policy, models: list[str]) -> Iterator[str]:
    for model in models:
        text = case.bare.read(case.pull.head_sha, f"models/{model}/model.yaml")
        worth = float(yaml.safe_load(text)["estimator"]["parameters"]["max_iter"]) / 1000 if text else 0.0
        if worth < policy.floor:
            yield f"{model} is worth {worth}, the gates ask for {policy.floor}"
        if case.evaluated.get(model) is None:
            yield f"{model} was not evaluated as it is"


def _words(case: Case) -> list[Word]:
    """Everything that is still to be seen, oldest first. Edited comments say nothing certain but objections."""
    found = [word for one in case.repository.comments.values() if one.number == case.issue.number
             for word in _of_comment(case, one)]  # fmt: skip
    kinds = {"APPROVED": "approve", "CHANGES_REQUESTED": "object"}
    for review in case.repository.reviews.values():
        if review.number == case.issue.number and review.state in kinds and review.submitted_at is not None:
            who = _id(case, review.author)
            found.append(Word(who, kinds[review.state], review.submitted_at, review.id, review.commit_sha))
    return sorted(found, key=lambda word: (word.at, word.order))


def _of_comment(case: Case, one: Comment) -> Iterator[Word]:
    if one.app is not None:
        return
    who, lines = _id(case, one.author), [line for line in one.body.splitlines() if line.startswith("/")]
    is_edited = bool(one.edits) or one.updated_at != one.created_at
    for line in lines:
        what, target = VERBS.get(line[1:].split(" ")[0]), TARGET.search(line)
        if what is not None:
            what = "unclear" if len(lines) > 1 or is_edited else what
            yield Word(who, what, one.created_at, one.id, target[1] if target else "")


def _id(case: Case, login: str) -> int:
    return case.hub.data.people[login].id if login in case.hub.data.people else 0


def _objections(case: Case, policy: Policy, words: list[Word]) -> Iterator[str]:
    """An objection stands until its maker takes it back or a release manager lifts it; unclear words may do either."""
    veto = {one for role in ("model-owner", "model-validator", "release-manager") for one in policy.roles[role]}
    for index, word in enumerate(words):
        if word.what not in ("object", "hold") or _permission(case, word.who) not in WRITERS:
            continue
        if word.what == "object" and word.who not in veto:
            continue
        after = words[index + 1 :]
        lifted = any(
            (other.who == word.who and other.what in ("take back", "approve", "release", "unclear", "object"))
            or (other.what in ("release", "unclear") and other.who in policy.roles["release-manager"])
            for other in after
        )
        if not lifted:
            yield f"{word.who} objects ({word.what})"


def _permission(case: Case, who: int) -> str:
    logins = [login for login, person in case.hub.data.people.items() if person.id == who]
    return case.hub.permission(case.repository, logins[0]) if logins else "none"


def _missing(
    case: Case, policy: Policy, words: list[Word], fork: str, paths: list[str], models: list[str]
) -> Iterator[str]:
    counted = _approvers(case, policy, words, fork, models)
    able, least = {one: RANKS.index(_permission(case, one)) for one in counted}, policy.least
    roles = {
        role: {one for one in counted & people if able[one] >= RANKS.index(least[role])}
        for role, people in policy.roles.items()
    }
    if any("/delegate" in one.body for one in case.repository.comments.values() if one.app is None):
        return  # somebody else may stand for the holder of a role
    code = any(not path.startswith(("docs/", "models/")) and path != "data.dvc" for path in paths)
    if models or code or "risk: high" in case.issue.labels:
        owners, validators = roles["model-owner"], roles["model-validator"]
        if not any(one != two for one in owners for two in validators):
            yield f"no owner and no other validator approved (owners {sorted(owners)}, validators {sorted(validators)})"
    elif all(path.startswith("docs/") for path in paths) and not set().union(*roles.values()):
        yield "nobody approved"
    if code and not roles["release-manager"]:
        yield "no release manager approved"


def _approvers(case: Case, policy: Policy, words: list[Word], fork: str, models: list[str]) -> set[int]:
    """Everybody one of whose approvals may count: for this content, after its evaluation, not void, not taken back."""
    built, since, until = _builders(case, fork), _void_until(case), case.pull.merged_at or case.now
    known = [at for model in models if (at := case.evaluated.get(model)) is not None]
    evaluated = max(known, default=datetime.min.replace(tzinfo=case.now.tzinfo))
    found = set()
    for index, word in enumerate(words):
        if word.what != "approve" or word.who in built or word.at < since or until - word.at > policy.valid_for:
            continue
        if (models and word.at < evaluated) or not _same_content(case, word, models):
            continue
        after = [one for one in words[index + 1 :] if one.who == word.who]
        if not any(one.what in ("take back", "object") and one.at > word.at for one in after):
            found.add(word.who)
    return found


def _void_until(case: Case) -> datetime:
    """When it was last closed without a merge, or got another base: what was approved before is void."""
    moments = [
        one.at for one in case.repository.events
        if one.number == case.issue.number and one.kind in ("closed", "base_ref_changed")
        and not (one.kind == "closed" and case.pull.merged_at is not None and one.at >= case.pull.merged_at)
    ]  # fmt: skip
    return max(moments, default=datetime.min.replace(tzinfo=case.now.tzinfo))


def _builders(case: Case, fork: str) -> set[int]:
    """Author, committers and the last pusher of the head."""
    found = {_id(case, case.issue.author)}
    for commit in case.bare.between(fork, case.pull.head_sha):
        for who in (commit.author, commit.committer):
            person = case.hub.by_email(who.email)
            found.add(person.id if person else 0)
    moves = [one for one in case.repository.activities if one.after == case.pull.head_sha]
    return found | ({_id(case, moves[-1].actor)} if moves else set())


def _same_content(case: Case, word: Word, models: list[str]) -> bool:
    """An evaluation's name means the present one or nothing; a commit must hold the same specs, or be the head."""
    if word.target.startswith("E-"):
        return word.target == case.evaluation_id
    if not word.target:
        return not models
    if not models:
        return True  # what else it binds to is not asked here
    paths = [f"models/{model}/model.yaml" for model in models]
    return all(case.bare.read(word.target, path) == case.bare.read(case.pull.head_sha, path) for path in paths)
