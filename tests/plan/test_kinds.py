"""Each changed path has one kind, the word that policies use."""

import pytest

from bot.plan.kinds import change_kinds, kind_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("models/churn/model.yaml", "spec"),
        ("models/churn/schema.yaml", "schema"),
        ("models/churn/README.md", "docs"),
        ("models/churn/rehearsal/2013-03.parquet", "other"),
        ("data.dvc", "data"),
        ("models/churn/more.dvc", "data"),
        (".dvc/embedded/files/md5/ab/cd", "data"),
        (".dvc/config", "data_remote"),
        (".dvcignore", "data_remote"),
        ("policies/gates.yaml", "policy"),
        ("policies/README.md", "policy"),
        (".github/workflows/ci.yml", "workflow"),
        (".github/workflows/data.dvc", "workflow"),
        ("bot/plan/step.py", "evaluator"),
        ("bot/README.md", "evaluator"),
        ("uv.lock", "evaluator"),
        ("docs/x.md", "docs"),
        ("LICENSE", "docs"),
        ("CODEOWNERS", "policy"),  # who must review is governance, in each of the three places where GitHub reads it
        ("docs/CODEOWNERS", "policy"),
        (".github/CODEOWNERS", "policy"),
        ("docs/CODEOWNERS.md", "docs"),
        ("requirements.txt", "code"),
        ("tools/constraints-dev.txt", "code"),
        ("notes.txt", "docs"),
        ("tests/test_x.py", "code"),
        ("Makefile", "code"),
        ("weird\nname", "other"),
    ],
)
def test_kind_of_a_path(path, kind):
    assert kind_of(path) == kind


def test_kinds_are_sorted_and_named_once():
    assert change_kinds(["data.dvc", "bot/x.py", "bot/y.py"]) == ("data", "evaluator")
