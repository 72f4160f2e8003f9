"""Lists that clients ask for by the way: repositories of somebody, organizations, contributors, assignees, a README."""

from __future__ import annotations

from collections import Counter

from bot.sandbox.http import Call, Page, Reply, Route, not_found
from bot.sandbox.people import RANKS
from bot.sandbox.routes.commits import CONTENTS
from bot.sandbox.routes.issues import SPEAK, R
from bot.sandbox.routes.people import organization
from bot.sandbox.shapes.repositories import full, minimal
from bot.sandbox.store import Repository

READMES = ("README.md", "README", "readme.md", "README.rst", "README.txt")
_LOG_CAP = 2000


def _seen(call: Call) -> list[Repository]:
    token = call.token
    found = list(call.hub.data.repositories.values())
    if token is None or token.permissions is not None:
        return [one for one in found if not one.private or token is not None]
    return [one for one in found if call.hub.permission(one, token.login) != "none"]


def my_repositories(call: Call) -> Page:
    """Those that the caller owns or works in."""
    mine = [one for one in _seen(call) if call.login in one.permissions or one.owner == call.login]
    return Page(mine, lambda one: full(call.links, one, call.hub.permission(one, call.login)))


def their_repositories(call: Call) -> Page:
    owner = call.params["org"] if "org" in call.params else call.hub.person(call.params["login"]).login
    if "org" in call.params:
        organization(call)
    return Page([one for one in _seen(call) if one.owner == owner], lambda one: minimal(call.links, one))


def my_organizations(call: Call) -> Page:
    """Owners of repositories that are nobody's own, when the caller is in one of the teams."""
    belongs = any(call.login in team.members for team in call.hub.data.teams.values())
    owners = {one.owner for one in _seen(call)} - call.hub.data.people.keys()
    return Page(sorted(owners) if belongs else [], call.links.organization)


def contributors(call: Call) -> Page:
    """Accounts by the commits of the default branch that they wrote, the most first."""
    bare, counts = call.hub.bare(call.repo), Counter[str]()
    tip = bare.branch(call.repo.default_branch)
    for commit, _ in zip(bare.log(tip) if tip else (), range(_LOG_CAP), strict=False):
        known = call.hub.by_email(commit.author.email)
        counts.update([known.login] if known else [])
    return Page(
        counts.most_common(), lambda pair: call.links.user(call.hub.person(pair[0])) | {"contributions": pair[1]}
    )


def assignees(call: Call) -> Page:
    least = RANKS.index("triage")
    names = [name for name in call.repo.permissions if RANKS.index(call.hub.permission(call.repo, name)) >= least]
    return Page(names, lambda name: call.links.account(name))


def milestones(_: Call) -> Page:
    """Nobody plans here."""
    return Page([], str)


def topics(_: Call) -> Reply:
    return Reply({"names": []})


def readme(call: Call) -> Reply:
    """Its entry and bytes, as the contents of the file are answered."""
    from bot.sandbox.server import perform

    rev = call.query.get("ref") or call.repo.default_branch
    names = call.hub.bare(call.repo).folder(rev, "")
    found = next((name for name in READMES if name in names), None)
    if found is None:
        raise not_found()
    return perform(call, "GET", f"/repos/{call.repo.full_name}/contents/{found}", None)


ROUTES = [
    Route("GET", "/user/repos", my_repositories, ("never",)),
    Route("GET", "/user/orgs", my_organizations, ("never",)),
    Route("GET", "/users/{login}/repos", their_repositories),
    Route("GET", "/orgs/{org}/repos", their_repositories),
    Route("GET", R + "/contributors", contributors),
    Route("GET", R + "/assignees", assignees, SPEAK),
    Route("GET", R + "/milestones", milestones, SPEAK),
    Route("GET", R + "/topics", topics),
    Route("GET", R + "/readme", readme, CONTENTS),
]
