"""Pull requests: /repos/{owner}/{repo}/pulls."""

from __future__ import annotations

from bot.sandbox import events, history
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.merging import merge_pull
from bot.sandbox.routes import media
from bot.sandbox.routes.issues import R, issue_of, reword_issue, set_state
from bot.sandbox.shapes import commits as commit_shapes
from bot.sandbox.shapes import pulls as shapes
from bot.sandbox.store import Issue, Pull, Repository

PULLS = ("pull-requests",)


def pull_of(call: Call) -> tuple[Issue, Pull]:
    """The pull request in the path. Raises 404, also for an issue."""
    found = issue_of(call)
    if found.pull is None:
        raise not_found()
    return found, found.pull


def list_pulls(call: Call) -> Page:
    state, query = call.query.get("state", "open"), call.query
    found = [
        one
        for one in call.repo.issues.values()
        if one.pull is not None
        and state in ("all", one.state)
        and query.get("base", one.pull.base_ref) == one.pull.base_ref
        and query.get("head", label := f"{one.pull.head_repository.split('/')[0]}:{one.pull.head_ref}") == label
    ]
    key = {"updated": lambda one: (one.updated_at, one.number)}.get(query.get("sort", ""), lambda one: one.number)
    descending = query.get("direction", "desc") == "desc"
    return Page(sorted(found, key=key, reverse=descending), lambda one: shapes.simple(call.links, call.repo, one))


def create_pull(call: Call) -> Reply:
    hub, repo, now = call.hub, call.repo, call.hub.clock()
    if call.by_run and not repo.runs_approve:
        raise ApiError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    title = call.text("title", resource="PullRequest", limit=256)
    body = call.text("body", resource="PullRequest", default="")
    base, head = call.text("base", resource="PullRequest"), call.text("head", resource="PullRequest")
    base_sha = hub.bare(repo).branch(base)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    source, branch = _source(call, head)
    head_sha = hub.bare(source).branch(branch)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    _refuse_duplicates(repo, source, branch, base)
    found = Issue(hub.next_id(), repo.last_number + 1, title, body, call.login, now, now)
    found.pull = Pull(source.full_name, branch, head_sha, base, base_sha, draft=bool(call.get("draft", False)))
    events.refresh(hub, repo, found)
    if hub.bare(repo).merge_base(base_sha, head_sha) == head_sha:
        raise _custom(f"No commits between {base} and {head}")
    repo.last_number += 1
    repo.issues[found.number] = found
    history.record(hub, repo, found.number, call.login, "opened", {"base": base_sha, "after": head_sha})
    history.mention(hub, repo, found.number, call.login, body)
    events.pull_event(hub, repo, found, "opened", call.login, call.by_run)
    return Reply(shapes.pull_request(call.links, repo, found), 201)


def _custom(message: str) -> ApiError:
    return ApiError(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])


def _source(call: Call, head: str) -> tuple[Repository, str]:
    """`branch` of this repository, or `owner:branch` of a fork."""
    owner, _, branch = head.rpartition(":")
    if not owner or owner == call.repo.owner:
        if not call.at_least("write") and not call.by_run:
            raise ApiError(403, "Must be a collaborator")
        return call.repo, branch
    for one in call.hub.data.repositories.values():
        if one.owner == owner and one.parent == call.repo.full_name:
            return one, branch
    raise invalid("PullRequest", "head")


def _refuse_duplicates(repo: Repository, source: Repository, branch: str, base: str) -> None:
    for one in repo.issues.values():
        same = one.pull and (one.pull.head_repository, one.pull.head_ref, one.pull.base_ref)
        if one.state == "open" and same == (source.full_name, branch, base):
            raise _custom(f"A pull request already exists for {source.owner}:{branch}.")


def get_pull(call: Call) -> Reply:
    found, pull = pull_of(call)
    bare, ends = call.hub.bare(call.repo), shapes.range_of(call.links, call.repo, pull)
    kinds = {"diff": lambda: bare.diff(*ends), "patch": lambda: bare.patch(*ends)}
    return media.instead(call, kinds) or Reply(shapes.pull_request(call.links, call.repo, found))


def edit_pull(call: Call) -> Reply:
    found, pull = pull_of(call)
    hub, repo = call.hub, call.repo
    if found.author != call.login and not call.at_least("write"):
        raise ApiError(403, "Must have push access to repository")
    changes = reword_issue(call, found)
    found.updated_at = hub.clock()
    base = call.get("base")
    if base not in (None, pull.base_ref):
        sha = hub.bare(repo).branch(call.text("base", resource="PullRequest"))
        if sha is None:
            raise invalid("PullRequest", "base")
        events.retarget(hub, repo, found, base, sha, call.login, call.by_run, changes=changes)
    elif changes:
        events.pull_event(hub, repo, found, "edited", call.login, call.by_run, changes=changes)
    set_state(call, found)
    return Reply(shapes.pull_request(call.links, repo, found))


