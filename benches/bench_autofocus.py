"""Coarse autofocus on random fields of the simulated microscope, against the truth.

    python benches/bench_autofocus.py --fields 200 --first-seed 1000

Every field is a place of its own specimen, up to 10 µm from its middle, with the stage just arrived (so that it creeps); the focus starts
up to 80 nm off. A field counts as empty where its film is hole, as film where no particle reaches into it. "Worse" are fields whose
noise-free sharpness is lower than at the start by more than 1 %. The truth is used for scoring only.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import nanospa as ns
import numpy as np
import pandas as pd

FIELD_M = 100e-9
SHAPE = (512, 512)
DWELL_S = 5e-6
PIXEL_NM = FIELD_M * 1e9 / SHAPE[0]

#: Specimens: a preset and what is changed, and how many fields of it, in units of --fields.
SPECIMENS: dict[str, tuple[str, dict[str, Any], float]] = {
    "random fields": ("slater2020", {}, 1.0),
    "bare film": ("empty", {}, 0.25),
    "bare film without grain": ("empty", {"grain": 0.0}, 0.25),
    "no film": ("empty", {"carbon_nm": 0.0}, 0.25),
}


def focus_field(preset: str, changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """One autofocus."""
    rng = np.random.default_rng((seed, 77))
    specimen = ns.simulate.VirtualSpecimen(preset, seed=seed, **changes)
    microscope = ns.acquire.connect("simulated", specimen=specimen, seed=seed)
    y, x = rng.uniform(-10e-6, 10e-6, 2)
    microscope.set_stage_position(x=float(x), y=float(y))
    microscope.set_field_of_view(FIELD_M)
    frames: list[Any] = []
    in_images = 0.0

    def image_at(defocus_nm: float) -> Any:
        nonlocal in_images
        start = time.process_time()
        microscope.set_defocus(defocus_nm * 1e-9)
        frames.append(microscope.acquire("HAADF", shape=SHAPE, dwell_time=DWELL_S)["HAADF"])
        in_images += time.process_time() - start
        return frames[-1].data

    truth = float(specimen.height_nm(y * 1e9, x * 1e9))
    offset = float(rng.uniform(-80, 80))
    start = time.process_time()
    result = ns.acquire.autofocus(image_at, start_nm=truth + offset, pixel_size_nm=PIXEL_NM)
    seconds = time.process_time() - start - in_images
    # The place that the field truly had; the stage errs.
    centre = tuple(1e9 * c for c in microscope.true_centre(frames[-1]))
    truth = float(specimen.height_nm(*centre))
    labels, _ = microscope.truth(frames[-1])

    def clean(defocus_nm: float) -> Any:
        return specimen.image(centre_nm=centre, pixel_size_nm=PIXEL_NM, shape=SHAPE, defocus_nm=defocus_nm)

    at_start, at_end = clean(result.start_nm), clean(result.defocus_nm)
    film = float((at_start > 0.2 * specimen.settings.carbon_nm * ns.simulate.MATERIALS["C"].scattered_per_nm).mean())
    before, after = (ns.acquire.sharpness(image) for image in (at_start, at_end))
    return {
        "holds": "a particle" if labels.any() else "film" if film > 0.05 and specimen.settings.carbon_nm > 0 else "nothing",
        "start_error_nm": result.start_nm - truth,
        "error_nm": result.defocus_nm - truth,
        "verdict": result.verdict,
        "worse": after < 0.99 * before,
        "images": len(result.samples_nm),
        "seconds": seconds,
    }


def row(name: str, table: pd.DataFrame) -> list[object]:
    error = table["error_nm"].abs()
    verdicts = table["verdict"].value_counts()
    return [
        name,
        len(table),
        ", ".join(f"{verdicts[v]} {v}" for v in ns.acquire.VERDICTS if v in verdicts),
        f"{table['start_error_nm'].abs().median():.0f}",
        f"{error.median():.1f}",
        f"{error.quantile(0.95):.1f}",
        f"{100 * (error <= 10).mean():.1f}",
        int(table["worse"].sum()),
        f"{table['images'].mean():.1f}",
        f"{1000 * table['seconds'].median():.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--misses", action="store_true", help="also name the fields that end more than 10 nm off")
    chosen = parser.parse_args()
    print(
        "| fields | n | verdicts | start off, median [nm] | end off, median [nm] | 95 % [nm] | within 10 nm [%] | worse | images | CPU ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, (preset, changes, share) in SPECIMENS.items():
        seeds = range(chosen.first_seed, chosen.first_seed + max(1, round(share * chosen.fields)))
        table = pd.DataFrame([focus_field(preset, changes, seed) for seed in seeds], index=seeds)
        rows = [row(name, table)]
        if table["holds"].nunique() > 1:
            rows += [row(f"… that hold {kind}", part) for kind, part in table.groupby("holds")]
            rows += [row("… that hold a particle or film", table[table["holds"] != "nothing"])]
        for values in rows:
            print("| " + " | ".join(str(v) for v in values) + " |", flush=True)
        if chosen.misses:
            print(table[(table["error_nm"].abs() > 10) | table["worse"]].to_string())


if __name__ == "__main__":
    main()
