"""TIFF files: ImageJ's and OME's calibration, stacks, colours as luminance.

References
----------
OME data model 2016-06, ``Pixels.PhysicalSizeX``. ImageJ's TiffEncoder: pixels per unit in XResolution, the unit in the description.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from nanospa.errors import ShapeError, UnreadableFileError
from nanospa.io.image_file import Description, ImageFile, PixelSize, grey
from nanospa.io.units import pair_nm, to_nm

#: Above this a resolution in inches or centimetres is one for printing (2,540 dots per inch) and says nothing of the specimen.
PRINT_PIXEL_NM = 1e4


class _Complaints(logging.Handler):
    """Collects what tifffile only logs: pages that are missing or damaged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import tifffile

    complaints, logger = _Complaints(), logging.getLogger("tifffile")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(complaints)
    try:
        with tifffile.TiffFile(path) as tif:
            yield tif
    finally:
        logger.removeHandler(complaints)
        logger.propagate = propagate
    if complaints.messages:
        raise UnreadableFileError(f"{path}: damaged TIFF: {complaints.messages[0]}")


def _layout(path: Path, tif: Any) -> tuple[Any, tuple[str, ...], tuple[int, ...], bool]:
    """Series, our dimensions, our shape, and whether there is a colour axis."""
    if not tif.series:
        raise UnreadableFileError(f"{path}: expected an image in the TIFF, found none")
    series = tif.series[0]
    axes = [(name, n) for name, n in zip(series.axes, series.shape, strict=True) if name in "YXS" or n > 1]
    coloured = any(name == "S" for name, _ in axes)
    leading = [(name, n) for name, n in axes if name not in "YXS"]
    if len(leading) > 1 or [name for name, _ in axes if name in "YX"] != ["Y", "X"]:
        raise ShapeError(f"{path}: expected one image, a stack or a volume, found TIFF axes {series.axes} of shape {series.shape}")
    planes = tuple(n for name, n in axes if name in "YX")
    if not leading:
        return series, ("y", "x"), planes, coloured
    # ImageJ calls the images of any stack slices (Z); only elsewhere does Z mean depth.
    first = "z" if leading[0][0] == "Z" and not tif.is_imagej else "frame"
    declared = (tif.imagej_metadata or {}).get("images") if tif.is_imagej else None
    if declared is not None and leading[0][1] < int(declared):
        raise UnreadableFileError(f"{path}: expected {declared} images as ImageJ's description says, found {leading[0][1]}")
    return series, (first, "y", "x"), (leading[0][1], *planes), coloured


def _pixel_size(tif: Any) -> PixelSize:
    if tif.is_ome and (size := _ome_pixel_size(tif.ome_metadata)):
        return size
    page = tif.pages[0]
    per_unit = {name: _ratio(page.tags[tag].value) for name, tag in (("y", "YResolution"), ("x", "XResolution")) if tag in page.tags}
    if len(per_unit) < 2 or min(per_unit.values()) <= 0:
        return None
    if tif.is_imagej:
        unit = (tif.imagej_metadata or {}).get("unit", "")
        return pair_nm(to_nm(1 / per_unit["y"], unit), to_nm(1 / per_unit["x"], unit))
    unit = {2: "inch", 3: "cm"}.get(int(page.tags["ResolutionUnit"].value) if "ResolutionUnit" in page.tags else 2, "")
    size = pair_nm(to_nm(1 / per_unit["y"], unit), to_nm(1 / per_unit["x"], unit))
    return size if size is not None and max(size) < PRINT_PIXEL_NM else None


def _ratio(value: Any) -> float:
    numerator, denominator = value
    return float(numerator) / float(denominator) if denominator else 0.0


def _ome_pixel_size(xml: str) -> PixelSize:
    for element in ElementTree.fromstring(xml).iter():
        if element.tag.rpartition("}")[2] == "Pixels":
            sizes = [
                to_nm(float(element.get(f"PhysicalSize{axis}", 0)), element.get(f"PhysicalSize{axis}Unit", "\u00b5m")) for axis in "YX"
            ]
            return pair_nm(*sizes)
    return None


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Pixels and calibration of a file or of one frame of a stack."""
    with _opened(path) as tif:
        series, dims, shape, coloured = _layout(path, tif)
        # A contiguous series is one page for tifffile: there its frame is cut from the whole.
        if frame is not None and dims[0] == "frame" and not coloured and len(series.pages) == shape[0]:
            data, shape, dims = series.asarray(key=frame), shape[1:], dims[1:]
        else:
            data = series.asarray()
        size = _pixel_size(tif)
    if coloured:
        names = [name for name, n in zip(series.axes, series.shape, strict=True) if name in "YXS" or n > 1]
        data = np.moveaxis(
            data.reshape([n for name, n in zip(series.axes, series.shape, strict=True) if name in names]), names.index("S"), -1
        )
        data = grey(data)
    return ImageFile(np.ascontiguousarray(data.reshape(shape)), dims, size).only(frame)


def describe(path: Path) -> Description:
    """Shape, dtype and calibration from the tags."""
    with _opened(path) as tif:
        series, dims, shape, _ = _layout(path, tif)
        return Description(shape, np.dtype(series.dtype), dims, _pixel_size(tif))


def write(path: Path, image: ImageFile) -> None:
    """Write ImageJ's TIFF, or OME-TIFF where the name ends in .ome.tif or ImageJ does not know the dtype or the axes."""
    import tifffile

    data, size = image.data, image.pixel_size_nm
    ome = path.name.lower().endswith((".ome.tif", ".ome.tiff"))
    if not ome and data.dtype.name in ("uint8", "uint16", "float32") and image.dims[0] != "z":
        metadata: dict[str, Any] = {"axes": "ZYX"[-data.ndim :]}
        if size is not None:
            metadata["unit"] = "nm"
        resolution = None if size is None else (1 / size[1], 1 / size[0])
        tifffile.imwrite(path, data, imagej=True, resolution=resolution, metadata=metadata, photometric="minisblack")
        return
    metadata = {"axes": {"y": "YX", "frame": "TYX", "z": "ZYX"}[image.dims[0]]}
    if size is not None:
        for axis, value in zip("YX", size, strict=True):
            metadata[f"PhysicalSize{axis}"], metadata[f"PhysicalSize{axis}Unit"] = value, "nm"
    tifffile.imwrite(path, data, ome=True, metadata=metadata, photometric="minisblack")
