"""Reconstructions: shaded views, figures, the section of the report, files for other programs."""

import html
import json

import mrcfile
import nanospa as ns
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nanospa import errors
from nanospa.report.ray_cast import Surface, enclosing_radius
from nanospa.report.run_view import RunView
from nanospa.report.verdict_words import FLAGS, VERDICTS, flag_texts, verdict_text
from nanospa.report.views import seen_from, standard_views, turntable
from nanospa.schema.volumes import ATTRIBUTES, VARIABLES
from numpy.testing import assert_allclose

from tests.report.reconstruction_case import reconstruction, stored


@pytest.fixture(scope="module")
def cube():
    return reconstruction("cube", 40, box=32)[0]


def test_the_case_is_what_the_schema_says(cube):
    # Classes are only there where several shapes were asked for and found.
    expected = set(VARIABLES) - {"shape_class", "class_volumes"}
    assert expected <= set(cube.variables) and set(ATTRIBUTES) <= set(cube.attrs)
    for name in expected:
        assert cube[name].dims == VARIABLES[name].dims


# -- views


@pytest.mark.parametrize("symmetry", ["C1", "C3", "D2", "D3", "D5", "T", "O", "I", "unknown"])
def test_views_are_rotations(symmetry):
    views = standard_views(symmetry)
    assert len({view.name for view in views}) == len(views)
    for view in views:
        assert_allclose(view.rotation @ view.rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(view.rotation) == pytest.approx(1)


def test_seen_from():
    # From above: x up the page, sight against z. From the front: z up the page (down is the second row).
    assert_allclose(seen_from((0, 0, 5)), [[0, -1, 0], [-1, 0, 0], [0, 0, -1]], atol=1e-12)
    assert_allclose(seen_from((2, 0, 0))[1:], [[0, 0, -1], [-1, 0, 0]], atol=1e-12)
    assert_allclose(turntable(4)[0][2] * [-1, -1, 1], turntable(4)[2][2], atol=1e-12)


# -- rays


def solid_ball(n, radius, centre=(0.0, 0.0, 0.0)):
    """Density that is 1/2 at the surface of a ball about a place (x, y, z) from the centre."""
    z, y, x = np.indices((n, n, n)) - float(n // 2)
    away = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return np.clip(0.5 + (radius - away) / 3, 0, 1).astype(np.float32)


def test_a_ball_has_its_area():
    picture = Surface(solid_ball(33, 10.0), 0.5).picture(np.eye(3), half_width=14.0, size_px=140, colour="#808080")
    covered = picture[..., 3].astype(float).sum() / 255 * (28 / 140) ** 2
    assert covered == pytest.approx(np.pi * 100, rel=0.01)
    assert (picture[:5, :, 3] == 0).all()
    # Light comes from the upper left.
    assert picture[45, 45, :3].sum() > picture[95, 95, :3].sum()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("n", [32, 33])
def test_pictures_agree_with_projections(axis, n):
    """The outline of a ball off the centre lies where the projection of the volume has it."""
    rotation = ns.simulate.random_rotation(np.random.default_rng(axis))
    centre = 6.0 * np.eye(3)[axis]
    volume = solid_ball(n, 5.0, centre)
    picture = Surface(volume, 0.5).picture(rotation, half_width=n / 2, size_px=4 * n, colour="red")
    y, x = np.nonzero(picture[..., 3])
    pitch = 1 / 4
    found = np.array([x.mean(), y.mean()]) - (4 * n - 1) / 2
    assert_allclose(found * pitch, (rotation @ centre)[:2], atol=0.1)
    flat = ns.simulate.projection(volume, rotation)
    weight = flat / flat.sum()
    rows, columns = np.indices(flat.shape) - n // 2
    assert_allclose(found * pitch, [(columns * weight).sum(), (rows * weight).sum()], atol=0.15)


def test_what_is_nearer_hides_what_is_behind():
    """z of the picture points away from the eye: of two balls behind each other, the one with smaller z is seen."""
    near = Surface(solid_ball(48, 5.0, (0, 0, -12)) + solid_ball(48, 9.0, (0, 0, 10)), 0.5)
    alone = Surface(solid_ball(48, 5.0, (0, 0, -12)), 0.5, radius=near.radius)
    seen, only = (s.picture(np.eye(3), half_width=20.0, size_px=100, colour="#808080") for s in (near, alone))
    middle = slice(45, 55)
    assert_allclose(seen[middle, middle, :3].astype(int), only[middle, middle, :3].astype(int), atol=25)
    assert (seen[..., 3] > 0).sum() > 2 * (only[..., 3] > 0).sum()


def test_nothing_above_the_level():
    assert not Surface(np.zeros((16, 16, 16), np.float32), 0.5).picture(np.eye(3), half_width=8.0, size_px=20, colour="red").any()
    ball = solid_ball(33, 10.0)
    ball[1, 1, 1] = 1  # a speck of noise
    assert enclosing_radius(ball, 0.5) == pytest.approx(10, abs=0.5)


# -- figures


def test_isosurface(cube):
    figure = ns.report.isosurface(cube["volume"].values, level=0.5, pixel_size_nm=0.8, symmetry="O")
    assert [axes.get_title() for axes in figure.axes] == ["4-fold axis", "3-fold axis", "2-fold axis", "oblique"]
    assert any(text.get_text().endswith("nm") for axes in figure.axes for text in axes.texts)
    assert len(ns.report.isosurface(cube["volume"].values, views=standard_views("C3")).axes) == 3
    with pytest.raises(errors.ShapeError, match="volume"):
        ns.report.isosurface(np.zeros((4, 4)))


@pytest.mark.parametrize("symmetry", ["C1", "C2", "C3", "D2", "D3", "D4", "D5", "D6", "T", "O", "I"])
def test_orientation_map_is_even_where_directions_are(symmetry):
    """The map of many directions is 1 everywhere, and every direction lies on it."""
    from matplotlib.path import Path
    from nanospa.reconstruct import Symmetry, folded_directions
    from nanospa.report.orientation_map import _density, _flat, _outline

    group = Symmetry.of(symmetry)
    rotations = np.stack([ns.simulate.random_rotation(np.random.default_rng([7, i])) for i in range(800)])
    directions = folded_directions(rotations, group)
    border = Path(_flat(_outline(group)))
    assert (
        border.contains_points(_flat(directions), radius=2e-3).mean() + border.contains_points(_flat(directions), radius=-2e-3).mean()
        > 1.96
    )
    density = _density(directions[None, ::10], directions, group)
    assert density.mean() == pytest.approx(1, abs=0.15)
    assert len(ns.report.orientation_map(rotations[:40], symmetry).axes) == 2


def test_curves(cube):
    assert len(ns.report.fsc_curve(cube).axes[0].lines) >= 5
    starts = ns.report.start_scores(cube).axes[0]
    heights = [bar.get_height() for bar in starts.patches]
    assert sum(heights) == cube.sizes["start"]
    values = ns.report.image_correlations(cube).axes[0]
    assert sum(bar.get_height() for bar in values.patches) == cube.sizes["image"]
    nothing = xr.Dataset({"start_scores": ("start", [np.nan]), "start_basin": ("start", [0]), "correlation": ("image", [np.nan])})
    for figure in (ns.report.start_scores(nothing), ns.report.image_correlations(nothing)):
        assert "no " in figure.axes[0].texts[0].get_text()


def test_radial_density():
    figure = ns.report.radial_density(solid_ball(33, 10.0), pixel_size_nm=0.5, level=0.5)
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) > 5)
    assert np.interp(5.0, line.get_xdata(), line.get_ydata()) == pytest.approx(0.5, abs=0.05)


