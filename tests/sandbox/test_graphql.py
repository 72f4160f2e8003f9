"""GraphQL: what GitHub's schema promises, its limits and errors, and that every door leads to the same room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import PEOPLE, TEAMS, Caller, template
from tests.sandbox.publishing import past_run


class Query:
    """`query("{viewer{login}}", x=1)` as one token: the body of the answer."""

    def __init__(self, sandbox: Sandbox, token: str | None, path: str = "//graphql") -> None:
        self.call = Caller(sandbox, token)
        self.path = path

    def __call__(self, text: str, **variables: Any) -> Any:
        status, body = self.call("POST", self.path, {"query": text, "variables": variables})
        assert status == 200, body
        return body

    def data(self, text: str, **variables: Any) -> Any:
        """The answer to a query that has no errors."""
        body = self(text, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def pull(self, fields: str, number: int = 1) -> Any:
        """Fields of a pull request of acme/models."""
        text = f'{{repository(owner: "acme", name: "models") {{pullRequest(number: {number}) {{{fields}}}}}}}'
        return self.data(text)["repository"]["pullRequest"]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox in which everything happened once to pull request 1, and issue 2 is open."""
    folder = tmp_path_factory.mktemp("lived")
    workflow = "name: W\non: workflow_dispatch\njobs: {}\n"
    files = {"models/churn/model.yaml": "depth: 3\n", ".github/workflows/w.yml": workflow}
    source = template(folder / "template", files)
    with Sandbox.start(folder / "world", template=source, people=PEOPLE, teams=TEAMS) as world:
        _live(world)
        yield world


def _live(world: Sandbox) -> None:
    dana, owen, rhea, adam = (Caller(world, world.token(name)) for name in ("dana", "owen", "rhea", "adam"))
    n = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees", body="Fixes #2")
    dana("POST", "/issues", {"title": "Drift", "body": "of churn", "labels": ["drift"]})
    world.commit(
        "dana",
        "deeper",
        {"notes.txt": "grün\n".encode()},
        "Notes\n\nCo-authored-by: vera <1003+vera@users.noreply.github.com>",
    )
    pull, issue = f"/pulls/{n}", f"/issues/{n}"
    rhea("POST", f"{issue}/labels", {"labels": ["risk: high", "data"]})
    rhea("DELETE", f"{issue}/labels/data")
    dana("POST", f"{pull}/requested_reviewers", {"reviewers": ["vera"]})
    _, comment = owen("POST", f"{issue}/comments", {"body": "/approve"})
    owen("PATCH", f"/issues/comments/{comment['id']}", {"body": "/unapprove"})
    dana("POST", f"/issues/comments/{comment['id']}/reactions", {"content": "eyes"})
    _, gone = owen("POST", f"{issue}/comments", {"body": "secret"})
    rhea("DELETE", f"/issues/comments/{gone['id']}")
    _, review = owen("POST", f"{pull}/reviews", {"event": "APPROVE", "body": "fine"})
    rhea("PUT", f"{pull}/reviews/{review['id']}/dismissals", {"message": "look again"})
    owen("POST", f"{pull}/reviews", {"event": "COMMENT", "body": "hm"})
    dana("PATCH", pull, {"title": "Much deeper trees"})
    rhea("POST", "/git/refs", {"ref": "refs/heads/next", "sha": world.hub.bare(world.repo).branch("main")})
    dana("PATCH", pull, {"base": "next"})
    dana("PATCH", pull, {"base": "main"})
    dana("PATCH", pull, {"state": "closed"})
    dana("PATCH", pull, {"state": "open"})
    dana("POST", f"{pull}/convert_to_draft")
    dana("POST", f"{pull}/ready_for_review")
    head = world.repo.issues[n].pull.head_sha  # type: ignore[union-attr]
    rhea("POST", f"/statuses/{head}", {"state": "success", "context": "mlbot/verdict", "description": "fine"})
    adam("PUT", f"{issue}/lock", {"lock_reason": "resolved"})
    adam("DELETE", f"{issue}/lock")


