"""Faults of the simulated microscope: each kind once, where and as often as asked, and what is left after it."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.errors import AcquisitionTimeout, BeamError, DetectorError, MicroscopeError, StageError, StageLimitError

from tests.acquire.blob_specimen import FLAWLESS, BlobSpecimen

UM = 1e-6


def connect(*faults, **options):
    return ns.acquire.connect("simulated", specimen=BlobSpecimen(), faults=faults, **{**FLAWLESS, **options})


def scan(microscope):
    return microscope.acquire("HAADF", shape=(16, 16), dwell_time=1e-5)["HAADF"]


SCAN_TIME = 16 * (16e-5 + 60e-6)


@pytest.mark.parametrize(
    ("kind", "error", "seconds"),
    [("timeout", AcquisitionTimeout, 30.0), ("beam_trip", BeamError, 1.0), ("detector", DetectorError, SCAN_TIME + 1.0)],
)
def test_faults_of_acquisitions(kind, error, seconds):
    microscope = connect({"kind": kind, "at": 3, "times": 2})
    whole = connect()
    frames = [scan(microscope), scan(microscope)]
    for _ in range(2):
        microscope.set_stage_position(x=0.0)
        before = microscope.clock()
        with pytest.raises(error, match="acquire: "):
            scan(microscope)
        assert microscope.clock() - before == pytest.approx(seconds)
    frames.append(scan(microscope))
    # What failed leaves no trace in the frames.
    assert all((f.data == scan(whole).data).all() for f in frames)


def test_stalled_stage_stops_half_way():
    microscope = connect({"kind": "stage_stall", "at": 2})
    microscope.set_stage_position(x=2 * UM)
    with pytest.raises(StageError, match=r"stage: stalled at x = 4\.0000 µm, y = 1\.0000 µm"):
        microscope.set_stage_position(x=6 * UM, y=2 * UM)
    at = microscope.get_stage_position()
    assert (at.x, at.y) == pytest.approx((4 * UM, 1 * UM)) and not microscope.is_stage_moving()
    assert microscope.true_centre(scan(microscope)) == pytest.approx((1 * UM, 4 * UM))
    microscope.stop_stage()
    microscope.set_stage_position(x=6 * UM, y=2 * UM)
    assert microscope.true_centre(scan(microscope)) == pytest.approx((2 * UM, 6 * UM))


def test_limit_switch_leaves_the_stage_where_it_is():
    microscope = connect({"kind": "stage_limit", "at": 1})
    before = microscope.get_stage_position()
    with pytest.raises(StageLimitError, match="the stage has not moved"):
        microscope.set_stage_position(x=1 * UM)
    assert microscope.get_stage_position() == before
    microscope.set_stage_position(x=1 * UM)
    assert microscope.get_stage_position().x == pytest.approx(1 * UM)


def test_refused_commands_are_not_counted():
    microscope = connect({"kind": "detector", "at": 1}, {"kind": "stage_stall", "at": 1})
    with pytest.raises(ValueError, match="dwell_time"):
        microscope.acquire("HAADF", shape=(8, 8), dwell_time=-1.0)
    with pytest.raises(StageLimitError, match="nothing has moved"):
        microscope.set_stage_position(x=1.0)
    with pytest.raises(DetectorError):
        scan(microscope)
    with pytest.raises(StageError, match="stalled"):
        microscope.set_stage_position(x=1 * UM)


def fails(microscope, n):
    found = []
    for _ in range(n):
        try:
            scan(microscope)
            found.append(0)
        except MicroscopeError:
            found.append(1)
    return np.array(found)


def test_faults_of_a_probability():
    found = fails(connect({"kind": "timeout", "at": 0.2}, seed=1), 400)
    # Three standard deviations of a binomial distribution.
    assert abs(found.mean() - 0.2) < 3 * np.sqrt(0.2 * 0.8 / 400)
    assert (found == fails(connect({"kind": "timeout", "at": 0.2}, seed=1), 400)).all()
    assert not (found == fails(connect({"kind": "timeout", "at": 0.2}, seed=2), 400)).all()
    runs = fails(connect({"kind": "timeout", "at": 0.2, "times": 3}, seed=1), 400)
    begun = np.flatnonzero(found)
    assert set(np.flatnonzero(runs)) == {i + k for i in begun for k in range(3) if i + k < 400}


def test_first_fault_of_the_list_wins():
    with pytest.raises(BeamError):
        scan(connect({"kind": "beam_trip", "at": 1}, {"kind": "detector", "at": 1}))


def test_moves_and_scans_are_counted_apart():
    microscope = connect({"kind": "detector", "at": 2})
    for x in range(5):
        microscope.set_stage_position(x=x * UM)
    scan(microscope)
    with pytest.raises(DetectorError):
        scan(microscope)
