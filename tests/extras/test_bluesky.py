"""The devices under bluesky's own RunEngine, on the simulated microscope."""

import threading

import nanospa as ns
import numpy as np
import pytest
from nanospa.acquire import Region
from nanospa.acquire.bluesky import BlueskyMicroscope
from nanospa.acquire.drivers.template import TemplateMicroscope
from nanospa.errors import (
    AcquisitionTimeout,
    InvalidValueError,
    MicroscopeError,
    StageLimitError,
    UnknownNameError,
)

from tests.extras.optional import optional

pytestmark = pytest.mark.extras
bluesky = optional("bluesky")
bp = optional("bluesky.plans")
bps = optional("bluesky.plan_stubs")
protocols = optional("bluesky.protocols")
bluesky_utils = optional("bluesky.utils")
event_model = optional("event_model")

SCAN = {"shape": (64, 96), "dwell_time": 1e-6}


@pytest.fixture(scope="module")
def engine():
    return bluesky.RunEngine({}, call_returns_result=True)


@pytest.fixture
def stem():
    with BlueskyMicroscope(lambda: ns.acquire.connect("simulated", seed=2), name="stem") as devices:
        yield devices


@pytest.fixture
def documents(engine):
    """Documents of the runs of one test, each checked against its schema."""
    seen = []

    def keep(name, document):
        kind = event_model.DocumentNames[name]
        event_model.schema_validators[kind].validate(event_model.sanitize_doc(document))
        seen.append((name, document))

    token = engine.subscribe(keep)
    yield seen
    engine.unsubscribe(token)


def of(documents, name):
    return [document for kind, document in documents if kind == name]


def test_devices_follow_the_protocols(stem):
    haadf = stem.detector("HAADF", **SCAN)
    for device in (stem.x, stem.defocus, haadf):
        assert isinstance(device, protocols.Readable) and isinstance(device, protocols.Configurable)
        assert isinstance(device, protocols.HasHints) and isinstance(device, protocols.HasParent)
    for device in (stem.x, stem.y, stem.z, stem.defocus, stem.field_of_view):
        assert isinstance(device, protocols.NamedMovable) and isinstance(device, protocols.Locatable)
        assert isinstance(device, protocols.Checkable) and isinstance(device, protocols.Stoppable)
    assert isinstance(haadf, protocols.Triggerable)
    status = stem.x.set(1e-6)
    assert isinstance(status, protocols.Status)
    status.wait(60)
    assert status.done and status.success and status.exception() is None


def test_a_grid_scan(engine, documents, stem):
    frames = []
    haadf = stem.detector("HAADF", **SCAN, on_frame=frames.append)
    engine(bp.grid_scan([haadf], stem.y, 0.0, 2e-6, 3, stem.x, 0.0, 1e-6, 2, snake_axes=True))
    (start,), (descriptor,), events = of(documents, "start"), of(documents, "descriptor"), of(documents, "event")
    assert start["shape"] == (3, 2) and len(events) == 6
    image = descriptor["data_keys"]["stem_HAADF_image"]
    assert image["shape"] == [64, 96] and image["dtype"] == "array" and image["units"] == "counts"
    assert descriptor["data_keys"]["stem_x"]["units"] == "m"
    assert descriptor["hints"]["stem_HAADF"] == {"fields": ["stem_HAADF_mean"]}
    assert descriptor["configuration"]["stem_HAADF"]["data"]["stem_HAADF_dwell_time"] == 1e-6
    targets = [(y, x) for i, y in enumerate((0.0, 1e-6, 2e-6)) for x in ((0.0, 1e-6) if i % 2 == 0 else (1e-6, 0.0))]
    for target, event, frame in zip(targets, events, frames, strict=True):
        data = event["data"]
        assert (data["stem_y_setpoint"], data["stem_x_setpoint"]) == pytest.approx(target)
        assert (data["stem_y"], data["stem_x"]) == pytest.approx(target, abs=0.5e-6)
        assert (data["stem_HAADF_centre_y"], data["stem_HAADF_centre_x"]) == frame.centre
        np.testing.assert_array_equal(data["stem_HAADF_image"], frame.data)
        assert np.dtype(image["dtype_numpy"]) == frame.data.dtype and data["stem_HAADF_mean"] == frame.data.mean()
    images = [event["data"]["stem_HAADF_image"] for event in events]
    assert all(not np.array_equal(a, b) for i, a in enumerate(images) for b in images[:i]), "six places, six images"
    assert of(documents, "stop")[0]["exit_status"] == "success"


