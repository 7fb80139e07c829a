"""
Six clusterings of one mixture
==============================

The paper groups the particles of a mixture of Au spheres, Pd cubes and PtNi stars in six ways. Here they are on a simulated mixture, where
the population of every particle is known: how many particles are in clusters, and how pure the clusters are.

The script looks at 40 frames; ``python plot_six_clusterings.py 136`` takes as many as the paper, in about a minute more.
"""

import sys
import warnings

import nanospa as ns
import numpy as np
import pandas as pd

n_frames = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 40

# %%
# Simulate, segment, measure
# --------------------------
# The paper's segmentation with one change: the triangle threshold, which follows the background, with a smallest area against specks of
# noise. Li's lies between the bright Au and the rest and cuts the faint edges off. The truth is matched by intersection over union and
# used for the scores only.
# That some regions are smaller than the erosion is no news here.
warnings.simplefilter("ignore", ns.errors.NanospaWarning)
tables = []
for simulated in ns.simulate.frames(n_frames, settings="slater2020", seed=1):
    labels = ns.segment.segment(simulated.image, settings="slater2020", threshold="triangle", min_area_px=200)
    table = ns.measure.measure(simulated.image, labels, pixel_size_nm=simulated.pixel_size_nm).drop_dims("radius").to_dataframe()
    match = ns.simulate.match(simulated.labels, labels)
    population = np.full(labels.max() + 1, "none", dtype=object)
    population[match.found[match.found > 0]] = simulated.table["population"].to_numpy()[match.found > 0]
    tables.append(table.assign(truth=population[table["label"]]))
particles = pd.concat(tables, ignore_index=True)
print(f"{len(particles)} particles in {n_frames} frames:", particles["truth"].value_counts().to_dict())

# %%
# The six ways
# ------------
# K-means is told the number of clusters; DBSCAN and OPTICS are scanned for the parameters that put most particles into clusters of 20 to
# 200 members, the range the paper chose by hand.
three, all_properties = ns.cluster.PAPER_FEATURES, ns.cluster.ALL_FEATURES
kmeans = {"K-means, 3, all": (3, all_properties), "K-means, 3, three": (3, three), "K-means, 4, all": (4, all_properties)}
scanned = {"DBSCAN, three": ("dbscan", three), "DBSCAN, all": ("dbscan", all_properties), "OPTICS, all": ("optics", all_properties)}

ways = {name: (ns.cluster.cluster(particles, method="kmeans", features=f, n_clusters=k), f) for name, (k, f) in kmeans.items()}
for name, (method, features) in scanned.items():
    scan = ns.cluster.scan(particles, method=method, features=features, members=(20, 200), above="reject")
    ways[name] = (scan["cluster"].to_numpy(), features)

# %%
# The automatic choice of nanospa, for comparison: the best of DBSCAN, OPTICS and HDBSCAN on its own features, where a cluster above 200
# members counts if it does not fall into two.
automatic = ns.cluster.cluster_with_report(particles, settings="auto")
ways["automatic"] = (automatic.labels, ns.cluster.AUTO_FEATURES)

rows = []
for name, (groups, features) in ways.items():
    figures = ns.cluster.quality(particles, groups, features, particles["truth"])
    rows.append(
        {
            "clustering": name,
            "clusters": figures.attrs["n_clusters"],
            "members": " ".join(map(str, figures["members"].values)),
            "in clusters [%]": round(100 * figures.attrs["n_clustered"] / len(particles), 1),
            "outliers": figures.attrs["n_outliers"],
            "purity [%]": round(100 * figures.attrs["purity"], 1),
            "least pure [%]": round(100 * float(figures["purity"].min()), 1) if figures.attrs["n_clusters"] else None,
        }
    )
print(pd.DataFrame(rows).to_string(index=False))

# %%
# In the paper
# ------------
# K-means put everything into clusters that mixed the populations; reconstructions from them did not have the particles' shapes. DBSCAN on
# the three properties gave 9 clusters (1 Pd, 5 PtNi, 3 Au) with 547 of the 1,337 particles, 41 %, in them; clusters of fewer than about
# 20 members were too small to reconstruct. The mixture here is ours: sizes and shapes vary less, and no particle is damaged, so that the
# populations are further apart than in the real sample.
#
# Maximum intensity and solidity, as in the paper's figures 3 and 6:
dataset = particles.to_xarray().rename(index="particle")
for name in ("intensity_max", "solidity"):
    dataset[name].attrs["long_name"] = name.replace("_", " ")
kmeans_figure = ns.report.scatter(dataset, ("intensity_max", "solidity"), clusters=ways["K-means, 3, all"][0])
dbscan_figure = ns.report.scatter(dataset, ("intensity_max", "solidity"), clusters=ways["DBSCAN, three"][0])
automatic_figure = ns.report.scatter(dataset, ("intensity_max", "solidity"), clusters=ways["automatic"][0])
