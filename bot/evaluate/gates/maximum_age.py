"""maximum_age: the newest row of the data is not too old when the model is evaluated."""

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import show
from bot.specs.gates import MaximumAge


def judge(gate: MaximumAge, evidence: Evidence) -> Finding:
    """Inconclusive when the spec names no time column."""
    age = evidence.newest_age_days
    if age is None:
        return Finding("inconclusive", "age_unknown", "The age of the data is not known.", threshold=gate.days)
    said = f"The newest row is {show(age)} days old"
    if age <= gate.days:
        return Finding("pass", "gate_passed", f"{said}, at most {show(gate.days)}.", age, gate.days)
    return Finding("fail", "data_too_old", f"{said}; it must be at most {show(gate.days)}.", age, gate.days)
