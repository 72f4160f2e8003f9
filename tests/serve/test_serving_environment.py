"""An artifact must load and answer where it will be served, before it is let out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.serving_environment import ServingEnvironment
from bot.errors import UserError
from bot.promote.step import states_of
from tests.promote.world import World
from tests.serve.artifacts import an_artifact, write


def test_reproduced_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Both engines reproduce the golden predictions."""
    training = write(tmp_path, an_artifact())
    ServingEnvironment().check(tmp_path, training)


def other_scikit_learn(folder: Path) -> Path:
    """A Python in which predict_proba fails although loading works, as with scikit-learn 1.5 and a model of 1.9."""
    (folder / "sitecustomize.py").write_text(
        "import sklearn.linear_model as m\n"
        "def broken(self, X):\n"
        "    raise AttributeError(\"'LogisticRegression' object has no attribute 'multi_class'\")\n"
        "m.LogisticRegression.predict_proba = broken\n"
    )
    python = folder / "python"
    import sys

    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}:$PYTHONPATH" exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def test_only_asking_finds_what_loading_does_not(tmp_path: Path) -> None:
    """A runtime that loads the model and fails at predict_proba is refused before anything is live."""
    world = World(tmp_path)
    artifact = an_artifact(onnx=False)
    (tmp_path / "other").mkdir()
    environment = ServingEnvironment(other_scikit_learn(tmp_path / "other"))
    with pytest.raises(UserError) as caught:
        world.let_out(*world.evaluated(artifact["training"], artifact["files"]), probe=environment.check)
    assert caught.value.code == "load_check_failed"
    assert "multi_class" in caught.value.message
    assert "scikit-learn 1." in (caught.value.hint or "")
    assert states_of("churn", world.ports()) == {}


def test_a_runtime_without_the_libraries_is_named(tmp_path: Path) -> None:
    """A Python that cannot import what is needed says so in one line."""
    training = write(tmp_path / "artifact", an_artifact(onnx=False))
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'skops'\" >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(UserError, match="No module named 'skops'"):
        ServingEnvironment(python).check(tmp_path / "artifact", training)
