"""Clusters to volumes in a store: which particles, resume, failures, truth; the reconstruction itself is a stand-in."""

import shutil

import dask
import nanospa as ns
import numpy as np
import pytest
from nanospa import errors, pipeline
from nanospa.io.store import Store
from nanospa.simulate.shapes import SHAPES
from numpy.testing import assert_allclose, assert_array_equal

from tests.pipeline import reconstruct_stand_in
from tests.pipeline.conftest import CLUSTER, SEGMENT, SIMULATE, snapshot

RECONSTRUCT = {"min_images": 3, "n_starts": 4, "box_px": 48}
SETTINGS = {"simulate": {**SIMULATE, "n_particles": 6}, "segment": SEGMENT, "cluster": CLUSTER, "reconstruct": RECONSTRUCT}
BEFORE = ("input", "segment", "measure", "cluster")


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch):
    monkeypatch.setattr(ns.reconstruct, "reconstruct", reconstruct_stand_in.reconstruct)


@pytest.fixture(scope="module")
def clustered(tmp_path_factory):
    """A store with clusters and no volume, to copy."""
    path = tmp_path_factory.mktemp("clustered") / "run.zarr"
    pipeline.run(SETTINGS, path, scheduler="sync", stages=BEFORE)
    return path


@pytest.fixture
def store(clustered, tmp_path):
    shutil.copytree(clustered, tmp_path / "run.zarr")
    return tmp_path / "run.zarr"


def reconstruct(store, settings=SETTINGS, **options):
    return pipeline.reconstruct(store, settings, scheduler="sync", **options)


def test_volumes_rows_and_columns(store):
    shares = []
    summary = reconstruct(store, progress=lambda *told: shares.append(told))
    assert summary.exit_code == 0 and summary.n_done == {"reconstruct": 2} and summary.n_skipped == {"reconstruct": 0}
    assert shares[0] == ("reconstruct", 0, 2, 0) and shares[-1] == ("reconstruct", 2, 2, 0)
    assert [told[1] for told in shares] == sorted(told[1] for told in shares) and len(shares) == 2 + 2 * 5 - 1
    tree = ns.open(store)
    particles = tree["particles"].to_dataset()
    for row in summary.reconstructions:
        rows = np.flatnonzero((particles["cluster"] == row["cluster"]) & ~particles["touches_border"] & ~particles["duplicate"])
        assert row["n_left_out"] == (particles["cluster"] == row["cluster"]).sum() - rows.size
        found = pipeline.read_reconstruction(store, row["cluster"])
        assert_array_equal(found["particle"], rows)
        box = found.sizes["x"]
        assert found["images"].shape == (rows.size, box, box) and box <= 48 and found.attrs["pixel_size_nm"] >= 0.4
        volumes = reconstruct_stand_in.VOLUME_NM3 * found["scale"].values ** 3
        assert_allclose(particles["volume_nm3"][rows], volumes)
        assert_allclose(particles["size_scale"][rows], found["scale"])
        assert row["mean_volume_nm3"] == pytest.approx(volumes.mean()) and row["n_images"] == rows.size
        assert row["verdict"] == "confident" and row["flags"] == "" and np.isnan(row["resolution_05_nm"]) and row["box_px"] == box
    assert particles["volume_nm3"].attrs["units"] == "nm^3"
    assert np.isnan(particles["volume_nm3"].values[particles["touches_border"].values]).all()
    assert summary.as_dict()["reconstructions"][0]["name"] == "cluster_000"


def test_whole_runs_reconstruct(tmp_path):
    summary = pipeline.run(SETTINGS, tmp_path / "run.zarr", scheduler="sync")
    assert summary.n_done["reconstruct"] == 2 and len(summary.reconstructions) == 2
    before = snapshot(tmp_path / "run.zarr")
    again = pipeline.run(SETTINGS, tmp_path / "run.zarr", scheduler="sync")
    assert again.n_done["reconstruct"] == 0 and again.n_skipped["reconstruct"] == 2
    assert snapshot(tmp_path / "run.zarr") == before
    none = pipeline.run({**SETTINGS, "reconstruct": {"clusters": "none"}}, tmp_path / "run.zarr", scheduler="sync")
    assert none.n_done["reconstruct"] == 0 and none.reconstructions == ()
    store = Store.open(tmp_path / "run.zarr")
    assert store.volumes.names() == [] and "volume_nm3" not in store.read_table("particles")


