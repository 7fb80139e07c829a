"""Displacement between two images of the same place."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanospa.acquire.image_shift import _correlation
from nanospa.errors import InvalidValueError, PixelSizeError, ShapeError

SPECIMEN = ns.simulate.VirtualSpecimen("slater2020", seed=5, hole_share=0.0)


def image(centre_nm, pixel_size_nm, shape, *, electrons=406.0, key=0, specimen=SPECIMEN):
    fraction = specimen.image(centre_nm=centre_nm, pixel_size_nm=pixel_size_nm, shape=shape)
    return ns.simulate.detect(fraction, electrons_per_pixel=electrons, seed_key=(key, *map(float, centre_nm)))


SURVEY = image((0.0, 0.0), 1.0, (400, 400))


@given(st.floats(-20, 20), st.floats(-20, 20))
@settings(max_examples=15)
def test_a_tile_is_placed_on_its_survey(dy, dx):
    """A tile of other pixels that lies (dy, dx) from where it should shows its content displaced by (−dy, −dx)."""
    nominal = (30.0, -40.0)
    tile = image((nominal[0] + dy, nominal[1] + dx), 0.35, (420, 400), electrons=1600)
    found = ns.acquire.image_shift(SURVEY, tile, reference_pixel_size_nm=1.0, pixel_size_nm=0.35, offset_nm=nominal, largest_nm=40)
    assert found[:2] == pytest.approx((-dy, -dx), abs=0.4)
    assert found[2] > 0.2


def test_the_coarser_image_may_be_the_second():
    tile = image((3.0, -5.0), (0.4, 0.5), (400, 300), electrons=1600)
    dy, dx, _ = ns.acquire.image_shift(tile, SURVEY, reference_pixel_size_nm=(0.4, 0.5), pixel_size_nm=1.0)
    assert (dy, dx) == pytest.approx((3.0, -5.0), abs=0.4)


def test_strips_of_neighbours():
    neighbour = image((12.0, 360.0 - 9.0), 1.0, (400, 400), key=1)
    dy, dx, _ = ns.acquire.image_shift(SURVEY, neighbour, offset_nm=(0.0, 360.0), largest_nm=30, least_overlap=0.25)
    assert (dy, dx) == pytest.approx((-12.0, 9.0), abs=0.3)


def test_pixels_are_the_default_unit():
    dy, dx, confidence = ns.acquire.image_shift(SURVEY[20:320, 20:320], SURVEY[25:325, 13:313])
    assert (dy, dx) == pytest.approx((-5.0, 7.0), abs=0.02)
    assert confidence > 0.5


@pytest.mark.parametrize("key", range(4))
def test_another_place_is_not_placed(key):
    tile = image((5000.0, 3000.0 * key), 0.4, (400, 400), electrons=1600)
    dy, dx, _ = ns.acquire.image_shift(SURVEY, tile, reference_pixel_size_nm=1.0, pixel_size_nm=0.4, largest_nm=40)
    assert np.isnan(dy)
    assert np.isnan(dx)


@pytest.mark.parametrize("kind", ["noise", "constant", "film"])
def test_nothing_to_see(kind):
    rng = np.random.default_rng(0)
    if kind == "noise":
        pair = [rng.poisson(5, (200, 200)) for _ in range(2)]
    elif kind == "constant":
        pair = [np.full((200, 200), 3)] * 2
    else:
        film = ns.simulate.VirtualSpecimen("empty", seed=1)
        pair = [image((0.0, 0.0), 1.3, (200, 200), specimen=film, key=key) for key in range(2)]
    dy, dx, confidence = ns.acquire.image_shift(*pair)
    assert np.isnan(dy)
    assert np.isnan(dx)
    assert 0 <= confidence < 0.2


@given(st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=10)
def test_gain_and_offset_do_not_matter(gain, offset):
    first, second = SURVEY[:200, :200].astype(float), SURVEY[4:204, 9:209].astype(float)
    plain = ns.acquire.image_shift(first, second)
    assert ns.acquire.image_shift(first, gain * second + offset) == pytest.approx(plain, abs=1e-3)


def test_correlation_is_that_of_the_overlap():
    """Against the definition, place by place."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(9, 11)), rng.normal(size=(7, 6))
    lags = [np.arange(-6, 9), np.arange(-5, 11)]
    score = _correlation(a, b, lags, 4)
    for i, y in enumerate(lags[0]):
        for j, x in enumerate(lags[1]):
            part = a[max(y, 0) : y + 7, max(x, 0) : x + 6]
            other = b[max(-y, 0) : 9 - y, max(-x, 0) : 11 - x]
            expected = np.corrcoef(part.ravel(), other.ravel())[0, 1] if part.size >= 4 else -1
            assert score[i, j] == pytest.approx(expected, abs=1e-9)


def test_arguments_are_checked():
    frame = np.zeros((64, 64))
    with pytest.raises(ShapeError):
        ns.acquire.image_shift(np.zeros(5), frame)
    with pytest.raises(PixelSizeError):
        ns.acquire.image_shift(frame, frame, reference_pixel_size_nm=0.0)
    with pytest.raises(InvalidValueError, match="largest_nm"):
        ns.acquire.image_shift(frame, frame, largest_nm=0.0)
    with pytest.raises(InvalidValueError, match="least_overlap"):
        ns.acquire.image_shift(frame, frame, least_overlap=2.0)
