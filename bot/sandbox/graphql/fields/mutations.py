"""What a query can do: each mutation is the call of the REST API that does the same, made as the same caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields.interface import Args, Field
from bot.sandbox.graphql.fields.refs import ref
from bot.sandbox.graphql.fields.written import REACTIONS
from bot.sandbox.graphql.nodes import must_find
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError

Given = Mapping[str, Any]
Payload = dict[str, Any]
Mutation = Callable[[Context, Given], Payload]


def _home(thing: Thing) -> str:
    return f"/repos/{thing.repo.full_name}"


def _issue(thing: Thing) -> str:
    """Where the REST API has an issue or pull request."""
    return f"{_home(thing)}/issues/{thing.value.number}"


def _pull(at: Context, given: Given, name: str = "pullRequestId") -> tuple[Thing, str]:
    found = must_find(at, given[name], "PullRequest")
    return found, f"{_home(found)}/pulls/{found.value.number}"


def _kept(given: Given, names: Mapping[str, str]) -> dict[str, Any]:
    """What was given, under the REST API's names."""
    return {key: given[name] for name, key in names.items() if given.get(name) is not None}


def _edge(thing: Thing) -> dict[str, Any]:
    return {"node": thing, "cursor": thing.key}


def _logins(at: Context, ids: list[str]) -> list[str]:
    return [must_find(at, one, "User").value.login for one in ids]


# --- comments and reactions


def _add_comment(at: Context, given: Given) -> Payload:
    subject = must_find(at, given["subjectId"], "Issue", "PullRequest")
    made = at.rest("POST", f"{_issue(subject)}/comments", {"body": given["body"]})
    edge = _edge(Thing("IssueComment", subject.repo.comments[made["id"]], subject.repo))
    return {"commentEdge": edge, "timelineEdge": edge, "subject": subject}


def _update_comment(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "IssueComment")
    at.rest("PATCH", f"{_home(found)}/issues/comments/{found.key}", {"body": given["body"]})
    return {"issueComment": found}


def _delete_comment(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "IssueComment")
    at.rest("DELETE", f"{_home(found)}/issues/comments/{found.key}")
    return {}


def _reactions_of(subject: Thing) -> str:
    if subject.kind == "IssueComment":
        return f"{_home(subject)}/issues/comments/{subject.key}/reactions"
    return f"{_issue(subject)}/reactions"


def _add_reaction(at: Context, given: Given) -> Payload:
    subject = must_find(at, given["subjectId"], "IssueComment", "Issue", "PullRequest")
    word = next(word for word, name in REACTIONS.items() if name == given["content"])
    made = at.rest("POST", _reactions_of(subject), {"content": word})
    found = next(one for one in subject.repo.reactions if one.id == made["id"])
    return {"reaction": Thing("Reaction", found, subject.repo), "subject": subject}


def _remove_reaction(at: Context, given: Given) -> Payload:
    subject = must_find(at, given["subjectId"], "IssueComment", "Issue", "PullRequest")
    word = next(word for word, name in REACTIONS.items() if name == given["content"])
    mine = [one for one in subject.repo.reactions if one.comment == subject.value.id and one.content == word]
    found = next((one for one in mine if one.author == at.login), None)
    if found is None:
        raise ApiError(404, "Could not find the reaction")
    at.rest("DELETE", f"{_reactions_of(subject)}/{found.id}")
    return {"reaction": Thing("Reaction", found, subject.repo), "subject": subject}


# --- reviews


def _review(pull: Thing, made: Mapping[str, Any]) -> Payload:
    found = Thing("PullRequestReview", pull.repo.reviews[made["id"]], pull.repo)
    return {"pullRequestReview": found, "reviewEdge": _edge(found)}


def _add_review(at: Context, given: Given) -> Payload:
    pull, path = _pull(at, given)
    body = _kept(given, {"body": "body", "event": "event", "commitOID": "commit_id"})
    return _review(pull, at.rest("POST", f"{path}/reviews", body))


def _review_path(at: Context, given: Given) -> tuple[Thing, str]:
    """The named review, or the caller's pending one of the named pull request."""
    if given.get("pullRequestReviewId"):
        found = must_find(at, given["pullRequestReviewId"], "PullRequestReview")
    else:
        pull, _ = _pull(at, given)
        mine = [one for one in pull.repo.reviews.values() if (one.number, one.author) == (pull.value.number, at.login)]
        pending = [one for one in mine if one.state == "PENDING"]
        if not pending:
            raise ApiError(404, "Could not find a pending review")
        found = Thing("PullRequestReview", pending[-1], pull.repo)
    return found, f"{_home(found)}/pulls/{found.value.number}/reviews/{found.key}"


