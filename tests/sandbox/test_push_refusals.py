"""What `git push` is told, and what the REST API answers, when rules hold a ref: GitHub's words, line by line."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox import patterns, rulesets
from bot.sandbox.rulesets import PULL_REQUEST, Actor
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller

MODEL = "models/churn/model.yaml"
BRANCHES, TAGS = "refs/heads/", "refs/tags/"


def rule(kind: str, **parameters: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters} if parameters else {"type": kind}


def checks(*names: str, **others: Any) -> dict[str, Any]:
    wanted = [{"context": name} for name in names]
    return rule("required_status_checks", required_status_checks=wanted, strict_required_status_checks_policy=False)


def hold(world: Sandbox, *rules: Mapping[str, Any], target: str = "branch", **names: Any) -> dict[str, Any]:
    """Set a ruleset as an administrator; `include`, `exclude` and `bypass_actors` as GitHub takes them."""
    conditions = {"ref_name": {"include": names.pop("include", ["~ALL"]), "exclude": names.pop("exclude", [])}}
    body = {"name": f"rules {world.hub.next_id()}", "enforcement": "active", "target": target, "rules": list(rules)}
    body |= {"conditions": conditions} if target != "push" else {}
    status, made = Caller(world, world.token("adam"))("POST", "/rulesets", body | names)
    assert status == 201, made
    return dict(made)


def push(world: Sandbox, *refspecs: str, login: str = "dana") -> tuple[int, str]:
    """Exit code and what git prints, without the addresses that change and the blanks after remote lines."""
    token = base64.b64encode(f"x:{world.token(login)}".encode()).decode()
    line = ["git", "-c", f"http.extraheader=AUTHORIZATION: basic {token}", "push", "origin", *refspecs]
    done = subprocess.run(line, cwd=world.clone, capture_output=True, text=True)
    said = re.sub(r"http://127\.0\.0\.1:\d+", "https://github.com", done.stderr)
    return done.returncode, re.sub(r" +$", "", said, flags=re.MULTILINE)


def commit(world: Sandbox, message: str = "one", *options: str) -> str:
    world.git("dana", "commit", "-q", "--allow-empty", "-m", message, *options)
    return world.git("dana", "rev-parse", "HEAD").strip()


GH013 = """\
remote: error: GH013: Repository rule violations found for refs/heads/main.
remote: Review all repository rules at https://github.com/acme/models/rules?ref=refs%2Fheads%2Fmain
remote:
remote: - Commits must have verified signatures.
remote:   Found 1 violation:
remote:
remote:   {sha}
remote:
remote: - Changes must be made through a pull request.
remote:
remote: - 2 of 2 required status checks are expected.
remote:
To https://github.com/acme/models.git
 ! [remote rejected] HEAD -> main (push declined due to repository rule violations)
error: failed to push some refs to 'https://github.com/acme/models.git'
"""


def test_a_push_that_rulesets_hold_back_prints_what_github_prints(world: Sandbox) -> None:
    hold(world, rule("required_signatures"), rule("pull_request", **PULL_REQUEST), checks("ci", "lint"))
    sha = commit(world)
    assert push(world, "HEAD:main") == (1, GH013.format(sha=sha))


GH006 = """\
remote: error: GH006: Protected branch update failed for refs/heads/main.
remote:
remote: - Changes must be made through a pull request.
remote:
remote: - Required status check "ci" is expected.
To https://github.com/acme/models.git
 ! [remote rejected] HEAD -> main (protected branch hook declined)