def test_the_same_whatever_the_scheduler(store, clustered, tmp_path):
    distributed = pytest.importorskip("distributed")
    reconstruct(store)
    shutil.copytree(clustered, tmp_path / "dask.zarr")
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            pipeline.reconstruct(tmp_path / "dask.zarr", SETTINGS, scheduler=client)
    assert snapshot(tmp_path / "dask.zarr") == snapshot(store)


def test_changed_settings_repeat_it_and_nothing_else(store):
    reconstruct(store)
    changed = {**SETTINGS, "reconstruct": {**RECONSTRUCT, "seed": 1}}
    summary = pipeline.run(changed, store, scheduler="sync")
    assert {stage for stage, n in summary.n_done.items() if n} == {"reconstruct"}
    one = {**SETTINGS, "reconstruct": {**RECONSTRUCT, "seed": 1, "symmetries": {1: "D4"}}}
    summary = pipeline.run(one, store, scheduler="sync")
    assert summary.n_done["reconstruct"] == 1 and summary.n_skipped["reconstruct"] == 1
    assert [row["symmetry"] for row in summary.reconstructions] == ["O", "D4"]
    kept = Store.open(store).attributes["settings"]["reconstruct"]
    assert kept["symmetries"] == {"1": "D4"} and kept["seed"] == 1
    # The store's own settings say the same when nothing is given.
    assert pipeline.reconstruct(store, scheduler="sync").n_done == {"reconstruct": 0}


def test_other_clusters_make_other_volumes(store):
    reconstruct(store)
    other = {**SETTINGS, "cluster": {**CLUSTER, "options": {"n_clusters": 3}}}
    pipeline.run(other, store, scheduler="sync")
    fresh = store.with_name("fresh.zarr")
    pipeline.run(other, fresh, scheduler="sync")
    assert snapshot(store) == snapshot(fresh)
    # Fewer clusters than before: what is left over goes.
    pipeline.run(SETTINGS, store, scheduler="sync")
    assert Store.open(store).volumes.names() == ["cluster_000", "cluster_001"]
    assert Store.open(store).journal.entries("reconstruct").size == 2


def test_a_cluster_of_other_particles_loses_its_volume(store):
    reconstruct(store)
    opened = Store.open(store, writable=True)
    labels = opened.read_table("particles")["cluster"].values.copy()
    labels[opened.volumes.read("cluster_001")["particle"].values[0]] = -1
    opened.write_column("particles", "cluster", labels, units="1")
    summary = reconstruct(store, clusters=[0])
    assert summary.n_done == {"reconstruct": 0} and summary.n_skipped == {"reconstruct": 1}
    assert Store.open(store).volumes.names() == ["cluster_000"]
    assert [row["cluster"] for row in summary.reconstructions] == [0]
    assert reconstruct(store).n_done == {"reconstruct": 1}


def test_too_few_images(store):
    settings = {**SETTINGS, "reconstruct": {"min_images": 50}}
    summary = reconstruct(store, settings)
    assert summary.exit_code == 0 and summary.n_done == {"reconstruct": 2}
    for row in summary.reconstructions:
        assert row["verdict"] == "under-determined" and row["flags"] == "under_determined" and row["name"] == ""
        assert np.isnan(row["volume_nm3"]) and row["n_images"] > 3
    assert Store.open(store).volumes.names() == [] and "volume_nm3" not in Store.open(store).read_table("particles")
    assert reconstruct(store, settings).n_skipped == {"reconstruct": 2}


def test_one_cluster_fails(store, monkeypatch):
    def failing(images, *, seed, **options):
        if len(images) == sizes[1]:
            raise errors.InvalidValueError("images: all alike")
        return reconstruct_stand_in.reconstruct(images, seed=seed, **options)

    sizes = [row["n_images"] for row in reconstruct(store, {**SETTINGS, "reconstruct": {"min_images": 50}}).reconstructions]
    assert sizes[0] != sizes[1]
    monkeypatch.setattr(ns.reconstruct, "reconstruct", failing)
    summary = reconstruct(store)
    assert summary.exit_code == 3 and summary.n_done == {"reconstruct": 1}
    assert [(f.stage, f.item, f.source, f.kind) for f in summary.failed] == [("reconstruct", 1, "cluster_001", "invalid_value")]
    assert [row["verdict"] for row in summary.reconstructions] == ["confident", "failed"]
    assert Store.open(store).volumes.names() == ["cluster_000"]
    monkeypatch.setattr(ns.reconstruct, "reconstruct", reconstruct_stand_in.reconstruct)
    summary = reconstruct(store)
    assert summary.exit_code == 0 and summary.n_done == {"reconstruct": 1} and summary.n_skipped == {"reconstruct": 1}


