"""Components, seeds, watershed and the whole segmentation beside OpenCV, cc3d and scikit-image: answers checked, then timed in turn.

Run `python benches/bench_segment_regions.py`; it prints a markdown table. CPU seconds are medians of the rounds; peak memory is by how much
one call in a process of its own raises that process's peak (making the noise mask leaves the peak high: its figures are too low).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import cc3d
import cv2
import nanospa as ns
import numpy as np
from skimage import feature, segmentation

cv2.setNumThreads(1)
SEPARATION_PX = 20


def blobs(size: int, n: int, radii: tuple[float, float], seed: int = 0) -> np.ndarray:
    """Mask of discs."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), np.uint8)
    for y, x, r in zip(*rng.integers(0, size, (2, n)).tolist(), rng.uniform(*radii, n), strict=True):
        cv2.circle(mask, (x, y), int(r), 1, -1)
    return mask


def noise(size: int) -> np.ndarray:
    """Mask of which every pixel is set with probability 0.5."""
    return (np.random.default_rng(1).random((size, size), dtype=np.float32) < 0.5).astype(np.uint8)


def balls(size: int, n: int) -> np.ndarray:
    """Volume of balls."""
    rng = np.random.default_rng(2)
    volume = np.zeros((size,) * 3, np.uint8)
    squared = (np.mgrid[-8:9, -8:9, -8:9] ** 2).sum(0)
    for z, y, x, r in zip(*rng.integers(8, size - 8, (3, n)), rng.uniform(2, 7, n), strict=True):
        volume[z - 8 : z + 9, y - 8 : y + 9, x - 8 : x + 9] |= squared < r * r
    return volume


def flood_input() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mask, labels, distances and markers of touching discs."""
    mask = blobs(4096, 1317, (12, 40))
    labels, _ = ns.segment.label(mask)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return mask, labels, distance, ns.segment.seeds(distance, labels, SEPARATION_PX)


def same_partition(ours: Any, peer: Any) -> None:
    a, b = ours[0].ravel(), peer.ravel().astype(np.int64)
    first = np.zeros(int(b.max()) + 1, np.int64)
    first[b] = a
    np.testing.assert_array_equal(first[b], a)
    assert ours[0].max() == b.max()


def same_maxima(ours: Any, peer: Any) -> None:
    np.testing.assert_array_equal(np.argwhere(ours), peer[np.lexsort(peer.T[::-1])])


def same_but_for_ties(ours: Any, peer: Any) -> None:
    assert np.array_equal(ours > 0, peer > 0)
    assert np.mean(ours[ours > 0] != peer[ours > 0]) < 5e-3


Case = tuple[str, str, Callable[[], tuple[Any, ...]], Callable[..., Any], Callable[..., Any], Callable[[Any, Any], None]]


def cases() -> list[Case]:
    found: list[Case] = []
    for name, make in (
        ("8192², 20,000 blobs", lambda: (blobs(8192, 20_000, (4, 16)),)),
        ("8192², noise p = 0.5", lambda: (noise(8192),)),
    ):
        for n in (8, 4):
            title = f"label, {name}, {n}-connected"
            ours = lambda mask, n=n: ns.segment.label(mask, n, threads=1)  # noqa: E731
            opencv = lambda mask, n=n: cv2.connectedComponents(mask, connectivity=n)[1]  # noqa: E731
            threaded = lambda mask, n=n: cc3d.connected_components(mask, connectivity=n)  # noqa: E731
            found.append((title, "OpenCV", make, ours, opencv, same_partition))
            found.append((title, "cc3d", make, ours, threaded, same_partition))
    for n in (26, 6):
        ours = lambda mask, n=n: ns.segment.label(mask, n, threads=1)  # noqa: E731
        peer = lambda mask, n=n: cc3d.connected_components(mask, connectivity=n)  # noqa: E731
        found.append((f"label, 512³, 20,000 blobs, {n}-connected", "cc3d", lambda: (balls(512, 20_000),), ours, peer, same_partition))

    side = 2 * SEPARATION_PX - 1
    found.append(
        (
            "seeds, 4096²",
            "scikit-image peak_local_max",
            flood_input,
            lambda mask, labels, distance, markers: ns.segment.seeds(distance, labels, SEPARATION_PX, threads=1),
            lambda mask, labels, distance, markers: feature.peak_local_max(
                distance, footprint=np.ones((side, side)), labels=labels, exclude_border=False
            ),
            same_maxima,
        )
    )
    found.append(
        (
            "watershed, 4096²",
            "scikit-image",
            flood_input,
            lambda mask, labels, distance, markers: ns.segment.watershed(distance, markers, mask, descending=True, threads=1),
            lambda mask, labels, distance, markers: segmentation.watershed(-distance, markers, mask=mask),
            same_but_for_ties,
        )
    )
    return found


def _growth(connection: Any, make: Callable[[], tuple[Any, ...]], run: Callable[..., Any]) -> None:
    inputs = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(*inputs)
    connection.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def peak_mib(make: Callable[[], tuple[Any, ...]], run: Callable[..., Any]) -> float:
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_growth, args=(send, make, run))
    process.start()
    grown = receive.recv()
    process.join()
    return float(grown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    chosen = [case for case in cases() if arguments.only in case[0]]
    # Forked before this process has grown: a fork's peak begins at its parent's size.
    memory = [(peak_mib(make, ours), peak_mib(make, peer)) for _, _, make, ours, peer, _ in chosen]
    print("| kernel (peer) | nanospa CPU s | peer CPU s | ratio | nanospa peak MiB | peer peak MiB |\n|---|---|---|---|---|---|")
    for (name, peer_name, make, ours, peer, check), grown in zip(chosen, memory, strict=True):
        inputs = make()
        check(ours(*inputs), peer(*inputs))
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(arguments.rounds):
            for run, times in zip((ours, peer), seconds, strict=True):
                start = time.process_time()
                result = run(*inputs)
                times.append(time.process_time() - start)
                del result
        a, b = (median(times) for times in seconds)
        print(f"| {name} ({peer_name}) | {a:.4f} | {b:.4f} | {b / a:.1f} | {grown[0]:.0f} | {grown[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
