"""A small session in memory, and ways to look at its events."""

import json

import nanospa as ns

SMALL = {
    "stage_x_um": (0.0, 0.4),
    "stage_y_um": (0.0, 0.4),
    "survey_field_nm": 400.0,
    "survey_shape": (128, 128),
    "survey_overlap": 0.15,
    "tiles": 2,
    "image_shape": (64, 64),
    "focus_every": 0,
}


def run(microscope, plan, **keywords):
    frames = []
    events = list(ns.acquire.acquire(microscope, plan, on_frame=lambda frame, event: frames.append((frame, event)), **keywords))
    return events, frames


def plainly(events, *, times=True):
    """Events as the journal keeps them; without what an interruption may change."""
    records = json.loads(json.dumps([event.as_dict() for event in events]))
    return records if times else [{**r, "state": None} for r in records]


def of_kind(events, kind):
    return [event.values for event in events if event.kind == kind]
