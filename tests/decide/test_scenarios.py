"""The scenarios of approval engines that were fooled, one row each: facts in, verdict and reason code out.

Numbers are those of the research list. A comment names what the best-known engine does where it differs. Scenarios
about the comment grammar (S38-S43) are in tests/chatops, those about loading (S67-S71) in tests/specs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.records.facts import Asked, Check, Facts, Gate, Opinion
from bot.specs.policies import Policies
from tests.decide.policies import P
from tests.decide.world import (
    ANN,
    APP,
    BOB,
    H2,
    NOW,
    OWN,
    REL,
    REV,
    REV2,
    VAL,
    H,
    account,
    actor,
    at,
    codes,
    command,
    commit,
    facts,
    head,
    judge,
    model,
    p1,
    review,
)


@dataclass(frozen=True)
class Row:
    """`code` is somewhere in the tree; None when only the verdict is promised."""

    name: str
    facts: Callable[[], Facts]
    status: str
    code: str | None = None
    policy: Policies = field(default_factory=lambda: P["P1"])
    now: datetime = NOW


def row(name: str, made: Callable[[], Facts], status: str, code: str | None = None, **changes: Any) -> Row:
    policy = changes.pop("policy", "P1")
    return Row(name, made, status, code, P[policy] if isinstance(policy, str) else policy, **changes)


def pushed(*opinions: Opinion, version: object = 2, **changes: Any) -> Facts:
    """After a push from H to H2 that gives churn other content (or, with version 1, the same)."""
    now = model(version=version)
    fields: dict[str, Any] = {
        "pr": {"head_sha": H2},
        "heads": (head(H), head(H2, now)),
        "commits": (commit(), commit(H2)),
        "models": (now,),
    }
    return facts(*opinions, **{**fields, **changes})


def gate(verdict: str, blocks: bool = True, until: float | None = None) -> tuple[Gate, ...]:
    """A gate; its pass is over so many minutes ago."""
    over = None if until is None else at(until)
    made = Gate(gate="floor", verdict=verdict, blocks=blocks, reason_code="x", sentence="s", valid_until=over)  # type: ignore[arg-type]
    return (made,)


IDENTITY = [
    row("S01 the author approves", lambda: facts(review(ANN)), "pending", "self_approval"),
    row(
        "S02 an app opened it with ann's commits, ann approves",
        lambda: facts(review(ANN), pr={"author": account(APP)}),
        "pending",
        "contributor_approval",
    ),
    row(
        "S03 only committers are excluded, the author approves",
        lambda: facts(review(REV), pr={"author": account(REV)}, commits=(commit(author=REV, committer=BOB),)),
        "approved",
        policy="committers only",
    ),
    row(
        "S03b and a committer does not",
        lambda: facts(review(REV), commits=(commit(author=ANN, committer=REV),)),
        "pending",
        "contributor_approval",
        policy="committers only",
    ),
    row(
        "S04 a contributor through any parent of a merge",
        lambda: facts(review(REV), commits=(commit("3" * 40, author=REV, committer=REV), commit())),
        "pending",
        "contributor_approval",
    ),  # approved elsewhere
    row(
        "S05 a co-author approves",
        lambda: facts(review(REV), commits=(commit(co_authors=(REV,)),)),
        "pending",
        "contributor_approval",
    ),
    row(
        "S05b whose suggestion was applied, and suggestions do not count",
        lambda: facts(review(REV), commits=(commit(co_authors=(REV,), suggestion=True),)),
        "approved",
        policy="suggestions free",
    ),
    row(
        "S05c the same trailer without a verified suggestion",
        lambda: facts(review(REV), commits=(commit(co_authors=(REV,)),)),
        "pending",
        "contributor_approval",
        policy="suggestions free",
    ),
    row(
        "S06 a commit of an unknown e-mail address",
        lambda: facts(review(REV), commits=(commit(author=None),)),
        "error",
        "unattributed_commit",
    ),  # approved elsewhere
    row(
        "S06b an unknown committer",
        lambda: facts(review(REV), commits=(commit(committer=None),)),
        "error",
        "unattributed_commit",
    ),
    row(
        "S06c an unknown co-author",
        lambda: facts(review(REV), commits=(commit(co_authors=(None,)),)),
        "error",
        "unattributed_commit",
    ),
    row(
        "S06d unless the policy says otherwise",
        lambda: facts(review(REV), commits=(commit(author=None),)),
        "approved",
        policy="unattributed ignored",
    ),
    row(
        "S09 the last pusher approves",
        lambda: facts(review(REV), pr={"last_pusher": REV}),
        "pending",
        "contributor_approval",
    ),
    row(
        "S09b who started the training approves",
        lambda: facts(review(REV), training_initiators=(REV,)),
        "pending",
        "contributor_approval",
    ),
    row(
        "S10 the login is written Rev on GitHub",
        lambda: facts(review(REV), actors=(actor(REV, account=account(REV).model_copy(update={"login": "Rev"})),)),
        "approved",
    ),  # pending elsewhere
    row(
        "S11 somebody else took over the login rev",
        lambda: facts(
            review(777),
            actors=(actor(777, account=account(REV).model_copy(update={"id": 777})),),
        ),
        "pending",
        "approvals_missing",
    ),
    row("S12 an actor of whom the facts say nothing", lambda: facts(review(REV), actors=()), "error", "role_unknown"),
    row(
        "S14 invited to the team, not a member",
        lambda: facts(review(BOB), actors=(actor(BOB, teams=()),)),
        "pending",
        "approvals_missing",
        policy="team",
    ),
    row(
        "S14b GitHub does not tell about the membership",
        lambda: facts(review(BOB), actors=(actor(BOB, unknown_teams=("acme/reviewers",)),)),
        "error",
        "role_unknown",
        policy="team",
    ),
    row(
        "S14c and nothing is unknown when somebody else fills the place",
        lambda: facts(
            review(BOB),
            review(REV),
            actors=(actor(BOB, unknown_teams=("acme/reviewers",)), actor(REV, teams=("acme/reviewers",))),
        ),
        "approved",
        policy="team",
    ),
    row(
        "S15 removed from the team after approving",
        lambda: facts(review(BOB, recorded_roles=("reviewers",)), actors=(actor(BOB, teams=()),)),
        "pending",
        "role_lost",
        policy="team",
    ),
    row(
        "S16 joined the role only after approving",
        lambda: facts(review(REV, recorded_roles=())),
        "pending",
        "role_missing",
        policy="role at approval",
    ),
    row(
        "S17 a member, however the team is written",
        lambda: facts(review(BOB), actors=(actor(BOB, teams=("Acme/Reviewers",)),)),
        "approved",
        policy="team",
    ),
    row("S18 an app approves", lambda: facts(review(APP)), "pending", policy="P1"),
    row("S18b an app that the role lists", lambda: facts(review(APP)), "approved", policy="app"),
    row("S19 a reader without a role approves", lambda: facts(review(BOB)), "pending", "approvals_missing"),
    row(
        "S19b a role asks for a permission that the member lost",
        lambda: facts(review(OWN), review(VAL), actors=(actor(OWN, permission="read"), actor(VAL))),
        "pending",
        "role_missing",
        policy="owner and validator",
    ),
    row(
        "S19c or of which GitHub did not say",
        lambda: facts(review(OWN), review(VAL), actors=(actor(OWN, permission=None), actor(VAL))),
        "error",
        "role_unknown",
        policy="owner and validator",
    ),
    row(
        "S20 one person in both roles, across rules",
        lambda: facts(review(OWN)),
        "pending",
        "duplicate_person",
        policy="two hats across",
    ),  # approved elsewhere
    row(
        "S20b two people",
        lambda: facts(review(OWN), review(VAL)),
        "approved",
        policy="two hats across",
    ),
    row("S20c one person, within rules", lambda: facts(review(OWN)), "approved", policy="two hats within"),
    row(
        "S20d one person for both lines of a rule",
        lambda: facts(review(OWN)),
        "pending",
        "duplicate_person",
        policy="two hats one rule",
    ),
    row(
        "S20e the places are matched, not taken greedily",
        lambda: facts(review(OWN), review(BOB)),
        "approved",
        policy="matching",
    ),
    row(
        "S21 one person three times",
        lambda: facts(review(REV), command(REV, ago=50), review(REV, ago=40)),
        "pending",
        "approvals_missing",
        policy="two reviewers",
    ),
    row("S22 two people", lambda: facts(review(REV), review(REV2)), "approved", policy="two reviewers"),
    row(
        "S23 only the author could approve",
        lambda: facts(pr={"author": account(OWN)}),
        "pending",
        "quorum_unsatisfiable",
        policy="owner only",
    ),
]

OPINIONS = [
    row("S24 approved, then changes requested", lambda: facts(review(REV), review(REV, "reject", ago=30)), "rejected"),
    row("S25 changes requested, then approved", lambda: facts(review(REV, "reject"), review(REV, ago=30)), "approved"),
    row(
        "S25b changes requested by one, approved by another",
        lambda: facts(review(REV, "reject"), review(REV2, ago=30)),
        "rejected",
        "vetoed",
    ),
    row("S28 approved, then dismissed", lambda: facts(review(REV, "withdraw")), "pending"),
    row(
        "S28b a dismissal never revives an older approval",
        lambda: facts(review(REV, ago=90), review(REV, "withdraw", ago=60)),
        "pending",
        "withdrawn",
    ),
    row(
        "S30 somebody without a role requests changes",
        lambda: facts(review(REV), review(BOB, "reject", ago=30)),
        "approved",
    ),
    row(
        "S30b of whom GitHub did not say what they are",
        lambda: facts(
            review(REV),
            review(BOB, "reject", ago=30),
            actors=(actor(REV, teams=("acme/reviewers",)), actor(BOB, unknown_teams=("acme/reviewers",))),
        ),
        "error",
        "role_unknown",
        policy="team",
    ),
    row(
        "S31 rejected by rev, approved by rev2",
        lambda: facts(command(REV, "reject"), command(REV2, ago=30)),
        "rejected",
        "vetoed",
    ),
    row(
        "S31b rev takes it back",
        lambda: facts(command(REV, "reject"), command(REV2, ago=40), command(REV, "withdraw", ago=30)),
        "approved",
    ),
    row(
        "S31c another reviewer cannot",
        lambda: facts(command(REV, "reject"), command(REV2, ago=40), command(REV2, "unhold", ago=30, reason="fine")),
        "rejected",
        "vetoed",
    ),  # approved elsewhere
    row(
        "S31d a release role can, with a reason",
        lambda: facts(command(REV, "reject"), command(REV2, ago=40), command(REL, "unhold", ago=30, reason="agreed")),
        "approved",
    ),
    row(
        "S31e not without one",
        lambda: facts(command(REV, "reject"), command(REV2, ago=40), command(REL, "unhold", ago=30)),
        "rejected",
        "vetoed",
    ),
    row(
        "S31f nor the author who holds that role",
        lambda: facts(
            command(REV, "reject"),
            command(REV2, ago=40),
            command(REL, "unhold", ago=30, reason="mine"),
            pr={"author": account(REL)},
        ),
        "rejected",
        "vetoed",
    ),
    row(
        "S31g nor with a comment that was edited",
        lambda: facts(
            command(REV, "reject"), command(REV2, ago=40), command(REL, "unhold", ago=30, reason="x", edited=True)
        ),
        "rejected",
        "vetoed",
    ),
    row(
        "S31h an edited rejection still rejects",
        lambda: facts(command(REV, "reject", edited=True), command(REV2, ago=30)),
        "rejected",
        "vetoed",
    ),
    row(
        "S31i an edited approval does not take a rejection back",
        lambda: facts(command(REV, "reject"), command(REV2, ago=40), command(REV, ago=30, edited=True)),
        "rejected",
        "vetoed",
    ),
    row(
        "S32 a review of the old head that comes after the push",
        lambda: pushed(review(REV, sha=H, ago=1)),
        "pending",
        "stale_head",
    ),  # approved elsewhere
    row("S32b a review of no commit", lambda: facts(review(REV, commit_sha=None)), "pending", "stale_head"),
    row("S33 the approval was deleted", lambda: facts(), "pending", "approvals_missing"),
    row("S34 the approval was withdrawn", lambda: facts(command(REV), command(REV, "withdraw", ago=30)), "pending"),
    row("S35 a comment edited into an approval", lambda: facts(command(REV, edited=True)), "pending", "edited"),
    row("S35b a comment that is not the recorded one", lambda: facts(command(REV, tampered=True)), "error", "tampered"),
    row(
        "S35c an older unedited approval stands",
        lambda: facts(command(REV, ago=90), command(REV, ago=30, edited=True)),
        "approved",
    ),  # pending elsewhere
    row("S36 an approving review whose text was edited", lambda: facts(review(REV, edited=True)), "approved"),
    row(
        "S37 a method that the policy does not take",
        lambda: facts(command(REV)),
        "pending",
        "method_not_allowed",
        policy="reviews only",
    ),
    row(
        "S42 an approval without a target where one is needed",
        lambda: facts(command(REV, target=None, seen_head=H)),
        "pending",
        "target_missing",
        policy="target needed",
    ),
    row(
        "S42b without a target, of a head that was reported on",
        lambda: facts(command(REV, target=None, seen_head=H)),
        "approved",
    ),
    row("S42c without a target, of nothing", lambda: facts(command(REV, target=None)), "pending", "target_missing"),
    row(
        "S42d of an evaluation that is not there",
        lambda: facts(command(REV, target="E-" + "a" * 16)),
        "pending",
        "target_unknown",
    ),
    row("S42e of a short SHA", lambda: facts(command(REV, target=H[:7])), "pending", "target_unknown"),
    row(
        "S42f of another pull request's commit",
        lambda: facts(command(REV, target="9" * 40)),
        "pending",
        "target_unknown",
    ),
    row("S42g of the full SHA", lambda: facts(command(REV, target=H)), "approved"),
    row("S45 a draft", lambda: facts(review(REV), pr={"draft": True}), "pending", "draft"),
    row("S45b closed", lambda: facts(review(REV), pr={"state": "closed"}), "pending", "closed"),
]

PUSHES = [
    row("S46 approved, then pushed", lambda: pushed(review(REV)), "pending", "stale_head"),
    row("S46b approved again", lambda: pushed(review(REV), review(REV, sha=H2, ago=5)), "approved"),
    row("S49 approval and push in the same second", lambda: pushed(review(REV, sha=H2, ago=0)), "approved"),
    row("S50 a push that changes no digest", lambda: pushed(review(REV), version=1), "approved"),
    row(
        "S50b which the policy may not forgive",
        lambda: pushed(review(REV), version=1),
        "pending",
        "stale_head",
        policy="strict head",
    ),
    row(
        "S51 the same inputs, evaluated anew with another result",
        lambda: pushed(
            review(REV),
            models=(model(evaluation_digest="sha256:" + "e" * 64),),
            heads=(head(H), head(H2, model(evaluation_digest="sha256:" + "e" * 64))),
        ),
        "pending",
        "stale_head",
    ),
    row(
        "S52 a rebase that moved what no digest covers",
        lambda: pushed(
            review(REV),
            version=1,
            guarded_paths=("bot/x.py",),
            heads=(head(H, guarded="old"), head(H2, guarded="new")),
        ),
        "pending",
        "stale_head",
    ),
    row(
        "S52b a rebase that moved nothing",
        lambda: pushed(review(REV), version=1, guarded_paths=("bot/x.py",)),
        "approved",
    ),
    row(
        "S52c an evaluation id does not cover files that came later",
        lambda: pushed(
            command(REV),
            version=1,
            guarded_paths=("bot/x.py",),
            heads=(head(H), head(H2, guarded="new")),
        ),
        "pending",
        "stale_head",
    ),
    row(
        "S52d a head that Git no longer has proves nothing",
        lambda: pushed(
            review(REV),
            version=1,
            guarded_paths=("bot/x.py",),
            heads=(head(H, guarded=None), head(H2, guarded=None)),
        ),
        "pending",
        "stale_head",
    ),
    row("S53 retargeted and back", lambda: facts(review(REV, voided="retargeted")), "pending", "voided"),
    row(
        "S54 the base branch changed the model's inputs",
        lambda: facts(review(REV), models=(model(base_moved=True),)),
        "pending",
        "stale_base",
        policy="evaluated",
    ),
    row("S54b the base branch changed something else", lambda: facts(review(REV)), "approved", policy="evaluated"),
    row(
        "S55 approved before the evaluation was there",
        lambda: facts(
            review(REV, recorded={"churn": {**head().models["churn"].model_dump(), "evaluation_digest": None}})
        ),
        "pending",
        "evaluation_unseen",
    ),
    row(
        "S56 the head is not among the commits",
        lambda: facts(review(REV), commits=(commit(H2),)),
        "error",
        "ref_changed",
    ),
    row("S57 closed and reopened", lambda: facts(review(REV, voided="closed")), "pending", "voided"),
    row("S57b approved anew", lambda: facts(review(REV, voided="closed"), review(REV, ago=5)), "approved"),
    row("S58 the same from a fork", lambda: facts(review(REV), pr={"from_fork": True}), "approved"),
    row(
        "S58b a policy for forks",
        lambda: facts(review(REV), pr={"from_fork": True}),
        "pending",
        policy="forks need two",
    ),
    row("S59 a policy for forks leaves others", lambda: facts(review(REV)), "approved", policy="forks need two"),
]

FILES = [
    row(
        "S60 a deleted file",
        lambda: facts(review(REV), changed_paths=("secret/key",)),
        "pending",
        policy="paths",
    ),
    row(
        "S61 only these paths, and no path at all",
        lambda: facts(changed_paths=(), guarded_paths=(), models=(), heads=(head(),)),
        "error",
        "no_rule_matched",
        policy="only docs",
    ),
    row(
        "S61b only these paths",
        lambda: facts(review(REV), changed_paths=("docs/a.md",), models=()),
        "approved",
        policy="only docs",
    ),
    row(
        "S62 src/mydocs/evil.py is not docs/",
        lambda: facts(review(REV), changed_paths=("src/mydocs/evil.py",), models=()),
        "error",
        "no_rule_matched",
        policy="only docs",
    ),  # matched elsewhere
    row(
        "S65 the policy itself changes",
        lambda: facts(review(REV), change_kinds=("policy",), guarded_paths=("policies/roles.yaml",)),
        "pending",
        "approvals_missing",
        policy="guarded",
    ),
    row(
        "S65b with those who guard it",
        lambda: facts(review(REL), change_kinds=("policy",), models=(), guarded_paths=("policies/roles.yaml",)),
        "approved",
        policy="guarded",
    ),
    row(
        "S66 against a branch that the policy does not cover",
        lambda: facts(review(REV), pr={"base_ref": "lax"}),
        "rejected",
        "base_not_allowed",
        policy="main only",
    ),
    row(
        "S72 no rule applies",
        lambda: facts(review(REV), pr={"from_fork": True}),
        "error",
        "no_rule_matched",
        policy="own branches",
    ),
    row("S73 one of a group applies and is approved", lambda: facts(review(REV)), "approved", policy="nested"),
    row("S74 an alternative", lambda: facts(review(OWN)), "approved", policy="either"),
    row(
        "S74b an error is not hidden by what is pending",
        lambda: facts(review(REV), actors=()),
        "error",
        policy="either",
    ),
    row(
        "S75 a broken spec",
        lambda: facts(review(REV), broken=({"model": "b", "place": "models/b/model.yaml:3", "message": "no"},)),
        "rejected",
        "spec_invalid",
    ),
    row(
        "S75b data that nobody pushed are no mistake of the spec",
        lambda: facts(
            review(REV), broken=({"model": "b", "place": "data.dvc", "message": "no", "is_about_data": True},)
        ),
        "rejected",
        "data_missing",
    ),
    row(
        "S76 a veto stands above everything",
        lambda: facts(review(REV), command(OWN, "hold", ago=30)),
        "rejected",
        "held",
    ),
    row(
        "S76b lifted by the holder",
        lambda: facts(review(REV), command(OWN, "hold", ago=30), command(OWN, "unhold", ago=20)),
        "approved",
    ),
    row(
        "S76c not by anybody",
        lambda: facts(review(REV), command(OWN, "hold", ago=30), command(BOB, "unhold", ago=20, reason="go")),
        "rejected",
        "held",
    ),
    row(
        "S76d a reader cannot hold",
        lambda: facts(review(REV), command(BOB, "hold", ago=30), actors=(actor(REV), actor(BOB, permission="read"))),
        "approved",
    ),
    row(
        "S77 a label raises the tier",
        lambda: facts(review(REV), pr={"labels": ("Risky",)}),
        "pending",
        policy="tiers",
    ),
    row("S77b a label never grants", lambda: facts(pr={"labels": ("approved", "lgtm")}), "pending", policy="tiers"),
    row("S77c without the label one is enough", lambda: facts(review(REV)), "approved", policy="tiers"),
    row(
        "S79 facts that GitHub did not tell",
        lambda: facts(review(REV), unknown=("commits",)),
        "error",
        "api_unavailable",
    ),
    row("S79b a head that was never planned", lambda: facts(review(REV), planned=False), "pending", "plan_missing"),
]


def check(conclusion: str | None, **changes: Any) -> Check:
    fields = {"name": "unit", "app_id": 15368, "workflow": "ci.yml", "ref": "refs/heads/main", "event": "push"}
    return Check(**{**fields, "conclusion": conclusion, **changes})


EVIDENCE = [
    row("S78 the check is green", lambda: facts(review(REV), checks=(check("success"),)), "approved", policy="checked"),
    row(
        "S78b a re-run turned red",
        lambda: facts(review(REV), checks=(check("success"), check("failure"))),
        "pending",
        "check_failed",
        policy="checked",
    ),  # stays green elsewhere
    row("S78c it runs", lambda: facts(review(REV), checks=(check(None),)), "pending", "check_failed", policy="checked"),
    row("S78d it is not there", lambda: facts(review(REV), checks=()), "pending", "check_missing", policy="checked"),
    row("S78e nobody read the checks", lambda: facts(review(REV)), "error", "checks_unknown", policy="checked"),
    row(
        "S78f the right name from another app",
        lambda: facts(review(REV), checks=(check("success", app_id=1),)),
        "pending",
        "check_untrusted_source",
        policy="checked",
    ),
    row(
        "S78g the right app from a branch's workflow",
        lambda: facts(review(REV), checks=(check("success", ref="refs/heads/evil"),)),
        "pending",
        "check_untrusted_source",
        policy="checked",
    ),
    row(
        "S80 skipped",
        lambda: facts(review(REV), checks=(check("skipped"),)),
        "pending",
        "check_failed",
        policy="checked",
    ),
    row(
        "S81 a gate that could not tell",
        lambda: facts(review(REV), models=(model(gates=gate("inconclusive")),)),
        "pending",
        "metrics_unknown",
        policy="evaluated",
    ),
    row(
        "S81e data that were young enough when they were measured",
        lambda: facts(review(REV), models=(model(gates=gate("pass", until=1)),)),
        "rejected",
        "metrics_failed",
        policy="evaluated",
    ),
    row(
        "S81f data that are still young enough",
        lambda: facts(review(REV), models=(model(gates=gate("pass", until=-1)),)),
        "approved",
        policy="evaluated",
    ),
    row(
        "S81b a gate that failed",
        lambda: facts(review(REV), models=(model(gates=gate("fail")),)),
        "rejected",
        "metrics_failed",
        policy="evaluated",
    ),
    row(
        "S81c a gate that only informs",
        lambda: facts(review(REV), models=(model(gates=gate("fail", blocks=False)),)),
        "approved",
        policy="evaluated",
    ),
    row(
        "S81d no evaluation",
        lambda: facts(
            review(REV),
            models=(model(evaluation_digest=None, artifact_digest=None, evaluated_inputs_digest=None, gates=()),),
            heads=(head(H, model(evaluation_digest=None, artifact_digest=None)),),
        ),
        "pending",
        "evaluation_missing",
        policy="evaluated",
    ),
    row(
        "S82 an evaluation of other inputs",
        lambda: facts(review(REV), models=(model(evaluated_inputs_digest="sha256:" + "0" * 64),)),
        "pending",
        "evaluation_outdated",
        policy="evaluated",
    ),
    row(
        "S83 the evaluator changes in the same pull request",
        lambda: facts(review(REV), change_kinds=("evaluator", "spec"), guarded_paths=("bot/evaluate/x.py",)),
        "pending",
        "approvals_missing",
        policy="guarded",
    ),
    row(
        "S85 a merge group gives other inputs",
        lambda: facts(review(REV), models=(model(merged_inputs_digest="sha256:" + "0" * 64),), group=True),
        "error",
        "needs_retrain",
        policy="evaluated",
    ),  # approved elsewhere
    row(
        "S85b a merge group gives the same",
        lambda: facts(review(REV), models=(model(merged_inputs_digest=model().inputs_digest),), group=True),
        "approved",
        policy="evaluated",
    ),
    row(
        "S84 the artifact was revoked",
        lambda: facts(review(REV), revoked=(model().artifact_digest,)),
        "rejected",
        "revoked",
    ),
    row(
        "S94 the approval is too old",
        lambda: facts(review(REV, ago=72 * 60)),
        "pending",
        "expired",
        policy="three days",
    ),
    row("S94b a minute less", lambda: facts(review(REV, ago=72 * 60 - 1)), "approved", policy="three days"),
    row("S97 said twice", lambda: facts(review(REV), review(REV)), "approved"),
    row(
        "S97b an old approval delivered again after it was taken back",
        lambda: facts(command(REV, "withdraw", ago=30), command(REV, ago=60)),
        "pending",
        "withdrawn",
    ),
    row(
        "S98 an approval of one model covers that model alone",
        lambda: facts(
            command(REV, target=H, models=("churn",)),
            models=(model(), model("taxi")),
            heads=(head(H, model(), model("taxi")),),
        ),
        "pending",
        "out_of_scope",
    ),
    row(
        "S98b a pattern covers several",
        lambda: facts(
            command(REV, target=H, models=("*",)),
            models=(model(), model("taxi")),
            heads=(head(H, model(), model("taxi")),),
        ),
        "approved",
    ),
]


@pytest.mark.parametrize("case", [*IDENTITY, *OPINIONS, *PUSHES, *FILES, *EVIDENCE], ids=lambda case: case.name)
def test_scenario(case: Row) -> None:
    decision = judge(case.facts(), case.policy, case.now)
    assert decision.status == case.status, decision.headline
    if case.code is not None:
        assert case.code in codes(decision.tree), sorted(codes(decision.tree))


def test_a_group_of_two_parts_of_a_rule_names_both_people() -> None:
    decision = judge(facts(), P["owner and validator"])
    assert [one.who for one in decision.unblock] == [("own",), ("val",)]


def test_time_is_not_identity() -> None:
    """An approval with a forged early or late time binds to the same content; one of the future is none."""
    for ago in (-600, -5, 0, 600):
        assert judge(pushed(review(REV, ago=ago))).status == "pending"
        assert judge(pushed(review(REV, sha=H2, ago=ago))).status == ("pending" if ago < -5 else "approved")


AHEAD = [
    ("a review", (review(REV, ago=-6),), "pending", "future_dated"),
    ("a command", (command(REV, ago=-6),), "pending", "future_dated"),
    ("a clock that is a little behind", (review(REV, ago=-4),), "approved", "approval_counted"),
    ("an objection counts all the same", (review(REV2, ago=6), review(REV, "reject", ago=-6)), "rejected", "vetoed"),
    ("a hold, too", (review(REV2, ago=6), command(REL, "hold", ago=-6)), "rejected", "held"),
    ("what would take an objection back",
     (review(REV2), command(REV, "reject"), review(REV, ago=-6)), "rejected", "vetoed"),
    ("what would withdraw it", (review(REV2), command(REV, "reject"), command(REV, "withdraw", ago=-6)),
     "rejected", "vetoed"),
    ("what would lift a hold", (review(REV2), command(OWN, "hold"), command(REL, "unhold", ago=-6, reason="done")),
     "rejected", "held"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "said", "status", "code"), AHEAD, ids=[one[0] for one in AHEAD])
def test_what_is_dated_in_the_future_only_objects(name: str, said: tuple[Opinion, ...], status: str, code: str) -> None:
    decision = judge(facts(*said))
    assert decision.status == status and code in codes(decision.tree)


def test_asked_and_time_do_not_matter_to_a_merge() -> None:
    found = facts(review(REV), asked=Asked(by=ANN, at=at(1)))
    assert judge(found, now=NOW + timedelta(days=400)).status == "approved"
    assert judge(found, p1()).status == "approved"
