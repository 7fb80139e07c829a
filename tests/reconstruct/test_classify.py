"""Several shapes in one group."""

import numpy as np
import pytest
from nanospa.errors import InvalidValueError
from nanospa.reconstruct import ModelCheck, classify, prepare
from nanospa.reconstruct.two_kinds import two_kinds

from .stacks import data_stack, mixed, stack


def classes_of(images, **settings):
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    return classify(prepared, images.rotations, images.shifts - prepared.shifts, "O", **settings)


def pair(first, second, *, snr, seed, n=60):
    minority = round(0.3 * n)
    return mixed([stack(first, n - minority, box=32, seed=seed), stack(second, minority, box=32, seed=seed + 500)], snr=snr, seed=seed)


@pytest.mark.parametrize(("first", "second", "snr"), [("star", "cube", np.inf), ("cube", "sphere", 4.0), ("octahedron", "star", 4.0)])
def test_thirty_percent_of_another_shape_are_found(first, second, snr):
    images = pair(first, second, snr=snr, seed=41)
    found = classes_of(images)
    assert found.mixed and not found.heterogeneous
    assert found.count == 2
    assert np.mean((found.labels == 0) == (images.kinds == first)) > 0.95
    assert found.gains[0].z > 3
    sums = [volume.sum() for volume in found.model.volumes]
    assert sums[0] == pytest.approx(sums[1], rel=0.1)


def test_a_third_class_is_not_taken_without_need():
    found = classes_of(pair("star", "sphere", snr=4.0, seed=42), k_max=4)
    assert found.count == 2
    assert len(found.gains) == 2


@pytest.mark.parametrize(
    ("shape", "snr", "of"),
    [("cube", np.inf, {}), ("octahedron", 4.0, {}), ("star", 1.2, {"scales": 0.06}), ("truncated_octahedron", 1.2, {})],
)
def test_one_shape_stays_one(shape, snr, of):
    found = classes_of(stack(shape, 60, box=32, snr=snr, seed=43, **of))
    assert found.count == 1
    assert not found.mixed and not found.heterogeneous


def test_shapes_that_vary_are_not_mixed():
    found = classes_of(stack("star", 80, box=32, seed=44, scales=0.06, parameter_spread=0.15))
    assert found.heterogeneous and not found.mixed


@pytest.mark.parametrize("snr", [np.inf, 1.0])
def test_data_cubes_are_neither(snr):
    found = classes_of(data_stack("cube", 80, snr=snr))
    assert not found.mixed and not found.heterogeneous


def test_classes_do_not_depend_on_their_number_of_tries():
    images = stack("cube", 20, box=32, seed=45)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    ready = ModelCheck.of(prepared, images.rotations, images.shifts - prepared.shifts, "O")
    assert classify(prepared, images.rotations, images.shifts, "O", k_max=1, check=ready).count == 1
    with pytest.raises(InvalidValueError, match="k_max"):
        classify(prepared, images.rotations, images.shifts, "O", k_max=5, check=ready)


def test_two_kinds_against_one():
    rng = np.random.default_rng(5)
    one = rng.normal(0, 1, 120)
    two = np.where(np.arange(120) < 40, 0.0, 4.0) + rng.normal(0, 1, 120)
    assert two_kinds(one, np.full(120, 0.1)).evidence < 2
    found = two_kinds(two, np.full(120, 0.1))
    assert found.evidence > 20
    assert found.minority == pytest.approx(1 / 3, abs=0.06)
    assert found.separation == pytest.approx(4, rel=0.3)
    # The same values are nothing certain once their errors are as large as their distance.
    assert two_kinds(two, np.full(120, 9.0)).evidence < 2
    assert two_kinds(np.zeros(20), np.ones(20)).evidence == -np.inf
