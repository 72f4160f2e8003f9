"""`mlbot testset-size`: how many test rows a condition needs, or what given rows can show."""

from __future__ import annotations

import json
from typing import Any, cast

import click

WORDS = {
    "rows": "test rows (Hoeffding)",
    "rows_exact_binomial": "test rows (exact binomial)",
    "rows_bennett": "labelled test rows (Bennett)",
    "rows_without_labels": "rows for d, which need no label",
    "rows_normal_approximation": "labelled test rows (normal, promises nothing)",
    "labels_per_evaluation": "labels an evaluation, of rows that differ",
    "smallest_tolerance": "smallest tolerance (Hoeffding)",
    "smallest_tolerance_bennett": "smallest tolerance (Bennett)",
}


@click.command(name="testset-size")
@click.option("--condition", required=True, help="Such as 'n - o > 0.02 +/- 0.01' with n, o and d.")
@click.option("--reliability", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.99)
@click.option("--steps", type=click.IntRange(1, 10_000), default=1, help="Evaluations on the same test rows.")
@click.option("--adaptivity", type=click.Choice(["none", "full", "first_change"]), default="full")
@click.option("--two-sided", is_flag=True, help="Bound errors on both sides of every estimate.")
@click.option(
    "--differ",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of rows on which the models differ at most: Bennett's bound.",
)
@click.option("--differ-known", is_flag=True, help="--differ was measured on other rows, so it costs nothing here.")
@click.option("--rows", type=click.IntRange(1), help="Test rows that there are: print the smallest tolerance.")
@click.option("--json", "as_json", is_flag=True)
def command(
    condition: str,
    reliability: float,
    steps: int,
    adaptivity: str,
    two_sided: bool,
    differ: float | None,
    differ_known: bool,
    rows: int | None,
    as_json: bool,
) -> int:
    """Test rows that CONDITION needs to be judged so often at so much reliability (ease.ml/ci).

    n is the accuracy of the candidate, o that of the deployed model, d the share of rows on which they differ.
    Adaptivity: none (results are not shown before the last), full (every pass or fail is shown), first_change (the test
    set is retired at the first pass).
    """
    from bot.evaluate.condition.plan import answer
    from bot.evaluate.condition.size import Adaptivity, Plan
    from bot.specs.condition import parse

    clauses = parse(condition)
    plan = Plan(reliability, steps, cast(Adaptivity, adaptivity), 2 if two_sided else 1)
    found: dict[str, Any] = answer(clauses, plan, differ=differ, known=differ_known, rows=rows)
    if as_json:
        click.echo(json.dumps({"condition": " /\\ ".join(map(str, clauses)), **found}, sort_keys=True))
        return 0
    click.echo(" /\\ ".join(map(str, clauses)))
    for name, value in found.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        click.echo(f"  {WORDS[name]:46} {shown:>12}")
    return 0
