"""Outlines as COCO and ImageJ ROIs, tables as CSV and Parquet: read back by independent readers."""

import json
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nanospa import errors, io
from numpy.testing import assert_allclose

SQUARE = np.array([[1.5, 2.5], [1.5, 6.5], [4.5, 6.5], [4.5, 2.5]])
TRIANGLE = np.array([[10.0, 10.0], [20.25, 10.0], [10.0, 30.75], [10.0, 10.0]])


def decode_roi(data):
    """Name, slice and points (y, x) of a polygon ROI, straight from the documented byte offsets."""
    assert data[:4] == b"Iout" and data[6] == 0
    top, left, bottom, right, n = struct.unpack_from(">4hH", data, 8)
    assert struct.unpack_from(">h", data, 50)[0] & 128
    at = 64 + 4 * n
    x = np.frombuffer(data, ">f4", n, at)
    y = np.frombuffer(data, ">f4", n, at + 4 * n)
    rough_x = np.frombuffer(data, ">i2", n, 64) + left
    assert np.abs(rough_x - x).max() <= 0.5
    assert top <= y.min() and y.max() <= bottom and left <= x.min() and x.max() <= right
    second = struct.unpack_from(">i", data, 60)[0]
    start, length = struct.unpack_from(">2i", data, second + 16)
    return data[start : start + 2 * length].decode("utf-16-be"), struct.unpack_from(">i", data, 56)[0], np.column_stack([y, x])


def test_imagej_rois(tmp_path):
    path = tmp_path / "rois.zip"
    io.write_imagej_rois(path, [SQUARE, TRIANGLE], ["particle 1", "../../escape µ"], positions=[1, 3])
    with zipfile.ZipFile(path) as archive:
        assert all("/" not in name and name.endswith(".roi") for name in archive.namelist())
        found = [decode_roi(archive.read(name)) for name in archive.namelist()]
    assert [(name, position) for name, position, _ in found] == [("particle 1", 1), ("../../escape µ", 3)]
    assert_allclose(found[0][2], SQUARE + 0.5)
    assert_allclose(found[1][2], TRIANGLE[:3] + 0.5)
    first = path.read_bytes()
    io.write_imagej_rois(path, [SQUARE, TRIANGLE], ["particle 1", "../../escape µ"], positions=[1, 3])
    assert path.read_bytes() == first


@pytest.mark.extras
def test_imagej_rois_read_by_roifile(tmp_path):
    roifile = pytest.importorskip("roifile")
    io.write_imagej_rois(tmp_path / "rois.zip", [SQUARE, TRIANGLE], ["one", "two"], positions=[1, 2])
    found = roifile.roiread(tmp_path / "rois.zip")
    assert [(r.name, r.position) for r in found] == [("one", 1), ("two", 2)]
    assert_allclose(found[0].coordinates(), SQUARE[:, ::-1] + 0.5)
    io.write_imagej_rois(tmp_path / "one.roi", [TRIANGLE], ["t"])
    assert_allclose(roifile.roiread(tmp_path / "one.roi").coordinates(), TRIANGLE[:3, ::-1] + 0.5)


def test_roi_limits(tmp_path):
    with pytest.raises(errors.InvalidValueError, match="32767"):
        io.write_imagej_rois(tmp_path / "a.roi", [SQUARE + 40000], ["far"])
    with pytest.raises(errors.UnknownFormatError, match=r"\.zip"):
        io.write_imagej_rois(tmp_path / "a.roi", [SQUARE, SQUARE], ["a", "b"])
    with pytest.raises(errors.ShapeError, match=r"outlines\[0\]"):
        io.write_imagej_rois(tmp_path / "a.roi", [SQUARE[:2]], ["a"])


def test_coco(tmp_path):
    path = tmp_path / "coco.json"
    io.write_coco(path, [SQUARE, TRIANGLE], [0, 1], [("a.tif", 40, 50), ("b.tif", 40, 50)], scores=[0.5, np.nan])
    document = json.loads(path.read_text())
    assert [i["file_name"] for i in document["images"]] == ["a.tif", "b.tif"]
    first, second = document["annotations"]
    # A square of 3 × 4 pixels whose corners lie between pixels.
    assert first["bbox"] == [3.0, 2.0, 4.0, 3.0] and first["area"] == 12.0 and first["score"] == 0.5
    assert first["segmentation"] == [[3.0, 2.0, 7.0, 2.0, 7.0, 5.0, 3.0, 5.0]]
    assert second["image_id"] == 2 and "score" not in second
    assert {a["image_id"] for a in document["annotations"]} <= {i["id"] for i in document["images"]}
    with pytest.raises(errors.InvalidValueError, match="frames"):
        io.write_coco(path, [SQUARE], [3], [("a.tif", 40, 50)])


def test_tables(tmp_path):
    table = xr.Dataset(
        {
            "area_px": ("particle", [1.5, 2.5]),
            "touches_border": ("particle", [True, False]),
            "radial_profile": (("particle", "radius"), np.eye(2)),
        }
    )
    for name in ("t.csv", "t.parquet"):
        io.write_table(table, tmp_path / name)
    for found in (pd.read_csv(tmp_path / "t.csv"), pd.read_parquet(tmp_path / "t.parquet")):
        assert list(found) == ["area_px", "touches_border", "radial_profile_0", "radial_profile_1"]
        assert found["area_px"].tolist() == [1.5, 2.5]
    with pytest.raises(errors.UnknownFormatError, match=r"\.csv or \.parquet"):
        io.write_table(table, tmp_path / "t.xlsx")
