"""Labels by request id: whatever comes, in whatever order, a row has at most one label, and the newest word holds."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.monitor.labels import joined, labels_of

LABELS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "a\x1f0", "é", ""]), st.integers(0, 1), st.sampled_from(["yes", "no", None]),
        st.sampled_from(["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", None]),
    ),
    max_size=12,
)  # fmt: skip


def table(labels: list[tuple[str, int, str | None, str | None]]) -> pa.RecordBatch:
    ids, numbers, said, times = zip(*labels, strict=True) if labels else ((), (), (), ())
    kinds = {"_request_id": pa.string(), "_row": pa.int64(), "outcome": pa.string(), "_at": pa.string()}
    columns = [pa.array(list(one), kind) for one, kind in zip((ids, numbers, said, times), kinds.values(), strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=list(kinds))


@settings(deadline=None, max_examples=300)
@given(LABELS, st.integers(1, 5))
def test_the_newest_word_holds_and_two_of_one_age_cancel_out(
    labels: list[tuple[str, int, str | None, str | None]], size: int
) -> None:
    expected: dict[tuple[str, int], str] = {}
    conflicting = 0
    known = [one for one in labels if one[2] is not None]
    for key in {one[:2] for one in known}:
        mine = [(one[3] or "", one[2]) for one in known if one[:2] == key]
        newest = {said for at, said in mine if at == max(at for at, _ in mine)}
        conflicting += len(newest) > 1
        if len(newest) == 1:
            expected[key] = str(newest.pop())
    whole = table(labels)
    found = labels_of([whole.slice(start, size) for start in range(0, len(labels), size)], "outcome", "labels")
    if not known:
        assert found is None
        return
    assert found is not None
    logged = table([(name, row, None, None) for name in ("a", "b", "a\x1f0", "é", "") for row in (0, 1)])
    used: set[int] = set()
    got = {
        (row["_request_id"], row["_row"]): row["outcome"]
        for batch in joined([logged.select(["_request_id", "_row"])], found, used)
        for row in batch.to_pylist()
    }
    assert (got, found.conflicting) == (expected, conflicting)
    assert len(found) + found.duplicates + found.corrected + found.conflicting <= len(known)
