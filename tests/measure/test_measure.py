"""The particle table: units, calibration, schema."""

from pathlib import Path

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from nanospa.schema.frames import FLAGS
from nanospa.schema.particles import PARTICLE_COLUMNS, column, measured


def frame():
    yy, xx = np.mgrid[:80, :80]
    labels = (np.hypot(yy - 30, xx - 40) < 14).astype(int)
    labels[60:70, 5:30] = 2
    return np.random.default_rng(0).poisson(50 + 40 * labels).astype(np.uint16), labels


@pytest.mark.parametrize("pixel_size_nm", [None, 0.5, (0.5, 0.25)])
def test_schema(pixel_size_nm):
    table = ns.measure.measure(*frame(), pixel_size_nm=pixel_size_nm)
    assert list(table.data_vars) == [c.name for c in measured(pixel_size_nm is not None)] + ["radial_profile"]
    for name, variable in table.data_vars.items():
        expected = column(name)
        assert variable.attrs == {"units": expected.unit, "long_name": expected.description}
        assert variable.dtype == expected.dtype
        assert variable.dims == (("particle", "radius") if name == "radial_profile" else ("particle",))
    assert table.sizes == {"particle": 2, "radius": 16}


def test_column_names_carry_their_units():
    ends = {"px": "_px", "nm": "_nm", "nm^2": "_nm2", "rad": "_rad"}
    for c in PARTICLE_COLUMNS:
        assert c.name.endswith(ends.get(c.unit, "")), c
        assert c.unit in ends or not c.name.endswith(tuple(ends.values())), c


def test_takes_the_calibration_of_a_data_array():
    image, labels = frame()
    calibrated = xr.DataArray(image, dims=("y", "x"), attrs={"pixel_size_nm": [0.5, 0.25]})
    a, b = ns.measure.measure(calibrated, labels), ns.measure.measure(image, labels, pixel_size_nm=(0.5, 0.25))
    xr.testing.assert_identical(a, b)
    assert a.attrs == {"pixel_size_nm": [0.5, 0.25]}
    np.testing.assert_allclose(a.area_nm2, a.area_px * 0.125)


def test_no_particles():
    table = ns.measure.measure(np.zeros((5, 6)), np.zeros((5, 6), int), pixel_size_nm=1)
    assert table.sizes["particle"] == 0 and table.label.dtype == np.int32
    assert ns.measure.measure(np.zeros((0, 6)), np.zeros((0, 6), int)).sizes["particle"] == 0


def test_radial_profile_follows_the_thickness_of_a_sphere():
    yy, xx = np.mgrid[-40:41, -40:41]
    r = np.hypot(yy, xx)
    thickness = 2 * np.sqrt(np.clip(30.0**2 - r**2, 0, None))
    table = ns.measure.measure(7 + thickness, r < 30, radial_bins=10)
    expected = 2 * np.sqrt(30**2 - (table.radius.to_numpy() * 30.5) ** 2)
    np.testing.assert_allclose(table.radial_profile[0, :9], expected[:9], rtol=0.03)


def test_every_column_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "measure.md").read_text()
    assert not [c.name for c in PARTICLE_COLUMNS if f"`{c.name}`" not in page]
    assert not [c.name for c in FLAGS if f"`{c.name}`" not in page]
