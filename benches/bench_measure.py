"""Region properties and particle images beside scikit-image and numpy: answers checked equal, then timed in turn.

Run `python benches/bench_measure.py`; it prints a markdown table. CPU seconds are medians of the rounds, peak memory is that of a fresh
process above its inputs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nanospa as ns
import numpy as np

SIZE, PARTICLES = 4096, 1317
#: scikit-image's names of the columns both have.
SAME = {
    "label": "label",
    "area": "area_px",
    "centroid-0": "centroid_y_px",
    "centroid-1": "centroid_x_px",
    "centroid_weighted-0": "weighted_centroid_y_px",
    "centroid_weighted-1": "weighted_centroid_x_px",
    "bbox-0": "bbox_y0_px",
    "bbox-1": "bbox_x0_px",
    "bbox-2": "bbox_y1_px",
    "bbox-3": "bbox_x1_px",
    "equivalent_diameter_area": "equivalent_diameter_px",
    "perimeter": "perimeter_px",
    "perimeter_crofton": "perimeter_crofton_px",
    "area_convex": "convex_area_px",
    "solidity": "solidity",
    "axis_major_length": "major_axis_px",
    "axis_minor_length": "minor_axis_px",
    "eccentricity": "eccentricity",
    "extent": "extent",
    "euler_number": "euler_number",
    "feret_diameter_max": "feret_max_px",
    "intensity_mean": "intensity_mean",
    "intensity_max": "intensity_max",
    "intensity_min": "intensity_min",
    "intensity_std": "intensity_std",
    **{f"moments_hu-{i}": f"hu_{i + 1}" for i in range(7)},
}
PROPERTIES = (*dict.fromkeys(name.split("-")[0] for name in SAME), "orientation")


def frame(size: int = SIZE, n: int = PARTICLES, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ellipses of 8 to 24 px half axis that do not overlap, Poisson noise, float32."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int32)
    k = 0
    while k < n:
        a, b, angle = rng.uniform(8, 24), rng.uniform(0.6, 1), rng.uniform(0, np.pi)
        cy, cx = rng.uniform(0, size, 2)
        y0, x0 = max(0, int(cy) - 26), max(0, int(cx) - 26)
        window = labels[y0 : int(cy) + 27, x0 : int(cx) + 27]
        yy, xx = np.mgrid[: window.shape[0], : window.shape[1]] + np.array([y0 - cy, x0 - cx])[:, None, None]
        u, v = yy * np.cos(angle) + xx * np.sin(angle), xx * np.cos(angle) - yy * np.sin(angle)
        inside = u**2 + (v / b) ** 2 < a * a
        if inside.sum() > 20 and not window[inside].any():
            k += 1
            window[inside] = k
    return (rng.poisson(100, labels.shape) + 200 * (labels > 0)).astype(np.float32), labels


def peer_properties(image: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    from skimage.measure import regionprops_table

    return regionprops_table(labels, image, properties=PROPERTIES)


def our_properties(image: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    return ns.measure.region_properties(image, labels, pixel_size_nm=0.2, threads=1)


def peer_images(image: np.ndarray, labels: np.ndarray, box_px: int = 64) -> np.ndarray:
    """Masked cut-outs at whole pixels with scipy and numpy."""
    from scipy import ndimage

    half = box_px // 2
    boxes = ndimage.find_objects(labels)
    padded, padded_labels = np.pad(image, box_px), np.pad(labels, box_px)
    out = np.zeros((len(boxes), box_px, box_px), np.float32)
    for k, (rows, columns) in enumerate(boxes, 1):
        mask = labels[rows, columns] == k
        y, x = (int(np.floor(i.mean() + s.start + 0.5)) - half + box_px for i, s in zip(np.nonzero(mask), (rows, columns), strict=True))
        cut = np.s_[y : y + box_px, x : x + box_px]
        out[k - 1] = np.where(padded_labels[cut] == k, padded[cut], 0)
    return out


def our_images(image: np.ndarray, labels: np.ndarray, box_px: int = 64) -> np.ndarray:
    return ns.measure.particle_images(image, labels, box_px=box_px, background="none", subpixel=False, threads=1)


TASKS = {
    "region properties (scikit-image `regionprops_table`, its 33 values a particle)": (our_properties, peer_properties),
    "particle images 64², whole pixels (scipy `find_objects` + numpy)": (our_images, peer_images),
}


def check(image: np.ndarray, labels: np.ndarray) -> None:
    ours, peer = our_properties(image, labels), peer_properties(image, labels)
    for theirs, name in SAME.items():
        loose = theirs.startswith("moments_hu") or theirs in ("intensity_mean", "intensity_std")
        # scikit-image averages float32 in float32; vanishing Hu moments are rounding.
        np.testing.assert_allclose(ours[name], peer[theirs], rtol=1e-6 if loose else 1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(np.cos(2 * ours["orientation_rad"]), np.cos(2 * peer["orientation"]), atol=1e-9)
    np.testing.assert_array_equal(our_images(image, labels), peer_images(image, labels))


def peak_mib(task: int, side: int, image: np.ndarray, labels: np.ndarray) -> float:
    """Peak of a fresh process above its inputs; making the frame there would hide it."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/image.npy", image)
        np.save(f"{folder}/labels.npy", labels)
        command = [sys.executable, __file__, "--memory", folder, str(task), str(side)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_peak(folder: str, task: int, side: int) -> None:
    image, labels = np.load(f"{folder}/image.npy"), np.load(f"{folder}/labels.npy")
    function = list(TASKS.values())[task][side]
    # Imports and first-call set-up are not the kernel's memory.
    function(image[:256, :256].copy(), (labels[:256, :256] > 0).astype(np.int32))
    # The kernel's own high-water mark, reset here: a child's ru_maxrss starts at its parent's (Linux).
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_mib("VmRSS")
    function(image, labels)
    print(resident_mib("VmHWM") - before)


def resident_mib(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        measure_peak(options.memory[0], *map(int, options.memory[1:]))
        return
    image, labels = frame()
    check(image, labels)
    print(f"{SIZE}² float32, {PARTICLES} particles, 1 thread, medians of {options.rounds} rounds in turn; answers equal\n")
    print("| kernel (peer) | nanospa CPU s | peer CPU s | ratio | nanospa peak MiB | peer peak MiB |\n|---|---|---|---|---|---|")
    for i, (name, functions) in enumerate(TASKS.items()):
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(options.rounds):
            for function, times in zip(functions, seconds, strict=True):
                start = time.process_time()
                function(image, labels)
                times.append(time.process_time() - start)
        ours, peer = (statistics.median(times) for times in seconds)
        memory = [peak_mib(i, side, image, labels) for side in (0, 1)]
        print(f"| {name} | {ours:.4f} | {peer:.3f} | {peer / ours:.1f} | {memory[0]:.0f} | {memory[1]:.0f} |")
    for threads in (1, 2):
        wall = []
        for _ in range(options.rounds):
            start = time.perf_counter()
            ns.measure.measure(image, labels, pixel_size_nm=0.2, threads=threads)
            wall.append(time.perf_counter() - start)
        print(f"\n`measure` with its Dataset, {threads} thread(s): {statistics.median(wall):.3f} s wall")


if __name__ == "__main__":
    main()
