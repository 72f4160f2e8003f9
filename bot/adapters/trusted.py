"""The written list of what a `model.skops` may hold: node kinds and types. Whatever else a file names is refused.

It is the union over the estimators of `bot/specs/estimators.py` and the transformers of `bot/train/preprocess.py`;
`tests/adapters/test_trusted.py` trains each of them. Nothing is ever added from a file's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.errors import UserError

_ODD = re.compile(r"[^A-Za-z0-9 .,:;()'=+_-]")

_OBJECTS = """
scipy.interpolate._bsplines: BSpline
sklearn._loss.link: HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit
sklearn._loss.loss: AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss
    HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss
sklearn.calibration: CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration
sklearn.compose._column_transformer: ColumnTransformer
sklearn.compose._target: TransformedTargetRegressor
sklearn.decomposition._truncated_svd: TruncatedSVD
sklearn.discriminant_analysis: LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
sklearn.dummy: DummyClassifier DummyRegressor
sklearn.ensemble._bagging: BaggingClassifier BaggingRegressor
sklearn.ensemble._forest: ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor
sklearn.ensemble._gb: GradientBoostingClassifier GradientBoostingRegressor
sklearn.ensemble._hist_gradient_boosting.binning: _BinMapper
sklearn.ensemble._hist_gradient_boosting.gradient_boosting: HistGradientBoostingClassifier
    HistGradientBoostingRegressor
sklearn.ensemble._hist_gradient_boosting.predictor: TreePredictor
sklearn.ensemble._weight_boosting: AdaBoostClassifier AdaBoostRegressor
sklearn.feature_extraction.text: TfidfTransformer TfidfVectorizer
sklearn.gaussian_process._gpc: GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace
sklearn.gaussian_process._gpr: GaussianProcessRegressor
sklearn.gaussian_process.kernels: ConstantKernel Product RBF Sum WhiteKernel
sklearn.impute._base: MissingIndicator SimpleImputer
sklearn.isotonic: IsotonicRegression
sklearn.kernel_ridge: KernelRidge
sklearn.linear_model._base: LinearRegression
sklearn.linear_model._bayes: ARDRegression BayesianRidge
sklearn.linear_model._coordinate_descent: ElasticNet ElasticNetCV Lasso LassoCV
sklearn.linear_model._glm.glm: GammaRegressor PoissonRegressor TweedieRegressor
sklearn.linear_model._huber: HuberRegressor
sklearn.linear_model._least_angle: Lars LarsCV LassoLars LassoLarsCV LassoLarsIC
sklearn.linear_model._logistic: LogisticRegression LogisticRegressionCV
sklearn.linear_model._omp: OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV
sklearn.linear_model._passive_aggressive: PassiveAggressiveClassifier PassiveAggressiveRegressor
sklearn.linear_model._perceptron: Perceptron
sklearn.linear_model._quantile: QuantileRegressor
sklearn.linear_model._ridge: Ridge RidgeCV RidgeClassifier RidgeClassifierCV
sklearn.linear_model._stochastic_gradient: SGDClassifier SGDRegressor
sklearn.linear_model._theil_sen: TheilSenRegressor
sklearn.metrics._dist_metrics: ChebyshevDistance64 EuclideanDistance64 ManhattanDistance64 MinkowskiDistance64
sklearn.multiclass: OneVsRestClassifier
sklearn.naive_bayes: BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB
sklearn.neighbors._ball_tree: BallTree
sklearn.neighbors._classification: KNeighborsClassifier RadiusNeighborsClassifier
sklearn.neighbors._kd_tree: KDTree
sklearn.neighbors._nearest_centroid: NearestCentroid
sklearn.neighbors._regression: KNeighborsRegressor RadiusNeighborsRegressor
sklearn.neural_network._multilayer_perceptron: MLPClassifier MLPRegressor
sklearn.neural_network._stochastic_optimizers: AdamOptimizer SGDOptimizer
sklearn.pipeline: Pipeline
sklearn.preprocessing._data: MinMaxScaler PowerTransformer QuantileTransformer RobustScaler StandardScaler
sklearn.preprocessing._discretization: KBinsDiscretizer
sklearn.preprocessing._encoders: OneHotEncoder OrdinalEncoder
sklearn.preprocessing._function_transformer: FunctionTransformer
sklearn.preprocessing._label: LabelBinarizer LabelEncoder
sklearn.preprocessing._polynomial: PolynomialFeatures SplineTransformer
sklearn.preprocessing._target_encoder: TargetEncoder
sklearn.svm._classes: LinearSVC LinearSVR NuSVC NuSVR SVC SVR
sklearn.tree._classes: DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
"""

_LOSSES = """
sklearn._loss._loss: CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss
    CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss
