"""Sessions that image single particles."""

import numpy as np
import pytest

from tests.acquire.small_session import SMALL, of_kind, run
from tests.acquire.stand_in import StandIn

PARTICLES = {**SMALL, "target": "particles", "survey_shape": (256, 256), "particle_field_nm": 40.0, "survey_overlap": 0.2}


def test_single_particles_each_once():
    microscope = StandIn(density_per_um2=80, stage_error_nm=10, drift_nm_per_s=(0.02, 0.01), size_nm=(14, 22))
    events, frames = run(microscope, PARTICLES)
    images = [(f, e) for f, e in frames if e.kind == "image"]
    assert len(images) > 20
    centres = microscope.discs[:, :2]
    hit = []
    for frame, event in images:
        true = np.array([frame.metadata["true_y_nm"], frame.metadata["true_x_nm"]])
        distance = np.hypot(*(centres - true).T)
        assert distance.min() < 12, event.values
        hit.append(tuple(np.flatnonzero(distance < 12)))
        assert event.values["pixel_size_y_nm"] == pytest.approx(40 / 64)
    assert len(set(hit)) == len(hit)
    assert any(s["reason"] == "imaged in another survey" for s in of_kind(events, "skip"))
    selected = [p for s in of_kind(events, "survey") for p in s["particles"] if p["selected"]]
    assert len(selected) == len(images) + len(of_kind(events, "skip"))


def test_particles_per_survey_is_a_limit():
    events, _ = run(StandIn(density_per_um2=80), {**PARTICLES, "particles_per_survey": 2})
    assert [v["survey"] for v in of_kind(events, "image")] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_particles_on_a_zone_axis_are_preferred():
    def score(image, pixel_size_nm):
        assert image.shape == (32, 32) and pixel_size_nm == pytest.approx(40 / 32)
        return float(image.mean())

    plan = {**PARTICLES, "look_shape": (32, 32), "particles_per_survey": 3, "stage_y_um": (0, 0), "stage_x_um": (0, 0)}
    microscope = StandIn(density_per_um2=80)
    events, _ = run(microscope, plan, zone_axis=score)
    looks = [d for d in of_kind(events, "drift") if d["mode"] == "look"]
    assert len(looks) > 5
    best = sorted(looks, key=lambda d: -d["zone_axis"])[:3]
    assert [v["particle"] for v in of_kind(events, "image")] == [d["particle"] for d in best]
    assert len(of_kind(events, "skip")) == len(looks) - 3

    def on_axis(image, pixel_size_nm):
        return np.bool_(image.mean() > np.median([d["zone_axis"] for d in looks]))

    events, _ = run(StandIn(density_per_um2=80), {**plan, "particles_per_survey": None}, zone_axis=on_axis)
    yes = [d["particle"] for d in of_kind(events, "drift") if d.get("zone_axis") is True]
    assert 0 < len(yes) < len(looks)
    assert [v["particle"] for v in of_kind(events, "image")] == yes
