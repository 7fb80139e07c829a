"""The main job: right results, resume, changed settings, corrections, failures."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from nanospa import errors, io
from nanospa.io.store import Store
from nanospa.pipeline import Settings
from numpy.testing import assert_allclose, assert_array_equal

from tests.pipeline.conftest import CLUSTER, SEGMENT, snapshot


def run(settings, store, **options):
    return ns.pipeline.run(settings, store, scheduler="sync", **options)


def test_equals_a_plain_loop(settings, frames, tmp_path):
    summary = run(settings, tmp_path / "run.zarr")
    assert summary.exit_code == 0 and summary.n_frames == 4
    assert summary.n_done == {"input": 4, "segment": 4, "measure": 4, "images": 1, "cluster": 1, "reconstruct": 2}
    tree = ns.open(tmp_path / "run.zarr")
    chosen = Settings.from_mapping(settings)
    tables, labels = [], []
    for i, frame in enumerate(frames):
        assert_array_equal(tree["frames/stack_000/image"][i], frame.image)
        assert_array_equal(tree["frames/stack_000/labels/truth/image"][i], frame.labels)
        labels.append(ns.segment.segment(frame.image, settings=chosen.segment))
        assert_array_equal(tree["frames/stack_000/labels/particles/image"][i], labels[-1])
        tables.append(ns.measure.measure(frame.image, labels[-1], pixel_size_nm=0.4))
    loop = xr.concat(tables, "particle")
    found = tree["particles"].to_dataset()
    assert summary.n_particles == found.sizes["particle"] == loop.sizes["particle"] > 8
    assert_array_equal(found["frame"], np.repeat(np.arange(4), [t.sizes["particle"] for t in tables]))
    for name in loop.data_vars:
        assert_array_equal(found[name], loop[name], err_msg=str(name))
        assert found[name].attrs["units"] == loop[name].attrs["units"]
    assert set(np.unique(found["cluster"])) <= {-1, 0, 1} and summary.n_clusters == 2
    box = tree["particle_images/image"].shape[1]
    cuts = np.concatenate([ns.measure.particle_images(f.image, each, box_px=box) for f, each in zip(frames, labels, strict=True)])
    assert_array_equal(tree["particle_images/image"], cuts)
    figures = ns.measure.population(found["equivalent_diameter_nm"].values[~found["touches_border"].values])
    assert_allclose(tree["population"]["D50"].sel(weights="number"), figures["D50"])
    assert tree["frame_table/n_particles"].values.tolist() == [t.sizes["particle"] for t in tables]


def test_truth_is_compared(settings, frames, tmp_path):
    summary = run(settings, tmp_path / "run.zarr")
    chosen = Settings.from_mapping(settings)
    iou = np.concatenate([ns.simulate.match(f.labels, ns.segment.segment(f.image, settings=chosen.segment)).iou for f in frames])
    assert summary.truth["n_true"] == iou.size
    assert summary.truth["found_fraction"] == pytest.approx((iou > 0.5).mean())
    assert summary.truth["mean_iou"] == pytest.approx(iou[iou > 0.5].mean())
    assert summary.truth["found_fraction"] > 0.5
    truth = Store.open(tmp_path / "run.zarr").read_table("truth")
    assert {"population", "size_nm", "frame", "iou", "found_label"} <= set(truth)
    assert truth.sizes["particle"] == sum(f.labels.max() for f in frames)
    assert ns.open(tmp_path / "run.zarr").attrs["nanospa"]["truth"] == summary.truth


def test_again_does_nothing_and_changes_nothing(settings, tmp_path):
    run(settings, tmp_path / "run.zarr")
    before = snapshot(tmp_path / "run.zarr")
    summary = run(settings, tmp_path / "run.zarr")
    assert not any(summary.n_done.values()) and summary.n_skipped["measure"] == 4
    assert snapshot(tmp_path / "run.zarr") == before


@pytest.mark.parametrize(
    ("section", "change", "again"),
    [
        ("simulate", {"seed": 1}, ["input", "segment", "measure", "images", "cluster", "reconstruct"]),
        ("segment", {"min_area_px": 60}, ["segment", "measure", "images", "cluster", "reconstruct"]),
        ("measure", {"radial_bins": 8}, ["measure", "images", "cluster", "reconstruct"]),
        ("measure", {"masked": False}, ["images"]),
        ("cluster", {"seed": 5}, ["cluster"]),
        ("reconstruct", {"min_images": 30}, ["reconstruct"]),
    ],
)
def test_a_changed_setting_repeats_what_depends_on_it(settings, tmp_path, section, change, again):
    run(settings, tmp_path / "run.zarr")
    changed = {**settings, section: {**settings.get(section, {}), **change}}
    summary = run(changed, tmp_path / "run.zarr")
    assert [stage for stage, n in summary.n_done.items() if n] == again
    run(changed, tmp_path / "fresh.zarr")
    if section != "simulate":
        fresh, found = snapshot(tmp_path / "fresh.zarr"), snapshot(tmp_path / "run.zarr")
        assert found == fresh


@pytest.mark.parametrize("stop", [("input", 2), ("segment", 1), ("segment", 4), ("measure", 3), ("images", 1), ("cluster", 0)])
def test_interrupted_and_resumed(settings, tmp_path, stop):
    def interrupt(stage, done, total, failed):
        if (stage, done) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(settings, tmp_path / "run.zarr", progress=interrupt)
    summary = run(settings, tmp_path / "run.zarr")
    assert summary.exit_code == 0 and (summary.n_skipped["input"] == 2 or stop[0] != "input")
    run(settings, tmp_path / "whole.zarr")
    assert snapshot(tmp_path / "run.zarr") == snapshot(tmp_path / "whole.zarr")


def test_files_stacks_and_added_files(folder, frames, tmp_path):
    settings = {"segment": SEGMENT, "cluster": CLUSTER}
    summary = run(settings, tmp_path / "run.zarr", images=folder / "frame*.tif")
    assert summary.n_frames == 2
    table = Store.open(tmp_path / "run.zarr").read_table("frame_table")
    assert [s.rsplit("/", 1)[-1] for s in table["source"].values] == ["frame2.tif", "frame10.tif"]
    assert_allclose(table["pixel_size_y_nm"], 0.4, rtol=1e-6)
    summary = run(settings, tmp_path / "run.zarr", images=[folder])
    assert summary.n_frames == 4 and summary.n_done["input"] == 2 and summary.n_skipped["segment"] == 2
    tree = ns.open(tmp_path / "run.zarr")
    assert_array_equal(tree["frames/stack_000/image"][:2], np.stack([f.image for f in frames[:2]]))
    found = tree["frame_table"].to_dataset()
    last = {(str(s), int(i)) for s, i in zip(found["stack"].values, found["index"].values, strict=True)}
    assert len(last) == 4
    # The store alone, without naming the files again.
    summary = ns.pipeline.run(None, tmp_path / "run.zarr", scheduler="sync", stages=["measure"])
    assert summary.n_frames == 4 and summary.n_done == {"measure": 0, "images": 0}


def test_frames_of_different_shape_are_two_stacks(folder, tmp_path):
    io.write(np.pad(io.read(folder / "frame2.tif").to_numpy(), 8), folder / "wide.tif", pixel_size_nm=0.4)
    summary = run({"segment": SEGMENT, "cluster": CLUSTER}, tmp_path / "run.zarr", images=folder)
    assert summary.exit_code == 0 and summary.n_frames == 5
    shapes = {s.shape: s.n_frames for s in Store.open(tmp_path / "run.zarr").stacks}
    assert shapes == {(192, 192): 4, (208, 208): 1} or sum(shapes.values()) == 5
    assert any("several stacks" in text for text in summary.warnings)


def test_arrays_in(frames, tmp_path):
    images = xr.DataArray(np.stack([f.image for f in frames]), dims=("frame", "y", "x"), attrs={"pixel_size_nm": 0.4})
    settings = {"segment": SEGMENT, "cluster": CLUSTER}
    summary = run(settings, tmp_path / "run.zarr", images=images)
    assert summary.n_frames == 4 and summary.n_particles > 8
    assert "area_nm2" in ns.open(tmp_path / "run.zarr")["particles"]
    assert run(settings, tmp_path / "run.zarr", images=images).n_done["input"] == 0
    lists = run(settings, tmp_path / "list.zarr", images=[frames[0].image, frames[1].image[:150]])
    assert lists.n_frames == 2 and any("pixel size is unknown" in text for text in lists.warnings)
    assert "area_nm2" not in ns.open(tmp_path / "list.zarr")["particles"]
    with pytest.raises(errors.StoreError, match=r"would mix frames given as arrays with others; give another --store"):
        run(settings, tmp_path / "run.zarr", images=images[:2])


def test_corrected_labels_win_and_survive(settings, tmp_path):
    path = tmp_path / "run.zarr"
    before = run(settings, path)
    store = Store.open(path, writable=True)
    store.stacks.ensure_labels("stack_000", "particles_corrected")
    corrected = np.zeros((192, 192), np.int32)
    corrected[20:40, 30:50], corrected[100:110, 100:120] = 5, 9
    store.stacks.write("stack_000", 1, corrected, "particles_corrected")
    automatic = store.stacks.read("stack_000", 1, "particles")
    summary = run(settings, path)
    assert summary.n_done["segment"] == 0 and summary.n_done["measure"] == 1 and summary.n_done["cluster"] == 1
    table = Store.open(path).read_table("particles")[["frame", "area_px"]].to_dataframe()
    mine = table[table["frame"] == 1]
    assert mine["area_px"].tolist() == [400, 200]
    assert summary.n_particles == before.n_particles - automatic.max() + 2
    assert Store.open(path).read_table("frame_table")["corrected"].values.tolist() == [False, True, False, False]
    # New settings segment anew, and what was edited by hand stays.
    summary = run({**settings, "segment": {**SEGMENT, "min_area_px": 80}}, path)
    assert summary.n_done["segment"] == 4
    assert_array_equal(Store.open(path).stacks.read("stack_000", 1, "particles_corrected"), corrected)
    table = Store.open(path).read_table("particles")[["frame", "area_px"]].to_dataframe()
    assert table[table["frame"] == 1]["area_px"].tolist() == [400, 200]


def test_one_bad_file_costs_no_other(folder, frames, tmp_path):
    whole = (folder / "frame10.tif").read_bytes()
    (folder / "frame10.tif").write_bytes(whole[:1000])
    np.save(folder / "nan.npy", np.where(np.eye(192), np.nan, 1.0))
    np.save(folder / "complex.npy", np.zeros((8, 8), complex))
    np.save(folder / "line.npy", np.zeros(8))
    settings = {"segment": SEGMENT, "cluster": CLUSTER}
    summary = run(settings, tmp_path / "run.zarr", images=folder)
    assert summary.exit_code == 3
    found = {f.source.rsplit("/", 1)[-1]: f.kind for f in summary.failed}
    assert found == {"frame10.tif": "unreadable_file", "nan.npy": "non_finite", "complex.npy": "dtype", "line.npy": "shape"}
    assert "nan.npy: expected finite pixels, found nan at (0, 0)" in next(f.message for f in summary.failed if f.kind == "non_finite")
    status = Store.open(tmp_path / "run.zarr").read_table("status")
    assert sorted(status["kind"].values) == sorted(found.values())
    particles = Store.open(tmp_path / "run.zarr").read_table("particles")
    assert particles.sizes["particle"] > 5 and not any("failed" in text for text in summary.warnings)
    # The file comes back whole: the rest of the work is done, and nothing else.
    (folder / "frame10.tif").write_bytes(whole)
    for name in ("nan.npy", "complex.npy", "line.npy"):
        (folder / name).unlink()
    summary = run(settings, tmp_path / "run.zarr", images=folder)
    kinds = {f.kind for f in summary.failed}
    assert summary.n_done["input"] == 1 and summary.n_done["measure"] >= 1 and kinds == {"unreadable_file"}


def test_nothing_usable(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0rubbish")
    summary = run({"segment": SEGMENT}, tmp_path / "run.zarr", images=tmp_path / "a.tif")
    assert summary.exit_code == 1 and summary.failed[0].kind == "unreadable_file"


def test_constant_image_is_a_warning(tmp_path):
    np.save(tmp_path / "flat.npy", np.full((64, 64), 7, np.uint16))
    summary = run({"segment": SEGMENT}, tmp_path / "run.zarr", images=tmp_path / "flat.npy")
    assert summary.exit_code == 0 and summary.n_particles == 0
    assert any("frame 0 (flat.npy): all pixels are 7" in text for text in summary.warnings)
    assert any("no clusters" in text for text in summary.warnings)
    assert ns.open(tmp_path / "run.zarr")["particles"].sizes["particle"] == 0


def test_what_cannot_start_leaves_nothing(settings, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.EmptyInputError, match="expected a folder with image files"):
        run({"segment": SEGMENT}, tmp_path / "run.zarr", images=tmp_path / "empty")
    with pytest.raises(errors.EmptyInputError, match="images: expected files, a folder, a pattern, arrays or a simulation"):
        run({"segment": SEGMENT}, tmp_path / "run.zarr")
    with pytest.raises(
        errors.UnknownNameError, match="stages: expected names of input, segment, measure, cluster, reconstruct, found 'mesure'"
    ):
        run(settings, tmp_path / "run.zarr", stages=["mesure"])
    with pytest.raises(errors.StoreError, match="no such store"):
        run(settings, tmp_path / "run.zarr", stages=["measure"])
    for scheduler in ("locale", "local:0", "local:x"):
        with pytest.raises(errors.NanospaError, match="scheduler"):
            ns.pipeline.run(settings, tmp_path / "run.zarr", scheduler=scheduler)
    assert not (tmp_path / "run.zarr").exists()


def test_settings_of_stages_that_are_not_run_stay(settings, tmp_path):
    run(settings, tmp_path / "run.zarr")
    other = {"segment": {"clear_border": True}, "cluster": {**CLUSTER, "seed": 9}}
    run(other, tmp_path / "run.zarr", stages=["cluster"])
    kept = Store.open(tmp_path / "run.zarr").attributes["settings"]
    assert kept["cluster"]["seed"] == 9 and kept["simulate"]["n_frames"] == 4 and not kept["segment"]["clear_border"]
    assert not any(run(None, tmp_path / "run.zarr").n_done.values())


def test_stages_in_the_wrong_order(settings, tmp_path):
    run(settings, tmp_path / "run.zarr", stages=["input"])
    with pytest.raises(errors.StoreError, match="run segment first"):
        run(settings, tmp_path / "run.zarr", stages=["measure"])
    with pytest.raises(errors.StoreError, match="run measure first"):
        run(settings, tmp_path / "run.zarr", stages=["cluster"])


def test_a_store_of_another_schema_or_kind_is_left_alone(settings, tmp_path):
    path = tmp_path / "run.zarr"
    run(settings, path)
    before = snapshot(path)
    with pytest.raises(errors.StoreError, match="would mix simulated frames with others"):
        run({**settings, "simulate": {**settings["simulate"], "n_frames": 2}}, path)
    assert snapshot(path) == before
    Store.open(path, writable=True).set_attributes(schema_version=0)
    with pytest.raises(errors.StoreSchemaError, match="found schema 0"):
        run(settings, path)
    assert snapshot(path) == before


def test_a_damaged_shard_fails_its_frame_only(settings, tmp_path):
    path = tmp_path / "run.zarr"
    run(settings, path, stages=["input", "segment"])
    shard = next(p for p in (path / "frames/stack_000/image/c/2").rglob("*") if p.is_file())
    shard.write_bytes(shard.read_bytes()[:100])
    summary = run(settings, path, stages=["measure"])
    assert summary.exit_code == 3
    # The frame itself, and the one after it, whose drift is measured against it.
    assert [(f.item, f.kind) for f in summary.failed] == [(2, "store"), (3, "store")]
