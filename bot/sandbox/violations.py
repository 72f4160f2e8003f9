"""What each rule says about a change of a ref: one function a rule, in the sentences that GitHub prints.

The sentences are those that people quote from `git push` and from the REST API. They were read in public threads, e.g.
https://github.com/gleam-lang/gleam/pull/6080, https://github.com/vercel/sandbox/pull/169,
https://github.com/googleapis/release-please-action/issues/1194, https://github.com/georust/proj/pull/178.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bot.sandbox import opinions
from bot.sandbox.hub import Hub
from bot.sandbox.patterns import matches
from bot.sandbox.shapes.actions import shown
from bot.sandbox.shapes.basics import ACTIONS_APP
from bot.sandbox.shapes.commits import latest_statuses
from bot.sandbox.store import Issue, Repository


@dataclass(frozen=True)
class Violation:
    """`commits` are those that broke the rule, where GitHub lists them. `classic` is a branch protection's."""

    sentence: str
    commits: tuple[str, ...] = ()
    classic: bool = False


@dataclass(frozen=True)
class Change:
    """A ref moves: `old` None makes it, `new` None deletes it. With `pull` a merge by `method`, and `new` its head."""

    hub: Hub = field(repr=False)
    repository: Repository = field(repr=False)
    ref: str
    old: str | None
    new: str | None
    pull: Issue | None = None
    method: str = ""

    @property
    def word(self) -> str:
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    @property
    def name(self) -> str:
        return self.ref.split("/", 2)[-1]

    @functools.cached_property
    def commits(self) -> list[Any]:
        """What comes with the change: after `old`, or for a new ref what no other ref holds."""
        bare = self.hub.bare(self.repository)
        tip = bare.commit(self.new) if self.new else None
        if tip is None:
            return []
        before = bare.commit(self.old) if self.old else None
        if before is not None:
            return bare.between(str(before.id), str(tip.id))
        return [bare.commit(sha) for sha in bare.unreachable(str(tip.id))]

    @functools.cached_property
    def forced(self) -> bool:
        bare = self.hub.bare(self.repository)
        if self.pull or self.old is None or self.new is None:
            return False
        before, after = bare.commit(self.old), bare.commit(self.new)
        return before is None or after is None or bare.merge_base(str(before.id), str(after.id)) != str(before.id)

    @functools.cached_property
    def paths(self) -> list[str]:
        """Files that new commits of a push change."""
        return self.hub.bare(self.repository).new_paths(self.new) if self.new and not self.pull else []


Parameters = Mapping[str, Any]
Found = Iterable[Violation]


def _creation(change: Change, _: Parameters) -> Found:
    if change.old is None and change.new:
        yield Violation("Cannot create ref due to creations being restricted.")


def _update(change: Change, _: Parameters) -> Found:
    if change.old and change.new:
        yield Violation("Cannot update this protected ref.")


def _deletion(change: Change, _: Parameters) -> Found:
    if change.new is None:
        yield Violation(f"Cannot delete this {change.word}")


def _non_fast_forward(change: Change, _: Parameters) -> Found:
    if change.forced:
        yield Violation(f"Cannot force-push to this {change.word}")


def _linear(change: Change, _: Parameters) -> Found:
    sentence = "This branch must not contain merge commits."
    if change.pull:
        if change.method == "merge":
            yield Violation(sentence)
        return
    if merges := tuple(str(one.id) for one in change.commits if len(one.parent_ids) > 1):
        yield Violation(sentence, merges)


def _signatures(change: Change, _: Parameters) -> Found:
    sentence = "Commits must have verified signatures."
    if change.method == "squash":
        return  # the one commit that comes of it is GitHub's own
    made = set() if change.method == "rebase" else set(change.repository.signed)  # a rebase signs nothing
    if unsigned := tuple(str(one.id) for one in reversed(change.commits) if str(one.id) not in made):
        yield Violation(sentence, () if change.pull else unsigned)


def _merge_queue(change: Change, _: Parameters) -> Found:
    if change.new and (change.pull or change.old or change.commits):
        yield Violation("Changes must be made through the merge queue")


def _pull_request(change: Change, parameters: Parameters) -> Found:
    if change.pull is None:
        if change.new and (change.old or change.commits):
            yield Violation("Changes must be made through a pull request.")
        return
    sentence = opinions.missing(change.hub, change.repository, change.pull, parameters)
    if sentence is not None:
        yield Violation(sentence)


_STATUS = {"failure": "failing", "error": "errored"}
_RUN = {"queued": "queued", "in_progress": "in progress", "failure": "failing"}


def states(hub: Hub, repository: Repository, sha: str) -> dict[str, list[tuple[str, int | None]]]:
    """(state in GitHub's words, app) by context of what statuses and jobs of runs say about a commit."""
    found: dict[str, list[tuple[str, int | None]]] = {}
    for status in latest_statuses(repository, sha):
        found.setdefault(status.context, []).append((_STATUS.get(status.state, status.state), status.app))
    for run in hub.data.runs:
        if run.repository == repository.full_name and run.sha == sha:
            for job in run.jobs:
                state = job.result or ("in_progress" if run.status != "completed" else run.conclusion or "failure")
                good = state in ("success", "skipped", "neutral")
                said = "success" if good else _RUN.get(state, state)
                found.setdefault(shown(run, job), []).append((said, ACTIONS_APP))
    return found


WRONG_APP = "not set by the expected GitHub app"


