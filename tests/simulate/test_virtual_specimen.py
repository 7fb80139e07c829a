"""The virtual specimen: the same at a place whatever was asked before, and its truth."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.testing import check_labels

SCAN = {"centre_nm": (340.0, 300.0), "pixel_size_nm": 0.8, "shape": (200, 240)}


@pytest.fixture(scope="module")
def specimen():
    return ns.simulate.VirtualSpecimen("slater2020", seed=2)


def test_what_lies_at_a_place_does_not_depend_on_what_was_asked(specimen):
    whole = specimen.particles(0, 0, 900, 900)
    fresh = ns.simulate.VirtualSpecimen("slater2020", seed=2)
    parts = [fresh.particles(y, x, y + 300, x + 450) for y in (600, 0, 300) for x in (450, 0)]
    together = np.concatenate([p["id"] for p in parts])
    assert len(together) == len(whole) > 100 and whole["id"].is_unique
    assert set(together) == set(whole["id"])
    image = fresh.image(**SCAN)
    assert np.array_equal(image, specimen.image(**SCAN))
    assert np.array_equal(image, specimen.image(**SCAN, threads=3))
    other = ns.simulate.VirtualSpecimen("slater2020", seed=3).particles(0, 0, 900, 900)
    assert not set(other["y_nm"]) & set(whole["y_nm"])


def test_truth_is_complete(specimen):
    labels, table = specimen.truth(**SCAN)
    check_labels(labels, SCAN["shape"])
    assert len(table) == labels.max() > 5
    assert np.array_equal(table["area_px"], np.bincount(labels.ravel())[1:])
    assert set(ns.simulate.frame(shape=(64, 64), n_particles=1).table.columns) <= set(table.columns)
    reached = specimen.particles(240, 180, 440, 420)
    assert set(table.loc[~table["touches_border"], "id"]) <= set(reached["id"])
    y, x = (SCAN["centre_nm"][a] + (table[c] - (SCAN["shape"][a] - 1) / 2) * 0.8 for a, c in enumerate(("y_px", "x_px")))
    np.testing.assert_allclose(y, table["y_nm"])
    np.testing.assert_allclose(x, table["x_nm"])


def test_density_shares_and_contacts():
    density = 300.0
    specimen = ns.simulate.VirtualSpecimen("slater2020", seed=7, density_per_um2=density, hole_share=0.0, touching=0.3)
    table = specimen.particles(-1000, -1000, 1000, 1000)
    # The density varies over hundreds of nanometres: a few dozen independent places.
    assert len(table) / 4 == pytest.approx(density, rel=0.12)
    shares = table["population"].value_counts(normalize=True)
    assert shares.to_numpy() == pytest.approx([1 / 3] * 3, abs=0.05)
    _, truth = specimen.truth(centre_nm=(0, 0), pixel_size_nm=0.8, shape=(1000, 1000))
    inner = truth[~truth["touches_border"]]
    assert 0.2 < inner["touches_particle"].mean() < 0.4
    rotations = table.filter(regex="^rotation_").to_numpy().reshape(-1, 3, 3)
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3)) and np.allclose(np.linalg.det(rotations), 1)


def test_particles_lie_apart_where_none_touch():
    table = ns.simulate.VirtualSpecimen("slater2020", seed=1, touching=0.0).particles(0, 0, 1200, 1200)
    places, half = table[["y_nm", "x_nm"]].to_numpy(), table["size_nm"].to_numpy() / 2
    distance = np.hypot(*(places[:, None] - places).T) + np.diag(np.full(len(places), np.inf))
    assert (distance - half - half[:, None]).min() > 0.5


def test_aggregation_leaves_places_empty():
    def counts(aggregation):
        specimen = ns.simulate.VirtualSpecimen("slater2020", seed=3, hole_share=0, aggregation=aggregation)
        table = specimen.particles(0, 0, 2000, 2000)
        return np.histogram2d(table["y_nm"], table["x_nm"], bins=10, range=[[0, 2000]] * 2)[0]

    even, clumped = counts(0.0), counts(0.8)
    # Particles that keep apart are more even than Poisson numbers.
    assert even.min() > 0 and even.var() < even.mean()
    assert clumped.var() > 4 * clumped.mean() and (clumped == 0).sum() > 3


def test_nothing_lies_over_a_hole():
    specimen = ns.simulate.VirtualSpecimen("slater2020", seed=4, hole_share=0.3, touching=0.0)
    table = specimen.particles(0, 0, 1000, 1000)
    bare = ns.simulate.VirtualSpecimen("slater2020", seed=4, hole_share=0.3, density_per_um2=0.0)
    for row in table.iloc[:40].itertuples():
        film = bare.image(centre_nm=(row.y_nm, row.x_nm), pixel_size_nm=1.0, shape=(1, 1))
        # The middle of a hole's edge has half the film.
        assert film[0, 0] > 0.4 * 0.5 * 15 * ns.simulate.MATERIALS["C"].scattered_per_nm


def test_a_specimen_can_be_sent_to_a_worker(specimen):
    import pickle

    sent = pickle.loads(pickle.dumps(specimen))
    assert np.array_equal(sent.image(**SCAN), specimen.image(**SCAN))


def test_the_paper_s_specimen():
    specimen = ns.simulate.VirtualSpecimen("slater2020", seed=11)
    table = specimen.particles(0, 0, 2000, 2000)
    side = 205.0
    counts = np.histogram2d(table["y_nm"], table["x_nm"], bins=int(2000 / side), range=[[0, 9 * side]] * 2)[0]
    # About 14 particles in an image where there are any, and some images without.
    assert counts[counts > 2].mean() == pytest.approx(14, rel=0.2)
    assert (counts == 0).any() or (counts < 3).sum() > 2


def test_settings_are_checked():
    for fields, match in [
        ({"settings": "slater2021"}, "slater2020"),
        ({"populations": "gold"}, "populations"),
        ({"magnification": 3}, "magnification"),
        ({"hole_share": 0.9}, "hole_share"),
        ({"density_per_um2": 5000.0}, "density_per_um2"),
    ]:
        with pytest.raises(ns.errors.NanospaError, match=match):
            ns.simulate.VirtualSpecimen(**fields)
    specimen = ns.simulate.VirtualSpecimen("empty")
    for fields, match in [
        ({"pixel_size_nm": 0}, "pixel_size_nm"),
        ({"pixel_size_nm": None}, "pixel_size_nm"),
        ({"shape": (0, 5)}, "shape"),
        ({"defocus_nm": float("nan")}, "defocus_nm"),
        ({"centre_nm": (0, float("inf"))}, "centre_nm"),
    ]:
        with pytest.raises(ns.errors.NanospaError, match=match):
            specimen.image(**{**SCAN, **fields})
    with pytest.raises(ns.errors.InvalidValueError, match="sigma_nm"):
        ns.simulate.Probe(-1.0)
    preset = ns.simulate.SPECIMENS["atomic"]
    assert ns.simulate.SpecimenSettings(**preset.model_dump(mode="json")) == preset


def test_far_from_the_origin():
    # Half a millimetre away, where the tilted specimen is micrometres high: as sharp, and only what is near is looked at.
    specimen = ns.simulate.VirtualSpecimen("slater2020", seed=2)
    place = (5e5, -5e5)
    scan = {"centre_nm": place, "pixel_size_nm": 0.8, "shape": (256, 256), "defocus_nm": float(specimen.height_nm(*place))}
    image = specimen.image(**scan)
    assert abs(scan["defocus_nm"]) > 5000
    assert len(specimen._particles._kept) <= 16
    assert np.array_equal(image, ns.simulate.VirtualSpecimen("slater2020", seed=2).image(**scan))
    labels, _ = specimen.truth(**{k: v for k, v in scan.items() if k != "defocus_nm"})
    assert image[labels > 0].mean() > 3 * np.median(image)
