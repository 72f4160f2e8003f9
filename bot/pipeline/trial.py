"""`/retrain seed=N`: the specs of one commit as if they named another seed; nothing else of the commit changes.

The seed is part of the spec, and so of the inputs digest: what a trial trains is never what the pull request stands
for, and no approval can bind to it. It is kept under its own digest, where a push of `seed: N` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import UserError
from bot.ports import Git
from bot.records.numbers import decimals, number, with_unit
from bot.records.report import Report
from bot.report.blocks import Table, left
from bot.report.markdown_blocks import link, table
from bot.report.withhold import released
from bot.specs.yaml import read_yaml
from bot.words import Markdown

_SPEC = re.compile(r"models/[^/]+/model\.yaml")
_SEED = re.compile(rb"^seed[ \t]*:[^\r\n]*", re.MULTILINE)
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?(?:%[^\n]*\n)*(?:---[ \t]*\r?\n)?")


def seed_of(inputs: Mapping[str, str]) -> int | None:
    """The seed of a trial, None when this is none. Raises UserError (code `seed_invalid`) for anything else."""
    text = inputs.get("seed", "")
    if not text:
        return None
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", text, re.ASCII):
        raise UserError(f"the seed {text[:40]!r} is no whole number of at most 9 digits", code="seed_invalid")
    return int(text)


def with_seed(spec: bytes, seed: int, file: str) -> bytes:
    """The text of a spec with its seed replaced, or added at the top. Raises MlbotError for a spec that cannot be read.

    Code `seed_refused` when the text is not one key a line at its top.
    """
    text, n = _SEED.subn(b"seed: %d" % seed, spec, count=1)
    if not n:
        start = _OPENING.match(spec)
        at = start.end() if start else 0
        text = spec[:at] + b"seed: %d\n" % seed + spec[at:]
    read_yaml(spec, file)  # its own mistakes, with their own lines
    try:
        found = read_yaml(text, file).value.get("seed")
    except (UserError, AttributeError):
        found = None
    if found != seed:
        raise UserError(f"{file} cannot be tried with another seed", hint="Write one key a line.", code="seed_refused")
    return text


class Reseeded:
    """The port Git in which the specs of one commit name another seed."""

    def __init__(self, git: Git, sha: str, seed: int) -> None:
        self._git, self._sha, self._seed = git, sha, seed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._git, name)

    def read(self, sha: str, path: str) -> bytes | None:
        data = self._git.read(sha, path)
        if data is None or not _SPEC.fullmatch(path) or self._git.resolve(sha) != self._sha:
            return data
        return with_seed(data, self._seed, path)


def trial_text(tried: Report, standing: Report, inputs: Mapping[str, str], url: str | None) -> Markdown:
    """The reply about a trial, beside the head as it stands; `url` is the run with its report, None outside GitHub."""
    seed = seed_of(inputs)
    where = Markdown("{} is the summary of its run. ").format(link("The whole report", url)) if url else Markdown("")
    rows = [(name, _primary(tried, name), _primary(standing, name)) for name in _models(tried)]
    columns = left("Model", f"With seed {seed}", "As its spec stands")
    said = Markdown(
        "Trial with seed {0}:\n\n{1}\n\n{2}A trial approves and changes nothing, and counts as one look at the test "
        "set. To let it out, write `seed: {0}` in model.yaml: then it is not trained again."
    )
    return said.format(seed, table(Table(columns, tuple(rows), "Trial")), where)


def _models(report: Report) -> list[str]:
    return sorted({*report.evaluations, *report.failures})


def _primary(report: Report, model: str) -> str:
    """The primary metric with its interval, as far as the test-set budget lets people see it."""
    if model not in report.evaluations:
        return "no result"
    found = released(report).evaluations[model]
    metric = next((one for one in found.metrics if one.name == found.primary_metric), None)
    if metric is None:
        return "withheld"
    digits = decimals(metric.low, metric.high, metric.value)
    bounds = [number(one, digits) for one in (metric.low, metric.high) if one is not None]
    interval = f" ({' to '.join(bounds)})" if len(bounds) == 2 else ""
    return f"{metric.name.replace('_', ' ')} {with_unit(number(metric.value, digits), metric.unit)}{interval}"
