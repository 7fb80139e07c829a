"""
Measure a population
====================

From frames to a size distribution with confidence intervals.
"""

import nanospa as ns
import numpy as np
import xarray as xr

# %%
# Frames, labels, one table
# -------------------------
tables = []
for index, simulated in enumerate(ns.simulate.frames(12, shape=(512, 512), populations="slater2020", n_particles=8, seed=5)):
    labels = ns.segment.segment(simulated.image, settings="slater2020", threshold="triangle", gaussian_sigma_px=1.5, min_area_px=200)
    table = ns.measure.measure(simulated.image, labels, pixel_size_nm=simulated.pixel_size_nm)
    tables.append(table.assign(frame=("particle", np.full(table.sizes["particle"], index))))
particles = xr.concat(tables, "particle")
print(particles[["frame", "equivalent_diameter_nm", "circularity", "solidity", "intensity_max"]].to_dataframe().head().round(3))

# %%
# Every column says its unit and what it is.
print(particles["feret_max_nm"].attrs)

# %%
# Size distribution
# -----------------
# Intervals follow from the sample; the log-normal fit comes with a test of whether it fits. Here it does not: the population is a mixture.
sizes = particles["equivalent_diameter_nm"].to_numpy()
figures = ns.measure.population(sizes)
for name in ("D10", "D50", "D90", "mean"):
    print(f"{name:>4}: {figures[name]:5.2f} nm ({figures[name + '_low']:5.2f} to {figures[name + '_high']:5.2f})")
print(f"Anderson-Darling p = {figures['lognormal_p']:.2g}")


def interval(name):
    return figures[name], figures[f"{name}_low"], figures[f"{name}_high"]


by_number = ns.report.distribution(
    sizes,
    title="equivalent diameter [nm]",
    lognormal={"mu": interval("lognormal_mu"), "sigma": interval("lognormal_sigma")},
    marks={name: interval(name) for name in ("D10", "D50", "D90")},
)

# %%
# By volume the large particles decide.
by_volume = ns.report.distribution(sizes, title="equivalent diameter [nm]", weights=sizes**3)
