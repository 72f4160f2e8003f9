"""People rename, delete and register accounts, gain and lose roles; repositories move. Nobody keeps an old name."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Union, get_args, get_origin

import pytest

from bot.errors import UserError
from bot.sandbox import relabel, store
from bot.sandbox.hub import Happening
from bot.sandbox.people import Login, Person
from bot.sandbox.world import Sandbox
from tests.sandbox.conftest import Caller
from tests.sandbox.test_shapes import SPEC, problems, strict_problems

MODEL = "models/churn/model.yaml"


@pytest.fixture
def number(world: Sandbox) -> int:
    """A pull request of owen's, approved by vera, commented on and assigned to him."""
    found = world.propose("owen", "deeper", {MODEL: b"depth: 4\n"}, "Deeper trees")
    owen, vera = (Caller(world, world.token(login)) for login in ("owen", "vera"))
    vera("POST", f"/pulls/{found}/reviews", {"event": "APPROVE"})
    owen("POST", f"/issues/{found}/comments", {"body": "thanks"})
    vera("POST", f"/issues/{found}/assignees", {"assignees": ["owen"]})
    return found


# --- every field that holds a login


def filled(kind: Any, alias: Any, name: str) -> Any:
    """A value of a declared type with `name` in every place of type `alias`."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind == alias:
        return name
    if kind == store.Ruleset:
        return {"bypass": [name]} if alias == Login else {}
    if origin in (Union, types.UnionType):
        return filled(inside[0], alias, name)
    if origin in (list, tuple):
        return origin([filled(inside[0], alias, name)])
    if origin is dict:
        return {filled(inside[0], alias, name): filled(inside[1], alias, name)}
    if dataclasses.is_dataclass(kind):
        hints = relabel.hints(kind)
        return kind(**{one: filled(declared, alias, name) for one, declared in hints.items()})
    return {str: "text", int: 7, bool: True, float: 1.5, datetime: datetime(2026, 1, 1, tzinfo=UTC)}.get(kind, "read")


@pytest.mark.parametrize("alias", [Login, store.FullName], ids=["a login", "a repository's name"])
def test_no_record_keeps_an_old_name(alias: Any) -> None:
    """Each field whose type says that it holds the name follows, in whatever record it is, lists and keys too."""
    data = filled(store.Data, alias, "old")
    dumped = store._adapter().dump_json(data).decode()
    assert dumped.count('"old"') > 4
    changed = relabel.relabel(data, store.Data, alias, lambda name: "new" if name == "old" else name)
    now = store._adapter().dump_json(changed).decode()
    assert '"old"' not in now
    assert now.count('"new"') == dumped.count('"old"')


def records(kind: Any = store.Data) -> Iterator[Any]:
    """Every record type that is saved."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        yield kind
        for declared in relabel.hints(kind).values():
            yield from records(declared)
    for inside in get_args(kind):
        yield from records(inside)


@pytest.mark.parametrize("kind", sorted(set(records()), key=lambda kind: kind.__name__))
def test_a_field_that_is_named_like_a_person_is_typed_as_one(kind: Any) -> None:
    """A new field for somebody's login, declared as plain text, would keep the old name for ever."""
    telling = re.compile(r"author|actor|creator|editor|login|reviewer|assignee|enqueuer|sender|member|user|.*_by|about")
    for name, declared in relabel.hints(kind).items():
        if telling.fullmatch(name) and int not in get_args(declared):
            assert Login in (declared, *get_args(declared)), f"{kind.__name__}.{name}"


# --- accounts


def test_a_renamed_account_is_the_same_everywhere(world: Sandbox, call: Any, number: int) -> None:
    """Number, token, role and all that was written stay; the old login answers 404."""
    old = world.token("owen")
    world.protect(bypass=["owen"])
    world.set_team("owners", ["owen"])
    world.rename_account("owen", "owen-r")
    dana = call("dana")
    assert world.token("owen-r") == old
    assert Caller(world, old)("GET", "//user")[1]["login"] == "owen-r"
    _, pull = dana("GET", f"/pulls/{number}")
    assert (pull["user"]["login"], pull["user"]["id"], pull["assignee"]["login"]) == ("owen-r", 1002, "owen-r")
    assert dana("GET", f"/issues/{number}/comments")[1][0]["user"]["login"] == "owen-r"
    assert dana("GET", "/collaborators/owen-r/permission")[1]["permission"] == "write"
    assert dana("GET", "//orgs/acme/teams/owners/memberships/owen-r")[0] == 200
    for path in ("//users/owen", "/collaborators/owen/permission", "//orgs/acme/teams/owners/memberships/owen"):
        assert dana("GET", path)[0] == 404
    assert dana("GET", "//user/1002")[1]["login"] == "owen-r"
    assert dana("GET", f"/commits/{pull['head']['sha']}")[1]["author"]["login"] == "owen-r"
    saved = json.loads((world.directory / "github.json").read_text())
    assert saved["people"]["owen-r"].pop("names") == ["owen"]
    assert '"owen"' not in json.dumps(saved)