def test_reprojections_fit_the_images():
    """Without noise what is left is small, also of images that are shifted and of another size; in a wrong pose it is not."""
    made, truth = reconstruction("star", 5, box=48, snr=np.inf, noise=0.0, blur=0.3)
    scaled, _ = reconstruction("star", 5, box=48, snr=np.inf, noise=0.0, blur=0.3)
    from nanospa.report.reprojections import _fitted, _reprojection

    from tests.reconstruct.stacks import stack

    other = stack("star", 5, box=48, scales=np.full(5, 1.15), shift_px=4.0)
    scaled = scaled.assign(shifts=(("image", "direction"), other.shifts), scale=("image", other.scales))
    for case, images in ((made, truth.images), (scaled, other.images)):
        for i in range(5):
            left = images[i] - _fitted(images[i], _reprojection(case, i, images[i].shape))
            assert left.std() < 0.06 * images[i].std()
    wrong = made.assign(rotations=made["rotations"][::-1])
    left = truth.images[0] - _fitted(truth.images[0], _reprojection(wrong, 0, truth.images[0].shape))
    assert left.std() > 0.15 * truth.images[0].std()
    with pytest.raises(errors.ShapeError, match="5 images"):
        ns.report.reprojections(made, truth.images[:4])


def test_gallery_is_on_one_scale():
    small, large = solid_ball(33, 6.0), solid_ball(33, 12.0)
    made = {
        f"cluster_{i:03d}": xr.Dataset({"volume": (("z", "y", "x"), v)}, attrs={"pixel_size_nm": 0.5, "level": 0.5})
        for i, v in enumerate((small, large))
    }
    figure = ns.report.model_gallery(made)
    areas = [(axes.images[0].get_array()[..., 3] > 127).sum() for axes in figure.axes]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.05)


