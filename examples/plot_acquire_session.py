"""
An unattended session on a simulated microscope
===============================================

The stage goes over a raster; at every position the focus is found, a survey is taken, and those of its tiles that hold particles are
imaged. Every step is an event, and the events alone say what was done and why.
"""

import nanospa as ns
import numpy as np
import xarray as xr

# %%
# A microscope
# ------------
# Every driver is found by name and follows one protocol. The simulated one has a specimen without end, drift, a stage that misses its
# targets, and a clock of its own: nothing sleeps. Faults can be ordered; here the stage stalls once and an image never comes.
faults = [{"kind": "stage_stall", "at": 4}, {"kind": "timeout", "at": 40}]
microscope = ns.acquire.connect("simulated", specimen="slater2020", seed=3, faults=faults)
print(microscope.name, sorted(microscope.capabilities))
microscope.set_defocus(60e-9)  # somebody left it 60 nm out of focus; drivers use SI units

# %%
# A plan
# ------
# The preset of the paper, made small: two by two positions, nine tiles each, images of 512 pixels.
plan = {
    "preset": "slater2020",
    "stage_y_um": (0.0, 0.4),
    "stage_x_um": (0.0, 0.4),
    "survey_field_nm": 500.0,
    "survey_overlap": 0.2,
    "survey_shape": (256, 256),
    "tiles": 3,
    "image_shape": (512, 512),
    "focus_shape": (256, 256),
    "max_images": 24,
}
surveys: list[np.ndarray] = []
images: list[np.ndarray] = []


def keep(frame, event):
    """Called with every survey and image before the microscope moves on: the place to save them."""
    (surveys if event.kind == "survey" else images).append(frame.data)


events = list(ns.acquire.acquire(microscope, plan, on_frame=keep))
for event in events[:8]:
    values = event.values
    print(f"{values['clock_s']:7.1f} s  {event.kind:7} {values.get('verdict') or values.get('message') or ''}")
print("…", events[-1].kind, dict(events[-1].values))

# %%
# What was done
# -------------
# The events as tables: one row an event, a survey, a tile, a sample of a focus curve.
tables = ns.acquire.event_tables(events)
history, tiles = tables["acquisition"], tables["tiles"].to_dataframe()
print(tiles.groupby(["state", "reason"]).size())
instrument_s = float(history["clock_s"].max())
print(f"{len(images)} images of {len(surveys)} surveys, {instrument_s / max(1, len(images)):.0f} s of the instrument an image, all in")

# %%
# The map of the stage: surveys, the path between them, the tiles that were imaged.
stage = ns.report.stage_map(tables["tiles"], tables["survey_table"], history, surveys)

# %%
# Sharpness against defocus, with the Gaussian that was fitted. The stall and the missing image cost time, and nothing else.
focus = ns.report.focus_curves(tables["focus_curves"])
times = ns.report.image_times(history)

# %%
# Going on after an interruption
# ------------------------------
# The events of an interrupted session are enough to go on with it: what they tell is not done again. Here the first twenty are handed
# to a new microscope, which ends where the other one did.
again = ns.acquire.connect("simulated", specimen="slater2020", seed=3, faults=faults)
rest = list(ns.acquire.acquire(again, plan, history=events[:20], load_survey=lambda number: surveys[number]))
print(f"{len(rest)} events were left; the same clock at the end: {rest[-1].values['clock_s'] == events[-1].values['clock_s']}")
xr.testing.assert_identical(ns.acquire.event_tables([*events[:20], *rest])["tiles"], tables["tiles"])
