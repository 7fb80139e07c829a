"""Raster, tiles, doses, presence, drift, plans: the plain parts of a session."""

from itertools import pairwise

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.acquire.dose import Area, DoseLedger, electrons_per_nm2
from nanospa.acquire.drift import Drift
from nanospa.acquire.objects import particles_found, tiles_found
from nanospa.acquire.plan import as_plan
from nanospa.acquire.raster import serpentine
from nanospa.acquire.tiles import survey_tiles
from nanospa.errors import InvalidValueError, NonFiniteError, SettingsError, ShapeError, UnknownNameError


def test_serpentine_from_minimum_to_maximum():
    positions = serpentine((1.0, 2.0), (0.0, 1.5), 0.5)
    assert [(p.row, p.column) for p in positions[:9]] == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 3), (1, 2), (1, 1), (1, 0), (2, 0)]
    assert (positions[0].y_um, positions[0].x_um) == (1.0, 0.0)
    assert max(p.y_um for p in positions) == 2.0
    assert [p.index for p in positions] == list(range(12))


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 3), st.floats(0.2, 2))
def test_serpentine_neighbours_are_one_step_apart(low, height, width, step):
    positions = serpentine((low, low + height), (low, low + width), step)
    for a, b in pairwise(positions):
        assert abs(a.y_um - b.y_um) + abs(a.x_um - b.x_um) == pytest.approx(step)
    assert all(low <= p.y_um <= low + height + 1e-5 and low <= p.x_um <= low + width + 1e-5 for p in positions)


def test_serpentine_of_a_point_is_one_position():
    assert len(serpentine((2.0, 2.0), (3.0, 3.0), 0.5)) == 1


@given(st.integers(1, 9), st.floats(0, 0.49))
def test_tiles_cover_the_survey_with_one_size(n, padding):
    tiles = survey_tiles(n, padding)
    assert len(tiles) == n * n
    assert len({(t.region.height, t.region.width) for t in tiles}) == 1
    covered = np.zeros((90, 90), dtype=int)
    grid = (np.arange(90) + 0.5) / 90
    for tile in tiles:
        r, c = tile.region, tile.core
        assert r.y >= 0 and r.x >= 0 and r.y + r.height <= 1 + 1e-9 and r.x + r.width <= 1 + 1e-9
        assert r.y <= c.y + 1e-9 and r.x <= c.x + 1e-9
        assert r.y + r.height >= c.y + c.height - 1e-9 and r.x + r.width >= c.x + c.width - 1e-9
        covered[np.ix_((grid >= c.y) & (grid < c.y + c.height), (grid >= c.x) & (grid < c.x + c.width))] += 1
    assert (covered == 1).all()


def test_highest_dose_is_found_where_scans_overlap():
    ledger = DoseLedger()
    ledger.add(Area(0, 0, 10, 10), 1.0)
    ledger.add(Area(5, 5, 15, 15), 2.0)
    ledger.add(Area(20, 20, 30, 30), 50.0)
    assert ledger.highest(Area(0, 0, 4, 4)) == 1.0
    assert ledger.highest(Area(0, 0, 10, 10)) == 3.0
    assert ledger.highest(Area(10, 10, 20, 20)) == 2.0
    assert ledger.highest(Area(100, 100, 101, 101)) == 0.0
    ledger.move(2, -10, -10)
    assert ledger.highest(Area(12, 12, 14, 14)) == 52.0


def test_dose_of_the_paper():
    # Slater et al. 2020: 13 pA and 20 µs are 1,623 electrons a pixel.
    assert electrons_per_nm2(13e-12, 20e-6, (1.0, 1.0)) == pytest.approx(1623, abs=1)


def test_drift_follows_a_line():
    drift = Drift(100.0)
    assert drift.expected(200.0) == (0.0, 0.0)
    for clock in (110.0, 130.0, 120.0):
        drift.add(clock, 0.02 * (clock - 100), -0.01 * (clock - 100))
    assert drift.expected(150.0) == pytest.approx((1.0, -0.5))
    assert drift.rate_nm_per_min() == pytest.approx(60 * np.hypot(0.02, 0.01))
    assert drift.last_s() == 130.0


