"""ceiling: the metric is at most a value."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.floor import bounded
from bot.evaluate.gates.interface import Finding
from bot.specs.gates import Ceiling


def judge(gate: Ceiling, evidence: Evidence) -> Finding:
    """Pass: the whole interval is at or below the value."""
    return bounded(gate, evidence, sign=-1.0)
