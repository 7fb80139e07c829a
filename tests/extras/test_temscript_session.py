"""A whole unattended session through the temscript driver: it does not notice that the instrument is turned, mirrored, and has steps."""

import dataclasses
import json

import nanospa as ns
import numpy as np
import pytest
from nanospa.acquire import Plan, image_shift
from nanospa.acquire.drivers.temscript import TemscriptMicroscope
from nanospa.testing import check_microscope

from tests.extras.stem_null import CALIBRATED, StemOverGrid

pytestmark = pytest.mark.extras

PLAN = Plan(
    stage_x_um=(0.2, 0.9),
    stage_y_um=(0.1, 0.1),
    image_shape=(512, 512),
    image_dwell_time_s=10e-6,
    focus_shape=(512, 512),
    settle_s=0.0,
    max_images=8,
)


@pytest.fixture(scope="module")
def specimen():
    return ns.simulate.VirtualSpecimen("slater2020", seed=4)


@pytest.fixture(scope="module")
def session(specimen):
    microscope = TemscriptMicroscope(instrument=StemOverGrid(specimen), **{**CALIBRATED, "beam_current": 13e-12})
    microscope.connect()
    frames = []
    events = list(ns.acquire.acquire(microscope, PLAN, on_frame=lambda frame, event: frames.append((frame, event))))
    microscope.close()
    return events, frames


def test_the_calibrated_driver_keeps_the_contract(specimen):
    """With images to look at: every matrix is the right way round."""

    def connect(**changed):
        microscope = TemscriptMicroscope(instrument=StemOverGrid(specimen), **{**CALIBRATED, **changed})
        microscope.connect()
        return microscope

    settings = {"shape": (256, 256), "dwell_time": 4e-6, "contrast": True}
    check_microscope(connect, **settings)
    for changed in ({"stage_matrix": ((0.8, 0.6), (-0.6, 0.8))}, {"beam_shift_matrix": ((0.0, -1.0), (1.0, 0.0))}, {"scan_rotation": 1.8}):
        with pytest.raises(AssertionError, match="images_lie_where_they_say"):
            check_microscope(lambda wrong=changed: connect(**wrong), **settings)


def test_it_goes_to_its_end(session):
    events, frames = session
    kinds = [event.kind for event in events]
    assert kinds[-1] == "end" and "fault" not in kinds
    assert kinds.count("image") == 8 and kinds.count("survey") >= 1 and kinds.count("focus") >= 1
    assert len(frames) == kinds.count("image") + kinds.count("survey")
    assert next(e for e in events if e.kind == "focus").values["verdict"] == "fitted"


def test_it_goes_on_after_an_interruption(session, specimen):
    """The state of an instrument cannot be set back: a new connection moves to the last place, focuses, and takes what is left."""
    events, frames = session
    cut = [event.number for event in events if event.kind == "image"][4] + 1
    history = [json.loads(json.dumps(dataclasses.asdict(event))) for event in events[:cut]]
    surveys = [frame.data for frame, event in frames if event.kind == "survey"]
    instrument = StemOverGrid(specimen)
    instrument.set_stage_position(x=1e-4, y=-2e-4)
    instrument.set_beam_blanked(True)
    microscope = TemscriptMicroscope(instrument=instrument, **{**CALIBRATED, "beam_current": 13e-12})
    microscope.connect()
    rest = list(ns.acquire.acquire(microscope, PLAN, history=history, load_survey=lambda survey: surveys[survey]))
    images = [event for event in [*events[:cut], *rest] if event.kind == "image"]
    assert rest[-1].kind == "end" and not [event for event in rest if event.kind == "fault"]
    assert len(images) == len({(e.values["survey"], e.values["tile"]) for e in images}) == 8
    assert [event.number for event in rest] == list(range(cut, cut + len(rest)))


def test_every_image_shows_the_place_it_names(session, specimen):
    """Against the specimen itself, imaged where the frame says it lies."""
    compared = 0
    for frame, event in session[1]:
        pixel_nm = frame.pixel_size[0] * 1e9
        centre_nm = (frame.centre[0] * 1e9, frame.centre[1] * 1e9)
        expected = specimen.image(centre_nm=centre_nm, pixel_size_nm=pixel_nm, shape=frame.data.shape)
        dy, dx, _ = image_shift(expected, frame.data, reference_pixel_size_nm=pixel_nm)
        if np.isfinite(dy):
            assert max(abs(dy), abs(dx)) < 2 * pixel_nm, event
            compared += 1
    assert compared >= 8
