"""Arrays at the edge: calibration goes through, what dask has yet to compute does not."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr


@pytest.fixture
def image():
    y, x = np.mgrid[:40, :50]
    values = np.where(np.hypot(y - 20, x - 25) < 9, 200, 20).astype(np.uint16)
    return xr.DataArray(values, dims=("y", "x"), attrs={"pixel_size_nm": 0.2})


@pytest.mark.parametrize(
    "function",
    [
        ns.segment.segment,
        ns.segment.auto,
        ns.segment.segment_tiled,
        lambda image: ns.segment.gaussian(image, 1),
        ns.segment.label,
        ns.measure.frame_flags,
        lambda image: ns.measure.particle_images(image, np.zeros((40, 50), int), box_px=8),
        lambda image: ns.measure.measure(np.zeros((40, 50)), image),
    ],
)
def test_what_dask_has_yet_to_compute_is_refused(image, function):
    with pytest.raises(ns.errors.DtypeError, match="dask-backed"):
        function(image.chunk(20))


def test_bare_dask_arrays_are_refused(image):
    with pytest.raises(ns.errors.DtypeError, match=r"image: .* dask-backed array"):
        ns.segment.threshold(image.chunk(20).data)


def test_arrays_in_a_tuple_keep_their_calibration(image):
    labels, n = ns.segment.label(image > 100, 8)
    assert n == 1 and isinstance(labels, xr.DataArray) and labels.dims == ("y", "x")


def test_tiles_keep_the_calibration(image):
    labels = ns.segment.segment_tiled(image, tile_px=16, method="threshold", polarity="bright")
    assert isinstance(labels, xr.DataArray) and labels.attrs == image.attrs and labels.max() == 1


def test_particle_images_keep_the_pixel_size(image):
    cuts = ns.measure.particle_images(image, (image > 100).astype(int), box_px=24)
    assert cuts.dims == ("particle", "y", "x") and cuts.attrs == {"pixel_size_nm": 0.2}
    assert isinstance(ns.measure.particle_images(image.to_numpy(), image.to_numpy() > 100, box_px=24), np.ndarray)


def test_warnings_name_the_line_of_the_caller():
    with pytest.warns(ns.errors.NanospaWarning) as caught:
        ns.segment.segment(np.ones((9, 9)))
    assert caught[0].filename == __file__
