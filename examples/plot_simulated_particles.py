"""
Simulated particles and frames
==============================

Six shapes, each as the exact thickness the beam passes, and a HAADF frame of a mixture with its truth.
"""

import nanospa as ns
import numpy as np

# %%
# The shapes
# ----------
# `particle` gives the projected thickness in nm. Five random directions of each shape:
rng = np.random.default_rng(4)
shapes = list(ns.simulate.SHAPES)
views = [
    ns.simulate.particle(shape, size_nm=12, pixel_size_nm=0.2, rotation=ns.simulate.random_rotation(rng))
    for shape in shapes
    for _ in range(5)
]
for shape, view in zip(shapes, views[::5], strict=True):
    print(f"{shape:>20}: {view.shape[0]:3} × {view.shape[1]:3} px, at most {view.max():5.2f} nm thick")

# %%
# On one box size `cluster_gallery` shows them on one scale.
box = max(side for view in views for side in view.shape)


def centred(view):
    top, left = (box - view.shape[0]) // 2, (box - view.shape[1]) // 2
    return np.pad(view, ((top, box - view.shape[0] - top), (left, box - view.shape[1] - left)))


gallery = ns.report.cluster_gallery(
    [centred(view) for view in views], np.repeat(np.arange(len(shapes)), 5), names=dict(enumerate(shapes)), pixel_size_nm=0.2
)

# %%
# A frame and its truth
# ---------------------
# Frame *i* of a series depends on the seed and on *i* only, so that any frame can be made again alone.
simulated = ns.simulate.frame(shape=(512, 512), populations="slater2020", n_particles=12, seed=2)
populations = simulated.table["population"].to_numpy()
names, numbers = np.unique(populations, return_inverse=True)
print({str(name): int((numbers == i).sum()) for i, name in enumerate(names)})
frame = ns.report.frame_outlines(
    simulated.image, ns.measure.outlines(simulated.labels), clusters=numbers, pixel_size_nm=simulated.pixel_size_nm, title="true outlines"
)
