"""Region properties against their twin, scikit-image and the peer's tables."""

import csv

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanospa import _core
from nanospa.schema.particles import measured
from nanospa.testing import images, label_images

from tests.reference.region_properties import region_properties as twin

CASES = [
    "jeol_li_plain",
    "jeol_li_ws",
    "jeol_otsu",
    "jeol_th_li",
    "jeol_th_local",
    "jeol_th_mean",
    "jeol_th_minimum",
    "jeol_th_niblack",
    "sio2_otsu_ws_rb100",
]


def scene(seed=0, size=160, n=24, largest=16):
    """Ellipses and bars of many sizes, some touching, some with a hole or at the border."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for k in range(1, n + 1):
        cy, cx, angle = *rng.uniform(0, size, 2), rng.uniform(0, np.pi)
        a, b = rng.uniform(1, largest), rng.uniform(1, 0.6 * largest)
        u = (yy - cy) * np.cos(angle) + (xx - cx) * np.sin(angle)
        v = (xx - cx) * np.cos(angle) - (yy - cy) * np.sin(angle)
        shape = (u / a) ** 2 + (v / b) ** 2 <= 1 if k % 3 else (np.abs(u) <= a) & (np.abs(v) <= b)
        if k % 4 == 0:
            shape &= (u / a) ** 2 + (v / b) ** 2 > 0.1
        labels[shape & (labels == 0)] = k
    image = rng.poisson(60, labels.shape) + 40.0 * (labels > 0) * rng.random(labels.shape)
    return image, labels


def same(got, expected, rtol=1e-9, atol=1e-9):
    for i, row in enumerate(expected):
        for name, value in row.items():
            if name.startswith("hu_"):
                # Products of up to six moments of order 0.1: what rounding leaves of a vanishing one is far below the others.
                np.testing.assert_allclose(got[name][i], value, rtol=1e-6, atol=1e-10, err_msg=name)
            else:
                np.testing.assert_allclose(got[name][i], value, rtol=rtol, atol=atol, err_msg=f"{name} of label {row['label']}")


def test_names_follow_the_schema():
    assert _core.region_property_names() == [column.name for column in measured(True)]


@given(label_images(max_side=14), st.integers(0, 2**32 - 1), st.sampled_from([None, (0.2, 0.2), (0.5, 0.3)]))
@settings(max_examples=30)
def test_twin(labels, seed, pixel_size_nm):
    image = np.random.default_rng(seed).integers(0, 50, labels.shape).astype(np.uint16)
    got = ns.measure.region_properties(image, labels, pixel_size_nm=pixel_size_nm, saturation=40, radial_bins=5)
    expected = twin(image, labels, pixel_size_nm, saturation=40, radial_bins=5)
    assert len(got["label"]) == len(expected)
    spread = image.std() if image.size else 0
    same(got, expected, rtol=1e-7, atol=1e-7 * max(1.0, spread))


@pytest.mark.parametrize("pixel_size_nm", [None, (0.4, 0.25)])
def test_twin_on_a_scene(pixel_size_nm):
    image, labels = scene(1, size=52, n=9, largest=8)
    got = ns.measure.region_properties(image, labels, pixel_size_nm=pixel_size_nm)
    same(got, twin(image, labels, pixel_size_nm))


@given(images(min_side=0), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 2**31 - 1]), st.booleans())
def test_no_panic(image, seed, most, strided):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, most, (2 * image.shape[0], 2 * image.shape[1]), endpoint=True)
    labels = labels[::2, ::-2] if strided else labels[: image.shape[0], : image.shape[1]]
    table = ns.measure.region_properties(image, labels, pixel_size_nm=0.1)
    assert np.array_equal(table["label"], np.unique(labels[labels > 0]))
    assert table["area_px"].sum() == np.count_nonzero(labels)
    for name in ("solidity", "extent", "symmetry_2", "symmetry_3"):
        assert np.all((table[name] >= 0) & (table[name] <= 1))
    assert np.all(table["feret_min_px"] <= table["feret_max_px"] * (1 + 1e-12))


def test_skimage():
    from skimage.measure import regionprops_table

    image, labels = scene(2, size=300, n=80)
    names = {
        "label": "label",
        "area": "area_px",
        "centroid-0": "centroid_y_px",
        "centroid-1": "centroid_x_px",
        "centroid_weighted-0": "weighted_centroid_y_px",
        "centroid_weighted-1": "weighted_centroid_x_px",
        "bbox-0": "bbox_y0_px",
        "bbox-1": "bbox_x0_px",
        "bbox-2": "bbox_y1_px",
        "bbox-3": "bbox_x1_px",
        "equivalent_diameter_area": "equivalent_diameter_px",
        "perimeter": "perimeter_px",
        "perimeter_crofton": "perimeter_crofton_px",
        "area_convex": "convex_area_px",
        "solidity": "solidity",
        "axis_major_length": "major_axis_px",
        "axis_minor_length": "minor_axis_px",
        "eccentricity": "eccentricity",
        "orientation": "orientation_rad",
        "extent": "extent",
        "euler_number": "euler_number",
        "feret_diameter_max": "feret_max_px",
        "intensity_mean": "intensity_mean",
        "intensity_max": "intensity_max",
        "intensity_min": "intensity_min",
        "intensity_std": "intensity_std",
        **{f"moments_hu-{i}": f"hu_{i + 1}" for i in range(7)},
    }
    properties = sorted({name.split("-")[0] for name in names})
    expected = regionprops_table(labels, image, properties=properties)
    got = ns.measure.region_properties(image, labels)
    assert len(got["label"]) > 50
    for theirs, ours in names.items():
        a, b = got[ours], expected[theirs]
        if theirs == "orientation":
            # An axis has no direction, and a round region no axis.
            decided = expected["eccentricity"] > 1e-6
            a, b = np.cos(2 * a[decided]), np.cos(2 * b[decided])
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-7 if theirs in ("axis_minor_length", "eccentricity") else 1e-9, err_msg=theirs)


@pytest.mark.parametrize("spacing", [(0.3, 0.3), (0.7, 0.2)])
def test_skimage_with_spacing(spacing):
    from skimage.measure import regionprops_table

    image, labels = scene(3, size=200, n=40)
    expected = regionprops_table(
        labels, spacing=spacing, properties=["area", "axis_major_length", "eccentricity", "area_convex", "feret_diameter_max"]
    )
    got = ns.measure.region_properties(image, labels, pixel_size_nm=spacing)
    names = {
        "area": "area_nm2",
        "axis_major_length": "major_axis_nm",
        "area_convex": "convex_area_nm2",
        "feret_diameter_max": "feret_max_nm",
    }
    for theirs, ours in names.items():
        np.testing.assert_allclose(got[ours], expected[theirs], rtol=1e-9, err_msg=theirs)


def test_anisotropic_pixels_see_the_same_particle():
    """One disk of 30 nm on square and on oblong pixels: the sizes agree although the pixels do not."""
    tables = []
    for sy, sx in ((0.25, 0.25), (0.5, 0.2)):
        y, x = (np.arange(int(40 / s)) * s - 20 for s in (sy, sx))
        labels = (np.hypot(*np.meshgrid(y, x, indexing="ij")) < 15).astype(int)
        tables.append(ns.measure.region_properties(labels, labels, pixel_size_nm=(sy, sx)))
    for name, truth, tolerance in (
        ("area_nm2", np.pi * 225, 0.005),
        ("equivalent_diameter_nm", 30, 0.003),
        ("perimeter_crofton_nm", np.pi * 30, 0.025),
        ("major_axis_nm", 30, 0.005),
        ("minor_axis_nm", 30, 0.005),
        ("feret_max_nm", 30, 0.03),
        ("feret_min_nm", 30, 0.03),
    ):
        for table in tables:
            assert table[name].item() == pytest.approx(truth, rel=tolerance), name
    assert all(table["symmetry_4"].item() > 0.98 and table["symmetry_3"].item() > 0.98 for table in tables)


def test_symmetry_tells_shapes_apart():
    y, x = np.mgrid[-40:41, -40:41]
    triangle = (y > -15) & (y < 30 - np.sqrt(3) * np.abs(x))
    square = (np.abs(y) <= 20) & (np.abs(x) <= 20)
    bar = (np.abs(y) <= 8) & (np.abs(x) <= 24)
    hexagon = np.max([np.abs(x * np.cos(a) + y * np.sin(a)) for a in (0, np.pi / 3, 2 * np.pi / 3)], axis=0) <= 20
    scores = {}
    for name, mask in {"triangle": triangle, "square": square, "bar": bar, "hexagon": hexagon}.items():
        table = ns.measure.region_properties(mask, mask)
        scores[name] = {n: table[f"symmetry_{n}"].item() for n in (2, 3, 4, 6)}
    assert scores["triangle"][3] > 0.95 > 0.8 > scores["triangle"][2]
    assert scores["square"][4] == scores["square"][2] == 1 and scores["square"][3] < 0.95
    assert scores["bar"][2] == 1 and scores["bar"][4] < 0.5
    assert scores["hexagon"][6] > 0.97 > scores["hexagon"][4]


def test_background_leaves_neighbours_out():
    image = np.full((60, 60), 10.0)
    labels = np.zeros((60, 60), int)
    labels[20:30, 20:30] = 1
    labels[20:30, 31:41] = 2
    image[labels == 1] += 5
    image[labels == 2] += 1000
    # The blurred edge of the bright neighbour, not labelled.
    image[18:32, 41:43] += 300
    table = ns.measure.region_properties(image, labels)
    assert table["local_background"].tolist() == [10.0, 10.0]
    assert table["intensity_total"].tolist() == [500.0, 100000.0]
    assert np.nanmean(table["radial_profile"][0]) == pytest.approx(5)


def test_background_given():
    image, labels = scene(4)
    level = ns.measure.region_properties(image, labels, background=50)
    plane = ns.measure.region_properties(image, labels, background=np.full(image.shape, 50))
    np.testing.assert_array_equal(level["intensity_total"], plane["intensity_total"])
    np.testing.assert_allclose(level["intensity_total"], level["intensity_sum"] - 50 * level["area_px"])
    full = ns.measure.region_properties(image, np.ones(image.shape, int))
    assert np.isnan(full["local_background"]).all() and np.isfinite(full["intensity_mean"]).all()


def test_saturation():
    image = np.full((8, 8), 255, np.uint8)
    image[:, 4:] = 254
    labels = np.ones((8, 8), int)
    assert ns.measure.region_properties(image, labels)["saturated_fraction"] == 0.5
    assert ns.measure.region_properties(image, labels, saturation=254)["saturated_fraction"] == 1
    assert np.isnan(ns.measure.region_properties(image.astype(float), labels)["saturated_fraction"]).all()


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", ">u2", ">f4"])
def test_dtypes_and_layouts(dtype):
    image, labels = scene(5)
    image = image.astype("u1")
    expected = ns.measure.region_properties(image, labels)
    wide = np.zeros((2 * image.shape[0], 3 * image.shape[1]), dtype)
    wide[::2, ::3] = image
    got = ns.measure.region_properties(wide[::2, ::3], np.asfortranarray(labels))
    for name in set(expected) - {"saturated_fraction"}:
        np.testing.assert_array_equal(got[name], expected[name], err_msg=name)


def test_same_for_any_threads():
    image, labels = scene(6, size=400, n=120)
    one = ns.measure.region_properties(image, labels, pixel_size_nm=(0.3, 0.2), threads=1)
    for threads in (2, 5):
        many = ns.measure.region_properties(image, labels, pixel_size_nm=(0.3, 0.2), threads=threads)
        assert all(np.array_equal(one[name], many[name], equal_nan=one[name].dtype.kind == "f") for name in one)


def test_bad_input():
    image, labels = np.zeros((4, 5)), np.zeros((4, 5), int)
    for error, match, call in (
        (ns.errors.ShapeError, "labels", lambda: ns.measure.region_properties(image, labels.T)),
        (ns.errors.ShapeError, "background", lambda: ns.measure.region_properties(image, labels, background=np.zeros((2, 2)))),
        (ns.errors.InvalidValueError, "labels", lambda: ns.measure.region_properties(image, labels - 1)),
        (ns.errors.InvalidValueError, "radial_bins", lambda: ns.measure.region_properties(image, labels, radial_bins=0)),
        (ns.errors.InvalidValueError, "saturation", lambda: ns.measure.region_properties(image, labels, saturation=np.nan)),
        (ns.errors.PixelSizeError, "pixel_size_nm", lambda: ns.measure.region_properties(image, labels, pixel_size_nm=0)),
        (ns.errors.NonFiniteError, "image", lambda: ns.measure.region_properties(image * np.nan, labels)),
    ):
        with pytest.raises(error, match=match):
            call()


@pytest.mark.parametrize("case", CASES)
def test_peer_tables(shared_data, case):
    """ParticleSpy 0.5.1's tables: x is the row there, lengths in micrometres."""
    from scipy.ndimage import binary_dilation

    folder = shared_data / "parity_particlespy"
    with np.load(folder / f"{case}.npz") as data, (folder / f"{case}_properties.csv").open() as file:
        image, labels = data["image"], data["labels"]
        rows = list(csv.DictReader(file))
    # Named 1.249 and 8.552 nm in the data's description; the tables carry more digits of them.
    pixel_size_nm = 1.24901358503848 if case.startswith("jeol") else 8.55244603008032
    got = ns.measure.region_properties(image, labels, pixel_size_nm=pixel_size_nm)
    theirs = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "frame"}
    assert len(rows) == len(got["label"])

    def check(name, ours, rtol=1e-9):
        np.testing.assert_allclose(theirs[name], ours, rtol=rtol, atol=1e-7 * np.abs(ours).max(), err_msg=name)

    check("area", got["area_nm2"] * 1e-6)
    check("equivalent circular diameter", got["equivalent_diameter_nm"] * 1e-3)
    check("x", got["centroid_y_px"] * pixel_size_nm * 1e-3)
    check("y", got["centroid_x_px"] * pixel_size_nm * 1e-3)
    check("major axis length", got["major_axis_nm"] * 1e-3)
    check("minor axis length", got["minor_axis_nm"] * 1e-3)
    check("eccentricity", got["eccentricity"])
    height, width = (got[f"bbox_{axis}1_px"] - got[f"bbox_{axis}0_px"] for axis in "yx")
    check("bbox_area", height * width * (pixel_size_nm * 1e-3) ** 2)
    check("bbox_length", np.hypot(height, width) * pixel_size_nm * 1e-3)
    # The peer's pi has nine digits.
    check("circularity", got["circularity"], rtol=1e-8)
    # The peer's local background: the mean of the pixels two city-block steps away, other particles among them.
    level = []
    for label in got["label"]:
        mask = labels == label
        level.append(image[binary_dilation(mask, iterations=2) & ~binary_dilation(mask)].mean(dtype=np.float64))
    # float32 sums over there.
    check("intensity", got["intensity_sum"] - got["area_px"] * np.array(level), rtol=2e-5)
    check("intensity_max", got["intensity_max"] - np.array(level), rtol=2e-5)
