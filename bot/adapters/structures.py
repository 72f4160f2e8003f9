"""What compiled code of scikit-learn trusts without looking: indices, children, counts. One check a class.

A tree is walked by the node numbers that it holds, a vocabulary names columns of a matrix, a support vector machine is
told how many vectors it has. Numbers that do not fit are reads and writes outside an array, or a walk without end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _tree(tree: Any) -> bool:
    """Children stand behind their parent, so that every walk ends; leaves have none; features are among the inputs."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    at, is_leaf = np.arange(tree.node_count), left == -1
    inner = ~is_leaf
    ends = (left > at) & (left < tree.node_count) & (right > at) & (right < tree.node_count)
    fits = (feature >= 0) & (feature < tree.n_features)
    return bool(tree.node_count > 0 and (ends & fits)[inner].all() and (right[is_leaf] == -1).all())


def _decision_tree(one: Any) -> bool:
    tree = one.tree_
    n_classes = np.atleast_1d(getattr(one, "n_classes_", 1))
    return (
        type(tree).__name__ == "Tree"
        and tree.n_features == one.n_features_in_
        and tree.n_outputs == one.n_outputs_ == 1
        and n_classes.shape == (1,)
        and tree.max_n_classes == n_classes[0]
    )


def _forest(one: Any) -> bool:
    """Trees are asked without another look at the inputs."""
    trees = list(one.estimators_)
    return all(_is_tree_of(tree, one.n_features_in_) for tree in trees) and len(trees) > 0


def _is_tree_of(tree: Any, n_features: int) -> bool:
    return type(tree).__module__ == "sklearn.tree._classes" and tree.n_features_in_ == n_features


def _boosting(one: Any) -> bool:
    """Each tree adds to its own column of the raw predictions, of which there must be as many."""
    trees = one.estimators_
    if trees.ndim != 2 or not all(_is_tree_of(tree, one.n_features_in_) for tree in trees.flat):
        return False
    if any(tree.tree_.max_n_classes != 1 or tree.tree_.n_outputs != 1 for tree in trees.flat):
        return False
    if not (isinstance(one.init_, str) or type(one.init_).__module__ == "sklearn.dummy"):
        return False
    raw = one._raw_predict_init(np.zeros((1, one.n_features_in_)))
    return bool(trees.size) and raw.ndim == 2 and raw.shape[1] == trees.shape[1]


def _histogram(one: Any) -> bool:
    """Histogram gradient boosting: nodes, and for categories the sets that they name."""
    mapper = one._bin_mapper
    is_categorical = np.asarray(mapper.is_categorical_)
    if is_categorical.shape != (one.n_features_in_,) or len(mapper.bin_thresholds_) != one.n_features_in_:
        return False
    known = [np.asarray(mapper.bin_thresholds_[i]) for i in np.flatnonzero(is_categorical)]
    if any(values.size and not (values.min() >= 0 and values.max() < 256) for values in known):
        return False
    return all(
        type(predictor).__name__ == "TreePredictor" and _nodes(predictor, is_categorical)
        for iteration in one._predictors
        for predictor in iteration
    )


def _nodes(predictor: Any, is_categorical: Any) -> bool:
    nodes, n = predictor.nodes, len(predictor.nodes)
    at, is_leaf = np.arange(n), nodes["is_leaf"] != 0
    feature, left, right = nodes["feature_idx"], nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    inner = ~is_leaf
    ends = (left > at) & (left < n) & (right > at) & (right < n)
    fits = (feature >= 0) & (feature < len(is_categorical))
    if n == 0 or not (ends & fits)[inner].all():
        return False
    categorical = inner & (nodes["is_categorical"] != 0)
    sets = predictor.raw_left_cat_bitsets
    is_named = (is_categorical[feature[categorical]] != 0) & (nodes["bitset_idx"][categorical] < len(sets))
    return bool(is_named.all()) and sets.ndim == 2 and (sets.shape[1] == 8 or sets.shape[0] == 0)


def _binary_tree(tree: Any) -> bool:
    """A KDTree or BallTree: a complete binary tree over ranges of `indices`."""
    data, indices, nodes, bounds, _, n_levels, n_nodes, *_, metric, weights = tree.__getstate__()
    n, last = len(data), len(nodes) - 1
    ranges = (nodes["idx_start"] >= 0) & (nodes["idx_start"] <= nodes["idx_end"]) & (nodes["idx_end"] <= n)
    has_children = 2 * np.arange(len(nodes)) + 2 <= last
    return bool(
        data.ndim == 2
        and n_nodes == len(nodes) == 2**n_levels - 1
        and bounds.shape[1:] == (n_nodes, data.shape[1])
        and indices.shape == (n,)
        and (np.sort(indices) == np.arange(n)).all()
        and ranges.all()
        and (nodes["is_leaf"].astype(bool) | has_children).all()
        and weights is None
        and _weights(metric) in (0, data.shape[1])
    )


