"""A model's evaluation -> whether it is one of the present inputs, and whether every blocking gate passes."""

from __future__ import annotations

from bot.decide.case import Case, Scope, moment
from bot.decide.reasons import node
from bot.decide.wording import listed
from bot.records.decision import Node, Status
from bot.records.facts import Gate, ModelFact

NAME = "evaluation"


def evaluation_node(scope: Scope, case: Case) -> Node:
    """Missing, outdated, failed or inconclusive evaluations say so."""
    model = scope.model
    if model is None:
        return node(NAME, "not_applicable", "not_applicable", "No model is affected.")
    return _presence(model, case) or _gates(model, case)


def _presence(model: ModelFact, case: Case) -> Node | None:
    who = (f"whoever may {case.written('/retrain')}",)
    if model.evaluation_digest is None:
        return node(NAME, "pending", "evaluation_missing", f"{model.model} is not evaluated yet.", who=who)
    if model.evaluated_inputs_digest != model.inputs_digest:
        sentence = f"The evaluation of {model.model} is of other inputs than those of the live head."
        return node(NAME, "pending", "evaluation_outdated", sentence, who=who)
    if model.merged_inputs_digest not in (None, model.inputs_digest):
        if case.facts.group:
            sentence = f"The merge group gives {model.model} other inputs than those evaluated: train it again."
            return node(NAME, "error", "needs_retrain", sentence, who=who)
        sentence = f"The merge gave {model.model} other inputs than those evaluated: evaluate it again."
        return node(NAME, "pending", "evaluation_outdated", sentence, who=who)
    odd = next((one for one in model.reproduced if one.outcome == "differs"), None)
    if odd is not None:
        sentence = f"Run {odd.run_id} on {odd.runner} trained the inputs of {model.model} again: {odd.sentence}"
        return node(NAME, "rejected", "not_reproduced", sentence, who=who)
    if model.unmeasured:
        sentence = (
            f"{listed(model.unmeasured)} came or changed after the evaluation of {model.model}, which does not hold "
            "what is asked for: evaluate it again."
        )
        return node(NAME, "pending", "gates_changed", sentence, who=who)
    if model.base_moved and not case.facts.pull_request.merged:
        sentence = f"The base branch changed the inputs of {model.model}: update the branch, so that it is evaluated."
        return node(NAME, "pending", "stale_base", sentence, who=(case.facts.pull_request.author.login,))
    return None


def _gates(model: ModelFact, case: Case) -> Node:
    gates = [_by_now(gate, case) for gate in model.gates]
    leaves = [_gate(gate) for gate in gates]
    failed = [gate for gate in gates if gate.blocks and gate.verdict == "fail"]
    unsure = [gate for gate in gates if gate.blocks and gate.verdict == "inconclusive"]
    if failed:
        sentence = f"{model.model}: gate {failed[0].gate} failed. {failed[0].sentence}"
        return node(NAME, "rejected", "metrics_failed", sentence, who=("a better model",), children=leaves)
    if unsure:
        sentence = f"{model.model}: gate {unsure[0].gate} could not tell. {unsure[0].sentence}"
        return node(NAME, "pending", "metrics_unknown", sentence, who=("more labelled test rows",), children=leaves)
    return node(NAME, "approved", "approved", f"{model.model} is evaluated, and its gates pass.", children=leaves)


def _by_now(gate: Gate, case: Case) -> Gate:
    """A pass whose time is over is a fail, at a decision and at a promotion alike."""
    if gate.verdict != "pass" or gate.valid_until is None or case.now < moment(gate.valid_until):
        return gate
    sentence = f"It passed until {gate.valid_until[:10]}; the data are too old by now: add newer ones."
    return gate.model_copy(update={"verdict": "fail", "reason_code": "data_too_old", "sentence": sentence})


def _gate(gate: Gate) -> Node:
    status: Status = "approved"
    if gate.verdict != "pass":
        status = "not_applicable" if not gate.blocks else "rejected" if gate.verdict == "fail" else "pending"
    code = {"pass": "approved", "fail": "metrics_failed", "inconclusive": "metrics_unknown"}[gate.verdict]
    return node(gate.gate, status, code, gate.sentence)
