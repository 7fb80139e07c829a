"""
How real a simulated image looks
================================

A simulated image beside a real one, and two figures that do not depend on brightness and contrast: how sharp the edges of the particles
are, and how much noise there is on them. Real images are no part of nanospa: where the folder of the test data is not present
(``NANOSPA_TEST_DATA``, or ``shared/data`` beside the repository) the simulated image stands alone.

The real image is ``PtCo.jpg`` of Genc et al., Ultramicroscopy 271 (2025) 114116, a HAADF image of PtCo particles on carbon, 8 bit, without
pixel size.
"""

import os
from pathlib import Path

import nanospa as ns
import numpy as np
from matplotlib.figure import Figure

# %%
# The real image, where there is one
# ----------------------------------
starts = (Path(os.environ.get("NANOSPA_TEST_DATA", "shared/data")), Path("../shared/data"), Path("../../shared/data"))
found = [folder / "arda_stem" / "images" / "PtCo.jpg" for folder in starts if (folder / "arda_stem" / "images" / "PtCo.jpg").is_file()]
images = {}
if found:
    # The bright bar at its lower edge is the microscope's.
    images["real (PtCo on carbon)"] = ns.io.read(found[0]).to_numpy().astype(np.float32)[:600, :600]
else:
    print("the real image is not here: the simulated one stands alone")

# %%
# A specimen like it
# ------------------
# Round particles of 3 to 14 nm on a film of carbon with holes. How large the real particles are is not known, nor dose and probe. 0.2 nm a
# pixel was assumed; size, probe, dose, thickness of the carbon and the part of the specimen that is shown were chosen with the real image
# in view, so that both look alike. The picture shows that the simulation can look like this, it predicts nothing.
particles = ns.simulate.Population(
    name="PtNi", shape="sphere", material="PtNi", size_nm=8.0, size_std_nm=2.5, size_range_nm=(3.0, 14.0), stretch_std=0.1
)
specimen = ns.simulate.VirtualSpecimen(
    seed=4,
    populations=(particles,),
    density_per_um2=1700.0,
    aggregation=0.5,
    aggregation_length_nm=120.0,
    touching=0.5,
    carbon_nm=60.0,
    slow_variation=0.2,
    slow_length_nm=60.0,
    hole_diameter_nm=150.0,
    hole_share=0.25,
)
pixel_nm = 0.2
probe = ns.simulate.Probe(sigma_nm=0.3, convergence_rad=0.01)
fraction = specimen.image(centre_nm=(0.0, 0.0), pixel_size_nm=pixel_nm, shape=(600, 600), probe=probe)
counts = ns.simulate.detect(fraction, electrons_per_pixel=5_000, seed_key=1)
images["simulated (PtNi on carbon)"] = counts.astype(np.float32)

# %%
# Edges and noise
# ---------------
# Brightness and contrast of an 8-bit picture are arbitrary, so both images are asked what does not depend on them: the mean intensity of
# round particles above their surroundings, from the centre outwards, and the noise on them, as a share of that intensity.
profiles = {}
for name, image in images.items():
    labels = ns.segment.segment(image)
    table = ns.measure.measure(image, labels, pixel_size_nm=None)
    rounded = (table["solidity"] > 0.93) & (table["aspect_ratio"] < 1.25) & ~table["touches_border"] & (table["area_px"] > 300)
    rows = np.flatnonzero(rounded.to_numpy())
    radial = table["radial_profile"].to_numpy()[rows]
    profiles[name] = (table["radius"].to_numpy(), np.nanmean(radial / radial[:, :1], axis=0))
    inside = np.isin(labels, table["label"].to_numpy()[rows])
    rough = image - ns.segment.gaussian(image, 2.0)
    above = float((table["intensity_mean"] - table["local_background"]).to_numpy()[rows].mean())
    print(f"{name}: {rows.size} round particles, noise of a pixel {100 * rough[inside].std() / above:.1f} % of their intensity")

# %%
# A ball is as thick as the curve in the middle; blur rounds its edge. What the simulation lacks is seen in the picture: real particles
# also lie on top of each other and are facetted, and real carbon is no smooth film.
figure = Figure(figsize=(4.2 * (len(images) + 1), 4.2), layout="constrained")
panels = figure.subplots(1, len(images) + 1)
for axes, (name, image) in zip(panels, images.items(), strict=False):
    axes.imshow(image, cmap="gray", vmin=np.percentile(image, 0.3), vmax=np.percentile(image, 99.7))
    axes.set(title=name, xticks=[], yticks=[])
for name, (radius, profile) in profiles.items():
    panels[-1].plot(radius, profile, marker="o", markersize=3, label=name)
r = np.linspace(0, 1, 200)
panels[-1].plot(r, np.sqrt(1 - r**2), "k--", linewidth=1, label="ball, no blur")
panels[-1].set(xlabel="distance from the centre / outermost pixel", ylabel="intensity above the surroundings", ylim=(0, None))
panels[-1].legend(frameon=False)
