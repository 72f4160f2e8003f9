"""A spec, a contract and a pointer name no place: whatever is written in any of their keys, nothing there is asked."""

from __future__ import annotations

import copy
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.workbench import LocalWorkbench
from bot.errors import MlbotError, UserError
from bot.specs.conformity import check_contract
from bot.specs.contract import Contract, read_contract
from bot.specs.model import ModelSpec, read_model_spec
from bot.specs.pointer import Pointer, read_pointer
from bot.specs.tracked import read_tracked
from bot.train.step import train
from tests.builders import a_planned
from tests.pipeline.world import CHURN, world
from tests.train.small import put, rows

# Every key of model.yaml, each with a value; a key that is not here fails the first test.
FULL: dict[str, Any] = {
    "task": "binary", "owner": ["owen"], "description": "d", "intended_use": "i", "limits": "l", "risk_tier": "low",
    "positive": "yes", "version": "1.0.0", "onnx": False, "seed": 1, "environments": ["staging"],
    "data": {
        "path": "data/rows.parquet", "format": "parquet", "target": "outcome", "row_id": "id", "time": "noise",
        "group": "house", "weight": "weight", "where": "amount < 1000", "missing": ["NA"],
        "content": ["*"],
        "csv": {"separator": ",", "decimal": ".", "thousands": " ", "encoding": "utf-8", "trim": False},
    },
    "split": {"method": "time", "test": 0.25, "test_from": "0.5", "seed": 1},
    "features": {
        "auto": {"max_categories": 10, "text_from_words": 3.0}, "exclude": ["level"],
        "numeric": [{"columns": ["signal"], "impute": "constant", "fill": 0.0, "indicator": True,
                     "scale": "standard", "polynomial": 1, "bins": 2, "splines": None}],
        "categorical": [{"columns": ["shop"], "impute": "constant", "encode": "one_hot", "unknown": "ignore",
                         "min_frequency": 2, "max_categories": 5}],
        "text": [{"columns": ["words"], "analyzer": "word", "ngrams": 1, "min_documents": 1, "max_inputs": 9,
                  "components": 1}],
        "datetime": [{"columns": ["day"], "parts": ["month"], "cyclic": True, "zone": "UTC"}],
        "derived": {"double": "signal * 2"},
    },
    "selection": {"method": "none", "path": "fast", "at_most": 5, "always": ["signal"], "folds": 2,
                  "max_minutes": 1.0},
    "estimator": {
        "name": "LogisticRegression", "parameters": {"C": 1.0, "solver": "lbfgs"}, "class_weight": {"yes": 1.0},
        "calibration": "none", "threshold": {"tune": "f1"}, "transform_target": "none",
    },
    "search": {
        "method": "random", "parameters": {"C": {"low": 0.1, "high": 1.0, "scale": "log"}, "solver": ["lbfgs"]},
        "folds": 2, "scoring": "log_loss", "candidates": 1, "max_fits": 2, "max_minutes": 1.0, "seed": 0,
        "dask": True,
    },
    "metrics": {"primary": "log_loss", "also": ["roc_auc"], "cost": {"yes": {"no": 1.0}}, "unit": "euro"},
    "slices": [{"columns": ["shop"], "name": "by_shop"}, {"columns": ["amount"], "bins": 2, "edges": [1.0]},
               {"where": "amount > 1"}],
    "gates": [],
    "resources": {"runner": "ubuntu-24.04-arm", "timeout_minutes": 5, "memory": "9 GB", "jobs": 1},
}  # fmt: skip
CONTRACT = {
    "schema_type": "dataframe", "version": "0.20", "strict": False, "name": "n", "title": "t", "description": "d",
    "unique": ["id"], "dataframe_library": "pandas", "api": "pandas",
    "columns": {
        "shop": {
            "dtype": "str", "nullable": True, "title": "t", "description": "d", "str_matches": ".*", "str_contains": "",
            "isin": ["north", "south", "east"],
        },
        "outcome": {"unique_values_eq": ["yes", "no"], "not_equal_to": "maybe", "greater_than_or_equal_to": "a"},
        "level": {"equal_to": "low", "greater_than": "a", "less_than": "z", "less_than_or_equal_to": "z"},
        "words": {"dtype": "str", "str_startswith": "", "str_endswith": "", "notin": ["x"]},
        ".*mount": {"regex": True},
    },
    "metadata": {"freshness": {"column": "day", "max_age_days": 100_000.0}},
}  # fmt: skip
POINTER = {
    "desc": "d",
    "outs": [{"md5": "a" * 32 + ".dir", "size": 1, "nfiles": 1, "hash": "md5", "path": "data"}],
}


