"""Stacks of particle images with known truth, for the tests of the reconstruct stage.

Conventions as in the stage: volume (z, y, x) with centre index n//2, p_image = R p_volume on (x, y, z), images (image, y, x) that are
sums of the volume along the beam, content displaced by +shift (dx, dy).
"""

import functools
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import nanospa as ns
import numpy as np
import pytest

#: Field of view of a default box [nm]: box 64 at 0.4 nm/px, as in the shared data.
FIELD_NM = 25.6

#: Sizes that leave room for shifts of 2 px at box 64 in every orientation [nm]; see `nanospa.simulate.SHAPES` for what they measure.
SIZES_NM = {
    "sphere": 16.0,
    "cube": 10.0,
    "star": 15.0,
    "octahedron": 15.0,
    "truncated_octahedron": 12.0,
    "decahedron": 14.0,
    "icosahedron": 14.0,
    "rod": 6.0,
    "prism": 8.0,
}

#: Symmetry group of each shape's rotations. All shapes but the decahedron are centrosymmetric.
SYMMETRIES = {
    "cube": "O",
    "star": "O",
    "octahedron": "O",
    "truncated_octahedron": "O",
    "decahedron": "D5",
    "icosahedron": "I",
    "prism": "D4",
}

#: Pixels of the clean stack above this share of its maximum count as signal: this is what `sig_std` of the shared data was made with.
SIGNAL_THRESHOLD = 0.02


@dataclass(frozen=True)
class Stack:
    """Images and what is true of them.

    `volume` is that of a particle of scale 1, in the units of the images (sums along the beam); `volume_nm3` is what it fills; `scales` is
    the size of each particle over the mean size; `kinds` names each particle's shape; `sigma` is the standard deviation of the noise.
    """

    images: np.ndarray
    clean: np.ndarray
    rotations: np.ndarray
    shifts: np.ndarray
    scales: np.ndarray
    kinds: np.ndarray
    pixel_size_nm: float
    volume: np.ndarray
    volume_nm3: float
    sigma: float

    def __len__(self):
        return len(self.images)


def signal_std(clean):
    """Standard deviation of the signal as the shared data defines it: over the pixels above 2 % of the stack's maximum."""
    return float(clean[clean > SIGNAL_THRESHOLD * clean.max()].std())


def random_rotations(n, seed):
    """Uniform rotations, each from its own stream."""
    return np.stack([ns.simulate.random_rotation(np.random.default_rng([seed, i, 0])) for i in range(n)])


def biased_rotations(n, seed, *, axis=(0.0, 0.0, 1.0), spread_deg=8.0, share=1.0):
    """Rotations of which a share has its beam direction near one axis of the particle, as when it prefers to lie on one face."""
    out = random_rotations(n, seed)
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    for i in range(n):
        rng = np.random.default_rng([seed, i, 1])
        if rng.random() < share:
            beam = axis + np.cross(axis, rng.normal(0, np.radians(spread_deg), 3))
            beam /= np.linalg.norm(beam)
            x = np.cross(beam, rng.normal(size=3))
            x /= np.linalg.norm(x)
            out[i] = np.stack([x, np.cross(beam, x), beam])
    return out


def stack(
    shape,
    n,
    *,
    box=64,
    snr=np.inf,
    seed=0,
    size_nm=None,
    pixel_size_nm=None,
    scales=None,
    shift_px=2.0,
    views=None,
    shape_parameter=None,
    parameter_spread=0.0,
    aspect=2.0,
):
    """Images of `n` particles of one shape.

    `shape`: a name of `nanospa.simulate.SHAPES`, or "prism" (square prism, c/a = `aspect`). `scales`: None, a relative standard deviation
    of the sizes, or the sizes over their mean. `shift_px`: shifts are uniform within ± this, at box 64. `views`: rotations, else uniform.
    `parameter_spread`: standard deviation of the shape parameter from particle to particle. `snr`: (signal std / noise std)², as the
    data's.
    """
    pixel = FIELD_NM / box if pixel_size_nm is None else pixel_size_nm
    size = SIZES_NM[shape] if size_nm is None else size_nm
    name, stretch = (shape, (1.0, 1.0, 1.0)) if shape != "prism" else ("cube", (1.0, 1.0, float(aspect)))
    parameter = ns.simulate.SHAPES[name].default if shape_parameter is None else shape_parameter
    rng = np.random.default_rng([seed, 1])
    if scales is None:
        factors = np.ones(n)
    elif np.ndim(scales) == 0:
        factors = np.clip(1 + scales * rng.normal(size=n), 0.5, 1.5)
    else:
        factors = np.asarray(scales, float)
    rotations = random_rotations(n, seed) if views is None else np.asarray(views, float)
    shifts = np.random.default_rng([seed, 2]).uniform(-1, 1, (n, 2)) * shift_px * box / 64
    draws = np.random.default_rng([seed, 4]).normal(size=n) * parameter_spread
    low, high = ns.simulate.SHAPES[name].low, ns.simulate.SHAPES[name].high
    parameters = tuple(np.clip(parameter + draws, low, high).tolist()) if high > 0 else (None,) * n
    clean = _projections(name, box, pixel, stretch, parameters, *(a.tobytes() for a in (size * factors, rotations, shifts)))
    truth = _volume(name, size, pixel, parameter if high > 0 else None, stretch, box)
    sigma = signal_std(clean) / np.sqrt(snr) if np.isfinite(snr) else 0.0
    return Stack(
        images=_noisy(clean, sigma, seed),
        clean=clean,
        rotations=rotations,
        shifts=shifts,
        scales=factors,
        kinds=np.full(n, shape),
        pixel_size_nm=pixel,
        volume=truth,
        volume_nm3=float(truth.sum(dtype=float)) * pixel**3,
        sigma=sigma,
    )


