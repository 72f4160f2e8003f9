"""What a query can do: each mutation is the call of the REST API that does the same, made as the same caller."""

from __future__ import annotations

from bot.sandbox.graphql.context import Context
from bot.sandbox.graphql.fields import pull_mutations
from bot.sandbox.graphql.fields.acting import (
    Given,
    Mutation,
    Payload,
    edge,
    edit,
    home_of,
    issue_path,
    kept,
    logins,
)
from bot.sandbox.graphql.fields.interface import Args, Field
from bot.sandbox.graphql.fields.refs import ref
from bot.sandbox.graphql.fields.written import REACTIONS
from bot.sandbox.graphql.nodes import must_find
from bot.sandbox.graphql.thing import Thing
from bot.sandbox.http import ApiError

# --- comments and reactions


def _add_comment(at: Context, given: Given) -> Payload:
    subject = must_find(at, given["subjectId"], "Issue", "PullRequest")
    made = at.rest("POST", f"{issue_path(subject)}/comments", {"body": given["body"]})
    found = edge(Thing("IssueComment", subject.repo.comments[made["id"]], subject.repo))
    return {"commentEdge": found, "timelineEdge": found, "subject": subject}


def _update_comment(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "IssueComment")
    at.rest("PATCH", f"{home_of(found)}/issues/comments/{found.key}", {"body": given["body"]})
    return {"issueComment": found}


def _delete_comment(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "IssueComment")
    at.rest("DELETE", f"{home_of(found)}/issues/comments/{found.key}")
    return {}


def _reactions_of(subject: Thing) -> str:
    if subject.kind == "IssueComment":
        return f"{home_of(subject)}/issues/comments/{subject.key}/reactions"
    return f"{issue_path(subject)}/reactions"


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


# --- issues


def _create_issue(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    made = at.rest("POST", f"{home_of(home)}/issues", kept(given, {"title": "title", "body": "body"}))
    found = Thing("Issue", home.repo.issues[made["number"]], home.repo)
    edit(at, found, given)
    return {"issue": found}


def _update_issue(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "Issue", "PullRequest")
    body = kept(given, {"title": "title", "body": "body"})
    if given.get("state"):
        body["state"] = given["state"].lower()
    if body:
        at.rest("PATCH", issue_path(found), body)
    edit(at, found, given)
    return {"issue": found, "actor": at.account(at.login)}


def _issue_state(state: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found = must_find(at, given["issueId"], "Issue")
        reason = {"state_reason": given["stateReason"].lower()} if given.get("stateReason") else {}
        at.rest("PATCH", issue_path(found), {"state": state, **reason})
        return {"issue": found}

    return mutation


def _lock(method: str, name: str) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found = must_find(at, given["lockableId"], "Issue", "PullRequest")
        reason = given.get("lockReason")
        words = {"OFF_TOPIC": "off-topic", "TOO_HEATED": "too heated", "RESOLVED": "resolved", "SPAM": "spam"}
        at.rest(method, f"{issue_path(found)}/lock", {"lock_reason": words[reason]} if reason else {})
        return {name: found, "actor": at.account(at.login)}

    return mutation


def _add_labels(at: Context, given: Given) -> Payload:
    found = must_find(at, given["labelableId"], "Issue", "PullRequest")
    names = [must_find(at, one, "Label").value.name for one in given["labelIds"]]
    at.rest("POST", f"{issue_path(found)}/labels", {"labels": names})
    return {"labelable": found}


def _remove_labels(at: Context, given: Given) -> Payload:
    found = must_find(at, given["labelableId"], "Issue", "PullRequest")
    for one in given["labelIds"]:
        name = must_find(at, one, "Label").value.name
        if name in found.value.labels:
            at.rest("DELETE", f"{issue_path(found)}/labels/{name}")
    return {"labelable": found}


def _assignees(keep: bool) -> Mutation:
    def mutation(at: Context, given: Given) -> Payload:
        found, named = must_find(at, given["assignableId"], "Issue", "PullRequest"), logins(at, given["assigneeIds"])
        rest = [one for one in found.value.assignees if one not in named]
        at.rest("PATCH", issue_path(found), {"assignees": [*rest, *named] if keep else rest})
        return {"assignable": found}

    return mutation


# --- labels and refs of a repository


def _create_label(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    body = kept(given, {"name": "name", "color": "color", "description": "description"})
    made = at.rest("POST", f"{home_of(home)}/labels", body)
    return {"label": Thing("Label", home.repo.labels[made["name"]], home.repo)}


def _delete_label(at: Context, given: Given) -> Payload:
    found = must_find(at, given["id"], "Label")
    at.rest("DELETE", f"{home_of(found)}/labels/{found.value.name}")
    return {}


def _create_ref(at: Context, given: Given) -> Payload:
    home = must_find(at, given["repositoryId"], "Repository")
    at.rest("POST", f"{home_of(home)}/git/refs", {"ref": given["name"], "sha": given["oid"]})
    return {"ref": ref(home.repo, given["name"], given["oid"])}


def _update_ref(at: Context, given: Given) -> Payload:
    found = must_find(at, given["refId"], "Ref")
    body = {"sha": given["oid"], "force": bool(given.get("force"))}
    at.rest("PATCH", f"{home_of(found)}/git/{found.key}", body)
    return {"ref": ref(found.repo, found.key, given["oid"])}


def _delete_ref(at: Context, given: Given) -> Payload:
    found = must_find(at, given["refId"], "Ref")
    at.rest("DELETE", f"{home_of(found)}/git/{found.key}")
    return {}


MUTATIONS: dict[str, Mutation] = {
    "addComment": _add_comment,
    "updateIssueComment": _update_comment,
    "deleteIssueComment": _delete_comment,
    "addReaction": _add_reaction,
    "removeReaction": _remove_reaction,
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
    **pull_mutations.MUTATIONS,
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
