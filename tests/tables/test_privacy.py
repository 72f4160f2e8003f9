"""Values of a sensitive column are in no message, log, report, golden file or record, whatever goes wrong."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest

from bot.cli import run
from tests.real_data import ROOT

SECRET = re.compile(r"s3cret|(?<![\d.])7700[0-2]\d\d(?!\d)|1977-07-\d\d")
ROWS = 240
MODEL = """
task: binary
owner: owen
description: A test.
data: {path: data/t.csv, target: left, row_id: id}
features: {numeric: [income, x], categorical: [{columns: [name], unknown: %s}], datetime: [born]}
estimator: {name: %s}
metrics: roc_auc
slices: [%s]
"""
SCHEMA = """
columns:
  id: {dtype: int64}
  name: {dtype: str, sensitive: true%s}
  income: {dtype: %s, sensitive: true, nullable: true}
  born: {sensitive: true, nullable: true}
  x: {dtype: float64}
  left: {dtype: str}
"""


def table(change: str = "") -> str:
    rng = np.random.default_rng(3)
    lines = ["id,name,income,born,x,left"]
    for row in range(ROWS):
        x = rng.normal()
        lines.append(f"{row},s3cret{row % 4},{7700000 + row},1977-07-{1 + row % 28:02d},{x:.3f},{'ny'[int(x > 0)]}")
    return "\n".join(lines) + "\n" + change


def wrong(schema: tuple[str, str] = ("", "int64"), **changes: str) -> dict[str, object]:
    parts = {"data": "", "unknown": "ignore", "estimator": "HistGradientBoostingClassifier", "slices": "x", **changes}
    return {**parts, "schema": schema}


CASES = {
    "all is well": wrong(),
    "a ragged row": wrong(data="240,s3cret9,7700999,1977-07-07,0,n,too,many\n"),
    "text among the numbers": wrong(("", "str"), data="240,s3cret9,s3cret7700999,1977-07-07,0,n\n"),
    "no date among the dates": wrong(data="240,s3cret9,7700999,s3cret 1977-07-07,0,n\n"),
    "a broken contract": wrong((", isin: [a, b], str_matches: q", "float64")),
    "another type than in the contract": wrong(("", "bool")),
    "missing where nothing may be": wrong(data="240,,7700999,1977-07-07,0,n\n"),
    "a quote that is not closed": wrong(data='240,"s3cret9,7700999,1977-07-07,0,n\n'),
    "a category that is refused": wrong(
        unknown="error", data="".join(f"{240 + i},s3cret{i}x,7700999,,0,n\n" for i in range(9))
    ),
    "a slice of it": wrong(slices="name"),
    "bad parameters": wrong(estimator="KNeighborsClassifier, parameters: {n_neighbors: 5000}"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_no_value_of_a_sensitive_column_is_shown(tmp_path, capsys, monkeypatch, case):
    """Secrets lie in text, numbers and dates; what is printed is looked through, and every file that is no model."""
    monkeypatch.setenv("MLBOT_TRACEBACK", "1")
    folder = tmp_path / "models/t"
    folder.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/t.csv").write_text(table(case["data"]))
    (folder / "model.yaml").write_text(MODEL % (case["unknown"], case["estimator"], case["slices"]))
    (folder / "schema.yaml").write_text(SCHEMA % case["schema"])
    with contextlib.chdir(tmp_path):
        codes = [run(["validate", "models"]), run(["train", "t", "--out", "out"])]
        if (tmp_path / "out/training.json").exists():
            codes.append(run(["evaluate", "out", "--test", "--gates", str(ROOT / "policies/gates.yaml")]))
            codes.append(run(["report", "out"]))
    assert 3 not in codes
    said = "".join(capsys.readouterr())
    assert not SECRET.search(said), SECRET.findall(said)
    for file in tmp_path.glob("out/**/*"):
        if file.is_file() and file.suffix not in (".skops", ".onnx"):
            assert not SECRET.search(file.read_text(encoding="utf-8")), file.name
