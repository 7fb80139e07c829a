"""Projection and insertion beside finufft, scipy and numpy: answers checked, then timed in turn.

Run `python benches/bench_reconstruct_kernels.py`; it prints markdown tables. CPU seconds are medians of the rounds, one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import finufft
import nanospa as ns
import numpy as np
from scipy import fft, ndimage

reconstruct = ns.reconstruct
#: Relative error asked of finufft; it and nanospa both interpolate from four points a dimension then.
EPS = 1e-3


def rotations(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([ns.simulate.random_rotation(rng) for _ in range(n)])


def star(box: int) -> np.ndarray:
    """A star that fills 60 % of the box."""
    return ns.simulate.volume("star", size_nm=0.6 * box, voxel_size_nm=1.0, box_px=box)


class HalfDisc:
    """Fourier pixels of a projection inside the Nyquist circle, kx >= 0: the rest follows, the image is real."""

    def __init__(self, box: int, views: np.ndarray) -> None:
        self.box = box
        ky, kx = np.meshgrid(np.rint(fft.fftfreq(box) * box), np.arange(box // 2 + 1), indexing="ij")
        self.inside = kx**2 + ky**2 < box**2 / 4
        k = np.stack([kx[self.inside], ky[self.inside]], axis=1)
        # The origin of an image is at box // 2.
        self.sign = np.where((kx + ky)[self.inside] % 2, -1, 1).astype(np.float32)
        places = (k @ views[:, :2]).reshape(-1, 3) * (2 * np.pi / box)
        self.x, self.y, self.z = (np.ascontiguousarray(places[:, a], dtype=np.float32) for a in range(3))
        self.double = np.where(kx[self.inside] > 0, 2, 1).astype(np.float32)

    def project(self, volume: np.ndarray, eps: float = EPS) -> np.ndarray:
        samples = finufft.nufft3d2(self.z, self.y, self.x, volume.astype(np.complex64), eps=eps, isign=-1, nthreads=1)
        spectra = np.zeros((len(self.x) // self.inside.sum(), *self.inside.shape), np.complex64)
        spectra[:, self.inside] = samples.reshape(len(spectra), -1) * self.sign
        return fft.irfft2(spectra, s=(self.box, self.box), workers=1)

    def backproject(self, images: np.ndarray, eps: float = EPS) -> np.ndarray:
        spectra = fft.rfft2(images, workers=1)[:, self.inside] * (self.sign * self.double / self.box**2)
        shape = (self.box,) * 3
        return finufft.nufft3d1(self.z, self.y, self.x, spectra.ravel(), shape, eps=eps, isign=1, nthreads=1).real


def turn_and_sum(volume: np.ndarray, views: np.ndarray) -> np.ndarray:
    return np.stack([ns.simulate.projection(volume, view) for view in views])


def add_at(images: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Trilinear insertion with numpy: eight `add.at` a stack, numerator and weights."""
    box = images.shape[1]
    disc = HalfDisc(box, views)
    spectra = fft.rfft2(images, workers=1)[:, disc.inside].ravel()
    places = np.stack([disc.z, disc.y, disc.x], axis=1) * np.float32(box / np.pi) + box + 1
    below = places.astype(np.intp)
    above = places - below
    side = 2 * box + 3
    numerator, density = np.zeros(side**3, np.complex64), np.zeros(side**3, np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, above, 1 - above), axis=1)
        at = np.ravel_multi_index(tuple((below + corner).T), (side,) * 3)
        np.add.at(numerator, at, spectra * weight)
        np.add.at(density, at, weight)
    return numerator


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def in_turn(rounds: int, *functions: Callable[[], Any]) -> list[float]:
    """Median CPU seconds of each function, called one after the other."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for spent, function in zip(times, functions, strict=True):
            start = time.process_time()
            function()
            spent.append(time.process_time() - start)
    return [median(spent) for spent in times]


def row(name: str, ours: float, peer: float, *rest: str) -> None:
    print(f"| {name} | {ours:.4f} | {peer:.4f} | {peer / ours:.1f} | " + " | ".join(rest) + " |", flush=True)


def projections(box: int, count: int, rounds: int) -> None:
    volume, views = star(box), rotations(count)
    disc = HalfDisc(box, views)
    few = HalfDisc(box, views[:4])
    exact = few.project(volume, eps=1e-6)
    errors = [difference(images[:4], exact) for images in (reconstruct.project(volume, views[:4], threads=1), few.project(volume))]
    ours, peer = in_turn(rounds, lambda: reconstruct.project(volume, views, threads=1), lambda: disc.project(volume))
    row(f"project, {count:,} of {box}³ (finufft type 2)", ours, peer, *(f"{e:.1e}" for e in errors))
    slow = 3
    (turned,) = in_turn(1, lambda: turn_and_sum(volume, views[:slow]))
    trilinear = difference(turn_and_sum(volume, views[:slow]), exact[:slow])
    row(
        f"project, {count:,} of {box}³ (scipy affine_transform; from {slow})",
        ours,
        turned * count / slow,
        f"{errors[0]:.1e}",
        f"{trilinear:.1e}",
    )


def insertions(box: int, count: int, rounds: int) -> None:
    views = rotations(count)
    images = reconstruct.project(star(box), views)
    disc = HalfDisc(box, views)
    exact = disc.backproject(images, eps=1e-6)

    def back() -> np.ndarray:
        return reconstruct.insert(images, views, threads=1).backprojection(threads=1)

    errors = [difference(back(), exact), difference(disc.backproject(images), exact)]
    ours, peer = in_turn(rounds, back, lambda: disc.backproject(images))
    row(f"insert and backproject, {count:,} of {box}² (finufft type 1)", ours, peer, *(f"{e:.1e}" for e in errors))
    ours, peer = in_turn(rounds, lambda: reconstruct.insert(images, views, threads=1), lambda: add_at(images, views))
    row(f"insert, {count:,} of {box}² (numpy add.at, trilinear)", ours, peer, "", "")


def shells(box: int, rounds: int) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(box,) * 3).astype(np.float32)
    b = a + rng.normal(size=a.shape).astype(np.float32)
    k = np.rint(fft.fftfreq(box) * box)
    half = np.arange(box // 2 + 1)
    radius = np.rint(np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + half**2)).astype(int)
    times = np.where((half > 0) & (half < box // 2), 2.0, 1.0)

    def with_sums() -> np.ndarray:
        p, q = (fft.rfftn(v, workers=1) for v in (a, b))
        cross, one, other = (
            ndimage.sum_labels(values * times, radius, np.arange(box // 2))
            for values in ((p * q.conj()).real, np.abs(p) ** 2, np.abs(q) ** 2)
        )
        return cross / np.sqrt(one * other)

    def ours_() -> np.ndarray:
        return reconstruct.fourier_shell_correlation(a, b, threads=1)

    error = f"{np.abs(ours_() - with_sums()).max():.1e}"
    ours, peer = in_turn(rounds, ours_, with_sums)
    row(f"Fourier shell correlation, {box}³ (scipy)", ours, peer, error, "–")


def latencies(boxes: tuple[int, ...], count: int, rounds: int) -> None:
    print(f"\nMilliseconds of CPU a call, {count} images:\n")
    columns = ["box", "FourierVolume.of", "project", "insert, C1", "insert, O", "insert, I", "volume", "insert, O, and volume"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    views = rotations(count)
    for box in boxes:
        volume = star(box)
        fourier = reconstruct.FourierVolume.of(volume, threads=1)
        images = reconstruct.project(fourier, views, threads=1)
        inserted = reconstruct.insert(images, views, symmetry="O", threads=1)

        def insert(symmetry: str, images: np.ndarray = images) -> Any:
            return reconstruct.insert(images, views, symmetry=symmetry, threads=1)

        spent = in_turn(
            rounds,
            lambda volume=volume: reconstruct.FourierVolume.of(volume, threads=1),
            lambda fourier=fourier: reconstruct.project(fourier, views, threads=1),
            lambda insert=insert: insert("C1"),
            lambda insert=insert: insert("O"),
            lambda insert=insert: insert("I"),
            lambda inserted=inserted: inserted.volume(threads=1),
            lambda insert=insert: insert("O").volume(threads=1),
        )
        print(f"| {box} | " + " | ".join(f"{1e3 * s:.1f}" for s in spent) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small boxes only")
    arguments = parser.parse_args()
    boxes = (32, 64) if arguments.quick else (32, 64, 128, 166)
    print("| kernel (peer) | nanospa CPU s | peer CPU s | ratio | error | peer's error |\n|---|---|---|---|---|---|")
    for box in boxes:
        projections(box, 1000, arguments.rounds)
    for box in boxes:
        insertions(box, 100, arguments.rounds)
    for box in boxes:
        shells(box, arguments.rounds)
    latencies(boxes, 100, 2 * arguments.rounds + 1)


if __name__ == "__main__":
    main()