error: failed to push some refs to 'https://github.com/acme/models.git'
"""
PROTECTION = {
    "required_status_checks": {"strict": False, "contexts": ["ci"]},
    "enforce_admins": False,
    "required_pull_request_reviews": {},
    "restrictions": None,
}


def test_a_push_that_branch_protection_holds_back_prints_what_github_prints(world: Sandbox, call: Any) -> None:
    """Administrators pass by it, unless it is enforced for them; nobody passes by what it says of force-pushes."""
    assert call("adam")("PUT", "/branches/main/protection", PROTECTION)[0] == 200
    commit(world)
    assert push(world, "HEAD:main") == (1, GH006)
    code, said = push(world, "HEAD:main", login="adam")
    assert (code, "remote: Bypassed rule violations for refs/heads/main:" in said) == (0, True)
    commit(world, "other", "--amend")
    code, said = push(world, "+HEAD:main", login="adam")
    assert (code, "GH006" in said, "- Cannot force-push to this branch" in said) == (1, True, True)
    call("adam")("PUT", "/branches/main/protection", PROTECTION | {"enforce_admins": True})
    world.git("dana", "reset", "-q", "--hard", "origin/main")
    commit(world, "third")
    assert push(world, "HEAD:main", login="adam")[0] == 1


# target, rule, what is pushed, what is said
ROWS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a tag is made": (
        "tag",
        rule("creation"),
        "HEAD:refs/tags/v1",
        "Cannot create ref due to creations being restricted.",
    ),
    "a tag is moved": ("tag", rule("update"), "+HEAD:refs/tags/old", "Cannot update this protected ref."),
    "a tag is deleted": ("tag", rule("deletion"), ":refs/tags/old", "Cannot delete this tag"),
    "a tag is forced": ("tag", rule("non_fast_forward"), "+HEAD~2:refs/tags/old", "Cannot force-push to this tag"),
    "a tag is named": (
        "tag",
        rule("tag_name_pattern", operator="regex", pattern="^v[0-9]"),
        "HEAD:refs/tags/latest",
        "Tag name must match a given regex pattern: ^v[0-9]",
    ),
    "a branch is made": (
        "branch",
        rule("creation"),
        "HEAD:new",
        "Cannot create ref due to creations being restricted.",
    ),
    "a branch moves": ("branch", rule("update"), "HEAD:main", "Cannot update this protected ref."),
    "a branch is deleted": ("branch", rule("deletion"), ":side", "Cannot delete this branch"),
    "a branch is forced": ("branch", rule("non_fast_forward"), "+HEAD~2:side", "Cannot force-push to this branch"),
    "a branch is named": (
        "branch",
        rule("branch_name_pattern", operator="starts_with", pattern="feature/"),
        "HEAD:new",
        "Branch name must start with a matching pattern: feature/",
    ),
    "a branch is not named": (
        "branch",
        rule("branch_name_pattern", operator="contains", pattern="tmp", negate=True),
        "HEAD:tmp-1",
        "Branch name must not contain a matching pattern: tmp",
    ),
    "merges come": (
        "branch",
        rule("required_linear_history"),
        "merged:main",
        "This branch must not contain merge commits.",
    ),
    "messages": (
        "branch",
        rule("commit_message_pattern", operator="regex", pattern="^feat"),
        "HEAD:main",
        "Commit message must match a given regex pattern: ^feat",
    ),
    "authors": (
        "branch",
        rule("commit_author_email_pattern", operator="ends_with", pattern="@acme.example"),
        "HEAD:main",
        "Author email must end with a matching pattern: @acme.example",
    ),
    "no pull request": (
        "branch",
        rule("pull_request", **PULL_REQUEST),
        "HEAD:new",
        "Changes must be made through a pull request.",
    ),
    "a path": (
        "push",
        rule("file_path_restriction", restricted_file_paths=["secret/**/*"]),
        "files:new",
        "File path is restricted",
    ),
    "an extension": (
        "push",
        rule("file_extension_restriction", restricted_file_extensions=["*.bin"]),
        "files:new",
        "File extension is restricted",
    ),
    "a long path": (
        "push",
        rule("max_file_path_length", max_file_path_length=10),
        "files:new",
        "File path is too long",
    ),
}


@pytest.fixture(scope="module")
def pushing(tmp_path_factory: pytest.TempPathFactory, standing: Sandbox) -> Sandbox:
    """A clone two commits ahead, with a tag, a branch, a merge and a branch with files."""
    commit(standing, "one")
    for refspec in ("HEAD:refs/tags/old", "HEAD:side"):
        assert push(standing, refspec)[0] == 0
    commit(standing, "two")
    standing.git("dana", "checkout", "-q", "-b", "merged", "HEAD~1")
    commit(standing, "aside")
    standing.git("dana", "merge", "-q", "--no-ff", "-m", "merge", "@{-1}")
    standing.git("dana", "checkout", "-q", "-b", "files", "HEAD~1")
    (standing.clone / "secret").mkdir()
    (standing.clone / "secret/key.bin").write_text("x")
    standing.git("dana", "add", "-A")
    commit(standing, "files")
    standing.git("dana", "checkout", "-q", "main")
    return standing


@pytest.mark.parametrize("row", ROWS)
def test_each_rule_refuses_in_its_own_words(pushing: Sandbox, row: str) -> None:
    target, held, refspec, sentence = ROWS[row]
    before = pushing.hub.bare(pushing.repo).refs()
    made = hold(pushing, held, target=target)
    try:
        code, said = push(pushing, refspec)
    finally:
        Caller(pushing, pushing.token("adam"))("DELETE", f"/rulesets/{made['id']}")
    assert code == 1 and f"remote: - {sentence}\n" in said, said
    assert "(push declined due to repository rule violations)" in said
    assert pushing.hub.bare(pushing.repo).refs() == before


def test_one_ref_that_is_refused_leaves_the_others_alone_unless_the_push_is_atomic(world: Sandbox) -> None:
    hold(world, rule("creation"), target="tag")
    commit(world)
    world.git("dana", "tag", "v1")
    code, said = push(world, "HEAD:side", "v1")
    assert (code, "[new branch]" in said, "! [remote rejected] v1 -> v1 (push declined" in said) == (1, True, True)
    assert world.hub.bare(world.repo).branch("side")
    code, said = push(world, "--atomic", "HEAD:other", "v1")
    assert (code, "! [remote rejected] HEAD -> other (atomic push failure)" in said) == (1, True)
    assert not world.hub.bare(world.repo).branch("other")


def test_the_default_branch_is_not_deleted(world: Sandbox, call: Any) -> None:
    code, said = push(world, ":main")
    assert (code, "(refusing to delete the current branch: refs/heads/main)" in said) == (1, True)
    assert call("dana")("DELETE", "/git/refs/heads/main")[0] == 422


def test_a_commit_that_the_server_made_is_signed_and_one_that_says_so_is_not(world: Sandbox, call: Any) -> None:
    """Nobody passes for GitHub by its e-mail address."""
    number = world.propose("dana", "deeper", {MODEL: b"depth: 4\n"}, "Deeper")
    call("owen")("PUT", f"/pulls/{number}/merge", {})
    assert call("dana")("GET", "/commits/main")[1]["commit"]["verification"]["verified"]
    hold(world, rule("required_signatures"))
    world.git("dana", "pull", "-q")
    forged = ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.com", "commit", "-q", "--allow-empty"]
    world.git("dana", *forged, "-m", "forged")
    assert "Commits must have verified signatures." in push(world, "HEAD:main")[1]


def test_an_app_that_brings_a_workflow_is_told_so_by_name(world: Sandbox) -> None:
    world.git("dana", "checkout", "-q", "-b", "w")
    (world.clone / ".github/workflows").mkdir(parents=True)
    (world.clone / ".github/workflows/evil.yml").write_text("on: push\njobs: {}\n")
    world.git("dana", "add", "-A")
    commit(world, "evil")
    token = world.hub.mint({"contents": "write"}, 9)
    url = world.clone_url("dana").replace(world.token("dana"), token)
    done = subprocess.run(["git", "push", url, "HEAD:w"], cwd=world.clone, capture_output=True, text=True)
    reason = "refusing to allow a GitHub App to create or update workflow `.github/workflows/evil.yml` without"
    assert f"! [remote rejected] HEAD -> w ({reason} `workflows` permission)" in done.stderr


# --- who is not held back


BYPASS: dict[str, tuple[dict[str, Any], Actor, str]] = {
    "the role": ({"actor_type": "RepositoryRole", "actor_id": 2}, Actor("rhea", "maintain"), "always"),
    "a higher role": ({"actor_type": "RepositoryRole", "actor_id": 2}, Actor("adam", "admin"), "always"),
    "a lower role": ({"actor_type": "RepositoryRole", "actor_id": 5}, Actor("rhea", "maintain"), "never"),
    "a member": ({"actor_type": "Team", "actor_id": rulesets.team_id("validators")}, Actor("vera", "write"), "always"),
    "of a team below": (
        {"actor_type": "Team", "actor_id": rulesets.team_id("validators")},
        Actor("owen", "write"),
        "always",
    ),
    "no member": ({"actor_type": "Team", "actor_id": rulesets.team_id("risk")}, Actor("vera", "write"), "never"),
    "GITHUB_TOKEN": ({"actor_type": "Integration", "actor_id": 15368}, Actor("b", "none", 15368), "always"),
    "another app": ({"actor_type": "Integration", "actor_id": 15368}, Actor("b", "none", 7), "never"),
    "a person for an app": ({"actor_type": "Integration", "actor_id": 15368}, Actor("dana", "write"), "never"),
    "an app for a role": ({"actor_type": "RepositoryRole", "actor_id": 4}, Actor("b", "none", 15368), "never"),
    "the person": ({"actor_type": "User", "actor_id": 1001}, Actor("dana", "write"), "always"),
    "only merging": (
        {"actor_type": "User", "actor_id": 1001, "bypass_mode": "pull_request"},
        Actor("dana", "write"),
        "pull_request",
    ),
    "a deploy key": ({"actor_type": "DeployKey", "actor_id": None}, Actor("dana", "write"), "never"),
}


@pytest.mark.parametrize("row", BYPASS)
def test_who_passes_by_a_ruleset(standing: Sandbox, row: str) -> None:
    entry, actor, mode = BYPASS[row]
    one = rulesets.document(standing.hub, rulesets.default() | {"bypass_actors": [entry]}, standing.repository)
    assert rulesets.bypass_of(standing.hub, one, actor) == mode


def test_who_passes_by_is_told_what_they_passed_by(world: Sandbox) -> None:
    hold(world, rule("update"), bypass_actors=[{"actor_type": "User", "actor_id": 1001, "bypass_mode": "always"}])
    commit(world)
    code, said = push(world, "HEAD:main")
    assert code == 0
    assert said.startswith(
        "remote: Bypassed rule violations for refs/heads/main:\nremote:\nremote: - Cannot update this protected ref.\n"
    )
    commit(world, "two")
    assert push(world, "HEAD:main", login="owen")[0] == 1


# --- which refs are covered


@pytest.mark.parametrize(
    ("pattern", "name", "hit"),
    [
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/main", "refs/heads/main2", False),
        ("refs/heads/qa/*", "refs/heads/qa/a", True),
        ("refs/heads/qa/*", "refs/heads/qa/a/b", False),
        ("refs/heads/qa/**/*", "refs/heads/qa/a/b", True),
        ("refs/heads/qa/**/*", "refs/heads/qa/a", True),
        ("refs/heads/qa**/**/*", "refs/heads/qa-x/a/b", True),
        ("refs/heads/mlbot/**", "refs/heads/mlbot/ledger", True),
        ("refs/heads/mlbot/**", "refs/heads/mlbot/a/b", False),
        ("refs/tags/v?.*", "refs/tags/v1.2", True),
        ("refs/tags/v?.*", "refs/tags/v/.2", False),
        ("refs/heads/[a-c]x", "refs/heads/bx", True),
        ("refs/heads/[!a-c]x", "refs/heads/bx", False),
        ("refs/heads/a\\*b", "refs/heads/a*b", True),
        ("refs/heads/a\\*b", "refs/heads/aXb", False),
        ("refs/heads/a.b", "refs/heads/aXb", False),
    ],
)
def test_patterns_are_rubys(pattern: str, name: str, hit: bool) -> None:
    """https://docs.github.com/repositories: "Using fnmatch syntax" says that a star stops at a slash."""
    assert patterns.matches(pattern, name) is hit


