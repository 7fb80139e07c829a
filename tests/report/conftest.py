"""Runs in memory to make reports of: simulated frames, their true labels as labels found, populations as clusters."""

from __future__ import annotations

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from nanospa.acquire import event_tables

from tests.acquire.session_events import session_events


def simulated_run(
    n_frames: int = 3, *, calibrated: bool = True, clustered: bool = True, truth: bool = True, shape=(320, 320)
) -> xr.DataTree:
    """A run as `nanospa.open` gives it, made without the pipeline."""
    frames = list(ns.simulate.frames(n_frames, shape=shape, n_particles=8, populations="slater2020", seed=3))
    size = frames[0].pixel_size_nm if calibrated else None
    tables = [
        ns.measure.measure(f.image, f.labels, pixel_size_nm=size).assign(frame=("particle", np.full(f.labels.max(), i, np.int32)))
        for i, f in enumerate(frames)
    ]
    particles = xr.concat(tables, "particle")
    populations = np.concatenate([f.table["population"].to_numpy().astype(str) for f in frames])
    n = particles.sizes["particle"]
    if clustered:
        _, cluster = np.unique(populations, return_inverse=True)
        particles["cluster"] = ("particle", np.where(np.arange(n) % 11 == 10, -1, cluster).astype(np.int32))
    frame_table = xr.Dataset(
        {
            "stack": ("frame", np.full(n_frames, "stack0", dtype=object)),
            "index": ("frame", np.arange(n_frames, dtype=np.int32)),
            "source": ("frame", np.array([f"folder/frame_{i}.tif" for i in range(n_frames)], dtype=object)),
            "pixel_size_y_nm": ("frame", np.full(n_frames, size or np.nan)),
            "pixel_size_x_nm": ("frame", np.full(n_frames, size or np.nan)),
            "focus_score": ("frame", np.linspace(0.2, 0.4, n_frames)),
            "blur": ("frame", np.arange(n_frames) == 1),
            "n_particles": ("frame", np.array([int(f.labels.max()) for f in frames], np.int32)),
            "warnings": ("frame", np.array(["", "hazy", ""] + [""] * n_frames, dtype=object)[:n_frames]),
            "n_removed_small": ("frame", np.ones(n_frames, np.int32)),
        }
    )
    groups = {
        "frames/stack0": xr.Dataset({"image": (("frame", "y", "x"), np.stack([f.image for f in frames]))}),
        "frames/stack0/labels/particles": xr.Dataset({"image": (("frame", "y", "x"), np.stack([f.labels for f in frames]))}),
        "particles": particles,
        "frame_table": frame_table,
    }
    if clustered:
        images = np.random.default_rng(0).normal(100, 10, (n, 24, 24)).astype(np.float32)
        groups["particle_images"] = xr.Dataset({"image": (("particle", "y", "x"), images)})
        groups["cluster_scan"] = xr.Dataset({"eps": ("parameters", [0.1, 0.2, 0.3]), "fraction": ("parameters", [0.1, 0.6, 0.2])})
    if truth:
        columns = {name: np.concatenate([f.table[name].to_numpy() for f in frames]) for name in ("area_px", "touches_border")}
        row = np.concatenate([np.full(len(f.table), i, np.int32) for i, f in enumerate(frames)])
        columns |= {"population": populations.astype(object), "frame": row, "iou": np.where(np.arange(n) % 5 == 4, 0.3, 0.9)}
        groups["truth"] = xr.Dataset({name: ("particle", values) for name, values in columns.items()})
        columns = {
            "stage": ["segment"],
            "item": [7],
            "source": ["folder/bad.tif"],
            "kind": ["unreadable_file"],
            "message": ["it is truncated"],
        }
        groups["status"] = xr.Dataset({name: ("failure", np.array(values)) for name, values in columns.items()})
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["nanospa"] = {
        "schema_version": 1,
        "package_version": ns.__version__,
        "settings": {"segment": {"method": "auto"}, "cluster": {"method": "dbscan", "features": ["area", "intensity_max"]}},
        "seconds": {"segment": 1.5, "measure": 0.25},
        "warnings": ["frame 2: constant image", "segment failed: it is truncated"],
    }
    return tree


@pytest.fixture(scope="session")
def run() -> xr.DataTree:
    return simulated_run()


def acquired_run(end: str = "end", **kwargs) -> xr.DataTree:
    """An acquisition with pictures of its surveys, made without a microscope."""
    tables = event_tables(session_events(end=end, **kwargs), survey_places=[("stack_000", i) for i in range(100)])
    n = tables["survey_table"].sizes["survey"]
    frame = ns.simulate.frame(shape=(256, 256), n_particles=60, pixel_size_nm=2.7, populations="slater2020", seed=1).image
    pictures = np.stack([np.roll(frame, 50 * i, axis=1) for i in range(n)]) if n else np.zeros((0, 256, 256), np.uint16)
    tree = xr.DataTree.from_dict({"surveys/stack_000": xr.Dataset({"image": (("frame", "y", "x"), pictures)})})
    for name, table in tables.items():
        # As the store keeps them: what a table says of itself lies under one key.
        tree[name] = xr.DataTree(table.drop_attrs(deep=False).assign_attrs(nanospa={**table.attrs, "columns": list(table.data_vars)}))
    return tree
