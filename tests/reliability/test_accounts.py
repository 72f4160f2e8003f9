"""Accounts are renamed, deleted, managed by a company; a repository is renamed: that concerns nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatops.parse import parse
from bot.sandbox.world import Sandbox
from bot.specs.policies import read_policies
from tests.reliability.recorded import given, refused
from tests.sandboxes import copied
from tests.stories.world import NOTES, approve_by_review, bot_said, say, verdict

engine = pytest.mark.engine
POLICIES = Path(__file__).parents[2] / "policies"


def policies(change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """This repository's policies with other roles."""
    files = {f"policies/{path.name}": path.read_bytes() for path in POLICIES.glob("*.yaml")}
    return files | {"policies/roles.yaml": change(files["policies/roles.yaml"])}


def leave(sandbox: Sandbox) -> None:
    sandbox.delete_account("owen")


def rename(sandbox: Sandbox) -> None:
    sandbox.rename_account("owen", "owen-r")


LOAN = "/delegate @vera role=model-owner for=1h --reason dentist"


@engine
@pytest.mark.parametrize("words", [(LOAN,), (LOAN, "/undelegate @vera")], ids=["a loan", "a loan that ended"])
@pytest.mark.parametrize("goes", [rename, leave])
def test_a_lender_who_is_gone_stops_no_other_pull_request(
    sandbox: Sandbox, words: tuple[str, ...], goes: Callable[[Sandbox], None]
) -> None:
    for body in words:
        say(sandbox, "owen", NOTES, body)
    given("cannot" not in bot_said(sandbox, NOTES)[-1], "a loan")
    goes(sandbox)
    number = sandbox.propose("dana", "more", {"docs/more.md": b"more\n"}, "More")
    sandbox.settle()
    assert verdict(sandbox, number) == "pending", "reported and judged"
    before = len(bot_said(sandbox, number))
    say(sandbox, "dana", number, "/status")
    assert len(bot_said(sandbox, number)) == before + 1, "answered"
    approve_by_review(sandbox, "vera", number)
    assert verdict(sandbox, number) == "success", "somebody else may approve"


@engine
def test_whoever_held_and_was_renamed_still_holds_and_stops_no_judgement(sandbox: Sandbox) -> None:
    """The comment is gone, and with it the present login; the ledger knows the one of that time."""
    held = say(sandbox, "vera", NOTES, "/hold --reason a complaint")
    sandbox.github("vera").get_repo(sandbox.repository).get_issue(NOTES).get_comment(held).delete()
    sandbox.settle()
    sandbox.rename_account("vera", "vera-r")
    sandbox.schedule("reconcile.yml")
    (run,) = sandbox.settle()
    assert (run.conclusion, verdict(sandbox, NOTES)) == ("success", "failure")


# --- accounts that a company manages: https://docs.github.com/en/enterprise-cloud@latest/admin/concepts/identity-and-access-management/enterprise-managed-users


def test_a_managed_account_holds_a_role() -> None:
    files = policies(lambda roles: roles.replace(b"vera#1003", b"vera_acme#1003"))
    assert not refused(lambda: read_policies(files))


@pytest.mark.parametrize(
    "body",
    [
        "/delegate @vera_acme role=model-owner for=1h --reason dentist", "/undelegate @vera_acme",
        "/simulate +approve=@vera_acme",
    ],
)  # fmt: skip
def test_a_managed_account_is_named_in_a_command(body: str) -> None:
    parsed = parse(body)
    assert [command.verb for command in parsed.commands] == [body[1:].split()[0]], parsed.hints


# --- who a commit is of


def test_addresses_of_tools_and_of_people_can_be_named() -> None:
    named = b"""
addresses:
  noreply@anthropic.com: tool
  vera@users.noreply.github.com: vera#1003
"""
    assert not refused(lambda: read_policies(policies(lambda roles: roles + named)))


# --- a repository by another name


@engine
def test_a_renamed_repository_keeps_its_one_report(notes: Path, tmp_path: Path) -> None:
    with copied(notes, tmp_path / "world") as sandbox:
        given(reports(sandbox) == 1, "one report")
        sandbox.rename_repository("acme/ml-models")
        say(sandbox, "vera", NOTES, "/hold --reason a complaint")
        assert reports(sandbox) == 1
        assert "hold" in next(body for body in bot_said(sandbox, NOTES) if body.startswith("<!-- mlbot:report"))


def reports(sandbox: Sandbox) -> int:
    return sum(body.startswith("<!-- mlbot:report") for body in bot_said(sandbox, NOTES))
