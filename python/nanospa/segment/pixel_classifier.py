"""Trainable pixel segmentation: a random forest on filtered copies of the image, taught by a few scribbles."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import EmptyInputError, InvalidValueError, ShapeError, UnreadableFileError
from nanospa.schema import as_image

#: Scales of the filters [px].
SIGMAS_PX = (1.0, 2.0, 4.0, 8.0)
#: Forest: enough trees for smooth probabilities.
N_TREES = 50
MIN_LEAF = 5
#: Labelled pixels drawn for training, at most; scribbles are strongly correlated.
MAX_SAMPLES = 50_000
#: Pixels classified at once.
BLOCK_PIXELS = 1 << 20
_FORMAT = "nanospa pixel classifier 1"
_ARRAYS = ("feature", "threshold", "left", "right", "probability", "roots", "classes", "sigmas_px")


@dataclass
class PixelClassifier:
    """Tells particle pixels from the rest as scribbles teach; holds plain arrays, no pickles.

    Parameters
    ----------
    arrays : dict of numpy.ndarray
        The nodes of all trees (feature, threshold, left, right, probability of shape (node, class)), the first node of each tree (roots),
        the classes and the scales of the filters.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.random.default_rng(0).normal(10, 1, (40, 40))
    >>> image[10:20, 10:20] += 20
    >>> scribbles = np.zeros((40, 40), np.uint8)
    >>> scribbles[12:18, 12:18], scribbles[30:, :] = 2, 1
    >>> classifier = ns.segment.PixelClassifier.fit(image, scribbles)
    >>> bool(classifier.predict(image)[15, 15]), bool(classifier.predict(image)[35, 5])
    (True, False)
    """

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, image: Any, scribbles: Any, *, sigmas_px: tuple[float, ...] = SIGMAS_PX, seed: int = 0, threads: int | None = None
    ) -> PixelClassifier:
        """Learn from one image with a few labelled pixels.

        Parameters
        ----------
        image : array_like of real dtype, shape (y, x)
            Image.
        scribbles : array_like of int, shape (y, x)
            0 where nothing is said, 1 background, 2 particle; further classes are neither.
        sigmas_px : tuple of float
            Scales of the filters [px].
        seed : int
            Seed of the random forest.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        PixelClassifier

        Raises
        ------
        ShapeError
            `scribbles` has another shape than `image`.
        EmptyInputError
            Background or particle is not marked.
        InvalidValueError
            A scale is not a positive number.
        """
        from sklearn.ensemble import RandomForestClassifier

        array = as_image(image)
        marks = np.asarray(scribbles)
        if marks.shape != array.shape:
            raise ShapeError(f"scribbles: expected shape {array.shape}, found {marks.shape}")
        if marks.dtype.kind not in "biu" or (marks.size and int(marks.min()) < 0):
            raise InvalidValueError(f"scribbles: expected integers >= 0, found {marks.dtype} from {marks.min() if marks.size else 0}")
        if not sigmas_px or not all(np.isfinite(s) and s > 0 for s in sigmas_px):
            raise InvalidValueError(f"sigmas_px: expected positive numbers, found {sigmas_px!r}")
        for value, name in ((1, "background"), (2, "particle")):
            if not (marks == value).any():
                raise EmptyInputError(f"scribbles: expected pixels marked {value} ({name}), found none")
        at = np.flatnonzero(marks)
        if at.size > MAX_SAMPLES:
            at = np.sort(np.random.default_rng(seed).choice(at, MAX_SAMPLES, replace=False))
        n_threads = _threads.resolve(threads)
        filtered = pixel_features(array, sigmas_px, threads=n_threads)
        forest = RandomForestClassifier(N_TREES, min_samples_leaf=MIN_LEAF, class_weight="balanced", random_state=seed, n_jobs=n_threads)
        forest.fit(filtered.reshape(len(filtered), -1)[:, at].T, marks.ravel()[at])
        nodes: dict[str, list[NDArray[Any]]] = {name: [] for name in _ARRAYS[:5]}
        roots = []
        start = 0
        for estimator in forest.estimators_:
            tree = estimator.tree_
            roots.append(start)
            leaf = tree.children_left < 0
            own = np.arange(tree.node_count)
            nodes["feature"].append(np.where(leaf, 0, tree.feature).astype(np.int32))
            # Leaves point at themselves, so that every pixel can take the same number of steps.
            nodes["threshold"].append(np.where(leaf, np.inf, tree.threshold).astype(np.float32))
            nodes["left"].append((np.where(leaf, own, tree.children_left) + start).astype(np.int32))
            nodes["right"].append((np.where(leaf, own, tree.children_right) + start).astype(np.int32))
            share = tree.value[:, 0]
            nodes["probability"].append((share / share.sum(1, keepdims=True)).astype(np.float32))
            start += tree.node_count
        arrays = {name: np.concatenate(parts) for name, parts in nodes.items()}
        arrays["roots"] = np.array(roots, np.int32)
        arrays["classes"] = forest.classes_.astype(np.int32)
        arrays["sigmas_px"] = np.array(sigmas_px, np.float64)
        return cls(arrays)

    def probabilities(self, image: Any, *, threads: int | None = None) -> NDArray[np.float32]:
        """Probability of each class at each pixel.

        Parameters
        ----------
        image : array_like of real dtype, shape (y, x)
            Image of the same kind as the one learnt from.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of float32, shape (class, y, x)
            In the order of ``arrays["classes"]``: background, particle, others.
        """
        array = as_image(image)
        a = self.arrays
        filtered = pixel_features(array, tuple(a["sigmas_px"]), threads=_threads.resolve(threads))
        flat = filtered.reshape(len(filtered), -1)
        out = np.zeros((len(a["classes"]), array.size), np.float32)
        for first in range(0, array.size, BLOCK_PIXELS):
            block = slice(first, min(first + BLOCK_PIXELS, array.size))
            for root in a["roots"]:
                out[:, block] += a["probability"][self._leaves(flat[:, block], int(root))].T
        return (out / np.float32(max(1, len(a["roots"])))).reshape(-1, *array.shape)

    def _leaves(self, values: NDArray[np.float32], root: int) -> NDArray[np.int32]:
        a = self.arrays
        node = np.full(values.shape[1], root, np.int32)
        moving = np.arange(values.shape[1])
        while moving.size:
            here = node[moving]
            left = values[a["feature"][here], moving] <= a["threshold"][here]
            following = np.where(left, a["left"][here], a["right"][here])
            node[moving] = following
            moving = moving[following != here]
        return node

    def predict(self, image: Any, *, threads: int | None = None) -> NDArray[np.bool_]:
        """Mask of the pixels that are most probably particle.

        Parameters
        ----------
        image : array_like of real dtype, shape (y, x)
            Image.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of bool, shape (y, x)
        """
        probable = self.probabilities(image, threads=threads)
        return np.asarray(self.arrays["classes"][probable.argmax(0)] == 2)

    # The name that `segment` asks for.
    mask = predict

    def segment(self, image: Any, *, threads: int | None = None, **settings: Any) -> NDArray[np.int32]:
        """Label image: the predicted mask, split and selected as by ``nanospa.segment.segment(method="threshold")``.

        Parameters
        ----------
        image : array_like of real dtype, shape (y, x)
            Image.
        threads : int, optional
            Threads to use; see `nanospa.threads`.
        **settings
            Fields of `SegmentSettings` that follow the mask (watershed, erosion_radius_px, seed_separation_px, min_area_px, clear_border).

        Returns
        -------
        numpy.ndarray of int32, shape (y, x)
            Labels, 0 = background.
        """
        from nanospa.segment.segment import segment

        labels: NDArray[np.int32] = segment(image, method="trained", classifier=self, threads=threads, **settings)
        return labels

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier as an .npz file of plain arrays.

        Parameters
        ----------
        path : path-like
            File to write.
        """
        with Path(path).open("wb") as file:
            np.savez_compressed(file, format=np.array(_FORMAT), **self.arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PixelClassifier:
        """Read a classifier that `save` wrote.

        Parameters
        ----------
        path : path-like
            File to read.

        Returns
        -------
        PixelClassifier

        Raises
        ------
        UnreadableFileError
            Missing, damaged, or of another kind or version.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if str(file["format"]) != _FORMAT:
                    raise ValueError(f"format {file['format']}")
                return cls({name: file[name] for name in _ARRAYS})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise UnreadableFileError(f"{os.fspath(path)}: expected a saved PixelClassifier, found {error}") from error


def pixel_features(image: NDArray[Any], sigmas_px: tuple[float, ...], *, threads: int) -> NDArray[np.float32]:
    """Filtered copies of an image, normalised by its median and spread so that exposure does not matter.

    Parameters
    ----------
    image : numpy.ndarray of real dtype, shape (y, x)
        Image.
    sigmas_px : tuple of float
        Scales [px].
    threads : int
        Threads to use.

    Returns
    -------
    numpy.ndarray of float32, shape (feature, y, x)
        The image; and for each scale the smoothed image, its slope, the eigenvalues of its Hessian, and the local standard deviation.
    """
    if not image.size:
        return np.zeros((1 + 5 * len(sigmas_px), *image.shape), np.float32)
    middle, low, high = (float(v) for v in np.percentile(image, (50, 2, 98)))
    spread = high - low or float(np.ptp(image)) or 1.0
    normal = ((image - middle) / spread).astype(np.float32)
    out = [normal]
    for sigma in sigmas_px:
        smooth = _core.gaussian(normal, float(sigma), threads)
        if min(smooth.shape) > 1:
            dy, dx = np.gradient(smooth)
            dyy, dyx = np.gradient(dy)
            dxx = np.gradient(dx, axis=1)
        else:
            dy = dx = dyy = dyx = dxx = np.zeros_like(smooth)
        mean, half = (dyy + dxx) / 2, np.hypot((dyy - dxx) / 2, dyx)
        variance = _core.gaussian(normal * normal, float(sigma), threads) - smooth * smooth
        # Derivatives in units of the scale.
        out += [smooth, sigma * np.hypot(dy, dx), sigma**2 * (mean + half), sigma**2 * (mean - half), np.sqrt(np.maximum(variance, 0))]
    return np.stack(out).astype(np.float32)
