"""
Group particles
===============

Gold spheres, palladium cubes and platinum-nickel stars in one specimen are told apart by their properties.
"""

import nanospa as ns
import numpy as np
import xarray as xr

# %%
# A population
# ------------
settings = ns.segment.SegmentSettings(
    method="threshold",
    background="tophat",
    background_size_px=301,
    gaussian_sigma_px=1.5,
    threshold="triangle",
    polarity="bright",
    watershed=True,
    erosion_radius_px=8,
    seed_separation_px=20,
    min_area_px=200,
)
frames = list(ns.simulate.frames(30, shape=(512, 512), populations="slater2020", n_particles=9, seed=7))
labels, tables, images, truth = [], [], [], []
for index, simulated in enumerate(frames):
    found = ns.segment.segment_with_report(simulated.image, settings=settings).labels
    table = ns.measure.measure(simulated.image, found, pixel_size_nm=simulated.pixel_size_nm)
    labels.append(found)
    tables.append(table.assign(frame=("particle", np.full(table.sizes["particle"], index))))
    images.append(ns.measure.particle_images(simulated.image, found, box_px=160))
    names = np.full(found.max() + 1, "no particle", dtype=object)
    names[ns.simulate.match(simulated.labels, found).found] = simulated.table["population"]
    truth += list(names[1:])
particles = xr.concat(tables, "particle")
print(f"{particles.sizes['particle']} particles, {int(particles['touches_border'].sum())} of them cut by the border: they take no part")

# %%
# DBSCAN, its parameters scanned
# ------------------------------
# The scan looks for as many particles as possible in clusters that are large enough for a reconstruction and not mixed. A star marks the
# set it takes; the truth is known here, and purity is the share of the most frequent population.
scan = ns.cluster.scan(particles, method="dbscan", features=("area", "intensity_max", "solidity"))
print(ns.cluster.quality(particles, scan["cluster"], truth=truth)[["members", "population", "purity"]].to_dataframe().round(2))
scan_figure = ns.report.scan_plot(scan)

# %%
# Gold is apart, palladium and platinum-nickel are not: their densities run into each other, and with some sixty particles of each there is
# no valley between them that could not be chance.
#
# A mixture of three normal distributions
# ---------------------------------------
# Knowing that there are three kinds, it separates them.
clusters = ns.cluster.cluster(particles, method="gaussian_mixture", n_clusters=3, features=("area", "intensity_max", "solidity"))
print(ns.cluster.quality(particles, clusters, truth=truth)[["members", "population", "purity", "silhouette"]].to_dataframe().round(2))

# %%
# The features, two and three at a time.
plane = ns.report.scatter(particles, ("area", "intensity_max"), clusters=clusters)
space = ns.report.scatter(particles, ("area", "intensity_max", "solidity"), clusters=clusters)

# %%
# The first five images of each cluster.
gallery = ns.report.cluster_gallery(np.concatenate(images), clusters, pixel_size_nm=frames[0].pixel_size_nm)

# %%
# Back in the frame
# -----------------
# Outlines in the colour of the cluster, grey for particles in none.
place = int(np.argmax([table.sizes["particle"] for table in tables]))
frame = ns.report.frame_outlines(
    frames[place].image,
    ns.measure.outlines(labels[place]),
    clusters=clusters[particles["frame"].to_numpy() == place],
    pixel_size_nm=frames[place].pixel_size_nm,
)
