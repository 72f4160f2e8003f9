"""The written list of estimators is what scikit-learn has, less what JSON cannot describe."""

from __future__ import annotations

import importlib

import pytest

from bot.specs.estimators import CLASSIFIERS, ESTIMATORS, REGRESSORS, unknown_estimator

# Left out on purpose: they wrap other estimators, need several targets, are semi-supervised or deprecated.
LEFT_OUT = {
    "classifier": {
        "CalibratedClassifierCV", "ClassifierChain", "FixedThresholdClassifier", "LabelPropagation", "LabelSpreading",
        "MultiOutputClassifier", "PassiveAggressiveClassifier", "OneVsOneClassifier", "OneVsRestClassifier",
        "OutputCodeClassifier",
        "SelfTrainingClassifier", "StackingClassifier", "TunedThresholdClassifierCV", "VotingClassifier",
    },
    "regressor": {
        "CCA", "IsotonicRegression", "MultiOutputRegressor", "MultiTaskElasticNet", "MultiTaskElasticNetCV",
        "MultiTaskLasso", "MultiTaskLassoCV", "PLSCanonical", "PLSRegression", "PassiveAggressiveRegressor",
        "RANSACRegressor", "RegressorChain",
        "StackingRegressor", "TransformedTargetRegressor", "VotingRegressor",
    },
}  # fmt: skip


@pytest.mark.parametrize(("kind", "listed"), [("classifier", CLASSIFIERS), ("regressor", REGRESSORS)])
def test_the_list_is_scikit_learn_s(kind, listed):
    from sklearn.utils import all_estimators

    there = {name for name, _ in all_estimators(type_filter=kind)}
    assert set(listed) == there - LEFT_OUT[kind]
    assert there >= LEFT_OUT[kind]


@pytest.mark.parametrize(("name", "where"), sorted(ESTIMATORS.items()))
def test_each_name_leads_to_a_public_class_with_a_default(name, where):
    module, _, kind = where.partition(":")
    assert kind == name
    assert getattr(importlib.import_module(module), kind)().get_params() is not None


@pytest.mark.parametrize(
    ("name", "task", "hint"),
    [
        ("HistGradientBoostingClasifier", "binary", "Did you mean `HistGradientBoostingClassifier`?"),
        ("RandomForestRegressor", "multiclass", "Use `RandomForestClassifier`."),
        ("LogisticRegression", "regression", "Did you mean `QuantileRegressor`?"),
        ("sklearn.svm.SVC", "binary", None),
        ("os.system", "binary", None),
    ],
)
def test_a_name_that_cannot_do_the_task_gets_a_hint(name, task, hint):
    found = unknown_estimator(name, task)
    assert found is not None
    if hint:
        assert found[1].startswith(hint[:9])
