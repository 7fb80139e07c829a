"""Triangle meshes as STL, GLB and OBJ files.

References
----------
STL: 3D Systems, *Stereolithography Interface Specification* (1988). GLB: Khronos, glTF 2.0 Specification, section 4.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError, UnknownFormatError

#: glTF's codes: element types, buffer targets.
_FLOAT32, _UINT32, _VERTICES, _INDICES = 5126, 5125, 34962, 34963
#: Turn by -90° about x: glTF's y axis points up where ours is z.
_Z_UP = [-(0.5**0.5), 0.0, 0.0, 0.5**0.5]


def write_mesh(path: str | Path, vertices: Any, faces: Any, *, colour: str = "#9AA3AD") -> None:
    """Write a closed surface for 3D printers and CAD (STL), viewers and slides (GLB) or anything else (OBJ).

    Coordinates in the file are x, y, z in the unit of `vertices`; none of the formats has a place for nm, and a viewer that shows metres
    shows nm. Triangles are turned so that they face outward. GLB has smooth shading and stands z upward.

    Parameters
    ----------
    path : str or Path
        ``.stl``, ``.glb`` or ``.obj`` file.
    vertices : array_like of float, shape (vertex, 3)
        Places z, y, x [nm], as marching cubes gives them.
    faces : array_like of int, shape (face, 3)
        Vertices of each triangle.
    colour : str
        Colour in a GLB file, hexadecimal RGB.

    Raises
    ------
    ShapeError
        The arrays do not have three columns.
    InvalidValueError
        A face names a vertex that is not there, or a place is not finite.
    UnknownFormatError
        Another ending.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import nanospa as ns
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pyramid.stl"
    >>> ns.io.write_mesh(path, [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    >>> path.stat().st_size
    284
    """
    path = Path(path)
    writer = {".stl": _stl, ".glb": _glb, ".obj": _obj}.get(path.suffix.lower())
    if writer is None:
        raise UnknownFormatError(f"{path}: expected .stl, .glb or .obj, found {path.suffix!r}")
    places, triangles = np.asarray(vertices, np.float64), np.asarray(faces)
    for name, array in (("vertices", places), ("faces", triangles)):
        if array.ndim != 2 or array.shape[1] != 3 or not array.size:
            raise ShapeError(f"{name}: expected shape (n ≥ 1, 3), found {array.shape}")
    if not np.isfinite(places).all():
        raise InvalidValueError(f"vertices: expected finite numbers, found {int((~np.isfinite(places)).sum())} that are not")
    if triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= len(places):
        raise InvalidValueError(f"faces: expected indices of {len(places)} vertices, found {triangles.min()} … {triangles.max()}")
    xyz, turned = places[:, ::-1], triangles.astype(np.int64)
    if _signed_volume(xyz, turned) < 0:
        turned = turned[:, ::-1]
    path.write_bytes(writer(xyz, turned, colour))


def _signed_volume(xyz: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    """Volume inside, positive where triangles run counter-clockwise as seen from outside."""
    a, b, c = (xyz[faces[:, i]] - xyz.mean(axis=0) for i in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def _normals(xyz: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Unit normal of each face; 0 of one without area."""
    a, b, c = (xyz[faces[:, i]] for i in range(3))
    return _unit(np.cross(b - a, c - a))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    out: NDArray[np.float64] = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return out


def _stl(xyz: NDArray[np.float64], faces: NDArray[np.int64], colour: str) -> bytes:
    triangle = np.dtype([("normal", "<f4", 3), ("places", "<f4", (3, 3)), ("attribute", "<u2")])
    rows = np.zeros(len(faces), triangle)
    rows["normal"], rows["places"] = _normals(xyz, faces), xyz[faces]
    # A binary file must not begin with "solid".
    return b"nanospa, lengths in nm".ljust(80) + struct.pack("<I", len(faces)) + rows.tobytes()


def _obj(xyz: NDArray[np.float64], faces: NDArray[np.int64], colour: str) -> bytes:
    lines = ["# nanospa, lengths in nm", *("v {:.6g} {:.6g} {:.6g}".format(*place) for place in xyz.tolist())]
    lines += ["f {} {} {}".format(*face) for face in (faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")


def _glb(xyz: NDArray[np.float64], faces: NDArray[np.int64], colour: str) -> bytes:
    # Normals of a vertex: of its faces, by area.
    a, b, c = (xyz[faces[:, i]] for i in range(3))
    areas = np.cross(b - a, c - a)
    normals: NDArray[np.float64] = np.stack([np.bincount(faces.ravel(), np.repeat(areas[:, i], 3), len(xyz)) for i in range(3)], axis=1)
    # A normal must have length 1 even where a vertex has no face.
    normals = np.where(np.any(normals != 0, axis=1, keepdims=True), _unit(normals), [0.0, 0.0, 1.0])
    places = xyz.astype("<f4")
    parts = [places.tobytes(), normals.astype("<f4").tobytes(), faces.astype("<u4").tobytes()]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).tolist()
    red, green, blue = (int(colour.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4))
    # glTF wants linear light.
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (red, green, blue)]
    vector = {"componentType": _FLOAT32, "count": len(xyz), "type": "VEC3"}
    scene = {
        "asset": {"version": "2.0", "generator": "nanospa", "extras": {"unit": "nm"}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "rotation": _Z_UP, "name": "particle"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [*linear, 1.0], "metallicFactor": 0.1, "roughnessFactor": 0.55}}],
        "accessors": [
            {"bufferView": 0, **vector, "min": places.min(axis=0).tolist(), "max": places.max(axis=0).tolist()},
            {"bufferView": 1, **vector},
            {"bufferView": 2, "componentType": _UINT32, "count": int(faces.size), "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(part), "target": target}
            for start, part, target in zip(starts, parts, (_VERTICES, _VERTICES, _INDICES), strict=False)
        ],
        "buffers": [{"byteLength": starts[-1]}],
    }
    text = json.dumps(scene, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 4)
    binary = b"".join(parts)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
