"""condition: a condition of ease.ml/ci on n, o and d holds, with the reliability that it names."""

from bot.evaluate.condition.judge import rows_for, verdict
from bot.evaluate.condition.size import Plan
from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.baseline import without_baseline
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import rows
from bot.specs.condition import parse
from bot.specs.gates import ConditionGate


def judge(gate: ConditionGate, evidence: Evidence) -> Finding:
    """Inconclusive when there are fewer rows than the reliability asks for, whatever was measured on them."""
    clauses = parse(gate.condition)
    needs_baseline = any(clause.coefficients[1] or clause.coefficients[2] for clause in clauses)
    absent = without_baseline(gate.against, gate.first, evidence) if needs_baseline else None
    if absent:
        return absent
    measured = evidence.accuracies.get(gate.against) or evidence.accuracies.get("")
    if measured is None:
        sentence = "The condition speaks of accuracies, which a regression does not have."
        return Finding("inconclusive", "condition_unsupported", sentence)
    steps = gate.steps or next((one.allowed for one in evidence.budget if one.allowed), None) or 1
    needed = rows_for(clauses, Plan(gate.reliability, steps, gate.adaptivity), gate.bound)
    said = " /\\ ".join(map(str, clauses))
    values = ", ".join(f"{name} = {value:.4f}" for name, value in zip("nod", measured, strict=True))
    if evidence.n_test < needed:
        more = needed - evidence.n_test
        sentence = f"{said} needs {rows(needed)} for {steps} evaluations; there are {evidence.n_test:,}."
        return Finding("inconclusive", "testset_too_small", sentence, rows_needed=more)
    found = verdict(clauses, measured, gate.mode)
    if found == "pass":
        return Finding("pass", "gate_passed", f"{said} holds: {values}.")
    if found == "fail":
        return Finding("fail", "condition_failed", f"{said} does not hold: {values}.")
    sentence = f"{said} cannot be told: {values}; a value lies within its tolerance."
    return Finding("inconclusive", "evidence_insufficient", sentence)