def list_commits(call: Call) -> Page:
    _, pull = pull_of(call)
    base, head = shapes.range_of(call.links, call.repo, pull)
    found = call.hub.bare(call.repo).between(base, head)[: shapes.COMMIT_CAP]
    return Page(found, lambda one: commit_shapes.commit(call.links, call.repo, one))


def list_files(call: Call) -> Page:
    _, pull = pull_of(call)
    base, head = shapes.range_of(call.links, call.repo, pull)
    found = call.hub.bare(call.repo).files(base, head)[:3000]
    return Page(found, lambda one: commit_shapes.diff_entry(call.links, call.repo, head, one))


def is_merged(call: Call) -> Reply:
    _, pull = pull_of(call)
    if pull.merged_at is None:
        raise not_found()
    return Reply(None, 204)


def merge(call: Call) -> Reply:
    found, _ = pull_of(call)
    sha = merge_pull(call, found)
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def request_reviewers(call: Call) -> Reply:
    found, pull = pull_of(call)
    for login in call.get("reviewers") or []:
        name = call.hub.person(login).login
        if name == found.author:
            raise ApiError(422, "Review cannot be requested from pull request author.")
        if name not in pull.reviewers:
            pull.reviewers.append(name)
            who = call.links.account(name)
            history.record(call.hub, call.repo, found.number, call.login, "review_requested", about=name)
            events.pull_event(
                call.hub, call.repo, found, "review_requested", call.login, call.by_run, requested_reviewer=who
            )
    return Reply(shapes.simple(call.links, call.repo, found), 201)


def remove_reviewers(call: Call) -> Reply:
    found, pull = pull_of(call)
    for name in [call.hub.person(login).login for login in call.get("reviewers") or []]:
        if name in pull.reviewers:
            pull.reviewers.remove(name)
            history.record(call.hub, call.repo, found.number, call.login, "review_request_removed", about=name)
            who = call.links.account(name)
            events.pull_event(
                call.hub, call.repo, found, "review_request_removed", call.login, call.by_run, requested_reviewer=who
            )
    return Reply(shapes.simple(call.links, call.repo, found))


def ready(call: Call) -> Reply:
    """GitHub offers this by GraphQL only; here the page's button calls it."""
    return _draft(call, False)


def to_draft(call: Call) -> Reply:
    return _draft(call, True)


def _draft(call: Call, draft: bool) -> Reply:
    found, pull = pull_of(call)
    if found.author != call.login and not call.at_least("write"):
        raise ApiError(403, "Must have push access to repository")
    if pull.draft == draft:
        return Reply(shapes.pull_request(call.links, call.repo, found))
    pull.draft = draft
    kind = "convert_to_draft" if draft else "ready_for_review"
    history.record(call.hub, call.repo, found.number, call.login, kind)
    action = "converted_to_draft" if draft else "ready_for_review"
    events.pull_event(call.hub, call.repo, found, action, call.login, call.by_run)
    return Reply(shapes.pull_request(call.links, call.repo, found))


def requested_reviewers(call: Call) -> Reply:
    _, pull = pull_of(call)
    return Reply({"users": [call.links.account(login) for login in pull.reviewers], "teams": []})


def no_review_comments(call: Call) -> Page:
    pull_of(call)
    return Page([], str)


ROUTES = [
    Route("GET", R + "/pulls", list_pulls, PULLS),
    Route("POST", R + "/pulls", create_pull, PULLS),
    Route("GET", R + "/pulls/{number}", get_pull, PULLS),
    Route("PATCH", R + "/pulls/{number}", edit_pull, PULLS),
    Route("GET", R + "/pulls/{number}/commits", list_commits, PULLS),
    Route("GET", R + "/pulls/{number}/files", list_files, PULLS),
    Route("GET", R + "/pulls/{number}/comments", no_review_comments, PULLS),
    Route("GET", R + "/pulls/{number}/merge", is_merged, PULLS),
    Route("PUT", R + "/pulls/{number}/merge", merge, ("contents",), "write"),
    Route("GET", R + "/pulls/{number}/requested_reviewers", requested_reviewers, PULLS),
    Route("POST", R + "/pulls/{number}/requested_reviewers", request_reviewers, PULLS, "write"),
    Route("DELETE", R + "/pulls/{number}/requested_reviewers", remove_reviewers, PULLS, "write"),
    Route("POST", R + "/pulls/{number}/ready_for_review", ready, ("never",)),
    Route("POST", R + "/pulls/{number}/convert_to_draft", to_draft, ("never",)),
]
