"""`mlbot doctor` names what is wrong and the command that mends it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
import pytest

from bot.adapters.git import LocalGit
from bot.adapters.settings import BRANCHES, Settings
from bot.cli import run
from bot.cli.doctor import _reconcile
from bot.cli.doctor_checks import WORKFLOWS, setting_findings, workflow_findings
from bot.cli.doctor_identity import signer_findings
from bot.cli.finding import Finding
from bot.pipeline.overdue import STAMP

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
    secrets=("MLBOT_APP_KEY", "MLBOT_SIGNING_KEY"),
    variables={"MLBOT_APP_ID": "7", "MLBOT_APP_INSTALLATION": "70"},
)
APP = {"MLBOT_APP_ID": "7"}


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
        ({"secrets": ("MLBOT_APP_KEY",)}, "secret MLBOT_SIGNING_KEY", "not set"),
        ({"secrets": ("MLBOT_SIGNING_KEY",)}, "who acts", "MLBOT_APP_KEY is missing"),
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
    blind = replace(GOOD, workflow_permissions=None, environment_branches=None, secrets=None, variables=None)
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


SIGNS = "jobs: {chatops: {environment: {name: mlbot}, permissions: {contents: write, id-token: write}}}"
LINE = b"o/r refs/heads/main\n"


def signing(keys: dict[str, bytes], workflow: str = SIGNS) -> list[Finding]:
    return list(signer_findings(keys, {"chatops": workflow}, "o/r", "main"))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"bot.pub": b"x", "README.md": b"y"}, "the key whose public half is in policies/keys/: bot.pub"),
        ({"sigstore": LINE}, "workflows of o/r at refs/heads/main, by Sigstore"),
        ({"sigstore": LINE, "bot.pub": b"x"}, "workflows of o/r at refs/heads/main, by Sigstore; what bot.pub signed"),
    ],
)
def test_who_signs_is_said(keys: dict[str, bytes], says: str) -> None:
    (found,) = signing(keys)
    assert found.is_good and found.sentence.startswith(says)


@pytest.mark.parametrize(
    ("keys", "says", "command"),
    [
        ({"README.md": b""}, "nobody", "mlbot doctor --new-key"),
        ({"sigstore": b"o/r main"}, "is not one line", "echo 'o/r refs/heads/main' >"),
        ({"sigstore": b"mallory/r refs/heads/main"}, "not those that run here", "echo 'o/r refs/heads/main' >"),
        ({"sigstore": b"o/r refs/heads/dev", "a.pub": b""}, "not those that run here", "echo 'o/r refs/heads/main' >"),
    ],
)
def test_who_cannot_sign_is_said_with_the_way_out(keys: dict[str, bytes], says: str, command: str) -> None:
    (found,) = signing(keys)
    assert found.is_good is False and says in found.sentence and (found.command or "").startswith(command)


def test_jobs_that_may_not_ask_for_an_identity_are_named_where_sigstore_signs() -> None:
    without = SIGNS.replace(", id-token: write", "")
    assert [one.is_good for one in signing({"bot.pub": b""}, without)] == [True]
    (_, found) = signing({"sigstore": LINE}, without)
    assert found.is_good is False and found.sentence.startswith("chatops.yml: chatops cannot sign")
    assert [one.is_good for one in signing({"sigstore": LINE}, "jobs: [")] == [True], "actionlint's business"


def test_sigstore_needs_no_secret() -> None:
    without = replace(GOOD, secrets=("MLBOT_APP_KEY",))
    assert all(one.is_good for one in setting_findings(without, by_sigstore=True))


@pytest.mark.parametrize(
    ("variables", "secrets", "is_good", "says"),
    [
        (GOOD.variables, GOOD.secrets, True, "GitHub App 7"),
        (APP, GOOD.secrets, True, "MLBOT_APP_INSTALLATION"),
        ({"MLBOT_APP_ID": "Iv23liABC"}, GOOD.secrets, True, "GitHub App Iv23liABC"),
        ({}, ("MLBOT_SIGNING_KEY",), True, "github-actions[bot], as any workflow of any branch may"),
        ({}, GOOD.secrets, False, "MLBOT_APP_ID is missing"),
        (APP, ("MLBOT_SIGNING_KEY",), False, "MLBOT_APP_KEY is missing"),
        (None, GOOD.secrets, None, "administrator"),
    ],
)
def test_who_acts_is_said(
    variables: dict[str, str] | None, secrets: tuple[str, ...], is_good: bool | None, says: str
) -> None:
    found = {one.name: one for one in setting_findings(replace(GOOD, variables=variables, secrets=secrets))}
    assert (found["who acts"].is_good, says in found["who acts"].sentence) == (is_good, True)


@pytest.mark.parametrize(
    ("app", "expected", "is_wrong"),
    [("7", 7, False), ("7", None, False), ("8", 7, True), ("7", 15368, True), ("", 7, True), ("", 15368, False)],
)
def test_a_ruleset_that_waits_for_somebody_else_s_verdict_is_found(
    app: str, expected: int | None, is_wrong: bool
) -> None:
    rules = json.loads(json.dumps(RULES).replace('"integration_id": 7', f'"integration_id": {json.dumps(expected)}'))
    secrets = ("MLBOT_APP_KEY", "MLBOT_SIGNING_KEY") if app else ("MLBOT_SIGNING_KEY",)
    settings = replace(GOOD, variables={"MLBOT_APP_ID": app}, secrets=secrets, rules={**GOOD.rules, "main": rules})
    found = [one for one in setting_findings(settings) if one.name == "source of the verdict"]
    assert [one.is_good for one in found] == ([False] if is_wrong else [])


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


@pytest.mark.parametrize(
    ("hours", "good", "says"),
    [(None, None, "has not run yet"), (0.5, True, "30 minutes ago."), (5, False, "its schedule is late")],
)
def test_when_reconcile_last_ran_is_said(tmp_path: Path, hours: float | None, good: bool | None, says: str) -> None:
    pygit2.init_repository(str(tmp_path / "origin"), bare=True)
    bot, person = (pygit2.clone_repository(str(tmp_path / "origin"), str(tmp_path / name)) for name in ("bot", "me"))
    if hours is not None:
        assert LocalGit(Path(bot.workdir)).set_stamp(STAMP, datetime.now(UTC) - timedelta(hours=hours))
    found = _reconcile(Path(person.workdir))
    assert (found.is_good, says in found.sentence) == (good, True)
    assert (found.command is None) is (good is True)


def test_without_an_origin_reconcile_is_unseen(tmp_path: Path) -> None:
    pygit2.init_repository(str(tmp_path))
    assert _reconcile(tmp_path).is_good is None
