"""The data of this repository for tests: what `dvc pull` brings, taken from the embedded remote and verified."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.dvc_store import Store
from bot.specs.pointer import read_listing, read_pointer

ROOT = Path(__file__).parents[1]


def fetch(into: Path) -> Path:
    """Put every file at `into/data/...`; returns `into`."""
    store = Store(ROOT)
    md5 = read_pointer((ROOT / "data.dvc").read_bytes(), "data.dvc", path="data").md5
    listing = store.read(md5)
    assert listing is not None
    for file in read_listing(listing, md5, under="data", source="data.dvc"):
        assert store.put(file.md5, into / file.path)
    return into