@pytest.mark.parametrize(
    ("include", "exclude", "ref", "hit"),
    [
        (["~ALL"], [], "refs/heads/x", True),
        (["~ALL"], ["refs/heads/mlbot/**"], "refs/heads/mlbot/ledger", False),
        (["~ALL"], ["~DEFAULT_BRANCH"], "refs/heads/trunk", False),
        (["~DEFAULT_BRANCH"], [], "refs/heads/trunk", True),
        (["~DEFAULT_BRANCH"], [], "refs/heads/main", False),
        (["~ALL"], [], "refs/tags/x", False),
        (["~ALL"], [], "refs/notes/x", False),
    ],
)
def test_what_a_ruleset_for_branches_covers(include: list[str], exclude: list[str], ref: str, hit: bool) -> None:
    one = {"target": "branch", "conditions": {"ref_name": {"include": include, "exclude": exclude}}}
    assert rulesets.covers(one, ref, "trunk") is hit


# --- the same rules over REST


REST: dict[str, tuple[int, Callable[[Sandbox, Caller, str], tuple[int, Any]]]] = {
    "a ref is moved": (422, lambda _, dana, sha: dana("PATCH", "/git/refs/heads/main", {"sha": sha})),
    "a ref is made": (422, lambda _, dana, sha: dana("POST", "/git/refs", {"ref": "refs/heads/new", "sha": sha})),
    "a file is written": (
        409,
        lambda _, dana, sha: dana("PUT", "/contents/a.txt", {"message": "a", "content": "YQ=="}),
    ),
    "branches are merged": (409, lambda _, dana, sha: dana("POST", "/merges", {"base": "main", "head": sha})),
}


