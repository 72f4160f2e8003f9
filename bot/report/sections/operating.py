"""Operating characteristics: what the model weighs and how long an answer takes."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, size
from bot.report.blocks import Name, Section, Table, left, right

NAMES = {
    "row_p50_ms": "One row, half of the answers within",
    "row_p99_ms": "One row, 99 of 100 answers within",
    "thousand_p50_ms": "1,000 rows, half of the answers within",
    "thousand_p99_ms": "1,000 rows, 99 of 100 answers within",
    "fit_s": "Fitting the chosen model",
    "artifact_bytes": "Model file",
    "peak_memory_bytes": "Most memory while training",
}


def section(evaluation: Evaluation) -> Section | None:
    """A row a characteristic; the unit is the end of its name."""
    if not evaluation.operating:
        return None
    order = [*(name for name in NAMES if name in evaluation.operating), *sorted(set(evaluation.operating) - set(NAMES))]
    rows = tuple((NAMES.get(name) or Name(name), shown(name, evaluation.operating[name])) for name in order)
    table = Table((*left("Characteristic"), *right("Value")), rows, caption="Operating characteristics")
    return Section("operating", "Operating characteristics", 40, (table,))


def shown(name: str, value: float) -> str:
    """The value with the unit that the end of `name` says."""
    if name.endswith("_bytes"):
        return size(value)
    if name.endswith("_ms"):
        return f"{value:,.3g} ms" if value < 1000 else f"{count(value)} ms"
    return f"{value:,.3g} s" if name.endswith("_s") else f"{value:,.4g}"
