"""Rows -> Parquet files, on a thread of their own, with bounded memory and bounded disk."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Make = Callable[[], dict[str, Any]]


class ParquetLog:
    """Files `<folder>/<stream>/<UTC time>-<number>.parquet`, each whole or not there.

    A file is closed after `seconds`. At most `waiting` batches wait in memory; more are dropped and counted. The oldest
    files go when all of them are larger than `max_bytes`.
    """

    def __init__(
        self, folder: Path, *, max_bytes: int, seconds: float = 30.0, waiting: int = 10_000, workers: bool = True
    ) -> None:
        self.folder, self.max_bytes, self.seconds = folder, max_bytes, seconds
        self.queue: deque[tuple[str, Make]] = deque()
        self.waiting, self.dropped, self.failed, self.number = waiting, 0, 0, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="request log", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.rglob("*.part"):  # of a process that died
            left.unlink(missing_ok=True)
        if workers:
            self.thread.start()

    def put(self, stream: str, make: Make) -> None:
        """Keep a batch; never blocks and never raises."""
        if len(self.queue) >= self.waiting:
            self.dropped += 1
            return
        self.queue.append((stream, make))

    def close(self) -> None:
        """Write what waits."""
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join(timeout=30)
        self.flush()

    def _run(self) -> None:
        while not self.stopping.wait(self.seconds):
            self.flush()

    def flush(self) -> None:
        """Write what waits now, then make room."""
        streams: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(len(self.queue)):
            stream, make = self.queue.popleft()
            streams[stream].append(make())
        for stream, batches in streams.items():
            try:
                self._write(stream, batches)
            except Exception:  # a full disk or a column of two types must not stop the server
                self.failed += len(batches)
        self._make_room()

    def _write(self, stream: str, batches: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = [_table(batch) for batch in batches]
        table = pa.concat_tables(tables, promote_options="permissive")
        self.number += 1
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self.folder / stream / f"{at}-{self.number:06d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        pq.write_table(table, part, compression="zstd")
        part.replace(path)

    def _make_room(self) -> None:
        files = sorted(self.folder.rglob("*.parquet"), key=lambda path: path.name)
        sizes = {path: path.stat().st_size for path in files}
        total = sum(sizes.values())
        for path in files:
            if total <= self.max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]


def _table(batch: dict[str, Any]) -> Any:
    import pyarrow as pa

    arrays = {name: pa.array(values) for name, values in batch.items()}
    arrays["_at"] = pa.array(batch["_at"], pa.timestamp("us", tz="UTC"))
    return pa.table(arrays)
