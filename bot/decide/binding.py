"""An approval binds to content: whether an opinion stands for what would be deployed now, part by part."""

from __future__ import annotations

from bot.decide.case import Case, Scope, moment
from bot.decide.globs import fits
from bot.decide.tiers import tier_of
from bot.records.facts import HeadFact, ModelFact, Opinion
from bot.records.ledger import Evaluated


def unbound(opinion: Opinion, scope: Scope, case: Case) -> str | None:
    """None when the opinion stands for this part as it is now, else the reason code."""
    if opinion.models and not (scope.model and fits(scope.model.model, opinion.models)):
        return "out_of_scope"
    if opinion.method == "command" and opinion.target is None and _must_name(scope, case):
        return "target_missing"
    heads = _heads(opinion, case)
    if not heads:
        return _nowhere(opinion, case)
    if not case.approvals.defaults.retain_on and case.head not in heads:
        return "stale_head"
    return _model(opinion, scope.model, heads) if scope.model else _repository(heads, case)


def _must_name(scope: Scope, case: Case) -> bool:
    rule = case.policies.commands.commands.get("approve")
    return rule is not None and tier_of(scope, case) in rule.require_target


def _heads(opinion: Opinion, case: Case) -> tuple[HeadFact, ...]:
    """The heads that the opinion was given for: one by SHA, or all with the evaluation that it names."""
    if opinion.target and opinion.target.startswith("E-"):
        return case.heads_by_evaluation.get(opinion.target, ())
    sha = opinion.commit_sha if opinion.method == "review" else opinion.target or opinion.seen_head
    found = case.heads.get(sha or "")
    return (found,) if found else ()


def _nowhere(opinion: Opinion, case: Case) -> str:
    if opinion.method == "command" and opinion.target is None:
        return "target_missing"
    if opinion.method == "review" or opinion.target in {commit.sha for commit in case.facts.commits}:
        return "stale_head"
    return "target_unknown"


def _model(opinion: Opinion, model: ModelFact, heads: tuple[HeadFact, ...]) -> str | None:
    now = Evaluated(
        inputs_digest=model.inputs_digest,
        evaluation_digest=model.evaluation_digest,
        artifact_digest=model.artifact_digest,
    )
    if now.evaluation_digest is None:
        return "evaluation_unseen"
    if opinion.recorded is not None:
        return _same(opinion.recorded.get(model.model), now)
    reasons = [_same(stood_for(opinion, head).get(model.model), now) for head in heads]
    return None if None in reasons else reasons[0]


def stood_for(opinion: Opinion, head: HeadFact) -> dict[str, Evaluated]:
    """What an opinion on a head stood for: of a model that was evaluated later, no evaluation.

    Who names the evaluation has seen it. GitHub's times are whole seconds, and nobody reads a report within one.
    """
    if opinion.target and opinion.target.startswith("E-"):
        return dict(head.models)
    given = moment(opinion.created_at)
    unseen = {model for model, since in head.evaluated_at.items() if given <= moment(since)}
    nothing = {"evaluation_digest": None, "artifact_digest": None}
    return {model: one.model_copy(update=nothing) if model in unseen else one for model, one in head.models.items()}


def _same(then: Evaluated | None, now: Evaluated) -> str | None:
    if then == now:
        return None
    is_unseen = then is not None and then.inputs_digest == now.inputs_digest and then.evaluation_digest is None
    return "evaluation_unseen" if is_unseen else "stale_head"


def _repository(heads: tuple[HeadFact, ...], case: Case) -> str | None:
    """An evaluation id names no files: it covers them only when every head of that id had the same."""
    live = case.head
    if live is not None and heads == (live,):
        return None
    digests = {head.guarded_digest for head in heads}
    is_same = live is not None and live.guarded_digest is not None and digests == {live.guarded_digest}
    return None if is_same else "stale_head"
