"""Projected thickness, volumes and rotation conventions of the particle shapes."""

import math

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.thickness import inside_unit
from tests.reference.thickness import thickness as twin

SHAPES = {
    "sphere": None,
    "cube": 8.0,
    "star": 0.25,
    "octahedron": None,
    "truncated_octahedron": None,
    "decahedron": None,
    "icosahedron": None,
    "rod": 2.5,
}


def analytic_volume(shape, size, p):
    """Volumes from the definitions; the superquadric's from Jaklič et al., Segmentation and Recovery of Superquadrics (2000), eq. 2.60."""
    half = size / 2
    return {
        "sphere": lambda: 4 / 3 * math.pi * half**3,
        "cube": lambda: 8 * half**3 * math.gamma(1 + 1 / p) ** 3 / math.gamma(1 + 3 / p),
        "star": lambda: 2 * (1 - p) * half**3,
        "octahedron": lambda: 4 / 3 * half**3,
        "truncated_octahedron": lambda: 4 * half**3,
        # Five tetrahedra of edge a closed to a bipyramid of height a whose equator lies at √3/2 a; the icosahedron of circumradius 1.
        "decahedron": lambda: 2 / 3 * (5 / 2 * math.sin(math.radians(72))) / math.sqrt(3) * half**3,
        "icosahedron": lambda: 2.536150710 * half**3,
        "rod": lambda: (4 / 3 + 2 * (p - 1)) * math.pi * half**3,
    }[shape]()


@pytest.mark.parametrize(("shape", "parameter"), SHAPES.items())
def test_volume_is_analytic_in_any_rotation(shape, parameter):
    rng = np.random.default_rng(1)
    expected = analytic_volume(shape, 10.0, parameter)
    # Faces along the pixel grid are the worst case of sampling a pixel at a few lines: 1 %.
    for rotation, tolerance in ((None, 1e-2), *((ns.simulate.random_rotation(rng), 2e-3) for _ in range(3))):
        image = ns.simulate.particle(shape, size_nm=10, pixel_size_nm=0.2, rotation=rotation, shape_parameter=parameter)
        assert image.sum(dtype=float) * 0.04 == pytest.approx(expected, rel=tolerance)
        voxels = ns.simulate.volume(shape, size_nm=10, voxel_size_nm=0.4, rotation=rotation, shape_parameter=parameter)
        # Points on a grid in three dimensions: half as good again where faces lie along it.
        assert voxels.sum(dtype=float) * 0.4**3 == pytest.approx(expected, rel=max(1.5 * tolerance, 5e-3))


@pytest.mark.parametrize(("shape", "parameter"), SHAPES.items())
def test_twin(shape, parameter):
    rotation = ns.simulate.random_rotation(np.random.default_rng(7))
    stretch = (1.0, 0.9, 1.1)
    given_parameter = 0.0 if parameter is None else parameter
    got = ns.simulate.particle(
        shape, size_nm=6, pixel_size_nm=0.9, rotation=rotation, shape_parameter=parameter, stretch=stretch, box_px=9, supersampling=1
    )
    # Points along the beam are counted at twice 1/400 of the depth.
    expected = twin(shape, given_parameter, 6, rotation, stretch, 9, 0.9, n_depth=1000)
    np.testing.assert_allclose(got, expected, atol=0.05)
    assert got.max() > 3


@pytest.mark.parametrize(("shape", "parameter"), SHAPES.items())
def test_implicit_function(shape, parameter):
    points = np.random.default_rng(2).uniform(-6, 6, (3000, 3))
    got = ns.simulate.inside(shape, points, size_nm=8, shape_parameter=parameter)
    expected = inside_unit(shape, 0.0 if parameter is None else parameter, points / 4)
    assert np.array_equal(got, expected) and 50 < got.sum() < 2900


@given(st.sampled_from(list(SHAPES)), st.integers(0, 2**32 - 1), st.floats(0.5, 30), st.floats(0.1, 5), st.floats(-3, 3), st.floats(-3, 3))
def test_thickness_stays_in_the_enclosing_ball(shape, seed, size, pixel, dx, dy):
    rotation = ns.simulate.random_rotation(np.random.default_rng(seed))
    image = ns.simulate.particle(shape, size_nm=size, pixel_size_nm=max(pixel, size / 20), rotation=rotation, shift_px=(dx, dy))
    longest = size * {"rod": 3.0, "cube": math.sqrt(3), "truncated_octahedron": math.sqrt(1.25)}.get(shape, 1.0)
    assert np.isfinite(image).all() and image.min() >= 0 and image.max() <= longest * (1 + 1e-6)
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert not edge.any()


