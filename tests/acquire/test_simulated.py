"""Images of the simulated microscope: geometry, dose, detector, distortions, time."""

import doctest
import math
import sys

import nanospa as ns
import numpy as np
import pytest
from nanospa.acquire import Region, SimulatedSettings
from nanospa.acquire.drivers.drift import Drift
from nanospa.acquire.drivers.simulated import SimulatedMicroscope
from nanospa.errors import InvalidValueError, MicroscopeError, UnknownNameError
from nanospa.testing import check_microscope

from tests.acquire.blob_specimen import FLAWLESS, BlobSpecimen, peak_place

UM, NM = 1e-6, 1e-9
#: So many electrons that noise does not matter, in a detector that can count them.
BRIGHT = {"beam_current": 1e-9, "detector_gain": 5.0, "detector_offset": 0.0, "read_noise": 0.0}


def flawless(places=((0.0, 0.0),), **options):
    specimen = BlobSpecimen(places)
    return ns.acquire.connect("simulated", specimen=specimen, **{**FLAWLESS, **BRIGHT, **options}), specimen


def take(microscope, shape=(128, 128), dwell_time=1e-6, **more):
    return microscope.acquire("HAADF", shape=shape, dwell_time=dwell_time, **more)["HAADF"]


def test_pixel_size_and_centre_are_true():
    microscope, _ = flawless(places=((1030.0, 1980.0),))
    microscope.set_field_of_view(200 * NM)
    microscope.set_stage_position(x=2 * UM, y=1 * UM)
    microscope.set_beam_shift(x=15 * NM, y=-5 * NM)
    frame = take(microscope, shape=(100, 200), region=Region(y=0.3, x=0.1, height=0.6, width=0.5))
    assert frame.pixel_size == pytest.approx((1.2 * NM, 0.5 * NM))
    assert frame.centre == pytest.approx((1 * UM - 5 * NM + 20 * NM, 2 * UM + 15 * NM - 30 * NM))
    assert frame.centre == pytest.approx(microscope.true_centre(frame))
    assert peak_place(frame) == pytest.approx((1030 * NM, 1980 * NM), abs=0.05 * NM)


@pytest.mark.parametrize("rotation", [0.0, 0.3, -2.0])
def test_rotated_scan_turns_about_the_middle_of_the_field(rotation):
    microscope, specimen = flawless()
    microscope.set_field_of_view(100 * NM)
    microscope.set_stage_position(x=40 * NM)
    region = Region(y=0.5, x=0.25, height=0.25, width=0.5)
    frame = take(microscope, shape=(16, 32), region=region, rotation=rotation)
    y, x = specimen.asked[-1]["y"], specimen.asked[-1]["x"]
    # Twin: places of the full field's pixels, turned about the axis.
    down = (np.arange(64) - 31.5)[32:48, None] * 100 / 64
    along = (np.arange(64) - 31.5)[None, 16:48] * 100 / 64
    assert np.abs(x - (40 + along * math.cos(rotation) - down * math.sin(rotation))).max() < 1e-9
    assert np.abs(y - (along * math.sin(rotation) + down * math.cos(rotation))).max() < 1e-9
    assert frame.centre == pytest.approx((y.mean() * NM, x.mean() * NM))


def test_region_is_the_crop_of_the_full_field():
    microscope, specimen = flawless(places=((-20.0, 10.0), (25.0, 30.0)))
    microscope.set_field_of_view(120 * NM)
    full = take(microscope, shape=(256, 256))
    part = take(microscope, shape=(128, 64), region=Region(y=0.25, x=0.5, height=0.5, width=0.25))
    for axis in ("y", "x"):
        assert specimen.asked[1][axis] == pytest.approx(specimen.asked[0][axis][64:192, 128:192], abs=1e-9)
    crop = full.data[64:192, 128:192].astype(float)
    # Two noises of the square root of the electrons each.
    noise = np.sqrt(5 * 2 * crop)
    assert np.mean((part.data - crop) ** 2 / noise**2) == pytest.approx(1.0, rel=0.05)


def test_region_of_a_grid_shows_what_the_field_shows():
    options = {"seed": 3, **FLAWLESS, **BRIGHT, "detector_gain": 20.0}
    microscope = ns.acquire.connect("simulated", specimen={"preset": "slater2020", "hole_share": 0.0}, **options)
    microscope.set_field_of_view(400 * NM)
    full = take(microscope, shape=(256, 256))
    part = take(microscope, shape=(192, 192), region=Region(y=0.125, x=0.25, height=0.375, width=0.375))
    assert part.data.std() > 3 * np.sqrt(part.data.mean() * 20), "there is something to see"
    halved = part.data.reshape(96, 2, 96, 2).mean(axis=(1, 3))
    assert np.corrcoef(halved.ravel(), full.data[32:128, 64:160].ravel())[0, 1] > 0.99