@pytest.fixture
def dana(lived: Sandbox) -> Query:
    return Query(lived, lived.token("dana"))


# --- the schema


def test_every_row_of_the_tables_is_a_field_of_githubs_schema() -> None:
    from bot.sandbox.graphql.fields import TABLE
    from bot.sandbox.graphql.schema import schema

    kinds: dict[str, set[str]] = {}
    for kind, name in TABLE:
        kinds.setdefault(name, set()).add(kind)
    known = schema().type_map
    wrong = {name: found for name, found in kinds.items() if not any(name in known[one].fields for one in found)}  # type: ignore[union-attr]
    assert not wrong


GIVEN = {
    "qualifiedName": '"main"',
    "refPrefix": '"refs/heads/"',
    "expression": '"main:models/churn/model.yaml"',
    "name": '"drift"',
    "slug": '"validators"',
    "login": '"acme"',
    "number": "1",
    "databaseId": "0",
    "mergeType": "MERGE",
    "prefix": '"x"',
}


def everything(kind: Any, depth: int, seen: tuple[str, ...] = ()) -> str:
    """A selection of every field that the tables answer for a type, `depth` types deep."""
    from graphql import GraphQLUnionType, get_named_type, is_leaf_type

    from bot.sandbox.graphql.schema import schema

    if isinstance(kind, GraphQLUnionType) or not hasattr(kind, "fields"):
        kinds = [one for one in kind.types if one.name not in seen]
        parts = [f"... on {one.name} {{{everything(one, depth, seen)}}}" for one in kinds[:12] if answers(one)]
        return " ".join(["__typename", *parts])
    parts = ["__typename"]
    for name, field in kind.fields.items():
        wanted = [one for one in field.args if str(field.args[one].type).endswith("!")]
        below = get_named_type(field.type)
        if not answered(kind, name) or any(one not in GIVEN for one in wanted):
            continue
        args = [f"{one}: {GIVEN[one]}" for one in (*wanted, *("expression",)) if one in field.args]
        args += ["first: 3"] if "first" in field.args else []
        alias = f"{name}_{kind.name}: {name}" + (f"({', '.join(args)})" if args else "")
        if is_leaf_type(below):
            parts.append(alias)
        elif depth and below.name not in seen:
            inner = everything(below, depth - (not below.name.endswith(("Connection", "Edge"))), (*seen, kind.name))
            parts.append(f"{alias} {{{inner}}}")
    return " ".join(parts) if schema() else ""


def answered(kind: Any, name: str) -> bool:
    from bot.sandbox.graphql.fields import TABLE

    plain = kind.name.endswith(("Connection", "Edge")) and name in ("nodes", "node", "totalCount", "pageInfo", "cursor")
    return plain or kind.name == "PageInfo" or (kind.name, name) in TABLE


def answers(kind: Any) -> bool:
    return any(answered(kind, name) for name in kind.fields)


@pytest.mark.parametrize("kind", ["Repository", "PullRequest", "Issue", "User", "Organization", "Commit"])
def test_every_field_of_the_tables_answers_as_the_schema_says(lived: Sandbox, kind: str) -> None:
    from bot.sandbox.graphql.schema import schema

    door = {
        "Repository": 'repository(owner: "acme", name: "models") {%s}',
        "PullRequest": 'repository(owner: "acme", name: "models") {pullRequest(number: 1) {%s}}',
        "Issue": 'repository(owner: "acme", name: "models") {issue(number: 2) {%s}}',
        "User": 'user(login: "dana") {%s}',
        "Organization": 'organization(login: "acme") {%s}',
        "Commit": 'repository(owner: "acme", name: "models") {object(expression: "deeper") {... on Commit {%s}}}',
    }[kind]
    enterprise = Query(lived, lived.token("dana"), "//api/graphql")
    body = enterprise("{" + door % everything(schema().type_map[kind], 1) + "}")
    assert body["data"]
    assert {one["type"] for one in body.get("errors", ())} <= {"NOT_FOUND"}  # numbers of the other kind