@pytest.mark.parametrize("row", REST)
def test_the_api_refuses_what_git_refuses(world: Sandbox, call: Any, row: str) -> None:
    """With a commit that only the API knows of."""
    status, ask = REST[row]
    dana, tip = call("dana"), world.hub.bare(world.repo).branch("main")
    tree = dana("GET", f"/git/commits/{tip}")[1]["tree"]["sha"]
    sha = dana("POST", "/git/commits", {"message": "one", "tree": tree, "parents": [tip]})[1]["sha"]
    hold(world, rule("pull_request", **PULL_REQUEST))
    before = world.hub.bare(world.repo).refs()
    got, body = ask(world, dana, sha)
    message = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
    assert (got, body["message"]) == (status, message)
    assert world.hub.bare(world.repo).refs() == before


def test_branch_protection_has_words_of_its_own_over_rest(world: Sandbox, call: Any) -> None:
    side = world.commit("dana", "side", {"a.txt": b"a"}, "side", base="main")
    call("adam")("PUT", "/branches/main/protection", PROTECTION)
    status, body = call("dana")("PATCH", "/git/refs/heads/main", {"sha": side})
    said = 'Changes must be made through a pull request. Required status check "ci" is expected.'
    assert (status, body["message"]) == (422, said)


# --- rulesets as documents


