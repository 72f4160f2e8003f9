"""Confusion: which classes are taken for which."""

from bot.records.evaluation import Evaluation
from bot.records.numbers import count, share
from bot.report.blocks import Cell, Column, Name, Section, Table, note, right

MOST_CLASSES = 12


def section(evaluation: Evaluation) -> Section | None:
    """The matrix with each row's share; beyond a dozen classes only the confusions that happen most."""
    matrix, classes = evaluation.confusion, evaluation.training.classes
    if not matrix or not classes or len(matrix) != len(classes):
        return None
    if len(classes) > MOST_CLASSES:
        return Section("confusion", "Confusion", 55, (_worst(matrix, classes),))
    columns = (Column("Actual \\ predicted"), *(Column(name, "right") for name in classes), *right("Recall"))
    rows = tuple(_row(name, row, row[number]) for number, (name, row) in enumerate(zip(classes, matrix, strict=True)))
    said = note("A row is what the rows really are; its shares add up to 100%.")
    return Section("confusion", "Confusion", 55, (Table(columns, rows, "Confusion matrix"), said))


def _row(name: str, row: tuple[int, ...], right_ones: int) -> tuple[Cell, ...]:
    shares = (f"{count(n)} ({share(n, sum(row))})" for n in row)
    return Name(name), *shares, share(right_ones, sum(row))


def _worst(matrix: tuple[tuple[int, ...], ...], classes: tuple[str, ...]) -> Table:
    wrong = [
        (n, classes[actual], classes[said], sum(row))
        for actual, row in enumerate(matrix)
        for said, n in enumerate(row)
        if said != actual and n
    ]
    wrong.sort(key=lambda one: -one[0])
    rows = tuple(
        (Name(actual), Name(said), count(n), share(n, total)) for n, actual, said, total in wrong[:MOST_CLASSES]
    )
    columns = (Column("Actual"), Column("Predicted"), *right("Rows", "Share of the class"))
    return Table(columns, rows, caption="The confusions that happen most")
