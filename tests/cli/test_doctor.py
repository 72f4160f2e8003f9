"""`mlbot doctor` names what is wrong and the command that mends it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.settings import BRANCHES, Settings
from bot.cli import run
from bot.cli.doctor_checks import WORKFLOWS, Finding, key_findings, setting_findings, workflow_findings

ROOT = Path(__file__).parent.parent.parent
RULES = [
    {"type": "deletion"},
    {"type": "non_fast_forward"},
    {"type": "pull_request"},
    {
        "type": "required_status_checks",
        "parameters": {"required_status_checks": [{"context": "mlbot/verdict", "integration_id": 7}]},
    },
]
GOOD = Settings(
    repository="o/r",
    default_branch="main",
    workflow_permissions={"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
    rules=dict.fromkeys(("main", *BRANCHES), RULES),
    environment={"deployment_branch_policy": {"custom_branch_policies": True, "protected_branches": False}},
    environment_branches=("main",),
    has_secret=True,
)


def bad(settings: Settings) -> dict[str, Finding]:
    return {one.name: one for one in setting_findings(settings) if one.is_good is not True}


def test_a_good_repository_needs_nothing() -> None:
    assert bad(GOOD) == {}


@pytest.mark.parametrize(
    ("changes", "name", "says"),
    [
        ({"workflow_permissions": {"default_workflow_permissions": "write"}}, "Actions' own approvals", "may write"),
        (
            {
                "workflow_permissions": {
                    "default_workflow_permissions": "read",
                    "can_approve_pull_request_reviews": True,
                }
            },
            "Actions' own approvals",
            "approve",
        ),
        ({"rules": {**GOOD.rules, "main": []}}, "rules of main", "mlbot/verdict is not required"),
        ({"rules": {**GOOD.rules, "mlbot/ledger": []}}, "rules of mlbot/ledger", "non fast forward"),
        ({"environment": None}, "environment mlbot", "not there"),
        ({"environment": {"deployment_branch_policy": None}}, "environment mlbot", "any branch"),
        ({"environment_branches": ("main", "*")}, "environment mlbot", "main, *"),
        ({"has_secret": False}, "secret MLBOT_SIGNING_KEY", "not set"),
    ],
)
def test_what_is_wrong_is_named_with_its_command(changes: dict[str, object], name: str, says: str) -> None:
    found = bad(replace(GOOD, **changes))  # type: ignore[arg-type]
    assert list(found) == [name]
    assert found[name].is_good is False and says in found[name].sentence
    assert (found[name].command or "").startswith(("gh api --method ", "gh secret "))


def test_a_bot_that_shall_open_pull_requests_must_be_let() -> None:
    allowed = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    assert {one.is_good for one in setting_findings(replace(GOOD, workflow_permissions=allowed), bot_opens=True)} == {
        True
    }
    (found,) = [one for one in setting_findings(GOOD, bot_opens=True) if not one.is_good]
    assert "may not open the pull requests" in found.sentence
    assert "can_approve_pull_request_reviews=true" in (found.command or "")


def test_what_may_not_be_seen_is_not_called_good() -> None:
    blind = replace(GOOD, workflow_permissions=None, environment_branches=None, has_secret=None)
    assert {one.is_good for one in bad(blind).values()} == {None}


def test_a_status_that_any_workflow_may_post_is_pointed_out() -> None:
    rules = json.loads(json.dumps(RULES).replace('"integration_id": 7', '"integration_id": 15368'))
    findings = setting_findings(replace(GOOD, rules={**GOOD.rules, "main": rules}))
    assert any("GitHub App of your own" in one.sentence for one in findings)


def test_the_rulesets_that_are_offered_are_enough() -> None:
    for file, branches in (("default-branch", ["main"]), ("bot-branches", list(BRANCHES))):
        rules = json.loads((ROOT / f"docs/rulesets/{file}.json").read_text())["rules"]
        assert bad(replace(GOOD, rules={**GOOD.rules, **dict.fromkeys(branches, rules)})) == {}


def test_this_repository_s_workflows_are_good() -> None:
    files = {file.stem: file.read_text() for file in (ROOT / ".github/workflows").glob("*.yml")}
    assert all(one.is_good for one in workflow_findings(files))


def test_loose_workflows_are_named() -> None:
    files = dict.fromkeys(WORKFLOWS, "permissions: {}\n") | {"mine": "      - uses: actions/checkout@v6\n"}
    (finding,) = [one for one in workflow_findings(files) if not one.is_good]
    assert "mine.yml does not pin actions/checkout" in finding.sentence
    assert not all(one.is_good for one in workflow_findings({}))


def test_without_a_public_key_the_way_to_one_is_shown() -> None:
    assert [one.is_good for one in key_findings(["README.md"])] == [False]
    assert [one.is_good for one in key_findings(["bot.pub"])] == [True]


def test_a_new_key_never_overwrites_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys/bot.pub"
    assert run(["doctor", "--new-key", str(path)]) == 0
    assert "PRIVATE KEY" in capsys.readouterr().out and "PUBLIC KEY" in path.read_text()
    assert run(["doctor", "--new-key", str(path)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_without_a_token_the_files_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert run(["doctor", "--json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["workflows"]["is_good"] is False and found["settings on GitHub"]["is_good"] is None
