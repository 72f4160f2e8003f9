"""The closed list of reason codes. Codes are stable: workflows and tests compare them, wording may change."""

from __future__ import annotations

from collections.abc import Iterable

from bot.records.decision import Node, Status

# code -> what it means, for the documentation
REASONS: dict[str, str] = {
    "approved": "Everything that was asked for is there.",
    "not_applicable": "The rule does not apply to this change.",
    "not_needed": "The condition asks for nothing here.",
    "approval_counted": "The approval counts.",
    "bypassed": "Break-glass went past this condition.",
    # approvals
    "approvals_missing": "Not enough people of a role have approved.",
    "self_approval": "The author's own approval does not count.",
    "contributor_approval": "The approval of somebody who built the change does not count.",
    "role_missing": "The person does not hold a role that the rule names.",
    "role_lost": "The person held the role when approving and does not any more.",
    "role_unknown": "GitHub did not say whether the person holds the role.",
    "duplicate_person": "One person cannot fill two places.",
    "stale_head": "The approval was given for other content.",
    "evaluation_unseen": "The approval was given before the evaluation was there.",
    "out_of_scope": "The approval names other models or another environment.",
    "target_missing": "The command must name the evaluation or the commit that it approves.",
    "target_unknown": "The command names an evaluation or a commit that is not one of this pull request.",
    "edited": "The comment was edited after it was posted.",
    "tampered": "The comment is not the one that was first recorded.",
    "future_dated": "The approval is dated in the future.",
    "expired": "The approval is older than the policy allows.",
    "voided": "Closing or retargeting the pull request made the approval void.",
    "withdrawn": "The approval was withdrawn, dismissed or followed by a rejection.",
    "method_not_allowed": "The policy does not take approvals given in this way.",
    "app_not_listed": "An app's approval counts only when a role lists it.",
    "recent_contributor": "The person built this model too recently to be independent.",
    "quorum_unsatisfiable": "No eligible person is left who could approve.",
    # evaluation and checks
    "evaluation_missing": "There is no evaluation of the model's present inputs yet.",
    "evaluation_outdated": "The inputs changed after the evaluation.",
    "gates_changed": "A gate came or changed after the evaluation, which does not hold the numbers for it.",
    "stale_base": "The base branch changed the model's inputs after the evaluation.",
    "needs_retrain": "The merge group gives the model other inputs than those evaluated.",
    "metrics_failed": "A gate failed.",
    "metrics_unknown": "A gate could not tell.",
    "check_failed": "A required check did not succeed.",
    "check_missing": "A required check has not been reported.",
    "check_untrusted_source": "A check of the right name comes from somebody else.",
    "checks_unknown": "The checks were not read.",
    "not_reproduced": "Another run trained the same inputs and came to something else.",
    "spec_invalid": "A model's spec cannot be read.",
    "data_missing": "A model's data are missing, or cannot be read.",
    # the pull request
    "draft": "The pull request is a draft.",
    "closed": "The pull request is closed.",
    "not_merged": "The pull request is not merged.",
    "base_not_allowed": "The base branch is not one that the policy covers.",
    "ref_changed": "The head is not among the pull request's commits.",
    "unattributed_commit": "GitHub cannot say who made a commit.",
    "pusher_unknown": "GitHub does not say who pushed the head.",
    "plan_missing": "The head has not been planned.",
    # vetoes
    "vetoed": "Somebody who may has rejected it.",
    "held": "Somebody who may has put it on hold.",
    "revoked": "The artifact was revoked.",
    # promotion
    "not_in_previous": "The artifact is not live in the environment before.",
    "soaking": "The artifact has not been live long enough in the environment before.",
    "waiting": "The wait timer runs.",
    "frozen": "A freeze window is open, or no allow window is.",
    "locked": "The environment is locked.",
    "not_verified": "The artifact was not verified in the environment before.",
    "reproduction_missing": "No other run has come to the same artifact and metrics yet.",
    "promoter_missing": "Nobody who may has asked for the promotion.",
    "sod_violation": "Parties that must be different are the same person.",
    "digest_mismatch": "What the registry would deploy is not what was approved.",
    "not_attested": "The ledger does not know the artifact.",
    "never_live": "A rollback goes only to something that was live.",
    "review_overdue": "The review of a break-glass promotion is overdue.",
    "rollback_not_declared": "The environment declares no rollback.",
    "reason_missing": "A reason is required.",
    "break_glass_unconfirmed": "Break-glass needs another person.",
    "break_glass_expired": "The break-glass permission has run out.",
    # the judge itself
    "no_rule_matched": "No rule applies, and nothing is allowed by default.",
    "unknown_environment": "The policy does not know the environment.",
    "policy_invalid": "The policy cannot be loaded.",
    "api_unavailable": "GitHub did not tell a fact that is needed.",
    "budget_exceeded": "The command's budget is used up.",
    "command_not_allowed": "The person may not use the command.",
}


def node(
    name: str,
    status: Status,
    code: str,
    sentence: str,
    *,
    who: Iterable[str] = (),
    children: Iterable[Node] = (),
) -> Node:
    """A node of the verdict tree; the code must be on the list."""
    if code not in REASONS:
        raise KeyError(code)
    return Node(
        name=name, status=status, reason_code=code, sentence=sentence, who_can=tuple(who), children=tuple(children)
    )
