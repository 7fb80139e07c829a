"""Re-scoring of the candidates of `auto` by a small model trained on a user's own boxes or labels."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, InvalidValueError, ShapeError, UnreadableFileError
from nanospa.segment.auto import OUTLINE_LEVEL, PER_OCTAVE, AutoResult, Candidates, best, candidates, cut, regions, scores

#: A candidate is a particle where its box overlaps a drawn one by more than the first part of their union, none below the second.
PARTICLE_IOU, OTHER_IOU = 0.5, 0.3
#: Boosted trees: few, small and slow, for the few images a user labels.
TREES = {"max_iter": 100, "learning_rate": 0.08, "max_leaf_nodes": 8, "min_samples_leaf": 40}
#: Images are left out in this many groups to choose the cut.
FOLDS = 5
#: Overlap of boxes [part of the union] at which a found particle counts when the cut is chosen.
MATCH_IOU = 0.3
_FORMAT = "nanospa rescorer 1"
_NODE = ("feature", "threshold", "left", "right", "value", "leaf")


@dataclass
class Rescorer:
    """Scores candidate regions as a user's labels teach; holds plain arrays, no pickles.

    Parameters
    ----------
    trees : list of dict
        Per tree the arrays of its nodes: feature, threshold, left, right, value, leaf.
    baseline : float
        Log odds before any tree [-].
    cut : float
        Log odds from which a candidate is kept [-].

    Examples
    --------
    >>> import nanospa as ns
    >>> model = ns.segment.Rescorer.fit(images, boxes)  # doctest: +SKIP
    >>> model.segment(image).labels  # doctest: +SKIP
    """

    trees: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    baseline: float = 0.0
    cut: float = 0.0

    @classmethod
    def fit(cls, images: Sequence[Any], truth: Sequence[Any], *, threads: int | None = None) -> Rescorer:
        """Train on images whose particles were marked, all of them in each image.

        Parameters
        ----------
        images : sequence of array_like, shape (y, x) each
            Images.
        truth : sequence of array_like
            Per image either boxes, float of shape (particle, 4) with columns y0, x0, y1, x1 [px], or a label image, int of shape (y, x).
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        Rescorer
            Trained model; its cut is chosen on images left out, in at most five groups.

        Raises
        ------
        ShapeError
            Not as many `truth` as `images`, or boxes of another shape.
        EmptyInputError
            No candidate overlaps a marked particle, or nothing else was found.
        """
        if len(images) != len(truth):
            raise ShapeError(f"truth: expected one entry for each of {len(images)} images, found {len(truth)}")
        everything = [candidates(image, threads=threads) for image in images]
        described = [features(one) for one in everything]
        found = [one.take(one.column("sign") > 0) for one in everything]
        boxes = [as_boxes(marks, one.image.shape) for marks, one in zip(truth, found, strict=True)]
        overlap = [_iou(one.boxes(), marks).max(1, initial=0.0) for one, marks in zip(found, boxes, strict=True)]
        groups = np.arange(len(images)) % min(FOLDS, max(2, len(images)))
        odds: list[NDArray[np.float64]] = [np.zeros(0)] * len(images)
        if len(images) > 1:
            for group in np.unique(groups):
                model = _boost(described, overlap, boxes, np.flatnonzero(groups != group))
                for i in np.flatnonzero(groups == group):
                    odds[i] = model.odds(described[i])
        model = _boost(described, overlap, boxes, np.arange(len(images)))
        if len(images) == 1:
            odds = [model.odds(described[0])]
        model.cut = _best_cut(found, odds, boxes)
        return model

    def odds(self, described: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log odds that candidates are particles.

        Parameters
        ----------
        described : numpy.ndarray of float64, shape (candidate, feature)
            What `features` returns.

        Returns
        -------
        numpy.ndarray of float64, shape (candidate,)
            Log odds [-].
        """
        total = np.full(len(described), self.baseline)
        rows = np.arange(len(described))
        for tree in self.trees:
            node = np.zeros(len(described), np.intp)
            # A tree has at most eight leaves, so seven decisions reach one.
            while not tree["leaf"][node].all():
                left = described[rows, tree["feature"][node]] <= tree["threshold"][node]
                node = np.where(tree["leaf"][node], node, np.where(left, tree["left"][node], tree["right"][node]))
            total += tree["value"][node]
        return total

    def segment(self, image: Any, *, min_area_px: int = 4, outline_level: float = OUTLINE_LEVEL, threads: int | None = None) -> AutoResult:
        """Segment an image as `auto` does, with this model's scores and cut.

        Parameters
        ----------
        image : array_like of real dtype, shape (y, x)
            Image.
        min_area_px : int
            Regions of fewer pixels are dropped.
        outline_level : float
            Where outlines lie, as in `auto` [-].
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        AutoResult
            Scores are log odds; `mirrored` is 0.
        """
        everything = candidates(image, threads=threads)
        odds = self.odds(features(everything))
        found = everything.take(everything.column("sign") > 0)
        rows = best(found, odds, np.ones(odds.size, np.bool_), self.cut)
        labels, left = regions(found.take(rows), outline_level, min_area_px, threads)
        rows = rows[left]
        return AutoResult(
            labels=labels,
            score=odds[rows],
            sigma_px=found.column("sigma_px")[rows],
            polarity=found.polarity,
            cut=self.cut,
            scale_range_px=(1.0, float(2.0 ** (max(found.last, 0) / PER_OCTAVE))),
            mirrored=0,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        trees = [{name: tree[name].tolist() for name in _NODE} for tree in self.trees]
        text = {"format": _FORMAT, "features": list(FEATURES), "baseline": self.baseline, "cut": self.cut, "trees": trees}
        Path(path).write_text(json.dumps(text), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Rescorer:
        """Read a model that `save` wrote.

        Parameters
        ----------
        path : path-like
            File to read.

        Returns
        -------
        Rescorer

        Raises
        ------
        UnreadableFileError
            Missing, not JSON, or of another kind or version.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnreadableFileError(f"{os.fspath(path)}: expected a saved Rescorer, found {error}") from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT or content.get("features") != list(FEATURES):
            raise UnreadableFileError(f"{os.fspath(path)}: expected {_FORMAT!r} with the features of this version, found another file")
        kinds = dict(zip(_NODE, (np.intp, np.float64, np.intp, np.intp, np.float64, np.bool_), strict=True))
        trees: list[dict[str, NDArray[Any]]] = [{name: np.asarray(tree[name], kinds[name]) for name in _NODE} for tree in content["trees"]]
        return cls(trees, float(content["baseline"]), float(content["cut"]))


#: What the model knows of a candidate: ratios, so that neither the brightness nor the magnification of an image matters.
FEATURES = (
    "scale_index",
    "log_sigma_of_image",
    "log_score",
    "log_score_over_cut",
    "log_sigma_over_typical",
    "log_local",
    "log_median",
    "log_mean",
    "log_contrast",
    "log_sharpness",
    "evenness",
    "descent_p10",
    "descent_median",
    "descent_std",
    "contrast_p10",
    "inside_std",
    "outside_std",
    "core_rise",
    "roughness",
    "elongation",
    "border",
    "log_found",
)


def features(found: Candidates) -> NDArray[np.float64]:
    """Describe the candidates of the particles' sign by `FEATURES`.

    Parameters
    ----------
    found : Candidates
        Candidates of both signs.

    Returns
    -------
    numpy.ndarray of float64, shape (candidate, feature)
        One row for each candidate of sign +1, in order.
    """
    score, sign = scores(found), found.column("sign")
    kept, mirror = (best(found, score, sign == side) for side in (1, -1))
    n, _ = cut(score[kept], score[mirror])
    kept = kept[: max(n, 1)]
    sigma_all = found.column("sigma_px")
    level = float(score[kept].min(initial=np.inf)) if kept.size else 1.0
    typical = float(np.median(sigma_all[kept])) if kept.size else 1.0
    ours = found.take(sign > 0)
    c = ours.column
    score = score[sign > 0]

    def log(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.log(np.maximum(x, 1e-6)))

    def part(x: str, of: str) -> NDArray[np.float64]:
        return np.asarray(np.clip(c(x) / np.maximum(np.abs(c(of)), 1e-12), -5, 5))

    height, width = found.image.shape
    border = np.minimum.reduce([c("y"), c("x"), height - 1 - c("y"), width - 1 - c("x")])
    columns = [
        c("scale_index"),
        log(c("sigma_px") / max(1, min(height, width))),
        log(score),
        log(score / level),
        log(c("sigma_px") / typical),
        log(c("response") / np.maximum(c("noise_local"), 1e-12)),
        log(c("response") / np.maximum(c("noise_median"), 1e-12)),
        log(c("response") / np.maximum(c("noise_mean"), 1e-12)),
        log(c("contrast") / np.maximum(c("noise_local"), 1e-12)),
        log(part("fine_descent", "contrast")),
        part("descent_p25", "descent_mean"),
        part("descent_p10", "descent_mean"),
        part("descent_median", "descent_mean"),
        part("descent_std", "descent_mean"),
        part("contrast_p10", "contrast"),
        part("inside_std", "contrast"),
        part("outside_std", "contrast"),
        part("core_rise", "contrast"),
        c("roughness"),
        c("elongation"),
        np.minimum(border / c("sigma_px"), 5.0),
        np.full(score.size, np.log(max(1, kept.size))),
    ]
    return np.stack(columns, 1) if score.size else np.zeros((0, len(FEATURES)))


def as_boxes(truth: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Boxes from boxes or from a label image.

    Parameters
    ----------
    truth : array_like
        Boxes, shape (particle, 4), columns y0, x0, y1, x1 [px]; or labels, int of shape (y, x).
    shape : tuple of int
        Shape of the image.

    Returns
    -------
    numpy.ndarray of float32, shape (particle, 4)

    Raises
    ------
    ShapeError
        Neither of both.
    """
    array = np.asarray(truth)
    if array.shape == tuple(shape) and array.dtype.kind in "biu":
        from scipy.ndimage import find_objects

        spans = [s for s in find_objects(array.astype(np.int32)) if s is not None]
        return np.array([[s[0].start, s[1].start, s[0].stop, s[1].stop] for s in spans], np.float32).reshape(-1, 4)
    if array.size == 0:
        return np.zeros((0, 4), np.float32)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ShapeError(f"truth: expected boxes of shape (particle, 4) or labels of shape {tuple(shape)}, found shape {array.shape}")
    if not (np.isfinite(array).all() and (array[:, 2:] > array[:, :2]).all()):
        raise InvalidValueError("truth: expected boxes y0, x0, y1, x1 with y1 > y0 and x1 > x0, found others")
    return array.astype(np.float32)


def _boost(
    described: list[NDArray[np.float64]], overlap: list[NDArray[np.float64]], boxes: list[NDArray[np.float32]], chosen: NDArray[np.intp]
) -> Rescorer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, weight = [], [], []
    for i in chosen:
        clear = (overlap[i] > PARTICLE_IOU) | (overlap[i] < OTHER_IOU)
        x.append(described[i][clear])
        y.append(overlap[i][clear] > PARTICLE_IOU)
        # Images with many particles count more, but not in proportion.
        weight.append(np.full(np.count_nonzero(clear), 1 / np.sqrt(max(1, len(boxes[i])))))
    target = np.concatenate(y) if y else np.zeros(0, np.bool_)
    if target.all() or not target.any():
        raise EmptyInputError(
            f"truth: expected candidates inside and outside marked particles, found {target.sum()} of {target.size} inside"
        )
    classifier = HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=0)
    classifier.fit(np.concatenate(x), target, sample_weight=np.concatenate(weight))
    trees = []
    for (predictor,) in classifier._predictors:
        nodes = predictor.nodes
        names = ("feature_idx", "num_threshold", "left", "right", "value", "is_leaf")
        kinds = (np.intp, np.float64, np.intp, np.intp, np.float64, np.bool_)
        trees.append({ours: nodes[theirs].astype(kind) for ours, theirs, kind in zip(_NODE, names, kinds, strict=True)})
    return Rescorer(trees, float(np.ravel(classifier._baseline_prediction)[0]))


def _best_cut(found: list[Candidates], odds: list[NDArray[np.float64]], boxes: list[NDArray[np.float32]]) -> float:
    """Log odds of the best F1 over all images, from scores of models that had not seen them."""
    hit, value = [], []
    for one, score, marks in zip(found, odds, boxes, strict=True):
        rows = best(one, score, np.ones(score.size, np.bool_), -np.inf)
        overlap = _iou(one.boxes()[rows], marks)
        free = np.ones(len(marks), np.bool_)
        for k, row in enumerate(rows):
            match = int((overlap[k] * free).argmax()) if free.any() else -1
            good = match >= 0 and bool(free[match]) and overlap[k, match] >= MATCH_IOU
            if good:
                free[match] = False
            hit.append(good)
            value.append(score[row])
    order = np.argsort(-np.asarray(value), kind="stable")
    right = np.cumsum(np.asarray(hit)[order])
    f1 = 2 * right / (np.arange(1, order.size + 1) + sum(len(b) for b in boxes))
    # `best` keeps what is above the cut.
    return float(np.nextafter(np.asarray(value)[order][int(f1.argmax())], -np.inf)) if order.size else 0.0


def _iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.maximum(high - low, 0).prod(2, dtype=np.float64)
    area = [(boxes[:, 2:] - boxes[:, :2]).prod(1, dtype=np.float64) for boxes in (a, b)]
    return np.asarray(common / np.maximum(area[0][:, None] + area[1][None] - common, 1e-12))
