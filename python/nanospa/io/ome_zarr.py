"""Metadata of OME-Zarr 0.5 images and label images, and the axes of our stacks.

References
----------
NGFF 0.5, https://ngff.openmicroscopy.org/0.5: multiscales, labels, image-label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

VERSION = "0.5"
#: Path of the one array in an image group: with a second level in the same group plain xarray finds conflicting sizes.
ARRAY = "image"


def level_path(level: int, n_levels: int) -> str:
    """Path of the array of a level: in a group of its own where there are several."""
    return ARRAY if n_levels == 1 else f"scale{level}/{ARRAY}"


def multiscales(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str, n_levels: int = 1) -> dict[str, Any]:
    """Multiscales metadata.

    Parameters
    ----------
    dims : sequence of str
        Of "frame", "z", "y", "x".
    pixel_size_nm : (float, float) or None
        Size along y and x [nm]; without it the axes have no unit and the scale is 1.
    name : str
        Name of the image.
    n_levels : int
        Levels of the pyramid, each half the size of the one before.
    """
    axes: list[dict[str, str]] = []
    scale = []
    for dim in dims:
        if dim == "frame":
            axes.append({"name": dim, "type": "custom"})
            scale.append(1.0)
            continue
        axis = {"name": dim, "type": "space"}
        if pixel_size_nm is not None:
            axis["unit"] = "nanometer"
        axes.append(axis)
        scale.append(1.0 if pixel_size_nm is None else pixel_size_nm[dim == "x"])
    datasets = []
    for level in range(n_levels):
        step = [1 if dim == "frame" else 2**level for dim in dims]
        transformations: list[dict[str, Any]] = [{"type": "scale", "scale": [s * n for s, n in zip(scale, step, strict=True)]}]
        if level:
            # The first pixel of a level is the middle of the pixels it stands for.
            shift = [s * (n - 1) / 2 for s, n in zip(scale, step, strict=True)]
            transformations.append({"type": "translation", "translation": shift})
        datasets.append({"path": level_path(level, n_levels), "coordinateTransformations": transformations})
    return {"name": name, "axes": axes, "datasets": datasets}


def image_attributes(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str, n_levels: int = 1) -> dict[str, Any]:
    """Attributes of an image group."""
    return {"ome": {"version": VERSION, "multiscales": [multiscales(dims, pixel_size_nm, name=name, n_levels=n_levels)]}}


def label_attributes(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str, n_levels: int = 1) -> dict[str, Any]:
    """Attributes of a label image group at ``labels/<name>`` of its image."""
    attributes = image_attributes(dims, pixel_size_nm, name=name, n_levels=n_levels)
    attributes["ome"]["image-label"] = {"source": {"image": "../../"}}
    return attributes


def labels_attributes(names: Sequence[str]) -> dict[str, Any]:
    """Attributes of the ``labels`` group that lists its label images."""
    return {"ome": {"version": VERSION, "labels": list(names)}}
