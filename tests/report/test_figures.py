"""Figures show the numbers they were given and become files."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection
from nanospa.report.canvas import save
from nanospa.report.contrast import display_limits, grey, picture
from nanospa.report.distribution import bin_edges
from nanospa.report.scatter import MOST_POINTS, drawn

SQUARE = np.array([[1.0, 1], [1, 5], [5, 5], [5, 1], [1, 1]])


def test_files(run, tmp_path):
    import matplotlib.pyplot as plt

    made = ns.report.figures(run, tmp_path / "figures")
    assert made and all(path.is_file() for path in made)
    assert {path.suffix for path in made} == {".png", ".svg"}
    for path in made:
        head = path.read_bytes()[:100]
        assert head.startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")
    assert plt.get_fignums() == [], "pyplot keeps figures alive"
    kinds = {path.stem.split("_")[0] for path in made}
    assert kinds == {"frame", "distribution", "scatter", "cluster", "particle"}


def test_same_bytes(tmp_path):
    values = np.random.default_rng(0).lognormal(2, 0.3, 50)
    for ending in ("png", "svg", "pdf"):
        files = [save(ns.report.distribution(values, title="x"), tmp_path / folder / f"a.{ending}") for folder in _folders(tmp_path)]
        assert files[0].read_bytes() == files[1].read_bytes()


def _folders(path):
    for name in ("one", "two"):
        (path / name).mkdir(exist_ok=True)
        yield name


@pytest.mark.parametrize(("formats", "error"), [((), ns.errors.EmptyInputError), (("bmp",), ns.errors.UnknownNameError)])
def test_formats(formats, error, tmp_path):
    with pytest.raises(error, match=r"formats: expected .*png"):
        ns.report.figures(xr.DataTree(), tmp_path, formats=formats)


def test_frame_outlines_are_where_the_particles_are():
    figure = ns.report.frame_outlines(
        np.zeros((8, 10)), [SQUARE, SQUARE + 2], clusters=[0, -1], pixel_size_nm=0.5, numbers=[3, 4], title="$a_"
    )
    lines = next(c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    assert [s.tolist() for s in lines.get_segments()] == [SQUARE[:, ::-1].tolist(), (SQUARE + 2)[:, ::-1].tolist()]
    colours = [tuple(round(255 * v) for v in c[:3]) for c in lines.get_colors()]
    assert colours == [(0xE6, 0x9F, 0x00), (0x9A, 0x9A, 0x9A)]
    assert "1 nm" in [t.get_text() for t in figure.axes[0].texts]
    plain = ns.report.frame_outlines(np.zeros((8, 10)), [])
    assert [t.get_text() for t in plain.axes[0].texts] == [], "no scale bar without a pixel size"


@pytest.mark.parametrize(("width", "length"), [(204.8, 50), (8, 2), (3.9, 0.5), (4000, 1000), (20, 5)])
def test_scale_bar_is_round_and_at_most_a_quarter(width, length):
    assert ns.report.bar_length_nm(width) == pytest.approx(length)


def test_distribution_counts_every_particle():
    values = np.random.default_rng(1).normal(10, 1, 500)
    clusters = np.arange(500) % 3 - 1
    axes = ns.report.distribution(values, title="x", clusters=clusters).axes[0]
    low, high = axes.get_xlim()
    inside = ((values >= low) & (values <= high)).sum()
    assert sum(patch.get_height() for patch in axes.patches) == inside == 500


def test_distribution_by_volume_sums_to_one():
    axes = ns.report.distribution([1.0, 2.0, 3.0], title="x", weights=[1.0, 8.0, 27.0]).axes[0]
    assert [p.get_height() for p in axes.patches if p.get_height()] == pytest.approx([1 / 36, 8 / 36, 27 / 36])


def test_far_values_do_not_squeeze_the_others():
    values = np.append(np.random.default_rng(0).normal(10, 1, 300), [5000.0, 7000.0])
    axes = ns.report.distribution(values, title="x").axes[0]
    assert axes.get_xlim()[1] < 20
    assert [text.get_text() for text in axes.texts] == ["2 beyond →"]
    weighted = ns.report.distribution(values, title="x", weights=values).axes[0]
    assert weighted.texts[0].get_text() == "2 beyond (80 %) →"


def test_lognormal_fit_has_the_area_of_the_histogram():
    values = np.random.default_rng(0).lognormal(2.0, 0.25, 4000)
    fit = {"mu": (2.0, 1.98, 2.02), "sigma": (0.25, 0.245, 0.255)}
    axes = ns.report.distribution(values, title="x", lognormal=fit, marks={"D50": (7.4, 7.3, 7.5)}).axes[0]
    curve = next(line for line in axes.lines if line.get_label() == "log-normal fit")
    bars = axes.patches[0].get_width() * sum(p.get_height() for p in axes.patches if p.get_height() > 0 and p.get_y() == 0)
    assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) == pytest.approx(bars, rel=0.03)


@pytest.mark.parametrize("values", [[3.0], [5.0, 5.0], [0.0, 0.0, 1e300], [-1.0, 1.0], [1e-300, 2e-300], []])
def test_distribution_of_odd_values(values, tmp_path):
    save(ns.report.distribution(values, title="x", lognormal={"mu": (np.nan,) * 3, "sigma": (np.nan,) * 3}), tmp_path / "a.png")
    if values:
        assert (np.diff(bin_edges(np.array(values))) > 0).all()


@pytest.mark.parametrize("name", ["clusters", "weights"])
def test_distribution_refuses_other_lengths(name):
    with pytest.raises(ns.errors.ShapeError, match=f"{name}: expected one for each of 2 values, found 3"):
        ns.report.distribution([1.0, 2.0], title="x", **{name: [1, 2, 3]})


def table(n=6):
    columns = {"area_nm2": np.arange(1.0, n + 1), "intensity_max": np.arange(n) * 2.0, "solidity": np.linspace(0.9, 1, n)}
    return xr.Dataset({name: ("particle", values) for name, values in columns.items()}).assign(cluster=("particle", np.arange(n) % 3 - 1))


def test_scatter_draws_each_cluster_once():
    axes = ns.report.scatter(table(), ("area", "intensity_max")).axes[0]
    points = {c.get_label(): c.get_offsets().tolist() for c in axes.collections}
    assert set(points) == {"outliers", "cluster 0", "cluster 1"}
    assert points["cluster 1"] == [[3.0, 4.0], [6.0, 10.0]]
    assert axes.get_xlabel() == "area [nm²]" and axes.get_ylabel() == "intensity max [a.u.]"


def test_scatter_in_three_dimensions():
    assert ns.report.scatter(table(), ("area", "intensity_max", "solidity")).axes[0].get_zlabel() == "solidity"


def test_scatter_on_logarithmic_axes_leaves_zero_out():
    axes = ns.report.scatter(table(), ("area", "intensity_max"), log=True).axes[0]
    assert sum(len(c.get_offsets()) for c in axes.collections) == 5


def test_scatter_samples_large_tables():
    rows = drawn(np.ones(20_000, bool))
    assert rows.size == MOST_POINTS and (np.diff(rows) > 0).all()
    assert (rows == drawn(np.ones(20_000, bool))).all(), "the same subset every time"


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (("area",), ns.errors.ShapeError, "columns: expected 2 or 3 names, found 1"),
        (("area", "x"), ns.errors.UnknownNameError, "found 'x'"),
    ],
)
def test_scatter_refuses(columns, error, message):
    with pytest.raises(error, match=message):
        ns.report.scatter(table(), columns)


def test_gallery_shows_the_first_five():
    images = np.arange(9)[:, None, None] * np.ones((9, 4, 4))
    figure = ns.report.cluster_gallery(images, [0] * 7 + [1, -1], particles=np.arange(9) + 10, pixel_size_nm=0.5)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["10", "11", "12", "13", "14", "17", "", "", "", ""]
    assert figure.axes[0].get_ylabel() == "cluster 0\nn = 7"


def test_gallery_refuses_other_lengths():
    with pytest.raises(ns.errors.ShapeError, match="one cluster a particle"):
        ns.report.cluster_gallery(np.zeros((3, 4, 4)), [0, 1])


def test_scan_marks_the_best():
    scan = xr.Dataset(
        {
            "eps": ("parameters", [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]),
            "min_samples": ("parameters", [5, 5, 5, 10, 10, 10]),
            "fraction": ("parameters", [0.1, 0.5, 0.2, 0.0, 0.5, np.nan]),
            "n_mixed": ("parameters", [0, 0, 30, 0, 0, 0]),
        },
        attrs={"best": 4},
    )
    axes = ns.report.scan_plot(scan).axes[0]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines["min samples 5"] == [[0.1, 10.0], [0.2, 50.0], [0.3, 20.0]]
    assert lines["min samples 10"] == [[0.1, 0.0], [0.2, 50.0]]
    assert lines["chosen"] == [[0.2, 50.0]]
    hollow = axes.collections[0].get_facecolors()[:, :3].min(axis=1) == 1
    assert hollow.tolist() == [False, False, True]


@pytest.mark.parametrize("method", ["dbscan", "optics", "hdbscan", "kmeans"])
def test_scans_of_every_method(method, tmp_path):
    size = np.random.default_rng(0).normal(np.repeat([10.0, 20.0, 30.0], 40), 0.5)
    particles = xr.Dataset(
        {"area_nm2": ("particle", size**2), "intensity_max": ("particle", 3 * size), "solidity": ("particle", size / 40)}
    )
    scan = ns.cluster.scan(particles, method=method)
    axes = ns.report.scan_plot(scan).axes[0]
    chosen = next(line for line in axes.lines if line.get_label() == "chosen").get_xydata()[0]
    assert chosen[1] == pytest.approx(100 * float(scan["fraction"][scan.attrs["best"]]))
    drawn_sets = np.concatenate([c.get_offsets() for c in axes.collections])
    assert (np.abs(drawn_sets - chosen).max(axis=1) < 1e-9).any(), "the chosen set is on one of the lines"
    assert axes.get_xlabel() != "parameter set"


def test_scan_needs_a_share():
    with pytest.raises(ns.errors.UnknownNameError, match="scan: expected a variable 'fraction', found eps"):
        ns.report.scan_plot(xr.Dataset({"eps": ("parameters", [0.1])}))


def test_flags_mark_frames():
    frames = xr.Dataset({"drift_px": ("frame", [np.nan, 1.0, 9.0]), "drift": ("frame", [False, False, True])})
    axes = ns.report.frame_flags(frames).axes[0]
    assert next(line for line in axes.lines if line.get_label() == "drift").get_xydata().tolist() == [[2.0, 9.0]]


def test_clusters_look_different():
    looks = {(ns.report.cluster_colour(c), ns.report.cluster_marker(c)) for c in range(42)}
    assert len(looks) == 42 and ns.report.cluster_colour(-1) == ns.report.OUTLIER_COLOUR not in ns.report.CLUSTER_COLOURS


def test_contrast():
    image = np.arange(10_000.0).reshape(100, 100)
    image[0, 0] = np.nan
    low, high = display_limits(image)
    assert 0 < low < 100 and 9900 < high < 9999
    assert grey(np.array([[0.0, 5.0, 10.0]]), (0.0, 10.0)).tolist() == [[0, 127, 255]]
    assert display_limits(np.full((3, 3), 7)) == (7.0, 8.0)
    assert picture(np.zeros((300, 100)), longest_px=30).startswith(b"\x89PNG")