def test_nothing_of_graphql_is_loaded_before_the_first_query() -> None:
    script = "import sys, bot.sandbox.world; print([name for name in sys.modules if name.startswith('graphql')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- limits


PAGE = "pullRequests(first: %d) {nodes {commits(first: 100) {nodes {commit {authors(first: 100) {nodes {name}}}}}}}"
REPOSITORY = '{repository(owner: "acme", name: "models") {%s}}'


@pytest.mark.parametrize(
    ("fields", "type_", "words"),
    [
        (
            "labels {nodes {name}}",
            "MISSING_PAGINATION_BOUNDARIES",
            "You must provide a `first` or `last` value to properly paginate the `labels` connection.",
        ),
        (
            "labels(last: 101) {nodes {name}}",
            "EXCESSIVE_PAGINATION",
            "Requesting 101 records on the `labels` connection exceeds the `last` limit of 100 records.",
        ),
        (
            PAGE % 50,
            "MAX_NODE_LIMIT_EXCEEDED",
            "This query requests up to 505,050 possible nodes which exceeds the maximum limit of 500,000.",
        ),
        (
            PAGE % 100,
            "MAX_NODE_LIMIT_EXCEEDED",
            "By the time this query traverses to the authors connection, it is requesting up to 1,000,000 possible "
            "nodes which exceeds the maximum limit of 500,000.",
        ),
    ],
)
def test_a_query_that_asks_for_too_much_is_refused_in_githubs_words(
    dana: Query, fields: str, type_: str, words: str
) -> None:
    [error] = dana(REPOSITORY % fields)["errors"]
    assert (error["type"], error["message"]) == (type_, words)


def test_a_count_alone_needs_no_page_size(dana: Query) -> None:
    assert dana.data(REPOSITORY % "issues(states: OPEN) {totalCount}")["repository"]["issues"]["totalCount"] == 1


# the two examples of https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
SIMPLE = "{viewer {repositories(first: 50) {edges {node {name issues(first: 10) {edges {node {title bodyHTML}}}}}}}}"
POINTS = """{viewer {login repositories(first: 100) {edges {node {id issues(first: 50) {edges {node {id
    labels(first: 60) {edges {node {id name}}}}}}}}}}}"""


@pytest.mark.parametrize(("text", "nodes", "points"), [(SIMPLE, 550, 1), (POINTS, 305_100, 51)])
def test_nodes_and_points_are_counted_as_github_documents_it(text: str, nodes: int, points: int) -> None:
    from graphql import OperationDefinitionNode, parse

    from bot.sandbox.graphql.limits import cost_of
    from bot.sandbox.graphql.schema import schema

    [operation] = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    cost = cost_of(schema(), operation, {}, {})
    assert (cost.nodes, cost.points) == (nodes, points)


def test_points_are_taken_from_an_hour_of_their_own(world: Sandbox) -> None:
    query = Query(world, world.token("dana"))
    before = world.hub.limits(world.hub.data.tokens[world.token("dana")])["remaining"]
    query.data(POINTS)
    limit = query.data("{rateLimit {limit cost remaining used nodeCount}}")["rateLimit"]
    assert limit == {"limit": 5000, "cost": 1, "remaining": 4948, "used": 52, "nodeCount": 0}
    assert world.hub.limits(world.hub.data.tokens[world.token("dana")])["remaining"] == before


def test_runs_of_a_repository_share_their_points(world: Sandbox) -> None:
    first, second = past_run(world), past_run(world)
    for one in (first, second):
        Query(world, world.hub.mint({"contents": "read"}, run=one.id)).data("{viewer {login}}")
    third = Query(world, world.hub.mint({"contents": "read"}, run=past_run(world).id))
    assert third.data("{rateLimit {limit used}}")["rateLimit"] == {"limit": 1000, "used": 3}


def test_a_run_has_a_thousand_points_and_is_refused_when_they_are_spent(world: Sandbox) -> None:
    token = world.hub.mint({"contents": "read"}, run=1)
    world.hub.spend(world.hub.data.tokens[token], 1000, "graphql")
    [error] = Query(world, token)("{viewer {login}}")["errors"]
    assert error["type"] == "RATE_LIMITED"


