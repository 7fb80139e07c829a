"""Segmentation and clustering of the simulated mixture against its truth.

    python benches/bench_truth.py --seeds 1000 1001 1002 --frames 136

For every way to segment and every seed: which share of the whole true particles is found (intersection over union above 0.5), the mean
intersection over union of those found, regions that are no particle, and, of the measured particles, the clusters of the automatic scan:
how many of the particles are in clusters of at least 20 members and how pure the least pure of them is. A region that matches no
particle counts as an impurity. The truth is used for scoring only.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import nanospa as ns
import numpy as np
import pandas as pd

#: Ways to segment: settings and what is changed.
WAYS: dict[str, dict[str, object]] = {
    "auto": {"settings": "auto"},
    "slater2020 (Li)": {"settings": "slater2020"},
    # Triangle follows the background: in frames without a bright particle specks of noise pass, far smaller than any particle.
    "slater2020, triangle threshold": {"settings": "slater2020", "threshold": "triangle", "min_area_px": 200},
}


def series(seed: int, n_frames: int, ways: list[str]) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], dict[str, float]]:
    """Measured particles (with the matched population) and true particles (with their IoU) of a series, and CPU seconds a frame."""
    measured: dict[str, list[pd.DataFrame]] = {way: [] for way in ways}
    true: dict[str, list[pd.DataFrame]] = {way: [] for way in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for i, frame in enumerate(ns.simulate.frames(n_frames, settings="slater2020", seed=seed)):
        for way in ways:
            start = time.process_time()
            labels = ns.segment.segment(frame.image, **WAYS[way])
            seconds[way] += time.process_time() - start
            match = ns.simulate.match(frame.labels, labels)
            rows = frame.table.assign(frame=i, iou=match.iou, found=match.found > 0, n_false=0)
            true[way].append(rows)
            table = ns.measure.measure(frame.image, labels, pixel_size_nm=frame.pixel_size_nm).drop_dims("radius").to_dataframe()
            population = pd.Series("none", index=range(int(labels.max()) + 1), dtype=object)
            population.iloc[match.found[match.found > 0]] = frame.table["population"].to_numpy()[match.found > 0]
            measured[way].append(table.assign(frame=i, truth=population.iloc[table["label"].to_numpy()].to_numpy()))
    tables = {way: pd.concat(measured[way], ignore_index=True) for way in ways}
    return tables, {way: pd.concat(true[way], ignore_index=True) for way in ways}, {w: s / n_frames for w, s in seconds.items()}


def segmentation(table: pd.DataFrame, true: pd.DataFrame) -> dict[str, object]:
    whole = true[~true["touches_border"]]
    touching = whole[whole["touches_particle"]]
    inner = table[~table["touches_border"]]
    return {
        "whole true particles": len(whole),
        "found [%]": f"{100 * whole['found'].mean():.1f}",
        "of touching ones [%]": f"{100 * touching['found'].mean():.1f}",
        "mean IoU": f"{whole.loc[whole['found'], 'iou'].mean():.3f}",
        "mean IoU, misses as 0": f"{np.where(whole['found'], whole['iou'], 0).mean():.3f}",
        "false regions": int((inner["truth"] == "none").sum()),
    }


def clusters(table: pd.DataFrame, settings: ns.cluster.ClusterSettings) -> Iterator[tuple[str, dict[str, object]]]:
    """The automatic choice, and each scanned method alone."""
    truth = table["truth"].to_numpy()
    found = ns.cluster.cluster_with_report(table, settings=settings, truth=truth)
    chosen = {f"best ({found.method})": found.labels} | {m: s["cluster"].to_numpy() for m, s in found.scans.items()}
    for name, labels in chosen.items():
        figures = ns.cluster.quality(table, labels, settings.features, truth, log=settings.logarithms)
        part = figures.attrs["n_clustered"] / (figures.attrs["n_clustered"] + figures.attrs["n_outliers"])
        purity = figures["purity"].to_numpy()
        yield (
            name,
            {
                "particles": figures.attrs["n_clustered"] + figures.attrs["n_outliers"],
                "in clusters [%]": f"{100 * part:.1f}",
                "clusters": purity.size,
                "least pure [%]": f"{100 * purity.min():.1f}" if purity.size else "–",
                "members": ", ".join(
                    f"{n} {p}" for n, p in zip(figures["members"].to_numpy(), figures["population"].to_numpy(), strict=True)
                ),
            },
        )


def markdown(rows: list[dict[str, object]]) -> str:
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(row[h]) for h in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1000, 1001, 1002])
    parser.add_argument("--frames", type=int, default=136)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--save", help="folder for the measured tables, to look at them later")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ns.errors.NanospaWarning)
    found, grouped = [], []
    for seed in arguments.seeds:
        tables, true, seconds = series(seed, arguments.frames, arguments.ways)
        for way in arguments.ways:
            found.append(
                {"segmentation": way, "seed": seed} | segmentation(tables[way], true[way]) | {"CPU s a frame": f"{seconds[way]:.2f}"}
            )
            for name, row in clusters(tables[way], ns.cluster.PRESETS["auto"]):
                grouped.append({"segmentation": way, "seed": seed, "clustering": name} | row)
            if arguments.save:
                tables[way].to_pickle(f"{arguments.save}/{way.split(' (')[0].replace(', ', '-').replace(' ', '-')}-{seed}.pkl")
        print(f"seed {seed} done", flush=True)
    print(markdown(found), markdown(grouped), sep="\n\n")


if __name__ == "__main__":
    main()
