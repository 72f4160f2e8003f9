"""Search finds the best candidate of what its budget allows, alone, on processes and on a cluster."""

from __future__ import annotations

import contextlib

import pytest

from bot.adapters.workbench import LocalWorkbench
from bot.errors import WorldError
from bot.specs.fitting import Search
from bot.train.search import candidates
from bot.train.step import train
from tests.builders import a_planned
from tests.train.small import a_spec, put, rows, trained


def settings(**fields) -> Search:
    return Search.model_validate(fields)


def test_a_grid_is_every_combination_in_a_fixed_order():
    grid = settings(parameters={"b": (1, 2), "a": ("x", None)})
    assert candidates(grid) == [{"a": a, "b": b} for a in ("x", None) for b in (1, 2)]


def test_random_candidates_are_different_within_their_range_and_repeatable():
    drawn = settings(
        method="random",
        parameters={"C": {"low": 0.01, "high": 100.0, "scale": "log"}, "n": {"low": 1, "high": 3}},
        candidates=12,
    )
    one = candidates(drawn)
    assert one == candidates(drawn) and len({repr(item) for item in one}) == 12
    assert all(0.01 <= item["C"] <= 100 and item["n"] in (1, 2, 3) for item in one)
    few = settings(method="random", parameters={"n": {"low": 1, "high": 3}}, candidates=12)
    assert sorted(item["n"] for item in candidates(few)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("search", "trials"),
    [
        ("{parameters: {C: [1.0e-6, 1.0]}, folds: 3}", 6),
        ("{parameters: {C: [1.0, 1.0e-6, 1.0e-7]}, folds: 3, max_fits: 6}", 6),
        ("{method: halving, parameters: {C: {low: 1.0e-6, high: 1.0, scale: log}}, candidates: 9, folds: 3}", None),
    ],
    ids=["grid", "limited", "halving"],
)
def test_the_best_candidate_is_used_and_the_fits_are_counted(tmp_path, search, trials):
    training, _ = trained(tmp_path, a_spec(resources="{jobs: 1}", search=search))
    assert training.parameters["C"] > 1e-3
    assert trials is None or training.trials == trials
    assert ("max_fits" not in search) or any("6 fits allowed 2 of 3" in text for text in training.warnings)


def test_a_candidate_that_cannot_be_fitted_does_not_stop_the_search(tmp_path):
    search = "{parameters: {C: [1], l1_ratio: [1, 0]}, folds: 2}"
    training, _ = trained(tmp_path, a_spec(resources="{jobs: 1}", search=search))
    assert training.parameters["l1_ratio"] == 0


def test_a_scheduler_that_does_not_answer_is_the_worlds_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.adapters.workbench.SCHEDULER_WAIT_S", 0.5)
    spec = a_spec(search="{parameters: {C: [0.1, 1]}, folds: 2}")
    with pytest.raises(WorldError, match="no Dask scheduler"):
        train(
            spec, a_planned("small"), LocalWorkbench(put(tmp_path, rows()), tmp_path / "out"), dask="tcp://127.0.0.1:9"
        )


@pytest.mark.slow
def test_a_dask_cluster_of_processes_finds_the_same_bytes(tmp_path):
    distributed = pytest.importorskip("distributed")
    spec = a_spec(search="{parameters: {C: [0.1, 1, 10]}, folds: 2}", resources="{jobs: 1}")
    alone, _ = trained(tmp_path / "alone", spec)
    with contextlib.closing(
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    ) as cluster:
        bench = LocalWorkbench(put(tmp_path, rows()), tmp_path / "out")
        far = train(spec, a_planned("small"), bench, dask=cluster.scheduler_address)
    assert far.artifact_digest == alone.artifact_digest and far.parameters == alone.parameters
