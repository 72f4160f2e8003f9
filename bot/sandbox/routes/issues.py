"""Issues, comments, reactions, labels: /repos/{owner}/{repo}/issues and /labels."""

from __future__ import annotations

from typing import Any

from bot.sandbox import events, history
from bot.sandbox.http import ApiError, Call, Page, Reply, Route, invalid, not_found
from bot.sandbox.shapes import issues as shapes
from bot.sandbox.shapes.basics import iso
from bot.sandbox.store import Comment, Issue, Label

R = "/repos/{owner}/{repo}"
LOCKED = "https://help.github.com/articles/locking-conversations/"
SPEAK = ("issues", "pull-requests")  # either permission will do for comments and labels of a pull request


def issue_of(call: Call) -> Issue:
    """The issue or pull request in the path. Raises 404."""
    found = call.repo.issues.get(call.number())
    if found is None:
        raise not_found()
    if found.pull is None:
        _need_issues(call)
    return found


def _need_issues(call: Call) -> None:
    if not call.repo.switches.has_issues:
        raise ApiError(410, "Issues has been disabled in this repository.")


def list_issues(call: Call) -> Page:
    state, wanted = call.query.get("state", "open"), {n for n in call.query.get("labels", "").split(",") if n}
    found = [
        one
        for one in call.repo.issues.values()
        if state in ("all", one.state)
        and (one.pull or call.repo.switches.has_issues)
        and wanted <= set(one.labels)
        and call.query.get("creator", one.author) == one.author
    ]
    ordered = sorted(found, key=lambda one: one.number, reverse=call.query.get("direction", "desc") == "desc")
    return Page(ordered, lambda one: shapes.issue(call.links, call.repo, one))


def create_issue(call: Call) -> Reply:
    _need_issues(call)
    repo, hub, now = call.repo, call.hub, call.hub.clock()
    title = call.text("title", resource="Issue", limit=256)
    body = call.text("body", resource="Issue", default="")
    repo.last_number += 1
    found = Issue(hub.next_id(), repo.last_number, title, body, call.login, now, now)
    assignees = [hub.person(login).login for login in call.get("assignees") or []]
    repo.issues[found.number] = found
    history.mention(hub, repo, found.number, call.login, body)
    _put_labels(call, found, call.get("labels") or [])
    _assign(call, found, assignees)
    issue_event(call, found, "opened")
    return Reply(shapes.issue(call.links, repo, found), 201)


def get_issue(call: Call) -> Reply:
    return Reply(shapes.issue(call.links, call.repo, issue_of(call)))


def edit_issue(call: Call) -> Reply:
    found, repo = issue_of(call), call.repo
    if found.author != call.login and not call.at_least("triage"):
        raise ApiError(403, "Must have admin rights to Repository.")
    changes = reword_issue(call, found)
    if changes:
        issue_event(call, found, "edited", changes=changes)
    if call.get("labels") is not None:
        _put_labels(call, found, call.get("labels"), instead=True)
    if call.get("assignees") is not None:
        _assign(call, found, [call.hub.person(login).login for login in call.get("assignees")])
    set_state(call, found)
    found.updated_at = call.hub.clock()
    return Reply(shapes.issue(call.links, repo, found))


def reword_issue(call: Call, found: Issue) -> dict[str, Any]:
    """Take title and text from the call; what a webhook says of the change, empty when there is none."""
    changes: dict[str, Any] = {}
    title = call.text("title", resource="Issue", limit=256, default=found.title)
    if title != found.title:
        renamed = {"from": found.title, "to": title}
        history.record(call.hub, call.repo, found.number, call.login, "renamed", renamed)
        changes["title"], found.title = {"from": found.title}, title
    if "body" in (call.body or {}):
        text = call.text("body", resource="Issue", default="")
        before = history.reword(call.hub, found, call.login, text)
        changes |= {"body": {"from": before}} if before != text else {}
    return changes


def issue_event(call: Call, found: Issue, action: str, **parts: Any) -> None:
    """Announce what was done to an issue, or to a pull request under its own name."""
    if found.pull:
        events.pull_event(call.hub, call.repo, found, action, call.login, call.by_run, **parts)
    else:
        shape = shapes.payload(call.links, call.repo, found)
        events.announce(call.hub, call.repo, "issues", action, call.login, call.by_run, issue=shape, **parts)


def set_state(call: Call, found: Issue) -> None:
    """Close or reopen when the call asks for it. Raises 422 for another word."""
    state = call.get("state", found.state)
    if state not in ("open", "closed"):
        raise invalid("PullRequest" if found.pull else "Issue", "state")
    if state == found.state:
        return
    if state == "open":
        events.reopen(call.hub, call.repo, found, call.login, call.by_run)
        return
    reason = None if found.pull else call.get("state_reason") or "completed"
    events.close(call.hub, call.repo, found, call.login, call.by_run, reason)


