"""Why a planned model has no Evaluation: what the report shows in its place, kept with the head that it is about."""

from __future__ import annotations

from bot.records.base import Part


class Failure(Part):
    """Training or evaluation that ended without an Evaluation. `message` is its useful line, `log_tail` the last lines.

    `file` and `line` are where to mend it, None when it is nobody's line (an empty `message` is not expected). `held`:
    nothing went wrong, but nobody who may has asked for it yet.
    """

    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    log_tail: str = ""
    held: bool = False
