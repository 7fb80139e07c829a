"""Focus curves as small multiples: samples, fit, verdict, the defocus that was set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import UnknownNameError
from nanospa.report.canvas import canvas
from nanospa.report.palette import INK, VERDICT_COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Curves in a figure: two columns of three are readable on a phone.
MOST_PANELS = 6
_COLUMNS = 2


def focus_curves(samples: Any, curves: Sequence[int] | None = None) -> Figure:
    """Sharpness against defocus of a few focus curves.

    The line is the fitted Gaussian, the dashed line the defocus that was set, the dotted one the defocus before.

    Parameters
    ----------
    samples : xarray.Dataset
        Table of focus curves, as `nanospa.acquire.event_tables` gives it.
    curves : sequence of int, optional
        Numbers of the curves (column ``focus``); the first six by default.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UnknownNameError
        A column is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> columns = {"focus": [0, 0, 0], "defocus_nm": [-50.0, 0.0, 50.0], "sharpness": [0.1, 0.4, 0.1]}
    >>> figure = ns.report.focus_curves(xr.Dataset({name: ("sample", values) for name, values in columns.items()}))
    >>> len(figure.axes)
    1
    """
    for name in ("focus", "defocus_nm", "sharpness"):
        if name not in samples:
            raise UnknownNameError(f"samples: expected a column {name!r}, found {', '.join(map(str, samples)) or 'none'}")
    numbers = np.asarray(samples["focus"].values, int)
    chosen = list(np.unique(numbers)[:MOST_PANELS] if curves is None else curves)
    n_rows = -(-len(chosen) // _COLUMNS)
    figure = canvas(4.4, 0.5 + 1.5 * max(1, n_rows))
    for i, curve in enumerate(chosen):
        axes = figure.add_subplot(n_rows, min(_COLUMNS, len(chosen)), i + 1)
        rows = np.flatnonzero(numbers == curve)
        if rows.size:
            _draw(axes, samples.isel({samples["focus"].dims[0]: rows}))
    if chosen:
        figure.supxlabel("defocus [nm]", fontsize=10)
        figure.supylabel("sharpness", fontsize=10)
    return figure


def _draw(axes: Any, curve: Any) -> None:
    from matplotlib.ticker import EngFormatter

    x, y = (np.asarray(curve[name].values, float) for name in ("defocus_nm", "sharpness"))
    verdict = _text(curve, "verdict")
    colour = VERDICT_COLOURS.get(verdict, INK)
    axes.plot(x, y, "o", color=colour, markersize=3.5)
    centre, width, amplitude, offset = (_number(curve, name) for name in ("centre_nm", "width_nm", "amplitude", "offset"))
    if np.isfinite([centre, width, amplitude, offset]).all() and width > 0:
        line = np.linspace(x.min(), x.max(), 200)
        axes.plot(line, gaussian(line, centre, width, amplitude, offset), color=colour, linewidth=1.2)
    start, final = _number(curve, "start_nm"), _number(curve, "final_nm")
    if np.isfinite(start):
        axes.axvline(start, color=INK, linewidth=0.8, linestyle=":")
    if np.isfinite(final):
        axes.axvline(final, color=INK, linewidth=1.0, linestyle="--")
    finite = y[np.isfinite(y)]
    if finite.size:
        # A flat curve stays flat: noise must not look like a peak.
        least = 0.05 * max(abs(float(finite.max())), 1e-12)
        middle, half = float(finite.max() + finite.min()) / 2, max(float(np.ptp(finite)), least) * 0.58
        axes.set_ylim(middle - half, middle + half)
    position = _number(curve, "position")
    image = _number(curve, "image")
    where = f"position {position:.0f}" if position >= 0 else ""
    if _text(curve, "mode") == "fine":
        where = f"fine, image {image:.0f}" if image >= 0 else f"fine, {where}"
    said = f"{verdict.replace('_', ' ')}, {final:+.1f} nm".replace("-", "−") if np.isfinite(final) else verdict.replace("_", " ")
    axes.set_title(f"{where}\n{said}".strip(), fontsize=8, color=INK, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.locator_params(axis="both", nbins=4)
    # Sharpness has no unit and any size: 1.2M instead of an exponent in the title's place.
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def gaussian(x: NDArray[np.float64], centre: float, width: float, amplitude: float, offset: float) -> NDArray[np.float64]:
    """Gaussian on a constant, the model of a focus curve.

    Parameters
    ----------
    x : numpy.ndarray of float64, shape (sample,)
        Defocus [nm].
    centre, width : float
        Centre and standard deviation [nm].
    amplitude, offset : float
        Height above the constant, and the constant [-].

    Returns
    -------
    numpy.ndarray of float64, shape (sample,)
    """
    curve: NDArray[np.float64] = offset + amplitude * np.exp(-((x - centre) ** 2) / (2 * width**2))
    return curve


def _number(curve: Any, name: str) -> float:
    return float(curve[name].values[0]) if name in curve else float("nan")


def _text(curve: Any, name: str) -> str:
    return str(curve[name].values[0]) if name in curve else ""