def _submit_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("POST", f"{path}/events", _kept(given, {"body": "body", "event": "event"})))


def _dismiss_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("PUT", f"{path}/dismissals", {"message": given["message"]}))


def _update_review(at: Context, given: Given) -> Payload:
    found, path = _review_path(at, given)
    return _review(found, at.rest("PUT", path, {"body": given["body"]}))


def _request_reviews(at: Context, given: Given) -> Payload:
    """Asks everybody named; without `union` those who were asked before are asked no longer."""
    pull, path = _pull(at, given)
    wanted = _logins(at, given.get("userIds") or [])
    teams = [must_find(at, one, "Team").value.slug for one in given.get("teamIds") or []]
    if not given.get("union"):
        gone = [one for one in pull.value.pull.reviewers if one not in wanted]
        if gone:
            at.rest("DELETE", f"{path}/requested_reviewers", {"reviewers": gone})
    if wanted or teams:
        at.rest("POST", f"{path}/requested_reviewers", {"reviewers": wanted, "team_reviewers": teams})
    return {"pullRequest": pull, "requestedReviewersEdge": None}


# --- pull requests


def _create_pull(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    names = {"title": "title", "body": "body", "baseRefName": "base", "headRefName": "head", "draft": "draft"}
    body = _kept(given, names)
    if given.get("headRepositoryId"):
        body["head"] = f"{must_find(at, given['headRepositoryId'], 'Repository').repo.owner}:{given['headRefName']}"
    made = at.rest("POST", f"{_home(home)}/pulls", body)
    return {"pullRequest": Thing("PullRequest", home.repo.issues[made["number"]], home.repo)}


def _edit(at: Context, found: Thing, given: Given) -> None:
    """Labels and assignees, which issues and pull requests have alike."""
    body: dict[str, Any] = {}
    if given.get("labelIds") is not None:
        body["labels"] = [must_find(at, one, "Label").value.name for one in given["labelIds"]]
    if given.get("assigneeIds") is not None:
        body["assignees"] = _logins(at, given["assigneeIds"])
    if body:
        at.rest("PATCH", _issue(found), body)


def _update_pull(at: Context, given: Given) -> Payload:
    pull, path = _pull(at, given)
    body = _kept(given, {"title": "title", "body": "body", "baseRefName": "base"})
    if given.get("state"):
        body["state"] = given["state"].lower()
    if body:
        at.rest("PATCH", path, body)
    _edit(at, pull, given)
    return {"pullRequest": pull}


def _pull_state(state: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        pull, path = _pull(at, given)
        at.rest("PATCH", path, {"state": state})
        return {"pullRequest": pull}

    return mutation


def _draft(word: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        pull, path = _pull(at, given)
        at.rest("POST", f"{path}/{word}")
        return {"pullRequest": pull}

    return mutation


def _merge(at: Context, given: Given) -> Payload:
    pull, path = _pull(at, given)
    names = {"commitHeadline": "commit_title", "commitBody": "commit_message", "expectedHeadOid": "sha"}
    body = _kept(given, names) | {"merge_method": given["mergeMethod"].lower()}
    at.rest("PUT", f"{path}/merge", body)
    return {"pullRequest": pull, "actor": at.account(at.login)}


def _auto_merge(at: Context, given: Given) -> Payload:
    """Refused: no repository here lets GitHub merge by itself."""
    _pull(at, given)
    raise ApiError(422, "Auto merge is not allowed for this repository")


# --- issues


def _create_issue(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    made = at.rest("POST", f"{_home(home)}/issues", _kept(given, {"title": "title", "body": "body"}))
    found = Thing("Issue", home.repo.issues[made["number"]], home.repo)
    _edit(at, found, given)
    return {"issue": found}


def _update_issue(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "Issue", "PullRequest")
    body = _kept(given, {"title": "title", "body": "body"})
    if given.get("state"):
        body["state"] = given["state"].lower()
    if body:
        at.rest("PATCH", _issue(found), body)
    _edit(at, found, given)
    return {"issue": found, "actor": at.account(at.login)}


def _issue_state(state: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found = must_find(at, given["issueId"], "Issue")
        reason = {"state_reason": given["stateReason"].lower()} if given.get("stateReason") else {}
        at.rest("PATCH", _issue(found), {"state": state, **reason})
        return {"issue": found}

    return mutation


def _lock(method: str, name: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found = must_find(at, given["lockableId"], "Issue", "PullRequest")
        reason = given.get("lockReason")
        words = {"OFF_TOPIC": "off-topic", "TOO_HEATED": "too heated", "RESOLVED": "resolved", "SPAM": "spam"}
        at.rest(method, f"{_issue(found)}/lock", {"lock_reason": words[reason]} if reason else {})
        return {name: found, "actor": at.account(at.login)}

    return mutation


def _add_labels(at: Context, given: Given) -> Payload:
    found = must_find(at, given["labelableId"], "Issue", "PullRequest")
    names = [must_find(at, one, "Label").value.name for one in given["labelIds"]]
    at.rest("POST", f"{_issue(found)}/labels", {"labels": names})
    return {"labelable": found}


def _remove_labels(at: Context, given: Given) -> Payload:
    found = must_find(at, given["labelableId"], "Issue", "PullRequest")
    for one in given["labelIds"]:
        name = must_find(at, one, "Label").value.name
        if name in found.value.labels:
            at.rest("DELETE", f"{_issue(found)}/labels/{name}")
    return {"labelable": found}


def _assignees(keep: bool) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found, named = must_find(at, given["assignableId"], "Issue", "PullRequest"), _logins(at, given["assigneeIds"])
        rest = [one for one in found.value.assignees if one not in named]
        at.rest("PATCH", _issue(found), {"assignees": [*rest, *named] if keep else rest})
        return {"assignable": found}

    return mutation


# --- labels and refs of a repository


def _create_label(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    body = _kept(given, {"name": "name", "color": "color", "description": "description"})
    made = at.rest("POST", f"{_home(home)}/labels", body)
    return {"label": Thing("Label", home.repo.labels[made["name"]], home.repo)}


def _delete_label(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "Label")
    at.rest("DELETE", f"{_home(found)}/labels/{found.value.name}")
    return {}


def _create_ref(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    at.rest("POST", f"{_home(home)}/git/refs", {"ref": given["name"], "sha": given["oid"]})
    return {"ref": ref(home.repo, given["name"], given["oid"])}


def _update_ref(at: Context, given: Given) -> Payload:
    found = must_find(at, given["refId"], "Ref")
    body = {"sha": given["oid"], "force": bool(given.get("force"))}
    at.rest("PATCH", f"{_home(found)}/git/{found.key}", body)
    return {"ref": ref(found.repo, found.key, given["oid"])}


def _delete_ref(at: Context, given: Given) -> Payload:
    found = must_find(at, given["refId"], "Ref")
    at.rest("DELETE", f"{_home(found)}/git/{found.key}")
    return {}


MUTATIONS: dict[str, Mutation] = {
    "addComment": _add_comment,
    "updateIssueComment": _update_comment,
    "deleteIssueComment": _delete_comment,
    "addReaction": _add_reaction,
    "removeReaction": _remove_reaction,
    "addPullRequestReview": _add_review,
    "submitPullRequestReview": _submit_review,
    "dismissPullRequestReview": _dismiss_review,
    "updatePullRequestReview": _update_review,
    "requestReviews": _request_reviews,
    "createPullRequest": _create_pull,
    "updatePullRequest": _update_pull,
    "closePullRequest": _pull_state("closed"),
    "reopenPullRequest": _pull_state("open"),
    "convertPullRequestToDraft": _draft("convert_to_draft"),
    "markPullRequestReadyForReview": _draft("ready_for_review"),
    "mergePullRequest": _merge,
    "enablePullRequestAutoMerge": _auto_merge,
    "createIssue": _create_issue,
    "updateIssue": _update_issue,
    "closeIssue": _issue_state("closed"),
    "reopenIssue": _issue_state("open"),
    "lockLockable": _lock("PUT", "lockedRecord"),
    "unlockLockable": _lock("DELETE", "unlockedRecord"),
    "addLabelsToLabelable": _add_labels,
    "removeLabelsFromLabelable": _remove_labels,
    "addAssigneesToAssignable": _assignees(True),
    "removeAssigneesFromAssignable": _assignees(False),
    "createLabel": _create_label,
    "deleteLabel": _delete_label,
    "createRef": _create_ref,
    "updateRef": _update_ref,
    "deleteRef": _delete_ref,
}


def _field(name: str, mutation: Mutation) -> Field:
    """In GraphQL's own words where a person has too low a role."""

    def field(_thing: None, at: Context, args: Args) -> Payload:
        given = args["input"]
        try:
            return mutation(at, given) | {"clientMutationId": given.get("clientMutationId")}
        except ApiError as error:
            if error.status != 403 or not str(error).startswith("Must have"):
                raise
            words = f"{at.login} does not have the correct permissions to execute `{name[0].upper()}{name[1:]}`"
            raise ApiError(403, words) from None

    return field


FIELDS: dict[str, dict[str, Field]] = {"Mutation": {name: _field(name, one) for name, one in MUTATIONS.items()}}
