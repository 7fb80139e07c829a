"""Reconstructions of particles whose shape is known: how often the shape found is right, how near, and whether the verdict knows.

Every row is one data set with its own noise and orientations. "right": the symmetry assumed is the particle's, and the median angle to
the true orientations, modulo what cannot be known, is below 15°; where noise alone makes it larger, below 1.5 times that of a refinement
that began at the truth, plus 2°, if that itself is below 18°. Truth is used for this only.

Run: ``python benches/campaign_reconstruct.py all|table|verdict|flags [OUT.jsonl] [PROCESSES]``; rows already in OUT are not run again.
"""

import json
import multiprocessing
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import nanospa as ns

from tests.reconstruct import stacks

#: Shapes of the table: (name, symmetry, keywords of the stack).
SHAPES = {
    "star": ("star", "O", {}),
    "star (data, heterogeneous)": ("data:star", "O", {}),
    "cube (data)": ("data:cube", "O", {}),
    "octahedron": ("octahedron", "O", {}),
    "truncated octahedron": ("truncated_octahedron", "O", {}),
    "rod": ("rod", "D4", {"size_nm": 6.0}),
}
SNRS = (np.inf, 5.0, 1.0, 0.3)
SEEDS = range(10)


def cases(which):
    """Rows to compute: dictionaries of name, n, snr, seed, views, symmetry."""
    if which == "table":
        for seed, name, snr in product(SEEDS, SHAPES, SNRS):
            yield {"name": name, "n": 100, "snr": snr, "seed": seed}
        for seed, name, snr in product(SEEDS, ("star", "cube (data)"), (5.0, 1.0)):
            yield {"name": name, "n": 20, "snr": snr, "seed": seed}
    elif which == "verdict":
        for seed, name, snr in product(range(20, 28), ("star", "cube (data)", "octahedron", "truncated octahedron"), (0.1, 0.03)):
            yield {"name": name, "n": 100, "snr": snr, "seed": seed}
        for seed, name, snr in product(range(20, 28), ("star", "cube (data)", "octahedron", "truncated octahedron"), (1.0, 0.3)):
            yield {"name": name, "n": 20, "snr": snr, "seed": seed}
            yield {"name": name, "n": 60, "snr": snr, "seed": seed, "views": "biased"}
    elif which == "all":
        rows = [list(cases(name)) for name in ("table", "verdict", "flags")]
        # What is stopped early holds some of each.
        order = sorted((i / len(part), k, i) for k, part in enumerate(rows) for i in range(len(part)))
        yield from (rows[k][i] for _, k, i in order)
    elif which == "flags":
        for seed, snr in product(range(40, 44), (np.inf, 5.0, 1.0)):
            for aspect in (1.3, 2.0):
                yield {"name": "prism", "n": 100, "snr": snr, "seed": seed, "aspect": aspect}
            yield {"name": "decahedron", "n": 100, "snr": snr, "seed": seed}
            for mixture in ("star+cube", "cube+sphere", "octahedron+star"):
                yield {"name": mixture, "n": 100, "snr": snr, "seed": seed}
            for name in ("star", "cube", "truncated_octahedron", "octahedron"):
                yield {"name": name, "n": 100, "snr": snr, "seed": seed, "scales": 0.05}


def made(case):
    """Images of a case, its truth, and the symmetry to assume."""
    name, n, snr, seed = case["name"], case["n"], case["snr"], case["seed"]
    views = stacks.biased_rotations(n, seed, axis=(0.3, 0.2, 1.0), spread_deg=12, share=0.9) if case.get("views") == "biased" else None
    if "+" in name:
        a, b = name.split("+")
        wrong = round(0.3 * n)
        sizes = {"sphere": 12.0}
        both = [stacks.stack(a, n - wrong, seed=seed), stacks.stack(b, wrong, seed=seed + 1000, size_nm=sizes.get(b))]
        return stacks.mixed(both, snr=snr, seed=seed), "O", "O"
    if name in ("prism", "decahedron"):
        extra = {"aspect": case["aspect"], "size_nm": 9.0 / case["aspect"] ** (1 / 3)} if name == "prism" else {}
        return stacks.stack(name, n, snr=snr, seed=seed, **extra), "O", stacks.SYMMETRIES[name]
    shape, symmetry, extra = SHAPES.get(name, (name, "O", {}))
    if shape.startswith("data:"):
        return (
            stacks.data_stack(shape[5:], n, snr=snr, seed=seed, first=(seed * 37) % (200 - n) if views is None else 0),
            symmetry,
            symmetry,
        )
    return stacks.stack(shape, n, snr=snr, seed=seed, views=views, scales=case.get("scales"), **extra), symmetry, symmetry


