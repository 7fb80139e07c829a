"""Stage of the simulated microscope: limits, play, error, time."""

import itertools

import nanospa as ns
import numpy as np
import pytest
from nanospa.errors import AcquisitionTimeout, InvalidValueError, MicroscopeError, StageLimitError

from tests.acquire.blob_specimen import FLAWLESS, STILL, BlobSpecimen, peak_place

UM, NM = 1e-6, 1e-9


def microscope_with(**options):
    return ns.acquire.connect("simulated", specimen=BlobSpecimen(), **options)


def true_place(microscope):
    """Where the stage truly is (y, x) [m], from a small scan at the middle of the field."""
    frame = microscope.acquire("HAADF", shape=(8, 8), dwell_time=1e-6)["HAADF"]
    return np.array(microscope.true_centre(frame))


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("relative", [False, True])
def test_limits_hold_before_anything_moves(axis, relative):
    microscope = microscope_with()
    microscope.set_stage_position(x=3 * UM, y=-2 * UM)
    low, high = microscope.get_stage_limits()[axis]
    before = microscope.get_state()
    other = "y" if axis == "x" else "x"
    for target in (low - 10 * UM, high + 10 * UM):
        with pytest.raises(StageLimitError, match=rf"{axis}: expected a position from .* nothing has moved"):
            microscope.set_stage_position(**{axis: target, other: 1 * UM}, relative=relative)
    assert microscope.get_state() == before


def test_target_outside_leaves_a_move_under_way_alone():
    microscope = microscope_with()
    microscope.set_stage_position(x=100 * UM, wait=False)
    before = microscope.get_state()
    with pytest.raises(StageLimitError):
        microscope.set_stage_position(x=1.0)
    assert microscope.get_state() == before and microscope.is_stage_moving()


def test_it_is_almost_where_it_was_sent():
    microscope = microscope_with(stage_error=25 * NM, backlash=0.2 * UM, seed=4, **STILL)
    misses = []
    for i, j in itertools.product(range(8), range(8)):
        target = np.array([1.1 * i * UM, 0.9 * j * UM])
        microscope.set_stage_position(y=target[0] - 0.5 * UM, x=target[1] - 0.5 * UM)
        microscope.set_stage_position(y=target[0], x=target[1])
        read = microscope.get_stage_position()
        assert abs(read.y - target[0]) < 3 * NM and abs(read.x - target[1]) < 3 * NM
        misses.append(true_place(microscope) - target)
    misses = np.array(misses)
    # 64 independent pairs: the standard deviation of 128 values is good to 6 %.
    assert np.std(misses) == pytest.approx(25 * NM, rel=0.2)
    assert abs(misses.mean()) < 7 * NM


def test_short_moves_are_more_exact_than_long_ones():
    microscope = microscope_with(stage_error=25 * NM, stage_error_length=0.3 * UM, seed=4, stage_read_error=0.0, **STILL)
    short, long = [], []
    for k in range(40):
        microscope.set_stage_position(x=k * 1.3 * UM)
        first = true_place(microscope)
        microscope.set_stage_position(x=5 * NM, relative=True)
        second = true_place(microscope)
        short.append(second[1] - first[1] - 5 * NM)
        long.append(first[1] - k * 1.3 * UM)
    assert np.std(short) < 0.1 * np.std(long)


def test_play_depends_on_the_side_it_comes_from():
    microscope = microscope_with(**{**FLAWLESS, "backlash": 0.2 * UM})
    microscope.set_stage_position(x=-1 * UM)
    microscope.set_stage_position(x=2 * UM)
    assert true_place(microscope)[1] == pytest.approx(2 * UM, abs=1e-15)
    microscope.set_stage_position(x=5 * UM)
    microscope.set_stage_position(x=2 * UM)
    assert true_place(microscope)[1] == pytest.approx(2.2 * UM, abs=1e-15)
    # Within the play nothing moves at all.
    microscope.set_stage_position(x=2.15 * UM)
    assert true_place(microscope)[1] == pytest.approx(2.2 * UM, abs=1e-15)
    microscope.set_stage_position(x=2.3 * UM)
    assert true_place(microscope)[1] == pytest.approx(2.3 * UM, abs=1e-15)
    # y was never turned round.
    assert true_place(microscope)[0] == 0.0


def test_approach_from_below_comes_back_to_the_same_place():
    microscope = microscope_with(seed=2, **STILL)
    seen = []
    for start in ((-3, -1), (4, 5), (0.2, -6)):
        microscope.set_stage_position(y=start[0] * UM, x=start[1] * UM)
        microscope.set_stage_position(y=0.5 * UM, x=0.4 * UM)
        microscope.set_stage_position(y=1 * UM, x=0.9 * UM)
        seen.append(true_place(microscope))
    assert np.ptp(seen, axis=0).max() == 0.0


