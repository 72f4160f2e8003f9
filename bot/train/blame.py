"""What a library refused, as an error for people: its words, and the columns that are to blame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from bot.errors import MlbotError, UserError

MOST_NAMED = 5
_VALUES = re.compile(r"(unknown categories) \[.*\](?= in column)|(?<=to float): .*")


def said(error: Exception, what: str, hint: str, code: str = "fit_failed") -> MlbotError:
    """A library's error as one for people; what is one already stays as it is, and a lack of memory is raised."""
    if isinstance(error, MlbotError):
        return error
    if isinstance(error, MemoryError):
        raise error
    return UserError(f"{what}: {without_values(error)[:500]}", hint=hint, code=code)


def without_values(error: Exception) -> str:
    """The first line of scikit-learn's words, without values of the data, which may be sensitive."""
    words = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return _VALUES.sub(r"\1", words[0])


def preparation(error: Exception, prepare: Any, framed: Any, values: Any, other: Any = None) -> MlbotError:
    """The error for an unfitted ColumnTransformer `prepare` that failed on `framed` with the target's `values`, or on
    the `other` rows afterwards. Each column is prepared alone to see which one fails.
    """
    found = list(dict.fromkeys(_failing(prepare, framed, values, other)))
    named = ", ".join(f"`{column}`" for column in found[:MOST_NAMED]) + (", ..." if len(found) > MOST_NAMED else "")
    many = f"the inputs {named}" if len(found) > 1 else f"the input {named}" if found else "the inputs"
    hint = "Look at its values, and at the keys of its kind under `features`."
    return said(error, f"{many} cannot be prepared", hint, "preparation_failed")


def _failing(prepare: Any, framed: Any, values: Any, other: Any) -> Iterator[str]:
    from sklearn.base import clone

    for _, transformer, columns in prepare.transformers:
        for column in [columns] if isinstance(columns, str) else columns:
            alone = column if isinstance(columns, str) else [column]

            def attempt(transformer: Any = transformer, alone: Any = alone) -> None:
                made = clone(transformer)
                made.fit(_only(framed, alone), values)
                if other is not None:
                    made.transform(_only(other, alone))

            if _fails(attempt):
                yield column.split("__")[0]


def _only(framed: Any, columns: Any) -> Any:
    from sklearn.utils import _safe_indexing

    return _safe_indexing(framed, columns, axis=1)


def _fails(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except Exception:  # whatever it is: it fails
        return True
    return False