class Watch:
    """What the process asked of the world while it was watched."""

    seen: list[tuple[str, str]] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if Watch.seen is None:
        return
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.exec", "os.system", "urllib.Request"):
        Watch.seen.append((event, str(arguments)))
    if event == "open" and "planted" in str(arguments[0]):
        Watch.seen.append((event, str(arguments[0])))


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """The events inside."""
    Watch.seen = seen = []
    try:
        yield seen
    finally:
        Watch.seen = None


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the texts and switches in plain data."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    elif isinstance(value, str | bool):
        yield path


def put_at(document: dict[str, Any], path: tuple[Any, ...], text: str) -> dict[str, Any]:
    """A copy with another text there."""
    made = copy.deepcopy(document)
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = text
    return made


def trainable(document: dict[str, Any]) -> dict[str, Any]:
    """The full spec without what does not go together."""
    made = copy.deepcopy(document)
    del (
        made["slices"][1]["edges"],
        made["metrics"]["cost"],
        made["metrics"]["unit"],
        made["data"]["csv"],
        made["data"]["content"],
    )
    del made["features"]["numeric"][0]["bins"]
    del made["split"]["seed"], made["split"]["test"], made["data"]["group"]
    made["selection"], made["estimator"]["parameters"] = {"method": "none"}, {}
    return made


FULL_TRAINS = trainable(FULL)


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Every key of a class and of those inside it."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


def written(value: Any) -> set[str]:
    """Every key in plain data."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in written(inner)}
    return {name for inner in value for name in written(inner)} if isinstance(value, list) else set()


def test_every_key_is_asked_here() -> None:
    """So is one that is added: it must be written above, or this fails."""
    assert keys_of(ModelSpec.model_json_schema()) == written(FULL) - {"double", "C", "solver", "yes", "no"}
    assert keys_of(Pointer.model_json_schema()) == written(POINTER)
    texts = {
        name for name, kind in Contract.model_json_schema()["$defs"]["Column"]["properties"].items() if is_text(kind)
    }
    assert texts <= written(CONTRACT)


def is_text(kind: dict[str, Any]) -> bool:
    """Whether a key takes a text."""
    return any(is_text(one) for one in kind.get("anyOf", [])) or kind.get("type") == "string" or "items" in kind


def a_table() -> Any:
    import datetime

    import pyarrow as pa

    table = rows(80)
    day = [datetime.date(2026, 1, 1)] * 80
    return (
        table.append_column("words", pa.array(["one two three four", "five six"] * 40))
        .append_column("day", pa.array(day))
        .append_column("weight", pa.array([1.0] * 80))
        .append_column("house", pa.array([str(row // 2) for row in range(80)]))
    )


def places(folder: Path) -> list[str]:
    """Places that a text could name."""
    return ["tls://127.0.0.1:9", str(folder / "planted")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = put(tmp_path_factory.mktemp("places"), a_table())
    (made / "planted").write_text("secret")
    return made


def test_the_watch_sees_connections_and_files(folder: Path) -> None:
    with watched() as seen:
        (folder / "planted").read_text()
        with socket.socket() as opened:
            opened.connect_ex(("127.0.0.1", 9))
    assert [event for event, _ in seen] == ["open", "socket.connect"]


def asked(document: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    """What reading a spec and training by it ask of the world."""
    with watched() as seen:
        try:
            spec = read_model_spec(json.dumps(document).encode(), "models/small/model.yaml")
            train(spec, a_planned("small"), LocalWorkbench(folder, folder / "out"))
        except MlbotError:
            pass  # refused, or wrong about the data: in plain words, and without having asked
    return seen


def test_the_full_spec_trains(folder: Path) -> None:
    with watched() as seen:
        spec = read_model_spec(json.dumps(FULL_TRAINS).encode(), "models/small/model.yaml")
        train(spec, a_planned("small"), LocalWorkbench(folder, folder / "out"))
    assert seen == []


@pytest.mark.parametrize("path", list(leaves(FULL_TRAINS)), ids=lambda path: ".".join(map(str, path)))
def test_no_key_of_a_spec_reaches_a_place(folder: Path, path: tuple[Any, ...]) -> None:
    for place in places(folder):
        assert asked(put_at(FULL_TRAINS, path, place), folder) == []


@pytest.mark.parametrize("path", list(leaves(CONTRACT)), ids=lambda path: ".".join(map(str, path)))
def test_no_key_of_a_contract_reaches_a_place(folder: Path, path: tuple[Any, ...]) -> None:
    for place in places(folder):
        with watched() as seen:
            try:
                contract = read_contract(json.dumps(put_at(CONTRACT, path, place)).encode(), "models/small/schema.yaml")
                check_contract(a_table(), contract)
            except MlbotError:
                pass
        assert seen == []


@pytest.mark.parametrize("path", list(leaves(POINTER)), ids=lambda path: ".".join(map(str, path)))
def test_no_key_of_a_pointer_names_a_place(folder: Path, path: tuple[Any, ...]) -> None:
    """`desc` is for people; each other key is refused in an artifact's pointer, and in one of data or passed over."""
    meant = read_tracked(json.dumps(POINTER).encode(), "data.dvc")
    for place in places(folder):
        text = json.dumps(put_at(POINTER, path, place)).encode()
        if path == ("desc",):
            assert read_pointer(text, "data.dvc", path="data").path == "data"
        else:
            with pytest.raises(UserError):
                read_pointer(text, "data.dvc", path="data")
        with watched() as seen:
            try:
                found = read_tracked(text, "data.dvc")
            except UserError:
                continue
            finally:
                assert seen == []
        assert [(one.path, one.md5) for one in found if not one.refusal] in ([], [(one.path, one.md5) for one in meant])


