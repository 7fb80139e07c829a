"""What a survey shows: its objects, and which tiles or particles of it are worth an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.plan import Plan
from nanospa.acquire.tiles import survey_tiles
from nanospa.errors import ShapeError

#: Least part of an object that makes another tile worth an image (autoSTEM's least object) [px].
LEAST_PART_PX = 10


def objects_of(labels: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Labels of the objects, from labels or a mask.

    Parameters
    ----------
    labels : array_like of integer or bool, shape (y, x)
        What a test of presence gave.
    shape : (int, int)
        Shape of the survey.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
    """
    from scipy import ndimage

    labels = np.asarray(labels)
    if labels.shape != shape:
        raise ShapeError(f"find_particles: expected labels or a mask of shape {shape}, found {labels.shape}")
    if labels.dtype == bool:
        labels = ndimage.label(labels, structure=np.ones((3, 3)))[0]
    return labels.astype(np.int32, copy=False)


def tiles_found(labels: NDArray[np.int32], plan: Plan) -> list[dict[str, Any]]:
    """The tiles of a survey, and whether each is worth an image.

    An object belongs to the tile that its centre lies in. A tile that none belongs to is taken all the same where it shows a part of one
    that its own tile's image would cut.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (y, x)
        Objects of the survey.
    plan : Plan
        Plan.

    Returns
    -------
    list of dict
        tile, row, column, n_found, selected, reason, y_nm and x_nm of the largest object from the survey's centre.
    """
    from scipy import ndimage

    shape = np.array(labels.shape)
    pixel_nm = plan.survey_field_nm / shape
    n = plan.tiles
    boxes = ndimage.find_objects(labels)
    owned: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    cut: set[tuple[int, int]] = set()
    tiles = {(tile.row, tile.column): tile for tile in survey_tiles(n, plan.tile_padding)}
    for number, box in enumerate(boxes, start=1):
        if box is None:
            continue
        rows, columns = np.nonzero(labels[box] == number)
        rows, columns = rows + box[0].start, columns + box[1].start
        centre = (float(rows.mean()) + 0.5, float(columns.mean()) + 0.5)
        home = tuple(min(int(c * n / s), n - 1) for c, s in zip(centre, shape, strict=True))
        owned.setdefault(home, []).append((rows.size, *centre))  # type: ignore[arg-type]
        region = tiles[home].region  # type: ignore[index]
        low = np.array([region.y, region.x]) * shape
        high = low + np.array([region.height, region.width]) * shape
        if rows.min() < low[0] or columns.min() < low[1] or rows.max() + 1 > high[0] or columns.max() + 1 > high[1]:
            parts, sizes = np.unique(np.stack([rows * n // shape[0], columns * n // shape[1]]), axis=1, return_counts=True)
            cut |= {(int(y), int(x)) for (y, x), size in zip(parts.T, sizes, strict=True) if size >= LEAST_PART_PX}
    found = []
    for tile in tiles.values():
        own = owned.get((tile.row, tile.column), [])
        largest = max(own, default=(0, (tile.core.y + tile.core.height / 2) * shape[0], (tile.core.x + tile.core.width / 2) * shape[1]))
        part = (tile.row, tile.column) in cut
        found.append(
            {
                "tile": tile.index,
                "row": tile.row,
                "column": tile.column,
                "n_found": len(own),
                "selected": bool(own or part),
                "reason": "particles" if own else "part of a particle" if part else "empty",
                "y_nm": (largest[1] - shape[0] / 2) * pixel_nm[0],
                "x_nm": (largest[2] - shape[1] / 2) * pixel_nm[1],
            }
        )
    return found


def particles_found(labels: NDArray[np.int32], plan: Plan) -> list[dict[str, Any]]:
    """The particles of a survey, and whether each is worth an image.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (y, x)
        Objects of the survey.
    plan : Plan
        Plan.

    Returns
    -------
    list of dict
        particle, y_nm, x_nm from the survey's centre, size_nm (diameter of the same area), selected, reason.
    """
    from scipy import ndimage

    shape = np.array(labels.shape)
    pixel_nm = plan.survey_field_nm / shape
    found: list[dict[str, Any]] = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        rows, columns = np.nonzero(labels[box] == number)
        centre = np.array([rows.mean() + box[0].start + 0.5, columns.mean() + box[1].start + 0.5])
        border = any(b.start == 0 or b.stop == s for b, s in zip(box, shape, strict=True))
        size = np.sqrt(4 / np.pi * rows.size * pixel_nm[0] * pixel_nm[1])
        large = size > plan.particle_field_nm
        found.append(
            {
                "particle": len(found),
                "y_nm": (centre[0] - shape[0] / 2) * pixel_nm[0],
                "x_nm": (centre[1] - shape[1] / 2) * pixel_nm[1],
                "size_nm": size,
                "selected": not (border or large),
                "reason": "cut by the survey's border" if border else "larger than the image" if large else "particle",
            }
        )
    return found
