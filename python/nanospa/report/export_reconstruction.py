"""A reconstruction as files for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import ShapeError
from nanospa.report.canvas import save
from nanospa.report.isosurface import half_density, isosurface
from nanospa.report.model_gallery import model_colour


def export_reconstruction(reconstruction: Any, folder: Any, *, images: Any = None, name: str = "reconstruction") -> list[Path]:
    """Write a reconstruction for other programs.

    ``<name>.mrc`` and ``<name>_half1.mrc``, ``<name>_half2.mrc`` are the volumes with their voxel size; ``<name>_particles.star`` and
    ``.mrcs`` the images and orientations for RELION and EMAN2; ``<name>.stl`` and ``.glb`` the surface in nm; ``<name>.png`` its views;
    ``<name>_fsc.csv``, ``<name>_images.csv``, ``<name>_starts.csv`` the tables; ``<name>.json`` everything else.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        As `nanospa.reconstruct.reconstruct` gives it; what it does not hold is left out.
    folder : str or pathlib.Path
        Folder to write into; made where it is missing.
    images : array_like of float, shape (image, y, x), optional
        The images it was made of; `reconstruction["images"]` where it is there.
    name : str
        Beginning of the files' names.

    Returns
    -------
    list of pathlib.Path
        Files, in order.

    Raises
    ------
    ShapeError
        There is not one image an orientation.

    Examples
    --------
    >>> import tempfile
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> ball = ns.simulate.volume("sphere", size_nm=10, voxel_size_nm=0.8)
    >>> made = xr.Dataset({"volume": (("z", "y", "x"), ball)}, attrs={"pixel_size_nm": 0.8, "level": 0.5})
    >>> [path.name for path in ns.report.export_reconstruction(made, tempfile.mkdtemp(), name="gold")]
    ['gold.mrc', 'gold.stl', 'gold.glb', 'gold.png', 'gold.json']
    """
    from nanospa.io import write, write_table

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    attributes = dict(reconstruction.attrs)
    size = float(attributes["pixel_size_nm"])
    written = []
    volumes = {"": reconstruction["volume"].values}
    if "half_volumes" in reconstruction:
        volumes |= {f"_half{i + 1}": half for i, half in enumerate(reconstruction["half_volumes"].values)}
    import xarray as xr

    for suffix, volume in volumes.items():
        path = target / f"{name}{suffix}.mrc"
        write(xr.DataArray(np.asarray(volume, np.float32), dims=("z", "y", "x")), path, pixel_size_nm=size)
        written.append(path)
    written += _particles(reconstruction, images, target / f"{name}_particles.star", size)
    written += _surface(reconstruction, target, name, size)
    for what, table in _tables(reconstruction).items():
        path = target / f"{name}_{what}.csv"
        write_table(table, path)
        written.append(path)
    path = target / f"{name}.json"
    path.write_text(json.dumps(attributes, indent=1, default=_plain, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*written, path]


def _particles(reconstruction: Any, images: Any, path: Path, size: float) -> list[Path]:
    from nanospa.io import write_relion_particles
    from nanospa.reconstruct import euler_angles

    if images is None and "images" in reconstruction:
        images = reconstruction["images"].values
    if images is None or "rotations" not in reconstruction:
        return []
    n = int(reconstruction.sizes["image"])
    stack = np.asarray(images, np.float32)
    if stack.ndim != 3 or len(stack) != n:
        raise ShapeError(f"images: expected (image, y, x) with {n} images, found shape {stack.shape}")
    given = {
        keyword: reconstruction[variable].values
        for keyword, variable in (("shifts_px", "shifts"), ("half_sets", "half_set"), ("correlations", "correlation"))
        if variable in reconstruction
    }
    angles = euler_angles(reconstruction["rotations"].values)
    return write_relion_particles(path, stack, pixel_size_nm=size, euler_angles_deg=angles, **given)


def _surface(reconstruction: Any, target: Path, name: str, size: float) -> list[Path]:
    from skimage.measure import marching_cubes

    from nanospa.io import write_mesh

    volume = np.asarray(reconstruction["volume"].values, np.float32)
    level = float(reconstruction.attrs.get("level") or np.nan)
    if not np.isfinite(level):
        level = half_density(volume)
    if not volume.min() < level < volume.max():
        return []
    # A rim of background closes a surface that reaches the border of the box.
    padded = np.pad(volume, 1, constant_values=min(float(volume.min()), level - 1e-6))
    vertices, faces, *_ = marching_cubes(padded, level)  # type: ignore[no-untyped-call]
    # In nm from the centre of the box.
    places = (vertices - 1 - np.array([n // 2 for n in volume.shape])) * size
    colour = model_colour(name, reconstruction.attrs)
    written = []
    for ending in ("stl", "glb"):
        write_mesh(target / f"{name}.{ending}", places, faces, colour=colour)
        written.append(target / f"{name}.{ending}")
    symmetry = str(reconstruction.attrs.get("symmetry", "C1"))
    figure = isosurface(volume, level=level, pixel_size_nm=size, symmetry=symmetry, colour=colour)
    return [*written, save(figure, target / f"{name}.png", dpi=200)]


def _tables(reconstruction: Any) -> dict[str, Any]:
    import pandas as pd

    from nanospa.reconstruct import euler_angles

    tables = {}
    if "fsc" in reconstruction:
        columns = {"frequency_per_nm": reconstruction["frequency"].values, "fsc": reconstruction["fsc"].values}
        if "fsc_unmasked" in reconstruction:
            columns["fsc_unmasked"] = reconstruction["fsc_unmasked"].values
        tables["fsc"] = pd.DataFrame(columns)
    if "rotations" in reconstruction:
        columns = {}
        if "particle" in reconstruction.variables:
            columns["particle"] = reconstruction["particle"].values
        columns |= dict(zip(("rot_deg", "tilt_deg", "psi_deg"), euler_angles(reconstruction["rotations"].values).T, strict=True))
        if "shifts" in reconstruction:
            columns |= dict(zip(("shift_x_px", "shift_y_px"), reconstruction["shifts"].values.T, strict=True))
        columns |= {
            key: reconstruction[key].values for key in ("scale", "volume_ratio", "correlation", "kept", "half_set") if key in reconstruction
        }
        tables["images"] = pd.DataFrame(columns)
    if "start_scores" in reconstruction:
        starts = {"score": reconstruction["start_scores"].values, "basin": reconstruction["start_basin"].values}
        if "start_kind" in reconstruction:
            starts["kind"] = reconstruction["start_kind"].values
        tables["starts"] = pd.DataFrame(starts)
    return tables


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