def _weights(metric: Any) -> int:
    """How many columns a metric has weights for; 0 when it weighs none."""
    state = metric.__getstate__()
    size = len(state[1]) if type(metric).__name__.startswith("Minkowski") else 0
    return 0 if size <= 1 and not np.any(state[1]) else size


def _neighbors(one: Any) -> bool:
    tree, fitted = one._tree, one._fit_X
    y = getattr(one, "_y", None)
    n = fitted.shape[0]
    return bool(
        fitted.ndim == 2
        and fitted.shape[1] == one.n_features_in_
        and (tree is None or tree.data.shape == fitted.shape)
        and (y is None or len(y) == n)
        and one.n_samples_fit_ == n
    )


def _support_vectors(one: Any) -> bool:
    """libsvm reads by the counts that it is told; of a regression it counts two classes, and looks at the first."""
    counts, n = np.asarray(one._n_support), one.support_vectors_.shape[0]
    is_regression = type(one).__name__ in ("SVR", "NuSVR")
    n_classes = len(counts)
    n_values = 1 if is_regression else n_classes * (n_classes - 1) // 2
    return bool(
        counts.dtype == np.int32
        and (len(counts) == 2 if is_regression else (counts >= 0).all() and counts.sum() == n)
        and one.support_vectors_.shape[1] == one.n_features_in_
        and len(one.support_) == n
        and one._dual_coef_.shape == one.dual_coef_.shape == (n_classes - 1, n)
        and one._intercept_.shape == (n_values,)
        and {len(one._probA), len(one._probB)} in ({0}, {n_values})
        and (is_regression or len(one.classes_) == n_classes)
    )


def _vocabulary(one: Any) -> bool:
    """Words name the columns of the matrix, each once."""
    columns = sorted(one.vocabulary_.values())
    return columns == list(range(len(columns))) and all(type(word) is str for word in one.vocabulary_)


def _one_hot(one: Any) -> bool:
    """Categories name columns of the matrix, column by column within its own."""
    widths = list(one._n_features_outs)
    mappings = getattr(one, "_default_to_infrequent_mappings", None) or [None] * len(widths)
    dropped = one.drop_idx_ if one.drop_idx_ is not None else [None] * len(widths)
    if not len(one.categories_) == len(widths) == len(mappings) == len(dropped):
        return False
    for names, width, mapping, drop in zip(one.categories_, widths, mappings, dropped, strict=True):
        if mapping is not None and not (len(mapping) == len(names) and np.min(mapping, initial=0) >= 0):
            return False
        top = len(names) if mapping is None else int(np.max(mapping, initial=-1)) + 1
        if top - (drop is not None) > width:
            return False
    return True


def _spline(one: Any) -> bool:
    """Its own constructor looks at knots and coefficients."""
    type(one)(one.t, one.c, one.k, one.extrapolate, one.axis)
    return True


# class -> whether a fitted object of it holds together.
STRUCTURES: dict[str, Callable[[Any], bool]] = {
    "Tree": _tree,
    "DecisionTreeClassifier": _decision_tree,
    "DecisionTreeRegressor": _decision_tree,
    "ExtraTreeClassifier": _decision_tree,
    "ExtraTreeRegressor": _decision_tree,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _boosting,
    "GradientBoostingRegressor": _boosting,
    "HistGradientBoostingClassifier": _histogram,
    "HistGradientBoostingRegressor": _histogram,
    "KDTree": _binary_tree,
    "BallTree": _binary_tree,
    "KNeighborsClassifier": _neighbors,
    "KNeighborsRegressor": _neighbors,
    "RadiusNeighborsClassifier": _neighbors,
    "RadiusNeighborsRegressor": _neighbors,
    "SVC": _support_vectors,
    "NuSVC": _support_vectors,
    "SVR": _support_vectors,
    "NuSVR": _support_vectors,
    "TfidfVectorizer": _vocabulary,
    "OneHotEncoder": _one_hot,
    "BSpline": _spline,
}


def is_sound(value: Any) -> bool:
    """Whether an object holds together. An estimator that was never fitted cannot be asked, and passes."""
    check = STRUCTURES.get(type(value).__name__)
    if check is None or (hasattr(value, "get_params") and not any(name.endswith("_") for name in vars(value))):
        return True
    try:
        return check(value)
    except Exception:  # of a crafted object anything may be missing
        return False
