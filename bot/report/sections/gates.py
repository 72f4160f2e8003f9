"""Gates: what was asked of the candidate, and the answer, blocking ones first."""

from bot.records.evaluation import Evaluation, GateResult
from bot.records.numbers import unbroken
from bot.report.blocks import Cell, Name, Section, Table, left
from bot.report.wording import STATES, needed

ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}


def section(evaluation: Evaluation) -> Section | None:
    """A row a gate with the line that asks for it."""
    if not evaluation.gates:
        return None
    ordered = sorted(evaluation.gates, key=lambda gate: (ORDER[gate.verdict], not gate.blocks))
    rows = tuple(_row(gate) for gate in ordered)
    table = Table(left("Gate", "Verdict", "Why", "Asked for in"), rows, caption="Gates")
    return Section("gates", "Gates", 95, (table,))


def _row(gate: GateResult) -> tuple[Cell, ...]:
    verdict = unbroken(STATES[gate.verdict]) + ("" if gate.blocks or gate.verdict == "pass" else " (does not block)")
    where = f"{gate.file}:{gate.line}" if gate.line else gate.file
    return Name(gate.gate), verdict, " ".join((gate.sentence, needed(gate))).strip(), Name(where)