@pytest.mark.parametrize(("shift", "axis"), [((20 * NM, 0.0), 1), ((0.0, 20 * NM), 0)])
def test_beam_shift_moves_the_content_the_other_way(shift, axis):
    microscope, _ = flawless()
    microscope.set_field_of_view(100 * NM)
    before = take(microscope, shape=(100, 100))
    microscope.set_beam_shift(*shift)
    after = take(microscope, shape=(100, 100))
    moved = np.subtract(np.unravel_index(after.data.argmax(), (100, 100)), np.unravel_index(before.data.argmax(), (100, 100)))
    assert abs(moved[axis] + 20) <= 2 and abs(moved[1 - axis]) <= 2
    assert after.centre[axis] == pytest.approx(20 * NM) and after.centre[1 - axis] == 0.0
    assert peak_place(after) == pytest.approx((0.0, 0.0), abs=0.1 * NM)


def test_dose_follows_current_and_dwell_time():
    for current, dwell in ((13e-12, 20e-6), (13e-12, 5e-6), (52e-12, 5e-6)):
        microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen(places=(), base=0.02), beam_current=current)
        frame = take(microscope, dwell_time=dwell, shape=(256, 256))
        electrons = current * dwell / 1.602176634e-19
        assert frame.metadata["electrons_per_pixel"] == pytest.approx(electrons)
        counted = (frame.data.astype(float) - 400) / 25
        assert counted.mean() == pytest.approx(0.02 * electrons, rel=0.02)
        # Poisson noise, the read-out's 1.5 electrons, and rounding to a count.
        assert counted.var() == pytest.approx(0.02 * electrons + 1.5**2 + 1 / (12 * 25**2), rel=0.03)
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    assert round(take(microscope, dwell_time=20e-6).metadata["electrons_per_pixel"]) == 1623, "the paper's dose"


def test_flyback_bends_the_left_edge_only():
    microscope, specimen = flawless(flyback_lag=0.002, flyback_lag_time=40e-6)
    microscope.set_field_of_view(1 * UM)
    take(microscope, shape=(64, 1000), dwell_time=5e-6)
    x = specimen.asked[-1]["x"] - (np.arange(1000) - 499.5)
    assert x[0, 0] == pytest.approx(2.0 * math.exp(-2.5 / 40)), "behind, still on the right of where it should be"
    assert (np.diff(x[0, :100]) < 0).all() and np.abs(x[:, 200:]).max() < 1e-9
    assert np.ptp(x, axis=0).max() < 1e-9


def test_jitter_moves_whole_lines():
    microscope, specimen = flawless(line_jitter=50e-12)
    microscope.set_field_of_view(10 * NM)
    take(microscope, shape=(2000, 8))
    for axis, index in (("y", 0), ("x", 1)):
        nominal = (np.indices((2000, 8))[index] - (1999 if axis == "y" else 7) / 2) * 10 / (2000 if axis == "y" else 8)
        off = specimen.asked[-1][axis] - nominal
        assert np.ptp(off, axis=1).max() < 1e-9, "a line moves as a whole"
        assert off[:, 0].std() == pytest.approx(0.05, rel=0.06)
        assert abs(np.corrcoef(off[1:, 0], off[:-1, 0])[0, 1]) < 0.1


def test_drift_shears_a_slow_scan():
    microscope, specimen = flawless(drift_rate=1 * NM / 60, drift_wander=0.0)
    microscope.set_field_of_view(100 * NM)
    frame = take(microscope, shape=(1000, 1000), dwell_time=60e-6)
    y, x = specimen.asked[-1]["y"][:, 0], specimen.asked[-1]["x"][:, 0]
    off = np.hypot(y - (np.arange(1000) - 499.5) * 0.1, x - x[0])
    assert off[-1] == pytest.approx(1.0, rel=0.02), "a minute a scan, a nanometre a minute"
    assert np.hypot(*microscope.true_centre(frame)) < 1e-11, "the centre is that of the start"


def test_creep_after_a_move_dies_away():
    options = {**FLAWLESS, "settling_drift": 4 * NM, "settling_time": 60.0}
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen(), **options)
    microscope.set_stage_position(x=3 * UM)
    left = []
    for _ in range(4):
        left.append(microscope.true_centre(take(microscope, shape=(8, 8)))[1] - 3 * UM)
        microscope.wait(60.0)
    assert -6 * NM < left[0] < -2.5 * NM, "short of its target, in the direction it came from"
    assert np.array(left[1:]) / left[:-1] == pytest.approx(math.exp(-1), rel=0.05)
    microscope.wait(600.0)
    microscope.set_stage_position(x=20 * NM, relative=True)
    assert abs(microscope.true_centre(take(microscope, shape=(8, 8)))[1] - 3.02 * UM) < 0.2 * NM, "short moves creep less"