def _assign(call: Call, found: Issue, logins: list[str]) -> None:
    """Make these the assignees, and tell of everybody who comes or goes."""
    came = [(login, "assigned") for login in logins if login not in found.assignees]
    gone = [(login, "unassigned") for login in found.assignees if login not in logins]
    found.assignees = list(logins)
    for login, kind in [*gone, *came]:
        history.record(call.hub, call.repo, found.number, call.login, kind, about=login)
        issue_event(call, found, kind, assignee=call.links.account(login))


def add_assignees(call: Call) -> Reply:
    found = issue_of(call)
    given = [call.hub.person(login).login for login in call.get("assignees") or []]
    _assign(call, found, list(dict.fromkeys([*found.assignees, *given])))
    return Reply(shapes.issue(call.links, call.repo, found), 201)


def remove_assignees(call: Call) -> Reply:
    found, given = issue_of(call), call.get("assignees") or []
    _assign(call, found, [login for login in found.assignees if login not in given])
    return Reply(shapes.issue(call.links, call.repo, found))


def list_comments(call: Call) -> Page:
    number, since = issue_of(call).number, call.query.get("since", "")
    found = [one for one in call.repo.comments.values() if one.number == number]
    return Page(
        [one for one in found if iso(one.updated_at) >= since],
        lambda one: shapes.comment(call.links, call.repo, one),
    )


def list_all_comments(call: Call) -> Page:
    return Page(list(call.repo.comments.values()), lambda one: shapes.comment(call.links, call.repo, one))


def create_comment(call: Call) -> Reply:
    found, repo, hub = issue_of(call), call.repo, call.hub
    if call.is_shut_out(found.locked):
        raise ApiError(403, "Unable to create comment because issue is locked.", docs=LOCKED)
    body = call.text("body", resource="IssueComment")
    if not body.strip():
        blank = {
            "resource": "IssueComment",
            "code": "unprocessable",
            "field": "data",
            "message": "Body cannot be blank",
        }
        raise ApiError(422, "Validation Failed", [blank])
    now = hub.clock()
    comment = Comment(hub.next_id(), found.number, call.login, body, now, now, call.app)
    repo.comments[comment.id] = comment
    found.updated_at = now
    history.mention(hub, repo, found.number, call.login, body)
    events.comment_event(hub, repo, comment, "created", call.login, call.by_run)
    return Reply(shapes.comment(call.links, repo, comment), 201)


