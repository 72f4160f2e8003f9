"""Two versions of schema.yaml -> what the contract now demands more, less or otherwise."""

from __future__ import annotations

from typing import Any

from bot.records.evaluation import Section
from bot.specs.contract import Contract


def contract_section(before: Contract | None, after: Contract | None) -> Section | None:
    """A row a rule that differs, by column (empty for the whole table); None when the contracts are equal."""
    old, new = _rules(before), _rules(after)
    rows = tuple(
        (column, rule, _said(old.get((column, rule))), _said(new.get((column, rule))))
        for column, rule in sorted(old | new)
        if old.get((column, rule)) != new.get((column, rule))
    )
    if not rows:
        return None
    head = ("Column", "Rule", "Before", "After")
    return Section(id="contract_change", heading="Changes of schema.yaml", columns=head, rows=rows)


def _rules(contract: Contract | None) -> dict[tuple[str, str], Any]:
    if contract is None:
        return {}
    written = contract.model_dump(mode="json", exclude_defaults=True)
    columns = written.pop("columns", {})
    rules = {("", rule): value for rule, value in written.items()}
    for column, of_column in columns.items():
        rules[column, "column"] = "present"
        rules |= {(column, rule): value for rule, value in of_column.items()}
    return rules


def _said(value: Any) -> str:
    return "" if value is None else str(value)
