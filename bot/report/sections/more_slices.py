"""More slices: those that are not among the worst, in the same table."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import counted
from bot.report.blocks import Section
from bot.report.findings import slices_worst_first
from bot.report.sections.slices import FIRST, table_of


def section(evaluation: Evaluation) -> Section | None:
    """None while all slices are seen at once."""
    ordered = slices_worst_first(evaluation)
    rest = ordered[FIRST:]
    if not rest:
        return None
    return Section("more_slices", counted(len(rest), "more slice"), 72, (table_of(evaluation, rest, ordered),))