@pytest.mark.parametrize("at", [0.5, 1, 1.75])
def test_interrupted_and_resumed(store, clustered, tmp_path, at):
    def interrupt(stage, done, total, failed):
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconstruct(store, progress=interrupt)
    summary = reconstruct(store)
    assert summary.n_skipped["reconstruct"] == int(at)
    shutil.copytree(clustered, tmp_path / "whole.zarr")
    reconstruct(tmp_path / "whole.zarr")
    assert snapshot(store) == snapshot(tmp_path / "whole.zarr")


def test_what_cannot_start(store, tmp_path):
    before = snapshot(store)
    with pytest.raises(errors.InvalidValueError, match=r"clusters: expected clusters of the store \(0 … 1\), found 7"):
        reconstruct(store, clusters=[0, 7])
    with pytest.raises(errors.SettingsError, match=r"reconstruct\.symmetry: .*found 'OH'"):
        reconstruct(store, {"reconstruct": {"symmetry": "Oh"}})
    with pytest.raises(errors.StoreError, match="no such store"):
        reconstruct(tmp_path / "absent.zarr")
    assert snapshot(store) == before
    del Store.open(store, writable=True).root["particles/cluster"]
    with pytest.raises(errors.StoreError, match="run cluster first"):
        reconstruct(store)


def test_without_a_pixel_size(frames, tmp_path):
    settings = {"segment": SEGMENT, "cluster": CLUSTER, "reconstruct": RECONSTRUCT}
    summary = pipeline.run(settings, tmp_path / "run.zarr", images=[frame.image for frame in frames], scheduler="sync")
    assert summary.exit_code == 0 and {row["verdict"] for row in summary.reconstructions} == {"not tried"}
    assert any("cluster_000 was not reconstructed: the pixel size of its frames is unknown" in text for text in summary.warnings)


def test_truth_beside_it(store):
    summary = reconstruct(store)
    opened = Store.open(store)
    truth, particles = opened.read_table("truth").to_dataframe(), opened.read_table("particles", ("frame", "label")).to_dataframe()
    for row in summary.reconstructions:
        members = pipeline.read_reconstruction(store, row["cluster"])["particle"].values
        mine = particles.iloc[members].merge(truth, left_on=["frame", "label"], right_on=["frame", "found_label"])
        counts = mine["population"].value_counts()
        assert counts[row["truth_population"]] == counts.max() and row["truth_share"] == counts.max() / members.size
        volumes = []
        for _, each in mine.iterrows():
            stretch = tuple(each[f"stretch_{axis}"] for axis in "xyz")
            kind = each["shape"], each["shape_parameter"] if SHAPES[each["shape"]].parameter else None
            thickness = ns.simulate.particle(kind[0], size_nm=each["size_nm"], pixel_size_nm=0.25, shape_parameter=kind[1], stretch=stretch)
            volumes.append(thickness.sum() * 0.25**2)
        assert row["truth_volume_nm3"] == pytest.approx(np.mean(volumes), rel=0.01)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_true_volume_of_every_shape(shape):
    import pandas as pd
    from nanospa.pipeline.reconstruction_truth import true_volumes

    stretch = {"stretch_x": [1.1], "stretch_y": [0.9], "stretch_z": [1.2]}
    row = {"shape": [shape], "shape_parameter": [SHAPES[shape].default], "size_nm": [12.0], **stretch}
    turned = ns.simulate.random_rotation(np.random.default_rng(0))
    thickness = ns.simulate.particle(shape, size_nm=12.0, pixel_size_nm=0.2, stretch=(1.1, 0.9, 1.2), rotation=turned)
    assert true_volumes(pd.DataFrame(row).to_xarray())[0] == pytest.approx(thickness.sum() * 0.2**2, rel=5e-3)