# --- what comes back


def test_the_viewer_is_who_the_token_belongs_to(dana: Query) -> None:
    assert dana("{viewer {login databaseId __typename}}") == {
        "data": {"viewer": {"login": "dana", "databaseId": 1001, "__typename": "User"}}
    }


def test_a_pull_request_tells_its_whole_history(dana: Query) -> None:
    found = dana.pull("timelineItems(first: 100) {nodes {__typename}}")["timelineItems"]["nodes"]
    assert [one["__typename"].removesuffix("Event") for one in found][:18] == [
        "PullRequestCommit",
        "PullRequestCommit",
        "Labeled",
        "Labeled",
        "Unlabeled",
        "ReviewRequested",
        "IssueComment",
        "CommentDeleted",
        "PullRequestReview",
        "ReviewDismissed",
        "PullRequestReview",
        "RenamedTitle",
        "BaseRefChanged",
        "BaseRefChanged",
        "Closed",
        "Reopened",
        "ConvertToDraft",
        "ReadyForReview",
    ]


def test_an_edited_comment_keeps_every_wording_with_its_editor(dana: Query) -> None:
    fields = "lastEditedAt includesCreatedEdit editor {login} userContentEdits(first: 5) {nodes {diff editor {login}}}"
    [comment] = dana.pull(
        f"comments(first: 5) {{nodes {{body author {{login ... on User {{databaseId}}}} {fields}}}}}"
    )["comments"]["nodes"]
    assert comment["author"] == {"login": "owen", "databaseId": 1002}
    assert comment["lastEditedAt"]
    assert [one["diff"] for one in comment["userContentEdits"]["nodes"]] == ["/unapprove", "/approve"]


def test_a_dismissed_review_says_what_it_was_and_why_it_fell(dana: Query) -> None:
    fields = "previousReviewState dismissalMessage review {state author {login}}"
    wanted = "timelineItems(first: 5, itemTypes: REVIEW_DISMISSED_EVENT)"
    found = dana.pull(f"{wanted} {{nodes {{... on ReviewDismissedEvent {{{fields}}}}}}}")
    assert found["timelineItems"]["nodes"] == [
        {
            "previousReviewState": "APPROVED",
            "dismissalMessage": "look again",
            "review": {"state": "DISMISSED", "author": {"login": "owen"}},
        }
    ]


def test_co_authors_of_a_commit_come_with_their_accounts(dana: Query) -> None:
    found = dana.pull("commits(last: 1) {nodes {commit {authors(first: 5) {nodes {user {databaseId}}}}}}")
    [last] = found["commits"]["nodes"]
    assert [one["user"]["databaseId"] for one in last["commit"]["authors"]["nodes"]] == [1001, 1003]


def test_checks_are_counted_by_state(dana: Query) -> None:
    counts = (
        "checkRunCount checkRunCountsByState {state count} statusContextCount statusContextCountsByState {state count}"
    )
    found = dana.pull(f"commits(last: 1) {{nodes {{commit {{statusCheckRollup {{state contexts {{{counts}}}}}}}}}}}")
    assert found["commits"]["nodes"][0]["commit"]["statusCheckRollup"] == {
        "state": "SUCCESS",
        "contexts": {
            "checkRunCount": 0,
            "checkRunCountsByState": [],
            "statusContextCount": 1,
            "statusContextCountsByState": [{"state": "SUCCESS", "count": 1}],
        },
    }


