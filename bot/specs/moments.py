"""Dates and times: one notation wherever a spec writes one, whatever the column's type and zone.

A text is ISO 8601: `2026-06-01`, `2026-06-01T12:30` or `2026-06-01T12:30:00+02:00`. What has no zone, text or column,
is UTC, and a date is its first moment.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

MICROSECONDS_A_DAY = 86_400_000_000


def is_moment(kind: Any) -> bool:
    """Whether values of an Arrow type are dates or timestamps."""
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def moments(values: Any) -> Any:
    """Dates or timestamps (Arrow array or scalar) as timestamps without a zone, in UTC."""
    import pyarrow as pa

    kind = values.type
    unit = "ns" if pa.types.is_timestamp(kind) and kind.unit == "ns" else "us"
    return values.cast(pa.timestamp(unit))


def moment(text: str, kind: Any) -> Any:
    """A written moment as an Arrow scalar that compares with `moments` of an Arrow type, or with a time of day.

    Raises ValueError when it is none.
    """
    import pyarrow as pa

    try:
        if pa.types.is_time(kind):
            return pa.scalar(time.fromisoformat(text.strip()), pa.time64("us"))
        found = datetime.fromisoformat(text.strip())
        found = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
        return pa.scalar(found, pa.timestamp("us")).cast(moments(pa.scalar(None, kind)).type)
    except (ValueError, OverflowError, pa.ArrowInvalid):
        raise ValueError(f"{text!r} is not a date or time; write it like 2026-06-01 or 2026-06-01T12:30:00Z") from None
