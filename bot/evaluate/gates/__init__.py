"""The written list of gates: kind -> judge. To add one: its file, its class in bot/specs/gates.py, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.evaluate.evidence import Evidence
from bot.evaluate.gates import (
    architecture,
    ceiling,
    condition,
    data_contract,
    floor,
    group_gap,
    maximum_age,
    non_inferiority,
    operating,
    slice_floor,
    slice_non_inferiority,
    superiority,
    train_test_overlap,
)
from bot.evaluate.gates.interface import Finding
from bot.evaluate.gates.reasons import REASONS
from bot.records.evaluation import GateResult
from bot.specs.gates import OnInconclusive, PlacedGate

JUDGES: dict[str, Callable[[Any, Evidence], Finding]] = {
    "floor": floor.judge,
    "ceiling": ceiling.judge,
    "non_inferiority": non_inferiority.judge,
    "superiority": superiority.judge,
    "slice_floor": slice_floor.judge,
    "slice_non_inferiority": slice_non_inferiority.judge,
    "group_gap": group_gap.judge,
    "operating": operating.judge,
    "data_contract": data_contract.judge,
    "architecture": architecture.judge,
    "maximum_age": maximum_age.judge,
    "condition": condition.judge,
    "train_test_overlap": train_test_overlap.judge,
}


def judge(placed: PlacedGate, evidence: Evidence, inconclusive: OnInconclusive) -> GateResult:
    """One gate's result with its place. `inconclusive` is what the policy says where the gate says nothing."""
    gate = placed.gate
    finding = JUDGES[gate.kind](gate, evidence)
    allowed = finding.verdict == "inconclusive" and (gate.inconclusive or inconclusive) == "allow"
    return GateResult(
        gate=gate.id,
        kind=gate.kind,
        verdict=finding.verdict,
        blocks=gate.blocking and not allowed,
        reason_code=finding.reason_code,
        sentence=finding.sentence,
        file=placed.place.file,
        line=placed.place.line,
        observed=finding.observed,
        threshold=finding.threshold,
        rows_needed=finding.rows_needed,
        valid_until=finding.valid_until,
        next_step=REASONS[finding.reason_code] if finding.verdict != "pass" else "",
    )