sklearn.linear_model._sgd_fast: EpsilonInsensitive Hinge ModifiedHuber SquaredEpsilonInsensitive SquaredHinge
"""

_SCALARS = "bool_ bool float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 str_ ndarray"


def _names(text: str) -> frozenset[str]:
    module, names = "", set()
    for word in text.split():
        if word.endswith(":"):
            module = word[:-1]
        else:
            names.add(f"{module}.{word}")
    return frozenset(names)


# kind of node in a skops file -> the types that may stand there.
ALLOWED: dict[str, frozenset[str]] = {
    "DictNode": frozenset(("builtins.dict",)),
    "DTypeNode": frozenset(("numpy.dtype",)),
    "FunctionNode": _names(
        "numpy: expm1 log1p ravel sklearn.utils.validation: check_array "
        "scipy._lib.array_api_compat.numpy._aliases: asarray"
    ),
    "JsonNode": frozenset(("builtins.str",)),
    "ListNode": frozenset(("builtins.list",)),
    "LossNode": _names(_LOSSES),
    "NdArrayNode": _names(f"numpy: {_SCALARS}"),
    "ObjectNode": _names(_OBJECTS),
    "PartialNode": frozenset(("functools.partial",)),
    "RandomGeneratorNode": frozenset(("numpy.random._generator.Generator",)),
    "RandomStateNode": frozenset(("numpy.random.mtrand.RandomState",)),
    "SetNode": frozenset(("builtins.set",)),
    "SliceNode": frozenset(("builtins.slice",)),
    "SparseMatrixNode": _names("scipy.sparse._csr: csr_matrix csr_array scipy.sparse._csc: csc_matrix csc_array"),
    "TreeNode": frozenset(("sklearn.tree._tree.Tree",)),
    "TupleNode": frozenset(("builtins.tuple",)),
    "TypeNode": _names(f"builtins: bool float int str numpy: {_SCALARS}"),
}

# Older versions of the format are read by code that nobody tries any more; skops 0.16 writes 2.
OLDEST_PROTOCOL = 2

TYPES: tuple[str, ...] = tuple(sorted(frozenset().union(*ALLOWED.values())))


def check_types(schema: Any, file: str) -> None:
    """Raises UserError (code `type_refused`) naming the first thing in a skops schema that is not on the list.

    Code `artifact_invalid` for a version of the format that we never wrote.
    """
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol < OLDEST_PROTOCOL:
        raise UserError(f"{file}: not a skops file of version {OLDEST_PROTOCOL} or later", code="artifact_invalid")
    for node in _nodes(schema):
        kind, name = str(node.get("__loader__")), f"{node.get('__module__')}.{node.get('__class__')}"
        if name not in ALLOWED.get(kind, ()):
            raise UserError(
                f"{file}: refused, since it holds {plain(name)!r} ({plain(kind)})",
                hint="Only artifacts that `mlbot train` wrote are loaded.",
                code="type_refused",
            )


def plain(text: str) -> str:
    """Words of a file, or of an error about it, as no more than words: nothing that Markdown or a log would obey."""
    return _ODD.sub("?", " ".join(text.split()))[:200]


def _nodes(state: Any) -> Iterator[dict[str, Any]]:
    waiting = [state]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "__loader__" in item or "__class__" in item or "__module__" in item:
                yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
