"""Test set: how many rows, how often they were used to judge, and what they can show."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, counted
from bot.report.blocks import Block, Name, Section, Table, left, note, right
from bot.report.charts import bar
from bot.report.sections.measurements import sharpness


def section(evaluation: Evaluation) -> Section | None:
    """Budget by metric. Without a declared budget only the number of uses."""
    said = f"{counted(evaluation.n_test, 'row')}, never seen in training. {sharpness(evaluation)}"
    blocks: list[Block] = [note(said.strip())]
    rows = tuple(
        (
            Name(one.metric),
            count(one.used),
            "no budget declared" if one.allowed is None else count(one.allowed),
            Name(bar(one.used, one.allowed)) if one.allowed else "",
        )
        for one in evaluation.budget
    )
    if rows:
        columns = (*left("Metric"), *right("Uses, this one included", "Allowed"), *left(""))
        blocks.append(Table(columns, rows, caption="Test-set budget"))
        blocks.append(note(cost_of_a_look(evaluation)))
    if any(one.ladder != "off" for one in evaluation.budget):
        blocks.append(
            note("Digits are shown only when a result beats the best so far by more than chance (the Ladder).")
        )
    return Section("test_set", "Test set and its budget", 35, tuple(blocks))


def cost_of_a_look(evaluation: Evaluation) -> str:
    """Which look at the test rows this is, what looks cost, and how many are left, in one line."""
    spent = evaluation.budget[0]
    left = "no budget is declared"
    if spent.allowed is not None:
        left = f"{count(max(0, spent.allowed - spent.used))} of {count(spent.allowed)} are left"
    said = f"Look {count(spent.used)} at these rows that the bot knows of; {left}."
    if not evaluation.comparisons:
        return said
    level = f"{100 * evaluation.comparisons[0].confidence:.4g} %"
    return f"{said} Each look makes the intervals of differences wider: they are shown and judged at {level} now."