@pytest.mark.parametrize(
    "address",
    [
        "tcp://scheduler.example:8786", "tcp://10.0.0.1:8786", "tcp://127.0.0.1.evil.example:8786", "tcp://[::2]:1",
        "tcp://localhost.evil.example:1", "tcp://0.0.0.0:1", "ws://127.0.0.1:1", "inproc://x", "tls://a@b:1", "",
        "tls://host", "tcp://127.0.0.1:1 tls://x:1", "tcp://127.0.0.1:1\n",
    ],
)  # fmt: skip
def test_no_address_is_connected_to_in_the_clear_beyond_this_machine(folder: Path, address: str) -> None:
    spec = read_model_spec(json.dumps(FULL_TRAINS).encode(), "models/small/model.yaml")
    with watched() as seen, pytest.raises(UserError) as caught:
        train(spec, a_planned("small"), LocalWorkbench(folder, folder / "out"), dask=address)
    assert caught.value.code in ("dask_insecure", "dask_address") and seen == []


TRAINING = "policies/training.yaml"
SCHEDULER = b"dask: 'tls://scheduler.example:8786'\n"


@pytest.mark.parametrize(
    ("spec", "base", "head", "machine", "asked_for"),
    [
        ("true", SCHEDULER, None, "", "tls://scheduler.example:8786"),
        ("false", SCHEDULER, None, "", None),
        ("true", None, SCHEDULER, "", None),
        ("true", None, None, "tls://machine.example:1", "tls://machine.example:1"),
        ("false", None, None, "tls://machine.example:1", None),
    ],
)
def test_a_training_job_asks_the_scheduler_of_its_machine_or_of_the_default_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, base: bytes | None, head: bytes | None, machine: str,
    asked_for: str | None,
) -> None:  # fmt: skip
    def offers(data: bytes | None) -> dict[str, bytes]:
        return {} if data is None else {TRAINING: data}

    search = f"\nsearch: {{parameters: {{C: [1]}}, folds: 2, dask: {spec}}}\n".encode()
    made = world(tmp_path, monkeypatch, head={"models/churn/model.yaml": CHURN + search, **offers(head)})
    made.base.update(offers(base))
    found: list[Any] = []

    def spread(self: Any, function: Any, tasks: Any, jobs: int, dask: str | None) -> list[Any]:
        found.append(dask)
        return [function(*task) for task in tasks]

    monkeypatch.setattr(LocalWorkbench, "map", spread)
    monkeypatch.setattr(made, "job", lambda job=made.job: replace(job(), inputs={"dask": machine}))
    made.evaluate()
    assert set(found) == {asked_for}
