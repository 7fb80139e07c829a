"""
Reconstruct a shape
===================

Sixty noisy images of etched octahedra ("stars"), each from a direction nobody knows, become one shape in 3D.
"""

import nanospa as ns
import numpy as np

# %%
# Images
# ------
# Particles of PtNi differ in size; each image is a projection with noise as strong as the signal's own variation (a ratio of 1). The truth
# is kept to look at afterwards.
pixel_size_nm, box, n = 0.6, 48, 60
rotations = [ns.simulate.random_rotation(np.random.default_rng([1, i])) for i in range(n)]
sizes = np.random.default_rng(2).normal(15, 1.0, n)
clean = np.stack(
    [
        ns.simulate.particle("star", size_nm=size, pixel_size_nm=pixel_size_nm, rotation=rotation, box_px=box)
        for size, rotation in zip(sizes, rotations, strict=True)
    ]
)
noise = clean[clean > 0.02 * clean.max()].std()
images = clean + noise * np.random.default_rng(3).standard_normal(clean.shape).astype(np.float32)
gallery = ns.report.cluster_gallery(images[:5], np.zeros(5, int), names={0: "stars"}, members={0: n}, pixel_size_nm=pixel_size_nm)

# %%
# Reconstruction
# --------------
# The symmetry of the shape is assumed: O, the rotations of a cube. The search has many starts, because a single one reaches the right
# shape in a third of the cases.
found = ns.reconstruct.reconstruct(images, pixel_size_nm=pixel_size_nm, symmetry="O", n_starts=16)
said = found.attrs
print(f"{said['verdict']}: margin {said['margin']:.4f}, z = {said['margin_z']:.1f}; flags: {', '.join(said['flags']) or 'none'}")
print(f"mean correlation {said['mean_correlation']:.3f}, resolution {said['resolution_nm']:.2f} nm")
true_nm3 = float(np.sum(ns.simulate.volume("star", size_nm=15, voxel_size_nm=0.3))) * 0.3**3
print(f"volume {said['volume_nm3']:.0f} nm³; of a star of 15 nm: {true_nm3:.0f} nm³")

# %%
# The model, and the truth below it, along the axes of the symmetry.
model = ns.report.isosurface(found["volume"].values, level=said["level"], pixel_size_nm=pixel_size_nm, symmetry="O", colour="#CC79A7")
truth_volume = ns.simulate.volume("star", size_nm=15, voxel_size_nm=pixel_size_nm, box_px=box, supersampling=4)
truth = ns.report.isosurface(truth_volume, level=0.5, pixel_size_nm=pixel_size_nm, symmetry="O", colour="#9AA3AD")

# %%
# Is it true?
# -----------
# A wrong shape can reproject well. What counts is how much better the images fit the model than its best rival; the rivals are what the
# other starts ended in, and what exchanging the axes of the symmetry gives.
starts = ns.report.start_scores(found)
curve = ns.report.fsc_curve(found)
directions = ns.report.orientation_map(found["rotations"].values, "O")

# %%
# Images beside what the model says they should look like.
compared = ns.report.reprojections(found, images)

# %%
# Sizes
# -----
# The size of each particle comes with its orientation.
ranks = [np.argsort(np.argsort(values)) for values in (found["scale"].values, sizes)]
print(f"rank correlation of the sizes found with the true ones: {np.corrcoef(*ranks)[0, 1]:.2f}")

# %%
# Other programs: MRC, STAR and MRCS for RELION and EMAN2, STL, GLB, tables.
print("\n".join(path.name for path in ns.report.export_reconstruction(found, "star_model", images=images, name="star")))
