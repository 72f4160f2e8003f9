"""Two listings of data files -> which were added, changed and removed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.records.evaluation import Section
from bot.records.plan import DataFile


def files_section(before: Sequence[DataFile], after: Sequence[DataFile]) -> Section:
    """A row a file that differs, by path."""
    old, new = {file.path: file for file in before}, {file.path: file for file in after}
    rows = []
    for path in sorted(old | new):
        was, now = old.get(path), new.get(path)
        if was is None or now is None or was.md5 != now.md5:
            word = "added" if was is None else "removed" if now is None else "changed"
            rows.append((path, word, _size(was), _size(now)))
    same = sum(1 for path in new if path in old and old[path].md5 == new[path].md5)
    note = f"{same:,} file{'' if same == 1 else 's'} unchanged."
    return Section(
        id="data_files",
        heading="Data files",
        columns=("File", "Change", "Before", "After"),
        rows=tuple(rows),
        note=note,
    )


def _size(file: DataFile | None) -> str:
    return "" if file is None or file.size is None else f"{file.size:,} bytes"
