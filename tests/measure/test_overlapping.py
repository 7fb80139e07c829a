"""Mosaics cut from one known field of particles: each is counted once."""

import nanospa as ns
import numpy as np
import pandas as pd
import pytest

SIDE, STEP, PIXEL_NM = 400, 320, 0.5


def mosaic(seed, stage_error_nm=0.0, tiles=3):
    """A field of disks photographed in overlapping tiles: particle table, frame table, number of true particles seen."""
    rng = np.random.default_rng(seed)
    size = SIDE + (tiles - 1) * STEP
    spacing = 36
    grid = np.stack(np.meshgrid(*[np.arange(spacing, size - spacing, spacing)] * 2, indexing="ij"), -1).reshape(-1, 2)
    centres = grid + rng.uniform(-4, 4, grid.shape)
    radii = rng.uniform(5, 11, len(centres))
    field = np.zeros((size, size), np.int32)
    for k, ((y, x), r) in enumerate(zip(centres, radii, strict=True), 1):
        y0, x0 = int(y) - 12, int(x) - 12
        yy, xx = np.mgrid[y0 : y0 + 25, x0 : x0 + 25]
        field[y0 : y0 + 25, x0 : x0 + 25][np.hypot(yy - y, xx - x) < r] = k
    rows, frames, truth = [], [], []
    for i in range(tiles**2):
        y0, x0 = STEP * (i // tiles), STEP * (i % tiles)
        tile = field[y0 : y0 + SIDE, x0 : x0 + SIDE]
        table = ns.measure.region_properties(tile, tile)
        truth.append(table["label"])
        rows.append(pd.DataFrame({k: v for k, v in table.items() if v.ndim == 1}).assign(frame=i))
        middle = (np.array([y0, x0]) + (SIDE - 1) / 2) * PIXEL_NM + rng.normal(0, stage_error_nm, 2)
        frames.append(
            {
                "stage_y_um": middle[0] * 1e-3,
                "stage_x_um": middle[1] * 1e-3,
                "pixel_size_y_nm": PIXEL_NM,
                "pixel_size_x_nm": PIXEL_NM,
                "height_px": SIDE,
                "width_px": SIDE,
            }
        )
    return pd.concat(rows, ignore_index=True), pd.DataFrame(frames), np.concatenate(truth)


@pytest.mark.parametrize("stage_error_nm", [0.0, 0.8])
def test_every_particle_is_counted_once(stage_error_nm):
    table, frames, truth = mosaic(0, stage_error_nm)
    kept = truth[~ns.measure.overlapping(table, frames)]
    whole = truth[~ns.measure.overlapping(table, frames) & ~table["touches_border"].to_numpy()]
    assert len(whole) == len(set(whole)), "a whole particle counted twice"
    # A sliver at a tile's edge has its centre near the whole particle's outline: with a stage error it may lie outside.
    twice = len(kept) - len(set(kept))
    assert twice == 0 if stage_error_nm == 0 else twice <= 0.01 * len(kept)
    assert set(kept) == set(truth), "a particle lost"


def test_the_whole_copy_stays():
    table, frames, truth = mosaic(1)
    duplicate = ns.measure.overlapping(table, frames)
    border = table["touches_border"].to_numpy()
    for label in np.unique(truth[duplicate]):
        copies = truth == label
        if (~border[copies]).any():
            assert not border[copies & ~duplicate].all()


def test_pieces_of_a_particle_that_is_whole_elsewhere():
    """A star of which the border cuts off two tips: three regions, one particle; a neighbour that touches it stays."""
    frames = {
        "stage_y_um": [0, 0],
        "stage_x_um": [0, 0.08],
        "pixel_size_y_nm": [1, 1],
        "pixel_size_x_nm": [1, 1],
        "height_px": [100, 100],
        "width_px": [100, 100],
    }
    table = {
        "frame": [0, 1, 1, 1],
        "centroid_y_px": [50.0, 46.0, 54.5, 62.0],
        "centroid_x_px": [85.0, 0.6, 0.5, 5.0],
        "equivalent_diameter_px": [12.0, 2.0, 1.4, 12.0],
        "touches_border": [False, True, True, True],
    }
    assert ns.measure.overlapping(table, frames).tolist() == [False, True, True, False]


def test_unknown_positions_mean_no_duplicates():
    table, frames, _ = mosaic(2)
    assert not ns.measure.overlapping(table, frames.assign(stage_x_um=np.nan)).any()
    assert ns.measure.overlapping(table.iloc[:0], frames).shape == (0,)


def test_bad_input():
    table, frames, _ = mosaic(3, tiles=1)
    with pytest.raises(ns.errors.InvalidValueError, match="tolerance"):
        ns.measure.overlapping(table, frames, tolerance=0)
    with pytest.raises(ns.errors.InvalidValueError, match="frames 0 … 0"):
        ns.measure.overlapping(table.assign(frame=4), frames)