# -- words


def test_words():
    assert "z = 9.3" in verdict_text({"verdict": "confident", "margin": 0.004, "margin_z": 9.31})
    assert "z =" not in verdict_text({"verdict": "sphere", "margin": 0.0, "margin_z": 0.1})
    assert verdict_text({}) == "No verdict."
    named = ATTRIBUTES["verdict"].replace(" or ", ", ").split(", ")
    assert set(named) == set(VERDICTS)
    assert set(ATTRIBUTES["flags"].partition(": ")[2].split(", ")) == set(FLAGS)
    assert flag_texts({"flags": "mixed, symmetry"}) == [FLAGS["mixed"], FLAGS["symmetry"]]
    assert flag_texts({"flags": np.array(["mixed"], dtype=object)}) == [FLAGS["mixed"]]
    assert flag_texts({}) == [] == flag_texts({"flags": []})


def test_a_resolution_that_is_not_reached(cube):
    fine = cube.assign(fsc=("shell", np.full(cube.sizes["shell"], 0.9)))
    texts = [text.get_text() for text in ns.report.fsc_curve(fine).axes[0].texts]
    assert len(texts) == 2 and all("not reached" in text for text in texts)
    assert not any("not reached" in text.get_text() for text in ns.report.fsc_curve(cube).axes[0].texts)


# -- the report


def run_with(*cases):
    tree = xr.DataTree.from_dict({f"volumes/cluster_{i:03d}": stored(made) for i, made in enumerate(cases)})
    n = len(cases)
    rows = {
        "cluster": np.arange(n + 1),
        "verdict": np.array([made.attrs["verdict"] for made in cases] + ["under-determined"], dtype=object),
        "n_images": np.array([made.attrs["n_images"] for made in cases] + [11]),
    }
    tree["reconstructions"] = xr.DataTree(xr.Dataset({name: ("reconstruction", values) for name, values in rows.items()}))
    return tree


def test_reads_what_a_store_holds(cube):
    found = RunView.of(run_with(cube)).reconstructions()
    assert list(found) == ["cluster_000"]
    made = found["cluster_000"]
    for name in set(VARIABLES) & set(cube.variables):
        assert made[name].dims == VARIABLES[name].dims, name
        assert (made[name].values == cube[name].values).all()
    assert (made["particle"].values == cube["particle"].values).all()
    assert made.attrs["volume_nm3"] == cube.attrs["volume_nm3"]


def test_reads_a_store_on_disk(cube, tmp_path):
    from nanospa.io.store import Store

    Store.create(tmp_path / "run.zarr").volumes.write("cluster_007", cube)
    made = RunView.of(tmp_path / "run.zarr").reconstructions()["cluster_007"]
    for name in cube.variables:
        assert made[name].dims == cube[name].dims, name
        assert (made[name].values == cube[name].values).all(), name
    assert {key: made.attrs[key] for key in ("verdict", "volume_nm3", "flags")} == {
        key: cube.attrs[key] for key in ("verdict", "volume_nm3", "flags")
    }


