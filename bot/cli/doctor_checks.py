"""What a repository and its settings are -> what to change, each with the command that changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.adapters.settings import BRANCHES, ENVIRONMENT, Settings
from bot.cli.doctor_identity import ACTIONS_APP, actor_findings, secret_finding, verdict_source
from bot.cli.finding import Finding, unseen
from bot.report.status import VERDICT

WORKFLOWS = ("pull-request", "merge-group", "review", "reviewed", "chatops", "promote", "reconcile", "monitor")
_PIN = re.compile(r"^\s*(?:- )?uses:\s*(?P<action>[^./\s][^@\s]*)@(?P<ref>\S+)", re.MULTILINE)
_TOP_PERMISSIONS = re.compile(r"^permissions:\s*\{\}\s*$", re.MULTILINE)


def workflow_findings(files: Mapping[str, str]) -> Iterator[Finding]:
    """`files` are the workflow files by name without `.yml`, as text."""
    missing = [name for name in WORKFLOWS if name not in files]
    yield Finding(
        "workflows",
        not missing,
        f"missing: {', '.join(missing)}" if missing else f"all {len(WORKFLOWS)} are there",
        "mlbot init" if missing else None,
    )
    for name, text in sorted(files.items()):
        loose = sorted({one["action"] for one in _PIN.finditer(text) if not re.fullmatch("[0-9a-f]{40}", one["ref"])})
        if loose:
            what = f"{name}.yml does not pin {', '.join(loose)} by commit"
            yield Finding("pinned actions", False, what, "zizmor --fix=all .github/workflows")
        if name in WORKFLOWS and not _TOP_PERMISSIONS.search(text):
            what = f"{name}.yml does not start from `permissions: {{}}`"
            yield Finding("permissions", False, what, f"git checkout origin/HEAD -- .github/workflows/{name}.yml")


def setting_findings(settings: Settings, *, bot_opens: bool = False, by_sigstore: bool = False) -> Iterator[Finding]:
    """Everything that is set on GitHub and not in a file.

    `bot_opens`: the policies let the bot open pull requests; `by_sigstore`: no key signs.
    """
    api = f"gh api --method {{}} repos/{settings.repository}/{{}}"
    yield _token(settings, api, bot_opens=bot_opens)
    yield _default_branch(settings, api)
    for branch in BRANCHES:
        yield _bot_branch(settings, branch, api)
    yield _environment(settings, api)
    yield secret_finding(settings, by_sigstore=by_sigstore)
    yield from actor_findings(settings)


def _token(settings: Settings, api: str, *, bot_opens: bool) -> Finding:
    """GitHub has one switch for opening and approving; an approval of Actions' own counts nowhere in mlbot."""
    found, wanted = settings.workflow_permissions, str(bot_opens).lower()
    command = api.format("PUT", "actions/permissions/workflow") + (
        f" -f default_workflow_permissions=read -F can_approve_pull_request_reviews={wanted}"
    )
    if found is None:
        return unseen("Actions' own approvals", command)
    may = bool(found.get("can_approve_pull_request_reviews"))
    good = found.get("default_workflow_permissions") == "read" and may == bot_opens
    sentence = "tokens read by default and approve nothing" if good else "tokens may write, or approve, by default"
    if bot_opens:
        wants = "tokens may not open the pull requests that the policy wants, or write by default"
        sentence = "tokens read by default and may open pull requests" if good else wants
    return Finding("Actions' own approvals", good, sentence, None if good else command)


def _default_branch(settings: Settings, api: str) -> Finding:
    name, rules = f"rules of {settings.default_branch}", settings.rules.get(settings.default_branch)
    if rules is None:
        return unseen(name, None)
    kinds = {rule.get("type"): rule.get("parameters") or {} for rule in rules}
    checks = kinds.get("required_status_checks", {}).get("required_status_checks", [])
    is_required = any(one.get("context") == VERDICT for one in checks)
    problems = [
        f"{kind.replace('_', ' ')} is allowed" for kind in ("deletion", "non_fast_forward") if kind not in kinds
    ]
    problems += ["changes need no pull request"] if "pull_request" not in kinds else []
    problems += [] if is_required else [f"the status {VERDICT} is not required"]
    command = api.format("POST", "rulesets") + " --input docs/rulesets/default-branch.json"
    if problems:
        return Finding(name, False, "; ".join(problems), command)
    is_own = verdict_source(settings) not in (None, ACTIONS_APP)
    # any workflow of any branch acts as GitHub Actions
    advice = "" if is_own else f"; but any workflow may post {VERDICT}: better let a GitHub App of your own do it"
    return Finding(name, True, "they hold the verdict" + advice)


def _bot_branch(settings: Settings, branch: str, api: str) -> Finding:
    rules = settings.rules.get(branch)
    if rules is None:
        return unseen(f"rules of {branch}", None)
    kinds = {rule.get("type") for rule in rules}
    missing = sorted({"deletion", "non_fast_forward"} - kinds)
    command = api.format("POST", "rulesets") + " --input docs/rulesets/bot-branches.json"
    sentence = f"not ruled out: {', '.join(missing).replace('_', ' ')}" if missing else "it only grows"
    return Finding(f"rules of {branch}", not missing, sentence, command if missing else None)


def _environment(settings: Settings, api: str) -> Finding:
    name = f"environment {ENVIRONMENT}"
    create = api.format("PUT", f"environments/{ENVIRONMENT}") + (
        " -F 'deployment_branch_policy[protected_branches]=false'"
        " -F 'deployment_branch_policy[custom_branch_policies]=true'"
    )
    limit = api.format("POST", f"environments/{ENVIRONMENT}/deployment-branch-policies")
    limit += f" -f name={settings.default_branch}"
    if settings.environment is None:
        return Finding(name, False, "it is not there, so no job can sign", f"{create} && {limit}")
    policy = settings.environment.get("deployment_branch_policy")
    if not policy:
        return Finding(name, False, "a workflow of any branch may take the signing key", f"{create} && {limit}")
    if settings.environment_branches is None:
        return unseen(name, None)
    good = settings.environment_branches == (settings.default_branch,)
    listed = ", ".join(settings.environment_branches) or "no branch"
    return Finding(name, good, f"it is for {listed}", None if good else limit)
