"""Outlines as ImageJ ROIs: sub-pixel polygons in a .roi file or a .zip for the ROI Manager.

References
----------
The layout of .roi files as documented at the head of ImageJ's public-domain ``RoiDecoder``: 64-byte header, coordinates, 64-byte
second header, all big-endian.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import InvalidValueError, ShapeError, UnknownFormatError
from nanospa.io.coco import as_outline

_VERSION = 227
_POLYGON = 0
_SUB_PIXEL = 128
_HEADER_BYTES = 64
#: Coordinates of the header are 16 bit.
_MAX_PX = 32767
_MAX_POINTS = 65535


def write_imagej_rois(path: str | Path, outlines: Sequence[Any], names: Sequence[str], *, positions: Any = None) -> None:
    """Write outlines for ImageJ's ROI Manager.

    Parameters
    ----------
    path : str or Path
        ``.zip`` for any number of outlines, ``.roi`` for one.
    outlines : sequence of array_like of float, shape (n, 2)
        One closed outline (y, x) [px] a particle; a pixel's centre lies at its index. ImageJ counts from a pixel's corner: 0.5 is added.
    names : sequence of str
        Name of each.
    positions : array_like of int, shape (particle,), optional
        Slice of a stack each belongs to, from 1; 0 for all.

    Raises
    ------
    ShapeError
        An outline is not (n ≥ 3, 2), or the lengths differ.
    InvalidValueError
        An outline beyond 32,767 px or with more than 65,535 points: the format ends there.
    UnknownFormatError
        Neither ``.zip`` nor ``.roi``.
    """
    path = Path(path)
    if len(names) != len(outlines) or (positions is not None and len(positions) != len(outlines)):
        raise ShapeError(f"names, positions: expected one an outline ({len(outlines)}), found {len(names)}")
    encoded = [
        encode_roi(as_outline(outline, i), name, 0 if positions is None else int(positions[i]))
        for i, (outline, name) in enumerate(zip(outlines, names, strict=True))
    ]
    if path.suffix.lower() == ".roi" and len(encoded) == 1:
        path.write_bytes(encoded[0])
    elif path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (name, data) in enumerate(zip(names, encoded, strict=True)):
                # A fixed date: the same outlines make the same file.
                archive.writestr(zipfile.ZipInfo(f"{number + 1:06d}-{_safe(name)}.roi"), data, zipfile.ZIP_DEFLATED)
    else:
        raise UnknownFormatError(f"{path}: expected .zip, or .roi for a single outline, found {path.suffix!r} and {len(encoded)} outlines")


def encode_roi(outline: np.ndarray[Any, np.dtype[np.float64]], name: str, position: int = 0) -> bytes:
    """One ROI as bytes; `outline` is (n, 2) of (y, x) about pixel centres."""
    points = outline + 0.5
    if points[0].tolist() == points[-1].tolist():
        points = points[:-1]
    if points.min() < 0 or points.max() > _MAX_PX or len(points) > _MAX_POINTS:
        raise InvalidValueError(f"outlines: {name!r} lies beyond what an ImageJ ROI holds (0 … {_MAX_PX} px, {_MAX_POINTS} points)")
    low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int)
    header = bytearray(_HEADER_BYTES)
    header[:4] = b"Iout"
    struct.pack_into(">hBx4hH", header, 4, _VERSION, _POLYGON, low[0], low[1], high[0], high[1], len(points))
    struct.pack_into(">h", header, 50, _SUB_PIXEL)
    struct.pack_into(">i", header, 56, position)
    integers = np.rint(points - low).astype(">i2")
    body: bytes = (
        integers[:, 1].tobytes() + integers[:, 0].tobytes() + points[:, 1].astype(">f4").tobytes() + points[:, 0].astype(">f4").tobytes()
    )
    at = _HEADER_BYTES + len(body)
    struct.pack_into(">i", header, 60, at)
    second = bytearray(_HEADER_BYTES)
    struct.pack_into(">2i", second, 16, at + _HEADER_BYTES, len(name.encode("utf-16-be")) // 2)
    return bytes(header) + body + bytes(second) + name.encode("utf-16-be")


def _safe(name: str) -> str:
    """Name of an archive member: no path can hide in it."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).lstrip(".") or "roi"
