"""Masks and filters of volumes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=16)
def soft_ball(box: int, radius_px: float, edge_px: float) -> NDArray[np.float32]:
    """A ball of 1 about the centre whose edge falls off as a Gaussian, shape (box, box, box)."""
    distance = _radii(box)
    return np.where(distance < radius_px, 1, np.exp(-(((distance - radius_px) / edge_px) ** 2))).astype(np.float32)


def lowpass(volume: NDArray[np.float32], cut: float) -> NDArray[np.float32]:
    """The volume multiplied by exp(-(f / cut)²) in Fourier space; `cut` [1/px]."""
    from scipy import fft

    box = volume.shape[0]
    return np.asarray(fft.irfftn(fft.rfftn(volume) * _gaussian(box, float(cut)), s=volume.shape), dtype=np.float32)


def filter_shells(volume: NDArray[np.float32], factors: NDArray[np.float64]) -> NDArray[np.float32]:
    """The volume with each shell of its Fourier transform multiplied by a factor; shells beyond the last by 0."""
    from scipy import fft

    box = volume.shape[0]
    axis, half = np.fft.fftfreq(box, 1 / box), np.fft.rfftfreq(box, 1 / box)
    shells = np.rint(np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + half[None, None, :] ** 2)).astype(np.intp)
    padded = np.zeros(int(shells.max()) + 1, dtype=np.float32)
    padded[: factors.size] = factors
    return np.asarray(fft.irfftn(fft.rfftn(volume) * padded[shells], s=volume.shape), dtype=np.float32)


@lru_cache(maxsize=32)
def _gaussian(box: int, cut: float) -> NDArray[np.float32]:
    f, half = np.fft.fftfreq(box), np.fft.rfftfreq(box)
    squares = f[:, None, None] ** 2 + f[None, :, None] ** 2 + half[None, None, :] ** 2
    return np.asarray(np.exp(-squares / cut**2), dtype=np.float32)


@lru_cache(maxsize=4)
def _radii(box: int) -> NDArray[np.float32]:
    axis = np.arange(box) - box // 2
    squares = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2
    return np.asarray(np.sqrt(squares), dtype=np.float32)
