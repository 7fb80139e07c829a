"""Figures without global state: an Agg canvas of their own, and their bytes."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Size of a figure of one panel [inch]: two or three fit beside each other on a screen, one fills a phone's width with 10 pt text readable.
PANEL_INCH = (4.4, 3.3)


def canvas(width_inch: float = PANEL_INCH[0], height_inch: float = PANEL_INCH[1]) -> Figure:
    """Empty figure on an Agg canvas.

    pyplot is not used: it keeps every figure alive until it is closed and is not safe in threads.

    Parameters
    ----------
    width_inch : float
        Width [inch].
    height_inch : float
        Height [inch].

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_inch, height_inch), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain_axes(axes: Any) -> None:
    """Take away what carries no information from axes: the upper and the right line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to change.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.xaxis.label.set_size(10)
    axes.yaxis.label.set_size(10)


def save(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Write a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure.
    path : pathlib.Path
        File; its ending is the format.
    dpi : int
        Pixels an inch of formats made of pixels.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    import matplotlib as mpl

    # Ids of SVG elements are random and the date is stored unless told otherwise.
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(path.suffix[1:])
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, dpi=dpi, metadata=metadata)
    return path


def data_uri(figure: Figure, dpi: int = 144) -> str:
    """A figure as a PNG in a data URI.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure.
    dpi : int
        Pixels an inch.

    Returns
    -------
    str
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return encoded(buffer.getvalue(), "image/png")


def encoded(data: bytes, media_type: str) -> str:
    """Bytes as a data URI.

    Parameters
    ----------
    data : bytes
        Content of the file.
    media_type : str
        Such as ``image/png``.

    Returns
    -------
    str
    """
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
