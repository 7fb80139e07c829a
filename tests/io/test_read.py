"""Every core format: pixels, dimensions and pixel size there and back; damaged files are refused by name."""

import warnings

import numpy as np
import pytest
import tifffile
import xarray as xr
from nanospa import errors, io
from nanospa.io.read import read_file
from numpy.testing import assert_allclose, assert_array_equal

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 60000, (20, 31)).astype(np.uint16)
STACK = RNG.integers(0, 60000, (4, 20, 31)).astype(np.uint16)
CALIBRATED = ["tif", "ome.tif", "mrc", "emd", "h5", "zarr"]


@pytest.mark.parametrize("extension", [*CALIBRATED, "npy", "png"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_image_there_and_back(tmp_path, extension, dtype):
    if extension == "png" and dtype == "float32":
        pytest.skip("a PNG holds no floats")
    path = tmp_path / f"frame.{extension}"
    image = (IMAGE % 251).astype(dtype)
    io.write(image, path, pixel_size_nm=(0.2, 0.25))
    found = io.read(path)
    assert found.dims == ("y", "x") and found.attrs["source"] == path.name
    assert_array_equal(found, image)
    assert found.dtype == dtype or (extension == "mrc" and dtype == "uint8")
    if extension in CALIBRATED:
        assert_allclose(found.attrs["pixel_size_nm"], (0.2, 0.25), rtol=1e-5)
    else:
        assert "pixel_size_nm" not in found.attrs


@pytest.mark.parametrize("extension", [*CALIBRATED, "npy"])
def test_stack_and_its_frames(tmp_path, extension):
    path = tmp_path / f"frames.{extension}"
    io.write(xr.DataArray(STACK, dims=("frame", "y", "x"), attrs={"pixel_size_nm": 0.5}), path)
    found = io.read(path)
    assert found.dims == ("frame", "y", "x")
    assert_array_equal(found, STACK)
    if extension != "npy":
        assert_allclose(found.attrs["pixel_size_nm"], 0.5, rtol=1e-5)
    description = io.describe(path)
    assert description.n_frames == 4 and description.frame_shape == (20, 31) and description.dtype == np.uint16
    assert_array_equal(read_file(path, 2).data, STACK[2])
    with pytest.raises(errors.NanospaError, match=r"frames\."):
        read_file(path, 7)


@pytest.mark.parametrize("extension", ["ome.tif", "mrc", "emd", "zarr"])
def test_volume_there_and_back(tmp_path, extension):
    path = tmp_path / f"volume.{extension}"
    io.write(xr.DataArray(STACK.astype(np.float32), dims=("z", "y", "x"), attrs={"pixel_size_nm": 0.4}), path)
    found = io.read(path)
    assert found.dims == ("z", "y", "x")
    assert_array_equal(found, STACK)


def test_float64_labels_and_big_endian(tmp_path):
    io.write(IMAGE.astype(np.float64), tmp_path / "a.tif")
    assert io.read(tmp_path / "a.tif").dtype == np.float64
    io.write(IMAGE.astype(np.int32), tmp_path / "labels.tif")
    assert_array_equal(io.read(tmp_path / "labels.tif"), IMAGE)
    np.save(tmp_path / "b.npy", IMAGE.astype(">u2"))
    assert_array_equal(io.read(tmp_path / "b.npy"), IMAGE)


@pytest.mark.parametrize(
    ("unit", "factor"), [("nm", 1), ("micron", 1000), ("\\u00B5m", 1000), ("pm", 0.001), ("inch", 2.54e7), ("pixel", None)]
)
def test_imagej_units(tmp_path, unit, factor):
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(path, IMAGE, imagej=True, resolution=(4, 4), metadata={"unit": unit})
    attributes = io.read(path).attrs
    if factor is None:
        assert "pixel_size_nm" not in attributes
    else:
        assert_allclose(attributes["pixel_size_nm"], 0.25 * factor, rtol=1e-5)


def test_printing_resolution_is_no_pixel_size(tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", IMAGE, resolution=(300, 300), resolutionunit="INCH")
    assert "pixel_size_nm" not in io.read(tmp_path / "scan.tif").attrs
    tifffile.imwrite(tmp_path / "sem.tif", IMAGE, resolution=(1e7, 1e7), resolutionunit="CENTIMETER")
    assert_allclose(io.read(tmp_path / "sem.tif").attrs["pixel_size_nm"], 1.0, rtol=1e-5)


def test_colours_become_luminance(tmp_path):
    import imageio.v3 as iio

    colours = RNG.integers(0, 255, (8, 9, 3)).astype(np.uint8)
    iio.imwrite(tmp_path / "colour.png", colours)
    tifffile.imwrite(tmp_path / "colour.tif", colours, photometric="rgb")
    expected = np.rint(colours @ np.array([0.299, 0.587, 0.114]))
    assert_array_equal(io.read(tmp_path / "colour.png"), expected)
    assert_array_equal(io.read(tmp_path / "colour.tif"), expected)
    iio.imwrite(tmp_path / "grey.png", np.repeat(colours[..., :1], 3, axis=2))
    assert_array_equal(io.read(tmp_path / "grey.png"), colours[..., 0])


def test_keyword_beats_the_file_and_a_conflict_warns(tmp_path):
    path = tmp_path / "frame.mrc"
    io.write(IMAGE, path, pixel_size_nm=0.2)
    with pytest.warns(errors.NanospaWarning, match=r"frame\.mrc: pixel_size_nm 0\.3 nm is used, the file says 0\.2"):
        assert io.read(path, pixel_size_nm=0.3).attrs["pixel_size_nm"] == 0.3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert io.read(path, pixel_size_nm=0.201).attrs["pixel_size_nm"] == 0.201
    with pytest.raises(errors.PixelSizeError, match="pixel_size_nm"):
        io.read(path, pixel_size_nm=0)


@pytest.mark.parametrize("extension", ["tif", "ome.tif", "mrc", "npy", "png", "jpg", "emd", "h5"])
@pytest.mark.parametrize("kept", [0, 3, 0.1, 0.5, 0.9])
def test_truncated(tmp_path, extension, kept):
    path = tmp_path / f"frame.{extension}"
    if extension == "jpg":
        import imageio.v3 as iio

        iio.imwrite(path, (IMAGE % 251).astype(np.uint8))
    else:
        io.write(STACK if extension in ("tif", "mrc", "npy") else IMAGE, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(errors.UnreadableFileError, match=f"frame.{extension}"):
        io.read(path)


@pytest.mark.parametrize("extension", ["tif", "mrc", "npy", "png", "jpg", "emd", "h5"])
def test_rubbish(tmp_path, extension):
    path = tmp_path / f"frame.{extension}"
    path.write_bytes(RNG.integers(0, 255, 3000).astype(np.uint8).tobytes())
    with pytest.raises(errors.UnreadableFileError, match=f"frame.{extension}"):
        io.read(path)
    with pytest.raises(errors.UnreadableFileError, match=f"frame.{extension}"):
        io.describe(path)


def test_damaged_ome_zarr_is_refused(tmp_path):
    path = tmp_path / "frame.zarr"
    io.write(IMAGE, path)
    shard = next(p for p in (path / "image" / "c").rglob("*") if p.is_file())
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 0xFF
    shard.write_bytes(bytes(data))
    with pytest.raises(errors.UnreadableFileError, match=r"frame\.zarr"):
        io.read(path)
    shard.write_bytes(bytes(data[: len(data) // 2]))
    with pytest.raises(errors.UnreadableFileError, match=r"frame\.zarr"):
        io.read(path)


def test_missing_and_unknown(tmp_path):
    with pytest.raises(errors.UnreadableFileError, match="no such file"):
        io.read(tmp_path / "absent.tif")
    with pytest.raises(errors.UnknownFormatError, match=r"notes\.docx: expected a file with one of the extensions .*\.tif"):
        io.read(tmp_path / "notes.docx")
    with pytest.raises(errors.UnknownFormatError, match="JPEG is read but not written"):
        io.write(IMAGE, tmp_path / "a.jpg")


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(errors.UnreadableFileError, match=r"objects\.npy"):
        io.read(tmp_path / "objects.npy")


@pytest.mark.parametrize("array", [np.zeros(5), np.zeros((2, 2, 2, 2)), np.zeros((3, 3), complex), np.zeros((0, 4))])
def test_arrays_that_are_no_images(tmp_path, array):
    with pytest.raises((errors.ShapeError, errors.DtypeError, errors.EmptyInputError), match="array"):
        io.write(array, tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", array)
    with pytest.raises((errors.ShapeError, errors.DtypeError, errors.EmptyInputError), match=r"b\.npy"):
        io.read(tmp_path / "b.npy")


def test_hdf5_with_one_dataset_and_with_two(tmp_path):
    import h5py

    with h5py.File(tmp_path / "one.h5", "w") as file:
        file["entry/counts"] = IMAGE
        file["entry/name"] = "text"
    assert_array_equal(io.read(tmp_path / "one.h5"), IMAGE)
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"], file["b"] = IMAGE, IMAGE
    with pytest.raises(errors.UnreadableFileError, match=r"exactly one image dataset.*found 2"):
        io.read(tmp_path / "two.h5")
    with h5py.File(tmp_path / "loop.h5", "w") as file:
        file["group/self"] = h5py.SoftLink("/group")
        file["away"] = h5py.ExternalLink("one.h5", "/entry/counts")
    with pytest.raises(errors.UnreadableFileError, match="found 0"):
        io.read(tmp_path / "loop.h5")
