"""The body in a volume: its size against the truth of every shape, whatever the resolution and background."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.reconstruct import solid

from tests.reconstruct import stacks

PIXEL = 0.4


def body(shape, *, size_nm=None, **options):
    return ns.simulate.volume(shape, size_nm=size_nm or stacks.SIZES_NM[shape], voxel_size_nm=PIXEL, box_px=64, supersampling=2, **options)


def low_passed(volume, resolution_nm, sharp=False):
    k = np.fft.fftfreq(len(volume), PIXEL)
    r = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None] ** 2) * resolution_nm
    response = 0.5 + 0.5 * np.cos(np.pi * np.clip((r - 0.9) / 0.2, 0, 1)) if sharp else np.exp(-np.log(2) * r**2)
    return np.fft.ifftn(np.fft.fftn(volume) * response).real.astype(np.float32)


@pytest.mark.parametrize("shape", list(ns.simulate.SHAPES))
def test_volume_of_every_shape(shape):
    truth = body(shape)
    expected = truth.sum(dtype=float) * PIXEL**3
    for volume in (
        truth,
        low_passed(truth, 1.5),
        70 * low_passed(truth, 2.5),
        low_passed(truth, 1.0, sharp=True),
        low_passed(truth, 1) - 0.03,
    ):
        found = solid(volume, PIXEL)
        assert found.volume_nm3 == pytest.approx(expected, rel=0.01)
        assert found.equivalent_diameter_nm == pytest.approx((6 * expected / np.pi) ** (1 / 3), rel=0.004)


@pytest.mark.parametrize(("shape", "sphericity"), [("sphere", 1), ("cube", 0.806), ("octahedron", 0.846), ("truncated_octahedron", 0.910)])
def test_sphericity(shape, sphericity):
    sharp = {"shape_parameter": 50} if shape == "cube" else {}
    assert solid(body(shape, size_nm=14, **sharp), PIXEL).sphericity == pytest.approx(sphericity, abs=0.02)


def test_mesh():
    # An asymmetric body: what is swapped or moved shows.
    volume = np.zeros((40, 44, 48), np.float32)
    volume[5:15, 10:30, 20:26] = 2
    found = solid(volume, 0.5)
    assert found.density == pytest.approx(2) and 0.5 < found.level < 1.2
    np.testing.assert_allclose(found.vertices_nm.min(axis=0), (4.5 * 0.5, 9.5 * 0.5, 19.5 * 0.5), atol=0.15)
    np.testing.assert_allclose(found.vertices_nm.max(axis=0), (14.5 * 0.5, 29.5 * 0.5, 25.5 * 0.5), atol=0.15)
    corners = found.vertices_nm[found.faces][..., ::-1].astype(float)
    enclosed = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert enclosed == pytest.approx(found.volume_nm3, rel=0.02)
    edges = np.sort(np.concatenate([found.faces[:, [0, 1]], found.faces[:, [1, 2]], found.faces[:, [2, 0]]]), axis=1)
    # Closed: every edge belongs to two triangles.
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_specks_do_not_count():
    volume = low_passed(body("cube"), 1.5)
    dirty = volume.copy()
    dirty[3:6, 3:6, 3:6] = 1
    assert solid(dirty, PIXEL).volume_nm3 == pytest.approx(solid(volume, PIXEL).volume_nm3, rel=0.002)
    assert solid(dirty, PIXEL).vertices_nm.min() > 3


def test_noise_and_a_body_at_the_border():
    truth = body("octahedron")
    noisy = truth + 0.1 * low_passed(np.random.default_rng(0).normal(size=truth.shape), 1.5) * 3
    assert solid(noisy, PIXEL).volume_nm3 == pytest.approx(truth.sum(dtype=float) * PIXEL**3, rel=0.02)
    half = truth[32:]
    assert solid(half, PIXEL).volume_nm3 == pytest.approx(half.sum(dtype=float) * PIXEL**3, rel=0.01)


def test_noise_whose_negative_values_were_cut_off():
    # What a search that keeps densities positive leaves: its noise adds up outside the body, within the mask.
    truth = low_passed(body("star"), 1.2)
    noise = low_passed(np.random.default_rng(1).normal(size=truth.shape), 1.2)
    z, y, x = np.mgrid[-32:32, -32:32, -32:32]
    mask = np.clip((28 - np.sqrt(x**2 + y**2 + z**2)) / 6, 0, 1)
    clipped = np.maximum(truth + 0.1 / noise.std() * noise, 0) * mask
    assert clipped.sum() > 1.1 * truth.sum()
    assert solid(clipped, PIXEL).volume_nm3 == pytest.approx(truth.sum(dtype=float) * PIXEL**3, rel=0.025)


@pytest.mark.parametrize(
    ("volume", "pixel_size_nm", "error"),
    [
        (np.zeros((8, 8, 8)), 1.0, ns.errors.EmptyInputError),
        (-np.random.default_rng(0).random((8, 8, 8)), 1.0, ns.errors.EmptyInputError),
        (np.ones((8, 8)), 1.0, ns.errors.ShapeError),
        (np.full((8, 8, 8), np.nan), 1.0, ns.errors.NonFiniteError),
        (np.random.default_rng(0).random((8, 8, 8)), None, ns.errors.PixelSizeError),
    ],
)
def test_refused(volume, pixel_size_nm, error):
    with pytest.raises(error):
        solid(volume, pixel_size_nm)
