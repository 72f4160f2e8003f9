"""Rows -> Parquet files, on a thread of their own, with bounded memory and bounded disk."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.records.log import AT

Make = Callable[[], dict[str, Any]]


class ParquetLog:
    """Files `<folder>/<stream>/<UTC time>-<number>.parquet`, each whole or not there.

    A file is closed after `seconds`, or once a fifth of `waiting` rows wait. When `waiting` rows wait in memory, more
    are dropped, and so they are when what waits came in more than `waiting_bytes`; `dropped` and `failed` count rows.
    The oldest files go before all of them are larger than `max_bytes`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        seconds: float = 30.0,
        waiting: int = 50_000,
        waiting_bytes: int = 32 * 1024 * 1024,
        workers: bool = True,
    ) -> None:
        self.folder, self.max_bytes, self.seconds = folder, max_bytes, seconds
        self.queue: deque[tuple[str, int, int, Make]] = deque()
        self.waiting_bytes = waiting_bytes
        self.put_bytes, self.taken_bytes = 0, 0  # each is written by one thread only
        self.waiting, self.dropped, self.failed, self.number = waiting, 0, 0, 0
        self.put_rows, self.taken_rows = 0, 0  # each is written by one thread only
        self.is_stopping, self.wake = False, threading.Event()
        self.thread = threading.Thread(target=self._run, name="request log", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.rglob("*.part"):  # of a process that died
            left.unlink(missing_ok=True)
        if workers:
            self.thread.start()

    def put(self, stream: str, rows: int, size: int, make: Make) -> None:
        """Keep a batch of so many rows, which came in so many bytes; never blocks and never raises."""
        waiting, held = self.put_rows - self.taken_rows, self.put_bytes - self.taken_bytes
        if waiting >= self.waiting or (held and held + size > self.waiting_bytes):
            self.dropped += rows
            self.wake.set()
            return
        self.put_rows += rows
        self.put_bytes += size
        self.queue.append((stream, rows, size, make))
        if 5 * waiting >= self.waiting or 5 * held >= self.waiting_bytes:
            self.wake.set()

    def close(self) -> None:
        """Write what waits."""
        self.is_stopping = True
        self.wake.set()
        if self.thread.is_alive():
            self.thread.join(timeout=30)
        self.flush()

    def _run(self) -> None:
        while not self.is_stopping:
            self.wake.wait(self.seconds)
            self.wake.clear()
            self.flush()

    def flush(self) -> None:
        """Write what waits now, in files of one schema each."""
        streams: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(len(self.queue)):
            stream, rows, size, make = self.queue.popleft()
            self.taken_rows += rows
            self.taken_bytes += size
            streams[stream].append(make())
        for stream, batches in streams.items():
            for table in tables(batches):
                try:
                    self._write(stream, table)
                except Exception:  # a full disk must not stop the server
                    self.failed += table.num_rows

    def _write(self, stream: str, table: Any) -> None:
        import pyarrow.parquet as pq

        self.number += 1
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self.folder / stream / f"{at}-{self.number:06d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        try:
            pq.write_table(table, part, compression="zstd")
            self._make_room(part.stat().st_size)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        if size > self.max_bytes:
            raise ValueError(f"a file of {size} bytes is larger than the whole log may be")
        files = sorted(self.folder.rglob("*.parquet"), key=lambda path: path.name)
        sizes = {path: path.stat().st_size for path in files}
        total = size + sum(sizes.values())
        for path in files:
            if total <= self.max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]


def tables(batches: list[dict[str, Any]]) -> list[Any]:
    """The batches as one table; as one for each schema where columns or types differ (a caller sent 1, another "1")."""
    import pyarrow as pa

    with suppress(pa.ArrowException, KeyError):
        if all(batch.keys() == batches[0].keys() for batch in batches):
            return [_table({name: [value for batch in batches for value in batch[name]] for name in batches[0]})]
    groups: dict[str, list[Any]] = defaultdict(list)
    for batch in batches:
        table = _table(batch)
        groups[str(table.schema)].append(table)
    return [pa.concat_tables(group) for group in groups.values()]


def _table(batch: dict[str, Any]) -> Any:
    import pyarrow as pa

    arrays = {name: pa.array(values) for name, values in batch.items() if name != AT}
    return pa.table({**arrays, AT: pa.array(batch[AT], pa.timestamp("us", tz="UTC"))})