def test_settled_drift_is_that_of_a_good_instrument():
    """0.1–1 nm/min, never a jump, in the course of four hours."""
    rates = []
    for seed in range(5):
        drift = Drift(SimulatedSettings(seed=seed))
        minutes = drift.displacement(np.arange(0, 4 * 3600, 60.0))
        rates.append(np.hypot(*np.diff(minutes, axis=0).T) / NM)
        assert np.hypot(*minutes[0]) == 0.0
        fine = drift.displacement(np.arange(880.0, 920.0, 0.1))
        assert np.hypot(*np.diff(fine, axis=0).T).max() < 0.01 * NM, "smooth across a knot"
    rates = np.array(rates)
    assert np.quantile(rates, 0.9) < 1.0 and 0.2 < np.median(rates) < 0.5
    assert np.std(rates, axis=1).min() > 0.03, "it does not keep its pace"


def test_several_scans_in_a_row():
    microscope, _ = flawless(drift_rate=1e-9)
    start = microscope.clock()
    frame = take(microscope, shape=(32, 32), frames=3)
    assert frame.data.shape == (3, 32, 32) and not (frame.data[0] == frame.data[1]).all()
    single = ns.acquire.connect("simulated", specimen=BlobSpecimen(), **{**FLAWLESS, **BRIGHT, "drift_rate": 1e-9})
    assert all((frame.data[i] == take(single, shape=(32, 32)).data).all() for i in range(3)), "as one after the other"
    assert microscope.clock() - start == pytest.approx(3 * (32 * (32 * 1e-6 + 60e-6) + 1.0))


def test_time_of_an_image():
    microscope = ns.acquire.connect("simulated", specimen="empty")
    before = microscope.clock()
    frame = take(microscope, shape=(1024, 1024), dwell_time=20e-6)
    # 21 s of dwell, 60 ms of flyback, a second for set-up and saving.
    assert microscope.clock() - before == pytest.approx(1024 * (1024 * 20e-6 + 60e-6) + 1.0)
    assert frame.time == "2026-01-01T09:00:00.000" and frame.metadata["clock_s"] == before
    assert take(microscope).time.startswith("2026-01-01T09:00:22.03")


def test_a_step_of_the_paper_takes_about_as_long_as_it_did():
    """Stage move, ten focus images, survey, four tiles: 30 s an image and at most the paper's 106 s all in."""
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    for step in (-0.5 * UM, 0.65 * UM):
        microscope.set_stage_position(x=step)
    microscope.wait(2.0)
    for defocus in np.linspace(-100, 100, 10) * NM:
        microscope.set_defocus(defocus)
        take(microscope, shape=(512, 512), dwell_time=5e-6)
    assert 15 < microscope.clock() < 40
    take(microscope, shape=(512, 512), dwell_time=5e-6)
    for tile in range(4):
        microscope.set_beam_blanked(False)
        take(microscope, shape=(1024, 1024), dwell_time=20e-6, region=Region(0.25 * tile, 0, 0.25, 0.25))
        microscope.set_beam_blanked(True)
    assert 25 < microscope.clock() / 4 < 40


def test_truth_fits_the_image():
    microscope = ns.acquire.connect("simulated", specimen={"preset": "slater2020", "hole_share": 0.0, "aggregation": 0.0}, seed=7)
    microscope.set_field_of_view(200 * NM)
    microscope.set_stage_position(x=5 * UM, y=5 * UM)
    defocus = 0.012 * 5000 - 0.007 * 5000
    microscope.set_defocus(defocus * NM)
    frame = take(microscope, shape=(256, 256), dwell_time=20e-6, rotation=0.5)
    labels, table = microscope.truth(frame)
    assert len(table) == labels.max() > 5 and set(table["id"]) >= set(microscope.particles_in(frame)["id"])
    signal = frame.data.astype(float)
    inside, outside = signal[labels > 0], signal[labels == 0]
    assert inside.mean() > outside.mean() + 4 * outside.std()
    # The truth is that of the distorted scan: moved by two pixels it fits worse.
    separation = [inside.mean() - np.roll(signal, (dy, dx), (0, 1))[labels > 0].mean() for dy, dx in ((2, 0), (0, 2), (-2, 0), (0, -2))]
    assert min(separation) > 0


