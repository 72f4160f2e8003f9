"""maximum_age: the newest row of the data is not too old when the model is evaluated, decided on and promoted."""

from datetime import UTC, datetime, timedelta

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates.interface import Finding
from bot.evaluate.words import show
from bot.specs.gates import MaximumAge

A_LIFETIME = 36_525  # days; longer is for ever


def judge(gate: MaximumAge, evidence: Evidence) -> Finding:
    """Inconclusive when the spec names no time column. A pass says until when it holds: data age by themselves."""
    age, now = evidence.newest_age_days, evidence.judged_at
    if age is None:
        return Finding("inconclusive", "age_unknown", "The age of the data is not known.", threshold=gate.days)
    said = f"The newest row is {show(age)} days old"
    if age > gate.days:
        return Finding("fail", "data_too_old", f"{said}; it must be at most {show(gate.days)}.", age, gate.days)
    until = _stamp(now + timedelta(days=gate.days - age)) if now and gate.days < A_LIFETIME else None
    ending = f"; that holds until {until[:10]}" if until else ""
    sentence = f"{said}, at most {show(gate.days)}{ending}."
    return Finding("pass", "gate_passed", sentence, age, gate.days, valid_until=until)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
