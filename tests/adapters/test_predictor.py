"""An artifact is loaded only when it is the file that was trained, and says the same with either engine."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pytest

from bot.adapters.predictor import OnnxModel, SkopsModel, load
from bot.errors import UserError
from tests.fakes.predictor import FakePredictor
from tests.train.small import rows, trained


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("made"))[1]


def test_onnx_only_when_asked_for_and_both_say_the_same(made):
    one, other = load(made), load(made, prefer="onnx")
    assert isinstance(one, SkopsModel) and isinstance(other, OnnxModel)
    assert (one.predict(rows()) == other.predict(rows())).all()
    assert np.allclose(one.probabilities(rows()), other.probabilities(rows()), atol=1e-5)
    assert one.inputs == other.inputs == ("signal", "noise", "shop")


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda path: (path / "model.skops").write_bytes(b"x"), "artifact_changed"),
        (lambda path: (path / "model.skops").unlink(), "artifact_missing"),
        (lambda path: (path / "training.json").unlink(), "artifact_missing"),
        (lambda path: (path / "training.json").write_text("{}"), "record_invalid"),
    ],
    ids=["another model", "no model", "no record", "a broken record"],
)
def test_a_folder_that_is_not_what_was_trained_is_refused(made, tmp_path, break_it, code):
    folder = shutil.copytree(made, tmp_path / "copy")
    break_it(folder)
    with pytest.raises(UserError) as caught:
        load(folder)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pa.table({"signal": [1.0], "noise": [1.0]}), "'shop'"),
        (pa.table({"signal": ["many"], "noise": [1.0], "shop": ["a"]}), "'signal'"),
        (pa.table({"signal": [[1.0]], "noise": [1.0], "shop": ["a"]}), "'signal'"),
    ],
    ids=["a column is missing", "text for a number", "a list for a number"],
)
def test_rows_that_do_not_fit_are_refused_by_column(made, table, says):
    with pytest.raises(UserError, match=says):
        load(made).predict(table)


def test_numbers_as_text_and_whole_numbers_are_read_as_numbers(made):
    plain = pa.table({"signal": [1.0], "noise": [0.0], "shop": ["south"]})
    other = pa.table({"signal": ["1.0"], "noise": [0], "shop": pa.array(["south"]).dictionary_encode()})
    assert np.array_equal(load(made).probabilities(plain), load(made).probabilities(other))


def test_the_fake_keeps_the_ports_promises():
    fake = FakePredictor(("x",), ("no", "yes"), probabilities=[[0.2, 0.8]])
    assert fake.predict(pa.table({"x": [1, 2]})).tolist() == ["yes", "yes"]
    assert fake.probabilities(pa.table({"x": [1, 2]})).shape == (2, 2)
    assert FakePredictor(("x",), values=3.0).predict(pa.table({"x": [1]})).tolist() == [3.0]