def test_pages_follow_each_other_by_cursor(dana: Query) -> None:
    seen: list[str] = []
    after = None
    for _ in range(30):
        body = dana.data(
            'query($after: String) {repository(owner: "acme", name: "models") {pullRequest(number: 1) '
            "{timelineItems(first: 4, after: $after) {pageInfo {hasNextPage endCursor} nodes {... on Node {id}}}}}}",
            after=after,
        )
        page = body["repository"]["pullRequest"]["timelineItems"]
        seen += [one["id"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    whole = dana.pull("timelineItems(first: 100) {nodes {... on Node {id}}}")["timelineItems"]["nodes"]
    assert seen == [one["id"] for one in whole]


def test_the_id_of_the_rest_api_finds_the_same_thing(lived: Sandbox, dana: Query) -> None:
    _, comment = Caller(lived, lived.token("dana"))("GET", "/issues/1/comments")
    found = dana.data(
        "query($id: ID!) {node(id: $id) {... on IssueComment {databaseId body}}}", id=comment[0]["node_id"]
    )
    assert found["node"] == {"databaseId": comment[0]["id"], "body": comment[0]["body"]}


# --- errors


@pytest.mark.parametrize(
    ("text", "type_", "words"),
    [
        (
            '{repository(owner: "acme", name: "x") {id}}',
            "NOT_FOUND",
            "Could not resolve to a Repository with the name 'acme/x'.",
        ),
        ('{user(login: "nobody") {id}}', "NOT_FOUND", "Could not resolve to a User with the login of 'nobody'."),
        ('{node(id: "x") {id}}', "NOT_FOUND", "Could not resolve to a node with the global id of 'x'."),
        ("{viewer {nope}}", None, "Field 'nope' doesn't exist on type 'User'"),
    ],
)
def test_errors_are_200_with_githubs_type_and_words(dana: Query, text: str, type_: str | None, words: str) -> None:
    [error] = dana(text)["errors"]
    assert (error.get("type"), error["message"]) == (type_, words)


def test_a_body_without_a_query_is_400_and_a_caller_without_a_token_401(lived: Sandbox) -> None:
    assert Caller(lived, lived.token("dana"))("POST", "//graphql", {"x": 1})[0] == 400
    assert Caller(lived, None)("POST", "//graphql", {"query": "{viewer {login}}"})[0] == 401
    assert Caller(lived, "wrong")("POST", "//graphql", {"query": "{viewer {login}}"})[0] == 401


def test_a_run_sees_what_its_token_may_see(lived: Sandbox) -> None:
    query = Query(lived, lived.hub.mint({"contents": "read", "issues": "read"}, run=1))
    assert query.data(REPOSITORY % "issue(number: 2) {title}")["repository"]["issue"]["title"] == "Drift"
    [error] = query(REPOSITORY % "pullRequest(number: 1) {title}")["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Resource not accessible by integration")


def test_faults_and_the_count_of_requests_cover_graphql(world: Sandbox) -> None:
    query = Query(world, world.token("dana"))
    world.fail_next("POST", "/graphql", 502)
    assert query.call("POST", "//graphql", {"query": "{viewer {login}}"})[0] == 502
    query.data("{viewer {login}}")
    assert world.requests() == [("POST", "/graphql", 502), ("POST", "/graphql", 200)]


def test_a_query_can_be_answered_from_what_was_known_before(world: Sandbox) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    world.github("owen").get_repo(world.repository).get_issue(number).create_comment("/approve")
    query = Query(world, world.token("dana"))
    world.fail_next("POST", "/graphql", how="stale")
    assert query.pull("comments(first: 5) {totalCount}", number)["comments"]["totalCount"] == 0
    assert query.pull("comments(first: 5) {totalCount}", number)["comments"]["totalCount"] == 1


def test_a_mutation_can_take_effect_and_still_fail(world: Sandbox) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    query = Query(world, world.token("owen"))
    subject = query.pull("id", number)["id"]
    world.fail_next("POST", "/graphql", 502, when="after")
    text = "mutation($input: AddCommentInput!) {addComment(input: $input) {clientMutationId}}"
    sent = {"query": text, "variables": {"input": {"subjectId": subject, "body": "/approve"}}}
    assert query.call("POST", "//graphql", sent)[0] == 502
    assert [one.body for one in world.repo.comments.values()] == ["/approve"]


def test_a_renamed_repository_is_found_by_its_old_name_unless_one_asks_otherwise(world: Sandbox) -> None:
    world.rename_repository("acme/new")
    query = Query(world, world.token("dana"))
    text = '{repository(owner: "acme", name: "models"%s) {nameWithOwner}}'
    assert query.data(text % "")["repository"]["nameWithOwner"] == "acme/new"
    assert query(text % ", followRenames: false")["errors"][0]["type"] == "NOT_FOUND"


def test_a_private_repository_is_not_there_for_strangers(world: Sandbox) -> None:
    world.repo.private = True
    world.repo.permissions["rita"] = "none"
    stranger = Query(world, world.token("rita"))
    assert stranger(REPOSITORY % "id")["errors"][0]["type"] == "NOT_FOUND"
    node = Query(world, world.token("dana")).data(REPOSITORY % "id")["repository"]["id"]
    assert stranger("query($id: ID!) {node(id: $id) {id}}", id=node)["errors"][0]["type"] == "NOT_FOUND"
    assert stranger.data('{search(query: "repo:acme/models", type: ISSUE, first: 1) {issueCount}}') == {
        "search": {"issueCount": 0}
    }


def test_a_deleted_account_is_nobody(world: Sandbox) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    world.github("owen").get_repo(world.repository).get_issue(number).create_comment("/approve")
    world.delete_account("owen")
    found = Query(world, world.token("dana")).pull("comments(first: 5) {nodes {body author {login}}}", number)
    assert found["comments"]["nodes"] == [{"body": "/approve", "author": None}]


def test_a_bot_goes_by_its_name_without_brackets(world: Sandbox) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    run = Query(world, world.hub.mint({"issues": "write", "pull-requests": "write"}, run=1))
    run.call("POST", f"/issues/{number}/comments", {"body": "report"})
    found = run.pull("comments(first: 5) {nodes {viewerDidAuthor author {__typename login}}}", number)
    bot = {"__typename": "Bot", "login": "github-actions"}
    assert found["comments"]["nodes"] == [{"viewerDidAuthor": True, "author": bot}]
    assert run.data("{viewer {login}}")["viewer"]["login"] == "github-actions[bot]"


# --- mutations


def test_a_mutation_is_the_rest_call_that_does_the_same(world: Sandbox, happenings: list[Any]) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    query = Query(world, world.token("owen"))
    subject = query.pull("id", number)["id"]
    text = "mutation($input: AddCommentInput!) {addComment(input: $input) {clientMutationId commentEdge {node {body}}}}"
    made = query.data(text, input={"subjectId": subject, "body": "/approve", "clientMutationId": "7"})
    assert made["addComment"] == {"clientMutationId": "7", "commentEdge": {"node": {"body": "/approve"}}}
    assert [one.event for one in happenings][-1] == "issue_comment"
    assert "/approve" in (world.directory / "github.json").read_text()


def test_a_mutation_is_refused_as_the_rest_call_is(world: Sandbox) -> None:
    number = world.propose("dana", "deeper", {"models/churn/model.yaml": b"depth: 4\n"}, "Deeper trees")
    reader, author = Query(world, world.token("rita")), Query(world, world.token("dana"))
    subject = author.pull("id", number)["id"]
    merge = "mutation($input: MergePullRequestInput!) {mergePullRequest(input: $input) {pullRequest {state}}}"
    assert reader(merge, input={"pullRequestId": subject})["errors"][0]["type"] == "FORBIDDEN"
    [error] = author(merge, input={"pullRequestId": subject, "expectedHeadOid": "0" * 40})["errors"]
    assert error["type"] == "UNPROCESSABLE" and "Head branch was modified" in error["message"]
    review = "mutation($input: AddPullRequestReviewInput!) {addPullRequestReview(input: $input) {clientMutationId}}"
    [error] = author(review, input={"pullRequestId": subject, "event": "APPROVE"})["errors"]
    assert (error["type"], error["message"]) == ("UNPROCESSABLE", "Can not approve your own pull request")
    assert author.data(merge, input={"pullRequestId": subject})["mergePullRequest"]["pullRequest"]["state"] == "MERGED"
