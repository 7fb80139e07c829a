"""Filters, thresholds and distances beside scipy, scikit-image, OpenCV and edt: answers checked, then timed in turn.

Run `python benches/bench_segment_filters.py`; it prints a markdown table. CPU seconds are medians of the rounds, peak memory is that of
a fresh process above its inputs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import edt
import nanospa as ns
import numpy as np
from scipy import ndimage
from skimage import filters, restoration

SIZE, PARTICLES = 4096, 1317
#: Side of the image the full-search rolling ball can be timed on; its cost is proportional to the number of pixels.
BALL_SIZE = 256
cv2.setNumThreads(1)
segment = ns.segment


def frame(size: int = SIZE, n: int = PARTICLES, seed: int = 0) -> dict[str, np.ndarray]:
    """Projected spheres on an uneven background with noise, as float32 and uint16, and their mask."""
    rng = np.random.default_rng(seed)
    thickness = np.zeros((size, size), np.float32)
    for _ in range(n):
        r = rng.uniform(8, 24)
        cy, cx = rng.uniform(26, size - 26, 2)
        y0, x0 = int(cy) - 25, int(cx) - 25
        yy, xx = np.mgrid[y0 : y0 + 51, x0 : x0 + 51]
        cap = np.sqrt(np.clip(r * r - (yy - cy) ** 2 - (xx - cx) ** 2, 0, None))
        window = thickness[y0 : y0 + 51, x0 : x0 + 51]
        np.maximum(window, cap, out=window)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    background = 1000 + 300 * np.sin(y / 700) + 200 * np.cos(x / 900)
    image = (background + 60 * thickness + rng.normal(0, 60, (size, size))).astype(np.float32)
    return {"float32": image, "uint16": image.clip(0, 65535).astype(np.uint16), "mask": thickness > 0, "clean": background + 60 * thickness}


def equal(ours: Any, peer: Any) -> None:
    np.testing.assert_array_equal(ours, peer)


def close(relative: float) -> Callable[[Any, Any], None]:
    """Largest difference as a part of the largest value."""

    def check(ours: Any, peer: Any) -> None:
        np.testing.assert_allclose(ours, peer, rtol=0, atol=relative * float(np.max(np.abs(peer))))

    return check


@dataclass(frozen=True)
class Case:
    """One row of the table; `peer_part` is the part of the pixels that the peer is given."""

    name: str
    data: str
    ours: Callable[[np.ndarray], Any]
    peer: Callable[[np.ndarray], Any]
    check: Callable[[Any, Any], None] = equal
    peer_part: float = 1.0


def crop(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:BALL_SIZE, :BALL_SIZE])


def ball_case(name: str, data: str) -> Case:
    return Case(
        f"rolling ball 150, {name} (scikit-image; from {BALL_SIZE}²)",
        data,
        lambda a: segment.rolling_ball(a, 150, threads=1),
        lambda a: restoration.rolling_ball(crop(a), radius=150, workers=1),
        close(1e-6),
        (BALL_SIZE / SIZE) ** 2,
    )


def opencv_l1(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L1, 3) > 10


def opencv_gaussian(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (9, 9), 1.0, borderType=cv2.BORDER_REFLECT)


CASES = [
    Case("top-hat 301, float32 (scipy)", "float32", lambda a: segment.tophat(a, 301, threads=1), lambda a: ndimage.white_tophat(a, 301)),
    Case("top-hat 301, uint16 (scipy)", "uint16", lambda a: segment.tophat(a, 301, threads=1), lambda a: ndimage.white_tophat(a, 301)),
    Case(
        "top-hat 301, float32 (OpenCV)",
        "float32",
        lambda a: segment.tophat(a, 301, threads=1),
        lambda a: cv2.morphologyEx(a, cv2.MORPH_TOPHAT, np.ones((301, 301), np.uint8), borderType=cv2.BORDER_REFLECT),
    ),
    ball_case("noise", "float32"),
    ball_case("no noise", "clean"),
    Case(
        "Gaussian 1, float32 (scipy)",
        "float32",
        lambda a: segment.gaussian(a, 1, threads=1),
        lambda a: ndimage.gaussian_filter(a, 1),
        close(1e-6),
    ),
    Case("Gaussian 1, float32 (OpenCV)", "float32", lambda a: segment.gaussian(a, 1, threads=1), opencv_gaussian, close(1e-6)),
    Case(
        "Gaussian 10, float32 (scipy)",
        "float32",
        lambda a: segment.gaussian(a, 10, threads=1),
        lambda a: ndimage.gaussian_filter(a, 10),
        close(1e-6),
    ),
    Case(
        "Li, float32 (scikit-image)",
        "float32",
        lambda a: segment.threshold(a, "li", threads=1),
        # Its float32 sums need not settle within its own tolerance: on this frame it does not end without a wider one.
        lambda a: filters.threshold_li(a, tolerance=1e-3),
        close(1e-5),
    ),
    Case("Li, uint16 (scikit-image)", "uint16", lambda a: segment.threshold(a, "li", threads=1), filters.threshold_li, close(1e-12)),
    Case("Otsu, float32 (scikit-image)", "float32", lambda a: segment.threshold(a, "otsu", threads=1), filters.threshold_otsu, close(1e-6)),
    Case("Otsu, uint16 (scikit-image)", "uint16", lambda a: segment.threshold(a, "otsu", threads=1), filters.threshold_otsu),
    Case(
        "Otsu, uint16 (OpenCV)",
        "uint16",
        lambda a: segment.threshold(a, "otsu", threads=1),
        lambda a: cv2.threshold(a, 0, 65535, cv2.THRESH_OTSU)[0],
    ),
    Case(
        "Niblack 51, float32 (scikit-image)",
        "float32",
        lambda a: segment.local_threshold(a, "niblack", 51, threads=1),
        lambda a: a > filters.threshold_niblack(a, 51),
        lambda ours, peer: np.testing.assert_array_less(np.mean(ours != peer), 1e-4),
    ),
    Case("erosion 10, diamond (OpenCV L1 distance)", "mask", lambda a: segment.erode(a, 10, threads=1), opencv_l1),
    Case(
        "distance transform 2D, squared (edt)",
        "mask",
        lambda a: segment.distance_transform(a, squared=True, threads=1),
        lambda a: edt.edtsq(a, parallel=1),
    ),
    Case(
        "distance transform 2D (OpenCV precise)",
        "mask",
        lambda a: segment.distance_transform(a, threads=1),
        lambda a: cv2.distanceTransform(a.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
        close(1e-6),
    ),
    Case(
        "distance transform 2D of the background, squared (edt)",
        "background",
        lambda a: segment.distance_transform(a, squared=True, threads=1),
        lambda a: edt.edtsq(a, parallel=1),
    ),
    Case(
        "distance transform 256³, squared (edt)",
        "volume",
        lambda a: segment.distance_transform(a, squared=True, threads=1),
        lambda a: edt.edtsq(a, parallel=1),
    ),
]


def inputs() -> dict[str, np.ndarray]:
    data = frame()
    data["background"] = ~data["mask"]
    noise = np.random.default_rng(1).normal(size=(256, 256, 256)).astype(np.float32)
    data["volume"] = ndimage.gaussian_filter(noise, 6) > 0
    return data


def peak_mib(case: int, side: str, image: np.ndarray) -> float:
    """Peak of a fresh process above its inputs."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/image.npy", image)
        command = [sys.executable, __file__, "--memory", folder, str(case), side]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_peak(folder: str, case: int, side: str) -> None:
    image = np.load(f"{folder}/image.npy")
    function = getattr(CASES[case], side)
    # Imports and first-call set-up are not the kernel's memory.
    function(image[tuple(slice(0, 32) for _ in image.shape)].copy())
    # The kernel's own high-water mark, reset here: a child's ru_maxrss starts at its parent's (Linux).
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_mib("VmRSS")
    function(image)
    print(resident_mib("VmHWM") - before)