def test_a_deleted_account_is_a_ghost(world: Sandbox, call: Any, number: int) -> None:
    """Issues and comments show ghost; reviews, events and commits show nobody; lists leave the account out."""
    token, dana = world.token("vera"), call("dana")
    world.delete_account("owen")
    world.delete_account("vera")
    assert Caller(world, token)("GET", "")[0] == 401
    _, pull = dana("GET", f"/pulls/{number}")
    assert (pull["user"]["login"], pull["user"]["id"], pull["assignees"]) == ("ghost", 10137, [])
    assert dana("GET", f"/issues/{number}/comments")[1][0]["user"]["id"] == 10137
    assert dana("GET", f"/pulls/{number}/reviews")[1][0]["user"] is None
    (assigned,) = dana("GET", f"/issues/{number}/events")[1]
    assert (assigned["actor"], assigned["assignee"]) == (None, None)
    assert dana("GET", f"/commits/{pull['head']['sha']}")[1]["author"] is None
    for path in ("//users/owen", "//user/1002", "/collaborators/owen/permission", "/collaborators/owen"):
        assert call("rhea")("GET", path)[0] == 404
    assert dana("GET", "//orgs/acme/teams/validators/memberships/vera")[0] == 404
    assert "owen" not in world.repo.permissions
    assert dana("GET", "//users/ghost")[1]["id"] == 10137
    world.commit("dana", "deeper", {MODEL: b"depth: 5\n"}, "somebody goes on")
    assert call("rhea")("PUT", f"/pulls/{number}/merge", {"merge_method": "squash"})[0] == 200


def test_a_login_that_was_registered_again_inherits_nothing(world: Sandbox, call: Any, number: int) -> None:
    """Neither role nor team nor words, and not the commits by the old address without a number."""
    world.rename_account("owen", "owen-r")
    world.register(Person("owen", 4711))
    dana = call("dana")
    assert dana("GET", "/collaborators/owen/permission")[1]["permission"] == "read"
    assert dana("GET", "//users/owen")[1]["id"] == 4711
    assert dana("GET", f"/pulls/{number}")[1]["user"]["id"] == 1002
    assert world.hub.by_email("owen@users.noreply.github.com") is None
    assert world.hub.by_email("owen@corp.example") == world.hub.person("owen-r")
    assert world.hub.by_email("1002+owen@users.noreply.github.com") == world.hub.person("owen-r")
    assert Caller(world, world.token("owen"))("PUT", f"/pulls/{number}/merge", {})[0] == 403
    with pytest.raises(UserError, match="already"):
        world.register(Person("Owen", 4712))
    with pytest.raises(UserError, match="number of owen"):
        world.register(Person("somebody", 4711))


def test_a_managed_account_has_its_companys_short_name(world: Sandbox, call: Any) -> None:
    world.register(Person("vera_acme", 4711))
    world.set_permission("vera_acme", "write")
    assert call("dana")("GET", "//users/vera_acme")[1]["login"] == "vera_acme"
    assert call("vera_acme")("POST", "/issues", {"title": "x"})[1]["user"]["login"] == "vera_acme"
    with pytest.raises(UserError, match="no login"):
        world.register(Person("a_b_c", 4712))


def test_strangers_read_a_public_repository_and_see_no_private_one(world: Sandbox, call: Any) -> None:
    """`read` is what an account without any role has where everybody may read."""
    world.register(Person("mallory", 4711))
    asked = "/collaborators/mallory/permission"
    assert call("dana")("GET", asked)[1]["permission"] == "read"
    assert call("mallory")("GET", "/pulls")[0] == 200
    world.repo.private = True
    assert call("dana")("GET", asked)[1]["permission"] == "none"
    assert call("mallory")("GET", "/pulls")[0] == 404
    assert call(None)("GET", "/pulls")[0] in (401, 404)


def test_roles_and_teams_change_and_are_announced(world: Sandbox, call: Any, happenings: list[Happening]) -> None:
    """GitHub has webhooks for it, but no event that starts a workflow."""
    world.register(Person("mia", 4711))
    world.set_permission("mia", "maintain")
    world.set_permission("mia", "maintain")
    call("adam")("PUT", "/collaborators/mia", {"permission": "admin"})
    world.set_team("validators", ["vera", "mia"])
    assert call("dana")("GET", "//orgs/acme/teams/validators/memberships/mia")[0] == 200
    world.set_team("validators", ["vera"])
    assert call("dana")("GET", "//orgs/acme/teams/validators/memberships/mia")[0] == 404
    world.set_team("validators", None)
    assert call("dana")("GET", "//orgs/acme/teams/validators/memberships/vera")[0] == 404
    call("adam")("DELETE", "/collaborators/mia")
    assert call("dana")("GET", "/collaborators/mia/permission")[1]["permission"] == "read"
    assert [f"{one.event} {one.action}" for one in happenings if one.event != "push"] == [
        "member added",
        "member edited",
        "membership added",
        "membership removed",
        "membership removed",
        "member removed",
    ]
    for one in happenings:
        name = f"{one.event}-{one.action}".replace("_", "-")
        payload = json.loads(json.dumps(one.payload))
        assert not problems(SPEC["webhooks"][name], payload) + strict_problems(one), name
    assert world.runs == []


