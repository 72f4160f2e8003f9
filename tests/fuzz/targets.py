"""What comes from outside, by name: samples of it, how they are spoilt, and the door that takes them.

`plant` is a function behind the door that no sample reaches: with a defect there, fuzzing must find it.
"""

from __future__ import annotations

import functools
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz import mutation

ROOT = Path(__file__).parents[2]
Act = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    samples: Callable[[], list[bytes]]
    act: Callable[[], Act]
    mutate: mutation.Mutate
    plant: tuple[str, str]


def _files(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


@functools.cache
def _artifact() -> tuple[Any, dict[str, bytes]]:
    from tests.serve.artifacts import an_artifact, write

    with tempfile.TemporaryDirectory() as folder:
        training = write(Path(folder), an_artifact("churn"))
        return training, {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _payload() -> Act:
    from bot.receive.step import receive

    names = ("issue_comment", "pull_request_target", "push", "workflow_dispatch", "merge_group", "schedule")
    return lambda data: receive(names[len(data) % len(names)], data, "promote")


def _comment() -> Act:
    from bot.chatops.answers import hint_text
    from bot.chatops.parse import parse

    def act(data: bytes) -> object:
        parsed = parse(data.decode(errors="replace"))
        return hint_text(parsed.hints) if parsed.hints else parsed

    return act


def _comments() -> list[bytes]:
    from bot.chatops.grammar import FORMS

    forms = [f"/{form.example}".encode() for form in FORMS]
    prose = b"Thanks.\n\n> /approve\n\n```\n/approve\n```\n\n| a |\n| - |\n| b |\n\n<details>\n\n* x\n\n</details>"
    return [*forms, b"\n".join(forms), b"\n\n".join([prose, *forms[:3]])]


def _spec() -> Act:
    from bot.specs.model import read_model_spec

    return lambda data: read_model_spec(data, "models/x/model.yaml")


def _policies() -> Act:
    from bot.specs.policies import read_policies

    files = {path.name: path.read_bytes() for path in sorted((ROOT / "policies").glob("*.yaml"))}

    def act(data: bytes) -> object:
        name = next((one for one in files if data[:40] in files[one]), sorted(files)[len(data) % len(files)])
        return read_policies(
            {f"policies/{one}": content for one, content in files.items()} | {f"policies/{name}": data}
        )

    return act


def _contract() -> Act:
    from bot.specs.contract import read_contract

    return lambda data: read_contract(data, "schema.yaml")


def _pointer() -> Act:
    from bot.specs.pointer import read_listing, read_pointer

    def act(data: bytes) -> object:
        if data[:1] == b"[":
            return read_listing(data, "0" * 32 + ".dir", under="data", source="data.dvc")
        return read_pointer(data, "data.dvc")

    return act


def _pointers() -> list[bytes]:
    listing = [{"md5": "0" * 32, "relpath": name} for name in ("a.csv", "b/c.parquet")]
    return [*_files("data.dvc"), json.dumps(listing).encode()]


def _records() -> list[Any]:
    from tests.builders import a_decision, a_plan, an_evaluation

    return [an_evaluation(), a_decision(), a_plan()]


def _record(*kinds: str) -> Callable[[], Act]:
    def made() -> Act:
        from bot.records.decision import Decision
        from bot.records.evaluation import Evaluation
        from bot.records.health import Health
        from bot.records.ledger import Head
        from bot.records.plan import Plan
        from bot.records.release import Release

        known = {one.__name__: one for one in (Decision, Evaluation, Health, Head, Plan, Release)}

        def act(data: bytes) -> object:
            """As the kind whose sample it was made from, else as each."""
            for name in kinds:
                try:
                    known[name].parse(data, source="ledger")
                except Exception as error:
                    from bot.errors import UserError

                    if not isinstance(error, UserError):
                        raise
            return None

        return act

    return made


def _skops() -> Act:
    from bot.adapters.predictor import read_skops

    return read_skops


def _onnx() -> Act:
    from bot.specs.onnx_session import checked_model

    return checked_model


def _inference() -> Act:
    from bot.serve.protocol import read_call

    training = _artifact()[0]
    return lambda data: read_call(data, training, None if len(data) % 3 else str(len(data) // 2), max_rows=1000)


def _log() -> Act:
    from bot.adapters.batches import batches

    folder = Path(tempfile.mkdtemp(prefix="mlbot-fuzz-"))

    def act(path: Any) -> object:
        return [batch.num_rows for batch in batches(path)]

    def before(data: bytes) -> Path:
        path = folder / ("log.parquet" if data[:3] == b"PAR" else "log.csv")
        path.write_bytes(data)
        return path

    act.before = before  # type: ignore[attr-defined]
    return act


def _logs() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = io.BytesIO()
    pq.write_table(pa.table({"_request_id": ["a", "b"], "_row": [0, 1], "age": [1.5, None]}), made)
    return [made.getvalue(), b"_request_id,_row,age\na,0,1.5\nb,1,\n"]


TARGETS: dict[str, Target] = {
    "payloads": Target(
        lambda: _files("tests/payloads/*.json"), _payload, mutation.as_json, ("bot.receive.payload", "_invalid")
    ),
    "comments": Target(_comments, _comment, mutation.text, ("bot.chatops.parse", "_invisible_message")),
    "specs": Target(lambda: _files("models/*/model.yaml"), _spec, mutation.text, ("bot.specs.yaml", "_syntax")),
    "policies": Target(lambda: _files("policies/*.yaml"), _policies, mutation.text, ("bot.specs.yaml", "_syntax")),
    "contracts": Target(
        lambda: _files("models/*/schema.yaml"), _contract, mutation.text, ("bot.specs.contract", "did_you_mean")
    ),
    "pointers": Target(_pointers, _pointer, mutation.text, ("bot.specs.pointer", "_invalid")),
    "ledger files": Target(
        lambda: [one.canonical() for one in _records()],
        _record("Evaluation", "Decision", "Head", "Health", "Release"),
        mutation.as_json,
        ("bot.records.base", "_no_constant"),
    ),
    "hand-overs": Target(
        lambda: [one.canonical() for one in _records()],
        _record("Plan", "Evaluation"),
        mutation.as_json,
        ("bot.records.base", "_no_constant"),
    ),
    "skops files": Target(
        lambda: [_artifact()[1]["model.skops"]], _skops, mutation.as_zip, ("bot.adapters.predictor", "plain")
    ),
    "ONNX files": Target(
        lambda: [_artifact()[1]["model.onnx"]], _onnx, mutation.text, ("bot.specs.onnx_session", "_word")
    ),
    "inference requests": Target(
        lambda: [_request()], _inference, mutation.as_json, ("bot.serve.protocol", "_short")
    ),
    "prediction logs": Target(_logs, _log, mutation.text, ("bot.adapters.batches", "reason")),
}  # fmt: skip


def _request() -> bytes:
    from tests.serve.test_app import ROWS

    return json.dumps({**ROWS, "outputs": [{"name": "predict"}], "parameters": {}}).encode()
