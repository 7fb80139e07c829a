"""Sessions that image single particles."""

import numpy as np
import pytest
from nanospa.acquire.plan import as_plan
from nanospa.acquire.session import Session

from tests.acquire.small_session import SMALL, of_kind, plainly, run
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


def resumed(seed, *, plan=PARTICLES, error_nm=25, drift=(0.0, 0.0)):
    """Offsets [nm] from the particle aimed at, and events, of what is taken after the stage has come back elsewhere."""
    options = {"density_per_um2": 80, "stage_error_nm": error_nm, "size_nm": (14, 22), "without": ["restore"], "seed": seed}
    options["drift_nm_per_s"] = drift
    events, frames = run(StandIn(**options), plan)
    n = next(e.number for e in events if e.kind == "drift" and e.values["mode"] == "image") + 1
    surveys = {e.values["survey"]: f.data for f, e in frames if e.kind == "survey"}
    microscope = StandIn(**options)
    # Later the stage errs in another way.
    microscope.state |= {"moves": 5, "clock": events[n - 1].values["clock_s"] + 60.0}
    rest, frames = run(microscope, plan, history=events[:n], load_survey=surveys.__getitem__)
    true = np.array([(f.metadata["true_y_nm"], f.metadata["true_x_nm"]) for f, e in frames if e.kind == "image"])
    return np.array([np.hypot(*(microscope.discs[:, :2] - at).T).min() for at in true]), events, n, rest, surveys, microscope


ONE = {**PARTICLES, "stage_x_um": (0, 0), "stage_y_um": (0, 0)}


@pytest.mark.parametrize("drift", [(0.0, 0.0), (0.05, -0.03)])
def test_after_an_interruption_the_particles_are_found_again(drift):
    for seed in range(3):
        offsets, events, n, rest, *_ = resumed(seed, plan=ONE, drift=drift)
        assert len(offsets) > 2 and (offsets < 8).mean() > 0.8, (seed, offsets)
        (back,) = [d for d in of_kind(rest, "drift") if d["mode"] == "return"]
        assert back["recovery"] and back["applied"] and np.hypot(back["dy_nm"], back["dx_nm"]) > 5
        images = [v["particle"] for v in of_kind([*events[:n], *rest], "image")]
        assert images == [v["particle"] for v in of_kind(events, "image")]
        # The drift that is written down is that of the specimen, without the stage's.
        rates = [d["rate_nm_per_min"] for d in of_kind(rest, "drift") if d["mode"] == "image"]
        assert np.median(rates) < (2.0 if drift == (0.0, 0.0) else 9.0)


def test_interrupted_again_the_shift_is_kept():
    _, events, n, rest, surveys, microscope = resumed(1, plan=ONE)
    history = plainly([*events[:n], *rest[:5]])
    steps = Session(as_plan(ONE)).steps()
    step = next(steps)
    for event in [*events[:n], *rest[:-1]]:
        if not event.values.get("recovery"):
            assert step.kind == event.kind
            if step.kind == "image":
                assert step.values["shift_y_nm"] == event.values["shift_y_nm"]
        step = steps.send(event)
    assert step.kind == "end"
    again, _ = run(microscope, ONE, history=history, load_survey=surveys.__getitem__)
    assert of_kind(again, "drift")[0]["mode"] == "return" and again[-1].kind == "end"
