"""Meshes as STL, GLB and OBJ: read back by the formats' byte layout, and by trimesh."""

import json
import struct

import numpy as np
import pytest
from nanospa import errors, io
from numpy.testing import assert_allclose
from skimage.measure import marching_cubes


def ball(radius=8.0, centre=(0.0, 0.0, 0.0), stretch=(1.0, 1.0, 1.0)):
    """Vertices (z, y, x) and faces of an ellipsoid about a centre, half axes (z, y, x)."""
    n = 24
    grid = np.indices((n,) * 3).astype(float) - n // 2
    volume = radius - np.sqrt(sum((axis / s) ** 2 for axis, s in zip(grid, stretch, strict=True)))
    vertices, faces, *_ = marching_cubes(volume, 0.0)
    return vertices - n // 2 + np.asarray(centre), faces


def enclosed(triangles):
    """Volume inside triangles (face, corner, xyz), positive when they face outward."""
    a, b, c = triangles.transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def read_stl(path):
    data = path.read_bytes()
    assert not data.startswith(b"solid")
    (n,) = struct.unpack_from("<I", data, 80)
    rows = np.frombuffer(data, np.dtype([("normal", "<f4", 3), ("places", "<f4", (3, 3)), ("more", "<u2")]), n, 84)
    assert len(data) == 84 + 50 * n
    return rows["normal"], rows["places"].astype(float)


def read_glb(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    n, kind = struct.unpack_from("<I4s", data, 12)
    scene = json.loads(data[20 : 20 + n])
    m, other = struct.unpack_from("<I4s", data, 20 + n)
    assert kind == b"JSON" and other == b"BIN\0" and n % 4 == 0 and m % 4 == 0 and 28 + n + m == len(data)
    binary = data[28 + n :]
    arrays = []
    for accessor in scene["accessors"]:
        view = scene["bufferViews"][accessor["bufferView"]]
        dtype, columns = {5126: "<f4", 5125: "<u4"}[accessor["componentType"]], {"VEC3": 3, "SCALAR": 1}[accessor["type"]]
        part = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        arrays.append(np.frombuffer(part, dtype).reshape(accessor["count"], columns))
    return scene, arrays


# Longest along x, shortest along z: an order of axes that is mixed up shows.
@pytest.mark.parametrize("flip", [False, True])
def test_stl(tmp_path, flip):
    vertices, faces = ball(6.0, centre=(1, 2, 3), stretch=(0.6, 1.0, 1.4))
    io.write_mesh(tmp_path / "a.stl", vertices, faces[:, ::-1] if flip else faces)
    normals, places = read_stl(tmp_path / "a.stl")
    middle = places.reshape(-1, 3).mean(axis=0)
    assert_allclose(np.ptp(places.reshape(-1, 3), axis=0), [16.8, 12.0, 7.2], atol=0.1)
    assert_allclose(middle, [3, 2, 1], atol=0.1)
    assert_allclose(enclosed(places), 4 / 3 * np.pi * 6**3 * 0.6 * 1.4, rtol=0.03)
    # Every normal points away from the middle of a convex body.
    assert ((places.mean(axis=1) - middle) * normals).sum(axis=1).min() > 0


def test_glb(tmp_path):
    vertices, faces = ball(6.0, stretch=(0.6, 1.0, 1.4))
    io.write_mesh(tmp_path / "a.glb", vertices, faces, colour="#E69F00")
    scene, (places, normals, indices) = read_glb(tmp_path / "a.glb")
    assert_allclose(np.ptp(places, axis=0), [16.8, 12.0, 7.2], atol=0.1)
    assert_allclose(scene["accessors"][0]["min"], places.min(axis=0))
    assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert (places * normals).sum(axis=1).min() > 0
    assert enclosed(places.astype(float)[indices.reshape(-1, 3)]) > 0
    assert scene["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"][0] == pytest.approx(0.791, abs=1e-3)
    assert scene["asset"]["extras"]["unit"] == "nm"


def test_obj(tmp_path):
    vertices, faces = ball(6.0)
    io.write_mesh(tmp_path / "a.obj", vertices, faces)
    lines = [line.split() for line in (tmp_path / "a.obj").read_text().splitlines()]
    places = np.array([line[1:] for line in lines if line[0] == "v"], float)
    made = np.array([line[1:] for line in lines if line[0] == "f"], int) - 1
    assert_allclose(places, vertices[:, ::-1], atol=1e-4)
    assert enclosed(places[made]) == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.03)


def test_refuses(tmp_path):
    vertices, faces = ball(6.0)
    with pytest.raises(errors.UnknownFormatError, match=r"\.stl, \.glb or \.obj"):
        io.write_mesh(tmp_path / "a.ply", vertices, faces)
    with pytest.raises(errors.InvalidValueError, match="indices of 3 vertices"):
        io.write_mesh(tmp_path / "a.stl", vertices[:3], faces)
    with pytest.raises(errors.ShapeError, match="vertices"):
        io.write_mesh(tmp_path / "a.stl", vertices[:, :2], faces)
    with pytest.raises(errors.InvalidValueError, match="finite"):
        io.write_mesh(tmp_path / "a.stl", np.where(vertices == vertices.max(), np.nan, vertices), faces)


@pytest.mark.extras
@pytest.mark.parametrize("ending", ["stl", "glb", "obj"])
def test_trimesh_reads_it(tmp_path, ending):
    trimesh = pytest.importorskip("trimesh")
    vertices, faces = ball(6.0, stretch=(0.6, 1.0, 1.4))
    io.write_mesh(tmp_path / f"a.{ending}", vertices, faces)
    found = trimesh.load(tmp_path / f"a.{ending}", force="mesh")
    assert found.is_watertight and found.is_winding_consistent
    assert found.volume == pytest.approx(4 / 3 * np.pi * 6**3 * 0.6 * 1.4, rel=0.03)
