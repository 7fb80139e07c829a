"""Spheres told from everything else, and their density along the radius."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.reconstruct import RadialProfile, prepare, radial_profile, sphere_test, sphere_volume

from tests.reconstruct import stacks


def of(shape, snr=np.inf, n=60, **options):
    stack = stacks.stack(shape, n, snr=snr, seed=21, **options)
    return prepare(stack.images, pixel_size_nm=stack.pixel_size_nm)


@pytest.mark.parametrize("snr", [np.inf, 5, 1])
@pytest.mark.parametrize("scales", [None, 0.1])
def test_spheres(snr, scales):
    found = sphere_test(of("sphere", snr, scales=scales))
    assert found.is_sphere
    assert found.share < 3.5 * found.error + 1e-4


@pytest.mark.parametrize("snr", [np.inf, 1, 0.3])
@pytest.mark.parametrize(
    ("shape", "share"), [("icosahedron", 0.0016), ("truncated_octahedron", 0.0045), ("cube", 0.016), ("star", 0.012), ("octahedron", 0.017)]
)
def test_other_shapes(shape, share, snr):
    found = sphere_test(of(shape, snr))
    assert not found.is_sphere
    assert abs(found.share - share) < 0.15 * share + 4 * found.error


def test_box_and_sampling_do_not_matter():
    shares = [sphere_test(of("truncated_octahedron", box=box, n=20)).share for box in (32, 64, 96)]
    np.testing.assert_allclose(shares, shares[1], rtol=0.2)


def test_noise_that_hides_the_shape_is_not_taken_for_a_sphere():
    assert not sphere_test(of("truncated_octahedron", 0.05, n=20)).is_sphere


def test_spheres_of_the_data_and_nearly_round_particles(shared_data):
    stack = stacks.data_stack("sphere", 40, snr=5)
    assert sphere_test(prepare(stack.images, pixel_size_nm=0.4)).is_sphere
    rng = np.random.default_rng(0)

    def ellipsoids(spread):
        images = [
            ns.simulate.particle(
                "sphere",
                size_nm=16,
                pixel_size_nm=0.4,
                box_px=64,
                rotation=ns.simulate.random_rotation(rng),
                stretch=tuple(1 + spread * rng.normal(size=3)),
            )
            for _ in range(40)
        ]
        return sphere_test(prepare(np.stack(images), pixel_size_nm=0.4))

    assert ellipsoids(0.03).is_sphere
    assert not ellipsoids(0.12).is_sphere


@pytest.mark.parametrize("snr", [np.inf, 1, 0.1])
def test_density_along_the_radius(snr):
    prepared = of("sphere", snr)
    profile = radial_profile(prepared)
    assert profile.edge_nm == pytest.approx(8, rel=0.01)
    inner = (profile.radius_nm > 1) & (profile.radius_nm < 7)
    assert profile.density[inner].mean() == pytest.approx(1, rel=0.02)
    assert (np.abs(profile.density[inner] - 1) < 0.05 + 4 * profile.error[inner]).all()
    assert np.abs(profile.density[profile.radius_nm > 9]).max() < 0.1
    volume = sphere_volume(profile, 64)
    assert volume.sum() * 0.4**3 == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.03)


def test_shells_of_different_density():
    radius = np.arange(32) * 0.4
    shell = RadialProfile(radius, np.where(radius < 3, 0.3, 1.0) * (radius < 7), np.zeros(32), 7.0, 0.4)
    image = ns.simulate.projection(sphere_volume(shell, 64))
    found = radial_profile(prepare(np.stack([image] * 4), pixel_size_nm=0.4))
    assert found.density[3] == pytest.approx(0.3, abs=0.1)
    assert found.density[12] == pytest.approx(1, abs=0.05)


def test_box():
    with pytest.raises(ns.errors.InvalidValueError, match="box"):
        sphere_volume(radial_profile(of("sphere", n=4, box=32)), 1)