def test_particles_of_several_frames_are_counted_once():
    microscope, _ = flawless(places=((0.0, 0.0), (0.0, 40.0), (0.0, -60.0), (200.0, 0.0)))
    microscope.set_field_of_view(100 * NM)
    first = take(microscope)
    microscope.set_stage_position(x=20 * NM)
    second = take(microscope, rotation=math.pi / 4)
    assert list(microscope.particles_in(first)["id"]) == [0, 1]
    assert list(microscope.particles_in([first, second, second])["id"]) == [0, 1]
    microscope.set_stage_position(x=-40 * NM)
    assert list(microscope.particles_in([second, take(microscope)])["id"]) == [0, 1, 2]


def test_truth_is_nowhere_in_what_a_session_sees():
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen(), seed=1)
    frame = take(microscope)
    assert set(frame.metadata) == {
        "beam_current_A",
        "clock_s",
        "electrons_per_pixel",
        "field_of_view_m",
        "scan_key",
        "scan_rotation_rad",
    }
    other = ns.acquire.connect("simulated", specimen=BlobSpecimen(), seed=1)
    with pytest.raises(UnknownNameError, match="frame: expected one of the latest 4096 that this microscope took"):
        other.truth(frame)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"detectors": "HADF"}, "detectors: .*HAADF.*'HADF'"),
        ({"detectors": []}, "detectors"),
        ({"shape": (0, 8)}, "shape"),
        ({"shape": (8,)}, "shape"),
        ({"shape": (8.5, 8)}, "shape"),
        ({"shape": (8, 20000)}, "shape: expected at most 16384"),
        ({"dwell_time": 0.0}, "dwell_time"),
        ({"dwell_time": float("nan")}, "dwell_time"),
        ({"region": (0, 0, 1, 1)}, "region"),
        ({"region": Region(0.5, 0, 0.6, 1)}, "region"),
        ({"region": Region(0, 0, float("nan"), 1)}, "region.height"),
        ({"region": Region(0, 0, 1, 0)}, "region.width"),
        ({"rotation": float("inf")}, "rotation"),
        ({"frames": 0}, "frames"),
    ],
)
def test_wrong_arguments_of_a_scan_are_named(arguments, message):
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    before = microscope.get_state()
    kind = UnknownNameError if arguments.get("detectors") == "HADF" else InvalidValueError
    with pytest.raises(kind, match=message):
        microscope.acquire(**{"detectors": "HAADF", "shape": (8, 8), "dwell_time": 1e-6, **arguments})
    assert microscope.get_state() == before


@pytest.mark.parametrize(
    ("call", "value", "name"),
    [
        ("set_field_of_view", (float("nan"),), "field_of_view"),
        ("set_field_of_view", (0.0,), "field_of_view"),
        ("set_field_of_view", (1.0,), "field_of_view"),
        ("set_defocus", (float("inf"),), "defocus"),
        ("set_defocus", (1.0,), "defocus"),
        ("set_beam_shift", (float("nan"), 0.0), "x"),
        ("set_beam_shift", (0.0, 1.0), "y"),
        ("wait", (-1.0,), "seconds"),
        ("wait", (float("nan"),), "seconds"),
    ],
)
def test_wrong_settings_are_named(call, value, name):
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    before = microscope.get_state()
    with pytest.raises(InvalidValueError, match=f"^{name}: expected"):
        getattr(microscope, call)(*value)
    assert microscope.get_state() == before


def test_example_of_its_docstring_runs():
    results = doctest.testmod(sys.modules[SimulatedMicroscope.__module__])
    assert results.attempted > 5 and results.failed == 0


def test_keeps_the_contract_of_drivers():
    assert check_microscope(lambda: ns.acquire.connect("simulated", specimen="empty", seed=1))


def test_nothing_works_without_connection():
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    microscope.close()
    for call in (
        microscope.get_state,
        microscope.get_stage_position,
        microscope.stop_stage,
        lambda: take(microscope),
        lambda: microscope.wait(1),
    ):
        with pytest.raises(MicroscopeError, match="connect"):
            call()
    microscope.connect()
    assert take(microscope).data.shape == (128, 128)


def test_the_truth_of_the_latest_scans_is_kept_and_no_more(monkeypatch):
    from nanospa.acquire.drivers import recorder

    monkeypatch.setattr(recorder, "KEPT_SCANS", 3)
    microscope = ns.acquire.connect("simulated", specimen=BlobSpecimen())
    frames = [microscope.acquire("HAADF", shape=(16, 16), dwell_time=1e-6)["HAADF"] for _ in range(5)]
    for frame in frames[2:]:
        microscope.truth(frame)
    with pytest.raises(UnknownNameError, match="latest"):
        microscope.truth(frames[1])
