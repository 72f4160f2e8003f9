"""A ledger entry can be trained again from what Git, the ledger and the remote hold, and is compared honestly."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.adapters.workbench import LocalWorkbench
from bot.cli.reproduce import find_evaluation, reproduce
from bot.cli.train import from_commit
from bot.errors import UserError
from bot.ports import Ports
from bot.records.ledger import evaluation_path, head_path, pointer_path
from bot.train.step import train
from tests.builders import a_head, an_evaluation
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.branch import FakeBranch
from tests.fakes.data import FakeData
from tests.fakes.git import FakeGit
from tests.train.small import SPEC, rows

HEAD_SHA, MAIN_SHA = "c" * 40, "d" * 40


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Any:
    """A model that was evaluated at a pull request's head; main has moved on."""
    folder = tmp_path_factory.mktemp("world")
    sink = pa.BufferOutputStream()
    pq.write_table(rows(), sink)
    spec = "models/small/model.yaml"
    trees = {HEAD_SHA: {spec: SPEC.encode()}, MAIN_SHA: {spec: SPEC.replace("noise", "amount").encode()}}
    ports = Ports(
        git=FakeGit(trees=trees, refs={"HEAD": MAIN_SHA}),
        ledger=FakeBranch(),
        environments=FakeBranch(),
        data=FakeData(trees={"*": {"data/rows.parquet": sink.getvalue().to_pybytes()}}),
        artifacts=FakeArtifacts(),
        pull_requests=None,
        conversation=None,
        clock=None,
        run=None,
    )
    model, planned, _ = from_commit("small", HEAD_SHA, ports)
    ports.data.fetch(planned.data_files, folder)
    training = train(model, planned, LocalWorkbench(folder, folder / "out"))
    evaluation = an_evaluation(model="small", training=training)
    keys = ("small", evaluation.inputs_digest, evaluation.digest())
    ports.ledger.files[evaluation_path(*keys)] = evaluation.canonical()
    ports.ledger.files[pointer_path(*keys)] = ports.artifacts.store(folder / "out").encode()
    ports.ledger.files[head_path(7, HEAD_SHA)] = a_head(evaluation, head_sha=HEAD_SHA).canonical()
    return ports, evaluation


@pytest.mark.parametrize("which", ["inputs_digest", "artifact_digest", "evaluation"])
def test_any_digest_of_an_entry_finds_it_by_its_first_digits(world, which):
    ports, evaluation = world
    digest = evaluation.digest() if which == "evaluation" else getattr(evaluation, which)
    found, pointer = find_evaluation(digest.removeprefix("sha256:")[:10], ports)
    assert found == evaluation and pointer


@pytest.mark.parametrize("digest", ["abc", "0" * 64])
def test_an_unknown_or_short_digest_is_an_error(world, digest):
    with pytest.raises(UserError) as caught:
        find_evaluation(digest, world[0])
    assert caught.value.code == "digest_unknown"


def test_the_same_machine_gives_the_same_bytes(world):
    ports, evaluation = world
    before, after, found = reproduce(evaluation, find_evaluation(evaluation.digest(), ports)[1], ports)
    assert found.same_bytes and found.holds and before.artifact_digest == after.artifact_digest


def test_an_entry_whose_spec_is_nowhere_says_how_to_fetch_it(world):
    ports, evaluation = world
    other = evaluation.training.model_copy(update={"inputs_digest": "sha256:" + "1" * 64})
    with pytest.raises(UserError, match="no commit here"):
        reproduce(evaluation.model_copy(update={"training": other}), "", ports)


def test_a_stored_evaluation_is_json_of_its_own_digest(world):
    ports, evaluation = world
    path = next(path for path in ports.ledger.paths("evaluations/") if path.endswith(".json"))
    assert json.loads(ports.ledger.get(path))["training"]["artifact_digest"] == evaluation.artifact_digest
