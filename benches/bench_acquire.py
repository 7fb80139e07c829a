"""Image formation of the simulated microscope: a survey, a tile, focus images and an image of atoms, first and again.

Run `python benches/bench_acquire.py`; it prints a markdown table. CPU seconds on one thread; "first" is a place never seen before (its
particles are drawn and projected), "again" the same place, in medians of the rounds. The peer of `detect` is numpy's generator.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import nanospa as ns
import numpy as np

#: Electrons a pixel of 13 pA in a microsecond.
ELECTRONS_PER_US = 81.1

#: Preset, field [nm], pixels, defocus [nm], dwell time [µs], largest CPU seconds wished for.
SCENES = {
    "survey, 683 nm": ("slater2020", 683.0, 512, 0.0, 5.0, 0.2),
    "tile, 205 nm": ("slater2020", 205.0, 1024, 0.0, 20.0, 0.2),
    "focus image, 100 nm, in focus": ("slater2020", 100.0, 512, 0.0, 5.0, 0.06),
    "focus image, 100 nm, 80 nm out of focus": ("slater2020", 100.0, 512, 80.0, 5.0, 0.06),
    "atoms, 25 nm": ("atomic", 25.0, 1024, 0.0, 20.0, 0.2),
}


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def numpy_detect(fraction: np.ndarray, electrons: float, rng: np.random.Generator) -> np.ndarray:
    counts = rng.poisson(fraction * electrons) + 1.5 * rng.standard_normal(fraction.shape, dtype=np.float32)
    return np.rint(400 + 25 * counts).clip(0, 65535).astype(np.uint16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| image | particles | first, CPU s | again, CPU s | detection, CPU s | numpy's, CPU s | target, first and detection |")
    print("|---|---|---|---|---|---|---|")
    for name, (preset, field, n, defocus, dwell, target) in SCENES.items():
        first, again, ours, peer, particles = [], [], [], [], []
        for k in range(rounds):
            specimen = ns.simulate.VirtualSpecimen(preset, seed=k, density_per_um2=480.0, aggregation=0.1, hole_share=0.0)
            # The survey has drawn its particles before its tiles are taken: that is no part of a tile's time.
            table = specimen.particles(-400, -400, 400, 400)
            middle = table.iloc[len(table) // 2]
            scan = {"centre_nm": (middle["y_nm"], middle["x_nm"]), "pixel_size_nm": field / n, "shape": (n, n)}
            focus = float(specimen.height_nm(*scan["centre_nm"])) + defocus
            first.append(cpu_seconds(lambda: specimen.image(**scan, defocus_nm=focus, threads=1)))  # noqa: B023
            again.append(cpu_seconds(lambda: specimen.image(**scan, defocus_nm=focus, threads=1)))  # noqa: B023
            fraction = specimen.image(**scan, defocus_nm=focus, threads=1)
            electrons, rng = ELECTRONS_PER_US * dwell, np.random.default_rng(k)
            ours.append(cpu_seconds(lambda: ns.simulate.detect(fraction, electrons_per_pixel=electrons, seed_key=k, threads=1)))  # noqa: B023
            peer.append(cpu_seconds(lambda: numpy_detect(fraction, electrons, rng)))  # noqa: B023
            a, b = ns.simulate.detect(fraction, electrons_per_pixel=electrons, seed_key=k), numpy_detect(fraction, electrons, rng)
            assert abs(float(a.mean()) - float(b.mean())) < 0.01 * float(b.mean()), "same distribution"
            particles.append(len(specimen.truth(**scan)[1]))
        medians = [statistics.median(values) for values in (particles, first, again, ours, peer)]
        print(f"| {name}, {n}² | {medians[0]:.0f} |" + "".join(f" {v:.3f} |" for v in medians[1:]) + f" {target} |")


if __name__ == "__main__":
    main()
