"""Determinism of the simulated microscope: commands alone decide, in any order, and states continue bit for bit."""

import json
import random

import nanospa as ns
import pytest
from nanospa.acquire import Region
from nanospa.errors import InvalidValueError, NanospaError

from tests.acquire.blob_specimen import FLAWLESS, STILL, BlobSpecimen

UM, NM = 1e-6, 1e-9
PLACES = tuple((100.0 * i, 130.0 * j) for i in range(-11, 12) for j in range(-9, 10))


def connect(**options):
    microscope = ns.acquire.connect("simulated", **{"specimen": BlobSpecimen(PLACES), "seed": 11, **options})
    microscope.set_field_of_view(300 * NM)
    return microscope


def same(a, b):
    """Whether two frames are equal, bit for bit and in everything that they say."""
    return (a.data == b.data).all() and all(getattr(a, n) == getattr(b, n) for n in a.__dataclass_fields__ if n != "data")


def command(rng):
    """A random command, as a function of a microscope that gives a frame or None."""
    kind = rng.choice(["move", "move", "go", "scan", "scan", "part", "defocus", "shift", "field", "wait", "poll", "series", "blank"])
    a, b = rng.uniform(-1, 1), rng.uniform(-1, 1)
    scan = {"shape": (24, 20), "dwell_time": rng.choice([1e-6, 5e-6])}
    match kind:
        case "move":
            return lambda m: m.set_stage_position(x=a * 1 * UM, y=b * 1 * UM)
        case "go":
            return lambda m: m.set_stage_position(x=a * 0.2 * UM, relative=True, wait=False)
        case "scan":
            return lambda m: m.acquire("HAADF", **scan)["HAADF"]
        case "part":
            return lambda m: m.acquire("HAADF", **scan, region=Region(0.25, 0.5, 0.5, 0.25), rotation=a)["HAADF"]
        case "series":
            return lambda m: m.acquire("HAADF", **scan, frames=2)["HAADF"]
        case "defocus":
            return lambda m: m.set_defocus(a * 100 * NM)
        case "shift":
            return lambda m: m.set_beam_shift(a * 20 * NM, b * 20 * NM)
        case "field":
            return lambda m: m.set_field_of_view((2 + a) * 100 * NM)
        case "wait":
            return lambda m: m.wait(abs(a) * 30)
        case "poll":
            return lambda m: m.is_stage_moving()
        case "blank":
            return lambda m: m.set_beam_blanked(a > 0.5)


def run(microscope, commands):
    """Everything that comes back: frames and errors."""
    seen = []
    for step in commands:
        try:
            seen.append(step(microscope))
        except NanospaError as error:
            seen.append(error.kind)
    return seen


def equal(a, b):
    return len(a) == len(b) and all(same(x, y) if hasattr(x, "data") and hasattr(y, "data") else x == y for x, y in zip(a, b, strict=True))


FAULTS = [{"kind": "detector", "at": 0.1}, {"kind": "stage_stall", "at": 0.1}, {"kind": "beam_trip", "at": 9, "times": 2}]


def test_same_seed_and_commands_give_bit_equal_frames():
    commands = [command(random.Random(n)) for n in range(120)]
    seen = run(connect(faults=FAULTS), commands)
    assert equal(seen, run(connect(faults=FAULTS), commands))
    assert {"detector", "stage", "beam"} <= {s for s in seen if isinstance(s, str)}
    assert not equal(seen, run(connect(faults=FAULTS, seed=12), commands))


@pytest.mark.parametrize("trial", range(4))
def test_states_of_any_moment_continue_bit_for_bit(trial):
    rng = random.Random(trial)
    commands = [command(rng) for _ in range(80)]
    first = connect(faults=FAULTS)
    for cut in sorted(rng.sample(range(80), 4)):
        first = connect(faults=FAULTS)
        run(first, commands[:cut])
        state = json.loads(json.dumps(first.get_state()))
        expected = run(first, commands[cut:])
        # A new microscope, and one that has been elsewhere since.
        for other in (connect(faults=FAULTS), first):
            other.set_state(state)
            assert other.get_state() == state
            assert equal(run(other, commands[cut:]), expected)


