"""Drivers of other packages: a distribution with an entry point of `nanospa.microscopes` is found by name."""

import textwrap

import nanospa as ns
import pytest
from nanospa.errors import InvalidValueError, MicroscopeError, SettingsError, UnknownNameError
from nanospa.testing import check_microscope

MODULE = """
    from nanospa.acquire.drivers.template import TemplateMicroscope
    from nanospa.errors import MicroscopeError


    class LabMicroscope(TemplateMicroscope):
        name = "lab"


    class DeadMicroscope(TemplateMicroscope):
        name = "dead"

        def _open(self):
            raise OSError("no power")


    def not_a_microscope(**options):
        return object()
"""

ENTRY_POINTS = """
    [nanospa.microscopes]
    lab = lab_microscope:LabMicroscope
    dead = lab_microscope:DeadMicroscope
    stone = lab_microscope:not_a_microscope
    simulated = lab_microscope:LabMicroscope
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution as an installer leaves it, on the path for one test."""
    (tmp_path / "lab_microscope.py").write_text(textwrap.dedent(MODULE))
    info = tmp_path / "lab_microscope-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-microscope\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS))
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
def test_a_driver_of_another_package_is_found():
    table = ns.acquire.drivers().set_index("name")
    assert table.loc["lab", "description"] == "entry point lab_microscope:LabMicroscope" and table.loc["lab", "available"]
    microscope = ns.acquire.connect("lab", tilt=0.1)
    assert microscope.name == "lab"
    assert microscope.get_stage_position().alpha == 0.1
    check_microscope(lambda: ns.acquire.connect("lab"))


@pytest.mark.usefixtures("installed")
def test_its_options_and_faults_are_reported():
    with pytest.raises(SettingsError, match="tild: no option of the driver 'lab'; did you mean 'tilt'"):
        ns.acquire.connect("lab", tild=0.1)
    with pytest.raises(InvalidValueError, match="tilt: expected a finite number"):
        ns.acquire.connect("lab", tilt=float("nan"))
    with pytest.raises(MicroscopeError, match="dead: connect: OSError: no power"):
        ns.acquire.connect("dead")
    with pytest.raises(InvalidValueError, match="driver 'stone' gave a object that lacks"):
        ns.acquire.connect("stone")


@pytest.mark.usefixtures("installed")
def test_a_name_of_nanospa_is_not_taken_over():
    assert type(ns.acquire.connect("simulated")).__name__ == "SimulatedMicroscope"
    assert list(ns.acquire.drivers()["name"]).count("simulated") == 1


def test_it_is_gone_without_the_distribution():
    with pytest.raises(UnknownNameError, match="expected one of simulated, temscript"):
        ns.acquire.connect("lab")