def image_of(*discs, shape=(128, 128), seed=0):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.random.default_rng(seed).normal(100, 5, shape)
    for cy, cx, r, height in discs:
        image[np.hypot(y - cy, x - cx) < r] += height
    return image


def test_presence_finds_faint_particles_far_from_bright_ones():
    labels = ns.acquire.particle_presence(image_of((20, 20, 6, 1000), (100, 100, 6, 80)))
    assert labels.max() == 2
    assert labels[20, 20] > 0 and labels[100, 100] > 0


def test_presence_of_noise_alone_is_empty():
    assert not any(ns.acquire.particle_presence(image_of(seed=seed)).any() for seed in range(20))
    assert not ns.acquire.particle_presence(np.full((64, 64), 7)).any()


def test_presence_leaves_out_specks():
    image = np.zeros((64, 64))
    image[10:12, 10:12] = 100.0
    image[40:50, 40:50] = 100.0
    assert ns.acquire.particle_presence(image).max() == 1


@pytest.mark.parametrize(
    ("image", "settings", "error"),
    [
        (np.zeros((4, 4, 4)), {}, ShapeError),
        (np.full((16, 16), np.nan), {}, NonFiniteError),
        (np.zeros((16, 16)), {"fraction": 1.0}, InvalidValueError),
        (np.zeros((16, 16)), {"min_area_px": 0}, InvalidValueError),
    ],
)
def test_presence_refuses(image, settings, error):
    with pytest.raises(error):
        ns.acquire.particle_presence(image, 1.0, **settings)


def test_a_tile_is_taken_for_particles_it_owns_and_parts_that_would_be_cut():
    plan = as_plan({"tiles": 4, "tile_padding": 0.1, "survey_shape": (128, 128), "survey_field_nm": 128.0})
    labels = np.zeros((128, 128), dtype=np.int32)
    labels[10:14, 10:14] = 1
    # Centre in the second column, but longer than the tile's padding: its neighbours see the ends of it.
    labels[40:44, 20:90] = 2
    tiles = {(t["row"], t["column"]): t for t in tiles_found(labels, plan)}
    selected = {place for place, t in tiles.items() if t["selected"]}
    assert selected == {(0, 0), (1, 0), (1, 1), (1, 2)}
    assert tiles[0, 0]["n_found"] == 1 and tiles[1, 0]["n_found"] == 0 and tiles[1, 0]["reason"] == "part of a particle"
    assert tiles[3, 3]["reason"] == "empty"
    assert (tiles[0, 0]["y_nm"], tiles[0, 0]["x_nm"]) == (12 - 64, 12 - 64)


def test_particles_at_the_border_or_too_large_are_not_taken():
    plan = as_plan({"target": "particles", "survey_shape": (128, 128), "survey_field_nm": 128.0, "particle_field_nm": 20.0})
    labels = np.zeros((128, 128), dtype=np.int32)
    labels[0:6, 60:66] = 1
    labels[30:36, 30:36] = 2
    labels[70:110, 70:110] = 3
    found = particles_found(labels, plan)
    assert [p["selected"] for p in found] == [False, True, False]
    assert found[1]["y_nm"] == 33 - 64
    assert found[1]["size_nm"] == pytest.approx(np.sqrt(36 * 4 / np.pi))


def test_plans_by_name_by_fields_and_refused():
    assert as_plan(None) == ns.acquire.PRESETS["slater2020"]
    assert as_plan({"preset": "atomic", "max_images": 3}).target == "particles"
    assert as_plan({"max_images": 3}).digest() != as_plan({"max_images": 4}).digest()
    with pytest.raises(UnknownNameError, match="slater2020"):
        as_plan("slater")
    with pytest.raises(SettingsError, match="focus_evry"):
        as_plan({"focus_evry": 2})
    with pytest.raises(SettingsError, match="fine_focus_field_nm"):
        as_plan({"fine_focus_every": 1, "fine_focus_field_nm": 100.0})
    with pytest.raises(SettingsError, match="focus_shape"):
        as_plan({"focus_shape": (64, 256)})
    with pytest.raises(SettingsError, match="stage_x_um"):
        as_plan({"stage_x_um": (2, 1)})
