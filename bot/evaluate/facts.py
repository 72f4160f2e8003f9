"""What a table says beyond labels and predictions: contract, age, and twins of test rows among training rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from bot.evaluate.evaluate import Facts
from bot.evaluate.leakage import leakage, leakage_section
from bot.records.evaluation import Section
from bot.records.training import Training
from bot.specs.conformity import check_contract
from bot.specs.contract import Contract
from bot.specs.gates import Gates
from bot.specs.model import ModelSpec


@dataclass(frozen=True)
class Context:
    """What an evaluation is made under: gates, earlier uses of the test rows, the data contract, and words for the
    record. `now` (aware) is what the age of the data is counted to; None leaves it unknown. `known_ids` (Arrow column)
    are the row ids of the base commit's data, None when they were not read.
    """

    gates: Gates
    policy_digest: str = ""
    uses: Mapping[str, int] | None = None
    run: Mapping[str, Any] | None = None
    contract: Contract | None = None
    now: datetime | None = None
    sections: tuple[Section, ...] = ()
    best: Mapping[str, float] | None = None
    known_ids: Any = None
    passed: Collection[str] = ()


def facts_of(spec: ModelSpec, training: Training, table: Any, train: Any, test: Any, context: Context) -> Facts:
    """`table` is all rows, `train` and `test` its two sides (pyarrow.Tables)."""
    twins = leakage(train, test, training.inputs, spec.data.target) if training.inputs else None
    sections = [leakage_section(twins)] if twins else []
    fits = None
    if context.contract is not None:
        violations = check_contract(table, context.contract, now=context.now)
        fits = not violations
        sections.append(_contract_section([str(one) for one in violations]))
    return Facts(
        contract=fits,
        newest_age_days=age_days(table, spec.data.time, context.now),
        judged_at=context.now,
        overlap=twins.share if twins else None,
        sections=(*context.sections, *sections),
    )


def age_days(table: Any, column: str | None, now: datetime | None) -> float | None:
    """Days from the newest value of a time column to `now`; None without either, or when it is a mere number."""
    import pyarrow.compute as pc

    if column is None or now is None:
        return None
    newest = pc.max(table[column]).as_py()
    if isinstance(newest, date) and not isinstance(newest, datetime):
        newest = datetime.combine(newest, time())
    if not isinstance(newest, datetime):
        return None
    return (now - (newest if newest.tzinfo else newest.replace(tzinfo=UTC))).total_seconds() / 86_400


def _contract_section(violations: list[str]) -> Section:
    note = "" if violations else "Every condition of schema.yaml holds."
    rows = tuple((one,) for one in violations[:50])
    return Section(id="data_contract", heading="Data contract", columns=("Broken",), rows=rows, note=note)
