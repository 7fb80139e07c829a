"""Pyramids: right pixels, valid OME-Zarr, open in plain xarray; and the run on large frames."""

import itertools
import warnings

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from nanospa.io import pyramid
from nanospa.io.store import Store
from nanospa.pipeline import stages
from numpy.testing import assert_array_equal


def halved_slowly(image, labels):
    height, width = image.shape
    out = np.empty((-(-height // 2), -(-width // 2)), image.dtype)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            four = [image[min(2 * y + dy, height - 1), min(2 * x + dx, width - 1)] for dy in (0, 1) for dx in (0, 1)]
            if labels:
                out[y, x] = max(four, key=four.count)
            elif image.dtype.kind == "u":
                out[y, x] = (sum(int(v) for v in four) + 2) // 4
            else:
                out[y, x] = sum(float(v) for v in four) / 4
    return out


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["u1", "u2", "f4", "i4"]), st.integers(0, 99))
def test_halved(height, width, dtype, seed):
    rng = np.random.default_rng(seed)
    labels = dtype == "i4"
    image = rng.integers(-1 if labels else 0, 3 if labels else 250, (height, width)).astype(dtype)
    assert_array_equal(pyramid.halved(image, labels=labels), halved_slowly(image, labels))


def test_blocks_of_rows_do_not_matter(monkeypatch):
    image = np.random.default_rng(0).integers(0, 60000, (37, 22)).astype(np.uint16)
    whole = pyramid.halved(image, labels=False)
    monkeypatch.setattr(pyramid, "_ROWS", 4)
    assert_array_equal(pyramid.halved(image, labels=False), whole)


def test_which_images_have_levels():
    assert pyramid.level_shapes((8192, 8192)) == [(8192, 8192)]
    assert pyramid.level_shapes((8193, 8192)) == [(8193, 8192), (4097, 4096), (2049, 2048), (1025, 1024), (513, 512)]


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(pyramid, "LARGE_PX", 128)
    monkeypatch.setattr(stages, "TILE_PX", 70)


SETTINGS = {
    "simulate": {"n_frames": 2, "shape": (150, 131), "n_particles": 4, "pixel_size_nm": 0.8, "seed": 3},
    "segment": {"method": "threshold", "background": "tophat", "background_size_px": 61, "threshold": "otsu", "polarity": "bright"},
    "measure": {"particle_images": False},
}


@pytest.fixture
def mosaic(tmp_path, small_limit):
    path = tmp_path / "run.zarr"
    summary = ns.pipeline.run(SETTINGS, path, scheduler="sync", stages=["input", "segment", "measure"])
    assert summary.exit_code == 0 and summary.n_particles > 2, summary.failed
    return path


def test_levels_in_a_store(mosaic):
    tree = ns.open(mosaic)
    for name, labels in (("", False), ("/labels/particles", True), ("/labels/truth", True)):
        found = [tree[f"frames/stack_000{name}/scale{level}/image"].values for level in range(5)]
        assert [each.shape for each in found] == [(2, 150, 131), (2, 75, 66), (2, 38, 33), (2, 19, 17), (2, 10, 9)]
        for large, small in itertools.pairwise(found):
            for i in range(2):
                assert_array_equal(small[i], pyramid.halved(large[i], labels=labels))
        assert f"frames/stack_000{name}/scale5" not in tree


def test_valid_ome_zarr_with_levels(mosaic):
    from ome_zarr_models.v05 import Image
    from ome_zarr_models.v05.image_label import ImageLabel

    group = zarr.open_group(mosaic, mode="r+")
    for name in ("particles", "truth"):
        ImageLabel.from_zarr(group[f"frames/stack_000/labels/{name}"])
    # The model of the list of labels looks for arrays in the label's own group only, where the standard allows paths.
    del group["frames/stack_000/labels"]
    datasets = Image.from_zarr(group["frames/stack_000"]).ome_attributes.multiscales[0].datasets
    assert [d.path for d in datasets] == [f"scale{level}/image" for level in range(5)]
    assert datasets[2].coordinateTransformations[0].scale == [1.0, 3.2, 3.2]
    assert datasets[2].coordinateTransformations[1].translation == pytest.approx([0.0, 1.2, 1.2])


def test_plain_xarray_opens_levels(mosaic):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated metadata", RuntimeWarning)
        plain = xr.open_datatree(mosaic, engine="zarr")
    assert plain["frames/stack_000/scale1/image"].sizes == {"frame": 2, "y": 75, "x": 66}


def test_tiles_from_the_store_give_the_labels_of_one_piece(mosaic):
    store = Store.open(mosaic)
    for i in range(2):
        image = store.stacks.read("stack_000", i)
        assert image.shape == (150, 131)
        one = ns.segment.segment_with_report(image, settings=SETTINGS["segment"])
        assert one.labels.max() > 0
        assert_array_equal(store.stacks.read("stack_000", i, "particles"), one.labels)


def test_large_frames_are_read_in_tiles(tmp_path, small_limit, monkeypatch):
    monkeypatch.setattr(stages, "segmented", None)
    whole = []
    monkeypatch.setattr(ns.io.store_stacks.FrameView, "__getitem__", _noted(ns.io.store_stacks.FrameView.__getitem__, whole))
    segment = SETTINGS["segment"] | {"background_size_px": 9}
    summary = ns.pipeline.run({**SETTINGS, "segment": segment}, tmp_path / "a.zarr", scheduler="sync", stages=["input", "segment"])
    assert summary.exit_code == 0 and whole and max(whole) < 150 * 131


def _noted(read, sizes):
    def noted(self, key):
        cut = read(self, key)
        sizes.append(cut.size)
        return cut

    return noted


def test_corrections_more_frames_and_the_report(mosaic, tmp_path):
    edited = np.zeros((150, 131), np.int32)
    edited[20:40, 30:50] = 7
    ns.pipeline.correct(mosaic, 1, edited)
    summary = ns.pipeline.run(None, mosaic, scheduler="sync", stages=["measure"])
    assert summary.n_done["measure"] == 1
    table = Store.open(mosaic).read_table("particles")
    assert table["area_px"].values[table["frame"].values == 1].tolist() == [400]
    assert ns.open(mosaic)["frames/stack_000/labels/particles_corrected/scale1/image"].values[1, 10, 15] == 7
    more = {"simulate": SETTINGS["simulate"] | {"n_frames": 3}}
    assert ns.pipeline.run({**SETTINGS, **more}, mosaic, scheduler="sync", stages=["input", "segment", "measure"]).n_done["segment"] == 1
    assert ns.report.report(mosaic, tmp_path / "report.html").stat().st_size > 10_000