def test_an_administrator_is_among_the_people() -> None:
    """Settings can be rehearsed: somebody may change them."""
    from bot.sandbox.people import DEFAULT_PEOPLE

    assert [one.login for one in DEFAULT_PEOPLE if one.permission == "admin"] == ["ada"]


# --- places


def test_a_renamed_repository_answers_by_its_old_name(
    world: Sandbox, call: Any, number: int, happenings: list[Happening]
) -> None:
    """API calls are led to its number, git goes on, webhooks have the new name."""
    before, old_url = world.repo.id, world.clone_url("dana")
    dana = call("dana")
    world.rename_repository("acme/ml-models")
    assert (world.repo.id, world.repo.full_name, world.repository) == (before, "acme/ml-models", "acme/ml-models")
    answer = dana.session.get(f"{dana.root}/pulls?state=all", allow_redirects=False, timeout=30)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{world.api_url}/repositories/{before}/pulls?state=all"
    assert dana("GET", f"/pulls/{number}")[1]["head"]["repo"]["full_name"] == "acme/ml-models"
    posted = dana.session.post(f"{dana.root}/issues", json={"title": "x"}, allow_redirects=False, timeout=30)
    assert (posted.status_code, posted.json()["message"]) == (307, "Moved Permanently")
    assert dana("POST", "/issues", {"title": "by the old name"})[0] == 201
    world.git("dana", "push", "-q", old_url, "HEAD:refs/heads/by-the-old-name")
    assert "by-the-old-name" in world.git("dana", "ls-remote", old_url)
    pushed = [one.payload["repository"]["full_name"] for one in happenings if one.event == "push"]
    assert pushed[-1] == "acme/ml-models"
    (renamed,) = [one for one in happenings if one.event == "repository"]
    assert (renamed.action, renamed.payload["changes"]["repository"]["name"]["from"]) == ("renamed", "models")
    assert world.github("dana").get_repo("acme/models").full_name == "acme/ml-models"


def test_an_administrator_renames_and_transfers_over_the_api(world: Sandbox, call: Any) -> None:
    adam = call("adam")
    assert call("rhea")("PATCH", "", {"name": "ml"})[0] == 403
    assert adam("PATCH", "", {"name": "ml", "private": True})[1]["full_name"] == "acme/ml"
    assert adam("POST", "/transfer", {"new_owner": "globex"})[0] == 202
    assert [one.full_name for one in world.hub.data.repositories.values()] == ["globex/ml"]
    world.register(Person("mallory", 4711))
    assert call("mallory")("GET", "//repos/globex/ml")[0] == 404
    assert adam("GET", "//repos/acme/ml")[1]["full_name"] == "globex/ml"
    assert adam("PATCH", "//repos/globex/ml", {"name": "a/b"})[0] == 422


def test_a_transferred_repository_has_another_owner(world: Sandbox, call: Any, happenings: list[Happening]) -> None:
    old = call("dana")
    world.rename_repository("globex/models")
    assert old("GET", "")[1]["owner"]["login"] == "globex"
    moved = next(one for one in happenings if one.event == "repository")
    assert (moved.action, moved.payload["changes"]["owner"]["from"]["organization"]["login"]) == (
        "transferred",
        "acme",
    )
    with pytest.raises(UserError, match="globex/models"):
        world.rename_repository("globex/models")


def test_a_fork_follows_its_owner_and_goes_with_them(world: Sandbox, call: Any) -> None:
    """The pull request stays; where it came from is unknown once the account is gone."""
    call("rita")("POST", "/forks", {})
    world.git("rita", "push", "-q", f"{world.url}/rita/models.git", "HEAD:refs/heads/idea")
    world.git("rita", "checkout", "-q", "-b", "idea")
    world.git("rita", "commit", "-q", "--allow-empty", "-m", "an idea")
    world.git("rita", "push", "-q", f"{world.url}/rita/models.git", "idea")
    made = call("rita")("POST", "/pulls", {"title": "Idea", "base": "main", "head": "rita:idea"})[1]
    world.rename_account("rita", "rita-2")
    shown = call("dana")("GET", f"/pulls/{made['number']}")[1]
    assert shown["head"]["repo"]["full_name"] == "rita-2/models"
    world.delete_account("rita-2")
    shown = call("dana")("GET", f"/pulls/{made['number']}")[1]
    assert (shown["head"]["repo"], shown["user"]["login"], shown["state"]) == (None, "ghost", "open")
    assert call("dana")("PATCH", f"/pulls/{made['number']}", {"state": "closed"})[0] == 200
    assert call("rhea")("PATCH", f"/pulls/{made['number']}", {"state": "open"})[0] == 422
