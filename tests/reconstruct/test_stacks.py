"""The stacks of the tests mean what they say."""

import nanospa as ns
import numpy as np
import pytest

from tests.reconstruct import stacks


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def reprojected(stack, i):
    image = ns.simulate.projection(stack.volume, stack.rotations[i])
    # Displaced by the shift (dx, dy), exactly, in Fourier space.
    k = np.fft.fftfreq(image.shape[0])
    dx, dy = stack.shifts[i]
    phase = np.exp(-2j * np.pi * (k[:, None] * dy + k[None, :] * dx))
    return np.fft.ifft2(np.fft.fft2(image) * phase).real


@pytest.mark.parametrize("shape", ["star", "decahedron", "prism"])
def test_images_are_projections_of_the_volume(shape):
    stack = stacks.stack(shape, 3, box=48, seed=3)
    for i in range(3):
        image = reprojected(stack, i)
        assert correlation(image, stack.images[i]) > 0.998
        assert image.sum() == pytest.approx(stack.images[i].sum(), rel=0.01)


@pytest.mark.parametrize("name", ["star", "cube", "sphere"])
def test_the_data_follows_the_convention(shared_data, name):
    stack = stacks.data_stack(name, 4)
    for i in range(4):
        image = reprojected(stack, i)
        # Sizes differ among the stars.
        assert correlation(image, stack.images[i]) > (0.98 if name == "star" else 0.995)
    assert stack.volume.sum() == pytest.approx(stacks.data_stack(name).images.sum(axis=(1, 2)).mean(), rel=1e-3)


def test_noise_of_the_data_is_as_its_file_says(shared_data):
    with np.load(shared_data / "spr" / "cube_b64_hom.npz") as data:
        assert stacks.signal_std(data["clean"]) == pytest.approx(float(data["sig_std"]), rel=1e-5)
    stack = stacks.data_stack("cube", 50, snr=1)
    assert (stack.images - stack.clean).std() == pytest.approx(stack.sigma, rel=0.01)


def test_volumes():
    assert stacks.stack("cube", 2, size_nm=10, shape_parameter=50).volume_nm3 == pytest.approx(1000, rel=0.02)
    prism = stacks.stack("prism", 2, size_nm=6, shape_parameter=50, aspect=2)
    assert prism.volume_nm3 == pytest.approx(2 * 6**3, rel=0.02)


def test_a_longer_stack_begins_with_the_shorter():
    short, long = (stacks.stack("cube", n, box=32, snr=1, seed=5) for n in (3, 6))
    np.testing.assert_array_equal(short.rotations, long.rotations[:3])
    np.testing.assert_array_equal(short.shifts, long.shifts[:3])


def test_mixed_and_biased():
    both = stacks.mixed([stacks.stack("star", 7, box=32), stacks.stack("cube", 3, box=32)], snr=5)
    assert sorted(both.kinds) == ["cube"] * 3 + ["star"] * 7
    views = stacks.biased_rotations(40, 1, axis=(0, 0, 1), spread_deg=5)
    assert np.median(np.degrees(np.arccos(views[:, 2, 2]))) < 12
