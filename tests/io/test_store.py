"""The store: valid OME-Zarr, readable by plain xarray, atomic tables, a journal, nothing lost."""

import shutil
import warnings

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from nanospa import errors
from nanospa.io import chunks
from nanospa.io.records import decode_record, encode_record, stack_columns
from nanospa.io.store import Store
from numpy.testing import assert_array_equal

RNG = np.random.default_rng(1)


def snapshot(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def store(tmp_path):
    store = Store.create(tmp_path / "run.zarr")
    stack = store.stacks.ensure((40, 50), "uint16", (0.2, 0.25), "HAADF")
    store.stacks.grow(stack.name, 3)
    store.stacks.ensure_labels(stack.name, "particles")
    store.stacks.ensure_labels(stack.name, "particles_corrected")
    for i in range(3):
        store.stacks.write(stack.name, i, np.full((40, 50), i + 1, np.uint16))
        store.stacks.write(stack.name, i, np.full((40, 50), 10 * i, np.int32), "particles")
    table = xr.Dataset(
        {
            "area_nm2": ("particle", np.array([1.5, 2.5, np.nan]), {"units": "nm^2", "long_name": "area"}),
            "population": ("particle", np.array(["Au µ", "", "Pd"], dtype=object)),
            "touches_border": ("particle", np.array([True, False, True])),
            "radial_profile": (("particle", "radius"), np.eye(3, 4)),
        },
        coords={"radius": [0.125, 0.375, 0.625, 0.875]},
    )
    store.write_table("particles", table, digest="1")
    store.write_table("empty", xr.Dataset({"area_px": ("particle", np.zeros(0))}))
    store.journal.ensure("segment", 3)
    store.journal.mark("segment", 1, 2**64 - 3, encode_record({"threshold": 1.5}, {"score": np.ones(2)}))
    return store


def test_valid_ome_zarr(store):
    from ome_zarr_models.v05 import Image
    from ome_zarr_models.v05.image_label import ImageLabel
    from ome_zarr_models.v05.labels import Labels

    group = zarr.open_group(store.path, mode="r")
    image = Image.from_zarr(group["frames/stack_000"])
    axes = image.ome_attributes.multiscales[0].axes
    assert [(a.name, a.type, a.unit) for a in axes] == [("frame", "custom", None), ("y", "space", "nanometer"), ("x", "space", "nanometer")]
    assert image.ome_attributes.multiscales[0].datasets[0].coordinateTransformations[0].scale == [1.0, 0.2, 0.25]
    assert Labels.from_zarr(group["frames/stack_000/labels"]).ome_attributes.labels == ["particles", "particles_corrected"]
    for name in ("particles", "particles_corrected"):
        ImageLabel.from_zarr(group[f"frames/stack_000/labels/{name}"])


def test_the_label_image_finds_its_image(store):
    path = store.path / "frames/stack_000/labels/particles"
    source = zarr.open_group(path, mode="r").attrs["ome"]["image-label"]["source"]["image"]
    assert (path / source).resolve() == (store.path / "frames/stack_000").resolve()


def test_plain_xarray_opens_it(store):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated metadata", RuntimeWarning)
        plain = xr.open_datatree(store.path, engine="zarr")
    tree = ns.open(store.path)
    for opened in (plain, tree):
        assert opened["frames/stack_000/image"].dims == ("frame", "y", "x")
        assert_array_equal(opened["frames/stack_000/image"][1], np.full((40, 50), 2))
        assert opened["frames/stack_000/labels/particles/image"].dtype == np.int32
        assert opened["particles/area_nm2"].attrs["units"] == "nm^2"
        assert_array_equal(opened["particles/area_nm2"], [1.5, 2.5, np.nan])
        assert opened["particles/population"].values.tolist() == ["Au µ", "", "Pd"]
        assert "radius" in opened["particles"].coords
        assert opened["empty"].sizes["particle"] == 0
        assert opened["journal/segment"].values.tolist() == [0, 2**64 - 3, 0]
    assert plain.attrs["nanospa"]["nanospa_version"] == ns.__version__


def test_tables_there_and_back(store):
    found = store.read_table("particles")
    assert_array_equal(found["area_nm2"], [1.5, 2.5, np.nan])
    assert found["touches_border"].dtype == bool and found.attrs["digest"] == "1"
    assert store.tables() == ["empty", "particles"]
    store.write_column("particles", "cluster", np.array([0, -1, 0], np.int32), units="1")
    assert store.read_table("particles")["cluster"].dims == ("particle",)
    with pytest.raises(errors.UnknownNameError, match=r"expected a table 'truth', found empty, particles"):
        store.read_table("truth")


def test_a_replacement_cut_short_is_undone(store):
    before = store.read_table("particles")
    # Killed between the two renames, with another replacement half written.
    (store.path / "particles").rename(store.path / ".old-particles")
    shutil.copytree(store.path / "empty", store.path / ".new-particles")
    again = Store.open(store.path, writable=True)
    xr.testing.assert_identical(again.read_table("particles"), before)
    assert not [p.name for p in store.path.iterdir() if p.name.startswith(".")]
    # Killed after both.
    shutil.copytree(store.path / "empty", store.path / ".old-particles")
    xr.testing.assert_identical(Store.open(store.path, writable=True).read_table("particles"), before)
    assert not [p.name for p in store.path.iterdir() if p.name.startswith(".")]


def test_killed_while_a_stack_grew(store):
    store.root["frames/stack_000/image"].resize((67, 40, 50))
    with pytest.raises(errors.StoreError, match="not of one length"):
        ns.open(store.path)
    again = Store.open(store.path, writable=True)
    assert ns.open(store.path)["frames/stack_000/labels/particles/image"].shape == (67, 40, 50)
    assert_array_equal(again.stacks.read("stack_000", 2, "particles"), np.full((40, 50), 20))


def test_a_reader_waits_for_a_stack_that_grows(store, monkeypatch):
    store.root["frames/stack_000/image"].resize((67, 40, 50))
    monkeypatch.setattr("time.sleep", lambda _: store.stacks.grow("stack_000", 67))
    assert ns.open(store.path)["frames/stack_000/labels/particles/image"].shape[0] == 67


def test_stacks_by_kind(store):
    same = store.stacks.ensure((40, 50), "uint16", (0.2, 0.25), "HAADF")
    assert same.name == "stack_000" and same.n_frames == 3
    others = [((40, 51), "uint16", (0.2, 0.25), "HAADF"), ((40, 50), "float32", (0.2, 0.25), "HAADF"), ((40, 50), "uint16", None, "HAADF")]
    assert [store.stacks.ensure(*kind).name for kind in others] == ["stack_001", "stack_002", "stack_003"]
    assert store.stacks["stack_003"].pixel_size_nm is None
    assert "unit" not in str(store.root["frames/stack_003"].attrs["ome"])
    assert len(list(store.stacks)) == 4


def test_growing_keeps_what_is_there(store):
    store.stacks.grow("stack_000", 5)
    assert_array_equal(store.stacks.read("stack_000", 2), np.full((40, 50), 3))
    assert store.stacks.read("stack_000", 4, "particles").max() == 0
    store.stacks.grow("stack_000", 2)
    assert store.stacks["stack_000"].n_frames == 5
    store.journal.ensure("segment", 5)
    assert store.journal.entries("segment").tolist() == [0, 2**64 - 3, 0, 0, 0]


def test_corrected_frames(store):
    assert store.stacks.corrected("stack_000", 0) is None
    store.stacks.write("stack_000", 0, np.zeros((40, 50), np.int32), "particles_corrected")
    found = store.stacks.corrected("stack_000", 0)
    assert found is not None and found.max() == 0, "an empty correction says: no particles"
    assert store.stacks.corrected("stack_000", 1) is None


@pytest.mark.parametrize("shape", [(3, 40, 50), (2, 600, 1030), (1, 5000, 4097), (4, 1, 1)])
def test_layout(shape):
    chunk, shard = chunks.layout(shape)
    assert all(s % c == 0 for s, c in zip(shard, chunk, strict=True))
    assert chunk == (1, min(512, shape[1]), min(512, shape[2]))
    assert all(s <= 4096 for s in shard) and all(s >= min(n, 4096) for s, n in zip(shard[1:], shape[1:], strict=True))


def test_unaligned_writes_are_refused(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    array = chunks.create_image(group, "image", (2, 1030, 600), "uint16", ("frame", "y", "x"))
    assert array.shards == (1, 1536, 1024)
    whole = RNG.integers(0, 9, (1, 1030, 600)).astype(np.uint16)
    chunks.write_aligned(array, (1, 0, 0), whole)
    assert_array_equal(array[1:], whole)
    for start, block in [((0, 512, 0), whole[:, 512:]), ((0, 0, 0), whole[:, :512]), ((1, 0, 0), whole.repeat(2, 0)), ((-1, 0, 0), whole)]:
        with pytest.raises(errors.InvalidValueError, match="shard boundaries"):
            chunks.write_aligned(array, start, block)
    with pytest.raises(errors.InvalidValueError, match="dtype uint16"):
        chunks.write_aligned(array, (0, 0, 0), whole.astype(np.float32))
    with pytest.raises(errors.ShapeError, match="rank 3"):
        chunks.write_aligned(array, (0, 0), whole[0])


@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_damage_is_noticed(store, damage):
    shard = next(p for p in (store.path / "frames/stack_000/image/c/1").rglob("*") if p.is_file())
    data = bytearray(shard.read_bytes())
    if damage == "flip":
        data[5] ^= 0x10
    shard.write_bytes(bytes(data[: len(data) // 2] if damage == "truncate" else data))
    with pytest.raises(errors.StoreError, match=r"frame 1 of .*image.* is damaged"):
        store.stacks.read("stack_000", 1)
    assert_array_equal(store.stacks.read("stack_000", 0), np.ones((40, 50)))
    store.stacks.write("stack_000", 1, np.full((40, 50), 9, np.uint16))
    assert_array_equal(store.stacks.read("stack_000", 1), np.full((40, 50), 9))


def test_another_schema_is_refused_and_left_alone(store):
    store.set_attributes(schema_version=99)
    before = snapshot(store.path)
    for opening in (Store.ensure, Store.open, ns.open, lambda p: Store.open(p, writable=True)):
        with pytest.raises(errors.StoreSchemaError, match="expected a store of schema 1, found schema 99"):
            opening(store.path)
    assert snapshot(store.path) == before


def test_what_is_no_store(tmp_path):
    with pytest.raises(errors.StoreError, match="no such store"):
        ns.open(tmp_path / "absent.zarr")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    for path in (tmp_path / "folder", tmp_path / "folder" / "notes.txt"):
        before = snapshot(tmp_path)
        with pytest.raises(errors.StoreSchemaError, match="expected a nanospa store"):
            Store.ensure(path)
        assert snapshot(tmp_path) == before
    zarr.open_group(tmp_path / "other.zarr", mode="w", zarr_format=3)
    with pytest.raises(errors.StoreSchemaError, match="without the attribute 'nanospa'"):
        Store.ensure(tmp_path / "other.zarr")
    with pytest.raises(errors.StoreError, match="found something"):
        Store.create(tmp_path / "folder")
    (tmp_path / "damaged.zarr").mkdir()
    (tmp_path / "damaged.zarr" / "zarr.json").write_text("{")
    with pytest.raises(errors.StoreSchemaError, match="expected a nanospa store"):
        ns.open(tmp_path / "damaged.zarr")


def test_read_only(store, unprivileged):
    path = store.path
    for folder in (path.parent, *[p for p in path.rglob("*") if p.is_dir()], path):
        folder.chmod(0o555)
    before = snapshot(path)
    try:
        message = unprivileged(lambda: Store.open(path, writable=True))
        assert message.startswith("StoreError") and "read-only" in message
        message = unprivileged(lambda: Store.create(path.parent / "new.zarr"))
        assert message.startswith("StoreError") and "cannot be created" in message
        assert unprivileged(lambda: Store.open(path).read_table("particles")) == ""
    finally:
        for folder in (path.parent, path, *[p for p in path.rglob("*") if p.is_dir()]):
            folder.chmod(0o755)
    assert snapshot(path) == before


@given(
    st.dictionaries(st.text(max_size=4), st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)),
    st.sampled_from(["float64", "float32", "int32", "uint64", "bool", ">f8"]),
    st.lists(st.floats(width=32), max_size=6),
    st.lists(st.text(max_size=5), max_size=5),
)
def test_records_are_exact(values, dtype, numbers, texts):
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        column = np.array(numbers).astype(dtype)
    found_values, found = decode_record(encode_record(values, {"a": column, "b": np.array(texts, dtype=object), "c": np.ones((2, 3))}))
    assert found_values == values
    assert found["a"].tobytes() == column.astype(column.dtype.newbyteorder("=")).tobytes() and found["a"].dtype.isnative
    assert found["b"].tolist() == texts and found["c"].shape == (2, 3)


def test_records_that_are_damaged_or_unequal():
    for text in ("", "{", "[]", '{"values": {}, "columns": {"a": {"dtype": "O", "shape": [1], "base64": ""}}}'):
        with pytest.raises(errors.StoreError, match="record of the store is damaged"):
            decode_record(text)
    with pytest.raises(errors.DtypeError, match="'z'"):
        encode_record({}, {"z": np.ones(2, complex)})
    stacked = stack_columns([{"a": np.ones(2), "t": np.array(["x", "y"], object)}, {"a": np.zeros(1), "b": np.ones(1, bool)}])
    assert stacked["t"].tolist() == ["x", "y", ""] and stacked["b"].tolist() == [False, False, True]
    assert stack_columns([]) == {}