def visits():
    """Independent requests: each moves, sets everything, and scans."""
    rng = random.Random(5)
    for _ in range(12):
        place = (rng.uniform(-1, 1) * UM, rng.uniform(-1, 1) * UM)
        yield place, rng.uniform(100, 300) * NM, rng.uniform(-50, 50) * NM, (rng.uniform(-9, 9) * NM, rng.uniform(-9, 9) * NM)


def visit(microscope, request):
    (y, x), field, defocus, shift = request
    microscope.set_stage_position(y=y - 0.5 * UM, x=x - 0.5 * UM)
    microscope.set_stage_position(y=y, x=x)
    microscope.set_field_of_view(field)
    microscope.set_defocus(defocus)
    microscope.set_beam_shift(*shift)
    return microscope.acquire("HAADF", shape=(24, 24), dwell_time=5e-6)["HAADF"]


def test_order_of_requests_does_not_matter_without_drift():
    requests = list(visits())
    straight, other = connect(**STILL), connect(**STILL)
    there = [visit(straight, r) for r in requests]
    order = random.Random(1).sample(range(len(requests)), len(requests))
    back = {i: visit(other, requests[i]) for i in order}
    for i, frame in enumerate(there):
        assert (frame.data == back[i].data).all() and frame.centre == back[i].centre
        assert straight.true_centre(frame) == other.true_centre(back[i])


def test_with_drift_the_clock_alone_decides():
    one, other = connect(**{**FLAWLESS, "drift_rate": 1e-10}), connect(**{**FLAWLESS, "drift_rate": 1e-10})
    scan = {"shape": (24, 24), "dwell_time": 5e-6}
    one.acquire("HAADF", **scan)
    one.set_stage_position(x=0.4 * UM)
    one.set_stage_position(x=0.0)
    one.set_stage_position(x=0.5 * UM, y=0.1 * UM)
    other.set_stage_position(x=0.5 * UM, y=0.1 * UM)
    assert one.clock() > other.clock()
    early = other.acquire("HAADF", **scan)["HAADF"]
    other.wait(100.0 - other.clock())
    one.wait(100.0 - one.clock())
    a, b = (m.acquire("HAADF", **scan)["HAADF"] for m in (one, other))
    assert one.clock() == other.clock() and same(a, b)
    assert not (early.data == a.data).all()


def test_repeats_in_a_row_have_their_own_noise():
    microscope = connect(**STILL)
    scan = {"shape": (24, 24), "dwell_time": 5e-6}
    first, second = (microscope.acquire("HAADF", **scan)["HAADF"] for _ in range(2))
    assert not (first.data == second.data).all() and microscope.true_centre(first) == microscope.true_centre(second)
    microscope.set_defocus(1 * NM)
    microscope.acquire("HAADF", **scan)
    microscope.set_defocus(0.0)
    assert (microscope.acquire("HAADF", **scan)["HAADF"].data == first.data).all()


@pytest.mark.parametrize("change", [{"seed": 12}, {"backlash": 1e-7}, {"specimen": "empty"}, {"start_time": "2027-01-01"}])
def test_state_of_another_microscope_is_refused(change):
    state = connect().get_state()
    microscope = connect(**change)
    before = microscope.get_state()
    with pytest.raises(InvalidValueError, match="state: expected that of a simulated microscope with the same specimen, seed and options"):
        microscope.set_state(state)
    assert microscope.get_state() == before


def test_faults_may_differ_between_states():
    state = connect(faults=[{"kind": "beam_trip", "at": 2, "times": 1000}]).get_state()
    microscope = connect()
    microscope.set_state(state)
    assert microscope.get_state() == state


@pytest.mark.parametrize("damage", [{"clock": None}, {"stage": {}}, {"beam_shift": [0.0]}, {"commands": 3}])
def test_damaged_state_is_refused(damage):
    microscope = connect()
    state = microscope.get_state()
    with pytest.raises(InvalidValueError, match="state: expected what get_state gave"):
        microscope.set_state({**state, **damage})
    assert microscope.get_state() == state
