"""Microscopes by name, and what is said when a name or an option is wrong. Drivers of other packages: test_entry_points.py."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import nanospa as ns
import pytest
from nanospa.acquire.drivers.simulated import SimulatedMicroscope
from nanospa.errors import InvalidValueError, MissingExtraError, SettingsError, UnknownNameError


def test_gives_a_connected_microscope():
    microscope = ns.acquire.connect("simulated", specimen="empty", seed=2)
    assert isinstance(microscope, SimulatedMicroscope) and isinstance(microscope, ns.acquire.Microscope)
    assert microscope.get_stage_position().z == pytest.approx(0, abs=5e-9)


def test_nearest_name_is_offered():
    with pytest.raises(UnknownNameError, match=r"name: expected one of simulated.* found 'simulatd'; did you mean 'simulated'\?"):
        ns.acquire.connect("simulatd")
    with pytest.raises(UnknownNameError, match=r"found 'zzz'$"):
        ns.acquire.connect("zzz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backlsh": 1e-6}, r"backlsh: .* did you mean 'backlash'\?"),
        ({"qqq": 1}, "qqq: no option of the simulated microscope; expected one of specimen, seed"),
        ({"beam_current": -1e-12}, "beam_current: .* found -1e-12"),
        ({"drift_rate": float("nan")}, "drift_rate: .* found nan"),
        ({"stage_x": (1e-3, -1e-3)}, r"stage_x: expected \(lowest, highest\)"),
        ({"stage_y": (1e-3, 2e-3)}, "stage_y: expected limits about 0"),
        ({"faults": [{"kind": "fire", "at": 1}]}, "faults.0.kind: .* found 'fire'"),
        ({"faults": [{"kind": "timeout", "at": 0}]}, "faults.0.at"),
        ({"start_time": "yesterday"}, "start_time: .* found 'yesterday'"),
        ({"specimen": "slater2021"}, "slater2021"),
        ({"specimen": {"denisty_per_um2": 3}}, "denisty_per_um2"),
        ({"specimen": 3}, "specimen: expected a name, a mapping of settings or a VirtualSpecimen, found int"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(SettingsError, match=message):
        ns.acquire.connect("simulated", **options)


def test_specimen_of_a_mapping():
    microscope = ns.acquire.connect("simulated", specimen={"preset": "slater2020", "hole_share": 0.0, "seed": 5}, seed=1)
    same = ns.acquire.connect("simulated", specimen=ns.simulate.VirtualSpecimen("slater2020", hole_share=0.0, seed=5), seed=1)
    microscope.set_field_of_view(300e-9)
    same.set_field_of_view(300e-9)
    a, b = (m.acquire("HAADF", shape=(64, 64), dwell_time=1e-6)["HAADF"] for m in (microscope, same))
    assert (a.data == b.data).all()
    assert microscope.get_state() == same.get_state()


def test_seed_reaches_the_specimen():
    first, second = (ns.acquire.connect("simulated", seed=s) for s in (1, 2))
    frames = []
    for microscope in (first, second):
        microscope.set_field_of_view(0.6e-6)
        frames.append(microscope.acquire("HAADF", shape=(64, 64), dwell_time=1e-6)["HAADF"])
    a, b = first.particles_in(frames[0]), second.particles_in(frames[1])
    assert len(a) > 10 and len(b) > 10 and set(a["id"]) != set(b["id"])


def test_what_is_no_microscope_is_refused(monkeypatch):
    # A type that tells nothing of its options.
    point = EntryPoint(name="broken", value="collections:OrderedDict", group="nanospa.microscopes")
    monkeypatch.setattr(sys.modules["nanospa.acquire.connect"], "entry_points", lambda group: [point])
    with pytest.raises(InvalidValueError, match="driver 'broken' gave a OrderedDict that lacks abort, acquire"):
        ns.acquire.connect("broken")


def test_missing_extra_is_named(monkeypatch):
    row = entry_of("absent", requires="a_module_that_is_not_there", extra="absent")
    monkeypatch.setattr(sys.modules["nanospa.acquire.connect"], "TABLE", (row,))
    assert not ns.acquire.drivers().set_index("name").loc["absent", "available"]
    with pytest.raises(MissingExtraError, match=r"microscope 'absent': .*pip install 'nanospa\[absent\]'"):
        ns.acquire.connect("absent")


def entry_of(name, **more):
    entry = sys.modules["nanospa.acquire.connect"].DriverEntry
    return entry(name, "", "nanospa.acquire.drivers.template", "TemplateMicroscope", **more)


def test_table_is_not_hidden_by_the_package_of_drivers():
    code = "import nanospa.acquire.drivers.simulated, nanospa as ns; assert callable(ns.acquire.drivers) and len(ns.acquire.drivers())"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_stays_light():
    code = "import sys, nanospa.acquire; assert not {'scipy', 'skimage', 'pandas', 'dask', 'zarr'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
