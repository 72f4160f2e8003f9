"""Two specs of a model -> sentences that say what changed."""

from __future__ import annotations

from typing import Any

from bot.records.base import canonical_json

MAX_SHOWN = 5
MAX_VALUE = 60


def differences(old: Any, new: Any) -> list[str]:
    """`estimator.parameters.max_iter: 80 -> 120`, a sentence for each value that differs, sorted by key."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    found = []
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            found.append(f"{key}: {_short(before, key)} -> {_short(after, key)}")
    return found


def summary(old: Any, new: Any) -> str:
    """The first few differences in one line, empty when there is none."""
    found = differences(old, new)
    more = f"; and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return "; ".join(found[:MAX_SHOWN]) + more


def _leaves(value: Any, key: str = "") -> list[tuple[str, bytes]]:
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, f"{key}.{name}" if key else name)]
    return [(key, canonical_json(value))]


def _short(leaves: dict[str, bytes], key: str) -> str:
    text = leaves[key].decode() if key in leaves else "default"
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."