def resident_mib(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        measure_peak(options.memory[0], int(options.memory[1]), options.memory[2])
        return
    data = inputs()
    print(f"{SIZE}² pixels, {PARTICLES} particles, 1 thread, medians of {options.rounds} rounds in turn; answers checked first\n")
    print("| kernel (peer) | nanospa CPU s | peer CPU s | ratio | nanospa peak MiB | peer peak MiB |\n|---|---|---|---|---|---|")
    for i, case in enumerate(CASES):
        if options.only not in case.name:
            continue
        image = data[case.data]
        case.check(case.ours(image if case.peer_part == 1 else crop(image)), case.peer(image))
        seconds: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(options.rounds):
            for side, times in seconds.items():
                function = getattr(case, side)
                start = time.process_time()
                function(image)
                times.append(time.process_time() - start)
        ours, peer = median(seconds["ours"]), median(seconds["peer"]) / case.peer_part
        memory = [f"{peak_mib(i, 'ours', image):.0f}", f"{peak_mib(i, 'peer', image):.0f}" if case.peer_part == 1 else "–"]
        print(f"| {case.name} | {ours:.4f} | {peer:.3f} | {peer / ours:.1f} | {memory[0]} | {memory[1]} |", flush=True)


if __name__ == "__main__":
    main()
