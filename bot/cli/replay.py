"""`mlbot decide --replay`: a stored decision, judged again from the stored facts and the policy of that time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from bot.errors import UserError
from bot.ledger import Ledger
from bot.ports import Branch
from bot.records.decision import Decision
from bot.records.ledger import bare, decision_path, facts_path
from bot.specs.policies import Policies


def replay(digest: str, repo: Path, *, wants_json: bool) -> int:
    """Print the stored decision and whether judging it again gives the same. Exit 1 when it does not."""
    from bot.cli.clone import clone_ports
    from bot.cli.decide import show
    from bot.decide.decide import decide

    ports = clone_ports(repo, fetch=False)
    git, ledger = ports.git, ports.ledger
    stored = stored_decision(ledger, digest)
    facts = Ledger(ledger).facts(stored.number, stored.facts_digest)
    if facts is None:
        path = facts_path(stored.number, stored.facts_digest)
        raise UserError(f"the ledger has no facts for this decision ({path})", code="facts_missing")
    policies = policies_of(git, stored.policy_digest)
    again = decide(facts, policies, datetime.fromisoformat(stored.decided_at))
    show(stored, wants_tree=not wants_json, wants_json=wants_json)
    # What did not exist at that time has its default now, in the facts and in the decision.
    then = {"facts_digest": stored.facts_digest, "judge": stored.judge}
    again = again.model_copy(update=then)
    is_same = again.model_dump() == stored.model_dump()
    click.echo(f"Judged again: {_outcome(stored, again)}", err=True)
    return 0 if is_same else 1


def _outcome(stored: Decision, again: Decision) -> str:
    from bot.decide.decide import JUDGE

    if again.digest() == stored.digest():
        return "the same, byte for byte."
    if again.model_dump() == stored.model_dump():
        return "the same, by a judge that knows more keys."
    if stored.judge == JUDGE:
        return "DIFFERENT."
    why = f"it was judged by version {stored.judge} of the judge, and this is version {JUDGE}"
    return f"DIFFERENT: {why}; docs/policies.md says what changed between them."


def stored_decision(ledger: Branch, digest: str) -> Decision:
    """The decision of a digest, or of the only one that begins with what is given."""
    wanted = bare(digest)
    found = [one for one in Ledger(ledger).decision_names() if one[1].startswith(wanted)]
    if len(found) != 1 or len(wanted) < 8:
        problem = "no decision" if not found else "several decisions"
        raise UserError(
            f"{problem} with digest {digest} in the ledger", hint="`mlbot history MODEL --decisions` lists them."
        )
    decision = Ledger(ledger).decision(*found[0])
    assert decision is not None, "it is listed"
    if bare(decision.digest()) != found[0][1]:
        raise UserError(f"{decision_path(*found[0])} does not hold what its name says", code="ledger_tampered")
    return decision


def policies_of(git: object, digest: str) -> Policies:
    """The policies of that digest, searched along the first-parent history of the default branch."""
    from bot.adapters.git import LocalGit
    from bot.decide.step import policy_files
    from bot.specs.policies.loader import policy_digest, read_policies

    assert isinstance(git, LocalGit)
    for rev in ("HEAD", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"):
        listed = git.run("rev-list", "--first-parent", rev, "--", "policies")
        for sha in listed.stdout.split() if listed.returncode == 0 else ():
            files = policy_files(git, sha)
            if policy_digest(files) == digest:
                return read_policies(files)
    raise UserError(
        f"no commit of the default branch has the policies {digest}", hint="Fetch it whole: `git fetch --unshallow`."
    )
