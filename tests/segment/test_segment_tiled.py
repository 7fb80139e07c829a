"""Tiles: equal to one piece where that is promised, joined across edges, corrected by hand."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.segment import apply_corrections, segment, segment_tiled, stitch_labels
from nanospa.testing import check_labels, masks

from tests.segment.test_segment import frame


class Lazy:
    """Shape, dtype and slices, as a zarr array has them; remembers the largest cut-out."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.largest = array, array.shape, array.dtype, 0

    def __getitem__(self, key):
        cut = self.array[key]
        self.largest = max(self.largest, cut.size)
        return cut


@pytest.mark.parametrize("threshold", ["li", "otsu", 145.0])
@pytest.mark.parametrize("background", ["none", "tophat"])
@pytest.mark.parametrize("polarity", ["bright", "dark"])
@pytest.mark.parametrize("compatibility", ["nanospa", "particlespy-0.5.1"])
def test_equal_to_one_piece(threshold, background, polarity, compatibility):
    image, _ = frame((230, 310), n=30)
    if background == "tophat" and threshold == 145.0:
        threshold = 40.0
    settings = {
        "method": "threshold",
        "polarity": polarity,
        "threshold": threshold,
        "background": background,
        "background_size_px": 31,
        "watershed": True,
        "erosion_radius_px": 2,
        "compatibility": compatibility,
    }
    source = Lazy(image)
    one = ns.segment.segment_with_report(image, settings=settings).labels
    np.testing.assert_array_equal(segment_tiled(source, settings=settings, tile_px=64), one)
    assert one.max() > 0 and source.largest < image.size / 2


def test_rolling_ball_and_uint16():
    image = frame((150, 170), n=12)[0].astype(np.uint16)
    settings = {"method": "threshold", "polarity": "bright", "background": "rolling_ball", "background_size_px": 15}
    np.testing.assert_array_equal(segment_tiled(image, settings=settings, tile_px=50), segment(image, settings=settings))


def test_automatic_in_tiles():
    image, mask = frame((500, 520), n=40, noise=4.0)
    labels = segment_tiled(image, tile_px=260, halo_px=60)
    check_labels(labels, image.shape)
    one = segment(image)
    both, either = ((labels > 0) & (one > 0)).sum(), ((labels > 0) | (one > 0)).sum()
    assert both / either > 0.8 and abs(int(labels.max()) - int(one.max())) <= 0.2 * one.max()
    assert ((labels > 0) & mask).sum() / mask.sum() > 0.5


def test_constant_image():
    assert not segment_tiled(np.ones((30, 30)), method="threshold", tile_px=8).any()


def test_bad_input():
    with pytest.raises(ns.errors.ShapeError, match="image_like"):
        segment_tiled(np.ones((3, 3, 3)))
    with pytest.raises(ns.errors.InvalidValueError, match="tile_px"):
        segment_tiled(np.ones((3, 3)), tile_px=0)
    with pytest.raises(ns.errors.SettingsError, match="trained"):
        segment_tiled(np.ones((3, 3)), method="trained")
    with pytest.raises(ns.errors.NonFiniteError, match="image_like"):
        segment_tiled(np.array([[1.0, np.inf]]), method="threshold")


@given(masks(max_side=30), st.integers(1, 12), st.integers(0, 3))
def test_stitching_is_labelling_the_whole(mask, tile_px, halo_px):
    tiles, origins = [], []
    for y in range(0, mask.shape[0], tile_px):
        for x in range(0, mask.shape[1], tile_px):
            v, u = max(y - halo_px, 0), max(x - halo_px, 0)
            tiles.append(ns.segment.label(mask[v : y + tile_px + halo_px, u : x + tile_px + halo_px])[0])
            origins.append((v, u))
    # Any shared pixel proves two parts of a component to be one.
    got = stitch_labels(tiles, origins, mask.shape, min_overlap=1e-9)
    np.testing.assert_array_equal(got, ns.segment.label(mask)[0])


def test_stitching_keeps_neighbours_apart():
    # In the overlap the second region of the right tile covers little of what the left tile saw.
    left, right = np.zeros((4, 10), int), np.zeros((4, 10), int)
    left[:, 4:10] = 1
    right[:, 0:5] = 1  # columns 6 … 10 of the whole
    right[:, 6:9] = 2
    got = stitch_labels([left, right], [(0, 0), (0, 6)], (4, 16))
    check_labels(got, (4, 16))
    assert got.max() == 2 and (got[:, 4:11] == 1).all() and (got[:, 12:15] == 2).all()


def test_stitching_refuses_tiles_outside():
    with pytest.raises(ns.errors.ShapeError, match=r"tiles\[0\]"):
        stitch_labels([np.ones((3, 3), int)], [(0, 2)], (3, 4))
    with pytest.raises(ns.errors.ShapeError, match="origins"):
        stitch_labels([np.ones((3, 3), int)], [], (3, 4))
    with pytest.raises(ns.errors.InvalidValueError, match="min_overlap"):
        stitch_labels([], [], (3, 4), min_overlap=0)


def test_corrections_survive_another_run():
    original = np.zeros((12, 20), np.int32)
    original[1:5, 1:5], original[1:5, 8:12], original[7:11, 1:5], original[7:11, 8:12] = 1, 2, 3, 4
    corrected = original.copy().astype(np.float32)
    corrected[corrected == 2] = 0  # deleted
    corrected[7:11, 8:10] = 40  # split
    corrected[1:4, 15:18] = 77  # drawn
    again = np.zeros_like(original)  # a run with other settings: everything one pixel larger, other numbers, one more
    again[0:6, 0:6], again[0:6, 7:13], again[6:12, 0:6], again[6:12, 7:13], again[8:11, 15:19] = 5, 4, 3, 2, 1
    got = apply_corrections(again, corrected, original=original)
    check_labels(got, original.shape)
    assert not got[0:6, 7:13].any()
    assert (got[again == 5] == got[0, 0]).all() and got[0, 0] > 0
    assert (got[1:4, 15:18] == got[1, 15]).all() and got[1, 15] > 0
    assert got[8, 8] != got[8, 10] and got[8, 8] > 0 and got[8, 10] > 0 and not got[6, 7:13].any()
    assert got[8, 16] > 0 and got.max() == 6
    np.testing.assert_array_equal(apply_corrections(got, corrected, original=original), got)


def test_corrections_without_the_original_replace():
    corrected = np.array([[0, 900, 900, 0, 3]])
    np.testing.assert_array_equal(apply_corrections([[1, 1, 1, 1, 1]], corrected), [[0, 1, 1, 0, 2]])
    with pytest.raises(ns.errors.DtypeError, match="corrected"):
        apply_corrections([[1, 0]], [[0.5, 1]])
    with pytest.raises(ns.errors.ShapeError, match="corrected"):
        apply_corrections([[1, 0]], [[1, 1, 1]])
