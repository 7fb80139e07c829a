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
frames = list(ns.simulate.frames(24, shape=(512, 512), populations="slater2020", n_particles=9, seed=7))
labels, tables, images, truth = [], [], [], []
for index, simulated in enumerate(frames):
    labels.append(ns.segment.segment(simulated.image, settings="slater2020", clear_border=False))
    table = ns.measure.measure(simulated.image, labels[-1], pixel_size_nm=simulated.pixel_size_nm)
    tables.append(table.assign(frame=("particle", np.full(table.sizes["particle"], index))))
    images.append(ns.measure.particle_images(simulated.image, labels[-1], box_px=160))
    names = np.append("", simulated.table["population"])
    centres = table[["centroid_y_px", "centroid_x_px"]].to_array().round().astype(int).to_numpy()
    truth += list(names[simulated.labels[tuple(centres)]])
particles = xr.concat(tables, "particle")
print(f"{particles.sizes['particle']} particles")

# %%
# Scan the parameters of DBSCAN
# -----------------------------
# For as many particles as possible in clusters that are large enough for a reconstruction and not mixed. Particles cut by the border
# take no part.
scan = ns.cluster.scan(particles, method="dbscan", features=("area", "intensity_max", "solidity"))
clusters = scan["cluster"].to_numpy()
print(f"{clusters.max() + 1} clusters, {(clusters >= 0).mean():.0%} of the particles in them, {scan.attrs['best_parameters']}")
scan_figure = ns.report.scan_plot(scan)

# %%
# What is in them
# ---------------
# The truth is known here: purity is the share of the most frequent population.
quality = ns.cluster.quality(particles, clusters, truth=truth)
print(quality[["members", "population", "purity", "silhouette"]].to_dataframe().round(2))

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