def test_images_are_those_the_microscope_gives_by_itself(engine, documents):
    """Through bluesky or without it: the same commands give the same images, bit for bit."""
    direct = ns.acquire.connect("simulated", seed=5)
    expected = []
    direct.set_stage_position(x=1e-6)
    direct.set_defocus(30e-9)
    for _ in range(2):
        expected.append(direct.acquire("HAADF", **SCAN, region=Region(0.25, 0.25, 0.5, 0.75))["HAADF"].data)
    with BlueskyMicroscope(lambda: ns.acquire.connect("simulated", seed=5), name="stem") as stem:
        haadf = stem.detector("HAADF", **SCAN, region=Region(0.25, 0.25, 0.5, 0.75), blank=False)

        def plan():
            yield from bps.mv(stem.x, 1e-6, stem.defocus, 30e-9)
            yield from bp.count([haadf], num=2)

        engine(plan())
    for image, event in zip(expected, of(documents, "event"), strict=True):
        np.testing.assert_array_equal(event["data"]["stem_HAADF_image"], image)


def test_counts_with_settings_and_configuration(engine, documents, stem):
    haadf = stem.detector("HAADF", **SCAN)

    def plan():
        yield from bps.mv(stem.field_of_view, 200e-9, stem.defocus, -20e-9)
        yield from bps.configure(haadf, {"shape": (32, 32), "dwell_time": 2e-6})
        yield from bp.count([haadf, stem.defocus, stem.field_of_view], num=2)
        return (yield from bps.rd(stem.defocus))

    assert engine(plan()).plan_result == pytest.approx(-20e-9)
    for event in of(documents, "event"):
        assert event["data"]["stem_HAADF_image"].shape == (32, 32)
        assert event["data"]["stem_HAADF_pixel_size_y"] == pytest.approx(200e-9 / 32)
        assert event["data"]["stem_HAADF_defocus"] == event["data"]["stem_defocus"] == pytest.approx(-20e-9)
    configuration = of(documents, "descriptor")[0]["configuration"]["stem_HAADF"]
    assert configuration["data"]["stem_HAADF_dwell_time"] == 2e-6
    assert configuration["data_keys"]["stem_HAADF_dwell_time"]["units"] == "s"


def test_a_target_outside_the_limits_ends_the_run_and_moves_nothing(engine, documents, stem):
    before, beyond = stem.x.position, 1.1 * stem.x.limits[1]
    with pytest.raises(StageLimitError, match="stem_x: expected a value from"):
        stem.x.check_value(beyond)
    with pytest.raises(InvalidValueError, match="stem_x: expected a finite number"):
        stem.x.check_value(float("nan"))
    with pytest.raises(bluesky_utils.FailedStatus) as raised:
        engine(bp.scan([stem.detector("HAADF", **SCAN)], stem.x, before, beyond, 2))
    assert isinstance(raised.value.__cause__, StageLimitError)
    assert stem.x.position == pytest.approx(before, abs=1e-7)
    assert len(of(documents, "event")) == 1 and of(documents, "stop")[0]["exit_status"] == "fail"