def mixed(stacks, *, snr=np.inf, seed=0):
    """One stack of several, shuffled, with noise for the whole of it; `volume` is that of the first."""
    order = np.random.default_rng([seed, 5]).permutation(sum(len(s) for s in stacks))
    joined = {f: np.concatenate([getattr(s, f) for s in stacks])[order] for f in ("clean", "rotations", "shifts", "scales", "kinds")}
    sigma = signal_std(joined["clean"]) / np.sqrt(snr) if np.isfinite(snr) else 0.0
    return replace(stacks[0], **joined, images=_noisy(joined["clean"], sigma, seed), sigma=sigma)


def data_stack(name, n=200, *, snr=np.inf, seed=None, first=0):
    """Images of the shared data ("star", "cube", "sphere"; skips where it is absent); `seed` None takes the file's own noise seed."""
    folder = Path(os.environ.get("NANOSPA_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "spr"
    if not folder.is_dir():
        pytest.skip("test data not found: set NANOSPA_TEST_DATA to its folder")
    with np.load(next(folder.glob(f"{name}_*.npz"))) as data:
        clean = data["clean"].astype(np.float32)
        rows = json.loads(str(data["params"]))
        size = np.array([next(iter(row.values())) for row in rows], float)
        pixel = float(data["px_nm"])
        sigma = float(data["sig_std"]) / np.sqrt(snr) if np.isfinite(snr) else 0.0
        noise = np.random.default_rng(int(data["noise_seed"]) if seed is None else seed).standard_normal(clean.shape).astype(np.float32)
        part = slice(first, first + n)
        volume = data["vol"].astype(np.float32)
        density = float(np.median(volume[volume > volume.max() / 2]))
        # The file's volume is scaled apart from its images: here it projects to them.
        volume *= np.float32(clean.sum(dtype=float) / len(clean) / volume.sum(dtype=float))
        density *= float(clean.sum(dtype=float) / len(clean)) / float(data["vol"].sum(dtype=float))
        return Stack(
            images=(clean + np.float32(sigma) * noise)[part],
            clean=clean[part],
            rotations=np.swapaxes(data["R"], 1, 2)[part],
            # The sphere's images lie exactly one pixel up and left of where the file says.
            shifts=(data["shift"] - (1.0 if name == "sphere" else 0.0))[part],
            scales=(size / size.mean())[part],
            kinds=np.full(len(size[part]), name),
            pixel_size_nm=pixel,
            volume=volume,
            volume_nm3=float(volume.sum(dtype=float)) / density * pixel**3,
            sigma=sigma,
        )


def _noisy(clean, sigma, seed):
    if sigma == 0:
        return clean.copy()
    return np.stack(
        [c + np.float32(sigma) * np.random.default_rng([seed, i, 3]).standard_normal(c.shape, np.float32) for i, c in enumerate(clean)]
    )


@functools.lru_cache(maxsize=32)
def _volume(name, size, pixel, parameter, stretch, box):
    if stretch == (1.0, 1.0, 1.0):
        return ns.simulate.volume(name, size_nm=size, voxel_size_nm=pixel, shape_parameter=parameter, box_px=box, supersampling=3)
    fine = 3
    axis = ((np.arange(box)[:, None] - box // 2) + ((np.arange(fine) + 0.5) / fine - 0.5)).ravel() * pixel
    out = np.zeros((box, box, box), np.float32)
    y, x = np.meshgrid(axis / stretch[1], axis / stretch[0], indexing="ij")
    for i, z in enumerate(axis / stretch[2]):
        layer = ns.simulate.inside(name, np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], 1), size_nm=size, shape_parameter=parameter)
        out[i // fine] += layer.reshape(box, fine, box, fine).sum(axis=(1, 3))
    return out / np.float32(fine**3)


@functools.lru_cache(maxsize=64)
def _projections(name, box, pixel, stretch, parameters, *arrays):
    """Clean images; tests ask for the same ones at several noises."""
    sizes, rotations, shifts = (np.frombuffer(a) for a in arrays)
    images = [
        ns.simulate.particle(
            name,
            size_nm=size,
            pixel_size_nm=pixel,
            rotation=rotation,
            shape_parameter=parameter,
            stretch=stretch,
            box_px=box,
            shift_px=tuple(shift),
            threads=1,
        )
        for parameter, size, rotation, shift in zip(parameters, sizes, rotations.reshape(-1, 3, 3), shifts.reshape(-1, 2), strict=True)
    ]
    clean = np.stack(images) / np.float32(pixel)
    clean.flags.writeable = False
    return clean
