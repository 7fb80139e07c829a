"""
A run and its report
====================

Many frames into one store: what ``nanospa run`` does, from Python. The run can be stopped and taken up again, and gives the same bits
whatever the number of workers.
"""

import tempfile
from pathlib import Path

import nanospa as ns

folder = Path(tempfile.mkdtemp())

# %%
# Settings
# --------
# As in a YAML file; what is not said has its default. Here the frames are simulated; images of your own go in with
# ``ns.pipeline.run(settings, store, images="folder/*.tif")``.
settings = ns.pipeline.Settings.from_mapping(
    {
        "simulate": {"populations": "slater2020", "shape": [512, 512], "n_frames": 8, "n_particles": 8},
        "segment": {"method": "auto"},
        "cluster": {"method": "gaussian_mixture", "options": {"n_clusters": 3}},
    }
)
summary = ns.pipeline.run(settings, folder / "run.zarr", scheduler="sync")
print(f"{summary.n_particles} particles in {summary.n_frames} frames, {summary.n_clusters} clusters")
print({name: round(value, 3) for name, value in summary.truth.items()})

# %%
# A second time there is nothing to do: what the journal holds with the same settings is skipped.
again = ns.pipeline.run(settings, folder / "run.zarr", scheduler="sync")
print(again.n_skipped)

# %%
# The store
# ---------
# A tree of xarray datasets; nothing is loaded before it is used.
run = ns.open(folder / "run.zarr")
print(list(run.children))
particles = run["particles"].to_dataset()
print(particles[["frame", "equivalent_diameter_nm", "cluster"]].to_dataframe().head())

# %%
# The report
# ----------
# One HTML file that can be mailed, and the same figures alone.
report = ns.report.report(folder / "run.zarr", folder / "report.html")
print(f"{report.name}: {report.stat().st_size / 1e6:.1f} MB")

labels = run["frames/stack_000/labels/particles/image"][0].to_numpy()
first = particles["frame"].to_numpy() == 0
frame = ns.report.frame_outlines(
    run["frames/stack_000/image"][0].to_numpy(),
    ns.measure.outlines(labels),
    clusters=particles["cluster"].to_numpy()[first],
    pixel_size_nm=0.2,
    title="first frame of the run",
)
