"""Who signs what authorises, and as whom the bot acts -> what to change, each with the command that changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.github_app import APP_ID, APP_INSTALLATION, APP_KEY
from bot.adapters.identity import SIGSTORE, named_workflow
from bot.adapters.settings import ENVIRONMENT, SECRET, Settings
from bot.cli.finding import Finding, unseen
from bot.report.status import VERDICT

ACTIONS_APP = 15368  # GitHub Actions
_SET_VARIABLE = f"gh variable set {{}} --env {ENVIRONMENT} --body {{}}"
_SET_KEY = f"gh secret set {APP_KEY} --env {ENVIRONMENT} < app.pem"


def signer_findings(
    keys: Mapping[str, bytes], workflows: Mapping[str, str], repository: str | None, default_branch: str | None
) -> Iterator[Finding]:
    """`keys` are the files of policies/keys/, `workflows` texts by name; None is not known."""
    public = ", ".join(sorted(name for name in keys if name.endswith(".pub")))
    line = keys.get("sigstore")
    if line is not None:
        yield _sigstore(line, public, repository, default_branch)
        yield from _tokens(workflows)
    elif public:
        yield Finding("who signs", True, f"the key whose public half is in policies/keys/: {public}")
    else:
        what = "nobody: policies/keys/ is empty, and anybody who may push can forge an approval on the ledger"
        yield Finding("who signs", False, what, "mlbot doctor --new-key policies/keys/bot.pub > bot.pem")


def _sigstore(line: bytes, public: str, repository: str | None, default_branch: str | None) -> Finding:
    ours = f"{repository or 'OWNER/REPO'} refs/heads/{default_branch or 'main'}"
    command, named = f"echo '{ours}' > {SIGSTORE}", named_workflow(line)
    if named is None:
        return Finding("who signs", False, f"{SIGSTORE} is not one line such as `{ours}`", command)
    where, ref = named
    if repository not in (None, where) or default_branch not in (None, ref.removeprefix("refs/heads/")):
        what = f"{SIGSTORE} trusts workflows of {where} at {ref}, which are not those that run here"
        return Finding("who signs", False, what, command)
    before = f"; what {public} signed before stays good" if public else ""
    return Finding("who signs", True, f"workflows of {where} at {ref}, by Sigstore{before}")


def _tokens(workflows: Mapping[str, str]) -> Iterator[Finding]:
    """Jobs that sign and may not ask for the identity that they would sign with."""
    import yaml

    for name, text in sorted(workflows.items()):
        try:
            jobs = yaml.safe_load(text)["jobs"]
            lacking = [key for key, job in jobs.items() if _signs(job) and not _may_ask(job)]
        except (yaml.YAMLError, TypeError, KeyError, AttributeError):
            continue  # actionlint says what is wrong with such a file
        if lacking:
            what = f"{name}.yml: {', '.join(lacking)} cannot sign by Sigstore without `id-token: write`"
            yield Finding("permissions", False, what, f"$EDITOR .github/workflows/{name}.yml")


def _signs(job: Any) -> bool:
    named = job.get("environment")
    return (named.get("name") if isinstance(named, dict) else named) == ENVIRONMENT


def _may_ask(job: Any) -> bool:
    granted = job.get("permissions") or {}
    return granted == "write-all" or (isinstance(granted, dict) and granted.get("id-token") == "write")


def secret_finding(settings: Settings, *, by_sigstore: bool) -> Finding:
    """The private half of the key, which nobody needs where Sigstore signs."""
    name, command = f"secret {SECRET}", f"gh secret set {SECRET} --env {ENVIRONMENT} < bot.pem"
    if by_sigstore:
        return Finding(name, True, "not needed: Sigstore signs")
    if settings.secrets is None:
        return unseen(name, command)
    is_set = SECRET in settings.secrets
    sentence = "it is set" if is_set else "it is not set, so nothing can be signed"
    return Finding(name, is_set, sentence, None if is_set else command)


def actor_findings(settings: Settings) -> Iterator[Finding]:
    """As whom the bot writes, and whether the ruleset takes the verdict from it."""
    if settings.variables is None or settings.secrets is None:
        yield unseen("who acts", None)
        return
    app, has_key = settings.variables.get(APP_ID, "").strip(), APP_KEY in settings.secrets
    if bool(app) != has_key:
        missing, command = (APP_KEY, _SET_KEY) if app else (APP_ID, _SET_VARIABLE.format(APP_ID, "NUMBER"))
        yield Finding("who acts", False, f"nobody can: half a GitHub App is set, and {missing} is missing", command)
    elif not app:
        advice = "docs/threat-model.md says how to make a GitHub App of your own, which no branch can act as"
        yield Finding("who acts", True, f"github-actions[bot], as any workflow of any branch may; {advice}")
    elif not settings.variables.get(APP_INSTALLATION, "").strip():
        what = f"GitHub App {app}; with {APP_INSTALLATION} set each job asks once less"
        yield Finding("who acts", True, what, _SET_VARIABLE.format(APP_INSTALLATION, "NUMBER"))
    else:
        yield Finding("who acts", True, f"GitHub App {app}")
    yield from _source(settings, app)


def _source(settings: Settings, app: str) -> Iterator[Finding]:
    """A ruleset that waits for the verdict of somebody else lets nothing through."""
    wanted = verdict_source(settings)
    acting = int(app) if app.isdecimal() else None if app else ACTIONS_APP
    if wanted is not None and acting is not None and wanted != acting:
        who = f"app {wanted}" if wanted != ACTIONS_APP else "GitHub Actions"
        what = f"the ruleset takes {VERDICT} from {who} only, and app {acting} posts it: nothing can be merged"
        page = f"https://github.com/{settings.repository}/settings/rules"
        yield Finding("source of the verdict", False, what, f"{page}: let it expect app {acting}")


def verdict_source(settings: Settings) -> int | None:
    """The app that the default branch's ruleset takes the verdict from; None for any, and where none is required."""
    rules = settings.rules.get(settings.default_branch) or ()
    checks = [
        check
        for rule in rules
        if rule.get("type") == "required_status_checks"
        for check in (rule.get("parameters") or {}).get("required_status_checks", [])
    ]
    return next((one.get("integration_id") for one in checks if one.get("context") == VERDICT), None)
