"""Checks that the indices inside a loaded model stay inside it, since compiled code follows them blindly.

skops can only tell that an object is of a trusted type. A crafted or damaged file may still hold a
tree whose nodes point outside it, and predicting with it would end the process or read foreign
memory (scikit-learn pull request 34558, skops `UNTRUSTED_TYPE_REASONS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

_PLAIN = (str, bytes, int, float, complex, type(None), ModuleType)
_SHARED_FEATURES = ("sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest")


def objects_of(root: object) -> Iterator[Any]:
    """Yield `root` and every object that it holds, each once; numbers and text are left out."""
    stack: list[Any] = [root]
    seen: dict[int, object] = {}
    while stack:
        item = stack.pop()
        if isinstance(item, _PLAIN) or id(item) in seen:
            continue
        seen[id(item)] = item
        yield item
        stack.extend(_members(item))


def broken_part(model: object) -> str | None:
    """Return what is wrong with the first part whose indices point outside it; None for a sound model."""
    for item in objects_of(model):
        for applies, is_sound, name in _RULES:
            if not applies(item):
                continue
            try:
                sound = is_sound(item)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                sound = False
            if not sound:
                return f"a {name} of {type(item).__name__} points outside its own data"
    return None


def _members(item: Any) -> Iterable[Any]:
    if isinstance(item, type | FunctionType):
        return []
    if isinstance(item, MethodType):
        return [item.__self__]
    inside: list[Any] = list(vars(item).values()) if hasattr(item, "__dict__") else []
    if isinstance(item, Mapping):
        inside += [*item.keys(), *item.values()]
    elif isinstance(item, list | tuple | set | frozenset):
        inside += list(item)
    elif type(item).__name__ == "ndarray" and item.dtype.hasobject and item.dtype.names is None:
        inside += item.ravel().tolist()
    elif type(item).__name__ == "partial":
        inside += [item.func, item.args, item.keywords]
    return inside


def _has(name: str) -> Callable[[Any], bool]:
    return lambda item: name in getattr(item, "__dict__", {})


def _is(*names: str) -> Callable[[Any], bool]:
    return lambda item: f"{type(item).__module__}.{type(item).__name__}" in names


def _children_are_inside(inner: Any, left: Any, right: Any) -> bool:
    """Return whether every child comes after its parent and before the end, so that walks end as well."""
    import numpy as np

    parents = np.flatnonzero(inner)
    size = len(inner)
    return size > 0 and all(
        bool(((child[parents] > parents) & (child[parents] < size)).all()) for child in (left, right)
    )


def _within(values: Any, limit: int) -> bool:
    return bool(((values >= 0) & (values < limit)).all())


def _tree_is_sound(owner: Any) -> bool:
    tree = owner.tree_
    if not 0 < tree.node_count <= tree.capacity:
        return False
    left, right = tree.children_left.astype("int64"), tree.children_right.astype("int64")
    inner = left != -1
    return _children_are_inside(inner, left, right) and _within(tree.feature[inner], owner.n_features_in_)


def _ensemble_is_sound(owner: Any) -> bool:
    """Check what ensembles that skip the checks of their trees rely on: the same columns in each."""
    import numpy as np

    members = np.asarray(owner.estimators_, dtype=object)
    widths = [member.n_features_in_ for member in members.ravel()]
    if "_estimators_features" in vars(owner) or "estimators_features_" in vars(owner):
        drawn = getattr(owner, "estimators_features_", None) or owner._estimators_features
        chosen = [np.asarray(columns) for columns in drawn]
        return widths == [len(columns) for columns in chosen] and all(
            _within(columns, owner.n_features_in_) for columns in chosen
        )
    outputs = getattr(owner, "n_trees_per_iteration_", None)
    # Gradient boosting writes one column of its output for each column of trees, unchecked.
    fits = outputs is None or (members.ndim == 2 and members.shape[1] == outputs)
    return fits and set(widths) <= {owner.n_features_in_}


def _boosting_is_sound(owner: Any) -> bool:
    width = min(owner.n_features_in_, len(owner._bin_mapper.is_categorical_))
    return all(_predictor_is_sound(item, width) for row in owner._predictors for item in row)


def _predictor_is_sound(predictor: Any, width: int) -> bool:
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    split = inner & (nodes["is_categorical"] != 0)
    sets = predictor.raw_left_cat_bitsets
    return (
        _children_are_inside(inner, nodes["left"].astype("int64"), nodes["right"].astype("int64"))
        and _within(nodes["feature_idx"][inner], width)
        and _within(nodes["bitset_idx"][split].astype("int64"), len(sets))
        and sets.shape[1:] == (8,)
    )


def _neighbours_are_sound(tree: Any) -> bool:
    import numpy as np

    data, index, nodes, bounds, leaf_size, *_, metric, weight = tree.__getstate__()
    rows, columns = data.shape
    start, end, size = nodes["idx_start"], nodes["idx_end"], len(nodes)
    place = np.arange(size)
    sides = 2 if type(tree).__name__ == "KDTree" else 1
    return (
        leaf_size > 0
        and size > 0
        and index.shape == (rows,)
        and _within(index, rows)
        and bool(((start >= 0) & (start <= end) & (end <= rows)).all())
        and _within(2 * place[nodes["is_leaf"] == 0] + 2, size)
        and bounds.shape == (sides, size, columns)
        and (weight is None or len(weight) == rows)
        and (type(metric).__name__ != "MinkowskiDistance64" or metric.__getstate__()[1].size in (0, columns))
    )


def _spline_is_sound(spline: Any) -> bool:
    type(spline)(spline.t, spline.c, spline.k, spline.extrapolate)
    return True


def _is_tree_owner(item: Any) -> bool:
    return _has("tree_")(item) and type(item.tree_).__name__ == "Tree"


def _is_ensemble(item: Any) -> bool:
    return type(item).__module__ in _SHARED_FEATURES and _has("estimators_")(item)


_RULES: tuple[tuple[Callable[[Any], bool], Callable[[Any], bool], str], ...] = (
    (_is_tree_owner, _tree_is_sound, "decision tree"),
    (_is_ensemble, _ensemble_is_sound, "member"),
    (_has("_predictors"), _boosting_is_sound, "boosted tree"),
    (
        _is("sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree"),
        _neighbours_are_sound,
        "node",
    ),
    (_is("scipy.interpolate._bsplines.BSpline"), _spline_is_sound, "knot"),
)
