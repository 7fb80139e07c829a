"""Outlines as COCO annotations.

References
----------
Lin et al., "Microsoft COCO: common objects in context", ECCV 2014; data format at https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import InvalidValueError, ShapeError


def write_coco(
    path: str | Path,
    outlines: Sequence[Any],
    frames: Any,
    images: Sequence[tuple[str, int, int]],
    *,
    areas_px: Any = None,
    scores: Any = None,
    category: str = "nanoparticle",
) -> None:
    """Write outlines as COCO instance annotations.

    Parameters
    ----------
    path : str or Path
        JSON file.
    outlines : sequence of array_like of float, shape (n, 2)
        One closed outline (y, x) [px] a particle; a pixel's centre lies at its index. COCO counts from a pixel's corner: 0.5 is added.
    frames : array_like of int, shape (particle,)
        Index into `images` of each particle.
    images : sequence of (str, int, int)
        File name, height and width of every frame.
    areas_px : array_like of float, shape (particle,), optional
        Areas [px²]; left out, the outline's own.
    scores : array_like of float, shape (particle,), optional
        Confidence of each particle; NaN is left out.
    category : str
        Name of the one category.

    Raises
    ------
    ShapeError
        An outline is not (n ≥ 3, 2), or the lengths differ.
    InvalidValueError
        A frame outside `images`.
    """
    numbers = np.asarray(frames, dtype=np.int64)
    if len(outlines) != numbers.size:
        raise ShapeError(f"frames: expected one a particle ({len(outlines)}), found {numbers.size}")
    if numbers.size and (numbers.min() < 0 or numbers.max() >= len(images)):
        raise InvalidValueError(f"frames: expected indices 0 … {len(images) - 1}, found {numbers.min()} … {numbers.max()}")
    annotations = []
    for i, (outline, frame) in enumerate(zip(outlines, numbers, strict=True)):
        points = as_outline(outline, i)[:, ::-1] + 0.5
        low, high = points.min(axis=0), points.max(axis=0)
        annotation: dict[str, Any] = {
            "id": i + 1,
            "image_id": int(frame) + 1,
            "category_id": 1,
            "iscrowd": 0,
            "segmentation": [[round(float(v), 3) for v in points.ravel()]],
            "bbox": [round(float(v), 3) for v in (*low, *(high - low))],
            "area": float(_area(points) if areas_px is None else areas_px[i]),
        }
        if scores is not None and np.isfinite(scores[i]):
            annotation["score"] = float(scores[i])
        annotations.append(annotation)
    document = {
        "info": {"description": "outlines of particles", "version": "1.0"},
        "images": [{"id": i + 1, "file_name": n, "height": int(h), "width": int(w)} for i, (n, h, w) in enumerate(images)],
        "categories": [{"id": 1, "name": category, "supercategory": "particle"}],
        "annotations": annotations,
    }
    Path(path).write_text(json.dumps(document), encoding="utf-8")


def as_outline(outline: Any, number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Outline as float64 (n, 2); refuses what is none."""
    points = np.asarray(outline, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or points.shape[0] < 3 or not np.isfinite(points).all():
        raise ShapeError(f"outlines[{number}]: expected finite (n >= 3, 2) points (y, x), found shape {points.shape}")
    return points


def _area(points: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Area of a polygon (shoelace formula)."""
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