def run(case):
    """One row."""
    from nanospa.reconstruct import align_orientations

    stack, symmetry, true_symmetry = made(case)
    began, cpu = time.perf_counter(), time.process_time()
    with ns.threads(1):
        found = ns.reconstruct.reconstruct(stack.images, pixel_size_nm=stack.pixel_size_nm, symmetry=symmetry, seed=case["seed"])
    row = {**case, "snr": None if np.isinf(case["snr"]) else case["snr"]}
    row |= {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    for name in (
        "verdict",
        "margin",
        "margin_z",
        "flags",
        "mean_correlation",
        "explained",
        "resolution_nm",
        "centrosymmetric",
        "volume_nm3",
    ):
        row[name] = found.attrs.get(name)
    row["true_volume_nm3"] = stack.volume_nm3 * float(np.mean(stack.scales**3))
    row["found_volume_nm3"] = float(found.attrs["volume_nm3"] * np.mean(found["scale"].to_numpy() ** 3))
    if "rotations" in found and len(set(stack.kinds)) == 1:
        two_fold = bool(found.attrs["centrosymmetric"])
        # A rod has no azimuth; a decahedron's mirrors leave its images as they are.
        group = "D72" if case["name"] == "rod" else true_symmetry
        aligned = align_orientations(found["rotations"].to_numpy(), stack.rotations, group, in_plane_two_fold=two_fold)
        row["angle_deg"] = float(aligned.median_deg)
        row["correlation"] = correlation(found["volume"].to_numpy(), stack.volume)
        spread = stack.scales.std() > 0
        row["size_rank"] = rank_correlation(found["scale"].to_numpy(), stack.scales) if spread else None
    allowed = 15.0
    if case["snr"] <= 0.1 and "angle_deg" in row:
        row["from_truth_deg"] = from_truth(stack, symmetry, case["seed"])
        allowed = max(allowed, 1.5 * row["from_truth_deg"] + 2) if row["from_truth_deg"] < 18 else allowed
    row["right"] = bool(row.get("angle_deg", 90) < allowed and symmetry == true_symmetry and "+" not in case["name"])
    return row


def from_truth(stack, symmetry, seed):
    """Median angle that a refinement started at the true poses ends with [deg]."""
    from nanospa.reconstruct import Poses, ReconstructSettings, align_orientations, prepare
    from nanospa.reconstruct.reconstruct import search_box
    from nanospa.reconstruct.refine import half_sets, refine
    from nanospa.reconstruct.starts import Model

    prepared, count = prepare(stack.images, pixel_size_nm=stack.pixel_size_nm), len(stack.images)
    box = search_box(prepared, ReconstructSettings(symmetry=symmetry))
    poses = Poses(stack.rotations, stack.shifts - prepared.shifts, np.ones(count), np.ones(count))
    refined = refine(box, Model(np.zeros((box.box,) * 3, np.float32), poses, "truth"), half_sets(count, seed))
    found = align_orientations(refined.model.poses.rotations, stack.rotations, symmetry, in_plane_two_fold=prepared.centrosymmetric)
    return float(found.median_deg)


def correlation(a, b):
    """Pearson's r of two volumes about the same axes."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def rank_correlation(a, b):
    """Spearman's rank correlation."""
    return float(np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1])


def key(row):
    """What makes a row the same."""
    names = ("name", "n", "snr", "seed", "views", "aspect", "scales")
    return json.dumps({name: None if row.get(name) == np.inf else row.get(name) for name in names})


def main():
    """Run what is missing, in order."""
    which = sys.argv[1]
    out = Path(sys.argv[2] if len(sys.argv) > 2 else f"campaign_{which}.jsonl")
    done = {key(json.loads(line)) for line in out.read_text().splitlines()} if out.exists() else set()
    missing = [case for case in cases(which) if key(case) not in done]
    with multiprocessing.get_context("spawn").Pool(int(sys.argv[3]) if len(sys.argv) > 3 else 2) as pool, out.open("a") as file:
        for row in pool.imap(run, missing):
            file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
