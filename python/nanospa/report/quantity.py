"""A column as a reader sees it: words and a unit instead of a variable's name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Endings of column names that are units, longest first.
_ENDINGS = ("_nm2", "_nm", "_px", "_rad", "_um", "_s")
_PRETTY = {"nm^2": "nm²", "1/nm^2": "1/nm²", "um": "µm", "intensity": "a.u.", "1": "", "": ""}


def words(name: str) -> str:
    """Name of a column without its unit, as words.

    Parameters
    ----------
    name : str
        Name of a variable, such as ``equivalent_diameter_nm``.

    Returns
    -------
    str
        Such as ``equivalent diameter``.
    """
    for ending in _ENDINGS:
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ")


def unit(table: Any, name: str) -> str:
    """Unit of a column, empty for none.

    Parameters
    ----------
    table : xarray.Dataset
        Table with the column.
    name : str
        Name of the variable.

    Returns
    -------
    str
        Its attribute ``units``, else what the schema says, typeset.
    """
    from nanospa.schema import frames, particles

    written = str(table[name].attrs.get("units", ""))
    known = particles.column(name) or frames.column(name)
    text = written or ("" if known is None else known.unit)
    return _PRETTY.get(text, text.replace("^2", "²"))


def title(table: Any, name: str) -> str:
    """Words and unit of a column, for an axis.

    Parameters
    ----------
    table : xarray.Dataset
        Table with the column.
    name : str
        Name of the variable.

    Returns
    -------
    str
        Such as ``equivalent diameter [nm]``.
    """
    bracket = unit(table, name)
    return f"{words(name)} [{bracket}]" if bracket else words(name)


def resolve(table: Any, name: str) -> str | None:
    """The calibrated column of a quantity where there is one, else the one in pixels.

    Parameters
    ----------
    table : xarray.Dataset
        Table.
    name : str
        Quantity without unit, such as ``area``, or a full column name.

    Returns
    -------
    str or None
        Name of the variable; None where the table has neither.
    """
    return next((full for ending in ("_nm2", "_nm", "_px", "") if (full := name + ending) in table), None)


def texts(table: Any, name: str) -> NDArray[np.str_]:
    """A column of text, whatever dtype the store's reader gave it.

    Parameters
    ----------
    table : xarray.Dataset
        Table with the column.
    name : str
        Name of the variable.

    Returns
    -------
    numpy.ndarray of str, shape (row,)
    """
    # Variable-length strings of zarr cannot be cast by numpy.
    return np.array([str(value) for value in table[name].values], dtype=np.str_)


def text(value: Any) -> str:
    """A number as a reader wants it: four significant digits; whole numbers whole.

    Parameters
    ----------
    value : object
        Number, bool, text or None.

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report.quantity import text
    >>> text(1234567), text(0.123456), text(12345.678), text(float("nan")), text(True)
    ('1,234,567', '0.1235', '12,346', '–', 'yes')
    """
    if value is None:
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{int(value):,}"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if not np.isfinite(number):
            return "–"
        if abs(number) >= 1000:
            return f"{number:,.0f}" if abs(number) < 1e7 else f"{number:.4g}"
        return f"{number:.4g}"
    return str(value)


def p_value(value: float) -> str:
    """A p value as papers print it: nobody needs to know how far below one in a thousand it lies.

    Parameters
    ----------
    value : float
        Probability [-].

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report.quantity import p_value
    >>> p_value(4.954e-31), p_value(0.0213), p_value(0.4)
    ('p < 0.001', 'p = 0.021', 'p = 0.40')
    """
    if not value >= 0.001:
        return "p < 0.001" if value == value else "p unknown"
    return f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"


def duration(seconds: float) -> str:
    """A time as a reader wants it.

    Parameters
    ----------
    seconds : float
        Time [s].

    Returns
    -------
    str

    Examples
    --------
    >>> from nanospa.report.quantity import duration
    >>> duration(41.26), duration(724), duration(14400), duration(float("nan"))
    ('41.3 s', '12 min 4 s', '4 h 0 min', '–')
    """
    if seconds != seconds:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
