"""Fourier shell correlation of the half volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, PLAIN_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Thresholds and the attribute that says where the curve falls below: 0.143, Rosenthal and Henderson, J. Mol. Biol. 333 (2003) 721.
_THRESHOLDS = ((0.5, "resolution_05_nm"), (0.143, "resolution_nm"))


def fsc_curve(reconstruction: Any) -> Figure:
    """How well two independent halves of the images agree, against spatial frequency.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        Variables `fsc` and, if known, `fsc_unmasked` (shell,) with the coordinate `frequency` [1/nm]; attributes `resolution_nm`,
        `resolution_05_nm` [nm].

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> frequency = np.linspace(0.05, 1.2, 24)
    >>> halves = xr.Dataset({"fsc": ("shell", np.exp(-frequency**2))}, coords={"frequency": ("shell", frequency)})
    >>> ns.report.fsc_curve(halves).axes[0].get_xlabel()
    'spatial frequency [1/nm]'
    """
    figure = canvas()
    axes = figure.subplots()
    frequency = np.asarray(reconstruction["frequency"].values, float)
    if "fsc_unmasked" in reconstruction:
        axes.plot(frequency, reconstruction["fsc_unmasked"].values, color="#9A9A9A", linewidth=1.4, label="whole box")
    axes.plot(frequency, reconstruction["fsc"].values, color=PLAIN_COLOUR, linewidth=2.0, label="inside the mask")
    axes.axhline(0, color=INK, linewidth=0.6)
    for threshold, name in _THRESHOLDS:
        axes.axhline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        size = float(reconstruction.attrs.get(name) or np.nan)
        said = f"{threshold:g}"
        if np.isfinite(size) and size > 0:
            reached = falls_below(reconstruction, threshold)
            # Pixels end before the halves differ.
            said += f": {size:.2f} nm" if reached else f": not reached at {size:.2f} nm"
            if reached and 1 / size <= frequency[-1]:
                axes.plot([1 / size], [threshold], "o", color=PLAIN_COLOUR, markersize=5, zorder=4)
        axes.text(0.02 * frequency[-1], threshold + 0.015, said, ha="left", va="bottom", fontsize=9, color=INK)
    axes.set(xlim=(0, frequency[-1]), ylim=(min(-0.08, float(np.nanmin(reconstruction["fsc"].values)) - 0.03), 1.04))
    axes.set(xlabel="spatial frequency [1/nm]", ylabel="Fourier shell correlation")
    if "fsc_unmasked" in reconstruction:
        figure.legend(frameon=False, fontsize=9, loc="outside upper center", ncols=2)
    plain_axes(axes)
    return figure


def falls_below(reconstruction: Any, threshold: float) -> bool:
    """Whether the correlation inside the mask falls below a threshold before the pixels end.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        Variable `fsc` (shell,).
    threshold : float
        Threshold [-].

    Returns
    -------
    bool
    """
    return "fsc" not in reconstruction or bool((np.asarray(reconstruction["fsc"].values, float) < threshold).any())
