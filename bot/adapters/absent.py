"""Packages that scikit-learn looks for and that we never need: looking costs more than a small task itself."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Imported by scikit-learn's own modules wherever they are installed, for arrays and tests that we do not have.
UNUSED = ("cupy", "dask", "jax", "matplotlib", "pandas", "polars", "pytest", "torch")


class Absent:
    """Answers the import of packages at once, as if they were missing."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)

    def find_spec(self, name: str, *_: object) -> None:
        """Raises ModuleNotFoundError for the packages."""
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Inside, these packages cannot be imported; what is imported already stays."""
    absent = Absent(*(name for name in names if name not in sys.modules))
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


def skops_io() -> Any:
    """The module skops.io, without its own list of types to trust: for that it imports every module of scikit-learn,
    half a second. What a file may hold is written down in `bot/adapters/trusted.py`.
    """
    import sklearn.utils

    listed = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = list[Any]
    try:
        with without(*UNUSED):
            import skops.io
    finally:
        sklearn.utils.all_estimators = listed
    return skops.io


def absent_at_once(name: str) -> None:
    """Remember that a package is missing, which Python does not: every `import` of it searches all folders again.

    scikit-learn tries `import pandas` 15 times a prediction: a third of its time. A package that is there stays.
    """
    if importlib.util.find_spec(name) is None:
        sys.meta_path.insert(0, Absent(name))
