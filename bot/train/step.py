"""A planned model and its data -> the artifact folder and the Training that describes it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from bot.errors import UserError
from bot.ports import Workbench
from bot.records.plan import Planned
from bot.records.training import Seconds, Training
from bot.specs.columns import type_errors
from bot.specs.model import ModelSpec
from bot.specs.slices import slice_columns
from bot.train.artifact import Artifact, fit, make_artifact
from bot.train.card import card
from bot.train.choose import Engine, choose_inputs, choose_parameters
from bot.train.inputs import named_columns
from bot.train.prepare import prepare


def train(spec: ModelSpec, planned: Planned, bench: Workbench, *, dask: str | None = None) -> Training:
    """Read, split, choose inputs and parameters, fit, export, and write `model.skops`, `golden.json`, `training.json`,
    `README.md` and, where it agrees, `model.onnx`. `dask` is the address of a scheduler that the search is spread by.

    Raises UserError for whatever the spec or the data are wrong about, before anything is written.
    """
    jobs = spec.resources.jobs or bench.cores()
    engine = Engine(lambda function, tasks: bench.map(function, tasks, jobs, dask), jobs, bench.elapsed, bench.tell)
    times = [bench.elapsed()]

    def passed(value: Any) -> Any:
        times.append(bench.elapsed())
        return value

    with warnings.catch_warnings(record=True) as caught, _within(spec, bench):
        warnings.simplefilter("always")
        names = (*named_columns(spec, bench.column_names(spec)), *slice_columns(spec))
        table = bench.read(spec, tuple(dict.fromkeys(names)))
        for error in type_errors(spec, table.schema):  # slices are measured long after this
            raise error
        prepared = passed(prepare(spec, table, bench.sensitive()))
        chosen = passed(choose_inputs(prepared, engine))
        found = passed(choose_parameters(chosen.prepared, engine))
        fitted = passed(fit(chosen, found))
        artifact: Artifact = passed(make_artifact(chosen, found, fitted))
    seconds = [after - before for before, after in pairwise(times)]
    training = artifact.training(
        planned=planned,
        caught=[str(one.message) for one in caught],
        seconds=Seconds(read=seconds[0], select=seconds[1], search=seconds[2], fit=seconds[3], export=seconds[4]),
        peak_memory_bytes=bench.peak_memory_bytes(),
        machine=bench.machine(),
    )
    for name, data in artifact.files.items():
        bench.write(name, data)
    bench.write("README.md", card(spec, training).encode())
    bench.write("training.json", training.canonical())
    return training


@contextmanager
def _within(spec: ModelSpec, bench: Workbench) -> Iterator[None]:
    """The memory that the spec allows, whatever takes it."""
    try:
        with bench.limited(spec.resources.memory_bytes):
            yield
    except MemoryError:
        allowed = f"`resources.memory: {spec.resources.memory}` allows" if spec.resources.memory else "there is"
        raise UserError(
            f"training needs more memory than {allowed}",
            hint="Name fewer inputs, filter rows with `data.where`, or raise the limit and the runner with it.",
            code="memory_exceeded",
        ) from None
