"""Second moments exclude cubic symmetry where it is not there, and only there."""

import numpy as np
import pytest
from nanospa.reconstruct import prepare, second_moments

from tests.reconstruct import stacks


def of(shape, snr=np.inf, n=60, **options):
    stack = stacks.stack(shape, n, snr=snr, seed=31, **options)
    return stack, second_moments(prepare(stack.images, pixel_size_nm=0.4))


@pytest.mark.parametrize("snr", [np.inf, 5, 1, 0.3])
@pytest.mark.parametrize("shape", ["cube", "star", "octahedron", "truncated_octahedron", "icosahedron", "sphere"])
def test_cubic_and_icosahedral_shapes_pass(shape, snr):
    _, found = of(shape, snr, scales=0.06)
    assert found.allows_cubic
    assert found.z < 3 or found.anisotropy < 0.002


@pytest.mark.parametrize(
    ("shape", "options", "lowest_snr"),
    [
        ("prism", {"aspect": 1.2}, 1),
        ("prism", {"aspect": 1.5}, 0.3),
        ("prism", {"aspect": 3, "size_nm": 6}, 0.3),
        ("decahedron", {}, 0.3),
        ("rod", {}, 0.3),
    ],
)
def test_others_do_not(shape, options, lowest_snr):
    for snr in (np.inf, lowest_snr):
        assert not of(shape, snr, scales=0.06, **options)[1].allows_cubic


def test_the_data_passes(shared_data):
    for name in ("cube", "star"):
        for snr in (np.inf, 1):
            assert second_moments(prepare(stacks.data_stack(name, 60, snr=snr).images, pixel_size_nm=0.4)).allows_cubic


def test_moments_tell_the_tilt_of_a_rod():
    stack, found = of("rod", n=20)
    z, y, x = np.nonzero(stack.volume)
    moments = [np.average((axis - 32.0) ** 2, weights=stack.volume[z, y, x]) * 0.16 for axis in (x, z)]
    expected_trace = moments[0] * (1 + stack.rotations[:, 2, 2] ** 2) + moments[1] * (1 - stack.rotations[:, 2, 2] ** 2)
    np.testing.assert_allclose(np.trace(found.tensors_nm2, axis1=1, axis2=2), expected_trace, rtol=0.02)
    # The long axis in the image: the third column's first two numbers.
    _, vectors = np.linalg.eigh(found.tensors_nm2)
    long = vectors[:, :, 1]
    axis = stack.rotations[:, :2, 2] / np.linalg.norm(stack.rotations[:, :2, 2], axis=1, keepdims=True)
    assert (np.abs((long * axis).sum(axis=1)) > 0.99).all()


def test_errors():
    clean = stacks.stack("star", 60, seed=4)
    noisy = stacks.stack("star", 60, seed=4, snr=5)
    a, b = (second_moments(prepare(s.images, pixel_size_nm=0.4, normalise_size=False)) for s in (clean, noisy))
    off = (b.tensors_nm2 - a.tensors_nm2)[:, 0, 1]
    assert off.std() == pytest.approx(b.errors_nm2.mean(), rel=0.25)
