"""A column as a reader sees it: words and a unit instead of a variable's name."""

from __future__ import annotations

from typing import Any

#: Endings of column names that are units, longest first.
_ENDINGS = ("_nm2", "_nm", "_px", "_rad", "_um", "_s")
_PRETTY = {"nm^2": "nm²", "um": "µm", "intensity": "a.u.", "1": "", "": ""}


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
    import numpy as np

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
