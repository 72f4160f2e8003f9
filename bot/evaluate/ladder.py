"""The Ladder (Blum and Hardt, ICML 2015): a result is shown only when it beats the best so far by more than chance.

Whoever sees every digit of every attempt can climb a test set by luck; who learns only of real steps cannot.
"""

from __future__ import annotations

from typing import Literal

from bot.records.evaluation import Budget, Evaluation, GateResult

Ladder = Literal["released", "withheld"]


def ladder(value: float, best: float | None, step: float, *, greater_is_better: bool) -> Ladder:
    """`step` is the standard error of the paired difference to the best so far, in the metric's unit."""
    if best is None:
        return "released"
    gain = value - best if greater_is_better else best - value
    return "released" if gain > step else "withheld"


def withheld(budget: tuple[Budget, ...]) -> bool:
    """Whether the digits of this evaluation must not be shown."""
    return any(one.ladder == "withheld" for one in budget)


def masked(evaluation: Evaluation) -> Evaluation:
    """What people may see of a withheld result: verdicts and reason codes, no number measured on the test rows.

    The Evaluation itself, with its digits and digest, stays in the ledger; a released one is returned as it is.
    """
    if not withheld(evaluation.budget):
        return evaluation
    return evaluation.model_copy(
        update={
            "metrics": (),
            "comparisons": (),
            "slices": (),
            "confusion": None,
            "calibration": (),
            "gates": tuple(_masked_gate(gate) for gate in evaluation.gates),
            "sections": tuple(one for one in evaluation.sections if one.id not in ("group_gaps",)),
        }
    )


def _masked_gate(gate: GateResult) -> GateResult:
    if gate.kind in ("budget", "data_contract", "architecture", "maximum_age", "operating", "train_test_overlap"):
        return gate
    sentence = "Digits are withheld: the result does not beat the best so far on these test rows."
    return gate.model_copy(update={"sentence": sentence, "observed": None, "rows_needed": None})