def test_section(cube, tmp_path):
    ball, _ = reconstruction("sphere", 20, box=24, verdict="sphere", cluster=1)
    evil = '<img src=x onerror="alert(1)">'
    odd = cube.assign_attrs(verdict="doubtful", flags=["mixed", evil], resolution_nm=np.nan, truth_shape=evil)
    page = ns.report.report(run_with(odd, ball), tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="reconstructions"' in page and 'href="#reconstructions"' in page
    assert "z = 9.3" in page and FLAGS["mixed"] in html.unescape(page) and "the same from all sides" in page
    assert "No model of cluster 2, 11 images" in page
    # One turntable a shape that is no ball.
    assert page.count('class="turn"') == 1 and page.count('class="turn still"') == 1
    assert evil not in page and html.escape(evil) in page.replace("&#34;", "&quot;")
    assert f"{cube.attrs['volume_nm3']:.4g}" in page
    assert "volume of a particle of cluster 0 [nm³]" in page


def test_section_without_reconstructions(tmp_path):
    table = xr.DataTree.from_dict({"particles": xr.Dataset({"area_px": ("particle", np.arange(9.0))})})
    assert 'id="reconstructions"' not in ns.report.report(table, tmp_path / "report.html").read_text(encoding="utf-8")


def test_figures(cube, tmp_path):
    made = [path.name for path in ns.report.figures(run_with(cube), tmp_path, formats=["png"])]
    assert {
        "models.png",
        "cluster_000_views.png",
        "cluster_000_fsc.png",
        "cluster_000_orientation_map.png",
        "cluster_000_reprojections.png",
    } <= set(made)


# -- files


def test_export(cube, tmp_path):
    made = ns.report.export_reconstruction(cube, tmp_path, name="cluster_000")
    names = [path.name for path in made]
    assert names == [
        *(f"cluster_000{part}.mrc" for part in ("", "_half1", "_half2")),
        "cluster_000_particles.star",
        "cluster_000_particles.mrcs",
        *(f"cluster_000.{ending}" for ending in ("stl", "glb", "png")),
        *(f"cluster_000_{table}.csv" for table in ("fsc", "images", "starts")),
        "cluster_000.json",
    ]
    with mrcfile.open(tmp_path / "cluster_000.mrc") as mrc:
        assert not mrc.is_image_stack() and mrc.is_volume()
        assert_allclose(mrc.data, cube["volume"].values)
        assert_allclose([float(mrc.voxel_size[axis]) for axis in "xyz"], 10 * cube.attrs["pixel_size_nm"], rtol=1e-5)
    table = pd.read_csv(tmp_path / "cluster_000_images.csv")
    assert_allclose(table[["shift_x_px", "shift_y_px"]], cube["shifts"].values, atol=1e-9)
    angles = table[["rot_deg", "tilt_deg", "psi_deg"]].to_numpy()
    assert_allclose(ns.reconstruct.rotations_from_euler(angles), cube["rotations"].values, atol=1e-9)
    assert list(table["particle"]) == list(cube["particle"].values)
    assert json.loads((tmp_path / "cluster_000.json").read_text())["verdict"] == "confident"


def test_exported_mesh_has_the_volume(tmp_path):
    ball = xr.Dataset({"volume": (("z", "y", "x"), solid_ball(32, 10.0, (2.0, 0.0, 0.0)))}, attrs={"pixel_size_nm": 0.5, "level": 0.5})
    ns.report.export_reconstruction(ball, tmp_path, name="ball")
    data = (tmp_path / "ball.stl").read_bytes()
    rows = np.frombuffer(data, np.dtype([("normal", "<f4", 3), ("places", "<f4", (3, 3)), ("more", "<u2")]), offset=84)
    a, b, c = rows["places"].astype(float).transpose(1, 0, 2)
    assert (a * np.cross(b, c)).sum() / 6 == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.02)
    assert_allclose(rows["places"].reshape(-1, 3).mean(axis=0), [1.0, 0, 0], atol=0.05)


def test_export_closes_what_the_box_cuts(tmp_path):
    slab = np.zeros((16, 16, 16), np.float32)
    slab[:, 4:12, 4:12] = 1
    made = xr.Dataset({"volume": (("z", "y", "x"), slab)}, attrs={"pixel_size_nm": 1.0})
    ns.report.export_reconstruction(made, tmp_path, name="slab")
    rows = np.frombuffer(
        (tmp_path / "slab.stl").read_bytes(), np.dtype([("normal", "<f4", 3), ("places", "<f4", (3, 3)), ("more", "<u2")]), offset=84
    )
    areas = np.cross(rows["places"][:, 1] - rows["places"][:, 0], rows["places"][:, 2] - rows["places"][:, 0]).astype(float)
    # The areas of a closed surface cancel.
    assert np.abs(areas.sum(axis=0)).max() < 1e-3 * np.abs(areas).sum()


@pytest.mark.parametrize(("old", "new"), [(5, 8), (8, 5), (6, 8), (8, 6), (5, 7), (7, 7), (7, 6)])
def test_about_centre(old, new):
    from nanospa.report.reprojections import _about_centre

    array = np.zeros((old, old), np.float32)
    array[old // 2, old // 2] = 1
    made = _about_centre(array, (new, new))
    assert made.shape == (new, new) and made[new // 2, new // 2] == 1 and made.sum() == 1
