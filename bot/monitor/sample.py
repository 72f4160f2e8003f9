"""A uniform sample of rows from a stream of unknown length, by smallest random keys, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def sample(batches: Iterable[Any], most: int, seed: int) -> tuple[Any, int]:
    """(pyarrow.Table of at most `most` rows, or None without a batch; rows seen). Files may differ in columns."""
    generator = np.random.default_rng(seed)
    kept: list[Any] = []
    keys: list[Any] = []
    seen, waiting, limit = 0, 0, 1.0
    for batch in batches:
        key = generator.random(batch.num_rows)
        chosen = np.flatnonzero(key < limit)
        kept.append(batch if len(chosen) == len(key) else batch.take(chosen))
        keys.append(key[chosen])
        seen, waiting = seen + len(key), waiting + len(chosen)
        if waiting > 2 * most:
            kept, keys, limit = _pruned(kept, keys, most)
            waiting = most
    if not kept:
        return None, 0
    return _table(_pruned(kept, keys, most)[0] if waiting > most else kept), seen


def _pruned(kept: list[Any], keys: list[Any], most: int) -> tuple[list[Any], list[Any], float]:
    key = np.concatenate(keys)
    chosen = np.sort(np.argpartition(key, most)[:most])
    table = _table(kept).take(chosen).combine_chunks()
    return [table], [key[chosen]], float(key[chosen].max())


def _table(kept: list[Any]) -> Any:
    import pyarrow as pa

    tables = [pa.Table.from_batches([one]) if isinstance(one, pa.RecordBatch) else one for one in kept]
    return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
