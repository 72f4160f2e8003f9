"""Results that the Ladder withholds lose every number measured on the test rows before any format sees them.

Blum and Hardt, ICML 2015: who sees the digits of every attempt can climb a test set by luck.
"""

from __future__ import annotations

from bot.records.evaluation import Budget, Evaluation, GateResult
from bot.records.report import Report

# Gates and tables that look at no score.
OPEN_GATES = ("budget", "data_contract", "architecture", "maximum_age", "operating", "train_test_overlap")
SCORED_SECTIONS = ("group_gaps", "fresh_rows")
SAID = "Digits are withheld: the result does not beat the best so far on these test rows."


def withholding(evaluation: Evaluation) -> Budget | None:
    """The budget that withholds the result; None when it may be shown."""
    return next((one for one in evaluation.budget if one.ladder == "withheld"), None)


def released(report: Report) -> Report:
    """The report that people may see; the same when nothing is withheld."""
    if not any(withholding(one) for one in report.evaluations.values()):
        return report
    shown = {name: _masked(one) if withholding(one) else one for name, one in report.evaluations.items()}
    return report.model_copy(update={"evaluations": shown})


def _masked(evaluation: Evaluation) -> Evaluation:
    return evaluation.model_copy(
        update={
            "metrics": (),
            "comparisons": (),
            "slices": (),
            "confusion": None,
            "calibration": (),
            "gates": tuple(_masked_gate(gate) for gate in evaluation.gates),
            "sections": tuple(one for one in evaluation.sections if one.id not in SCORED_SECTIONS),
        }
    )


def _masked_gate(gate: GateResult) -> GateResult:
    if gate.kind in OPEN_GATES:
        return gate
    return gate.model_copy(update={"sentence": SAID, "observed": None, "rows_needed": None})