BAD: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "no name": ({"name": None}, 'Invalid request.\n\n"name" wasn\'t supplied.', []),
    "no enforcement": ({"enforcement": None}, "Invalid request.\n\nInvalid property /enforcement:", []),
    "a rule that is none": (
        {"rules": [{"type": "be_nice"}]},
        "Invalid request.\n\nInvalid property /rules/0: data",
        [],
    ),
    "a parameter is missing": (
        {"rules": [{"type": "pull_request", "parameters": {}}]},
        "Invalid request.\n\nInvalid property /rules/0: data",
        [],
    ),
    "a rule of another target": (
        {"target": "tag", "rules": [rule("pull_request", **PULL_REQUEST)]},
        "Validation Failed",
        ["Invalid rule 'pull_request': "],
    ),
    "a pattern without refs": (
        {"conditions": {"ref_name": {"include": ["main"], "exclude": []}}},
        "Validation Failed",
        ["Invalid target patterns: 'main'"],
    ),
    "no exclude": ({"conditions": {"ref_name": {"include": []}}}, "Validation Failed", ["Invalid target patterns: ''"]),
    "a name that is there": ({"name": "taken"}, "Validation Failed", ["Name must be unique"]),
    "an app that is not there": (
        {
            "rules": [
                rule(
                    "required_status_checks",
                    strict_required_status_checks_policy=False,
                    required_status_checks=[{"context": "x", "integration_id": 99}],
                )
            ]
        },
        "Validation Failed",
        ["Invalid rule 'required_status_checks': Invalid parameter required_status_checks: Invalid integration ids"],
    ),
    "somebody who is not there": (
        {"bypass_actors": [{"actor_type": "Team", "actor_id": 1}]},
        "Validation Failed",
        ["Actor Team must be part of the ruleset source or owner organization"],
    ),
}