def missing(change: Change, required: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Context -> state of the required checks that are not green at the new commit."""
    known, found = states(change.hub, change.repository, change.new or ""), {}
    for one in required:
        app = one.get("integration_id")
        listed = known.get(one["context"], [])
        right = [state for state, by in listed if app in (None, -1, by)]
        state = right[-1] if right else WRONG_APP if listed else "expected"
        if state != "success":
            found[one["context"]] = state
    return found


def _status_checks(change: Change, parameters: Parameters) -> Found:
    if change.new is None or (change.old is None and parameters.get("do_not_enforce_on_create")):
        return
    required = parameters["required_status_checks"]
    found = missing(change, required)
    if len(found) == 1:
        name, state = next(iter(found.items()))
        verb = "was" if state == WRONG_APP else "is"
        yield Violation(f'Required status check "{name}" {verb} {state}.')
    elif found:
        yield Violation(_several(list(found.values()), len(required)))


def _several(found: list[str], n_required: int) -> str:
    """GitHub counts states when more than one check is missing, and names none."""
    words = {"expected": "are expected", "in progress": "are in progress"}
    if len(found) == n_required and len(set(found)) == 1 and found[0] in words:
        return f"{n_required} of {n_required} required status checks {words[found[0]]}."
    counts = [f"{found.count(state)} {state}" for state in dict.fromkeys(found)]
    listed = " and ".join([", ".join(counts[:-1]), counts[-1]] if len(counts) > 1 else counts)
    return f"{len(found)} of {n_required} required status checks have not succeeded: {listed}."


_WORDS = {
    "starts_with": "start with a matching pattern",
    "ends_with": "end with a matching pattern",
    "contains": "contain a matching pattern",
    "regex": "match a given regex pattern",
}


def _fits(text: str, parameters: Parameters) -> bool:
    pattern, operator = parameters["pattern"], parameters["operator"]
    hit = {
        "starts_with": lambda: text.startswith(pattern),
        "ends_with": lambda: text.endswith(pattern),
        "contains": lambda: pattern in text,
        "regex": lambda: re.search(pattern, text) is not None,
    }[operator]()
    return bool(hit) != bool(parameters.get("negate"))


def _wanted(subject: str, parameters: Parameters) -> str:
    never = "not " if parameters.get("negate") else ""
    return f"{subject} must {never}{_WORDS[parameters['operator']]}: {parameters['pattern']}"


def _name(word: str) -> Callable[[Change, Parameters], Found]:
    def check(change: Change, parameters: Parameters) -> Found:
        if change.word == word and change.new and not change.pull and not _fits(change.name, parameters):
            yield Violation(_wanted(f"{word.capitalize()} name", parameters))

    return check


def _metadata(subject: str, text: Callable[[Any], str]) -> Callable[[Change, Parameters], Found]:
    def check(change: Change, parameters: Parameters) -> Found:
        if change.method == "squash":
            return
        wrong = tuple(str(one.id) for one in reversed(change.commits) if not _fits(text(one), parameters))
        if wrong:
            yield Violation(_wanted(subject, parameters), () if change.pull else wrong)

    return check


def _paths(test: Callable[[PurePosixPath, Parameters], bool], sentence: str) -> Callable[[Change, Parameters], Found]:
    def check(change: Change, parameters: Parameters) -> Found:
        if any(test(PurePosixPath(path), parameters) for path in change.paths):
            yield Violation(sentence)

    return check


def _is_restricted(path: PurePosixPath, parameters: Parameters) -> bool:
    return any(matches(pattern, str(path)) for pattern in parameters["restricted_file_paths"])


def _has_extension(path: PurePosixPath, parameters: Parameters) -> bool:
    return any(path.name.endswith(end.lstrip("*")) for end in parameters["restricted_file_extensions"])


def _file_size(change: Change, parameters: Parameters) -> Found:
    """`max_file_size` is in MB."""
    limit = parameters["max_file_size"]
    if change.new and not change.pull:
        sizes = change.hub.bare(change.repository).new_sizes(change.new)
        if max(sizes, default=0) > limit * 1024 * 1024:
            yield Violation(f"File size exceeds the limit of {limit} MB")


def _not_authorised(change: Change, _: Parameters) -> Found:
    if change.new:
        where = "https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository"
        page = f"{where}/managing-protected-branches/about-protected-branches"
        yield Violation(f"You're not authorized to push to this branch. Visit {page} for more information.")


def _locked(change: Change, _: Parameters) -> Found:
    if change.new:
        yield Violation("Cannot change this locked branch")


# rule -> what it finds, in the order in which GitHub prints them
CHECKS: dict[str, Callable[[Change, Parameters], Found]] = {
    "creation": _creation,
    "deletion": _deletion,
    "non_fast_forward": _non_fast_forward,
    "update": _update,
    "required_linear_history": _linear,
    "required_signatures": _signatures,
    "merge_queue": _merge_queue,
    "pull_request": _pull_request,
    "required_status_checks": _status_checks,
    "branch_name_pattern": _name("branch"),
    "tag_name_pattern": _name("tag"),
    "commit_message_pattern": _metadata("Commit message", lambda one: str(one.message)),
    "commit_author_email_pattern": _metadata("Author email", lambda one: str(one.author.email)),
    "committer_email_pattern": _metadata("Committer email", lambda one: str(one.committer.email)),
    "file_path_restriction": _paths(_is_restricted, "File path is restricted"),
    "file_extension_restriction": _paths(_has_extension, "File extension is restricted"),
    "max_file_path_length": _paths(
        lambda path, given: len(str(path)) > given["max_file_path_length"], "File path is too long"
    ),
    "max_file_size": _file_size,
    "restrictions": _not_authorised,
    "lock_branch": _locked,
}
