"""
Segment an image
================

One frame, from pixels to outlines: with the paper's settings, and step by step with the same kernels.
"""

import nanospa as ns
import numpy as np

# %%
# A frame
# -------
# Simulated, so that the truth is known; `nanospa.io.read` gives the same from a file.
simulated = ns.simulate.frame(shape=(768, 768), populations="slater2020", n_particles=16, touching=0.25, seed=11)
image = simulated.image

# %%
# In one call
# -----------
# `slater2020` is top-hat, Gaussian, Li threshold, watershed. Here particles at the border stay.
found = ns.segment.segment_with_report(image, settings="slater2020", clear_border=False)
print(f"{found.labels.max()} particles, {found.polarity} ones, threshold {found.threshold:.1f}")

first = ns.report.frame_outlines(image, ns.measure.outlines(found.labels), pixel_size_nm=simulated.pixel_size_nm, title="Li")

# %%
# How good is it?
# ---------------
# The overlap of every true particle with its region, as intersection over union. One Li threshold for bright gold and faint palladium
# lies too high for the palladium: every particle is found, but the faint ones too small. The triangle method finds the foot of the
# background's histogram instead.
for threshold in ("li", "triangle"):
    labels = ns.segment.segment(image, settings="slater2020", clear_border=False, threshold=threshold)
    matched = ns.simulate.match(simulated.labels, labels)
    is_found = matched.found > 0
    print(f"{threshold:>8}: {is_found.sum()} of {is_found.size} found, mean IoU {matched.iou[is_found].mean():.3f}")

better = ns.report.frame_outlines(image, ns.measure.outlines(labels), pixel_size_nm=simulated.pixel_size_nm, title="triangle")

# %%
# Step by step
# ------------
# The same kernels one after the other.
flat = ns.segment.gaussian(ns.segment.tophat(image, 301), 1.0)
mask = flat > ns.segment.threshold(flat, "triangle")
distance = ns.segment.distance_transform(ns.segment.erode(mask, 10))
regions, n_regions = ns.segment.label(mask)
markers = ns.segment.seeds(distance, regions, 20)
labels = ns.segment.watershed(-distance, markers, mask)
print(f"{n_regions} regions, {markers.max()} seeds, {np.unique(labels[labels > 0]).size} particles")
