"""What can be seen without changing anything, by the id of docs/github-assumptions.md. Each returns what it saw."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.adapters.github_pull import snapshot
from tests.smoke_github.place import Different, NotCheckable, Place, expect, given

SHA = re.compile(r"[0-9a-f]{40}")


def actions_account(at: Place) -> str:
    user = at.get("/users/github-actions%5Bbot%5D")
    expect((user["id"], user["type"]) == (41898282, "Bot"), f"{user['id']} {user['type']}")
    return "github-actions[bot] is 41898282"


def ghost(at: Place) -> str:
    user = at.get("/users/ghost")
    expect(user["id"] == 10137, user["id"])
    return "ghost is 10137"


def nobody(at: Place) -> str:
    asked = {path: at.ask(path)[0] for path in (f"/users/{at.word}", f"{at.url}/collaborators/{at.word}/permission")}
    refused = [path for path, status in asked.items() if status == 403]
    expect(all(status in (403, 404) for status in asked.values()), asked)
    return "404" if not refused else f"404; not told of {refused}"


def account_by_number(at: Place) -> str:
    author = given(at.pulls, "pull request")[0]["user"]
    found = at.get(f"/user/{author['id']}")
    expect((found["id"], found["login"]) == (author["id"], author["login"]), f"{found['id']} {found['login']}")
    return f"user {author['id']} is found by number"


def role(at: Place) -> str:
    author = given([one["user"] for one in at.pulls if one["user"]["type"] == "User"], "person's pull request")[0]
    found = at.get(f"{at.url}/collaborators/{author['login']}/permission")
    expect(found["user"]["id"] == author["id"] and isinstance(found["role_name"], str), found)
    return f"role_name {found['role_name']} with the account's number"


def hidden_team(at: Place) -> str:
    status = at.ask(f"/orgs/{at.owner}/teams/{at.word}/members")[0]
    expect(status in (403, 404), status)
    return str(status)


def no_repository(at: Place) -> str:
    status = at.ask(f"/repos/{at.owner}/{at.word}")[0]
    expect(status == 404, status)
    return "404"


def pages(at: Place) -> str:
    status, headers, answer = at.ask(f"{at.url}/issues?state=all&per_page=1")
    given(status == 200 and answer and at.ask(f"{at.url}/issues?state=all&per_page=1&page=2")[2], "second issue")
    expect('rel="next"' in headers.get("link", ""), headers.get("link"))
    return 'Link with rel="next"'


def limits(at: Place) -> str:
    _, headers, _ = at.ask(at.url)
    named = [f"x-ratelimit-{word}" for word in ("limit", "remaining", "reset", "used")]
    expect(all(headers.get(name, "").isdigit() for name in named), {name: headers.get(name) for name in named})
    return f"{headers['x-ratelimit-limit']} an hour for this token"


def pull_request(at: Place) -> str:
    for one in given(at.pulls, "pull request"):
        ends = (one["head"]["sha"], one["base"]["sha"])
        expect(all(map(SHA.fullmatch, ends)) and isinstance(one["user"]["id"], int), ends)
        expect(one["merged"] is False or SHA.fullmatch(one["merge_commit_sha"] or ""), one["merge_commit_sha"])
    return f"{len(at.pulls)} looked at"


def merged_leads_back(at: Place) -> str:
    merged = given([one for one in at.pulls if one["merged"]], "merged pull request")[0]
    found = at.get(f"{at.url}/commits/{merged['merge_commit_sha']}/pulls")
    expect(merged["number"] in [one["number"] for one in found], [one["number"] for one in found])
    return f"#{merged['number']} by its merge commit"


def head_ref(at: Place) -> str:
    one = given([one for one in at.pulls if one["state"] == "open"], "open pull request")[0]
    done = at.git("ls-remote", "origin", f"refs/pull/{one['number']}/head")
    expect(done.stdout.partition("\t")[0] == one["head"]["sha"], done.stdout or done.stderr)
    return f"refs/pull/{one['number']}/head is the head"


def reviews(at: Place) -> str:
    lists = [at.get(f"{at.url}/pulls/{one['number']}/reviews?per_page=100") for one in at.pulls]
    found = given(max(lists, key=len, default=[]), "review")
    states = {"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"}
    for one in found:
        expect(one["state"] in states and (not one["commit_id"] or SHA.fullmatch(one["commit_id"])), one["state"])
    times = [one["submitted_at"] for one in found if one.get("submitted_at")]
    expect(times == sorted(times), times)
    return f"{len(found)} in order, each with its commit"


def comments_in_order(at: Place) -> str:
    ids = [one["id"] for one in given(at.comments, "comment")]
    expect(ids == sorted(ids), ids[:5])
    expect(all("performed_via_github_app" in one for one in at.comments), "performed_via_github_app is missing")
    return f"{len(ids)} by ascending id"


def statuses(at: Place) -> str:
    for sha in [one["head"]["sha"] for one in at.pulls]:
        listed = at.get(f"{at.url}/commits/{sha}/statuses?per_page=100")
        if listed:
            break
    else:
        raise NotCheckable("no status here")
    times = [datetime.fromisoformat(one["created_at"]) for one in listed]
    expect(times == sorted(times, reverse=True), "not the newest first")
    newest: dict[str, int] = {}
    for one in listed:
        newest.setdefault(one["context"], one["id"])
    combined = at.get(f"{at.url}/commits/{sha}/status?per_page=100")["statuses"]
    expect({one["context"]: one["id"] for one in combined} == newest, [one["context"] for one in combined])
    return f"{len(newest)} contexts, the newest of each"


def activity(at: Place) -> str:
    branch = f"refs/heads/{at.repository['default_branch']}"
    found = given(at.get(f"{at.url}/activity?ref={branch}&per_page=100"), "activity")
    for one in found:
        expect(SHA.fullmatch(one["after"]) and one["ref"] == branch and "activity_type" in one, one)
    expect(found[0]["after"] == at.head, found[0]["after"])
    times = [one["timestamp"] for one in found]
    expect(times == sorted(times, reverse=True), "not the newest first")
    return f"{len(found)} moves, the newest first"


def timeline(at: Place) -> str:
    found = [at.get(f"{at.url}/issues/{one['number']}/timeline?per_page=100") for one in at.pulls]
    events = {one.get("event") for listed in given(found, "pull request") for one in listed}
    expect(None not in events and events, events)
    return ", ".join(sorted(map(str, events)))[:120]


def issues_hold_pull_requests(at: Place) -> str:
    number = given(at.pulls, "pull request")[0]["number"]
    found = at.get(f"{at.url}/issues/{number}")
    expect("pull_request" in found, "no key pull_request")
    return f"#{number} is an issue, too"


def deployments(at: Place) -> str:
    found = given(at.get(f"{at.url}/deployments?per_page=30"), "deployment")[0]
    same = at.get(f"{at.url}/deployments?sha={found['sha']}&per_page=100")
    expect(found["id"] in [one["id"] for one in same], "not found by its commit")
    ours = [one for one in same if isinstance(one["payload"], dict) and one["payload"]]
    given(ours, "deployment with a payload of its own")
    return "a payload comes back as it went"


def runs(at: Place) -> str:
    found = given(at.get(f"{at.url}/actions/runs?per_page=20")["workflow_runs"], "workflow run")
    for one in found:
        expect(one["path"].startswith((".github/workflows/", "dynamic/")), one["path"])
        expect(isinstance(one["pull_requests"], list) and isinstance(one["display_title"], str), one["id"])
    return f"{len(found)} with path, display_title and pull_requests"


def job_is_check_run(at: Place) -> str:
    for run in given(at.get(f"{at.url}/actions/runs?per_page=20")["workflow_runs"], "workflow run"):
        jobs = at.get(f"{at.url}/actions/runs/{run['id']}/jobs")["jobs"]
        if jobs:
            expect(jobs[0]["check_run_url"].endswith(f"/check-runs/{jobs[0]['id']}"), jobs[0]["check_run_url"])
            return f"job {jobs[0]['id']}"
    raise NotCheckable("no job here")


def partial_clone(at: Place) -> str:
    done = at.git("-c", "protocol.version=2", "ls-remote", "origin", "HEAD", GIT_TRACE_PACKET="1")
    offers = [line for line in done.stderr.splitlines() if "fetch=" in line]
    expect(any("filter" in line for line in offers), "no `filter` among what fetch can do")
    return "fetch can filter"


def commit_by_its_id(at: Place) -> str:
    done = at.git("fetch", "-q", "--depth=1", "origin", at.head)
    expect(done.returncode == 0, done.stderr[-200:])
    return "fetched by its id"


def noreply(at: Place) -> str:
    """A commit with the address of an account belongs to it."""
    found = at.get(f"{at.url}/commits?per_page=100")
    for one in found:
        match = re.fullmatch(r"(\d+)\+.+@users\.noreply\.github\.com", one["commit"]["author"]["email"] or "")
        if match and one["author"]:
            expect(str(one["author"]["id"]) == match[1], f"{one['author']['id']}, not {match[1]}")
            return f"{one['sha'][:10]} by its number"
    raise NotCheckable("no commit with such an address here")


def graphql(at: Place) -> str:
    query = "query($owner: String!, $name: String!) {repository(owner: $owner, name: $name) {id} rateLimit {cost}}"
    owner, _, name = at.url.removeprefix("/repos/").partition("/")
    status, _, answer = at.ask("/graphql", "POST", {"query": query, "variables": {"owner": owner, "name": name}})
    if status in (401, 403):
        raise NotCheckable(f"GraphQL: {status}")
    if status != 200:
        raise Different(str(status))
    expect(answer["data"]["rateLimit"]["cost"] >= 1, answer)
    return f"{answer['data']['rateLimit']['cost']} point"


def one_query(at: Place) -> str:
    """The bot's own query tells the same people, words, times and closings as REST."""

    def ask(query: str, variables: Mapping[str, Any]) -> Any:
        status, _, answer = at.ask("/graphql", "POST", {"query": query, "variables": dict(variables)})
        if status in (401, 403):
            raise NotCheckable(f"GraphQL: {status}")
        expect(status == 200 and "errors" not in answer, answer)
        return answer["data"]

    owner, _, name = at.url.removeprefix("/repos/").partition("/")
    for one in given(at.pulls, "pull request"):
        seen, at_issue = snapshot(ask, owner, name, one["number"]), f"{at.url}/issues/{one['number']}"
        if seen is None:
            raise Different(f"#{one['number']} is not there")
        comments = at.get(f"{at_issue}/comments?per_page=100")
        told = [(c.id, c.author.id, c.author.login, c.body) for c in seen.comments]
        expect(told == [(c["id"], *_who(c["user"]), c["body"]) for c in comments], f"comments of #{one['number']}")
        reviews = at.get(f"{at.url}/pulls/{one['number']}/reviews?per_page=100")
        expect(
            [(r.id, r.author.id, r.state) for r in seen.reviews]
            == [(r["id"], _who(r["user"])[0], r["state"]) for r in reviews],
            f"reviews of #{one['number']}",
        )
        events = at.get(f"{at_issue}/timeline?per_page=100")
        names = {"closed": "closed", "merged": "merged", "base_ref_changed": "base_changed"}
        listed = [names[event["event"]] for event in events if event["event"] in names]
        expect([one.kind for one in seen.timeline if one.kind in names.values()] == listed, listed)
        expect(
            (seen.pull_request.head_sha, _who(one["user"])[0]) == (one["head"]["sha"], seen.pull_request.author.id), ""
        )
    return f"{len(at.pulls)} pull requests as REST tells them"


def _who(user: Any) -> tuple[int, str]:
    return (user["id"], user["login"]) if user else (10137, "ghost")


READS: dict[str, Callable[[Place], str]] = {
    "P1": actions_account, "P2": ghost, "P3": nobody, "P4": account_by_number, "P5": role, "P6": hidden_team,
    "P8": noreply, "R1": no_repository, "R2": pages, "R3": limits, "R5": pull_request, "R6": merged_leads_back,
    "R29": one_query, "R8": reviews, "R10": comments_in_order, "R13": statuses, "R16": activity, "R17": timeline,
    "R18": issues_hold_pull_requests, "R19": deployments, "R22": job_is_check_run, "R24": graphql, "W13": runs,
    "G1": head_ref, "G5": commit_by_its_id, "G6": partial_clone,
}  # fmt: skip
