"""The whole stage: images of known particles in, their shape out."""

import functools
import pickle
from concurrent.futures import ThreadPoolExecutor

import nanospa as ns
import numpy as np
import pytest
from nanospa.errors import NanospaError
from nanospa.reconstruct import align_orientations
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.verdict import paired_z, verdict
from nanospa.schema.volumes import ATTRIBUTES, VARIABLES

from tests.reconstruct import stacks


def reconstructed(stack, symmetry="O", **options):
    options = {"n_starts": 6} | options
    return ns.reconstruct.reconstruct(stack.images, pixel_size_nm=stack.pixel_size_nm, symmetry=symmetry, **options)


@functools.lru_cache
def star():
    stack = stacks.stack("star", 60, box=32, snr=5, seed=11, scales=0.05)
    return stack, reconstructed(stack)


def test_star_is_found():
    stack, found = star()
    aligned = align_orientations(found["rotations"].to_numpy(), stack.rotations, "O", in_plane_two_fold=True)
    assert aligned.median_deg < 4
    assert np.corrcoef(found["volume"].to_numpy().ravel(), stack.volume.ravel())[0, 1] > 0.985
    assert found.attrs["verdict"] == "confident" and found.attrs["margin_z"] > 5
    assert found.attrs["flags"] == []
    mean_volume = found.attrs["volume_nm3"] * np.mean(found["scale"].to_numpy() ** 3)
    assert mean_volume == pytest.approx(stack.volume_nm3 * np.mean(stack.scales**3), rel=0.05)


def test_displacements_are_those_of_the_images_given():
    stack, found = star()
    error = found["shifts"].to_numpy() - stack.shifts
    assert np.median(np.hypot(*error.T)) < 0.15


def test_names_dims_and_units():
    _, found = star()
    for name, variable in found.data_vars.items():
        assert variable.dims == VARIABLES[name].dims
        assert variable.dtype.kind == np.dtype(VARIABLES[name].dtype).kind
    extra = set(found.attrs) - set(ATTRIBUTES)
    assert extra == {"warnings"}
    assert found["frequency"].attrs["units"] == "1/nm"
    ns.reconstruct.ReconstructSettings.model_validate_json(found.attrs["settings"])


def test_does_not_depend_on_threads_or_on_who_runs_the_starts():
    stack, once = star()
    with ThreadPoolExecutor(2) as pool:
        again = reconstructed(stack, map=pool.map, threads=2)
    np.testing.assert_array_equal(again["volume"].to_numpy(), once["volume"].to_numpy())
    np.testing.assert_array_equal(again["start_scores"].to_numpy(), once["start_scores"].to_numpy())


def test_search_box_pickles_without_what_follows_from_it():
    search = SearchBox(stacks.stack("cube", 5, box=32).images, 10.0, "O", True)
    before = len(pickle.dumps(search))
    assert search.rings.spectra.size > 0
    assert len(pickle.dumps(search)) == before
    assert pickle.loads(pickle.dumps(search)).symmetry == "O"


def test_wrong_basin_is_left():
    """A search that begins in the wrong basin ends in the right one: every start is replaced by one."""
    stack = stacks.stack("cube", 50, box=32, seed=3)
    found = [reconstructed(stack, n_starts=1, seed=seed) for seed in range(3)]
    began_wrong = [f["start_basin"].to_numpy()[0] != 0 for f in found]
    assert any(began_wrong)
    for each in found:
        aligned = align_orientations(each["rotations"].to_numpy(), stack.rotations, "O", in_plane_two_fold=True)
        assert aligned.median_deg < 6


def test_sphere_has_no_orientations():
    stack = stacks.stack("sphere", 30, box=32, snr=5, seed=2)
    found = reconstructed(stack)
    assert found.attrs["verdict"] == "sphere"
    assert "rotations" not in found and "fsc" not in found
    assert found.attrs["volume_nm3"] == pytest.approx(stack.volume_nm3, rel=0.03)
    assert found.attrs["sphericity"] > 0.99


def test_prism_as_octahedral_is_flagged():
    stack = stacks.stack("prism", 60, box=32, snr=5, seed=4, aspect=1.6, size_nm=8.0)
    found = reconstructed(stack)
    assert "symmetry" in found.attrs["flags"] and found.attrs["verdict"] != "confident"


def test_few_images_are_under_determined():
    stack = stacks.stack("cube", 12, box=32, snr=5, seed=1)
    found = reconstructed(stack, n_starts=2)
    assert found.attrs["verdict"] == "under-determined" and "under_determined" in found.attrs["flags"]


def test_hardly_more_than_noise_is_not_believed():
    stack = stacks.stack("star", 30, box=32, snr=0.05, seed=5)
    assert reconstructed(stack, n_starts=4).attrs["verdict"] != "confident"


@pytest.mark.parametrize("symmetry", ["C1", "D2", "T", "C3"])
def test_other_groups_run(symmetry):
    stack = stacks.stack("cube", 24, box=32, snr=5, seed=6)
    found = reconstructed(stack, symmetry, n_starts=2)
    assert found["volume"].shape == (32, 32, 32) and np.isfinite(found["volume"].to_numpy()).all()


def test_odd_and_unusual_boxes():
    for box in (28, 41):
        stack = stacks.stack("cube", 24, box=box, snr=5, seed=7)
        found = reconstructed(stack, n_starts=2)
        assert found["volume"].shape == (box // 2 * 2,) * 3


def test_two_shapes_are_parted():
    parts = [stacks.stack("star", 40, box=32, seed=8), stacks.stack("cube", 20, box=32, seed=9)]
    stack = stacks.mixed(parts, snr=5, seed=1)
    found = reconstructed(stack, max_classes=2)
    assert "mixed" in found.attrs["flags"] and found.attrs["verdict"] != "confident"
    labels = found["shape_class"].to_numpy()
    assert found["class_volumes"].sizes["class"] == 2
    agree = np.mean((labels == 0) == (stack.kinds == "star"))
    assert max(agree, 1 - agree) > 0.8


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"symmetry": "Q"}, "symmetry"),
        ({"n_starts": 0}, "n_starts"),
        ({"min_images": 1}, "min_images"),
        ({"max_classes": 9}, "max_classes"),
    ],
)
def test_bad_arguments_are_named(options, named):
    stack = stacks.stack("cube", 5, box=32)
    with pytest.raises(NanospaError, match=named):
        reconstructed(stack, **options)


def test_paired_z():
    rng = np.random.default_rng(0)
    base = rng.normal(size=400)
    mean, z = paired_z(base + rng.normal(0.1, 0.5, 400), base)
    assert mean == pytest.approx(0.1, abs=0.08) and z == pytest.approx(4, abs=2)


def test_verdict_labels():
    assert [verdict(z) for z in (6, 4, 2)] == ["confident", "doubtful", "not determined"]
    assert (
        verdict(9, ["symmetry"]) == "not determined"
        and verdict(9, ["biased_views"]) == "doubtful"
        and verdict(float("nan")) == "not determined"
    )
