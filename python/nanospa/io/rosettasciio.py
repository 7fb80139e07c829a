"""Microscopes' own formats through RosettaSciIO (the ``em`` extra): DM3/DM4, SER, Velox EMD, HSPY."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import UnreadableFileError
from nanospa.io.image_file import ImageFile
from nanospa.io.units import pair_nm, to_nm

#: Extension to RosettaSciIO's reader.
_READERS = {".dm3": "digitalmicrograph", ".dm4": "digitalmicrograph", ".ser": "tia", ".emd": "emd", ".hspy": "hspy"}


def read(path: Path, frame: int | None = None) -> ImageFile:
    """First image or image stack of a file; spectra and other signals are passed over."""
    import h5py

    suffix = path.suffix.lower()
    if suffix in (".hspy", ".emd") and not h5py.is_hdf5(path):
        raise UnreadableFileError(f"{path}: expected an HDF5 file, found something else or a truncated one")
    reader = importlib.import_module(f"rsciio.{_READERS[suffix]}")
    signals = reader.file_reader(str(path), lazy=False)
    for signal in signals:
        if (image := _as_image(signal)) is not None:
            return image.only(frame)
    kinds = [f"{np.asarray(s['data']).shape} {np.asarray(s['data']).dtype}" for s in signals]
    raise UnreadableFileError(f"{path}: expected an image or a stack of images, found signals {kinds}")


def _as_image(signal: dict[str, Any]) -> ImageFile | None:
    data = np.asarray(signal["data"])
    axes = sorted(signal.get("axes", []), key=lambda a: a.get("index_in_array", 0))
    if data.ndim not in (2, 3) or data.dtype.kind not in "buif" or len(axes) != data.ndim:
        return None
    metadata = signal.get("metadata", {})
    spectral = "EDS" in str(metadata.get("Signal", {}).get("signal_type", "")) or any(_is_energy(axis) for axis in axes)
    if spectral:
        return None
    y, x = (to_nm(abs(float(axis.get("scale", 1.0))), axis.get("units") or "") for axis in axes[-2:])
    dims = ("y", "x") if data.ndim == 2 else ("frame", "y", "x")
    general = metadata.get("General", {})
    kept = {key: general[key] for key in ("title", "date", "time") if key in general}
    return ImageFile(data, dims, pair_nm(y, x), kept)


def _is_energy(axis: dict[str, Any]) -> bool:
    return "ev" in str(axis.get("units") or "").lower() or "energy" in str(axis.get("name") or "").lower()
