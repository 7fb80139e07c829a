"""A reconstruction that is none: right names and shapes, quick, the same whatever computes its starts."""

from __future__ import annotations

import functools
import json

import numpy as np
import xarray as xr

#: What the stand-in says every particle fills, at scale 1 [nm³].
VOLUME_NM3 = 500.0


def start(images, seed, number):
    """End model of a start."""
    return float(np.random.default_rng([seed, number]).normal() + images.mean())


def reconstruct(
    images,
    *,
    pixel_size_nm,
    symmetry="O",
    n_starts=32,
    seed=0,
    masks=None,
    min_images=20,
    normalise_size=True,
    max_classes=1,
    map=map,
    threads=None,
    progress=None,
):
    """As `nanospa.reconstruct.reconstruct`."""
    n, box = images.shape[:2]
    assert masks.shape == images.shape and masks.dtype == bool and n >= min_images
    scores = []
    for score in map(functools.partial(start, images, seed), range(n_starts)):
        scores.append(score)
        progress(len(scores) / n_starts)
    size = masks.sum(axis=(1, 2)) ** 0.5
    volume = np.broadcast_to(images.mean(axis=0), (box,) * 3).astype(np.float32) / box
    return xr.Dataset(
        {
            "volume": (("z", "y", "x"), volume),
            "half_volumes": (("half", "z", "y", "x"), np.stack([volume, volume])),
            "rotations": (("image", "detector", "axis"), np.tile(np.eye(3), (n, 1, 1))),
            "shifts": (("image", "direction"), np.zeros((n, 2))),
            "scale": ("image", size / size.mean()),
            "volume_ratio": ("image", (size / size.mean()) ** 3),
            "correlation": ("image", np.full(n, 0.9)),
            "kept": ("image", np.ones(n, bool)),
            "half_set": ("image", (np.arange(n) % 2).astype(np.int8)),
            "fsc": ("shell", np.linspace(1, 0, box // 2 - 1)),
            "fsc_unmasked": ("shell", np.linspace(1, 0, box // 2 - 1)),
            "start_scores": ("start", np.array(scores)),
            "start_basin": ("start", np.arange(n_starts) % 2),
            "basin_scores": ("basin", np.array([0.9, 0.89])),
            "basin_origin": ("basin", np.array(["start 0", "start 1"], dtype=object)),
            "start_kind": ("start", np.array(["ball", "random"] * n_starts, dtype=object)[:n_starts]),
        },
        coords={"frequency": ("shell", np.arange(1, box // 2) / (box * pixel_size_nm))},
        attrs={
            "symmetry": symmetry,
            "centrosymmetric": True,
            "pixel_size_nm": pixel_size_nm,
            "n_images": n,
            "resolution_nm": 1.25,
            "resolution_05_nm": np.nan,
            "verdict": "confident",
            "margin": 0.004,
            "margin_z": 7.0,
            "flags": [],
            "mean_correlation": 0.9,
            "explained": 0.8,
            "level": 0.5,
            "volume_nm3": VOLUME_NM3,
            "area_nm2": 300.0,
            "sphericity": 0.9,
            "seed": seed,
            "settings": json.dumps({"symmetry": symmetry}),
        },
    )
