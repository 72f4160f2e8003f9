"""Calibration: how often what was predicted with some probability really happened."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, number, signed
from bot.report.blocks import Chart, Section, Series, Table, note, right


def section(evaluation: Evaluation) -> Section | None:
    """Predicted against observed by bin, as a chart beside the diagonal and as a table."""
    bins = [one for one in evaluation.calibration if one[2]]
    if len(bins) < 2:
        return None
    predicted, observed = tuple(one[0] for one in bins), tuple(one[1] for one in bins)
    lines = (Series("observed", observed, "bar"), Series("perfectly calibrated", predicted))
    chart = Chart("Calibration", "predicted probability", "observed share", predicted, lines)
    rows = tuple((number(p, 3), number(o, 3), signed(o - p, 3), count(n)) for p, o, n in bins)
    table = Table(right("Predicted", "Observed", "Gap", "Rows"), rows, caption="Calibration by bin")
    total = sum(n for _, _, n in bins)
    gap = sum(abs(o - p) * n for p, o, n in bins) / total
    # Naeini et al. 2015, https://doi.org/10.1609/aaai.v29i1.9602
    legend = note("Bars are what was observed; the line is perfect calibration.")
    said = note(f"Expected calibration error {number(gap, 3)}: the mean gap, weighted by rows.")
    return Section("calibration", "Calibration", 50, (chart, legend, table, said))
