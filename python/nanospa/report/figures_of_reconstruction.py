"""The figures of one reconstruction, apart from its views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.fsc_curve import fsc_curve
from nanospa.report.image_correlations import image_correlations
from nanospa.report.orientation_map import orientation_map
from nanospa.report.radial_density import radial_density
from nanospa.report.reprojections import reprojections
from nanospa.report.start_scores import start_scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figures_of_reconstruction(made: Any, images: Any = None) -> Iterator[tuple[str, str, Figure]]:
    """Figures of what a reconstruction holds.

    Parameters
    ----------
    made : xarray.Dataset
        As `nanospa.reconstruct.reconstruct` gives it.
    images : array_like of float, shape (image, y, x), optional
        The images it was made of; `made["images"]` where it is there.

    Yields
    ------
    name : str
        Name of the figure.
    caption : str
        What it shows.
    figure : matplotlib.figure.Figure
        Figure.
    """
    sphere = made.attrs.get("verdict") == "sphere"
    if images is None and "images" in made:
        images = made["images"].values
    if images is not None and {"rotations", "shifts", "correlation"} <= set(made):
        yield (
            "reprojections",
            "Images from the best to the worst correlation (above each), the model seen from the same direction, and the difference "
            "(red: image brighter; each column on its own scale)",
            reprojections(made, images),
        )
    if sphere:
        size = made.attrs.get("pixel_size_nm")
        drawn = radial_density(made["volume"].values, pixel_size_nm=size, level=made.attrs.get("level"))
        yield "radial_density", "Density against the distance from the centre", drawn
    elif "rotations" in made:
        said = "Directions the particles were seen from, in the asymmetric unit (stereographic); darker: more than their share"
        yield "orientation_map", said, orientation_map(made["rotations"].values, str(made.attrs.get("symmetry", "C1")))
    if "fsc" in made and np.isfinite(made["fsc"].values).any():
        yield (
            "fsc",
            "Agreement of two halves of the images; a wrong shape can agree with itself, so this is resolution, not proof",
            fsc_curve(made),
        )
    if "start_scores" in made and not sphere:
        said = "Where the starts ended; models that are the same up to symmetry share a basin; triangles: basins after closure"
        yield "start_scores", said, start_scores(made)
    if "correlation" in made:
        yield "image_correlations", "Agreement of each image with the model", image_correlations(made)
