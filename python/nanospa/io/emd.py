"""HDF5 files: NCEM's EMD layout, Velox EMD through RosettaSciIO, and plain files with one image dataset.

References
----------
EMD 0.2, https://emdatasets.com/format: groups with ``emd_group_type`` = 1 hold ``data`` and one ``dim`` vector an axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import UnreadableFileError
from nanospa.io.image_file import Description, ImageFile, PixelSize
from nanospa.io.units import pair_nm, to_nm

#: Where Velox keeps its images.
_VELOX = "Data/Image"


def _datasets(group: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Image-like datasets below a group; external and soft links are not followed, so a file cannot lead elsewhere."""
    import h5py

    if depth > 16:
        return
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        child = group[name]
        if isinstance(child, h5py.Group):
            yield from _datasets(child, depth + 1)
        elif child.ndim in (2, 3) and child.dtype.kind in "buif":
            yield child.name, child


def _image(path: Path, file: Any) -> Any:
    found = dict(_datasets(file))
    emd = [d for d in found.values() if d.parent.attrs.get("emd_group_type") == 1 and d.name.rsplit("/", 1)[-1] == "data"]
    if emd:
        return emd[0]
    if len(found) == 1:
        return next(iter(found.values()))
    raise UnreadableFileError(
        f"{path}: expected an EMD group or exactly one image dataset (2D or 3D, real), found {len(found)}: {sorted(found)[:5]}"
    )


def _calibration(dataset: Any) -> tuple[PixelSize, tuple[str, ...]]:
    group, first = dataset.parent, "frame"
    sizes: list[float | None] = []
    for i in range(dataset.ndim):
        vector = group.get(f"dim{i + 1}")
        if vector is None or vector.ndim != 1:
            sizes.append(None)
            continue
        name = _text(vector.attrs.get("name", ""))
        if i == 0 and dataset.ndim == 3 and name.lower() == "z":
            first = "z"
        step = float(vector[1] - vector[0]) if vector.shape[0] > 1 else float("nan")
        sizes.append(to_nm(step, _text(vector.attrs.get("units", ""))))
    dims = ("y", "x") if dataset.ndim == 2 else (first, "y", "x")
    return pair_nm(sizes[-2], sizes[-1]), dims


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_velox(path: Path) -> bool:
    import h5py

    with h5py.File(path, "r") as file:
        return _VELOX in file


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Pixels and calibration of a file or of one frame of a stack."""
    import h5py

    if _is_velox(path):
        return _velox().read(path, frame)  # type: ignore[no-any-return]
    with h5py.File(path, "r") as file:
        dataset = _image(path, file)
        size, dims = _calibration(dataset)
        if frame is not None and dims[0] == "frame":
            return ImageFile(np.asarray(dataset[frame]), dims[1:], size)
        return ImageFile(np.asarray(dataset[...]), dims, size)


def describe(path: Path) -> Description:
    """Shape, dtype and calibration from the dataset's header."""
    import h5py

    if _is_velox(path):
        return _velox().read(path).description  # type: ignore[no-any-return]
    with h5py.File(path, "r") as file:
        dataset = _image(path, file)
        size, dims = _calibration(dataset)
        return Description(dataset.shape, dataset.dtype, dims, size)


def _velox() -> Any:
    from nanospa.io.formats import Format

    return Format("Velox EMD", (".emd",), "nanospa.io.rosettasciio", extra="em", requires="rsciio").load()


def write(path: Path, image: ImageFile) -> None:
    """Write NCEM's EMD."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 2
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", data=image.data, compression="gzip", compression_opts=1, shuffle=True)
        for i, (name, n) in enumerate(zip(image.dims, image.data.shape, strict=True)):
            calibrated = name != "frame" and image.pixel_size_nm is not None
            step = dict(zip("zyx", (image.pixel_size_nm or (1, 1))[:1] + (image.pixel_size_nm or (1, 1)), strict=True)).get(name, 1)
            vector = group.create_dataset(f"dim{i + 1}", data=np.arange(max(n, 2)) * (step if calibrated else 1.0))
            vector.attrs["name"], vector.attrs["units"] = name, "[n_m]" if calibrated else "[px]"
