"""The paper's session on the simulated microscope: 136 images of three populations, analysed meanwhile, beside the truth.

python benches/bench_session.py [--seeds 0 1] [--images 136] [--scheduler local]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path


def cpu_s() -> float:
    """CPU seconds of this process and its children that have ended."""
    return sum(u.ru_utime + u.ru_stime for u in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def main() -> None:
    from nanospa import pipeline, report
    from nanospa.io.store import open as open_store

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--images", type=int, default=136)
    parser.add_argument("--scheduler", default="local")
    given = parser.parse_args()
    columns = (
        "seed", "images", "instrument [s an image]", "wall [s]", "CPU [s]", "report [s]", "whole particles found [%]", "mean IoU", "false",
        "of the surveyed imaged [%]", "counted once [%]", "in clusters", "clusters", "purity [%]",
    )  # fmt: skip
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for seed in given.seeds:
        settings = {"acquire": {"microscope": "simulated", "options": {"specimen": "slater2020", "seed": seed}, "max_images": given.images}}
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "run.zarr"
            wall, cpu = time.perf_counter(), cpu_s()
            summary = pipeline.acquire(settings, store, scheduler=given.scheduler)
            wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
            shown = time.perf_counter()
            report.report(store, Path(folder) / "report.html")
            shown = time.perf_counter() - shown
            events = open_store(store)["acquisition"].to_dataset()
            seconds = float(events["clock_s"].values[-1] - events["clock_s"].values[0])
        truth = summary.truth
        print(
            f"| {seed} | {summary.n_frames} | {seconds / summary.n_frames:.1f} | {wall:.0f} | {cpu:.0f} | {shown:.0f} "
            f"| {100 * truth['found_fraction']:.1f} | {truth['mean_iou']:.3f} | {truth.get('n_false', float('nan')):.0f} "
            f"| {100 * truth['imaged_fraction']:.1f} | {100 * truth['counted_once_fraction']:.1f} "
            f"| {summary.n_in_clusters} | {summary.n_clusters} | {100 * truth.get('purity', float('nan')):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
