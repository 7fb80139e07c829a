"""Fixtures of the pipeline tests: small simulated frames, as settings and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanospa import io, simulate

SEGMENT = {
    "method": "threshold",
    "polarity": "bright",
    "background": "none",
    "gaussian_sigma_px": 1.0,
    "threshold": "otsu",
    "watershed": False,
    "min_area_px": 50,
}
SIMULATE = {"n_frames": 4, "shape": (192, 192), "n_particles": 4, "pixel_size_nm": 0.4, "touching": 0.0}
CLUSTER = {"method": "kmeans", "options": {"n_clusters": 2}, "include_border": True}


@pytest.fixture
def settings():
    """Settings of a small simulated run."""
    return {"simulate": SIMULATE, "segment": SEGMENT, "cluster": CLUSTER}


@pytest.fixture(scope="session")
def frames():
    """Simulated frames."""
    return list(simulate.frames(settings=simulate.SimulateSettings(**SIMULATE)))


@pytest.fixture
def folder(tmp_path, frames):
    """Folder of image files, two frames of them in one stack."""
    images = tmp_path / "images"
    images.mkdir()
    io.write(frames[0].image, images / "frame2.tif", pixel_size_nm=0.4)
    io.write(frames[1].image, images / "frame10.tif", pixel_size_nm=0.4)
    io.write(np.stack([frames[2].image, frames[3].image]), images / "stack.mrc", pixel_size_nm=0.4)
    return images


def snapshot(store):
    """Every file of a store but the attributes of its root, which hold the times a run took."""
    store = Path(store)
    return {str(p.relative_to(store)): p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file() and p != store / "zarr.json"}


def contents(store):
    """Every array of a store by its path, as bytes where numbers: what two stores must have in common, however they came about."""
    import zarr

    found = {}

    def visit(group):
        for _, array in group.arrays():
            values = np.asarray(array[...])
            found[array.path] = (values.shape, values.tolist() if values.dtype.kind not in "buif" else values.tobytes())
        for _, child in group.groups():
            visit(child)

    visit(zarr.open_group(str(store), mode="r"))
    return found