def comment_of(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def get_comment(call: Call) -> Reply:
    return Reply(shapes.comment(call.links, call.repo, comment_of(call)))


def _may_change(call: Call, comment: Comment) -> None:
    if comment.author != call.login and not (call.at_least("write") or call.by_run):
        raise ApiError(403, "Must have admin rights to Repository.")


def edit_comment(call: Call) -> Reply:
    comment = comment_of(call)
    _may_change(call, comment)
    text = call.text("body", resource="IssueComment")
    before = history.reword(call.hub, comment, call.login, text)
    if before != text:
        changes = {"body": {"from": before}}
        events.comment_event(call.hub, call.repo, comment, "edited", call.login, call.by_run, changes=changes)
    return Reply(shapes.comment(call.links, call.repo, comment))


def delete_comment(call: Call) -> Reply:
    """Only that it was deleted is kept, by whom and whose it was: not what it said."""
    comment, repo = comment_of(call), call.repo
    _may_change(call, comment)
    history.record(call.hub, repo, comment.number, call.login, "comment_deleted", about=comment.author)
    events.comment_event(call.hub, repo, comment, "deleted", call.login, call.by_run)
    del repo.comments[comment.id]
    repo.reactions = [one for one in repo.reactions if one.comment != comment.id]
    return Reply(None, 204)


def _put_labels(call: Call, found: Issue, given: object, *, instead: bool = False) -> None:
    """Add labels, making those that the repository does not have; `instead` takes all others off."""
    if isinstance(given, dict):
        given = given.get("labels", [])
    if not isinstance(given, list):
        raise invalid("Label", "labels")
    names: list[Any] = [entry.get("name") if isinstance(entry, dict) else entry for entry in given]
    if not all(isinstance(name, str) and name for name in names):
        raise invalid("Label", "name")
    for gone in [name for name in found.labels if instead and name not in names]:
        found.labels.remove(gone)
        _label_event(call, found, "unlabeled", gone)
    for name in names:
        call.repo.labels.setdefault(name, Label(call.hub.next_id(), name))
        if name not in found.labels:
            found.labels.append(name)
            _label_event(call, found, "labeled", name)


def _label_event(call: Call, found: Issue, kind: str, name: str) -> None:
    label = call.repo.labels[name]
    seen = {"label": name, "color": label.color}
    history.record(call.hub, call.repo, found.number, call.login, kind, seen)
    issue_event(call, found, kind, label=shapes.label(call.links, call.repo, label))


def list_issue_labels(call: Call) -> Page:
    found = issue_of(call)
    return Page(found.labels, lambda name: shapes.label(call.links, call.repo, call.repo.labels[name]))


def add_issue_labels(call: Call) -> Reply:
    found = issue_of(call)
    _put_labels(call, found, call.body, instead=call.method == "PUT")
    return Reply(shapes.labels(call.links, call.repo, found.labels))


def remove_issue_label(call: Call) -> Reply:
    found, name = issue_of(call), call.params.get("name")
    gone = [name] if name is not None else list(found.labels)
    for one in gone:
        if one not in found.labels:
            raise ApiError(404, "Label does not exist")
        found.labels.remove(one)
        _label_event(call, found, "unlabeled", one)
    return Reply(None, 204) if name is None else Reply(shapes.labels(call.links, call.repo, found.labels))


def list_labels(call: Call) -> Page:
    return Page(list(call.repo.labels.values()), lambda one: shapes.label(call.links, call.repo, one))


def create_label(call: Call) -> Reply:
    name = call.text("name", resource="Label", limit=50)
    if name.lower() in {one.lower() for one in call.repo.labels}:
        raise invalid("Label", "name", "already_exists")
    color = call.text("color", resource="Label", default="ededed", limit=6)
    found = Label(call.hub.next_id(), name, color, call.get("description"))
    call.repo.labels[name] = found
    return Reply(shapes.label(call.links, call.repo, found), 201)


def get_label(call: Call) -> Reply:
    found = call.repo.labels.get(call.params["name"])
    if found is None:
        raise not_found()
    return Reply(shapes.label(call.links, call.repo, found))


def edit_label(call: Call) -> Reply:
    """Another name, colour or description; issues keep the label under its new name."""
    found = call.repo.labels.get(call.params["name"])
    if found is None:
        raise not_found()
    name = call.text("new_name", resource="Label", limit=50, default=found.name)
    if name.lower() != found.name.lower() and name.lower() in {one.lower() for one in call.repo.labels}:
        raise invalid("Label", "name", "already_exists")
    found.color = call.text("color", resource="Label", default=found.color, limit=6)
    found.description = call.get("description", found.description)
    old, found.name = found.name, name
    call.repo.labels = {one.name: one for one in call.repo.labels.values()}
    for issue in call.repo.issues.values():
        issue.labels = [name if one == old else one for one in issue.labels]
    return Reply(shapes.label(call.links, call.repo, found))


def delete_label(call: Call) -> Reply:
    if call.repo.labels.pop(call.params["name"], None) is None:
        raise not_found()
    for found in call.repo.issues.values():
        found.labels = [name for name in found.labels if name in call.repo.labels]
    return Reply(None, 204)


ROUTES = [
    Route("GET", R + "/issues", list_issues, SPEAK),
    Route("POST", R + "/issues", create_issue, ("issues",)),
    Route("GET", R + "/issues/comments", list_all_comments, SPEAK),
    Route("GET", R + "/issues/comments/{comment_id}", get_comment, SPEAK),
    Route("PATCH", R + "/issues/comments/{comment_id}", edit_comment, SPEAK),
    Route("DELETE", R + "/issues/comments/{comment_id}", delete_comment, SPEAK),
    Route("GET", R + "/issues/{number}", get_issue, SPEAK),
    Route("PATCH", R + "/issues/{number}", edit_issue, SPEAK),
    Route("GET", R + "/issues/{number}/comments", list_comments, SPEAK),
    Route("POST", R + "/issues/{number}/comments", create_comment, SPEAK),
    Route("POST", R + "/issues/{number}/assignees", add_assignees, SPEAK, "write"),
    Route("DELETE", R + "/issues/{number}/assignees", remove_assignees, SPEAK, "write"),
    Route("GET", R + "/issues/{number}/labels", list_issue_labels, SPEAK),
    Route("POST", R + "/issues/{number}/labels", add_issue_labels, SPEAK, "triage"),
    Route("PUT", R + "/issues/{number}/labels", add_issue_labels, SPEAK, "triage"),
    Route("DELETE", R + "/issues/{number}/labels", remove_issue_label, SPEAK, "triage"),
    Route("DELETE", R + "/issues/{number}/labels/{name}", remove_issue_label, SPEAK, "triage"),
    Route("GET", R + "/labels", list_labels, SPEAK),
    Route("POST", R + "/labels", create_label, SPEAK, "write"),
    Route("GET", R + "/labels/{name}", get_label, SPEAK),
    Route("PATCH", R + "/labels/{name}", edit_label, SPEAK, "write"),
    Route("DELETE", R + "/labels/{name}", delete_label, SPEAK, "write"),
]
