"""A whole frame at the settings of the preset "slater2020": segmentation and all properties of its particles.

Run `python benches/bench_whole_frame.py`; it prints a markdown table. Times are medians of the rounds; peak memory is that of a fresh
process above the frame it holds, as a multiple of the frame.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import nanospa as ns
import numpy as np

SIZE, PARTICLES = 4096, 500


def run(image: np.ndarray, threads: int) -> int:
    """Segments and measures; the number of regions."""
    with warnings.catch_warnings():
        # Here for its time; the preset's remarks on the frame do not matter.
        warnings.simplefilter("ignore", ns.errors.NanospaWarning)
        labels = ns.segment.segment(image, settings="slater2020", threads=threads)
    return int(ns.measure.measure(image, labels, pixel_size_nm=0.2, threads=threads).sizes["particle"])


def peak_frames(image: np.ndarray, threads: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/image.npy", image)
        command = [sys.executable, __file__, "--memory", folder, str(threads)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_peak(folder: str, threads: int) -> None:
    image = np.load(f"{folder}/image.npy")
    # Imports and first-call set-up are not the frame's memory.
    run(image[:1024, :1024].copy(), threads)
    # The high-water mark of what follows, reset here (Linux).
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_bytes("VmRSS")
    run(image, threads)
    print((resident_bytes("VmHWM") - before) / image.nbytes)


def resident_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        measure_peak(options.memory[0], int(options.memory[1]))
        return
    from bench_segment_filters import frame

    image = frame(SIZE, PARTICLES)["float32"]
    n = run(image, 1)
    assert n > 0.9 * PARTICLES, n
    print(f"{SIZE}² float32, {PARTICLES} spheres, {n} regions\n")
    print("| threads | wall s | CPU s | peak memory, frames |\n|---|---|---|---|")
    for threads in (1, 2):
        wall, cpu = [], []
        for _ in range(options.rounds):
            start, used = time.perf_counter(), time.process_time()
            assert run(image, threads) == n
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
        print(f"| {threads} | {statistics.median(wall):.3f} | {statistics.median(cpu):.3f} | {peak_frames(image, threads):.1f} |")


if __name__ == "__main__":
    main()
