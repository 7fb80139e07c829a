"""What images of the virtual specimen must show: signal, focus, noise, geometry."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.simulate import MATERIALS, Population, Probe, VirtualSpecimen
from scipy import ndimage

BARE = {"carbon_nm": 0.0, "touching": 0.0, "density_per_um2": 60.0, "aggregation": 0.0}


def alone(material="Au", shape="sphere", size_nm=20.0, **fields):
    """A specimen of one population without film, and a particle of it that has its surroundings to itself."""
    population = Population(name="p", shape=shape, material=material, size_nm=size_nm, **fields.pop("population", {}))
    specimen = VirtualSpecimen(populations=population, **{**BARE, **fields})
    table = specimen.particles(0, 0, 1000, 1000)
    distance = np.hypot(*(table[c].to_numpy()[:, None] - table[c].to_numpy() for c in ("y_nm", "x_nm")))
    np.fill_diagonal(distance, np.inf)
    return specimen, table.iloc[int(distance.min(axis=1).argmax())]


def thickness_of(row, pixel_nm, box_px, shift_px=(0.0, 0.0)):
    rotation = np.array([row[f"rotation_{a}{b}"] for a in "xyz" for b in "xyz"], dtype=float).reshape(3, 3)
    return ns.simulate.particle(
        row["shape"], size_nm=row.size_nm, pixel_size_nm=pixel_nm, rotation=rotation, box_px=box_px, shift_px=shift_px, supersampling=3
    )


@pytest.mark.parametrize(("material", "shape"), [("Au", "sphere"), ("Pd", "cube"), ("PtNi", "star"), ("W", "icosahedron")])
def test_signal_is_thickness_times_density_times_z_power(material, shape):
    specimen, row = alone(material, shape)
    image = specimen.image(centre_nm=(row.y_nm, row.x_nm), pixel_size_nm=0.2, shape=(201, 201), probe=Probe(0.0, 0.0))
    depth = thickness_of(row, 0.2, 201)
    slope = (image * depth).sum(dtype=float) / (depth**2).sum(dtype=float)
    assert np.corrcoef(image.ravel(), depth.ravel())[0, 1] > 0.999
    atoms = {"Au": {79: 58.98}, "Pd": {46: 67.90}, "PtNi": {78: 38.72, 28: 38.72}, "W": {74: 63.08}}[material]
    expected = 0.01044 * sum(n * z**1.7 for z, n in atoms.items()) / (58.98 * 79**1.7)
    assert slope == pytest.approx(expected, rel=0.005)
    assert image.sum(dtype=float) == pytest.approx(expected * depth.sum(dtype=float), rel=0.002)


@pytest.mark.parametrize("defocus_nm", [0.0, 15.0, -40.0, 100.0])
@pytest.mark.parametrize("shape", ["sphere", "cube"])
def test_image_is_the_projection_convolved_with_the_probe(defocus_nm, shape):
    # Against the thickness on a five times finer grid, convolved there.
    specimen, row = alone(shape=shape)
    probe = Probe(0.06, 0.023)
    image = specimen.image(
        centre_nm=(row.y_nm, row.x_nm), pixel_size_nm=0.25, shape=(161, 161), probe=probe, defocus_nm=row.height_nm + defocus_nm
    )
    fine = thickness_of(row, 0.05, 805).astype(float)
    sigma = np.hypot(0.06, 0.5 * 0.023 * defocus_nm)
    assert probe.sigma(defocus_nm) == pytest.approx(sigma)
    blurred = ndimage.gaussian_filter(fine, np.hypot(sigma, 0.25 / np.sqrt(12)) / 0.05)[2::5, 2::5]
    expected = blurred * MATERIALS["Au"].scattered_per_nm
    assert np.abs(image - expected).max() < 0.012 * expected.max()
    assert np.sqrt(np.mean((image - expected) ** 2)) < 0.002 * expected.max()


def test_edge_width_against_defocus():
    # The face of a cube seen on edge: from 16 % to 84 % over twice the standard deviation.
    from nanospa.simulate.grid_particles import GridParticle
    from nanospa.simulate.patches import Patches
    from nanospa.simulate.population import Specimen

    probe, widths = Probe(), []
    rows, columns = np.zeros((1, 2)), np.stack([np.zeros(3000), 9 + 0.003 * np.arange(3000)], axis=1)
    for defocus in (0.0, 5.0, 10.0, 20.0, 50.0, 100.0):
        sigma = np.hypot(probe.sigma(defocus), 0.1 / np.sqrt(12))
        found = []
        # Where the edge lies between two cells of the patch makes its width vary by a tenth; an image has edges anywhere.
        for size in np.arange(28.0, 29.0, 0.13):
            cube = Specimen(Population(name="c", shape="cube", material="Au", size_nm=30), size, 50.0, (1.0, 1.0, 1.0), np.eye(3))
            values, spacing = Patches(0).blurred(GridParticle(1, 0.0, 0.0, 25.0, cube), sigma, 0.1)
            placed, none = np.array([[0, 0, spacing, 1.0]]), np.zeros((0, 4))
            profile = ns._core.specimen_image(rows, columns, 0.0, none, none[:, :3], 1.0, [values], placed, 1)[0]
            low, high = (np.interp(-level * size, -profile, columns[:, 1]) for level in (0.8413, 0.1587))
            found.append((high - low) / 2)
        widths.append(np.mean(found))
        assert np.ptp(found) < 0.25 * sigma
        # The superquadric's edge is a little round: by 5 % of the focused probe.
        assert widths[-1] == pytest.approx(sigma, rel=0.08 if defocus < 10 else 0.04)
    assert widths[-1] > 15 * widths[0]


def test_focus_follows_the_height():
    specimen, row = alone(tilt_rad=(0.05, -0.03), bump_height_nm=20.0)
    assert abs(row.height_nm) > 1
    assert row.height_nm == pytest.approx(float(specimen.height_nm(row.y_nm, row.x_nm)))
    scan = {"centre_nm": (row.y_nm, row.x_nm), "pixel_size_nm": 0.2, "shape": (160, 160)}
    contrast = {d: specimen.image(**scan, defocus_nm=row.height_nm + d).std() for d in (-60, -20, 0, 20, 60)}
    assert max(contrast, key=contrast.get) == 0
    assert contrast[20] == pytest.approx(contrast[-20], rel=1e-4) and contrast[60] < contrast[20]


@pytest.mark.parametrize("electrons", [40.0, 1600.0, 40000.0])
def test_noise_against_dose(electrons):
    # Mean offset + gain N, variance gain² (N + read noise²), N electrons on average.
    fraction = np.full((400, 400), 0.01, np.float32)
    counts = ns.simulate.detect(fraction, electrons_per_pixel=electrons, gain=9.0, offset=500.0, read_noise=2.0, seed_key=electrons)
    n = 0.01 * electrons
    error = 5 / np.sqrt(counts.size)
    assert counts.mean() == pytest.approx(500 + 9 * n, abs=9 * np.sqrt(n + 4) * error)
    # Rounding adds 1/12.
    assert counts.var(dtype=float) == pytest.approx(81 * (n + 4) + 1 / 12, rel=2 * error)


def test_noise_belongs_to_its_key():
    fraction = np.full((64, 64), 0.01)
    make = lambda key, **more: ns.simulate.detect(fraction, electrons_per_pixel=500, seed_key=key, **more)  # noqa: E731
    assert np.array_equal(make((1, "a", 0.5)), make((np.int64(1), "a", np.float64(0.5)), threads=3))
    others = [make(k) for k in ((1, "a", 0.25), (1, "b", 0.5), (2, "a", 0.5), 1, "1", None, 1.0, True)]
    assert all(not np.array_equal(a, b) for i, a in enumerate(others) for b in others[:i])
    assert abs(np.corrcoef(make(1).ravel().astype(float), make(2).ravel().astype(float))[0, 1]) < 0.06
    with pytest.raises(ns.errors.InvalidValueError, match="seed_key"):
        make({"a": 1})
    with pytest.raises(ns.errors.InvalidValueError, match="gain"):
        make(1, gain=-1)
    with pytest.raises(ns.errors.NanospaError, match="fraction"):
        ns.simulate.detect(np.full((3, 3), -0.1), electrons_per_pixel=1)


def test_same_place_same_texture():
    specimen = VirtualSpecimen("slater2020", seed=5)
    scan = {"pixel_size_nm": 0.25, "defocus_nm": 30.0, "probe": Probe(0.045, 0.0)}
    first = specimen.image(centre_nm=(500.0, 400.0), shape=(128, 160), **scan)
    second = specimen.image(centre_nm=(500.0 + 16 * 0.25, 400.0 - 40 * 0.25), shape=(128, 160), **scan)
    np.testing.assert_allclose(first[16:, :120], second[:112, 40:], atol=2e-6)
    film = first[first < np.median(first) * 1.5]
    assert film.std() / film.mean() > 0.02
    turned = specimen.image(centre_nm=(500.0, 400.0), shape=(160, 128), rotation=np.pi / 2, **scan)
    # Lines of the turned scan run along y.
    np.testing.assert_allclose(turned[::-1].T, first, atol=2e-6)


def test_displaced_lines_and_columns_are_exact():
    specimen = VirtualSpecimen("slater2020", seed=5)
    scan = {"pixel_size_nm": 0.5, "centre_nm": (500.0, 400.0), "shape": (96, 128)}
    still, (labels, table) = specimen.image(**scan), specimen.truth(**scan)
    lines = np.zeros((96, 2))
    lines[40], lines[60] = (0, 4 * 0.5), (-10 * 0.5, 0)
    columns = np.zeros(128)
    columns[:20] = 3 * 0.5
    moved, (moved_labels, moved_table) = (f(**scan, line_shift_nm=lines, column_shift_nm=columns) for f in (specimen.image, specimen.truth))
    for image, was in ((moved, still), (moved_labels, labels)):
        if image is moved_labels:
            # Numbers of labels may differ, the particles they stand for do not.
            image, was = np.append(0, moved_table["id"])[image], np.append(0, table["id"])[was]
        for got, expected in (
            (image[40, 20:-4], was[40, 24:]),
            (image[60, 20:], was[50, 20:]),
            (image[7, :20], was[7, 3:23]),
            (image[7, 20:], was[7, 20:]),
        ):
            np.testing.assert_allclose(got, expected, atol=2e-6)
    with pytest.raises(ns.errors.ShapeError, match="line_shift_nm"):
        specimen.image(**scan, line_shift_nm=np.zeros(96))
    with pytest.raises(ns.errors.ShapeError, match="column_shift_nm"):
        specimen.image(**scan, column_shift_nm=np.zeros(96))


def test_truth_follows_drift():
    specimen = VirtualSpecimen("slater2020", seed=5)
    drift = np.stack([np.linspace(0, 5, 256), np.linspace(0, -7, 256)], axis=1)
    scan = {"pixel_size_nm": 0.8, "centre_nm": (300.0, 200.0), "shape": (256, 256), "line_shift_nm": drift}
    labels, table = specimen.truth(**scan)
    whole = table[~table["touches_border"] & ~table["touches_particle"]]
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, whole["label"]))
    assert len(whole) > 5
    assert np.abs(centres - whole[["y_px", "x_px"]].to_numpy()).max() < 0.7
    # The truth's outlines are those of the image.
    image = specimen.image(**scan)
    bright = image > 2 * np.median(image)
    assert (bright & (labels == 0)).sum() < 0.04 * bright.sum()


def test_truth_agrees_with_the_particle_alone():
    specimen, row = alone("Pd", "cube", 12.0)
    labels, table = specimen.truth(centre_nm=(row.y_nm, row.x_nm), pixel_size_nm=0.2, shape=(151, 151))
    depth = thickness_of(row, 0.2, 151)
    assert table["id"].tolist() == [row["id"]]
    assert table["thickness_max_nm"][0] == pytest.approx(depth.max(), rel=0.01)
    assert np.abs((labels > 0) ^ (depth > 0.05 * depth.max())).sum() < 0.01 * (labels > 0).sum()


def test_film_statistics():
    film = VirtualSpecimen("empty", seed=1, grain=0.0, carbon_nm=20.0).image(centre_nm=(0, 0), pixel_size_nm=8.0, shape=(400, 400))
    mean = 20 * MATERIALS["C"].scattered_per_nm
    assert film.mean() == pytest.approx(mean, rel=0.01) and film.std() == pytest.approx(0.12 * mean, rel=0.1)
    scan = {"centre_nm": (50, 70), "pixel_size_nm": 0.1, "shape": (512, 512), "probe": Probe(0.0, 0.0)}
    grain = VirtualSpecimen("empty", seed=1, slow_variation=0.0, carbon_nm=20.0).image(**scan) / mean
    assert grain.std() == pytest.approx(0.06, rel=0.1)
    # White noise smoothed with a Gaussian of 0.4 nm: correlation exp(−r²/4·0.4²).
    shifted = np.corrcoef(grain[:, :-6].ravel(), grain[:, 6:].ravel())[0, 1]
    assert shifted == pytest.approx(np.exp(-(0.6**2) / (4 * 0.4**2)), abs=0.05)
    assert abs(np.corrcoef(grain[:, :-60].ravel(), grain[:, 60:].ravel())[0, 1]) < 0.15
    defocused = VirtualSpecimen("empty", seed=1, slow_variation=0.0, tilt_rad=(0, 0), bump_height_nm=0).image(
        **{**scan, "probe": Probe()}, defocus_nm=100
    )
    # Its power falls as the square of the width, from 0.4 nm to that of the probe at 100 nm in quadrature with it.
    assert defocused.std() / defocused.mean() == pytest.approx(0.06 * 0.4 / np.hypot(0.4, 1.15), rel=0.25)


def test_holes_cover_their_share():
    specimen = VirtualSpecimen("slater2020", seed=4, hole_share=0.25, carbon_nm=10.0, density_per_um2=0)
    image = specimen.image(centre_nm=(0, 0), pixel_size_nm=20.0, shape=(600, 600))
    assert (image < 0.2 * 10 * MATERIALS["C"].scattered_per_nm).mean() == pytest.approx(0.25, abs=0.05)
