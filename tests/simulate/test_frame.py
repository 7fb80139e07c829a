"""Simulated frames: physics of the signal, truth, determinism, settings."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.simulate import MATERIALS, Population, SimulateSettings
from nanospa.testing import check_labels
from scipy import ndimage

QUIET = {"carbon_nm": 0, "read_noise": 0, "offset": 0, "gain": 1.0}


def ball(material="Au", **fields):
    return Population(name="ball", shape="sphere", material=material, size_nm=20, **fields)


def test_truth_is_complete():
    simulated = ns.simulate.frame(n_particles=12, seed=4)
    table, labels = simulated.table, simulated.labels
    check_labels(labels, (1024, 1024))
    assert simulated.image.dtype == np.uint16 and len(table) == labels.max() == 12
    assert np.array_equal(table["area_px"], np.bincount(labels.ravel())[1:])
    rotations = table.filter(regex="^rotation_").to_numpy().reshape(-1, 3, 3)
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3))
    whole = table[~table["touches_border"] & ~table["touches_particle"]]
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, whole["label"]))
    # Centrosymmetric bodies: the outline is centred where the particle is.
    assert np.abs(centres - whole[["y_px", "x_px"]].to_numpy()).max() < 0.6


def test_a_frame_depends_on_seed_and_index_only():
    series = list(ns.simulate.frames(3, shape=(200, 240), n_particles=3, seed=5))
    alone = ns.simulate.frame(shape=(200, 240), n_particles=3, seed=5, index=2)
    assert np.array_equal(series[2].image, alone.image) and series[2].table.equals(alone.table)
    assert not np.array_equal(series[0].image, series[1].image)
    other = ns.simulate.frame(shape=(200, 240), n_particles=3, seed=6, index=2)
    assert not np.array_equal(alone.image, other.image)


def test_dose_changes_the_noise_and_not_the_specimen():
    low, high = (ns.simulate.frame(shape=(256, 256), n_particles=3, electrons_per_pixel=e) for e in (100, 10000))
    assert np.array_equal(low.labels, high.labels) and low.table.equals(high.table)


@pytest.mark.parametrize("electrons", [200.0, 1623.0])
def test_poisson_statistics(electrons):
    # A flat film, no grain: mean and variance of the counts are the expected number of electrons.
    simulated = ns.simulate.frame(shape=(512, 512), n_particles=0, electrons_per_pixel=electrons, **{**QUIET, "carbon_nm": 200})
    blocks = simulated.image.reshape(64, 8, 64, 8).swapaxes(1, 2).reshape(-1, 64).astype(float)
    fano = blocks.var(axis=1, ddof=1).mean() / blocks.mean()
    expected = electrons * 200 * MATERIALS["C"].scattered_per_nm
    assert simulated.image.mean() == pytest.approx(expected, rel=0.15)
    # The film's grain (6 % over 0.4 nm, blurred by the probe) adds (0.06)² × mean to the ratio, at most.
    assert 0.98 < fano < 1.05 + 0.06**2 * blocks.mean()


def test_poisson_noise_averages_out_with_dose():
    def relative_noise(electrons):
        simulated = ns.simulate.frame(shape=(256, 256), n_particles=2, populations=ball(), electrons_per_pixel=electrons, seed=2, **QUIET)
        core = ndimage.binary_erosion(simulated.labels > 0, iterations=25)
        smooth = ndimage.gaussian_filter(simulated.image.astype(float), 4)
        return (simulated.image[core] / smooth[core]).std()

    assert relative_noise(400) / relative_noise(6400) == pytest.approx(4, rel=0.08)


@pytest.mark.parametrize("material", ["Au", "Pd", "PtNi"])
def test_signal_is_thickness_times_density_times_z_power(material):
    simulated = ns.simulate.frame(
        shape=(300, 300), n_particles=1, populations=ball(material), electrons_per_pixel=1e5, probe_sigma_nm=0, seed=11, **QUIET
    )
    row = simulated.table.iloc[0]
    y, x = np.indices((300, 300))
    depth = 2 * np.sqrt(np.maximum(10.0**2 - ((y - row.y_px) ** 2 + (x - row.x_px) ** 2) * 0.04, 0))
    signal = simulated.image.astype(float)
    slope = (signal * depth).sum() / (depth**2).sum()
    assert np.corrcoef(signal.ravel(), depth.ravel())[0, 1] > 0.999
    atoms = {"Au": {79: 58.98}, "Pd": {46: 67.90}, "PtNi": {78: 38.72, 28: 38.72}}[material]
    gold = 58.98 * 79**1.7
    expected = 1e5 * 0.01044 * sum(n * z**1.7 for z, n in atoms.items()) / gold
    assert slope == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("sigma_nm", [0.3, 0.8])
def test_edge_width_is_the_probe(sigma_nm):
    # The face of a cube seen on edge is a step: blurred, it rises from 16 % to 84 % over two standard deviations.
    face = np.zeros((64, 64), np.float32)
    face[:, 32:] = 0.1
    settings = SimulateSettings(shape=(64, 64), electrons_per_pixel=5e5, probe_sigma_nm=sigma_nm, **QUIET)
    from nanospa.simulate.frame import _detect

    profile = _detect(face, settings, np.random.default_rng(0)).mean(axis=0) / 5e4
    low, high = np.interp([0.1587, 0.8413], profile, np.arange(64) * 0.2)
    # A pixel's own width adds 1/12 px² to the variance.
    assert (high - low) / 2 == pytest.approx(np.hypot(sigma_nm, 0.2 / np.sqrt(12)), rel=0.06)


def test_touching_share_and_little_overlap():
    tables, lost = [], []
    for simulated in ns.simulate.frames(60, settings="slater2020", shape=(768, 768), n_particles=8, seed=3):
        tables.append(simulated.table["touches_particle"])
        whole = simulated.table[~simulated.table["touches_border"] & simulated.table["touches_particle"]]
        for row in whole.itertuples():
            rotation = np.array([getattr(row, f"rotation_{a}{b}") for a in "xyz" for b in "xyz"]).reshape(3, 3)
            stretch = (row.stretch_x, row.stretch_y, row.stretch_z)
            parameter = row.shape_parameter if row.shape in ("cube", "star") else None
            alone = ns.simulate.particle(
                row.shape, size_nm=row.size_nm, pixel_size_nm=0.2, rotation=rotation, shape_parameter=parameter, stretch=stretch
            )
            lost.append(1 - row.area_px / (alone > 0.05 * alone.max()).sum())
    share = np.concatenate(tables).mean()
    assert 0.08 < share < 0.17
    assert max(lost) < 0.05


def test_the_mixture_of_the_paper():
    preset = ns.simulate.PRESETS["slater2020"]
    assert (preset.n_frames, preset.shape, preset.pixel_size_nm, preset.electrons_per_pixel) == (136, (1024, 1024), 0.2, 1623)
    assert 1250 < preset.n_frames * preset.n_particles < 1400
    tables = [f.table for f in ns.simulate.frames(20, settings="slater2020", seed=9)]
    sizes = {name: np.concatenate([t.loc[t["population"] == name, "size_nm"] for t in tables]) for name in ("Au", "Pd", "PtNi")}
    assert all(len(s) > 30 for s in sizes.values())
    assert sizes["Au"].min() >= 15 and sizes["Au"].max() <= 25
    assert np.mean(sizes["Pd"]) == pytest.approx(10, abs=0.5) and np.mean(sizes["PtNi"]) == pytest.approx(15, abs=0.6)
    counts = [len(t) for t in tables]
    assert 6 < np.mean(counts) < 14 and np.var(counts) > 2


def test_the_thicker_particle_owns_a_shared_pixel():
    from nanospa.simulate.frame import _project
    from nanospa.simulate.placement import projected
    from nanospa.simulate.population import draw

    rng = np.random.default_rng(0)
    thin = projected(draw(Population(name="a", shape="sphere", material="Pd", size_nm=8), rng), 0.5, rng).at(28, 26)
    thick = projected(draw(Population(name="b", shape="sphere", material="Pd", size_nm=16), rng), 0.5, rng).at(30, 40)
    _, labels, visible = _project([thick, thin], (60, 60))
    assert [p.specimen.population.name for p in visible] == ["a", "b"]
    both = np.zeros((2, 60, 60), np.float32)
    for layer, particle in zip(both, (thin, thick), strict=True):
        y, x = particle.corner
        h, w = particle.thickness.shape
        layer[y : y + h, x : x + w] = np.where(particle.mask, particle.thickness, 0)
    overlap = (both > 0).all(axis=0)
    assert overlap.sum() > 10
    assert np.array_equal(labels[overlap], both.argmax(axis=0)[overlap] + 1)


def test_settings_are_checked():
    for fields, match in [
        ({"pixel_size_nm": 0}, "pixel_size_nm"),
        ({"n_particles": -1}, "n_particles"),
        ({"touching": 2}, "touching"),
        ({"magnification": 3}, "magnification"),
        ({"populations": "gold"}, "populations"),
        ({"settings": "slater2021"}, "slater2020"),
        ({"populations": [{"name": "a", "shape": "heart", "material": "Au", "size_nm": 3}]}, "heart"),
        ({"populations": [{"name": "a", "shape": "rod", "material": "Kryptonite", "size_nm": 3}]}, "Kryptonite"),
        ({"populations": [{"name": "a", "shape": "star", "material": "Au", "size_nm": 3, "shape_parameter": 4}]}, "etching"),
    ]:
        with pytest.raises(ns.errors.NanospaError, match=match):
            ns.simulate.frame(**fields)
    with pytest.raises(ns.errors.InvalidValueError, match="no room"):
        ns.simulate.frame(shape=(100, 100), n_particles=30)
    with pytest.raises(ns.errors.InvalidValueError, match="index"):
        ns.simulate.frame(index=-1)


def test_settings_round_trip():
    preset = ns.simulate.PRESETS["slater2020"]
    assert SimulateSettings(**preset.model_dump(mode="json")) == preset
    assert SimulateSettings(n_particles=np.int64(7)).n_particles == 7
    assert ns.simulate.frame(shape=(64, 64), n_particles=0).labels.max() == 0
