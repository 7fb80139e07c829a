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


def multiscales(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str, path: str = ARRAY) -> dict[str, Any]:
    """Multiscales metadata of a single level.

    Parameters
    ----------
    dims : sequence of str
        Of "frame", "z", "y", "x".
    pixel_size_nm : (float, float) or None
        Size along y and x [nm]; without it the axes have no unit and the scale is 1.
    name : str
        Name of the image.
    path : str
        Path of the array.
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
    dataset = {"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    return {"name": name, "axes": axes, "datasets": [dataset]}


def image_attributes(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str) -> dict[str, Any]:
    """Attributes of an image group."""
    return {"ome": {"version": VERSION, "multiscales": [multiscales(dims, pixel_size_nm, name=name)]}}


def label_attributes(dims: Sequence[str], pixel_size_nm: tuple[float, float] | None, *, name: str) -> dict[str, Any]:
    """Attributes of a label image group at ``labels/<name>`` of its image."""
    attributes = image_attributes(dims, pixel_size_nm, name=name)
    attributes["ome"]["image-label"] = {"source": {"image": "../../"}}
    return attributes


def labels_attributes(names: Sequence[str]) -> dict[str, Any]:
    """Attributes of the ``labels`` group that lists its label images."""
    return {"ome": {"version": VERSION, "labels": list(names)}}
