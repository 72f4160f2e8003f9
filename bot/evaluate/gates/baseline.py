"""What a gate says when the baseline that it asks for could not be compared with, or when it can."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import signed
from bot.records.evaluation import Verdict
from bot.records.measured import Difference


def without_baseline(against: str, first: Verdict, evidence: Evidence) -> Finding | None:
    """None when the baseline was scored. Only a place where nothing is deployed may pass, as the gate says."""
    if against in ("dummy", "linear"):
        return None
    missing = evidence.missing.get(against)
    if missing is None:
        scored = any(baseline == against for _, baseline in evidence.differences)
        if scored:
            return None
        return Finding("inconclusive", "baseline_missing", f"No model of {against} was given to compare with.")
    if missing.code == "nothing_deployed":
        return Finding(first, "no_champion", f"No model is deployed to {against} yet.")
    return Finding(
        "inconclusive", "baseline_missing", f"The model in {against} was not compared: {missing.reason.rstrip('.')}."
    )


def change(difference: Difference) -> str:
    """`+0.014 [+0.008, +0.020]`."""
    if difference.low is None or difference.high is None:
        return f"{signed(difference.difference)}, without an interval"
    if difference.low == difference.high == 0:
        return "no difference, since the two answer alike on every row"
    reach = max(difference.high - difference.low, 1e-12) / 2
    low, high = signed(difference.low, reach), signed(difference.high, reach)
    return f"{signed(difference.difference, reach)} ({low} to {high})"
