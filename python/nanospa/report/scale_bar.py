"""Scale bar of a round length."""

from __future__ import annotations

from typing import Any

import numpy as np


def bar_length_nm(width_nm: float) -> float:
    """Round length of a scale bar for an image of a width.

    Parameters
    ----------
    width_nm : float
        Width of the image [nm].

    Returns
    -------
    float
        The greatest of 1, 2, 5 × 10ⁿ that is at most a quarter of the width [nm].

    Examples
    --------
    >>> from nanospa.report import bar_length_nm
    >>> bar_length_nm(204.8), bar_length_nm(9.0)
    (50.0, 2.0)
    """
    quarter = width_nm / 4
    decade = 10.0 ** np.floor(np.log10(quarter))
    return float(max(step * decade for step in (1, 2, 5) if step * decade <= quarter * (1 + 1e-9)))


def bar_text(length_nm: float) -> str:
    """Length of a scale bar as text, in nm or µm.

    Parameters
    ----------
    length_nm : float
        Length [nm].

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report import bar_text
    >>> bar_text(50.0), bar_text(2000.0)
    ('50 nm', '2 µm')
    """
    return f"{length_nm / 1000:g} µm" if length_nm >= 1000 else f"{length_nm:g} nm"


def draw_scale_bar(axes: Any, shape: tuple[int, int], pixel_size_x_nm: float, *, font_size: float = 9.0) -> None:
    """Draw a scale bar into the lower left corner of an image.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes that show the image in pixels.
    shape : tuple of int
        Shape (y, x) of the image [px].
    pixel_size_x_nm : float
        Pixel size along x [nm].
    font_size : float
        Size of the text [pt].
    """
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    height, width = shape
    length_nm = bar_length_nm(width * pixel_size_x_nm)
    x, y, thick = 0.04 * width, 0.96 * height, 0.016 * height
    bar = Rectangle((x, y - thick), length_nm / pixel_size_x_nm, thick, facecolor="white", edgecolor="black", linewidth=0.5, zorder=5)
    axes.add_patch(bar)
    # The rim instead of a box keeps the text readable on bright particles and hides nothing.
    rim = [withStroke(linewidth=2.0, foreground="black")]
    at = (x, y - 1.6 * thick)
    axes.text(*at, bar_text(length_nm), color="white", ha="left", va="bottom", fontsize=font_size, zorder=5, path_effects=rim)
