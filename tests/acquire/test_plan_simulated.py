"""A session on the simulated microscope: what is imaged, where it says it is, and that it goes on after an interruption."""

import json

import nanospa as ns
import numpy as np
import pandas as pd
import pytest

#: Two by two surveys; coarser than the preset, for speed.
PLAN = {
    "stage_x_um": (0.0, 0.62),
    "stage_y_um": (0.0, 0.62),
    "survey_shape": (384, 384),
    "tiles": 3,
    "image_shape": (384, 384),
    "focus_shape": (256, 256),
    "focus_field_nm": 60.0,
}


def session(plan=PLAN, *, history=(), surveys=(), **options):
    microscope = ns.acquire.connect("simulated", **options)
    frames = []
    keywords = {
        "history": history,
        "load_survey": dict(surveys).__getitem__,
        "on_frame": lambda frame, event: frames.append((frame, event)),
    }
    events = list(ns.acquire.acquire(microscope, plan, **keywords))
    return microscope, events, frames


@pytest.fixture(scope="module")
def done():
    return session(seed=3)


@pytest.fixture(scope="module")
def truth(done):
    """True particles of every frame, with the place that the event gives each."""
    microscope, _, frames = done
    tables = []
    for frame, event in frames:
        _, table = microscope.truth(frame)
        v = event.values
        for axis, side in (("y", "height_px"), ("x", "width_px")):
            table[f"place_{axis}_nm"] = v[f"stage_{axis}_um"] * 1e3 + (table[f"{axis}_px"] - (v[side] - 1) / 2) * v[f"pixel_size_{axis}_nm"]
        tables.append(table.assign(kind=event.kind, event=event.number))
    return pd.concat(tables)


def test_nearly_all_particles_are_whole_in_an_image(truth):
    whole = truth[~truth.touches_border]
    seen = set(whole.id[whole.kind == "survey"])
    imaged = set(whole.id[whole.kind == "image"])
    assert len(seen) > 200
    assert len(seen & imaged) >= 0.95 * len(seen)


def test_a_particle_has_one_place_whatever_image_it_is_in(truth):
    whole = truth[(truth.kind == "image") & ~truth.touches_border]
    places = whole.groupby("id")[["place_y_nm", "place_x_nm"]]
    several = places.count().place_y_nm > 1
    assert several.sum() > 20
    assert (places.max() - places.min())[several].max().max() < 3.0
    # One offset for the whole session: that of the first survey's stage position.
    error = whole[["place_y_nm", "place_x_nm"]].to_numpy() - whole[["y_nm", "x_nm"]].to_numpy()
    assert np.abs(error - np.median(error, axis=0)).max() < 4.0


def test_the_stage_was_wrong_by_more(done):
    _, events, _ = done
    surveys = [event.values for event in events if event.kind == "survey"]
    assert len(surveys) == 4
    wrong = [np.hypot(s["stage_y_um"] - s["read_y_um"], s["stage_x_um"] - s["read_x_um"]) * 1e3 for s in surveys]
    assert max(wrong) > 10


def test_images_are_in_focus(done):
    microscope, _, frames = done
    specimen = ns.simulate.VirtualSpecimen("slater2020", seed=3)
    error = []
    for frame, event in frames:
        if event.kind == "image":
            y, x = microscope.true_centre(frame)
            error.append(abs(event.values["defocus_nm"] - float(specimen.height_nm(y * 1e9, x * 1e9))))
    # The specimen is tilted and bumpy; one focus serves a survey of 683 nm.
    assert np.median(error) < 15 and max(error) < 45


def test_interrupted_by_faults_and_killed_it_ends_as_if_it_had_not_been():
    plan = {**PLAN, "stage_y_um": (0.0, 0.0), "max_images": 11, "image_shape": (128, 128)}
    options = {
        "seed": 5,
        "faults": [{"kind": "timeout", "at": 5}, {"kind": "stage_stall", "at": 3}, {"kind": "detector", "at": 20, "times": 2}],
    }
    _, whole, frames = session(plan, **options)
    assert [e.values["error"] for e in whole if e.kind == "fault"] == ["acquisition_timeout", "detector", "detector", "stage"]
    surveys = [(e.values["survey"], f.data) for f, e in frames if e.kind == "survey"]
    for n in (1, 3, 7, len(whole) - 4):
        history = json.loads(json.dumps([event.as_dict() for event in whole[:n]]))
        _, rest, rest_frames = session(plan, history=history, surveys=surveys, **options)
        assert [e.as_dict() for e in rest] == [e.as_dict() for e in whole[n:]]
        assert all(
            np.array_equal(a.data, b.data) for (a, _), (b, _) in zip(rest_frames, frames[len(frames) - len(rest_frames) :], strict=True)
        )


def test_single_particles_at_atomic_resolution():
    plan = {
        "preset": "atomic",
        "stage_x_um": (0.0, 0.0),
        "stage_y_um": (0.0, 0.0),
        "particles_per_survey": 3,
        "fine_focus_shape": (256, 256),
        "fine_focus_field_nm": 12.0,
        "focus_shape": (256, 256),
        "look_shape": (256, 256),
    }
    microscope = ns.acquire.connect("simulated", specimen="atomic", seed=1)
    frames = []

    def spots(image, pixel_size_nm):
        return float(ns.acquire.lattice_sharpness(image, pixel_size_nm=pixel_size_nm))

    events = list(ns.acquire.acquire(microscope, plan, zone_axis=spots, on_frame=lambda f, e: frames.append((f, e))))
    images = [(f, e) for f, e in frames if e.kind == "image"]
    looks = {e.values["particle"]: e.values["zone_axis"] for e in events if e.kind == "drift" and e.values["mode"] == "look"}
    assert len(images) == 3 < len(looks)
    assert [e.values["particle"] for _, e in images] == sorted(looks, key=lambda p: -looks[p])[:3]
    for frame, event in images:
        _, table = microscope.truth(frame)
        # The particle is in the middle, and whole; two that touch are one thing in the survey, with its middle between them.
        distance = np.hypot(table.y_px - 255.5, table.x_px - 255.5) * event.values["pixel_size_y_nm"]
        assert distance.min() < 3 and not table.touches_border[distance.idxmin()]
        assert event.values["pixel_size_y_nm"] < 0.06
    assert [e.values["mode"] for e in events if e.kind == "focus"].count("fine") == 3