@pytest.mark.parametrize("row", BAD)
def test_a_ruleset_that_github_would_not_take_is_refused(standing: Sandbox, row: str) -> None:
    change, message, errors = BAD[row]
    adam = Caller(standing, standing.token("adam"))
    made = hold(standing, name="taken")
    try:
        body = {"name": "new", "enforcement": "active", "rules": []} | change
        status, answer = adam("POST", "/rulesets", body)
    finally:
        adam("DELETE", f"/rulesets/{made['id']}")
    assert (status, answer["message"].startswith(message), answer.get("errors", [])) == (422, True, errors)


def test_an_organizations_ruleset_holds_and_is_seen_in_the_repository(world: Sandbox, call: Any) -> None:
    adam, dana = call("adam"), call("dana")
    names = {"ref_name": {"include": ["~ALL"], "exclude": []}}
    about = {"repository_name": {"include": ["mod*"], "exclude": ["models-old"]}}
    body = {"name": "all", "enforcement": "active", "conditions": names | about, "rules": [rule("creation")]}
    assert dana("POST", "//orgs/acme/rulesets", body)[0] == 404, "who may not, does not see that there is something"
    assert adam("POST", "//orgs/acme/rulesets", body | {"conditions": names})[0] == 422, "about which repositories?"
    status, made = adam("POST", "//orgs/acme/rulesets", body)
    assert (status, made["source_type"], made["source"]) == (201, "Organization", "acme")
    commit(world)
    assert "Cannot create ref due to creations being restricted." in push(world, "HEAD:new")[1]
    found = dana("GET", "/rules/branches/new")[1]
    assert [(one["type"], one["ruleset_source_type"]) for one in found] == [("creation", "Organization")]
    assert [one["id"] for one in dana("GET", "/rulesets")[1]] == [made["id"]]
    assert dana("GET", "/rulesets?includes_parents=false")[1] == []
    about["repository_name"]["include"] = ["other"]
    adam("PUT", f"//orgs/acme/rulesets/{made['id']}", {"conditions": names | about})
    assert push(world, "HEAD:new")[0] == 0


def test_a_ruleset_that_is_off_or_only_evaluated_holds_nobody(world: Sandbox, call: Any) -> None:
    made = hold(world, rule("creation"))
    for word, code in (("evaluate", 0), ("active", 1), ("disabled", 0)):
        call("adam")("PUT", f"/rulesets/{made['id']}", {"enforcement": word})
        assert push(world, f"HEAD:{word}")[0] == code


def test_only_administrators_see_and_set_who_passes_by(world: Sandbox, call: Any) -> None:
    made = hold(world, rule("creation"), bypass_actors=[{"actor_type": "RepositoryRole", "actor_id": 2}])
    seen = {who: call(who)("GET", f"/rulesets/{made['id']}")[1] for who in ("adam", "rhea", "dana")}
    assert ["bypass_actors" in one for one in seen.values()] == [True, False, False]
    assert [one["current_user_can_bypass"] for one in seen.values()] == ["always", "always", "never"]
    assert call("rhea")("PUT", f"/rulesets/{made['id']}", {"enforcement": "disabled"})[0] == 403


def test_a_sandbox_that_is_pushed_to_without_its_server_refuses_nothing(world: Sandbox) -> None:
    """The clone that is left after the end pushes to a folder, where nobody judges."""
    hold(world, rule("creation"))
    commit(world)
    world.git("dana", "push", "-q", str(world.origin), "HEAD:refs/heads/by-hand")
    assert world.hub.bare(world.repo).branch("by-hand")


def test_a_person_is_known_by_the_account_not_by_the_name(standing: Sandbox) -> None:
    one = rulesets.document(standing.hub, rulesets.default(), standing.repository)
    entry = {"actor_type": "User", "actor_id": 1001}
    dana = Actor("dana", "write")
    assert rulesets.bypass_of(standing.hub, one | {"bypass_actors": [entry]}, dana) == "always"
    assert rulesets.bypass_of(standing.hub, one | {"bypass_actors": [entry]}, replace(dana, login="owen")) == "never"
