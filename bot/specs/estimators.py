"""The written list of estimators that a spec may name: name -> `module:Class`, and which tasks each does.

scikit-learn's classifiers and regressors that fit one target from JSON parameters. Not on it: estimators that wrap
others (calibration, threshold tuning and search have their own keys), that need several targets, or that are
semi-supervised or deprecated. scikit-learn is never imported here; `tests/specs/test_estimators.py` compares.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bot.specs.validation import did_you_mean

CLASSIFIERS: dict[str, str] = {
    "AdaBoostClassifier": "sklearn.ensemble:AdaBoostClassifier",
    "BaggingClassifier": "sklearn.ensemble:BaggingClassifier",
    "BernoulliNB": "sklearn.naive_bayes:BernoulliNB",
    "CategoricalNB": "sklearn.naive_bayes:CategoricalNB",
    "ComplementNB": "sklearn.naive_bayes:ComplementNB",
    "DecisionTreeClassifier": "sklearn.tree:DecisionTreeClassifier",
    "DummyClassifier": "sklearn.dummy:DummyClassifier",
    "ExtraTreeClassifier": "sklearn.tree:ExtraTreeClassifier",
    "ExtraTreesClassifier": "sklearn.ensemble:ExtraTreesClassifier",
    "GaussianNB": "sklearn.naive_bayes:GaussianNB",
    "GaussianProcessClassifier": "sklearn.gaussian_process:GaussianProcessClassifier",
    "GradientBoostingClassifier": "sklearn.ensemble:GradientBoostingClassifier",
    "HistGradientBoostingClassifier": "sklearn.ensemble:HistGradientBoostingClassifier",
    "KNeighborsClassifier": "sklearn.neighbors:KNeighborsClassifier",
    "LinearDiscriminantAnalysis": "sklearn.discriminant_analysis:LinearDiscriminantAnalysis",
    "LinearSVC": "sklearn.svm:LinearSVC",
    "LogisticRegression": "sklearn.linear_model:LogisticRegression",
    "LogisticRegressionCV": "sklearn.linear_model:LogisticRegressionCV",
    "MLPClassifier": "sklearn.neural_network:MLPClassifier",
    "MultinomialNB": "sklearn.naive_bayes:MultinomialNB",
    "NearestCentroid": "sklearn.neighbors:NearestCentroid",
    "NuSVC": "sklearn.svm:NuSVC",
    "Perceptron": "sklearn.linear_model:Perceptron",
    "QuadraticDiscriminantAnalysis": "sklearn.discriminant_analysis:QuadraticDiscriminantAnalysis",
    "RadiusNeighborsClassifier": "sklearn.neighbors:RadiusNeighborsClassifier",
    "RandomForestClassifier": "sklearn.ensemble:RandomForestClassifier",
    "RidgeClassifier": "sklearn.linear_model:RidgeClassifier",
    "RidgeClassifierCV": "sklearn.linear_model:RidgeClassifierCV",
    "SGDClassifier": "sklearn.linear_model:SGDClassifier",
    "SVC": "sklearn.svm:SVC",
}

REGRESSORS: dict[str, str] = {
    "ARDRegression": "sklearn.linear_model:ARDRegression",
    "AdaBoostRegressor": "sklearn.ensemble:AdaBoostRegressor",
    "BaggingRegressor": "sklearn.ensemble:BaggingRegressor",
    "BayesianRidge": "sklearn.linear_model:BayesianRidge",
    "DecisionTreeRegressor": "sklearn.tree:DecisionTreeRegressor",
    "DummyRegressor": "sklearn.dummy:DummyRegressor",
    "ElasticNet": "sklearn.linear_model:ElasticNet",
    "ElasticNetCV": "sklearn.linear_model:ElasticNetCV",
    "ExtraTreeRegressor": "sklearn.tree:ExtraTreeRegressor",
    "ExtraTreesRegressor": "sklearn.ensemble:ExtraTreesRegressor",
    "GammaRegressor": "sklearn.linear_model:GammaRegressor",
    "GaussianProcessRegressor": "sklearn.gaussian_process:GaussianProcessRegressor",
    "GradientBoostingRegressor": "sklearn.ensemble:GradientBoostingRegressor",
    "HistGradientBoostingRegressor": "sklearn.ensemble:HistGradientBoostingRegressor",
    "HuberRegressor": "sklearn.linear_model:HuberRegressor",
    "KNeighborsRegressor": "sklearn.neighbors:KNeighborsRegressor",
    "KernelRidge": "sklearn.kernel_ridge:KernelRidge",
    "Lars": "sklearn.linear_model:Lars",
    "LarsCV": "sklearn.linear_model:LarsCV",
    "Lasso": "sklearn.linear_model:Lasso",
    "LassoCV": "sklearn.linear_model:LassoCV",
    "LassoLars": "sklearn.linear_model:LassoLars",
    "LassoLarsCV": "sklearn.linear_model:LassoLarsCV",
    "LassoLarsIC": "sklearn.linear_model:LassoLarsIC",
    "LinearRegression": "sklearn.linear_model:LinearRegression",
    "LinearSVR": "sklearn.svm:LinearSVR",
    "MLPRegressor": "sklearn.neural_network:MLPRegressor",
    "NuSVR": "sklearn.svm:NuSVR",
    "OrthogonalMatchingPursuit": "sklearn.linear_model:OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV": "sklearn.linear_model:OrthogonalMatchingPursuitCV",
    "PoissonRegressor": "sklearn.linear_model:PoissonRegressor",
    "QuantileRegressor": "sklearn.linear_model:QuantileRegressor",
    "RadiusNeighborsRegressor": "sklearn.neighbors:RadiusNeighborsRegressor",
    "RandomForestRegressor": "sklearn.ensemble:RandomForestRegressor",
    "Ridge": "sklearn.linear_model:Ridge",
    "RidgeCV": "sklearn.linear_model:RidgeCV",
    "SGDRegressor": "sklearn.linear_model:SGDRegressor",
    "SVR": "sklearn.svm:SVR",
    "TheilSenRegressor": "sklearn.linear_model:TheilSenRegressor",
    "TweedieRegressor": "sklearn.linear_model:TweedieRegressor",
}

ESTIMATORS: dict[str, str] = {**CLASSIFIERS, **REGRESSORS}


# Classifiers that predict labels only, unless a parameter has one of these values.
LABEL_ONLY: dict[str, dict[str, tuple[Any, ...]]] = {
    "LinearSVC": {},
    "NuSVC": {"probability": (True,)},
    "Perceptron": {},
    "RidgeClassifier": {},
    "RidgeClassifierCV": {},
    "SGDClassifier": {"loss": ("log_loss", "modified_huber")},
    "SVC": {"probability": (True,)},
}


def has_probabilities(name: str, parameters: Mapping[str, Collection[Any]]) -> bool:
    """Whether a classifier has probabilities with one of the values that each parameter may take."""
    if name not in LABEL_ONLY:
        return name in CLASSIFIERS
    return any(value in values for key, values in LABEL_ONLY[name].items() for value in parameters.get(key, ()))


def estimators_for(task: str) -> dict[str, str]:
    """The estimators that do a task (binary, multiclass, regression)."""
    return REGRESSORS if task == "regression" else CLASSIFIERS


def unknown_estimator(name: str, task: str) -> tuple[str, str] | None:
    """(message, hint) when `name` cannot do the task, None when it can."""
    choices = estimators_for(task)
    if name in choices:
        return None
    if name in ESTIMATORS:
        twin = (
            name.replace("Classifier", "Regressor") if task == "regression" else name.replace("Regressor", "Classifier")
        )
        hint = f"Use `{twin}`." if twin in choices else did_you_mean(name, choices, noun=f"{task} estimators")
        return f"{name} does not do the task {task}", hint
    return f"unknown estimator {name[:80]!r}", did_you_mean(name, choices, noun=f"{task} estimators")