def test_a_fault_of_the_instrument_reaches_the_plan(engine, documents):
    faults = [{"kind": "timeout", "at": 2, "times": 1}]
    with BlueskyMicroscope(lambda: ns.acquire.connect("simulated", faults=faults), name="stem") as stem:
        haadf = stem.detector("HAADF", **SCAN)
        with pytest.raises(bluesky_utils.FailedStatus) as raised:
            engine(bp.count([haadf], num=3))
        assert isinstance(raised.value.__cause__, AcquisitionTimeout)
        assert len(of(documents, "event")) == 1
        with pytest.raises(MicroscopeError, match="trigger the detector first"):
            haadf.read()
        engine(bp.count([haadf]))
        assert len(of(documents, "event")) == 2, "the fault has passed"


def test_a_run_that_was_paused_goes_on(engine, documents, stem):
    haadf = stem.detector("HAADF", **SCAN)

    def plan():
        yield from bps.open_run()
        for x in (0.0, 0.5e-6):
            yield from bps.checkpoint()
            yield from bps.mv(stem.x, x)
            if x > 0 and not of(documents, "event")[1:]:
                yield from bps.trigger_and_read([haadf, stem.x])
                yield from bps.pause()
            yield from bps.trigger_and_read([haadf, stem.x])
        yield from bps.close_run()

    with pytest.raises(bluesky_utils.RunEngineInterrupted):
        engine(plan())
    engine.resume()
    assert of(documents, "stop")[0]["exit_status"] == "success"
    assert [event["data"]["stem_x_setpoint"] for event in of(documents, "event")][-1] == 0.5e-6
    engine(bp.count([haadf]))


def test_the_beam_is_blanked_between_images():
    microscope = TemplateMicroscope()
    microscope.connect()
    with BlueskyMicroscope(microscope, name="toy") as toy:
        seen = []
        toy.detector("HAADF", **SCAN, on_frame=lambda frame: seen.append(microscope._instrument.blanked)).trigger().wait(10)
        assert microscope._instrument.blanked
        microscope.set_beam_blanked(False)
        toy.detector("BF", **SCAN, blank=False).trigger().wait(10)
        assert not microscope._instrument.blanked
    assert microscope.get_stage_position().x == 0.0, "a microscope that was handed over stays open"


def test_two_microscopes_in_one_run_and_no_thread_left(engine, documents):
    callers = set()

    def made(name):
        microscope = TemplateMicroscope()
        microscope.connect()
        callers.add((name, threading.current_thread().name))
        return microscope

    with BlueskyMicroscope(lambda: made("a"), name="a") as a, BlueskyMicroscope(lambda: made("b"), name="b") as b:
        detectors = [a.detector("HAADF", **SCAN), b.detector("HAADF", **SCAN)]
        engine(bp.inner_product_scan(detectors, 3, a.x, 0.0, 1e-6, b.x, 0.0, -1e-6))
        assert (a.x.position, b.x.position) == pytest.approx((1e-6, -1e-6))
    assert callers == {("a", "nanospa-a_0"), ("b", "nanospa-b_0")}
    assert len(of(documents, "event")) == 3
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("nanospa-")]
    with pytest.raises(MicroscopeError, match="a: expected open devices"):
        a.x.read()
    a.close()
    with pytest.raises(MicroscopeError):
        a.microscope.get_stage_position()


def test_axes_and_detectors_are_those_there_are():
    microscope = TemplateMicroscope()
    microscope.connect()
    with BlueskyMicroscope(microscope, name="toy") as toy:
        assert not hasattr(toy, "alpha") and toy.z.limits == (-300e-6, 300e-6)
        with pytest.raises(UnknownNameError, match="expected names out of HAADF BF"):
            toy.detector("EDX", **SCAN)
        with pytest.raises(InvalidValueError):
            toy.detector("HAADF", shape=(0, 4), dwell_time=1e-6)
        with pytest.raises(MicroscopeError, match="expected settings out of"):
            toy.detector("HAADF", **SCAN).configure({"dwel": 1.0})
    with pytest.raises(MicroscopeError, match="no such port"):
        BlueskyMicroscope(_raising)


def _raising():
    raise MicroscopeError("no such port")
