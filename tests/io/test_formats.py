"""The table of formats, formats of outside packages, and files through the ``em`` extra."""

import sys

import numpy as np
import pytest
from nanospa import errors, io
from nanospa.io.formats import TABLE
from numpy.testing import assert_allclose, assert_array_equal

module = sys.modules["nanospa.io.formats"]


def test_an_extension_stands_once():
    extensions = [e for row in TABLE for e in row.extensions]
    assert len(extensions) == len(set(extensions))


def test_core_formats_import_nothing_of_an_extra():
    assert {row.name for row in TABLE if row.extra is None} >= {"TIFF", "MRC", "NPY", "PNG", "JPEG", "EMD/HDF5", "OME-Zarr"}


@pytest.mark.parametrize("extension", ["dm3", "dm4", "ser", "hspy"])
def test_missing_extra_is_named(tmp_path, monkeypatch, extension):
    monkeypatch.setitem(sys.modules, "rsciio", None)
    path = tmp_path / f"frame.{extension}"
    path.write_bytes(b"x" * 100)
    with pytest.raises(errors.MissingExtraError, match=r"nanospa\[em\]"):
        io.read(path)


def test_velox_emd_without_the_extra(tmp_path, monkeypatch):
    import h5py

    with h5py.File(tmp_path / "velox.emd", "w") as file:
        file["Data/Image/0/Data"] = np.zeros((4, 4, 1))
    monkeypatch.setitem(sys.modules, "rsciio", None)
    with pytest.raises(errors.MissingExtraError, match=r"Velox EMD.*nanospa\[em\]"):
        io.read(tmp_path / "velox.emd")


def test_formats_of_other_packages(tmp_path, monkeypatch):
    class Point:
        name = "Raw"

        def load(self):
            return io.Format("Raw", (".raw4",), "nanospa.io.npy", writes=True)

    monkeypatch.setattr(module, "entry_points", lambda group: [Point()] if group == "nanospa.formats" else [])
    np.save(tmp_path / "a.npy", np.arange(12).reshape(3, 4))
    (tmp_path / "a.npy").rename(tmp_path / "a.raw4")
    assert_array_equal(io.read(tmp_path / "a.raw4"), np.arange(12).reshape(3, 4))
    assert "Raw" in set(io.formats()["name"])
    assert [p.name for p in io.frame_paths(tmp_path)] == ["a.raw4"]
    monkeypatch.setattr(Point, "load", lambda self: "no format")
    with pytest.raises(errors.InvalidValueError, match=r"'Raw'.*expected a nanospa\.io\.Format"):
        io.formats()


@pytest.mark.extras
@pytest.mark.parametrize(
    ("name", "shape", "size"), [("JEOL_HAADF_Image.dm4", (112, 112), 1.249), ("SiO2_HAADF_Image.hspy", (128, 128), 8.552)]
)
def test_microscopes_own_files(shared_data, name, shape, size):
    pytest.importorskip("rsciio")
    image = io.read(shared_data / "epsic_haadf" / name)
    assert image.shape == shape
    assert_allclose(image.attrs["pixel_size_nm"], size, rtol=1e-3)


@pytest.mark.extras
@pytest.mark.parametrize("kept", [0, 100, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["JEOL_HAADF_Image.dm4", "SiO2_HAADF_Image.hspy"])
def test_truncated_microscope_files(shared_data, tmp_path, name, kept):
    pytest.importorskip("rsciio")
    whole = (shared_data / "epsic_haadf" / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else kept])
    with pytest.raises(errors.UnreadableFileError, match=name):
        io.read(path)


@pytest.mark.extras
def test_a_spectrum_image_is_no_frame(shared_data):
    pytest.importorskip("rsciio")
    with pytest.raises(errors.UnreadableFileError, match="expected an image or a stack of images"):
        io.read(shared_data / "epsic_haadf" / "SiO2_EDS_Spectrum_Image.hspy")


@pytest.mark.extras
def test_hspy_written_here(tmp_path):
    hspy = pytest.importorskip("rsciio.hspy")
    image = np.arange(30.0).reshape(5, 6)
    axes = [
        {"name": n, "scale": s, "units": "µm", "size": k, "offset": 0.0, "navigate": False, "index_in_array": i, "_type": "UniformDataAxis"}
        for i, (n, s, k) in enumerate([("y", 0.002, 5), ("x", 0.001, 6)])
    ]
    hspy.file_writer(
        str(tmp_path / "a.hspy"),
        {
            "data": image,
            "axes": axes,
            "metadata": {"General": {"title": "t"}},
            "original_metadata": {},
            "package_info": {},
            "learning_results": {},
            "models": {},
            "attributes": {"_lazy": False},
            "tmp_parameters": {},
        },
    )
    found = io.read(tmp_path / "a.hspy")
    assert_array_equal(found, image)
    assert_allclose(found.attrs["pixel_size_nm"], (2.0, 1.0))
