"""What the ledger holds of a pull request: heads, plans, opinions, decisions, who had to do with it."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from bot.errors import UserError
from bot.ledger.reading import Reader, Records
from bot.records.approval import Approval, Void
from bot.records.base import sha256
from bot.records.decision import Decision
from bot.records.facts import CommitFact, CommitList, Contributed, Facts
from bot.records.ledger import (
    ALL_LISTED,
    CONTRIBUTIONS,
    Accepted,
    Grouped,
    Head,
    Party,
    accepted_folder,
    acted_folder,
    approval_path,
    bare,
    commits_path,
    contribution_key,
    decision_path,
    facts_path,
    grouped_folder,
    handled_path,
    head_path,
    measuring_path,
    parties_folder,
    plan_path,
    reproducing_path,
    stopped_path,
    told_path,
)
from bot.records.plan import Plan


class OfPullRequests(Reader):
    """Questions about one pull request by its number, and a few about all of them."""

    def head(self, number: int, sha: str) -> Head | None:
        """What a head would let out, None before its report."""
        return self.read(Head, head_path(number, sha))

    def heads(self, number: int) -> Records[Head]:
        """Every reported head of a pull request."""
        return self.read_all(Head, self.branch.paths(f"heads/{number}/"))

    def older_heads(self, number: int, live: str) -> Records[Head]:
        """Every reported head but this one."""
        paths = [path for path in self.branch.paths(f"heads/{number}/") if path != head_path(number, live)]
        return self.read_all(Head, paths)

    def all_heads(self) -> Records[Head]:
        """Every reported head of every pull request."""
        return self.read_all(Head, self.branch.paths("heads/"))

    def is_reported(self, number: int) -> bool:
        """Whether any head of the pull request was reported."""
        return bool(self.branch.paths(f"heads/{number}/"))

    def reports(self, number: int) -> list[tuple[datetime, str]]:
        """When the bot reported on which head, by its own time."""
        shas = [_name(path) for path in self.branch.paths(f"heads/{number}/")]
        return [(when, sha) for sha in shas for _, when, _ in self.branch.log(head_path(number, sha))]

    def reported_at(self, number: int, sha: str) -> datetime:
        """When a reported head was first reported."""
        return self.first_written(head_path(number, sha))

    def plan(self, number: int, sha: str) -> Plan | None:
        """The plan of a head."""
        return self.read(Plan, plan_path(number, sha))

    def approval(self, number: int, opinion: str) -> Approval | None:
        """An opinion as it was first seen."""
        return self.read(Approval, approval_path(number, opinion))

    def approvals(self, number: int) -> Records[Approval]:
        """Every opinion as it was first seen."""
        return self.read_all(Approval, self.branch.paths(f"approvals/{number}/"))

    def voids(self, number: int) -> Records[Void]:
        """What voided opinions."""
        return self.read_all(Void, self.branch.paths(f"voids/{number}/"))

    def decision(self, number: int, digest: str) -> Decision | None:
        """A decision by its digest."""
        return self.read(Decision, decision_path(number, digest))

    def decisions(self, number: int) -> Records[Decision]:
        """Every decision on a pull request."""
        return self.read_all(Decision, self.branch.paths(f"decisions/{number}/"))

    def decision_names(self) -> list[tuple[int, str]]:
        """(pull request, digest in hex) of every decision there is."""
        parts = [path.split("/") for path in self.branch.paths("decisions/")]
        return [(int(number), name.removesuffix(".json")) for _, number, name in parts]

    def decisions_that_hold(self, words: Collection[str]) -> dict[int, Records[Decision]]:
        """All decisions, by number, of those pull requests of which one holds any of the words in its text."""
        sought, about = [word.encode() for word in words], set[int]()
        for number, digest in self.decision_names():
            try:
                data = self.branch.get(decision_path(number, digest)) or b""
            except UserError:  # whether it holds a word is not known
                about.add(number)
            else:
                about |= {number} if any(word in data for word in sought) else set()
        return {number: self.decisions(number) for number in sorted(about)}

    def facts(self, number: int, digest: str) -> Facts | None:
        """The facts behind a decision. Raises UserError (code `ledger_tampered`) when they are not what is named."""
        path = facts_path(number, digest)
        data = self.branch.get(path)
        if data is None:
            return None
        if sha256(data) != f"sha256:{bare(digest)}":
            raise UserError(f"{path} does not hold what its name says", code="ledger_tampered")
        return Facts.parse(data, source=path)

    def commits(self, number: int, base_sha: str, head_sha: str) -> tuple[CommitFact, ...] | None:
        """Who made the commits between a base and a head, None until GitHub knew everybody."""
        found = self.read(CommitList, commits_path(number, base_sha, head_sha))
        return None if found is None else found.commits

    def commit_lists(self) -> list[tuple[int, str, str]]:
        """(pull request, base, head) of every list of commits."""
        parts = [path.split("/") for path in self.branch.paths("commits/")]
        return [(int(number), *_pair(name)) for _, number, name in parts]

    def commits_seen(self, number: int, base_sha: str, head_sha: str) -> datetime:
        """When the list of these commits was first written."""
        return self.first_written(commits_path(number, base_sha, head_sha))

    def contributed(self, model: str, since: datetime) -> Records[Contributed]:
        """Who changed a model in pull requests that were first seen after `since`; older ones are not read."""
        folder, first = f"{CONTRIBUTIONS}{model}/", f"{since:%Y%m%dT%H%M%S}"
        late = [path for path in self.branch.paths(folder) if path.removeprefix(folder)[: len(first)] >= first]
        return self.read_all(Contributed, late)

    def unlisted(self, since: datetime) -> list[tuple[int, str, str, datetime]]:
        """(pull request, base, head, first written) of lists of commits after `since` which no contribution is about.

        They are those of a ledger that was begun before contributions were listed.
        """
        if self.branch.get(ALL_LISTED) is not None:
            return []
        names = (_name(path) for path in self.branch.paths(CONTRIBUTIONS))
        listed = {name.partition("-")[2] for name in names}
        left = [one for one in self.commit_lists() if contribution_key(*one) not in listed]
        written = self.branch.written("commits/") if left else {}
        dated = [(*one, written[commits_path(*one)]) for one in left if commits_path(*one) in written]
        return [one for one in dated if one[3] > since]

    def is_contribution_listed(self, number: int, base_sha: str, head_sha: str, models: Collection[str]) -> bool:
        """Whether the people between a base and a head are listed with each of the models."""
        end = f"-{contribution_key(number, base_sha, head_sha)}.json"
        return all(
            any(path.endswith(end) for path in self.branch.paths(f"{CONTRIBUTIONS}{model}/")) for model in models
        )

    def parties(self, party: Party, number: int, head_sha: str) -> tuple[int, ...]:
        """Accounts that had to do with a head."""
        paths = self.branch.paths(parties_folder(number, head_sha, party))
        return tuple(sorted(int(_name(path)) for path in paths))

    def handled(self, number: int, comment_id: int) -> bytes | None:
        """The note on the commands of a comment as JSON, None while none was carried out or refused."""
        return self.branch.get(handled_path(number, comment_id))

    def is_told(self, number: int, comment_id: int) -> bool:
        """Whether a comment was answered in a status, since nobody may write where it stands."""
        return self.branch.get(told_path(number, comment_id)) is not None

    def used_since(self, account: int, verb: str, since: datetime, now: datetime) -> int:
        """How often somebody did this by comments after `since` (aware), a day before `now` at most."""
        notes = [json.loads(note) for at in (since, now) for note in self.acted(account, at.isoformat())]
        recent = [one["verbs"] for one in notes if datetime.fromisoformat(one["at"]) > since]
        return [verb for verbs in recent for verb in verbs].count(verb)

    def acted(self, author: int, day: str) -> list[bytes]:
        """What a person's commands did on a day (of RFC 3339, UTC), as JSON: the verbs, and when."""
        notes = (self.branch.get(path) for path in self.branch.paths(acted_folder(author, day)))
        return [note for note in notes if note is not None]

    def accepted(self, number: int, comment_id: int) -> Records[Accepted]:
        """What the bot accepted of a comment before it started runs for it."""
        return self.read_all(Accepted, self.branch.paths(accepted_folder(number, comment_id)))

    def groups(self, number: int) -> Records[Grouped]:
        """The merge groups that a pull request was in."""
        return self.read_all(Grouped, self.branch.paths(grouped_folder(number)))

    def is_stopped(self, sha: str) -> bool:
        """Whether a merge group holds a pull request whose merge was no longer approved."""
        return self.branch.get(stopped_path(sha)) is not None

    def is_reproduction_asked(self, number: int, head_sha: str, day: str) -> bool:
        """Whether the bot asked by itself on that day for a head to be trained again."""
        return self.branch.get(reproducing_path(number, head_sha, day)) is not None

    def is_measured_again(self, number: int, head_sha: str, gates_digest: str) -> bool:
        """Whether the evaluation that these gates ask for was started."""
        return self.branch.get(measuring_path(number, head_sha, gates_digest)) is not None


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _pair(name: str) -> tuple[str, str]:
    base, _, head = name.removesuffix(".json").partition("-")
    return base, head