def test_rotation_convention():
    # The rod's long axis z goes to R z: with R z = x the rod lies along the columns.
    to_x = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    lying = ns.simulate.particle("rod", size_nm=4, pixel_size_nm=0.5, rotation=to_x)
    y, x = np.nonzero(lying)
    assert np.ptp(x) > 2.5 * np.ptp(y)
    # A slanted axis in the xy plane: p_image = R p_volume, so the projection runs along (cos 30°, sin 30°) in (x, y).
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    slanted = ns.simulate.particle("rod", size_nm=2, pixel_size_nm=0.25, rotation=turn @ to_x)
    n = slanted.shape[0]
    dy, dx = (np.indices(slanted.shape) - n // 2).reshape(2, -1)
    covariance = np.cov(np.stack([dx, dy]), fweights=np.round(slanted * 100).astype(int).ravel())
    axis = np.linalg.eigh(covariance)[1][:, 1]
    assert abs(axis @ [c, s]) == pytest.approx(1, abs=1e-3)
    assert abs((slanted.ravel() * dx).sum()) < 1e-3 * slanted.sum()


def test_volume_projects_to_the_thickness():
    rotation = ns.simulate.random_rotation(np.random.default_rng(5))
    upright = ns.simulate.volume("rod", size_nm=6, voxel_size_nm=0.5, shape_parameter=2, box_px=40, supersampling=3)
    turned = ns.simulate.volume("rod", size_nm=6, voxel_size_nm=0.5, shape_parameter=2, box_px=40, rotation=rotation, supersampling=3)
    expected = ns.simulate.particle("rod", size_nm=6, pixel_size_nm=0.5, shape_parameter=2, box_px=40, rotation=rotation)
    np.testing.assert_allclose(turned.sum(axis=0) * 0.5, expected, atol=0.35)
    # Interpolation blurs the surface by about a voxel.
    got = ns.simulate.projection(upright, rotation, voxel_size_nm=0.5)
    assert np.abs(got - expected).mean() < 0.03 * expected.max()
    assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.999


def test_shift_moves_the_content_by_plus():
    still = ns.simulate.particle("cube", size_nm=5, pixel_size_nm=0.5, box_px=31)
    moved = ns.simulate.particle("cube", size_nm=5, pixel_size_nm=0.5, box_px=31, shift_px=(4, -2))
    np.testing.assert_allclose(moved, np.roll(still, (-2, 4), axis=(0, 1)), atol=1e-5)


def test_anisotropic_pixels():
    image = ns.simulate.particle("sphere", size_nm=10, pixel_size_nm=(0.5, 0.25))
    y, x = np.nonzero(image)
    assert np.ptp(x) == pytest.approx(2 * np.ptp(y), abs=2)
    assert image.sum(dtype=float) * 0.125 == pytest.approx(math.pi / 6 * 1000, rel=2e-3)


def test_same_for_any_threads():
    make = lambda n: ns.simulate.particle("star", size_nm=15, pixel_size_nm=0.2, rotation=None, threads=n)  # noqa: E731
    assert all(np.array_equal(make(1), make(n)) for n in (2, 5))


def test_random_rotations_are_proper_and_uniform():
    rng = np.random.default_rng(0)
    rotations = np.array([ns.simulate.random_rotation(rng) for _ in range(4000)])
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3)) and np.allclose(np.linalg.det(rotations), 1)
    # Uniform rotations send z to uniform points of the sphere: z components are uniform in [-1, 1].
    z = np.sort(rotations[:, 2, 2])
    assert np.abs((np.arange(4000) + 0.5) / 4000 - (z + 1) / 2).max() < 1.63 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ns.errors.UnknownNameError, "shape", {"shape": "heart"}),
        (ns.errors.InvalidValueError, "size_nm", {"size_nm": -1}),
        (ns.errors.InvalidValueError, "size_nm", {"size_nm": float("nan")}),
        (ns.errors.PixelSizeError, "pixel_size_nm", {"pixel_size_nm": 0}),
        (ns.errors.PixelSizeError, "pixel_size_nm", {"pixel_size_nm": None}),
        (ns.errors.InvalidValueError, "etching", {"shape": "star", "shape_parameter": 0.95}),
        (ns.errors.InvalidValueError, "none|None", {"shape_parameter": 1}),
        (ns.errors.InvalidValueError, "rotation", {"rotation": np.diag([1, 1, -1])}),
        (ns.errors.ShapeError, "rotation", {"rotation": np.eye(2)}),
        (ns.errors.InvalidValueError, "stretch", {"stretch": (1, 0, 1)}),
        (ns.errors.InvalidValueError, "supersampling", {"supersampling": 0}),
        (ns.errors.InvalidValueError, "box_px", {"box_px": 0}),
    ],
)
def test_bad_input(error, match, arguments):
    with pytest.raises(error, match=match):
        ns.simulate.particle(**{"shape": "sphere", "size_nm": 10, "pixel_size_nm": 0.5, **arguments})
