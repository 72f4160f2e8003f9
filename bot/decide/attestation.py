"""A Decision -> the in-toto statement that a deployment target checks without this bot; signing is another's.

https://slsa.dev/spec/v1.1/verification_summary
"""

from __future__ import annotations

from typing import Any

from bot.records.decision import Decision, ModelVerdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/verification_summary/v1"
LEVEL = "MLBOT_DECISION_"  # our own track, in the form that the specification asks of custom levels


def summary(decision: Decision, *, repository: str, policy_uri: str, verifier: str) -> dict[str, Any] | None:
    """A Verification Summary Attestation of every artifact that the decision is about; None when there is none.

    `repository` is `owner/name` behind a host, `policy_uri` where the policies are, `verifier` who judged (a URI).
    PASSED only for an approved decision: anything else is FAILED.
    """
    judged = [one for one in decision.models if one.artifact_digest is not None]
    if not judged:
        return None
    is_passed = decision.status == "approved"
    return {
        "_type": STATEMENT,
        "subject": [_subject(one) for one in judged],
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": verifier},
            "timeVerified": decision.decided_at,
            "resourceUri": f"{repository}/pull/{decision.number}#{decision.subject}",
            "policy": {"uri": policy_uri, "digest": _digest(decision.policy_digest)},
            "inputAttestations": [
                {"uri": f"{repository}#ledger/{kind}", "digest": _digest(digest)} for kind, digest in _inputs(decision)
            ],
            "verificationResult": "PASSED" if is_passed else "FAILED",
            "verifiedLevels": [LEVEL + decision.subject.upper().replace("-", "_")] if is_passed else [],
            "slsaVersion": "1.1",
        },
    }


def _subject(one: ModelVerdict) -> dict[str, Any]:
    return {"name": one.model, "digest": _digest(str(one.artifact_digest))}


def _inputs(decision: Decision) -> list[tuple[str, str]]:
    evaluations = [("evaluation", one.evaluation_digest) for one in decision.models if one.evaluation_digest]
    return [("decision", decision.digest()), ("facts", decision.facts_digest), *evaluations]


def _digest(text: str) -> dict[str, str]:
    algorithm, _, value = text.partition(":")
    return {algorithm: value}
