"""Volumes in a store: valid OME-Zarr, readable by plain xarray, there and back, never half of one."""

import shutil

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
import zarr
from nanospa import errors
from nanospa.io.store import Store
from numpy.testing import assert_array_equal


def reconstruction(n=5, box=8, seed=0):
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "volume": (("z", "y", "x"), rng.normal(size=(box,) * 3).astype(np.float32)),
            "half_volumes": (("half", "z", "y", "x"), rng.normal(size=(2, box, box, box)).astype(np.float32)),
            "rotations": (("image", "detector", "axis"), np.tile(np.eye(3), (n, 1, 1))),
            "scale": ("image", rng.uniform(0.9, 1.1, n)),
            "kept": ("image", np.arange(n) % 2 == 0),
            "particle": ("image", np.arange(n) + 10),
            "fsc": ("shell", np.linspace(1, 0, 3)),
            "start_kind": ("start", np.array(["ball", "random"], dtype=object)),
        },
        coords={"frequency": ("shell", np.array([0.1, 0.2, 0.3]), {"units": "1/nm"})},
        attrs={"pixel_size_nm": 0.4, "symmetry": "O", "margin_z": np.nan, "flags": ["mixed"], "n_images": np.int64(n)},
    )


@pytest.fixture
def store(tmp_path):
    store = Store.create(tmp_path / "run.zarr")
    store.volumes.write("cluster_001", reconstruction())
    return store


def test_there_and_back(store):
    found, given = store.volumes.read("cluster_001"), reconstruction()
    for name, variable in given.variables.items():
        assert found[name].dims == variable.dims and found[name].dtype == variable.dtype
        assert_array_equal(found[name], variable)
    assert list(found.coords) == ["frequency"] and found["frequency"].attrs["units"] == "1/nm"
    assert found["rotations"].attrs["long_name"] and found["scale"].attrs["units"] == "1"
    assert found.attrs["flags"] == ["mixed"] and np.isnan(found.attrs["margin_z"]) and found.attrs["n_images"] == 5
    assert store.volumes.names() == ["cluster_001"] and "cluster_001" in store.volumes and "cluster_002" not in store.volumes
    with pytest.raises(errors.UnknownNameError, match="expected a volume 'cluster_002', found cluster_001"):
        store.volumes.read("cluster_002")


def test_valid_ome_zarr(store):
    from ome_zarr_models.v05 import Image

    image = Image.from_zarr(zarr.open_group(store.path, mode="r")["volumes/cluster_001"])
    axes = image.ome_attributes.multiscales[0].axes
    assert [(a.name, a.type, a.unit) for a in axes] == [(n, "space", "nanometer") for n in "zyx"]
    assert image.ome_attributes.multiscales[0].datasets[0].coordinateTransformations[0].scale == [0.4, 0.4, 0.4]


def test_plain_xarray_reads_it(store):
    tree = ns.open(store.path)["volumes/cluster_001"]
    assert tree["image"].dims == ("z", "y", "x") and tree["scale"].dims == ("particle",)
    assert_array_equal(tree["image"], reconstruction()["volume"])
    assert tree["particle"].values.tolist() == [10, 11, 12, 13, 14]
    assert tree["start_kind"].values.tolist() == ["ball", "random"]
    assert tree.attrs["nanospa"]["margin_z"] is None


def test_replaced_and_removed(store):
    store.volumes.write("cluster_001", reconstruction(n=3, seed=1))
    assert store.volumes.read("cluster_001").sizes["image"] == 3
    store.volumes.remove("cluster_001")
    store.volumes.remove("cluster_001")
    assert store.volumes.names() == [] and not [p.name for p in store.path.rglob(".new-*")]


def test_killed_while_it_was_written(store):
    shutil.copytree(store.path / "volumes/cluster_001", store.path / ".new-volumes-cluster_002")
    again = Store.open(store.path, writable=True)
    assert again.volumes.names() == ["cluster_001"] and not list(store.path.glob(".new-*"))


def test_what_is_no_reconstruction(store):
    with pytest.raises(errors.StoreError, match="expected a Dataset with a volume"):
        store.volumes.write("a", reconstruction().drop_vars("volume"))
    chunk = next(p for p in (store.path / "volumes/cluster_001/image/c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:50])
    with pytest.raises(errors.StoreError, match="damaged"):
        store.volumes.read("cluster_001")
