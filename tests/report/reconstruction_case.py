"""Reconstructions as the reconstruct stage gives them, made from truth: no search, the halves are noisy copies of the low-passed volume."""

import json

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from tests.reconstruct.stacks import SYMMETRIES, stack

#: Standard deviation of the low-pass [voxel].
BLUR = 1.0


def shell_correlation(a, b):
    """Fourier shell correlation of radii 1 … n//2 - 1, the slow way."""
    n = len(a)
    k = np.fft.fftfreq(n, 1 / n)
    radius = np.rint(np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2)).astype(int).ravel()
    fa, fb = np.fft.fftn(a).ravel(), np.fft.fftn(b).ravel()
    cross, one, two = (np.bincount(radius, w) for w in ((fa * fb.conj()).real, np.abs(fa) ** 2, np.abs(fb) ** 2))
    return (cross / np.sqrt(one * two))[1 : n // 2]


def reconstruction(shape="cube", n=60, *, box=48, snr=5.0, seed=0, cluster=0, noise=0.05, blur=BLUR, images=True, **attributes):
    """A Dataset of `nanospa.schema.volumes` for particles of one shape, and the stack it is of."""
    made = stack(shape, n, box=box, snr=snr, seed=seed)
    rng = np.random.default_rng([seed, 9])
    true = gaussian_filter(made.volume, blur)
    halves = np.stack([true + noise * gaussian_filter(rng.normal(size=true.shape), 0.7) for _ in range(2)]).astype(np.float32)
    volume = halves.mean(axis=0)
    ball = np.hypot(np.hypot(*np.meshgrid(*[np.arange(box) - box // 2] * 2)), (np.arange(box) - box // 2)[:, None, None]) < 0.45 * box
    fsc, whole = shell_correlation(*(halves * ball)), shell_correlation(*halves)
    frequency = np.arange(1, box // 2) / (box * made.pixel_size_nm)
    at = {t: float(1 / frequency[np.argmax(fsc < t)]) if (fsc < t).any() else np.nan for t in (0.143, 0.5)}
    kind = np.where(np.arange(32) % 2, "random", "ball")
    basin = rng.choice(4, 32, p=[0.45, 0.3, 0.15, 0.1])
    scores = 0.975 - 0.004 * basin + 0.0006 * rng.normal(size=32)
    data = {
        "volume": (("z", "y", "x"), volume),
        "half_volumes": (("half", "z", "y", "x"), halves),
        "rotations": (("image", "detector", "axis"), made.rotations),
        "shifts": (("image", "direction"), made.shifts),
        "scale": (("image",), made.scales),
        "volume_ratio": (("image",), made.scales**3),
        "correlation": (("image",), 0.975 - 0.01 * rng.gamma(2.0, 1.0, n)),
        "kept": (("image",), np.arange(n) % 8 != 7),
        "half_set": (("image",), (np.arange(n) % 2).astype(np.int8)),
        "fsc": (("shell",), fsc),
        "fsc_unmasked": (("shell",), whole),
        "start_scores": (("start",), scores),
        "start_basin": (("start",), basin),
        "start_kind": (("start",), kind.astype(object)),
        "basin_scores": (("basin",), np.array([0.9755, 0.9712, 0.9675, 0.963])),
        "basin_origin": (("basin",), np.array(["start 3", "permutation 4-3", "start 7", "permutation 3-2"], dtype=object)),
        "particle": (("image",), np.arange(n) * 3),
    }
    if images:
        data["images"] = (("image", "y", "x"), made.images)
    said = {
        "symmetry": SYMMETRIES.get(shape, "C1"),
        "centrosymmetric": True,
        "pixel_size_nm": made.pixel_size_nm,
        "n_images": n,
        "resolution_nm": at[0.143],
        "resolution_05_nm": at[0.5],
        "verdict": "confident",
        "margin": 0.0043,
        "margin_z": 9.31,
        "flags": [],
        "mean_correlation": 0.955,
        "explained": 0.97,
        "preferred_symmetry": SYMMETRIES.get(shape, "C1"),
        "coverage": 0.98,
        "evenness": 0.9,
        "size_reliability": 0.8,
        "level": 0.5,
        "volume_nm3": made.volume_nm3,
        "area_nm2": 610.0,
        "sphericity": 0.81,
        "seed": 0,
        "settings": json.dumps({"symmetry": "O"}),
        "cluster": cluster,
        "mean_volume_nm3": made.volume_nm3,
        "truth_shape": shape,
        "truth_share": 0.97,
        "truth_volume_nm3": made.volume_nm3,
    }
    return xr.Dataset(data, coords={"frequency": ("shell", frequency)}, attrs=said | attributes), made


def stored(made):
    """The same as xarray reads it from a store: the volume is ``image``, its images lie along ``particle``."""
    data = {
        "image" if name == "volume" else name: (tuple("particle" if dim == "image" else dim for dim in variable.dims), variable.values)
        for name, variable in made.variables.items()
    }
    return xr.Dataset(data, attrs={"nanospa": {key: None if value != value else value for key, value in made.attrs.items()}})