def test_content_shows_where_the_stage_truly_is():
    specimen = BlobSpecimen(places=((1000.0, 2000.0),))
    microscope = ns.acquire.connect("simulated", specimen=specimen, seed=3, detector_gain=1.0, beam_current=1e-9)
    microscope.set_field_of_view(150 * NM)
    microscope.set_stage_position(x=2 * UM, y=1 * UM)
    frame = microscope.acquire("HAADF", shape=(256, 256), dwell_time=1e-6)["HAADF"]
    true = np.array(microscope.true_centre(frame))
    assert np.hypot(*(true - frame.centre)) > 2 * NM
    # By the frame's own account the blob lies elsewhere, by as much as stage and drift are wrong.
    assert np.array(peak_place(frame)) - (1 * UM, 2 * UM) == pytest.approx(np.array(frame.centre) - true, abs=0.3 * NM)


def test_moves_take_the_time_they_take():
    microscope = microscope_with(stage_speed=2 * UM, move_time=1.0)
    microscope.set_stage_position(x=3 * UM, y=4 * UM)
    assert microscope.clock() == pytest.approx(1.0 + 5.0 / 2.0, abs=2e-3)
    microscope.set_stage_position()
    assert microscope.clock() == pytest.approx(3.5, abs=2e-3)


def test_move_without_waiting_and_stop():
    microscope = microscope_with(stage_speed=1 * UM, move_time=0.0, **FLAWLESS)
    microscope.set_stage_position(x=10 * UM, wait=False)
    assert microscope.clock() == 0.0
    microscope.wait(4.0)
    assert microscope.get_stage_position().x == pytest.approx(4 * UM)
    assert microscope.is_stage_moving()
    microscope.stop_stage()
    assert not microscope.is_stage_moving()
    assert microscope.get_stage_position().x == pytest.approx(4.1 * UM), "asking whether it moves took 0.1 s"
    polls = 0
    microscope.set_stage_position(x=5 * UM, wait=False)
    while microscope.is_stage_moving():
        polls += 1
    assert polls == 9 and microscope.get_stage_position().x == pytest.approx(5 * UM)


def test_scan_waits_for_the_stage():
    microscope = microscope_with(**FLAWLESS)
    microscope.set_stage_position(x=10 * UM, wait=False)
    frame = microscope.acquire("HAADF", shape=(8, 8), dwell_time=1e-6)["HAADF"]
    assert frame.centre[1] == pytest.approx(10 * UM) and microscope.true_centre(frame)[1] == pytest.approx(10 * UM)


def test_timeout_of_a_move():
    microscope = microscope_with(**FLAWLESS)
    with pytest.raises(AcquisitionTimeout, match=r"timeout: the stage has not arrived after 2 s"):
        microscope.set_stage_position(x=100 * UM, timeout=2.0)
    assert microscope.clock() == pytest.approx(2.0) and microscope.is_stage_moving()
    microscope.set_stage_position(x=100 * UM, timeout=1000.0)
    assert microscope.get_stage_position().x == pytest.approx(100 * UM)


def test_abort_stops_the_stage_and_blanks():
    microscope = microscope_with(**FLAWLESS)
    microscope.set_stage_position(x=10 * UM, wait=False)
    microscope.wait(1.0)
    microscope.abort()
    assert not microscope.is_stage_moving() and 0 < microscope.get_stage_position().x < 10 * UM
    dark = microscope.acquire("HAADF", shape=(64, 64), dwell_time=1e-5)["HAADF"]
    assert dark.metadata["electrons_per_pixel"] == 0 and dark.data.mean() == pytest.approx(400, abs=5)
    microscope.set_beam_blanked(False)
    assert microscope.acquire("HAADF", shape=(64, 64), dwell_time=1e-5)["HAADF"].data.mean() > 500


def test_height_of_the_stage_is_defocus():
    specimen = BlobSpecimen()
    microscope = ns.acquire.connect("simulated", specimen=specimen)
    microscope.set_defocus(30 * NM)
    microscope.set_stage_position(z=100 * NM)
    microscope.acquire("HAADF", shape=(8, 8), dwell_time=1e-6)
    assert specimen.asked[-1]["defocus_nm"] == pytest.approx(-70)


@pytest.mark.parametrize("axis", ["alpha", "beta"])
def test_it_does_not_tilt(axis):
    with pytest.raises(MicroscopeError, match=axis):
        microscope_with().set_stage_position(**{axis: 0.1})


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"x": float("nan")}, "x"), ({"y": float("inf")}, "y"), ({"z": "up"}, "z"), ({"x": 0.0, "timeout": float("nan")}, "timeout")],
)
def test_wrong_arguments_are_named(arguments, name):
    microscope = microscope_with()
    before = microscope.get_state()
    with pytest.raises(InvalidValueError, match=f"^{name}: expected"):
        microscope.set_stage_position(**arguments)
    assert microscope.get_state() == before
