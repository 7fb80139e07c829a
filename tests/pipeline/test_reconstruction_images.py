"""Cut-outs for a reconstruction: whole particles, nothing of their neighbours, flat background, one pixel size."""

import numpy as np
import pytest
from nanospa import simulate
from nanospa.io.store import Store
from nanospa.pipeline.distribute import Workers
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.reconstruction_images import (
    Grid,
    Member,
    cluster_images,
    cut_out,
    grid_of,
    smooth_even,
    without_aggregates,
)
from numpy.testing import assert_allclose, assert_array_equal

ROTATION = simulate.random_rotation(np.random.default_rng(3))


def member(label=1, *, row=0, extent_px=20.0, centre=(50.0, 50.0), pixel_size_nm=(0.5, 0.5), stack="stack_000", dark=False):
    frame = Frame(row, stack, 0, "f.tif", 0, (100, 100), pixel_size_nm)
    return Member(label, frame, label, centre, extent_px / 2.5, extent_px, dark)


def scene(noise=0.0, tilt=0.0):
    """Two particles that nearly touch on a tilted background, and their labels."""
    yy, xx = np.mgrid[:100, :100].astype(float)
    first = simulate.particle("cube", size_nm=8, pixel_size_nm=0.5, rotation=ROTATION, box_px=100)
    labels = (first > 4).astype(np.int32)
    second = np.hypot(yy - 50, xx - 78) < 10
    labels[second & (labels == 0)] = 2
    image = 10 * first + 900 * second + 500 + tilt * (yy + 2 * xx) + np.random.default_rng(0).normal(0, noise, (100, 100))
    return image, labels, 10 * first


def test_the_particle_alone_on_a_flat_background():
    image, labels, clean = scene(tilt=1.5)
    cut, own = cut_out(image, labels, 1, (50.2, 49.9), 64, 3.0)
    inside = clean[18:82, 18:82]
    assert own[labels[18:82, 18:82] == 1].all() and own.sum() > 1.2 * (labels == 1).sum()
    assert_allclose(cut[own], inside[own], atol=0.05 * clean.max())
    assert np.abs(cut[~own]).max() < 0.02 * clean.max(), "neither neighbour nor tilt is left"
    # What the outline left out of the particle is there.
    assert cut[own].sum() == pytest.approx(clean.sum(), rel=0.01)


def test_hidden_pixels_look_like_background():
    image, labels, _ = scene(noise=30.0)
    cut, own = cut_out(image, labels, 1, (50, 50), 64, 3.0)
    neighbour = labels[18:82, 18:82] == 2
    free = ~own & (labels[18:82, 18:82] == 0)
    assert cut[neighbour].std() == pytest.approx(cut[free].std(), rel=0.15) and abs(cut[neighbour].mean()) < 6
    again, _ = cut_out(image, labels, 1, (50, 50), 64, 3.0)
    assert_array_equal(again, cut)


def test_at_the_edge_of_the_frame():
    image, labels, _ = scene(noise=30.0)
    moved, marked = np.roll(image, (-32, 0), (0, 1)), np.roll(labels, (-32, 0), (0, 1))
    cut, own = cut_out(moved, marked, 1, (18, 50), 64, 3.0)
    assert cut.shape == (64, 64) and not own[:14].any()
    assert 25 < cut[:14].std() < 35 and abs(cut[:14].mean()) < 6
    whole, _ = cut_out(image, labels, 1, (50, 50), 64, 3.0)
    assert_allclose(cut[own], whole[own], atol=20)


def test_touching_neighbours_part_half_way():
    labels = np.zeros((60, 60), np.int32)
    labels[20:40, 10:30], labels[20:40, 34:54] = 1, 2
    _, own = cut_out(np.random.default_rng(0).normal(size=(60, 60)), labels, 1, (30, 30), 60, 6.0)
    assert own[30, 31] and not own[30, 33]


def test_nothing_but_particles_around():
    labels = np.full((20, 20), 2, np.int32)
    labels[8:12, 8:12] = 1
    cut, own = cut_out(np.where(labels == 1, 9.0, 5.0), labels, 1, (10, 10), 16, 3.0)
    assert np.isfinite(cut).all() and cut[own].max() == 4.0


def test_grid():
    assert smooth_even(65) == 72 and smooth_even(64) == 64 and smooth_even(98) == 100
    assert grid_of([member(extent_px=20), member(extent_px=40)], 128) == Grid(54, 0.5)
    assert grid_of([member(extent_px=200)], 64) == Grid(64, 0.5 * 260 / 64)
    assert grid_of([member(extent_px=9)], 64) == Grid(32, 0.5)
    fine = member(extent_px=80, pixel_size_nm=(0.25, 0.25))
    assert grid_of([member(extent_px=20), fine], 128) == Grid(54, 0.5)
    assert without_aggregates([member(1), member(2), member(3, extent_px=41)]) == [member(1), member(2)]


@pytest.fixture
def store(tmp_path):
    """The same particle at three pixel sizes, the last not square and dark on bright."""
    store = Store.create(tmp_path / "run.zarr")
    made = []
    for row, (y, x) in enumerate([(0.2, 0.2), (0.25, 0.25), (0.15, 0.2)]):
        thickness = simulate.particle("star", size_nm=16, pixel_size_nm=(y, x), rotation=ROTATION, box_px=140)
        image = (1000 + 20 * thickness * (-1 if row == 2 else 1)).astype(np.float32)
        stack = store.stacks.ensure((140, 140), "float32", (y, x), str(row))
        store.stacks.ensure_labels(stack.name, "particles")
        store.stacks.grow(stack.name, 1)
        store.stacks.write(stack.name, 0, image)
        store.stacks.write(stack.name, 0, (thickness > 1).astype(np.int32), "particles")
        extent = np.ptp(np.argwhere(thickness > 1), axis=0).max()
        made.append(member(1, row=row, extent_px=float(extent), centre=(70, 70), pixel_size_nm=(y, x), stack=stack.name, dark=row == 2))
    return store, made


@pytest.mark.parametrize("largest", [256, 48])
def test_pixel_sizes_are_brought_together(store, largest):
    opened, members = store
    grid = grid_of(members, largest)
    found = cluster_images(opened, members, grid, Workers("sync"))
    assert found.images.shape == (3, grid.box, grid.box) == found.masks.shape and found.pixel_size_nm == grid.pixel_size_nm
    expected = 20 * simulate.particle("star", size_nm=16, pixel_size_nm=grid.pixel_size_nm, rotation=ROTATION, box_px=grid.box)
    for image, own in zip(found.images, found.masks, strict=True):
        assert np.corrcoef(image.ravel(), expected.ravel())[0, 1] > 0.995
        assert image.sum() == pytest.approx(expected.sum(), rel=0.01)
        assert own[expected > 60].all() and not own[[0, -1]].any()
