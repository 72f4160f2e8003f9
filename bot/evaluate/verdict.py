"""Gate results to one verdict."""

from collections.abc import Iterable

from bot.records.evaluation import GateResult, Verdict


def verdict_of(gates: Iterable[GateResult]) -> Verdict:
    """The worst verdict among the gates that block: fail, then inconclusive, then pass."""
    blocking = {gate.verdict for gate in gates if gate.blocks}
    if "fail" in blocking:
        return "fail"
    return "inconclusive" if "inconclusive" in blocking else "pass"
